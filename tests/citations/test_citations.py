"""Citations are checked against their files: exact, moved, ambiguous, gone or failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest
from checkout import EXAMPLES

import docqa
from docqa.citations.anchoring import Quote, best_anchors, find_quote
from docqa.citations.records import citations_of
from docqa.citations.verification import verifications
from docqa.datamodel import Span
from docqa.load_settings import LoadSettings

LAMP = (
    "The station opened in 1911 as a signal post.\n\n"
    "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
)
PAGE = f"<!doctype html><title>Log</title><p>{LAMP}</p>"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(path: str, words: str = "40 litres", **changes: Any) -> dict[str, Any]:
    """Cite the words in a file and return what JSON keeps of it."""
    with docqa.load(path) as document:
        start = document.text.index(words)
        answer = docqa.cite(document, Span(start, start + len(words)))
    return {**json.loads(json.dumps(answer.to_dict())), **changes}


def outcome(*records: dict[str, Any], **settings: Any) -> docqa.Verification:
    (one,) = docqa.verify(records, **settings)
    return one


@pytest.mark.parametrize(("name", "text"), [("a.txt", LAMP), ("a.md", LAMP), ("a.html", PAGE)])
def test_an_untouched_file_is_exact(name: str, text: str) -> None:
    """Same bytes, same place: exact, and nothing to explain."""
    Path(name).write_text(text)
    found = outcome(record(name))
    assert (found.status, found.reason, found.file_changed) == ("exact", "", False)


@pytest.mark.parametrize(("name", "text"), [("a.txt", LAMP), ("a.md", LAMP), ("a.html", PAGE)])
def test_text_in_front_moves_a_citation(name: str, text: str) -> None:
    """The new place is where the words are in the changed file."""
    Path(name).write_text(text)
    cited = record(name)
    Path(name).write_text(text.replace("The station", "It is said that the station"))
    found = outcome(cited)
    (place,) = found.places
    assert (found.status, found.file_changed) == ("moved", True)
    assert found.reason.startswith("the file changed")
    assert place.span.of(docqa.load(name).text) == "40 litres"


def test_words_that_stayed_in_a_changed_file_have_moved() -> None:
    """Another file is never exact, but it is said that the place is the same."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    Path("a.txt").write_text(LAMP + "Appendix.\n")
    found = outcome(cited)
    assert (found.status, found.places[0].span.start) == ("moved", cited["start"])
    assert "stand where they stood" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        LAMP.replace("40 litres", "50 litres"),
        LAMP.replace("burns 40 litres of oil a week", "is electric"),
        LAMP.replace("40 litres", "140 litres"),
        "The captain drank 40 litres. " + LAMP.replace("burns 40 litres", "uses none"),
    ],
    ids=["changed", "deleted", "inside another word", "in other surroundings only"],
)
def test_words_that_are_not_there_are_gone(text: str) -> None:
    """The quote itself is never matched loosely, nor anywhere else than in its surroundings."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    Path("a.txt").write_text(text)
    assert (outcome(cited).status, outcome(cited).places) == ("gone", ())


def test_words_elsewhere_are_told_from_words_that_are_nowhere() -> None:
    """Both are gone, for a reason that differs; part of a longer word is nowhere."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    Path("a.txt").write_text("The captain drank 40 litres of ale in three days.")
    assert "in other surroundings only" in outcome(cited).reason
    Path("a.txt").write_text(LAMP.replace("40 litres", "140 litres"))
    assert "the words are gone" in outcome(cited).reason


def test_white_space_inside_the_words_may_differ() -> None:
    """A new line break is not another wording; it is said."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    Path("a.txt").write_text(LAMP.replace("40 litres", "40\nlitres"))
    found = outcome(cited)
    assert found.status == "moved"
    assert "white space inside the words differs" in found.reason


def test_twins_are_ambiguous() -> None:
    """Where the surroundings are the same, nothing is claimed; the nearest place comes first."""
    line = "The lamp burns 40 litres of oil a week.\n"
    Path("a.txt").write_text(line * 5)
    cited = record("a.txt")
    Path("a.txt").write_text("Log\n" + line * 5)
    found = outcome(cited)
    assert found.status == "ambiguous"
    assert found.places[0].span.start == cited["start"] + 4
    assert "4 places" in found.reason  # the last one has nothing behind it


def test_surroundings_decide_between_places() -> None:
    """The words of the same sentence are meant, not the first ones."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    text = "The bell weighs 40 litres of lead. " + LAMP
    Path("a.txt").write_text(text)
    assert outcome(cited).places[0].span.start == text.rindex("40 litres")


def test_a_page_in_front_of_a_pdf(make_pdf: Callable[[str], None]) -> None:
    """Words of a PDF are found on their new page, or gone with their page."""
    make_pdf("a.pdf")
    cited = record("a.pdf", "14 October 1871")
    rewrite("a.pdf", lambda writer: writer.insert_blank_page(595, 842, 0))
    (place,) = outcome(cited).places
    assert place.locations[0].page_number == cited["page_number"] + 1  # type: ignore[union-attr]
    rewrite("a.pdf", lambda writer: writer.remove_page(cited["page_number"]))
    assert outcome(cited).status == "gone"


@pytest.fixture
def make_pdf(folder: Path) -> Callable[[str], None]:
    sample = EXAMPLES / "handbook.pdf"
    return lambda name: (folder / name).write_bytes(sample.read_bytes()) and None


def rewrite(name: str, edit: Callable[[pypdf.PdfWriter], object]) -> None:
    writer = pypdf.PdfWriter(clone_from=name)
    edit(writer)
    writer.write(name)


def test_a_missing_file_is_gone_and_a_broken_one_failed() -> None:
    """Which of the two it is is said; neither stops the others."""
    for name in ("a.txt", "b.txt", "c.txt"):
        Path(name).write_text(LAMP)
    cited = [record(name) for name in ("a.txt", "b.txt", "c.txt")]
    Path("a.txt").unlink()
    Path("b.txt").write_bytes(b"%PDF-1.7 broken")
    missing, broken, fine = docqa.verify(cited)
    assert (missing.status, broken.status, fine.status) == ("gone", "failed", "exact")
    assert "missing" in missing.reason
    assert isinstance(broken.error, docqa.LoadError)


def test_a_file_is_found_by_its_content(folder: Path) -> None:
    """A file that was renamed is found below the root, and it is said where."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    (folder / "archive").mkdir()
    Path("a.txt").rename("archive/2021.txt")
    found = outcome(cited, root="archive")
    assert (found.status, found.path) == ("exact", "archive/2021.txt")
    assert "archive/2021.txt" in found.reason


def test_root_is_where_relative_paths_start(folder: Path) -> None:
    """The recorded path is looked for in the root."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    (folder / "copy").mkdir()
    Path("copy/a.txt").write_text(LAMP)
    assert outcome(cited, root="copy").path == str(Path("copy/a.txt"))


def test_another_extractor_is_named() -> None:
    """The same bytes with other offsets: it is said which library reads them otherwise."""
    Path("a.html").write_text(PAGE)
    cited = record("a.html")
    cited["document"]["extractor"] = "selectolax 0.0.1"
    assert outcome(cited).status == "exact"
    cited |= {"start": cited["start"] - 1, "end": cited["end"] - 1}
    found = outcome(cited)
    assert (found.status, found.file_changed) == ("moved", False)
    assert "than selectolax 0.0.1 did" in found.reason


def test_a_place_that_differs_has_moved() -> None:
    """The words alone are not enough: the recorded place in the original must come out again."""
    Path("a.html").write_text(PAGE)
    cited = record("a.html")
    cited["locations"][0]["xpath"] = "/html/body/p[2]"
    assert outcome(cited).status == "moved"


def test_the_recorded_settings_are_used() -> None:
    """A file that was read in a certain encoding is read in it again."""
    Path("a.txt").write_bytes("Das Öl kostet fünf Mark.".encode("cp437"))
    with docqa.load("a.txt", encoding="cp437") as document:
        answer = docqa.cite(document, Span(0, 6))
    (found,) = docqa.verify(answer)
    assert (answer.text, found.status) == ("Das Öl", "exact")


def test_each_file_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Citations that interleave are grouped by file, and reported in their order."""
    from docqa.citations import verification

    for name in ("a.txt", "b.txt"):
        Path(name).write_text(LAMP)
    cited = [record(name, words) for words in ("1911", "dusk") for name in ("a.txt", "b.txt")]
    names: list[str] = []
    load_with = verification.load_with

    def counting(*given: Any, name: str) -> docqa.Document:
        names.append(name)
        return load_with(*given, name=name)

    monkeypatch.setattr(verification, "load_with", counting)
    found = docqa.verify(cited)
    assert names == ["a.txt", "b.txt"]
    assert [(one.citation.source, one.citation.quote) for one in found] == [
        ("a.txt", "1911"), ("b.txt", "1911"), ("a.txt", "dusk"), ("b.txt", "dusk"),
    ]  # fmt: skip


def test_occurrences_are_checked_too() -> None:
    """Further places of an answer are citations of their own."""
    Path("a.txt").write_text("The lamp burns oil.\n\nEvery lamp burns oil, says the keeper.\n")
    document = docqa.load("a.txt")
    from docqa.testing import FakeReader

    (answer,) = docqa.Pipeline(reader=FakeReader(), min_score=0, passage_tokens=4, overlap=0).ask(
        document, "What burns?"
    )
    found = docqa.verify(answer)
    assert [one.status for one in found] == ["exact"] * (1 + len(answer.occurrences))
    assert [one.citation.occurrence for one in found] == [*range(1 + len(answer.occurrences))]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"answer": "x"},
        {"answer": 3, "source": "a", "start": 0, "end": 1},
        {"answer": "x", "source": "a", "start": True, "end": 1},
        {"answer": "x", "source": "a", "start": 4, "end": 4},
        {"answer": "x", "source": "a", "start": 0, "end": 1, "occurrences": [7]},
        {"answer": "x", "source": "a", "start": 0, "end": 1, "document": []},
        {"answer": "x", "source": "a", "start": 0, "end": 1, "locations": [5]},
        [],
    ],
)
def test_what_is_no_citation_is_refused(broken: Any) -> None:
    """A record that lacks something is an error of its own kind that says what."""
    with pytest.raises(docqa.CitationError):
        docqa.verify([broken])


def test_records_without_an_answer_hold_nothing() -> None:
    """A missing answer and a failed source are no citations."""
    assert docqa.verify([{"answer": None, "source": "a.txt", "error": {}}]) == []


def test_without_surroundings_one_place_is_enough() -> None:
    """A quote that was recorded alone is found where it stands once, and undecided elsewhere."""
    once = find_quote("The lamp burns oil.", Quote("lamp", "", ""), near=0)
    twice = find_quote("A lamp is a lamp.", Quote("lamp", "", ""), near=9)
    assert (len(best_anchors(once)), len(best_anchors(twice))) == (1, 2)
    assert [anchor.span.start for anchor in twice] == [12, 2]


def test_an_emptied_page_has_lost_its_words() -> None:
    """A page without text is no failure to read it: the words are gone."""
    Path("a.html").write_text(PAGE)
    cited = record("a.html")
    Path("a.html").write_text("<!doctype html><title>Log</title>")
    assert (outcome(cited).status, outcome(cited).file_changed) == ("gone", True)


@pytest.mark.parametrize("around", ["", "wick " * 20_000], ids=["none", "long"])
def test_many_places_cost_no_more_each_in_a_long_text(around: str) -> None:
    """What one place costs depends neither on the text's length nor on a stranger's record."""
    text = "lamp " * 20_000 + "x" * 20_000_000
    start = time.process_time()
    assert len(find_quote(text[::-1], Quote("pmal", around, around), near=0)) == 20_000
    assert time.process_time() - start < 5


def test_a_file_over_the_limit_is_not_read_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cap on a file's size holds before its bytes are in memory; the message names its path."""
    Path("a.txt").write_text(LAMP)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read whole"))
    settings = LoadSettings(limits=docqa.Limits(file_bytes=10))
    (found,) = verifications(citations_of(record("a.txt")), settings=settings)
    assert found.status == "failed"
    assert found.reason.startswith("a.txt: the file has more than the limit of 10 bytes")


def selector(cited: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the first selector of its kind in a record."""
    found: dict[str, Any] = next(one for one in cited["target"]["selector"] if one["type"] == kind)
    return found


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("TextPositionSelector", {"start": 999, "end": 1001}),
        ("DataPositionSelector", {"start": 0}),
        ("FragmentSelector", {"value": "line=900,901"}),
        ("TextQuoteSelector", {"prefix": "The horn takes "}),
        ("TextQuoteSelector", {"suffix": " of ale"}),
        ("TextQuoteSelector", {"exact": "50 litres"}),
    ],
)
def test_a_wrong_selector_is_not_exact(kind: str, wrong: dict[str, Any]) -> None:
    """Other programs go where the selectors lead, so these must lead to the words."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    selector(cited, kind).update(wrong)
    found = outcome(cited)
    assert (found.status, found.file_changed) == ("moved", False)
    assert "the record names another place (target)" in found.reason
    assert found.places[0].span == Span(cited["start"], cited["end"])


@pytest.mark.parametrize(
    "wrong", [{"line": 900}, {"line": None}, {"page_number": 17}, {"locations": [{}]}]
)
def test_a_wrong_number_is_not_exact(wrong: dict[str, Any]) -> None:
    """What people read of the place must be right too; an empty location is no place."""
    Path("a.txt").write_text(LAMP)
    found = outcome(record("a.txt", **wrong))
    assert (found.status, found.places[0].locations[0].line) == ("moved", 3)  # type: ignore[union-attr]
    assert f"another place ({next(iter(wrong))})" in found.reason


@pytest.mark.parametrize("change", ["page", "shape", "number"])
def test_a_wrong_page_of_a_pdf_is_not_exact(change: str, make_pdf: Callable[[str], None]) -> None:
    """Neither the page nor the rectangles of the selectors may be others."""
    make_pdf("a.pdf")
    cited = record("a.pdf", "14 October 1871")
    page = selector(cited, "FragmentSelector")
    drawing = page["refinedBy"]["value"]
    assert outcome(cited).status == "exact"
    if change == "page":
        page["value"] = "page=17"
    elif change == "shape":
        page["refinedBy"]["value"] = drawing.replace('x="', 'x="1')
    else:
        cited["page_number"] = 17
    assert outcome(cited).status == "moved"


def test_rounding_of_a_rectangle_is_no_other_place(make_pdf: Callable[[str], None]) -> None:
    """A thousandth of a point, as another machine may round it, is the same place."""
    make_pdf("a.pdf")
    cited = record("a.pdf", "14 October 1871")
    shape = selector(cited, "FragmentSelector")["refinedBy"]
    x = cited["locations"][0]["boxes"][0]["x0"]
    shape["value"] = shape["value"].replace(f'x="{x:g}', f'x="{x + 0.001:.3f}', 1)
    cited["locations"][0]["boxes"][0]["x0"] = x + 0.001
    assert outcome(cited).status == "exact"


def test_a_number_beyond_every_float_is_another_place(make_pdf: Callable[[str], None]) -> None:
    """A stranger's record cannot end the check."""
    make_pdf("a.pdf")
    cited = record("a.pdf", "14 October 1871")
    cited["locations"][0]["boxes"][0]["x0"] = 10**400
    assert outcome(cited).status == "moved"


@pytest.mark.parametrize("lacking", ["target", "locations", "line", "settings"])
def test_what_a_record_lacks_is_not_compared(lacking: str) -> None:
    """Records of other programs hold when what they say is right."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    del cited[lacking]
    assert outcome(cited).status == "exact"


def test_words_that_stand_there_by_chance_are_not_taken() -> None:
    """The surroundings say which place a record with a wrong offset means."""
    Path("a.txt").write_text("It cost 40 litres.\n\n" + LAMP)
    cited = record("a.txt", "40 litres of")
    meant, start = cited["start"], docqa.load("a.txt").text.index("40 litres")
    cited |= {"answer": "40 litres", "start": start, "end": start + 9}
    found = outcome(cited)
    assert (found.status, found.places[0].span.start) == ("moved", meant)


def capped(words: str, limits: docqa.Limits) -> dict[str, Any]:
    """Cite words of a PDF that was loaded under limits."""
    with docqa.load("a.pdf", limits=limits) as document:
        start = document.text.index(words)
        cited = docqa.cite(document, Span(start, start + len(words)))
    found: dict[str, Any] = json.loads(json.dumps(cited.to_dict()))
    return found


def test_limits_that_cut_text_off_are_recorded(make_pdf: Callable[[str], None]) -> None:
    """The file is cut again where it was cut; what is usual is not recorded."""
    make_pdf("a.pdf")
    cited = capped("14 October 1871", docqa.Limits(page_characters=300))
    load = cited["settings"]["load"]
    assert load["page_characters"] == 300
    assert "pages" not in load
    assert outcome(cited).status == "exact"
    del load["page_characters"]
    assert outcome(cited).status == "moved"


def test_a_record_never_raises_the_limits(make_pdf: Callable[[str], None]) -> None:
    """What a stranger's record asks for costs no more than the caller allows."""
    make_pdf("a.pdf")
    cited = capped("14 October 1871", docqa.Limits(pages=10**9, page_characters=10**9))
    settings = LoadSettings(limits=docqa.Limits(pages=1))
    (found,) = verifications(citations_of(cited), settings=settings)
    assert found.status == "gone"


@pytest.mark.parametrize("cap", [0, -1, "all", True])
def test_a_limit_that_is_none_is_refused(cap: object) -> None:
    """A broken record is an error of its own kind."""
    Path("a.txt").write_text(LAMP)
    cited = record("a.txt")
    cited["settings"]["load"]["pages"] = cap
    with pytest.raises(docqa.CitationError, match="pages"):
        docqa.verify(cited)
