"""The whole page: compared, exported, for every reader, behind a prefix, with a token."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from page_steps import ask
from served_documents import listening

LIT = "When was the lamp first lit?"
AUDIT = "Who audits the company?"


@pytest.fixture
def two(add: Any) -> None:
    """Give the server two files."""
    add("The lamp was first lit on 14 October 1871.\n", "lamp.txt")
    add("Ada Quill audits the company.\n", "audit.txt")


@pytest.mark.usefixtures("two")
def test_comparison_is_a_grid_for_the_keyboard(new_page: Any) -> None:
    """Questions stand in rows, documents in columns; Enter in a cell shows its words."""
    page = new_page()
    ask(page, f"{LIT}\n{AUDIT}")
    page.wait_for_selector("mark.now")
    page.focus("#open")
    page.keyboard.press("m")
    table = page.locator('table[role="grid"]')
    assert table.locator("thead th").all_text_contents() == ["Question", "lamp.txt", "audit.txt"]
    cells = table.locator("td")
    assert "14 October 1871" in cells.nth(0).text_content()
    assert cells.nth(1).text_content() == "not found"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "Ada Quill" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    assert page.is_hidden("#grid")
    page.wait_for_selector("#title >> text=audit.txt")
    assert page.text_content("mark.now") == "Ada Quill"
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    assert page.is_hidden("#grid")


def exported(page: Any, kind: str, folder: Path) -> Path:
    """Return the file that the page saves."""
    with page.expect_download() as saved:
        page.select_option("#export", kind)
    path = folder / str(saved.value.suggested_filename)
    saved.value.save_as(path)
    return path


def test_exports(new_page: Any, add: Any, handbook: bytes, tmp_path: Path) -> None:
    """All four kinds are saved; `docqa verify` finds every citation of the lines exact."""
    add(handbook, "handbook.pdf")
    (tmp_path / "handbook.pdf").write_bytes(handbook)
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector(".mark.now")
    table = exported(page, "csv", tmp_path)
    assert table.name == "answers.csv"
    assert "14 October 1871" in table.read_text()
    assert exported(page, "pdf", tmp_path).read_bytes().startswith(b"%PDF")
    assert "14 October 1871" in exported(page, "report", tmp_path).read_text()
    lines = exported(page, "jsonl", tmp_path)
    command = [sys.executable, "-m", "docqa", "verify", lines.name]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


VIEWS = [(1280, 800), (1920, 1080), (640, 800), (360, 640)]  # 640: a window at 200 %


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", VIEWS)
def test_no_barrier_is_found_by_axe(
    new_page: Any, add: Any, handbook: bytes, size: tuple[int, int], scheme: str
) -> None:
    """The rules of axe-core hold at all sizes, light and dark; nothing reaches past the window."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-core: pip install axe-playwright-python",
    )
    add(handbook, "handbook.pdf")
    add("The lamp was first lit on 14 October 1871.\n", "lamp.txt")
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": size[0], "height": size[1]})

    def check() -> None:
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []

    check()
    ask(page, f"{LIT}\n{AUDIT}")
    page.wait_for_selector(".mark.now, mark.now")
    page.wait_for_timeout(300)
    check()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    page.focus("#open")
    page.keyboard.press("m")
    check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check()


def test_everything_is_reached_by_tab(new_page: Any, add: Any, handbook: bytes) -> None:
    """A reader without a mouse reaches the question, the files, the answers and the page."""
    add(handbook, "handbook.pdf")
    page = new_page()
    ask(page, LIT)
    page.wait_for_selector(".mark.now")
    page.focus("#scope")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"question", "go", "answer", "dot", "compare", "export", "number", "viewer"} <= reached


@pytest.mark.usefixtures("two")
def test_page_behind_a_prefix_and_a_token(new_page: Any, service: Any) -> None:
    """Below a prefix every address holds; the token of the first link is kept by a cookie."""
    token = "a-long-enough-token"
    with listening(service, root_path="/kb", token=token) as base:
        page = new_page(f"#token={token}", base=f"{base}/kb/")
        assert token not in page.url
        ask(page, LIT)
        page.wait_for_selector("mark.now")
        page.reload()
        page.wait_for_selector("mark.now")


def test_token_is_asked_for(browser: Any, service: Any) -> None:
    """Without the token the page asks for it, and says when it is wrong."""
    token = "a-long-enough-token"
    with listening(service, token=token) as base:
        context = browser.new_context()
        page = context.new_page()
        page.goto(base)
        page.fill("#token-field", "wrong")
        page.press("#token-field", "Enter")
        page.wait_for_selector("#token-wrong >> text=not the token")
        page.fill("#token-field", token)
        page.press("#token-field", "Enter")
        page.wait_for_selector("#scope option", state="attached")
        assert page.is_hidden("#token")
        context.close()
