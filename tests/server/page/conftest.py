"""The page in Chromium, over a server in this process whose reader follows a script."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from served_documents import listening

from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.testing import FakeReader

LIT = "When was the lamp first lit?"
OIL = "How much oil does the lamp burn?"
AUDIT = "Who audits the company?"
SECRET = "What is the harbour's password?"
SCRIPT: dict[str, dict[str, float]] = {
    LIT: {"14 October 1871": 3.0, "1908": 1.0},
    OIL: {"40 litres": 2.0},
    AUDIT: {"Ada Quill": 2.0},
    SECRET: {"xylophone": 3.0},
}


class ScriptedReader(FakeReader):
    """A reader that finds the words that a script has for a question, wherever they stand.

    Attributes:
        gate: while it is closed, passages with the word "slowly" are not read.
    """

    def __init__(self) -> None:
        super().__init__(max_passage_tokens=120)
        self.gate = threading.Event()
        self.gate.set()

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return the places of the script's words."""
        self.check_question(question)
        found = []
        for passage in passages:
            if "slowly" in passage.text:
                self.gate.wait(30)
            for words, margin in SCRIPT.get(question, {}).items():
                for match in re.finditer(re.escape(words), passage.text):
                    span = Span(*match.span())
                    found.append(AnswerSpan(passage, span, margin, margin, 0.0))
        found.sort(key=lambda each: each.order)
        return AnswerSpans(question, tuple(found[:top_k]), len(passages))


@pytest.fixture(scope="session")
def reader() -> ScriptedReader:
    """Return the reader of the server."""
    return ScriptedReader()


@pytest.fixture(scope="session")
def kb_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a collection's files."""
    folder = tmp_path_factory.mktemp("minutes")
    (folder / "lamp.txt").write_text("The lamp was first lit on 14 October 1871, in fog.\n")
    (folder / "audit.txt").write_text("Ada Quill audits the company.\n")
    return folder


@pytest.fixture(scope="session")
def service(
    reader: ScriptedReader, kb_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Return a service with one collection."""
    from docqa import Collection, Pipeline
    from docqa.service.service import Service
    from docqa.service.settings import ServiceSettings

    made = tmp_path_factory.mktemp("kb") / "kb"
    with Collection(made, pipeline=Pipeline(reader=reader)) as collection:
        collection.sync(kb_folder)
    settings = ServiceSettings(
        collections={"minutes": str(made)}, upload_bytes=3_000_000, min_score=0.0
    )
    with Service(settings, reader=reader) as service:
        yield service


@pytest.fixture(scope="session")
def address(service: Any) -> Iterator[str]:
    """Return the address of the page."""
    with listening(service) as address:
        yield f"{address}/"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return Chromium."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="the page's tests need Playwright: pip install playwright"
    )
    found = os.environ.get("DOCQA_CHROMIUM")
    if found is None:
        pytest.skip("the page's tests need the path of Chromium in DOCQA_CHROMIUM")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the page; afterwards no error or stray request is left."""
    troubles: list[str] = []
    contexts = []

    def open_page(at: str = "", *, base: str = address, **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, accept_downloads=True, **options
        )
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base.rstrip("/"))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", note)
        page.on("request", lambda sent: check_origin(sent.url, base))
        page.goto(f"{base}{at}")
        page.wait_for_selector("#scope option", state="attached")
        return page

    def note(said: Any) -> None:
        if said.type == "error":
            troubles.append(said.text)

    def check_origin(url: str, base: str) -> None:
        if not url.startswith((base, "blob:", "about:")):
            troubles.append(f"outside: {url}")

    yield open_page
    for context in contexts:
        context.close()
    # Chromium says of every answer above 399 that it failed; the page shows those itself.
    assert not [each for each in troubles if "the server responded with a status" not in each]


@pytest.fixture(autouse=True)
def fresh(service: Any, reader: ScriptedReader) -> Iterator[None]:
    """Forget all documents after a test."""
    yield
    reader.gate.set()
    for record in service.documents():
        service.remove(record.id)


@pytest.fixture
def add(service: Any) -> Callable[[bytes | str, str], str]:
    """Return a function that gives the server a document and returns its id."""

    def added(data: bytes | str, name: str) -> str:
        content = data.encode() if isinstance(data, str) else data
        return str(service.add_file(content, name)[0].id)

    return added


@pytest.fixture
def handbook(pdf: Any, write: Callable[..., str]) -> bytes:
    """Return a PDF of three pages; the date stands on two of them."""
    pdf.page(write(30, 150, "The Ormskerry Light stands on a skerry."))
    pdf.page(
        write(30, 150, "The lamp was first lit on 14 October 1871.")
        + write(30, 120, "Until 1908 it burned 40 litres of colza oil.")
    )
    pdf.page(write(30, 60, "Its birthday is kept on 14 October 1871 in spirit."))
    return bytes(pdf.to_bytes())
