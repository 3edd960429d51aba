"""Small collections of texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from docqa import Collection, Pipeline
from docqa.testing import FakeReader


def collection_of(texts: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a collection of texts, which are given by the names of their files."""
    folder = tmp_path_factory.mktemp("contracts")
    for name, text in texts.items():
        (folder / name).write_text(text)
    made = tmp_path_factory.mktemp("kb") / "kb"
    with Collection(made, pipeline=Pipeline(reader=FakeReader())) as collection:
        collection.sync(folder)
    return made
