"""Simulated plants with known truth: which method tells it, and where ours fails."""
