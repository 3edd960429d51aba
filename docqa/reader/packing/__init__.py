"""Packing: a reader's weights as 8-bit rows, and ONNX graphs over them."""
