"""The report on what was realized: its figures, where each comes from, and how it is made again."""
