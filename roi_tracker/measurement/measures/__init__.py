"""The measures: what of each is worth saying beyond a counterfactual, one file a measure."""
