"""Show where an answer stands: in the text, on the page, in the HTML source, on a line.

Run: python examples/positions.py
"""

from __future__ import annotations

from pathlib import Path

import docqa

FOLDER = Path(__file__).parent
QUESTION = "How wide is the copper funnel?"


def on_the_page() -> None:
    """Print the page and the rectangle of each line of the answer."""
    with docqa.load(FOLDER / "handbook.pdf") as document:
        answer = docqa.ask(document, QUESTION, reader="mini")[0]
        print(f"{answer.text!r} is document.text[{answer.start}:{answer.end}]")
        assert document.text[answer.start : answer.end] == answer.text
        for place in answer.locations:
            assert isinstance(place, docqa.PageLocation)
            print(f"page {place.page_number}, printed {place.page_label}")
            for box in place.boxes or ():
                print(f"  {box.x0:.1f} to {box.x1:.1f} pt from the left")
                print(f"  {box.top:.1f} to {box.bottom:.1f} pt from the top")


def in_the_source() -> None:
    """Print the element and the characters of the HTML source."""
    path = FOLDER / "handbook.html"
    answer = docqa.ask(path, QUESTION, reader="mini")[0]
    [place] = answer.locations
    assert isinstance(place, docqa.SourceLocation)
    source = path.read_text(encoding="utf-8")
    print(f"{source[place.span.start : place.span.end]!r} in {place.xpath}")
    print(f"{path.name}{place.text_fragment or ''}")


def on_a_line() -> None:
    """Print line and column of an answer in a plain text."""
    answer = docqa.ask(FOLDER / "logbook.txt", "What was the lowest pressure of the storm?")[0]
    [place] = answer.locations
    assert isinstance(place, docqa.TextLocation)
    print(f"{answer.text!r} at line {place.line}, column {place.column}")


def main() -> None:
    """Show all three."""
    on_the_page()
    in_the_source()
    on_a_line()


if __name__ == "__main__":
    main()
