"""Write small PDFs by hand, so that a test shows all of the file that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from docqa.datamodel import Answer, Document, Passage, Span

HELVETICA = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


@dataclass
class PdfText:
    """The objects of a PDF; object 1 is the catalog, 2 the page tree, 3 the font /F1."""

    catalog: str = ""
    info: str = ""
    objects: list[bytes] = field(default_factory=lambda: [b"", b"", HELVETICA.encode()])
    pages: list[int] = field(default_factory=list)

    def add(self, body: str, stream: bytes | None = None) -> int:
        """Add an object; return its number."""
        data = body.encode("latin-1")
        if stream is not None:
            data = data.replace(b">>", b"/Length %d>>" % len(stream), 1)
            data += b"\nstream\n" + stream + b"\nendstream"
        self.objects.append(data)
        return len(self.objects)

    def page(self, content: str, entries: str = "", resources: str = "", fonts: str = "") -> int:
        """Add a page of 300 by 200 points unless `entries` say otherwise; return its number."""
        contents = self.add("<<>>", content.encode("latin-1"))
        box = "" if "/MediaBox" in entries else "/MediaBox[0 0 300 200]"
        self.pages.append(
            self.add(
                f"<</Type/Page/Parent 2 0 R/Contents {contents} 0 R{box}{entries}"
                f"/Resources<</Font<</F1 3 0 R{fonts}>>{resources}>>>>"
            )
        )
        return self.pages[-1]

    def to_bytes(self) -> bytes:
        """Return the file."""
        kids = " ".join(f"{number} 0 R" for number in self.pages)
        self.objects[0] = f"<</Type/Catalog/Pages 2 0 R{self.catalog}>>".encode("latin-1")
        self.objects[1] = f"<</Type/Pages/Kids[{kids}]/Count {len(self.pages)}>>".encode()
        info = self.add(f"<<{self.info}>>")
        data, offsets = b"%PDF-1.7\n", []
        for number, body in enumerate(self.objects, start=1):
            offsets.append(len(data))
            data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        size = len(offsets) + 1
        table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, rows)
        trailer = b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>" % (size, info)
        return data + table + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % len(data)


def write(x: float, y: float, words: str, size: float = 12) -> str:
    """Return the operators that show `words` from a point in user space."""
    return f"BT /F1 {size} Tf {x} {y} Td ({words}) Tj ET\n"


@pytest.fixture(scope="session")
def new_pdf() -> Callable[[], PdfText]:
    """Return the class of empty files, for tests that write more than one."""
    return PdfText


@pytest.fixture
def pdf() -> PdfText:
    """Return an empty file to add pages to."""
    return PdfText()


@pytest.fixture(name="write")
def write_fixture() -> Callable[..., str]:
    """Return the function that shows words at a point."""
    return write


@pytest.fixture
def load() -> Callable[..., Document]:
    """Return a function from the bytes of a PDF (or what makes them) to its document."""
    from docqa.loaders.pdf.loader import PdfLoader

    def loaded(data: bytes | PdfText, **settings: object) -> Document:
        content = data.to_bytes() if isinstance(data, PdfText) else data
        return PdfLoader(**settings).load(content, source="test.pdf")  # type: ignore[arg-type]

    return loaded


@pytest.fixture
def answer_over() -> Callable[..., Answer]:
    """Return a function from a document and words in it to an answer that stands there."""

    def answer(
        document: Document, words: str, question: str = "Who?", score: float = 0.874
    ) -> Answer:
        span = Span(document.text.index(words), document.text.index(words) + len(words))
        return Answer(
            question=question,
            text=words,
            score=score,
            start=span.start,
            end=span.end,
            document=document.info,
            passage=Passage(document.id, 0, span, words),
            locations=document.locate(span),
        )

    return answer
