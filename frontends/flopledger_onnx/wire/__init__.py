"""Reads the protobuf wire format of ONNX over a memory map; the contents of tensors are skipped."""
