"""Build-time only: makes the feature extractors; needs torch."""
