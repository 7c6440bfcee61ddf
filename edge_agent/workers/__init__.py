"""The moving parts of the pipeline: each has one job, one thread and one queue."""
