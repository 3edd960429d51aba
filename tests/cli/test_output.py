"""What the command line writes: text for people, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.cli.notices import Notices, fold_warnings
from docqa.cli.terminal import one_line, safe
from docqa.cli.text_writer import TextWriter
from docqa.cli.writers import CsvWriter, JsonWriter
from docqa.datamodel import (
    Answer,
    Answers,
    Box,
    Coverage,
    DocumentInfo,
    GridItem,
    LoadWarning,
    Location,
    Occurrence,
    PageLocation,
    Passage,
    SourceLocation,
    Span,
    TextLocation,
)
from docqa.errors import EncryptedError
from docqa.places import in_words, sentence_around

INFO = DocumentInfo("0" * 64, "logbook.txt", None, "text/plain")
LONG_PATH = "#content > div > div > article > section:nth-of-type(3) > table > tbody > tr > td"
SENTENCE = "The lamp burns 40 litres of oil a week."


def line(number: int) -> TextLocation:
    return TextLocation(number, 1, number, Span(0, 1), None)


def page(number: int, label: str | None = None) -> PageLocation:
    return PageLocation(number, label, "file" if label else None, (Box(0, 0, 1, 1),))


def answer(
    words: str = "40 litres",
    context: str = SENTENCE,
    locations: tuple[Location, ...] = (line(3),),
    **rest: Any,
) -> Answer:
    start = context.index(words)
    passage = Passage(INFO.id, 0, Span(100, 100 + len(context)), context)
    return Answer(
        "How much?",
        words,
        0.875,
        100 + start,
        100 + start + len(words),
        INFO,
        passage,
        locations,
        context=context,
        context_start=100,
        **rest,
    )


def item(*answers: Answer, error: Exception | None = None) -> GridItem:
    found = Answers(answers, coverage=Coverage(4, 9))
    return GridItem("How much?", "logbook.txt", INFO, found, error)


def as_text(cell: GridItem, **settings: bool) -> str:
    stream = io.StringIO()
    settings = {"many_sources": False, "many_questions": False, **settings}
    TextWriter(stream, **settings).write(cell)
    return stream.getvalue()


def as_json(cell: GridItem) -> list[dict[str, Any]]:
    stream = io.StringIO()
    JsonWriter(stream).write(cell)
    return [json.loads(row) for row in stream.getvalue().splitlines()]


def as_csv(cell: GridItem) -> list[dict[str, str]]:
    stream = io.StringIO()
    CsvWriter(stream).write(cell)
    assert stream.getvalue().endswith("\r\n")
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def test_programs_get_the_span_of_the_sentence() -> None:
    """JSON and CSV say where the sentence around an answer starts and ends."""
    (record,), (row,) = as_json(item(answer())), as_csv(item(answer()))
    assert (record["context_start"], record["context_end"]) == (100, 100 + len(SENTENCE))
    assert (row["context_start"], row["context_end"]) == ("100", str(100 + len(SENTENCE)))


def test_text_holds_the_words_the_place_and_the_sentence() -> None:
    """People see the answer, where it stands, and the sentence with the answer marked."""
    assert as_text(item(answer())).splitlines() == [
        "40 litres",
        "  logbook.txt, line 3, score 0.88",
        "  The lamp burns [40 litres] of oil a week.",
    ]


@pytest.mark.parametrize(
    ("score", "shown"),
    [(1.0, ">0.99"), (0.995001, ">0.99"), (0.994, "0.99"), (0.006, "0.01"), (0.004, "<0.01")],
)
def test_score_never_reads_as_certain(score: float, shown: str) -> None:
    """People see neither 1.00 nor 0.00; CSV and JSON have the exact number."""
    found = item(replace(answer(), score=score))
    assert f", score {shown}\n" in as_text(found)
    assert as_json(found)[0]["score"] == score == float(as_csv(found)[0]["score"])


def test_text_groups_a_grid() -> None:
    """In a grid the source is a heading once, the question above each outcome."""
    stream = io.StringIO()
    writer = TextWriter(stream, many_sources=True, many_questions=True)
    writer.write(item(answer()))
    writer.write(item())
    assert stream.getvalue().splitlines() == [
        "== logbook.txt",
        "? How much?",
        "40 litres",
        "  line 3, score 0.88",
        "  The lamp burns [40 litres] of oil a week.",
        "",
        "? How much?",
        "no answer (read 4 of 9 passages)",
    ]


def test_text_numbers_several_answers() -> None:
    """More than one answer to a question get their rank."""
    written = as_text(item(answer(), answer("oil")))
    assert "1. 40 litres\n" in written
    assert "2. oil\n" in written


@pytest.mark.parametrize(
    ("locations", "words"),
    [
        ((page(14, "12"),), "page 14 (printed 12)"),
        ((page(14, "14"),), "page 14"),
        ((page(14),), "page 14"),
        ((page(3, "iii"), page(4, "1")), "page 3 (printed iii) to page 4 (printed 1)"),
        ((line(7),), "line 7"),
        ((SourceLocation(Span(0, 1), None, "/p", LONG_PATH, None),), LONG_PATH),
        ((), ""),
    ],
)
def test_place_is_told_in_words(locations: tuple[Location, ...], words: str) -> None:
    """Pages have their index and what is printed, texts lines, HTML elements."""
    assert in_words(locations) == words


@pytest.mark.parametrize(
    ("spots", "words"),
    [
        ((page(9), page(3), page(4)), "also on pages 3-4, 9"),
        ((line(12),), "also on line 12"),
        ((SourceLocation(Span(0, 1), None, "/p", "p", None),), "also at 1 more place"),
    ],
)
def test_further_places_are_named(spots: tuple[Location, ...], words: str) -> None:
    """The same words elsewhere are one line, not further answers."""
    found = tuple(Occurrence(0, 1, 0.5, (spot,)) for spot in spots)
    assert f"  {words}\n" in as_text(item(answer(occurrences=found)))


def test_long_sentence_is_cut_on_both_sides() -> None:
    """A sentence as long as a table shows the words around the answer only."""
    context = "before " * 90 + "ANSWER" + " behind" * 90
    before, words, after = sentence_around(answer("ANSWER", context), most=240)
    assert (before[:10], words, after[-10:]) == ("... before", "ANSWER", "behind ...")
    assert len(before) < 260 > len(after)


def test_long_sentence_without_spaces_keeps_its_surroundings() -> None:
    """Scripts without spaces are cut between characters."""
    before, _, after = sentence_around(
        answer("ANSWER", "漢" * 500 + "ANSWER" + "字" * 500), most=240
    )
    assert (before[:5], before[-1], after[0]) == ("... 漢", "漢", "字")


HOSTILE = "see [bold]\x1b[31mred\x1b[0m\x1b]0;title\x07 \x9b2J\u202etxt[/bold] :smile:"


def test_documents_cannot_steer_the_terminal() -> None:
    """Escape sequences of a document are dropped; its markup is text like any other."""
    written = as_text(item(answer("[bold]\x1b[31mred", HOSTILE)))
    assert written.splitlines()[0] == "[bold]red"
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(written)
    assert "txt[/bold] :smile:" in written


@given(
    st.text(alphabet=st.sampled_from("a [\x1b]0;m\x07\x9b\x9c\\\r\n\t\x00\x7f\u202e"), max_size=40)
)
def test_no_control_survives(text: str) -> None:
    """Whatever a document holds, nothing but tabs and line ends remains of its controls."""
    left = {character for character in safe(text) if ord(character) < 32 or ord(character) > 126}
    assert left <= {"\t", "\n"}
    assert one_line(text).isprintable()


@pytest.mark.parametrize("colour", [True, False])
def test_terminal_gets_the_answer_marked(colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a style marks the answer, no brackets; NO_COLOR takes the colour away."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    written = as_text(item(answer()))
    assert "[40 litres]" not in written
    assert ("\x1b[1;32m40 litres\x1b[0m" if colour else "\x1b[1m40 litres\x1b[0m") in written


def test_json_holds_the_answer_its_source_and_coverage() -> None:
    """One object for each answer, with the names everybody knows."""
    (record,) = as_json(item(answer()))
    expected = {"question": "How much?", "answer": "40 litres", "rank": 1, "line": 3, "start": 115}
    assert expected.items() <= record.items()
    assert record["source"] == "logbook.txt"
    assert record["coverage"] == {"passages_read": 4, "passages_total": 9}


def test_json_says_when_there_is_no_answer() -> None:
    """A missing answer is an object with a null, so that no cell of a grid is lost."""
    (record,) = as_json(item())
    assert record["answer"] is None
    assert record["coverage"] == {"passages_read": 4, "passages_total": 9}


def test_json_holds_errors() -> None:
    """A source that failed is an object with the kind and the message of the error."""
    error = EncryptedError("a.pdf: needs a password", source="a.pdf", page_number=2)
    (record,) = as_json(item(error=error))
    kind = {"kind": "EncryptedError", "message": "a.pdf: needs a password", "page_number": 2}
    assert record["error"] == kind
    assert record["answer"] is None


@given(words=st.text(min_size=1, max_size=30), encoding=st.sampled_from(["utf-8", "latin-1"]))
def test_json_is_exact_and_one_line_in_any_encoding(words: str, encoding: str) -> None:
    """The words come back as they were, from one line, whatever the encoding of the stream."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
    JsonWriter(stream).write(item(answer(words, words)))
    (row,) = raw.getvalue().decode(encoding).splitlines()
    assert json.loads(row)["answer"] == words


def test_csv_holds_one_row_for_each_answer() -> None:
    """Under one header every answer is a row with its place and score."""
    stream = io.StringIO()
    writer = CsvWriter(stream)
    writer.write(item(answer(), answer("oil")))
    writer.write(item())
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    assert [row["answer"] for row in rows] == ["40 litres", "oil", ""]
    assert [row["rank"] for row in rows] == ["1", "2", ""]
    expected = {"score": "0.875", "line": "3", "page_number": "", "passages_total": "9"}
    assert expected.items() <= rows[0].items()


@pytest.mark.parametrize(
    ("location", "cells"),
    [
        (TextLocation(3, 16, 3, Span(0, 1), None), {"line": "3", "column": "16"}),
        (page(14, "12"), {"page_number": "14", "page_label": "12"}),
        (
            SourceLocation(Span(0, 1), None, "/html/p[2]", "p:nth-of-type(2)", None),
            {"css_path": "p:nth-of-type(2)", "xpath": "/html/p[2]"},
        ),
    ],
)
def test_csv_has_the_place_of_every_format(location: Location, cells: dict[str, str]) -> None:
    """Texts have line and column, pages number and label, HTML its paths; the rest is empty."""
    (row,) = as_csv(item(answer(locations=(location,))))
    names = ("page_number", "page_label", "line", "column", "css_path", "xpath")
    assert {name: row[name] for name in names} == {**dict.fromkeys(names, ""), **cells}


def test_csv_holds_errors() -> None:
    """A source that failed is a row with the reason."""
    (row,) = as_csv(item(error=EncryptedError("a.pdf: needs a password", source="a.pdf")))
    assert row["error"] == "EncryptedError: a.pdf: needs a password"


@pytest.mark.parametrize(
    ("words", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+cmd|' /C calc'!A0", "'-2+cmd|' /C calc'!A0"),
        ("-4.5 %", "-4.5 %"),
        ("+1,000", "+1,000"),
        ('a "b", c\nd', 'a "b", c\nd'),
    ],
)
def test_csv_cells_are_no_formulas(words: str, cell: str) -> None:
    """What a spreadsheet would run gets an apostrophe; numbers and quotes stay as they are."""
    assert as_csv(item(answer(words, words)))[0]["answer"] == cell


def test_warnings_of_many_pages_are_one() -> None:
    """Warnings of one kind that differ by their page alone are told once with all pages."""
    pages = [LoadWarning("needs-ocr", f"page {n} shows an image", n) for n in (3, 4, 5, 9)]
    failed = [LoadWarning("page-failed", f"page {n} cannot be read", n) for n in (1, 2)]
    other = LoadWarning("garbled-text", "page 3 is garbled", 3)
    assert fold_warnings([*pages, *failed, other]) == [
        "pages 3-5, 9 show images and (nearly) no text; --ocr (ocr=True) reads them",
        "page 1 cannot be read (likewise page 2)",
        "page 3 is garbled",
    ]


def test_error_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One reason for many questions is one line, also when all else is quiet."""
    notices = Notices(quiet=True)
    for _ in range(2):
        notices.error(EncryptedError("a.pdf: needs\na password", source="a.pdf"))
        notices.note("unseen")
    assert capsys.readouterr().err == "docqa: error: a.pdf: needs a password\n"
