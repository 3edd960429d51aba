"""Page labels, declared by the file or printed on the pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from docqa.loaders.pdf.labels import Candidate, candidates, printed_labels


def labels(document) -> list[tuple[str | None, str | None]]:
    return [(page.label, page.label_origin) for page in document.pages]


def test_labels_of_the_file(pdf, write, load):
    """The file's own labels are taken, beside the number from 1."""
    for _ in range(4):
        pdf.page(write(20, 150, "words"))
    pdf.catalog = "/PageLabels<</Nums[0<</S/r>>2<</S/D/P(A-)/St 5>>]>>"
    document = load(pdf)
    assert labels(document) == [("i", "file"), ("ii", "file"), ("A-5", "file"), ("A-6", "file")]
    assert [page.number for page in document.pages] == [1, 2, 3, 4]


def test_printed_numbers(pdf, write, load):
    """Numbers at the foot of the pages are found where the file declares no labels."""
    pdf.page(write(20, 150, "Cover of 2023"))
    for number in range(1, 5):
        pdf.page(write(20, 150, "Words 7") + write(150, 20, f"- {number} -"))
    document = load(pdf)
    assert labels(document) == [(None, None), *((str(n), "printed") for n in range(1, 5))]
    (location,) = document.locate(document.pages[2].span)
    assert (location.page_number, location.page_label, location.label_origin) == (3, "2", "printed")


def test_no_number_without_agreement():
    """Years, totals and single hits are no page numbers."""
    pages = [candidates(text) for text in ("Report 2023", "Report 2023\n2", "Total 40", "Total 9")]
    assert printed_labels(pages) == [None] * 4


def test_forms_of_numbers():
    """Prefixes, roman numerals, "page n" and "n of m" are read."""
    texts = ["F-12", "xiv", "Page 7", "Page 3 of 12", "Company | 45", "45 | Company", "(8)"]
    found = [{each.label for each in candidates(text)} for text in texts]
    expected = ["F-12", "xiv", "7", "3", "45", "45", "8"]
    assert all(label in labels for label, labels in zip(expected, found, strict=True))


def test_long_lines_do_not_vote():
    """A paragraph that ends in a number is no page number."""
    assert not candidates("word " * 60 + "17")


def test_composite_file_has_runs():
    """A report inside a report keeps its own numbers."""
    outer = [[Candidate("1", number)] for number in range(1, 6)]
    inner = [[Candidate("1", number)] for number in range(30, 36)]
    assert printed_labels(outer + inner) == [*map(str, range(1, 6)), *map(str, range(30, 36))]


@given(st.integers(-3, 20), st.lists(st.booleans(), min_size=6, max_size=30))
def test_gaps_are_filled_only_inside_a_run(offset, shown):
    """A page without its number gets it when pages around agree, and a wrong one never wins."""
    pages = [[Candidate("1", index + offset)] if on else [] for index, on in enumerate(shown)]
    for index, label in enumerate(printed_labels(pages)):
        assert label in (None, str(index + offset))
        assert label is None or any(shown[: index + 1])


def test_three_footnotes_are_no_page_numbers():
    """Numbers beside words need more pages to agree than numbers alone on their line."""
    beside = [candidates(f"{number} See the list of rules.") for number in range(17, 20)]
    alone = [candidates(f"- {number} -") for number in range(17, 20)]
    assert printed_labels([[], *beside, []]) == [None] * 5
    assert printed_labels([[], *alone, []]) == [None, "17", "18", "19", None]
