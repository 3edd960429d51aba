"""Loaders: bytes to documents, with a way back to the original."""

from docqa.loaders.load import Source, load, read_source

__all__ = ["Source", "load", "read_source"]
