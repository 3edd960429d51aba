"""Make the pictures of the documentation with docqa itself, from the sample handbook.

    python docs/make_pictures.py

They are checked in, so that the pages show them everywhere; run this when the handbook or the look
of the marks changes.
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

import docqa
from docqa.showing.page_view import view_page

DOCS = Path(__file__).parent
HANDBOOK = DOCS.parent / "examples" / "handbook.pdf"
QUESTIONS = ("What does a family ticket cost?", "How long is lost property kept?")
QUESTIONS += ("Where do dogs stay?",)
PAGE = 6
TOP_HALF = (0, 40, 839, 540)  # pixels, at two a point


def marked_page() -> bytes:
    """Return the picture that ``docqa ask ... --highlight page.png`` writes."""
    answers = [answer for each in QUESTIONS for answer in docqa.ask(HANDBOOK, each)]
    with tempfile.TemporaryDirectory() as folder:
        return docqa.highlight(answers, Path(folder) / "page.png").path.read_bytes()


def outlined_page() -> bytes:
    """Return the picture that ``docqa show --page 6 --boxes page.png`` writes."""
    with docqa.load(HANDBOOK) as document:
        return view_page(document, HANDBOOK.read_bytes(), PAGE, boxes=True).png


def save(png: bytes, name: str) -> None:
    """Write the upper half in 48 colours: a third of the bytes, and no difference to the eye."""
    picture = Image.open(BytesIO(png)).convert("RGB").crop(TOP_HALF).quantize(48)
    picture.save(DOCS / "pictures" / name, optimize=True)


if __name__ == "__main__":
    save(marked_page(), "highlight.png")
    save(outlined_page(), "boxes.png")
