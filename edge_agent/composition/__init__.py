"""Pieces of the composition root, one a kind of source: see `app`."""
