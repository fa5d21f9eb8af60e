"""The ONNX frontend: exported models, read from their protobuf without the package ``onnx``."""
