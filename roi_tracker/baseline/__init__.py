"""Baselines: what disqualifies data, what is fitted before go-live, and what is frozen."""
