"""The statistics: a counterfactual, what was observed, and an honest interval around their difference."""
