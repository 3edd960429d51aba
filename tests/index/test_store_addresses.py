"""Collections opened by the addresses that the guides name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from checkout import DOCS

import docqa
from docqa.errors import MissingDependencyError, SettingError
from docqa.index.contract import Store
from docqa.index.opening import open_store

GUIDES = DOCS / "guides"
OTHERS = {"docqa", "http", "https", "ray"}  # schemes in the guides that are no collection's
LIBRARIES = {"lance": "lancedb", "s3": "lancedb"}


def named_schemes() -> set[str]:
    """Return the schemes of the collections' addresses that the guides name."""
    texts = (guide.read_text("utf-8") for guide in GUIDES.glob("*.md"))
    found = {scheme for text in texts for scheme in re.findall(r"\b([a-z0-9+]+)://\S", text)}
    return found - OTHERS


def test_every_scheme_of_the_guides_is_known() -> None:
    """The guides name one of each."""
    assert named_schemes() == set(LIBRARIES)


@pytest.mark.parametrize("address", ["kb", "file:///tmp/kb", "lance:///tmp/kb", "s3://bucket/kb"])
def test_open(address: str) -> None:
    """Each gives a store, without anything being read or made; its address opens it again."""
    store = open_store(address)
    assert isinstance(store, Store)
    assert open_store(store.address).address == store.address


@pytest.mark.parametrize("scheme", sorted(LIBRARIES))
def test_missing_library_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, LIBRARIES[scheme], None)
    place = str(tmp_path) if scheme == "lance" else "host/kb"
    with pytest.raises(MissingDependencyError, match=r"pip install .docqa-exact\["):
        docqa.Collection(f"{scheme}://{place}").exists()


@pytest.mark.parametrize("scheme", ["https", "opensearch"])
def test_unknown_scheme_shows_no_password(scheme: str) -> None:
    """The addresses that there are, and the given one without user and password."""
    with pytest.raises(SettingError, match=r"s3://BUCKET/PREFIX") as caught:
        open_store(f"{scheme}://ada:hid/den@host:9200/kb")
    assert str(caught.value).startswith(f"{scheme}://host:9200/kb: no engine")
    assert "hid" not in str(caught.value)
