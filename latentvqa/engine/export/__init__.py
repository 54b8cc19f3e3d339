"""A trained model as files of ONNX that run without this package."""
