"""A PDF of as many pages as wanted, the same each time, so that nothing has to be at hand."""

from __future__ import annotations

import io
import random

__all__ = ["MADE_QUESTIONS", "make_pdf", "page_lines"]

MADE_QUESTIONS = (
    "How many litres of oil did the lamp at Skerry Point burn in October?",
    "Who was the keeper at Gull Rock when the storm broke the lantern glass?",
)
"""Questions in the words of the document."""

_PLACES = ("Skerry Point", "Gull Rock", "Ness Head", "Farra Sound", "Holm Bank", "Tarn Light")
_KEEPERS = ("Ada Quill", "Tom Barrow", "Ines Holm", "Jon Sand", "Mary Reef", "Olaf Strand")
_MONTHS = ("January", "March", "May", "July", "October", "December")
_SENTENCES = (
    "In {month} {year} the lamp at {place} burned {number} litres of oil.",
    "The keeper at {place} in that year was {keeper}, who wrote {number} letters to the board.",
    "A storm from the north broke the lantern glass at {place} on the night of {day} {month}.",
    "{keeper} asked for {number} yards of new rope, and the board granted half of them.",
    "The fog signal sounded for {number} hours, longer than in any {month} before.",
    "Stores came with the tender on {day} {month}: flour, coal, wicks and {number} panes of glass.",
    "No vessel was lost near {place}, although {number} passed it after dark.",
    "The barometer fell to {pressure} hPa before the wind turned, as {keeper} noted.",
)
_SENTENCES_PER_PAGE, _SENTENCES_PER_PARAGRAPH, _LINE = 36, 6, 88  # about 2,600 characters a page


def page_lines(number: int) -> list[str]:
    """Return the lines of page `number` (from 1): paragraphs with an empty line between them."""
    drawn = random.Random(number)
    lines: list[str] = []
    for first in range(0, _SENTENCES_PER_PAGE, _SENTENCES_PER_PARAGRAPH):
        sentences = [_sentence(drawn) for _ in range(first, first + _SENTENCES_PER_PARAGRAPH)]
        lines += [*_wrapped(" ".join(sentences)), ""]
    return lines


def make_pdf(n_pages: int) -> bytes:
    """Return a PDF with `n_pages` pages of text in Helvetica, which every viewer has."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    kind, font = NameObject("/Type"), NameObject("/Font")
    helvetica = DictionaryObject(
        {
            kind: font,
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(helvetica)})
    for number in range(1, n_pages + 1):
        page = writer.add_blank_page(width=595, height=842)  # A4, in points
        content = DecodedStreamObject()
        content.set_data(_operators(page_lines(number)))
        page[NameObject("/Resources")] = DictionaryObject({font: fonts})
        page[NameObject("/Contents")] = writer._add_object(content)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _operators(lines: list[str]) -> bytes:
    """Return the operators that show lines from the top of a page (ISO 32000-1, 9.4)."""
    shown = "\n".join(f"({line}) '" for line in lines)  # no line holds a bracket or a backslash
    return f"BT /F1 10 Tf 14 TL 60 800 Td\n{shown}\nET".encode("ascii")


def _sentence(drawn: random.Random) -> str:
    return drawn.choice(_SENTENCES).format(
        place=drawn.choice(_PLACES),
        keeper=drawn.choice(_KEEPERS),
        month=drawn.choice(_MONTHS),
        year=drawn.randint(1840, 1919),
        number=drawn.randint(12, 980),
        day=drawn.randint(1, 28),
        pressure=drawn.randint(9400, 9900) / 10,
    )


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, _LINE)
