"""Sparkplug B, what is pure of it: topics, values, and what is known of an edge node between birth and death."""
