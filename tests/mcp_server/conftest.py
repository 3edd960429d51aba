"""Tools of agents over a service with a stand-in for the reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import LAMP, SHIP, Agent, pdf_of, serving
from text_collections import collection_of

collect_ignore_glob = []
try:
    import jsonschema  # noqa: F401
    import mcp  # noqa: F401
except ImportError:
    collect_ignore_glob = ["test_*.py"]  # the extra mcp is not installed


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a text, a web page and a PDF."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "lamp.txt").write_text(LAMP, encoding="utf-8")
    (folder / "ship.html").write_text(SHIP, encoding="utf-8")
    (folder / "plan.pdf").write_bytes(
        pdf_of("The tower was painted in 1911.", "Ivy Roe keeps the tower.")
    )
    return folder


@pytest.fixture(scope="session")
def agent(folder: Path) -> Iterator[Agent]:
    """Return an agent over the three files."""
    with serving(sorted(folder.iterdir())) as (made, _):
        yield made


@pytest.fixture(scope="session")
def collection_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a collection of two texts."""
    texts = {
        "quill.txt": "The agreement with Quill ends in May 1908.\n",
        "rent.txt": "The rent of the boat house is due in October.\n",
    }
    return collection_of(texts, tmp_path_factory)
