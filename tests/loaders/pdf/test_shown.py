"""The text of a page says what the page shows: raised digits, layers, columns, drop capitals."""

from __future__ import annotations

from itertools import pairwise

import pytest

from docqa.datamodel import Document, PageLocation, Span

OFF = "/OCProperties<</OCGs[{0} 0 R]/D<</OFF[{0} 0 R]/Order[{0} 0 R]>>>>"


def run(words: str, *, rise: float = 0, size: float = 12) -> str:
    """Return the operators that go on with words, raised or lowered."""
    return f"{rise} Ts /F1 {size} Tf ({words}) Tj "


def kinds(document: Document) -> list[str]:
    return [warning.kind for warning in document.warnings]


def boxes(document: Document, words: str) -> list[tuple[float, ...]]:
    """Return the rectangles of words, their edges rounded."""
    start = document.text.index(words)
    [place] = document.locate(Span(start, start + len(words)))
    assert isinstance(place, PageLocation)
    return [
        (round(box.x0), round(box.top), round(box.x1), round(box.bottom))
        for box in place.boxes or ()
    ]


@pytest.mark.parametrize(
    ("before", "raised", "after", "text"),
    [
        ("It holds 10", "6", " litres.", "It holds 10 6 litres."),
        ("The dam is 45.", "3", "", "The dam is 45. 3"),
        ("Built by Larsen", "12", ", who", "Built by Larsen 12, who"),
        ("$11", "99", " a piece", "$11 99 a piece"),
        ("the 21", "st", " of May", "the 21st of May"),
        ("3 km", "2", " of ice", "3 km2 of ice"),
    ],
)
@pytest.mark.parametrize(("rise", "size"), [(4, 7), (5, 12), (-3, 7)])
@pytest.mark.parametrize("matrix", ["1 0 0 1 20 100", "0 1 -1 0 150 20"])
def test_raised_and_lowered_digits_stay_apart(  # noqa: PLR0917
    pdf, load, before, raised, after, text, rise, size, matrix
):
    """A digit off the line is none of the number before it, and the line goes on behind it."""
    words = run(before) + run(raised, rise=rise, size=size) + run(after)
    pdf.page(f"BT /F1 12 Tf {matrix} Tm {words} ET\n")
    document = load(pdf)
    assert document.text == text
    if raised != "st" and not before.endswith("km"):
        assert boxes(document, raised)
        assert boxes(document, text)


def test_numbers_on_one_line_stay_whole(pdf, write, load):
    """Digits that are set one by one, in one size and at one height, are one number."""
    content = "".join(write(20 + 6.67 * place, 100, digit) for place, digit in enumerate("14300"))
    pdf.page(content + write(20, 60, "1,266.5 and 22"))
    assert load(pdf).text == "14300\n1,266.5 and 22"


def test_a_drop_capital_is_a_letter_of_its_word(pdf, write, load):
    """A large letter that several lines stand beside goes before the first of them."""
    pdf.page(
        write(20, 100, "T", 36)
        + write(43, 116, "he lamp was first lit in")
        + write(43, 102, "1871 by the keeper.")
        + write(20, 60, "A day later it went out.")
    )
    document = load(pdf)
    assert document.text.startswith("The lamp was first lit in\n1871 by")
    assert "\nA day later" in document.text
    assert len(boxes(document, "The lamp")) == 2


@pytest.mark.parametrize("apart", [0.3, 0.7, 0.9])
def test_letters_drawn_twice_are_read_once(pdf, write, load, apart):
    """A bold face made by drawing each letter twice doubles none; double letters stay."""
    widths = {"T": 7.3, "o": 6.7, "t": 3.3, "a": 6.7, "l": 2.7, "b": 6.7, "e": 6.7}
    content, x = "", 20.0
    for letter in "Totalbell":
        content += write(x, 100, letter) + write(x + apart, 100, letter)
        x += widths[letter]
    pdf.page(content + write(20, 60, "off, all, 1100 and eggs"))
    assert load(pdf).text == "Totalbell\noff, all, 1100 and eggs"


LEFT = ["The north quarry was opened", "in 1874 by Jonas Pell. It", "gave slate for the roofs of",
        "the whole valley until", "1932. It is a lake now."]  # fmt: skip
RIGHT = ["The south quarry was opened", "in 1901 by Agnes Crowe. It", "gave granite for the piers",
         "of the harbour."]  # fmt: skip


def by_row(write, columns: list[list[str]], pitch: float = 170, top: float = 180) -> str:
    """Return columns that are drawn row by row."""
    return "".join(
        write(10 + pitch * place, top - 12 * row, column[row], 9)
        for row in range(max(map(len, columns)))
        for place, column in enumerate(columns)
        if row < len(column)
    )


@pytest.mark.parametrize("columns", [[LEFT, RIGHT], [RIGHT, LEFT], [LEFT, RIGHT, LEFT]])
@pytest.mark.parametrize("rotate", [0, 90])
def test_columns_drawn_row_by_row(pdf, write, load, columns, rotate):
    """Columns follow one another, the longer one with its last lines; words keep their places."""
    content = write(10, 196, "Quarries of the north and of the south, and the roofs of towns", 9)
    content += by_row(write, columns) + write(10, 60, "End of both.", 9)
    turn, box = ("1 0 0 1 0 0", "560 220") if not rotate else ("0 1 -1 0 220 0", "220 560")
    pdf.page(f"q {turn} cm {content}Q", f"/MediaBox[0 0 {box}]/Rotate {rotate}")
    document = load(pdf)
    lines = [line.strip() for line in document.text.split("\n")]
    assert lines[1:-1] == [line for column in columns for line in column]
    for word in ("Pell", "Crowe"):
        assert len(boxes(document, word)) == 1


def test_rows_of_a_table_stay_rows(pdf, write, load):
    """Cells of words do not run on from row to row, so that their rows are kept."""
    cells = [
        ["Ship of the line", "Petrel, a cutter", "Gannet, a brig", "Tern, a sloop"],
        ["Built in the yard", "Bodo, in the north", "Ayre, in the west", "Moss, in the south"],
    ]
    pdf.page(by_row(write, cells), "/MediaBox[0 0 560 220]")
    assert " ".join(load(pdf).text.split()).count("cutter Bodo, in the north Gannet") == 1


def layered(pdf, write, *, policy: str = "", entries: str = "") -> None:
    """Add a page with a line in a layer, or in a group of layers, that is off."""
    layer = pdf.add("<</Type/OCG/Name(Draft)>>")
    group = layer
    if policy:
        group = pdf.add(f"<</Type/OCMD/OCGs[{layer} 0 R]/P/{policy}>>")
    pdf.catalog = (entries or OFF).format(layer)
    seen, unseen = write(20, 100, "It opens at nine."), write(20, 80, "At seven, as drafted.")
    pdf.page(
        f"{seen}/OC /L0 BDC {unseen}EMC {write(20, 60, 'It shuts at six.')}",
        resources=f"/Properties<</L0 {group} 0 R>>",
    )


ON = "/OCProperties<</OCGs[{0} 0 R]/D<</Order[{0} 0 R]>>>>"
BASE = "/OCProperties<</OCGs[{0} 0 R]/D<</BaseState/OFF/ON[]>>>>"


@pytest.mark.parametrize(
    ("policy", "entries", "is_shown"),
    [
        *(("", OFF, False), ("", BASE, False), ("", ON, True)),
        *(("AnyOn", OFF, False), ("AllOff", OFF, True), ("AllOn", ON, True)),
    ],
)
def test_text_of_layers_that_are_off(  # noqa: PLR0917
    pdf, write, load, policy, entries, is_shown
):
    """A layer that is off as the file opens shows nothing; a warning counts what is left out."""
    layered(pdf, write, policy=policy, entries=entries)
    document = load(pdf)
    assert ("seven" in document.text) is is_shown
    assert kinds(document) == ([] if is_shown else ["hidden-text"])
    assert [line.strip() for line in document.text.split("\n")][:1] == ["It opens at nine."]
    assert len(boxes(document, "shuts")) == 1


@pytest.mark.parametrize("how", ["3 Tr", "1 1 1 rg", "1 g"])
@pytest.mark.parametrize("behind", ["", "0 0 0 rg 10 70 200 30 re f"])
def test_invisible_text(pdf, write, load, how, behind):
    """Text without filling, or in white on the bare page, is left out; on a dark shape it shows."""
    shown = write(20, 120, "It opens at nine.")
    pdf.page(f"{shown}q {behind} Q q {how} {write(20, 80, 'Say seven.')}Q")
    document = load(pdf)
    is_read = bool(behind)
    assert ("seven" in document.text) is is_read
    assert kinds(document) == ([] if is_read else ["hidden-text"])


def test_the_invisible_text_of_a_drawn_page_is_its_text(pdf, write, load):
    """Where most of the text is invisible, it stands for letters drawn as curves."""
    pdf.page(f"{write(20, 120, 'Nine.')}3 Tr {write(20, 80, 'The lamp burns all night.')}")
    assert load(pdf).text == "Nine.\nThe lamp burns all night."
    assert not any(one == two for one, two in pairwise(kinds(load(pdf))))
