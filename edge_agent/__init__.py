"""Lineproof edge agent: runs inspection and machine-health models beside the line. Start with `pipeline`."""
