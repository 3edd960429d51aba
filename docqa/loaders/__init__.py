"""Loaders: bytes to documents, with a way back to the original."""
