"""Observations of one measure in one period as arrays; one file a counterfactual measure."""
