"""Questions on the page: asked, answered, gone through, read on, copied, linked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from page_steps import ask, until

LIT = "When was the lamp first lit?"
OIL = "How much oil does the lamp burn?"
SECRET = "What is the harbour's password?"
NOW = '#results [aria-current="true"].answer'
FILLER = "The wardens keep the logbook of the tower and the boat with care and patience. " * 5


def long_text(n: int, word: str = "") -> str:
    """Return a text of many paragraphs whose last has what no question's words lead to."""
    texts = [f"Entry {number} {word}: {FILLER}" for number in range(n)]
    return "\n\n".join([*texts, "Say xylophone at the gate."])


def in_view(page: Any, selector: str) -> bool:
    """Say whether an element lies inside the viewer."""
    inside = """(mark) => { const a = mark.getBoundingClientRect(),
        b = document.getElementById('viewer').getBoundingClientRect();
        return a.top >= b.top && a.bottom <= b.bottom && a.height > 0; }"""
    return bool(page.eval_on_selector(selector, inside))


def test_question_is_answered_and_marked(new_page: Any, add: Any, handbook: bytes) -> None:
    """Enter asks; the best answer is chosen and its words are marked on their page."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector(".mark.now")
    assert page.text_content(f"{NOW} .words") == "14 October 1871"
    assert page.input_value("#number") == "2"
    assert in_view(page, ".mark.now")


def test_lines_are_questions(new_page: Any, add: Any, handbook: bytes) -> None:
    """Each line that is pasted is a question with its own answers."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, f"{LIT}\n\n{OIL}\n")
    assert page.locator(".asked h2").all_text_contents() == [LIT, OIL]
    assert page.locator(".asked").nth(1).locator(".words").all_text_contents() == ["40 litres"]


def test_arrows_go_through_answers_from_the_question(
    new_page: Any, add: Any, handbook: bytes
) -> None:
    """The arrows work while the question has the focus; j and k where nothing is written."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, LIT)
    page.press("#question", "ArrowDown")
    assert page.text_content(f"{NOW} .words") == "1908"
    assert in_view(page, ".mark.now")
    page.press("#question", "ArrowUp")
    assert page.text_content(f"{NOW} .words") == "14 October 1871"
    page.focus("#open")
    page.keyboard.press("j")
    assert page.text_content(f"{NOW} .words") == "1908"
    page.keyboard.press("k")
    assert page.text_content(f"{NOW} .words") == "14 October 1871"
    assert "Answer 1 of 2" in page.text_content("#state")


@pytest.mark.parametrize(("motion", "name"), [("no-preference", "pulse"), ("reduce", "none")])
def test_mark_pulses_unless_the_reader_wants_rest(
    new_page: Any, add: Any, handbook: bytes, motion: str, name: str
) -> None:
    """The chosen mark pulses; it stands still where less motion is asked for."""
    add(handbook, "handbook.pdf")
    page = new_page(reduced_motion=motion)
    ask(page, LIT)
    mark = page.wait_for_selector(".mark.now")
    assert mark.evaluate("(mark) => getComputedStyle(mark).animationName") == name
    assert mark.evaluate("(mark) => getComputedStyle(mark).outlineStyle") == "solid"


def test_places_of_the_same_words(new_page: Any, add: Any, handbook: bytes) -> None:
    """Dots show the places of an answer; n and p go through them, and the address follows."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, LIT)
    assert page.locator(".dot").count() == 2
    page.focus("#open")
    until(page, lambda: "at=" in page.url)
    first = page.url
    page.keyboard.press("n")
    until(page, lambda: page.url != first)
    assert page.input_value("#number") == "3"
    assert page.get_attribute(".dot >> nth=1", "aria-current") == "true"
    page.keyboard.press("p")
    until(page, lambda: page.url == first)


def test_not_found_says_how_much_was_read_and_reads_all(new_page: Any, add: Any) -> None:
    """What the usual passages do not hold is found when all are read; the number read is said."""
    add(long_text(60), "logbook.txt")
    page = new_page()
    sent: list[dict[str, Any]] = []

    def keep(request: Any) -> None:
        if request.url.endswith("v1/ask"):
            sent.append(json.loads(request.post_data))

    page.on("request", keep)
    ask(page, SECRET)
    said = page.text_content(".said")
    read, of = (int(word) for word in said.replace(",", "").split() if word.isdecimal())
    assert said.startswith("Not found: read")
    assert read < of
    page.focus("#open")
    page.keyboard.press("a")
    page.wait_for_selector(".mark.now, mark.now")
    page.wait_for_selector(".said progress", state="detached")
    assert page.text_content("mark.now") == "xylophone"
    assert page.text_content(".said") == f"Found: read {of} of {of} passages."
    assert "exhaustive" not in sent[0]
    assert sent[-1]["exhaustive"] is True


def slow_text() -> str:
    """Return a text whose best answer is read late, and whose last passage is read slowly."""
    texts = [f"Entry {number}: {FILLER}" for number in range(90)]
    texts[3] = "When the lamp was first lit is 1908 in one book."
    texts[25] = "The other book has 14 October 1871 for it."
    return "\n\n".join([*texts, "All is told slowly."])


def test_best_so_far_is_shown_and_esc_stops(new_page: Any, add: Any, reader: Any) -> None:
    """While all is read, what was found so far stands there; Esc keeps it and ends the reading."""
    add(slow_text(), "logbook.txt")
    reader.gate.clear()
    page = new_page()
    ask(page, LIT)
    words = page.locator(".answer .words")
    assert words.all_text_contents() == ["1908"]
    page.press("#question", "ArrowDown")  # chosen by the reader now
    page.click("text=Read all")
    page.wait_for_selector(".answer >> nth=1")
    assert page.locator(".said progress").count() == 1
    assert sorted(words.all_text_contents()) == ["14 October 1871", "1908"]
    assert page.text_content(f"{NOW} .words") == "1908"
    page.keyboard.press("Escape")
    page.wait_for_selector(".said progress", state="detached")
    assert page.text_content(".said").startswith("Stopped: read 40 of")
    assert words.count() == 2


def test_copies(new_page: Any, add: Any, handbook: bytes) -> None:
    """Keys copy words with their place, the record that can be verified, and the address."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector(".mark.now")
    page.focus("#open")

    def copied(key: str) -> str:
        page.keyboard.press(key)
        until(page, lambda: "copied" in page.text_content("#state"))
        page.evaluate("document.getElementById('state').textContent = ''")
        return str(page.evaluate("navigator.clipboard.readText()"))

    assert copied("c") == '"14 October 1871" (handbook.pdf, p. 2)'
    record = json.loads(copied("C"))
    outcome = page.evaluate(
        """async (record) => (await (await fetch('v1/verify', {method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({citations: [record]})})).json()).outcomes[0].status""",
        record,
    )
    assert (record["answer"], outcome) == ("14 October 1871", "exact")
    assert copied("l") == page.url


def test_link_restores_the_answer(new_page: Any, add: Any, handbook: bytes) -> None:
    """The address of an answer shows it again: question, document, page, and mark."""
    add("Until 1908 it burned 40 litres.", "notes.txt")
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, f"{LIT}\n{OIL}")
    page.focus("#open")
    page.keyboard.press("n")
    until(page, lambda: "page=3" in page.url)
    again = new_page("#" + page.url.partition("#")[2])
    again.wait_for_selector(".mark.now")
    again.wait_for_selector(".asked >> nth=1")
    again.wait_for_selector(".said progress", state="detached")
    assert again.input_value("#question") == f"{LIT}\n{OIL}"
    assert again.text_content(f"{NOW} .words") == "14 October 1871"
    assert again.input_value("#number") == "3"
    assert again.locator(".mark.now").bounding_box() == page.locator(".mark.now").bounding_box()


def test_link_without_question_marks_the_place(new_page: Any, add: Any) -> None:
    """A place can be linked to as a program writes it: document, start, end."""
    words = "\U0001f5fc The lamp \U0001f56f was lit in 1871.\n"
    start = words.index("1871")
    page = new_page(f"#/d/{add(words, 'lamp.txt')}?at={start}-{start + 4}")
    assert page.text_content("mark.now") == "1871"


def test_link_to_what_is_gone_says_so(new_page: Any) -> None:
    """A document that the server does not hold is named as missing."""
    page = new_page(f"#/d/{'0' * 64}?at=1-5")
    assert "no document" in page.text_content("#viewer .failed")


def test_question_to_nothing(new_page: Any, service: Any, monkeypatch: Any) -> None:
    """Without a file or collection the page says what to do first."""
    monkeypatch.setattr(service, "collections", lambda: [])
    page = new_page()
    page.fill("#question", LIT)
    page.press("#question", "Enter")
    until(page, lambda: "open a file first" in page.text_content("#state"))


def test_server_that_refuses_is_quoted(new_page: Any, add: Any) -> None:
    """The sentence of a problem stands with its question."""
    add("The lamp was first lit on 14 October 1871.\n", "lamp.txt")
    page = new_page()
    ask(page, "lamp " * 70)
    assert "ask a shorter question" in page.text_content(".said.failed")
