"""Loaders: bytes to documents, with a way back to the original."""

from docqa.loaders.load import load
from docqa.loaders.source_bytes import Source, read_source

__all__ = ["Source", "load", "read_source"]
