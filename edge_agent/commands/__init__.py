"""What a person asks of the agent beside running it."""
