"""What makes a reader's folder for ONNX Runtime: 8-bit rows, and graphs over them."""
