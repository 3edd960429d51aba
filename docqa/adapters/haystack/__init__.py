"""Haystack: a converter, a retriever and an extractive reader over docqa (the extra ``haystack``).

Documents have Haystack's meta: ``file_path``, ``page_number`` (from 1), ``split_id``,
``split_idx_start`` and ``source_id`` (the SHA-256 of the file). Pipelines are saved and loaded:
``Pipeline.loads(text, allowed_modules=["docqa.*"])``.
"""

from __future__ import annotations

from docqa.reader.requirements import require

try:
    import haystack as _haystack  # noqa: F401 - the modules below need it
except ImportError:
    require("docqa.adapters.haystack", "haystack", extra="haystack")
    raise

from docqa.adapters.haystack.converter import DocqaConverter
from docqa.adapters.haystack.extractive_reader import DocqaExtractiveReader
from docqa.adapters.haystack.retriever import DocqaRetriever

__all__ = ["DocqaConverter", "DocqaExtractiveReader", "DocqaRetriever"]
