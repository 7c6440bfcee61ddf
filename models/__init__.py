"""The model workshop: teach, evaluate, verify and install ONNX models with manifests. Start with `manifest`."""
