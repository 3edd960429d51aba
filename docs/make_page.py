"""Make the pictures of the page of `docqa serve`, from the samples.

    python docs/make_page.py

They are checked in; run this when the page changes. It needs the extra server, Playwright and
Chromium.
"""

from __future__ import annotations

import shutil
import threading
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from docqa.server.serving import bound, serve_until_ended
from docqa.server.settings import ServerSettings
from docqa.service.service import Service

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
QUESTIONS = "When was the lamp first lit?\nWhat does a family ticket cost?"
WIDTH, HEIGHT = 1200, 720


def save(png: bytes, name: str, height: int) -> None:
    """Write the upper part of a picture in 128 colours, which keep the yellow."""
    picture = Image.open(BytesIO(png)).convert("RGB").crop((0, 0, WIDTH, height))
    picture.quantize(128, method=Image.Quantize.MAXCOVERAGE).save(
        DOCS / "pictures" / name, optimize=True
    )


def take(address: str) -> None:
    """Ask on the page, and write a picture of the answers and one of the comparison."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        page.goto(address)
        page.fill("#question", QUESTIONS)
        page.press("#question", "Enter")
        page.wait_for_selector(".mark.now")
        page.wait_for_selector(".said progress", state="detached")
        page.click("#title")
        page.wait_for_timeout(1500)  # pictures of pages come
        save(page.screenshot(), "page.png", HEIGHT)
        page.keyboard.press("m")
        save(page.screenshot(), "comparison.png", 300)
        browser.close()


def main() -> None:
    """Serve three samples on a free port and take the pictures."""
    settings, stop = ServerSettings(port=0), threading.Event()
    with Service() as service, bound(settings) as listener:
        for name in ("handbook.pdf", "handbook.html", "notes.md"):
            service.add_file(EXAMPLES / name, name)
        arguments = (settings, service, listener)
        serving = threading.Thread(target=serve_until_ended, args=arguments, kwargs={"stop": stop})
        serving.start()
        try:
            take(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            stop.set()
            serving.join()


if __name__ == "__main__":
    main()
