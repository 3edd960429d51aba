"""Files and collections on the page: dropped, loaded, refused, opened, stopped, forgotten."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from page_steps import ask, until
from pdf_files import write

from docqa.errors import UnknownItemError

LIT = "When was the lamp first lit?"
AUDIT = "Who audits the company?"


def payload(name: str, data: bytes) -> dict[str, Any]:
    """Return a file as Playwright gives it to a page."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def test_dropped_files_are_loaded(new_page: Any) -> None:
    """Files that are dropped anywhere are sent; their rows say when they are ready."""
    page = new_page()
    page.evaluate(
        """() => { const held = new DataTransfer();
        const words = 'The lamp was first lit on 14 October 1871.';
        held.items.add(new File([words], 'lamp.txt', {type: 'text/plain'}));
        held.items.add(new File(['Ada Quill audits the company.'], 'audit.txt'));
        const send = (kind) => document.body.dispatchEvent(
            new DragEvent(kind, {dataTransfer: held, bubbles: true, cancelable: true}));
        send('dragenter'); window.wasShown = !document.getElementById('drop').hidden;
        send('drop'); }"""
    )
    assert page.evaluate("window.wasShown")
    until(page, lambda: page.text_content("#files-said") == "2 files")
    assert page.is_hidden("#drop")
    ask(page, f"{LIT}\n{AUDIT}")
    page.wait_for_selector("mark.now")
    assert page.locator(".words").all_text_contents() == ["14 October 1871", "Ada Quill"]


def test_many_files_and_a_hostile_one(new_page: Any) -> None:
    """Of twenty files nineteen are ready; the broken one says why, and can be dismissed."""
    files = [payload(f"note-{n}.txt", f"Note {n} of the log.".encode()) for n in range(19)]
    page = new_page()
    page.set_input_files("#file", [*files, payload("broken.pdf", b"%PDF-1.7\nnothing")])
    until(page, lambda: page.text_content("#files-said") == "19 files, 1 failed")
    assert "broken.pdf" in page.text_content("#files p.failed")
    assert page.is_visible("#files >> text=Try again")
    page.click('[aria-label="Dismiss broken.pdf"]')
    until(page, lambda: page.text_content("#files-said") == "19 files")
    page.click('[aria-label="Forget note-3.txt"]')
    until(page, lambda: page.text_content("#files-said") == "18 files")


def test_too_large_file_names_the_option(new_page: Any) -> None:
    """A file over the server's limit is refused with the option that raises it."""
    page = new_page()
    page.set_input_files("#file", [payload("big.txt", b"word " * 700_000)])
    page.wait_for_selector("#files p.failed")
    assert "--max-mb" in page.text_content("#files p.failed")


def test_loading_is_stopped(new_page: Any, service: Any, monkeypatch: Any) -> None:
    """A file on its way has its progress and can be stopped."""
    import threading

    gate = threading.Event()
    add_file = service.add_file

    def slowly(*arguments: Any, progress: Any, **named: Any) -> Any:
        progress(40, 412)
        gate.wait(20)
        progress(41, 412)
        return add_file(*arguments, progress=progress, **named)

    monkeypatch.setattr(service, "add_file", slowly)
    page = new_page()
    page.set_input_files("#file", [payload("slow.txt", b"The lamp turns.")])
    until(page, lambda: "page 40 of 412" in (page.text_content("#files") or ""))
    assert page.text_content("#files-said") == "1 loading"
    page.click('[aria-label="Stop slow.txt"]')
    until(page, lambda: page.locator("#files li").count() == 0)
    gate.set()
    until(page, lambda: service.jobs()[-1].state == "cancelled")


def test_encrypted_file_asks_for_its_password(new_page: Any, handbook: bytes) -> None:
    """An encrypted PDF asks for its password, again where it is wrong, and then opens."""
    import pypdf

    writer = pypdf.PdfWriter(clone_from=BytesIO(handbook))
    writer.encrypt("Öl%41", algorithm="AES-256")
    out = BytesIO()
    writer.write(out)
    page = new_page()
    page.set_input_files("#file", [payload("locked.pdf", out.getvalue())])
    field = page.locator('[aria-label="Password of locked.pdf"]')
    field.fill("wrong")
    field.press("Enter")
    page.wait_for_selector("#files progress", state="detached")
    field.wait_for()
    field.fill("Öl%41")
    field.press("Enter")
    page.wait_for_selector(".layer span", state="attached")
    assert "Ormskerry Light" in page.text_content(".layer")


def test_scans_are_pointed_out(new_page: Any, add: Any, pdf: Any) -> None:
    """Pages without text are counted in one sentence with the option that reads them."""
    image = pdf.add(
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray>>",
        b"\x80",
    )
    for number in range(1, 6):
        scan = "q 300 0 0 200 0 0 cm /Im Do Q\n"
        words = (
            write(30, 150, "The lamp was first lit on 14 October 1871.") if number == 1 else scan
        )
        pdf.page(words, resources=f"/XObject<</Im {image} 0 R>>")
    add(pdf.to_bytes(), "scans.pdf")
    page = new_page()
    hint = page.text_content("#files .hint")
    assert hint == "pages 2–5 are scans without text; docqa serve --ocr reads them"


def test_collection_is_asked_and_filtered(new_page: Any, kb_folder: Path, service: Any) -> None:
    """A collection can be chosen, its documents filtered, and what has changed is marked."""
    page = new_page()
    page.select_option("#scope", "c:minutes")
    until(page, lambda: page.locator("#collected li").count() == 2)
    page.fill("#filter", "aud")
    assert page.locator("#collected .name").all_text_contents() == ["audit.txt"]
    ask(page, AUDIT)
    page.wait_for_selector("mark.now")
    assert page.text_content("mark.now") == "Ada Quill"
    assert page.locator(".badge").count() == 0
    before = (kb_folder / "lamp.txt").read_text()
    with suppress(UnknownItemError):  # as it was indexed, where a test before looked at it
        service.remove(hashlib.sha256(before.encode()).hexdigest())
    (kb_folder / "lamp.txt").write_text(f"Edited. {before}")
    try:
        ask(page, LIT)
        page.wait_for_selector(".badge")
        assert page.text_content(".badge") == "changed since indexed"
        assert "changed" in page.text_content("#viewer .failed")
    finally:
        (kb_folder / "lamp.txt").write_text(before)


def test_files_of_the_command_come_by_themselves(
    new_page: Any, add: Any, service: Any, monkeypatch: Any
) -> None:
    """A file that is loaded after the page was opened appears, and is shown."""
    monkeypatch.setattr(service, "collections", lambda: [])
    page = new_page()
    assert page.is_visible("#welcome")
    add("The lamp was first lit on 14 October 1871.", "lamp.txt")
    page.wait_for_selector("#title >> text=lamp.txt")
