"""Packing: a reader's weights as 8-bit rows or 4-bit blocks, and ONNX graphs over them."""
