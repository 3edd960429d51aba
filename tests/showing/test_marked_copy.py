"""``docqa.highlight``: which file becomes what, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from checkout import EXAMPLES
from PIL import Image

import docqa
from docqa.datamodel import Answers, Occurrence, PageLocation, Span
from docqa.errors import DocqaError, HighlightError, SettingError
from docqa.testing import FakeReader

HANDBOOK = EXAMPLES / "handbook.pdf"
PIPELINE = docqa.Pipeline(reader=FakeReader(), min_score=0.0)


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    path = tmp_path / "handbook.pdf"
    path.write_bytes(HANDBOOK.read_bytes())
    return path


@pytest.fixture
def answers(handbook: Path) -> Answers:
    return PIPELINE.ask(handbook, "How long is lost property kept?", top_k=2)


def test_pdf_copy_names_its_pages(answers: Answers, tmp_path: Path) -> None:
    """The result says what was marked, where, and that the original's bytes stay."""
    result = docqa.highlight(answers, tmp_path / "out.pdf")
    assert result.path == tmp_path / "out.pdf"
    assert result.marked == 2
    assert result.page_numbers == tuple(sorted({answer.page_number for answer in answers}))
    assert result.keeps_original
    assert result.path.read_bytes().startswith(HANDBOOK.read_bytes())


def test_one_answer_is_enough(answers: Answers, tmp_path: Path) -> None:
    """An answer need not be put into a list."""
    assert docqa.highlight(answers[0], tmp_path / "out.pdf").marked == 1


def test_page_of_the_best_answer_is_drawn(answers: Answers, tmp_path: Path) -> None:
    """A .png shows the first answer's page, marked."""
    result = docqa.highlight(answers, tmp_path / "out.PNG")
    assert answers[0].page_number in result.page_numbers
    drawn = Image.open(BytesIO(result.path.read_bytes())).convert("RGB")
    colors = drawn.getcolors(1 << 20)
    assert (0xFF, 0xD8, 0x4A) in {color for _, color in colors or ()}


def test_page_without_answers_is_drawn_and_named(answers: Answers, tmp_path: Path) -> None:
    """A page that was asked for is drawn, though nothing is marked on it."""
    result = docqa.highlight(answers, tmp_path / "out.png", page_number=1)
    assert (result.marked, result.page_numbers) == (0, ())
    assert result.notes[0].startswith("no answer is on page 1; the first one is on page ")
    assert Image.open(BytesIO(result.path.read_bytes())).size == (839, 1191)


def test_occurrences_are_marked_lighter(answers: Answers, tmp_path: Path) -> None:
    """Further places of the same words are marked too, and say what they are."""
    import pypdf

    with docqa.load(HANDBOOK) as document:
        place = document.locate(Span(0, 9))
    assert isinstance(place[0], PageLocation)
    answer = replace(answers[0], occurrences=(Occurrence(0, 9, 0.25, place),))
    copy = docqa.highlight(answer, tmp_path / "out.pdf").path
    (found,) = pypdf.PdfReader(copy).pages[0]["/Annots"]
    expected = f"{answer.question}\nscore 0.25\nthe same words at a further place"
    assert found.get_object()["/Contents"] == expected


@pytest.mark.parametrize("name", [None, "<stdin>"])
def test_source_may_be_bytes(tmp_path: Path, name: str | None) -> None:
    """A document that was at no path is given again."""
    data = HANDBOOK.read_bytes()
    answers = PIPELINE.ask(docqa.load(data, name=name), "How long is lost property kept?")
    with pytest.raises(HighlightError, match="give the original's bytes as source="):
        docqa.highlight(answers, tmp_path / "out.pdf")
    assert docqa.highlight(answers, tmp_path / "out.pdf", source=BytesIO(data)).marked == 1


@pytest.mark.parametrize("name", ["prices.txt", "prices.html"])
def test_encoding_of_the_answers_is_used_again(tmp_path: Path, name: str) -> None:
    """What overruled the declared encoding when a document was asked need not be given again."""
    (tmp_path / name).write_bytes("Die Gebühr beträgt zwölf Kronen im Jahr.".encode("cp437"))
    with docqa.load(tmp_path / name, encoding="cp437") as document:
        answers = PIPELINE.ask(document, "Wie hoch ist die Gebühr im Jahr?")
    result = docqa.highlight(answers, tmp_path / "out.html")
    assert result.marked == 1
    marked = result.path.read_bytes().decode("utf-8" if name.endswith("txt") else "cp437")
    assert "beträgt zwölf" in marked.replace("</mark>", "").partition("<mark")[2]


def test_changed_file_is_refused(answers: Answers, handbook: Path, tmp_path: Path) -> None:
    """Marks from other bytes could stand anywhere."""
    handbook.write_bytes(handbook.read_bytes() + b"\n")
    with pytest.raises(HighlightError, match="it has changed since; ask again"):
        docqa.highlight(answers, tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()


def test_original_is_never_written(answers: Answers, handbook: Path, tmp_path: Path) -> None:
    """Neither its path nor a link to it is taken for the copy."""
    (tmp_path / "link.pdf").symlink_to(handbook)
    for out in (handbook, tmp_path / "link.pdf"):
        with pytest.raises(SettingError, match="the original itself"):
            docqa.highlight(answers, out)
    assert handbook.read_bytes() == HANDBOOK.read_bytes()


def test_suffix_says_what_is_made(answers: Answers, tmp_path: Path) -> None:
    """A suffix for which nothing can be made is refused with those that can."""
    with pytest.raises(SettingError, match=r"out\.gif: let the file end in \.pdf or \.png"):
        docqa.highlight(answers, tmp_path / "out.gif")


def test_page_is_chosen_for_pictures_only(answers: Answers, tmp_path: Path) -> None:
    """A page number has no meaning for a copy of the whole file."""
    with pytest.raises(SettingError, match=r"let the file end in \.png"):
        docqa.highlight(answers, tmp_path / "out.pdf", page_number=1)


def test_page_must_exist(answers: Answers, tmp_path: Path) -> None:
    """A page out of range is named with the range."""
    with pytest.raises(HighlightError, match="no page 8: pages are 1 to 7"):
        docqa.highlight(answers, tmp_path / "out.png", page_number=8)


def test_no_answers_is_an_error(tmp_path: Path) -> None:
    """There is nothing to mark in an empty list."""
    with pytest.raises(SettingError, match="there is no answer to mark"):
        docqa.highlight([], tmp_path / "out.pdf")


def test_answers_of_two_documents_are_refused(answers: Answers, tmp_path: Path) -> None:
    """One copy is of one document; the report shows several."""
    other = PIPELINE.ask(b"The lamp burns 40 litres of oil.", "What does the lamp burn?")
    with pytest.raises(SettingError, match=r"several documents; .* report"):
        docqa.highlight([*answers, *other], tmp_path / "out.pdf")


def test_answer_without_rectangles_is_named(answers: Answers, tmp_path: Path) -> None:
    """Text that pypdf read has no place on the page."""
    bare = replace(answers[0], locations=(PageLocation(6, None, None, None),))
    with pytest.raises(HighlightError, match="has no rectangles to mark"):
        docqa.highlight(bare, tmp_path / "out.pdf")


def test_answer_without_rectangles_hinders_no_other(answers: Answers, tmp_path: Path) -> None:
    """The others are marked, and a note names the one that is not."""
    bare = replace(answers[0], locations=(PageLocation(6, None, None, None),))
    result = docqa.highlight([bare, answers[1]], tmp_path / "out.pdf")
    assert (result.marked, result.page_numbers) == (1, (answers[1].page_number,))
    assert "has no rectangles to mark" in result.notes[0]


def test_errors_are_docqa_errors() -> None:
    """Callers catch one family."""
    assert issubclass(HighlightError, DocqaError)
    assert docqa.HighlightError is HighlightError
