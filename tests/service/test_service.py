"""The service: uploads, questions of many callers, quotes, exports, collections, jobs."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pdf_files import PdfText, write

import docqa
from docqa.errors import (
    BusyError,
    CitationError,
    LoadError,
    LoadTimeoutError,
    SettingError,
    TooLargeError,
    UnknownItemError,
)
from docqa.limits import Limits
from docqa.server.wire import item_record, job_record
from docqa.service.requests import AskRequest
from docqa.service.service import Service
from docqa.service.settings import ServiceSettings
from docqa.testing import FakeReader

LAMP = b"The lamp burns colza oil. Ada Quill audits the firm.\n"
SHIP = b"<p>The ship was built in 1988.</p><p>Ben Ash commands the ship.</p><script>x()</script>"


def pdf_of(lines: list[str]) -> bytes:
    """Return a PDF of one page with some lines."""
    file = PdfText()
    file.page("".join(write(20, 160 - 20 * n, line) for n, line in enumerate(lines)))
    return file.to_bytes()


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a service with a reader that needs no weights."""
    with Service(ServiceSettings(min_score=0.0), reader=FakeReader()) as made:
        yield made


def test_answers_are_those_of_a_pipeline(service: Service) -> None:
    """Words, spans, scores and places are the same as asked one by one without a service."""
    pipeline = docqa.Pipeline(reader=FakeReader(), min_score=0.0)
    files = {"lamp.txt": LAMP, "ship.html": SHIP}
    ids = [service.add_file(data, name)[0].id for name, data in files.items()]
    questions = ("Who audits the firm?", "Who commands the ship?")
    found = service.ask(AskRequest(questions, tuple(ids), top_k=3))
    alone = [
        pipeline.ask(io.BytesIO(data), question, top_k=3)
        for data in files.values()
        for question in questions
    ]
    assert [
        [(a.text, a.start, a.end, a.score, a.locations) for a in each.item.answers]
        for each in found.items
    ] == [[(a.text, a.start, a.end, a.score, a.locations) for a in each] for each in alone]
    assert all(each.complete for each in found.items)
    assert [each.item.source for each in found.items] == ["lamp.txt"] * 2 + ["ship.html"] * 2


def test_many_callers_get_their_own_answers(service: Service) -> None:
    """Forty threads ask at once; each gets the answer to its question."""
    record, _ = service.add_file(LAMP, "lamp.txt")
    asked = ["Who audits the firm?", "What does the lamp burn?"] * 20
    found: dict[int, list[str]] = {}

    def ask(number: int, question: str) -> None:
        outcome = service.ask(AskRequest((question,), (record.id,)))
        found[number] = [each.item.answers[0].text for each in outcome.items]

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    alone = [docqa.ask(io.BytesIO(LAMP), q, reader=FakeReader(), min_score=0.0) for q in asked[:2]]
    assert [found[n] for n in range(40)] == [[alone[n % 2][0].text] for n in range(40)]
    assert service.status()["requests"] == 0


def test_equal_bytes_are_one_document(service: Service) -> None:
    """The id is the hash; a second upload is no new document, and its name is cleaned."""
    first, is_new = service.add_file(LAMP, "../../lamp\x00.txt")
    again, is_new_again = service.add_file(LAMP, "other.txt")
    assert (is_new, is_new_again) == (True, False)
    assert first == again
    assert first.name == "lamp.txt"
    assert service.documents() == [first]
    assert service.original(first.id) == LAMP
    service.remove(first.id)
    with pytest.raises(UnknownItemError, match="upload it"):
        service.text(first.id)


def test_memory_and_disk_are_bounded() -> None:
    """Documents fall out of memory and are loaded again; beyond the disk's bound they are gone."""
    files = [b"Line %d. " % n * 200 for n in range(6)]
    size = len(files[0])
    settings = ServiceSettings(memory_bytes=size * 30 * 2, disk_bytes=size * 4)
    with Service(settings, reader=FakeReader()) as service:
        ids = [service.add_file(each, f"{n}.txt")[0].id for n, each in enumerate(files)]
        assert [each.id for each in service.documents()] == ids[2:]
        status = service.status()
        assert 0 < status["document_memory_bytes"] <= size * 30 * 2
        assert status["document_disk_bytes"] == size * 4
        assert service.text(ids[2], 0, 7) == "Line 2."  # out of memory, on disk
        with pytest.raises(UnknownItemError):
            service.text(ids[0])


def test_uploads_that_are_no_documents_leave_nothing(service: Service) -> None:
    """Errors are those of loading, with the name that was given, and no file stays."""
    with pytest.raises(LoadError, match=r"broken\.pdf"):
        service.add_file(b"%PDF-1.7 nothing", "broken.pdf")
    upload = service.new_file()
    upload.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(LoadError):
        service.add_file(upload, "broken.pdf")
    assert not upload.exists()
    assert list(upload.parent.iterdir()) == []
    small = ServiceSettings(upload_bytes=10)
    with (
        Service(small, reader=FakeReader()) as strict,
        pytest.raises(TooLargeError, match="at most 10 are taken"),
    ):
        strict.add_file(LAMP, "lamp.txt")


def test_the_private_folder_goes_with_the_service() -> None:
    """Originals are deleted when the service is closed."""
    with Service(reader=FakeReader()) as service:
        service.add_file(LAMP, "lamp.txt")
        folder = service.new_file().parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_a_hostile_upload_holds_up_no_answer() -> None:
    """While one file takes all its time in a process of its own, other callers are answered."""
    settings = ServiceSettings(load_seconds=3.0, workers=2, min_score=0.0)
    with Service(settings, reader=FakeReader()) as service:
        record, _ = service.add_file(LAMP, "lamp.txt")
        slow = b"<table>" + b"<tr><td>1<td>" * 2_000_000
        ended: list[Exception | None] = []

        def upload() -> None:
            try:
                service.add_file(slow, "slow.html")
                ended.append(None)
            except LoadError as error:
                ended.append(error)

        thread = threading.Thread(target=upload)
        thread.start()
        answered = 0
        while thread.is_alive():
            outcome = service.ask(AskRequest(("Who audits the firm?",), (record.id,)))
            assert outcome.items[0].item.answers[0].text == "Ada Quill"
            answered += 1
        assert answered > 20
        assert isinstance(ended[0], LoadTimeoutError | LoadError)
        assert "slow.html" in str(ended[0])


def test_too_many_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of requests counts generators that are not yet read to their end."""
    with Service(ServiceSettings(queue_requests=1), reader=FakeReader()) as service:
        gate = threading.Event()
        record, _ = service.add_file(LAMP, "lamp.txt")
        loads = service._documents.document
        monkeypatch.setattr(
            service._documents, "document", lambda key: (gate.wait(20), loads(key))[1]
        )
        items = service.ask_items(AskRequest(("Who audits the firm?",), (record.id,)))
        with pytest.raises(BusyError, match="ask again") as refused:
            service.ask(AskRequest(("Who?",), (record.id,)))
        gate.set()
        assert len(list(items)) == 1
    assert refused.value.retry_after >= 1


def test_requests_are_checked() -> None:
    """Settings out of their range are refused before anything is asked."""
    with pytest.raises(SettingError, match="no question"):
        AskRequest(())
    with pytest.raises(SettingError, match="not both"):
        AskRequest(("Who?",), ("id",), "kb")
    with pytest.raises(SettingError, match="at most 200"):
        AskRequest(("Who?",), top_k=10**9)
    with pytest.raises(SettingError, match="deadline"):
        AskRequest(("Who?",), deadline=-1)


def test_pages_have_lines_boxes_and_pictures(service: Service) -> None:
    """The lines of a page are its text, their boxes lie on it, and the picture is a JPEG."""
    from PIL import Image

    data = pdf_of(["Who audits the firm?", "Ada Quill audits the firm."])
    record, _ = service.add_file(data, "two lines.pdf")
    page = service.page(record.id, 1)
    text = service.text(record.id)
    assert [line.span.of(text) for line in page.lines] == [line.text for line in page.lines]
    assert "Ada Quill audits the firm." in [line.text for line in page.lines]
    for line in page.lines:
        for box in line.boxes:
            assert 0 <= box.x0 < box.x1 <= page.width
            assert 0 <= box.top < box.bottom <= page.height
    picture = Image.open(io.BytesIO(service.page_image(record.id, 1, scale=1.0)))
    assert picture.format == "JPEG"
    assert picture.size == (round(page.width), round(page.height))
    with pytest.raises(UnknownItemError, match="no page 2"):
        service.page(record.id, 2)
    with pytest.raises(SettingError, match="at most 4"):
        service.page_image(record.id, 1, scale=40)


def test_quotes_and_citations(service: Service) -> None:
    """Words are found where they stand; handles and records are checked against the text."""
    record, _ = service.add_file("The oﬃce of the lamp-\nlighter is “open”.".encode(), "a.txt")
    ((document_id, span, locations),) = service.quote('office  of the lamplighter is "open"')
    assert document_id == record.id
    assert service.text(record.id, span.start, span.end).startswith("oﬃce of")
    assert locations == service.locate(record.id, span.start, span.end)
    right = {"cite": f"{record.id}#4-8", "quote": "oﬃce"}
    wrong = {"cite": f"{record.id}#4-8", "quote": "palace"}
    assert [each.status for each in service.verify([right, wrong])] == ["exact", "gone"]
    near = service.nearest("office of the lamplighters is opened", record.id)
    assert near is not None
    assert near.likeness > 0.8
    with pytest.raises(CitationError, match="cite"):
        service.verify([{"cite": "nonsense"}])


def test_views_run_nothing(service: Service) -> None:
    """A web page is shown without its scripts."""
    record, _ = service.add_file(SHIP, "ship.html")
    shown = service.view_html(record.id)
    assert b"1988" in shown
    assert b"<script" not in shown


def test_exports(service: Service) -> None:
    """Rows, lines, a report and a marked PDF hold the answers; other kinds are refused."""
    data = pdf_of(["Ada Quill audits the firm."])
    record, _ = service.add_file(data, "firm.pdf")
    request = AskRequest(("Who audits the firm?",), (record.id,))
    rows, kind = service.export(request, "csv")
    assert kind.startswith("text/csv")
    assert [row["answer"] for row in csv.DictReader(io.StringIO(rows.decode()))] == ["Ada Quill"]
    lines, _ = service.export(request, "jsonl")
    assert [json.loads(line)["answer"] for line in lines.splitlines()] == ["Ada Quill"]
    report, kind = service.export(request, "report")
    assert kind.startswith("text/html")
    assert b"Ada Quill" in report
    assert b"data:image" in report  # with a picture of the place
    marked, _ = service.export(request, "pdf")
    assert marked.startswith(data)
    assert b"/Highlight" in marked
    with pytest.raises(SettingError, match="csv, jsonl, report, pdf"):
        service.export(request, "docx")


def test_reports_keep_documents_of_one_name_apart(service: Service) -> None:
    """Two files of the same name are two parts of the report, each with its own words."""
    ids = [
        service.add_file(b"<p>%b audits the firm." % name, "firm.html")[0].id
        for name in (b"Ada Quill", b"Ben Ash")
    ]
    report, _ = service.export(AskRequest(("Who audits the firm?",), tuple(ids)), "report")
    assert b"firm.html" in report
    assert b"firm (2).html" in report
    assert b"Ada Quill" in report
    assert b"Ben Ash" in report


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with a collection of two files beside it."""
    files = tmp_path / "files"
    (files / "ships").mkdir(parents=True)
    (files / "lamp.txt").write_bytes(LAMP)
    (files / "ships" / "ship.html").write_bytes(SHIP)
    with docqa.Collection(tmp_path / "kb", pipeline=docqa.Pipeline(reader=FakeReader())) as kb:
        kb.sync(files)
    return tmp_path


def test_collections_show_no_path(library: Path) -> None:
    """Answers, lists, messages and jobs name documents below their folder, never a path."""
    settings = ServiceSettings(collections={"kb": str(library / "kb")}, min_score=0.0)
    with Service(settings, reader=FakeReader()) as service:
        outcome = service.ask(AskRequest(("Who commands the ship?",), collection="kb", top_k=2))
        best = outcome.items[0].item.answers[0]
        assert best.text == "Ben Ash"
        assert best.document.source == "ships/ship.html"
        assert [each.name for each in service.collection_documents("kb")] == [
            "lamp.txt",
            "ships/ship.html",
        ]
        assert service.text(best.document.id, best.start, best.end) == best.text
        job = service.sync("kb")
        assert service.wait(job.id, 20).state == "done"
        assert job.result is not None
        assert job.result["unchanged"] == 2
        said = json.dumps(
            [
                [item_record(each) for each in outcome.items],
                service.collection("kb"),
                [each.to_dict() for each in service.collection_documents("kb")],
                job_record(job),
            ]
        )
        assert str(library) not in said
        with pytest.raises(UnknownItemError, match="there are: kb"):
            service.collection("other")
    broken = ServiceSettings(collections={"kb": str(library / "none")})
    with Service(broken, reader=FakeReader()) as service:
        with pytest.raises(docqa.CollectionError) as missing:
            service.collection("kb")
        assert str(library) not in str(missing.value)


def test_a_document_that_was_looked_at_comes_when_it_is_uploaded(library: Path) -> None:
    """A collection's document is no upload before it is sent, and then the last one."""
    settings = ServiceSettings(collections={"kb": str(library / "kb")})
    with Service(settings, reader=FakeReader()) as service:
        collected = {each.name: each for each in service.collection_documents("kb")}
        service.text(collected["lamp.txt"].record.id)
        assert service.documents() == []
        service.add_file(b"The tower is old.", "tower.txt")
        service.add_file(LAMP, "lamp.txt")
        assert [each.name for each in service.documents()] == ["tower.txt", "lamp.txt"]


def test_jobs_load_and_stop(service: Service) -> None:
    """A document loaded in the background has its record as result; errors are the job's."""
    job = service.add_file_later(LAMP, "lamp.txt")
    assert service.wait(job.id, 20).state == "done"
    assert job.result is not None
    assert service.text(job.result["id"], 0, 8) == "The lamp"
    failed = service.add_file_later(b"%PDF-1.7 nothing", "broken.pdf")
    assert service.wait(failed.id, 20).state == "failed"
    assert "broken.pdf" in str(failed.error)
    with pytest.raises(UnknownItemError):
        service.cancel("none")


def test_pairs_are_those_of_the_removed_pipeline() -> None:
    """Questions over texts give John and Hyderabad, to the float as `docqa.compat`."""
    from docqa.compat import pipeline

    questions = ["What is my name?", "Where do I live?"]
    contexts = [
        "My name is John and I live in Seattle.",
        "My name is Ravi and I live in Hyderabad.",
    ]
    with Service(ServiceSettings(reader="mini")) as service:
        found = service.answer_pairs(questions, contexts)
    assert found == pipeline("question-answering")(question=questions, context=contexts)
    assert [(each["answer"], each["start"], each["end"]) for each in found] == [
        ("John", 11, 15),
        ("Hyderabad", 30, 39),
    ]


def test_limits_of_strangers_are_lower() -> None:
    """Files of strangers get less time and memory than those of the command."""
    limits, usual = ServiceSettings().limits, Limits()
    assert (limits.wall_seconds or 0) < (usual.wall_seconds or 0)
    assert (limits.memory_bytes or 0) < (usual.memory_bytes or 0)
    with pytest.raises(SettingError, match="workers must be above 0"):
        ServiceSettings(workers=0)


def test_passages_around_a_span(service: Service) -> None:
    """A span grows to the passages in which it stands, and by as many as asked for."""
    text = "".join(f"Line {n} of the log. " * 40 + "\n\n" for n in range(20))
    record, _ = service.add_file(text.encode(), "log.txt")
    start = text.index("Line 10 ")
    spans = [service.around(record.id, start, start + 4, before=n, after=n) for n in range(3)]
    assert all(outer.covers(inner) for inner, outer in pairwise(spans))
    assert len(spans[0]) < len(spans[1]) < len(spans[2])
    whole = service.around(record.id, start, start + 4, before=10_000, after=10_000)
    assert (whole.start, len(text) - whole.end) == (0, len(text) - len(text.rstrip()))


def test_headings_are_found(service: Service) -> None:
    """The nearest heading above a span; none where there is none."""
    record, _ = service.add_file(b"<p>Before.</p><h1>Ships</h1><p>Ben Ash.</p>", "ship.html")
    text = service.text(record.id)
    at = text.index("Ben")
    assert service.heading(record.id, at, at + 3) == "Ships"
    assert service.heading(record.id, 0, 6) is None


def test_pictures_have_marks_and_parts(service: Service) -> None:
    """A part of a page is drawn with its rectangles in the marks' colour; others are kept apart."""
    from PIL import Image

    from docqa.datamodel import Box

    record, _ = service.add_file(pdf_of(["The lamp burns colza oil."]), "lamp.pdf")
    box = Box(100, 50, 200, 80)
    crop = Box(50, 40, 250, 100)
    plain = service.page_image(record.id, 1, scale=1.0, crop=crop)
    marked = service.page_image(record.id, 1, scale=1.0, crop=crop, marks=[box])
    assert plain != marked
    image = Image.open(io.BytesIO(marked))
    assert image.size == (200, 60)
    red, _, blue = image.getpixel((100, 35))
    assert red > 200
    assert blue < 150
    assert min(image.getpixel((10, 35))) > 240
