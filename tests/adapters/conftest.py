"""Fixtures of the adapters' tests: a stand-in for the reader, and a collection."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest
from checkout import EXAMPLES

from docqa import Collection, Pipeline
from docqa.adapters import corpus
from docqa.recent import Recent
from docqa.testing import FakeReader

FILES = [str(EXAMPLES / "handbook.pdf"), str(EXAMPLES / "notes.md")]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the asynchronous tests of a framework's own suite."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return a pipeline without a model, which the adapters share too."""
    made = Pipeline(reader=FakeReader(), min_score=0.0)
    shared: Recent[Pipeline] = Recent(4)
    shared.get_or_make("cascade", lambda: made)
    monkeypatch.setattr(corpus, "_PIPELINES", shared)
    return made


@pytest.fixture
def address(pipeline: Pipeline, tmp_path: Path) -> str:
    """Return the address of a collection of two files."""
    with Collection(tmp_path / "kb", pipeline=pipeline) as kb:
        kb.add(FILES)
    return str(tmp_path / "kb")
