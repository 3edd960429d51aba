"""Ask a document: the exact words of the answer and the exact place where they stand."""

from __future__ import annotations

__version__ = "0.1.0"
