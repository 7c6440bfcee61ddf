"""The status page of one agent: pages, live updates, event feed."""
