"""Realized or not proven: one benefit line measured against its frozen baseline."""
