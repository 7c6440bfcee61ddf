"""Feature extractors as ONNX files, with licence and the recipe that made them."""
