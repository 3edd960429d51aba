"""Documents on the page: marks where the words are, small pages, text, and what runs nothing."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from page_steps import ask, until
from pdf_files import write

LIT = "When was the lamp first lit?"
RED = "1 0 0 rg\n{}0 g\n"


def opened(page: Any, name: str) -> None:
    """Open a document of the list."""
    page.click(f"#files >> text={name}")
    page.wait_for_selector(f"#title >> text={name}")


def red_box(page: Any) -> tuple[float, float, float, float]:
    """Return the rectangle of red ink in a picture of the window: left, top, right, bottom."""
    import numpy as np
    from PIL import Image

    shot = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB"))
    down, across = np.nonzero((shot[..., 0] > 180) & (shot[..., 1:].max(axis=2) < 60))
    return across.min(), down.min(), across.max() + 1, down.max() + 1


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox[20 40 260 180]"])
def test_mark_covers_the_ink(new_page: Any, add: Any, pdf: Any, turn: int, crop: str) -> None:
    """The mark lies over the ink of the words, whichever way the page is turned or cropped."""
    words = write(100, 100, "14 October 1871")
    pdf.page(
        write(40, 130, "The lamp was first lit on") + RED.format(words), f"/Rotate {turn}{crop}"
    )
    add(pdf.to_bytes(), "turned.pdf")
    page = new_page(reduced_motion="reduce")
    ask(page, LIT)
    page.wait_for_selector(".page img")
    page.wait_for_timeout(600)  # the picture has come
    left, top, right, bottom = red_box(page)
    mark = page.locator(".mark.now").bounding_box()
    scale = float(page.eval_on_selector("#viewer", "(e) => e.style.getPropertyValue('--scale')"))
    slack = 2 * scale  # ink stands a little off the letters' advance
    assert mark["x"] - slack <= left < right <= mark["x"] + mark["width"] + slack
    assert mark["y"] - slack <= top < bottom <= mark["y"] + mark["height"] + slack
    assert max(right - left, bottom - top) > 0.9 * max(mark["width"], mark["height"])


def test_text_layer_can_be_selected(new_page: Any, add: Any, handbook: bytes) -> None:
    """The words of a page can be selected where they stand in the picture."""
    add(handbook, "handbook.pdf")
    page = new_page()
    line = page.locator(".layer span").first
    line.wait_for(state="attached")
    assert line.text_content() == "The Ormskerry Light stands on a skerry.\n"
    place = line.bounding_box()
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + 1, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 1, middle, steps=5)
    page.mouse.up()
    assert "Ormskerry Light" in page.evaluate("getSelection().toString()")


def test_only_near_pages_are_drawn(new_page: Any, add: Any, pdf: Any) -> None:
    """Of 300 pages those in sight are drawn; small pages have ticks, and go there."""
    for number in range(1, 301):
        words = (
            "The lamp was first lit on 14 October 1871." if number == 250 else f"Entry {number}."
        )
        pdf.page(write(30, 150, words))
    add(pdf.to_bytes(), "long.pdf")
    page = new_page("#wait")
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.url))
    page.reload()
    ask(page, LIT)
    page.wait_for_selector(".mark.now")
    until(page, lambda: page.input_value("#number") == "250")
    page.wait_for_timeout(800)
    drawn = [one for one in requests if ".jpg" in one]
    # About seven pages of this size and nine small ones fill the window, here and at the start.
    assert 1 <= len({one for one in drawn if "scale=25" not in one}) <= 16
    assert len(drawn) <= 40
    assert page.locator("#thumbs .tick").count() == 1
    page.click("#thumbs button >> nth=251")
    until(page, lambda: page.input_value("#number") != "250")
    page.fill("#number", "7")
    page.press("#number", "Enter")
    until(page, lambda: page.get_attribute("#thumbs button >> nth=6", "aria-current") == "page")


def test_keys_zoom_and_turn_pages(new_page: Any, add: Any, handbook: bytes) -> None:
    """Plus and minus change the size, the arrows the page, g goes to the field of its number."""
    add(handbook, "handbook.pdf")
    page = new_page()
    page.wait_for_selector(".layer", state="attached")
    page.focus("#open")
    before = page.text_content("#zoom")
    page.keyboard.press("+")
    larger = page.text_content("#zoom")
    page.keyboard.press("-")
    assert page.text_content("#zoom") == before != larger
    page.keyboard.press("g")
    page.keyboard.type("3\n")
    page.focus("#open")
    until(page, lambda: page.input_value("#number") == "3")
    page.keyboard.press("?")
    assert page.is_visible("#help")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "\U0001f5fc The \U0001f56f lamp was first lit on\n14 October 1871.\n"),
        ("notes.md", "# The lamp\n\nIt was first *lit* on 14 October 1871 (the lamp).\n"),
        ("notes.html", "<h1>The lamp</h1><p>The lamp was first lit on <b>14</b> October 1871.</p>"),
    ],
)
def test_other_formats_show_their_text(new_page: Any, add: Any, name: str, content: str) -> None:
    """A document without pages shows its text, with the same words marked."""
    add(content, name)
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector("mark.now")
    assert page.text_content("mark.now") == "14 October 1871"
    assert page.locator("#thumbs").is_hidden()


@pytest.mark.parametrize("kind", ["docx", "epub"])
def test_books_and_word_files_show_their_text(new_page: Any, add: Any, kind: str) -> None:
    """The samples of the project in other formats show their words too."""
    from checkout import EXAMPLES

    add((EXAMPLES / f"handbook.{kind}").read_bytes(), f"handbook.{kind}")
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector("mark.now")
    assert "14 October 1871" in page.locator("mark").all_text_contents()


def test_html_runs_and_fetches_nothing(new_page: Any, add: Any) -> None:
    """A hostile page is text; as it looks, it stands in a frame where no script runs."""
    hostile = (
        "<title>x</title><p onclick='x()'>The lamp</p><script>top.document.title='gone'</script>"
        "<img src='http://evil.example/a.png' onerror='top.document.title=1'><iframe src=/>"
    )
    add(hostile, "<img src=x onerror=alert(1)>.html")
    page = new_page()
    page.wait_for_selector(".text")
    assert page.locator("#viewer img, #viewer script").count() == 0
    page.click("#looks")
    frame = page.frame_locator("#viewer iframe")
    frame.locator("text=The lamp").wait_for()
    assert page.get_attribute("#viewer iframe", "sandbox") == ""
    assert frame.locator("script").count() == 0
    assert page.title() == "docqa"
    assert "<img src=x onerror=alert(1)>.html" in page.text_content("#title")
    page.click("#looks")
    assert page.is_visible(".text")
