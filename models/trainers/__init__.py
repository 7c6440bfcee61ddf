"""Trainers: each turns healthy data into a model folder. Never imported by the edge agent."""
