"""Designs: with what the lines of a programme are compared."""
