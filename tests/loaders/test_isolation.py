"""Isolated loading: the same documents, and a worker that dies in the caller's place."""

from __future__ import annotations

import io
import os
import pickle
import signal
import struct
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import hostile
import msgspec
import pytest
from checkout import EXAMPLES

import docqa
from docqa.datamodel import Block, Span
from docqa.limits import Limits
from docqa.loaders.html.paths import ElementTable, TextNodeTable
from docqa.loaders.html.runs import Runs
from docqa.loaders.isolation import calls as isolation
from docqa.loaders.isolation.deaths import WorkerDeathError, error_of
from docqa.loaders.isolation.documents import LoadedDocument, plain_document
from docqa.loaders.isolation.messages import MessageError, decode, encode, receive
from docqa.loaders.isolation.requests import Done, Failed, Reply
from docqa.loaders.isolation.shared_worker import SHARED
from docqa.loaders.isolation.source_map import IsolatedSourceMap
from docqa.loaders.ocr.tesseract import Tesseract
from docqa.loaders.offset_map import OffsetMap
from docqa.loaders.pdf.source_map import PdfSourceMap
from docqa.ocr_engine import NamedEngine
from docqa.showing.page_view import view_page

MIB = 1 << 20
SMALL = Limits(memory_bytes=300 * MIB, cpu_seconds=5, wall_seconds=60)
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX processes")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limit on memory")


@pytest.fixture(scope="module", autouse=True)
def no_worker_left() -> Iterator[None]:
    """End the worker after the last test."""
    yield
    isolation.stop()


@pytest.mark.parametrize(
    "name",
    [
        *("handbook.pdf", "handbook.html", "notes.md", "logbook.txt"),
        *("handbook.docx", "handbook.pptx", "handbook.epub"),
    ],
)
def test_an_isolated_document_is_the_same(name):
    """Text, pages, blocks, metadata and places do not depend on where a file was loaded."""
    here, there = docqa.load(EXAMPLES / name), docqa.load(EXAMPLES / name, isolate=True)
    for field in ("id", "text", "pages", "blocks", "warnings", "metadata", "title", "extractor"):
        assert getattr(there, field) == getattr(here, field)
    spans = [Span(start, start + 40) for start in range(0, len(here.text) - 40, 97)]
    assert [there.locate(span) for span in spans] == [here.locate(span) for span in spans]


def test_errors_of_the_loader_are_the_same():
    """What a loader raises is raised here, with its message and type."""
    with pytest.raises(docqa.MalformedError, match=r"cut\.pdf is not a PDF"):
        docqa.load(b"%PDF-1.7", name="cut.pdf", isolate=True)
    with pytest.raises(docqa.SettingError, match="no-such"):
        docqa.load(b"x", encoding="no-such", isolate=True)


def test_one_worker_serves_many_loads():
    """The process stays, and is started again after it was stopped."""
    docqa.load(b"one", isolate=True)
    first = isolation.worker_pid()
    docqa.load(b"two", isolate=True)
    assert isolation.worker_pid() == first
    isolation.stop()
    assert docqa.load(b"three", isolate=True).text == "three"
    assert isolation.worker_pid() not in (None, first)


def test_progress_is_reported():
    """A callback hears of every page."""
    seen: list[tuple[int, int]] = []
    docqa.load(EXAMPLES / "handbook.pdf", isolate=True, progress=lambda *pages: seen.append(pages))
    assert seen == [(number, 7) for number in range(1, 8)]


def test_a_callback_that_raises_ends_the_load():
    """An exception of the caller's own comes through, and the next load works."""

    def cancel(done: int, total: int) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        docqa.load(EXAMPLES / "handbook.pdf", isolate=True, progress=cancel)
    assert docqa.load(b"next", isolate=True).text == "next"


def test_a_callback_cannot_load():
    """Loading inside a callback is refused, not a deadlock."""
    with pytest.raises(docqa.SettingError, match="busy"):
        docqa.load(
            EXAMPLES / "handbook.pdf",
            isolate=True,
            progress=lambda done, total: docqa.load(b"x", isolate=True),
        )


# What a library that finds no room in the address space says.
UNLOADABLE = "raise ImportError('a.so: failed to map segment from shared object')"


@pytest.mark.parametrize(
    ("error", "words", "function", "arguments", "limits"),
    [
        (docqa.LoaderCrashedError, "SIGABRT", os.abort, (), SMALL),
        (docqa.LoaderCrashedError, "exit code 3", os._exit, (3,), SMALL),
        (docqa.LoaderCrashedError, "ZeroDivisionError", divmod, (1, 0), SMALL),
        (docqa.LoadTimeoutError, "on the clock", time.sleep, (60,), Limits(wall_seconds=0.5)),
        (docqa.LoadTimeoutError, "processor", sum, (range(1 << 40),), Limits(cpu_seconds=1)),
        (docqa.LoadMemoryError, "300 MiB", bytes, (900 * MIB,), SMALL),
        (docqa.LoadMemoryError, "no room", exec, (UNLOADABLE,), SMALL),
    ],
)
@linux
def test_every_death_has_its_error(error, words, function, arguments, limits):
    """Crashed, timed out and out of memory are three types, and the caller lives."""
    with pytest.raises(error, match=f"x.pdf: .*{words}") as caught:
        isolation.call(function, *arguments, source="x.pdf", limits=limits)
    assert isinstance(caught.value, docqa.LoadError)
    assert isolation.call(len, "next", source="y") == 4


def test_a_limit_of_the_whole_file_is_not_blamed_on_a_page():
    """The page at which the time of the whole load ran out has its number, and no more."""
    error = error_of(WorkerDeathError("timeout", "1 s on the clock", index=71), "x.pdf", Limits())
    assert str(error).startswith("x.pdf: takes over 1 s on the clock (it ended at page 72); give")
    assert error.page_number == 72
    late = WorkerDeathError("timeout", "processor time", index=71)
    assert str(error_of(late, "x.pdf", Limits())).startswith("x.pdf: page 72 takes over 60 s of")


SAMPLES = sorted(path for path in EXAMPLES.iterdir() if path.suffix != ".py")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_format_comes_out_the_same(path):
    """A document of the worker is the document of this process, places included."""
    ours, theirs = docqa.load(path), docqa.load(path, isolate=True)
    for name in ("id", "text", "title", "blocks", "pages", "tables", "warnings", "metadata"):
        assert getattr(ours, name) == getattr(theirs, name), name
    spans = [Span(start, start + 9) for start in range(0, len(ours.text) - 9, 97)]
    assert [ours.locate(span) for span in spans] == [theirs.locate(span) for span in spans]


@pytest.mark.slow
@linux
def test_a_page_that_kills_is_left_empty():
    """The other pages are read, and a warning names the page."""
    data = hostile.flate_bomb(400 * MIB)
    document = docqa.load(data, isolate=True, limits=SMALL)
    assert document.text == "\fThe lamp was lit in 1871."
    [warning] = document.warnings
    assert (warning.kind, warning.page_number) == ("page-failed", 1)
    assert "page 1 takes too much memory" in warning.message
    assert document.locate(Span(1, 9))[0].boxes


@pytest.mark.slow
@linux
def test_a_file_with_no_page_left_is_an_error():
    """Nothing to read: the error says at which page and of what."""
    with pytest.raises(docqa.LoadMemoryError, match=r"bomb\.pdf: page 1 takes") as caught:
        docqa.load(hostile.nested_forms(), name="bomb.pdf", isolate=True, limits=SMALL)
    assert caught.value.page_number == 1
    assert caught.value.stderr
    assert "Traceback" not in str(caught.value)


@linux
@pytest.mark.parametrize(
    "make",
    [
        hostile.form_in_itself,
        hostile.tree_in_itself,
        hostile.circular_prev,
        hostile.circular_length,
        hostile.false_count,
        hostile.huge_page,
        hostile.huge_image,
        hostile.predictor_bomb,
        hostile.huge_table,
        lambda: hostile.many_kids(2000),
        lambda: hostile.deep_tree(5000),
        lambda: hostile.deep_dictionary(50_000),
        lambda: hostile.deep_labels(20_000),
        lambda: hostile.deep_q(50_000),
        lambda: hostile.bfrange_bomb(10),
        lambda: hostile.widget_flood(1000),
        lambda: hostile.garbage(20_000),
        lambda: b"<!doctype html>" + b"<div>" * 5000 + b"deep",
        lambda: b"<!doctype html>a" + b"<svg></p>" * 2000,
        lambda: b"<!doctype html><p " + b"a=1 " * 50_000 + b">a",
        lambda: b"<!doctype html>" + b"&#" + b"9" * 100_000 + b";",
        lambda: b"\xff\xfe" + b"\x00\xd8a\x00" * 1000,
        lambda: b"# a\n" + b"[" * 2000,
    ],
)
def test_hostile_files_end_in_a_document_or_an_error(make):
    """Whatever a file is made of, its bytes end in one of the two, inside the limits."""
    try:
        document = docqa.load(make(), isolate=True, limits=SMALL)
    except docqa.LoadError:
        return
    assert not document.text.strip() or document.locate(Span(0, len(document.text)))


def test_places_survive_a_dead_worker():
    """A document loaded by one worker is located by the next."""
    here = docqa.load(EXAMPLES / "handbook.pdf")
    there = docqa.load(EXAMPLES / "handbook.pdf", isolate=True)
    isolation.stop()
    assert there.locate(Span(0, 60)) == here.locate(Span(0, 60))
    copy = pickle.loads(pickle.dumps(there))
    isolation.stop()
    assert copy.locate(Span(0, 60)) == here.locate(Span(0, 60))
    there.close()
    assert there.source_map.user_boxes(Span(0, 60)) == here.source_map.user_boxes(Span(0, 60))


def test_places_that_kill_have_no_rectangles():
    """Where boxes cannot be had because the worker dies, the page is named without them."""
    data = (EXAMPLES / "handbook.pdf").read_bytes()
    loaded = msgspec.structs.replace(plain_document(docqa.load(data)), state=b"no state")
    source_map = IsolatedSourceMap("key", loaded, data, Limits())  # the worker fails on it
    [place] = source_map.locate(Span(0, 20))
    assert (place.page_number, place.page_label, place.boxes) == (1, "i", None)


def test_threads_share_the_worker():
    """Loads of several threads come out as if one after the other."""
    texts = [f"text number {number}" for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        loaded = pool.map(lambda text: docqa.load(text.encode(), isolate=True).text, texts)
    assert list(loaded) == texts


def test_limits_hold_for_what_shows_and_checks_places(tmp_path: Path):
    """A marked copy, a drawn page, a report's picture and a check keep inside the limits given."""
    path = EXAMPLES / "handbook.pdf"
    document = docqa.load(path)
    answer = docqa.cite(document, Span(0, 20))
    found = docqa.Answers([answer], coverage=docqa.Coverage(1, 1))
    item = docqa.GridItem("?", str(path), document.info, found, None)
    given = {"isolate": True, "limits": Limits(wall_seconds=0.001)}
    isolation.stop()  # to start the worker alone takes longer
    with pytest.raises(docqa.LoadTimeoutError, match=r"over 0\.001 s"):
        docqa.highlight(answer, tmp_path / "a.png", **given)
    with pytest.raises(docqa.LoadTimeoutError, match=r"over 0\.001 s"):
        view_page(document, path.read_bytes(), 1, **given)
    assert "over 0.001 s" in docqa.report([item], tmp_path / "a.html", **given).notes[0]
    assert isinstance(docqa.verify(answer, **given)[0].error, docqa.LoadTimeoutError)


@pytest.mark.parametrize("isolate", [False, True])
def test_no_more_of_an_original_is_read_than_the_limit(isolate, tmp_path: Path):
    """A marked copy and a check read no file that is over the cap on bytes."""
    answer, limits = docqa.cite(docqa.load(EXAMPLES / "notes.md"), Span(0, 9)), Limits(file_bytes=9)
    with pytest.raises(docqa.TooLargeError, match="limit of 9 bytes"):
        docqa.highlight(answer, tmp_path / "a.html", isolate=isolate, limits=limits)
    [checked] = docqa.verify(answer, isolate=isolate, limits=limits)
    assert isinstance(checked.error, docqa.TooLargeError)


@pytest.mark.parametrize(
    "packed",
    [
        pickle.dumps(subprocess.Popen),
        pickle.dumps(docqa.load),
        pickle.dumps(PdfSourceMap),
        pickle.dumps(Tesseract("eng")),
        b"cdocqa.loaders.load\nos.system\n.",
        b"cdocqa.datamodel\nPage\n(tR.",  # calls a class
        b"cdocqa.datamodel\nSpan\nN}X\x03\x00\x00\x00endK\x00s\x86b.",  # changes a class
        b"",
        b"\0",
        b"\2\x90",  # no known first byte
        encode(Done(b"x" * 100))[:50],
        b"\0\xdd\xff\xff\xff\xff",  # claims four billion items
        b"\0" + b"\x91" * 100_000,
        encode({"type": "Done", "value": 3}),
        encode({"type": "Popen", "args": ["true"]}),
        encode({"type": "Progressed", "done": 1 << 80 >> 17, "total": "many"}),
        encode({"type": "PageRead", "index": 1.5}),
        encode([["Done", b""]]),
    ],
)
def test_a_message_holds_records_only(packed):
    """Bytes that are no reply are refused, pickles among them: the worker is not trusted."""
    with pytest.raises(MessageError, match="not a message"):
        decode(packed, Reply)


@pytest.mark.parametrize("kind", [Reply, LoadedDocument, list[int], object])
@pytest.mark.parametrize("escape", [b"\0", b"\1"])
def test_a_message_takes_no_time_without_end(kind, escape):
    """A list that holds another, which holds a third one, and so on, is refused at once."""
    with pytest.raises(MessageError):
        decode(escape + b"\x92" * 50_000, kind)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (struct.pack("<QQ", 1 << 40, 0), MessageError),
        (struct.pack("<QQ", 0, 1 << 63), MessageError),
        (struct.pack("<QQ", 10, 0) + b"short", EOFError),
        (b"cut", EOFError),
    ],
)
def test_a_frame_of_impossible_length_is_refused(sent, error):
    """A stream that claims more than it may, or ends too early, is no message."""
    with pytest.raises(error):
        receive(io.BytesIO(sent))


@pytest.mark.parametrize("kind", ["Popen", "__all__", "annotations", "Exception", ""])
def test_a_reply_names_errors_of_docqa_only(kind):
    """The name of an error is looked up among docqa's own."""
    with pytest.raises(MessageError, match="no error"):
        _ = Failed(kind, "words").error


def test_half_of_a_surrogate_pair_crosses():
    """Names of files that are no UTF-8 come back as they are, in records and errors."""
    odd = docqa.errors.NoTextError("caf\udce9.txt", source="caf\udce9.txt")
    assert str(decode(encode(Failed.of(odd)), Reply).error) == "caf\udce9.txt"
    page = docqa.Page(1, "\ud800", "file", Span(0, 1), 1.0, 2.0)
    assert decode(encode((page, b"\xff")), tuple[docqa.Page, bytes]) == (page, b"\xff")
    with pytest.raises(docqa.UnsupportedFormatError, match="caf\udce9"):
        docqa.load(b"\x89PNG\r\n\x1a\n", name="caf\udce9", isolate=True)


def loaded(name: str) -> LoadedDocument:
    """Return an example as the worker sends it."""
    return plain_document(docqa.load(EXAMPLES / name))


def with_state(name: str, change) -> LoadedDocument:
    """Return an example with another state of its source map."""
    document = docqa.load(EXAMPLES / name)
    state = document.source_map.state()
    return msgspec.structs.replace(plain_document(document), state=encode(change(state)))


def as_sent(name: str, **changes: object) -> LoadedDocument:
    """Return an example with other values than the worker's."""
    return msgspec.structs.replace(loaded(name), **changes)


def test_a_worker_that_sends_no_document_is_an_error(monkeypatch):
    """A worker in a file's hands that sends no document ends that load alone."""
    monkeypatch.setattr(SHARED, "send", lambda *_, **__: Done(encode("text")))
    with pytest.raises(docqa.LoaderCrashedError, match=r"x\.txt: crashes what reads it"):
        docqa.load(b"x", name="x.txt", isolate=True)


HTML, OFFICE, EPUB = "handbook.html", "handbook.docx", "handbook.epub"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("notes.md", lambda: as_sent("notes.md", text=((), ()))),
        ("notes.md", lambda: as_sent("notes.md", text="another")),
        ("notes.md", lambda: as_sent("notes.md", metadata={1: 2})),
        ("notes.md", lambda: as_sent("notes.md", blocks=({"span": 3, "kind": "code"},))),
        ("notes.md", lambda: as_sent("notes.md", blocks=(Block(Span(0, 1 << 40), "code"),))),
        ("notes.md", lambda: as_sent("notes.md", blocks=(Block(Span(5, 9), "code"),) * 2)),
        ("notes.md", lambda: as_sent("notes.md", blocks=(Block(Span(0, 1), "curse"),))),
        ("notes.md", lambda: as_sent("notes.md", source_map="Popen")),
        ("notes.md", lambda: as_sent("notes.md", source_map="HtmlSourceMap")),
        ("notes.md", lambda: as_sent("notes.md", state=b"")),
        ("notes.md", lambda: with_state("notes.md", lambda at: replace(at, codec="idna"))),
        ("notes.md", lambda: with_state("notes.md", lambda at: replace(at, bom_length=-1))),
        ("handbook.pdf", lambda: as_sent("handbook.pdf", pages=())),
        ("handbook.pdf", lambda: as_sent("handbook.pdf", text="short")),
        ("notes.md", lambda: as_sent("notes.md", source_map="PagesSourceMap", state=encode(None))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, seams=[3, 2]))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, seams=array("f", [1])))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, seams=("I", b"abc")))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, runs=Runs(at.runs.start)))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, nodes=TextNodeTable.of(3)))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, elements=cycle(at.elements)))),
        (HTML, lambda: with_state(HTML, lambda at: replace(at, offsets=far(at.offsets)))),
        (OFFICE, lambda: with_state(OFFICE, lambda at: replace(at, steps=((0, "w:p", 1),)))),
        (OFFICE, lambda: with_state(OFFICE, lambda at: replace(at, parts=()))),
        (OFFICE, lambda: with_state(OFFICE, lambda at: replace(at, paragraphs=()))),
        (OFFICE, lambda: as_sent(OFFICE, text="short")),
        (EPUB, lambda: with_state(EPUB, lambda at: at[::-1])),
        (EPUB, lambda: with_state(EPUB, lambda at: ())),
    ],
)
def test_a_false_document_is_an_error(name, make, monkeypatch):
    """Wrong types, spans and states outside their bounds, and paths without end are refused."""
    monkeypatch.setattr(SHARED, "send", lambda *_, **__: Done(encode(make())))
    with pytest.raises(docqa.LoaderCrashedError, match="no document came of it"):
        docqa.load(EXAMPLES / name, isolate=True)


def cycle(elements: ElementTable) -> ElementTable:
    """Return a table in which an element is its own parent."""
    elements.parent[3] = 3
    return elements


def far(offsets: OffsetMap) -> OffsetMap:
    """Return a map that leads beyond its source."""
    offsets.src_end[-1] = 1 << 31
    return offsets


@pytest.mark.parametrize(
    "places", ["text", (), [docqa.PageLocation(9, "x", "file", None)], [{"page_number": "1"}]]
)
def test_false_places_are_not_taken(places, monkeypatch):
    """Where the worker's places are none of the document's, they have no rectangles."""
    document = docqa.load(EXAMPLES / "handbook.pdf", isolate=True)
    monkeypatch.setattr(SHARED, "send", lambda *_, **__: Done(encode(places)))
    [place] = document.locate(Span(0, 20))
    assert (place.page_number, place.page_label, place.boxes) == (1, "i", None)


def test_a_result_of_another_type_is_an_error():
    """The value that a function says it returns is the value that comes, or an error."""
    assert isolation.call(hostile.said_to_be_a_number, 3, source="x") == 3
    with pytest.raises(docqa.LoaderCrashedError, match="Expected `int`, got `str`"):
        isolation.call(hostile.said_to_be_a_number, "3", source="x")


def test_an_engine_that_cannot_be_pickled_is_a_wrong_setting():
    """The file is not blamed, and the worker goes on."""

    class Engine:
        name = "local"

    docqa.load(b"x", isolate=True)
    pid = isolation.worker_pid()
    with pytest.raises(docqa.SettingError, match=r"OCR engine cannot be sent.* isolate=False"):
        docqa.load(b"x", isolate=True, ocr=Engine())
    assert isolation.worker_pid() == pid


def test_an_engine_of_a_script_is_a_wrong_setting(tmp_path: Path):
    """The worker, which does not run the script, does not know its classes."""
    code = (
        "import docqa\nclass Engine:\n    name = 'own'\n"
        "try:\n    docqa.load(b'x', isolate=True, ocr=Engine())\n"
        "except docqa.SettingError as error:\n    print(error)\n"
        "print(docqa.load(b'next', isolate=True).text)\n"
    )
    done = run_script(code, tmp_path)
    assert done.stdout.startswith("the OCR engine cannot be sent to the worker process")
    assert done.stdout.endswith("next\n")


def test_a_document_keeps_no_engine():
    """What an answer says of its settings can be pickled whatever read the scans."""
    settings = docqa.load(b"x", ocr=SimpleNamespace(name="own 1"), password="secret").settings
    assert (settings.ocr, settings.password) == (NamedEngine("own 1"), None)


def run_script(code: str, folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a script as a file, importing this docqa."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(docqa.__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **settings,
    )


def test_a_script_without_a_guard_runs_once(tmp_path: Path):
    """The worker does not run the caller's script again."""
    code = "import docqa\nprint(docqa.load(b'once', isolate=True).text)\n"
    done = run_script(code, tmp_path)
    assert (done.stdout, done.stderr) == ("once\n", "")


@posix
def test_a_killed_parent_leaves_no_worker(tmp_path: Path):
    """The worker ends with its parent, also in the middle of its work."""
    code = (
        "import os, signal, threading, time, docqa\n"
        "from docqa.loaders.isolation import calls as isolation\n"
        "isolation.call(len, '', source='')\nprint(isolation.worker_pid(), flush=True)\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "isolation.call(time.sleep, 60, source='')\n"
    )
    done = run_script(code, tmp_path, timeout=30)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while is_running(int(done.stdout)):
        assert time.monotonic() < deadline, "the worker still runs"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@posix
def test_a_forked_child_has_its_own_worker(tmp_path: Path):
    """A fork leaves the parent's worker alone."""
    code = (
        "import os, docqa\nfrom docqa.loaders.isolation import calls as isolation\n"
        "docqa.load(b'x', isolate=True)\npid = os.fork()\n"
        "text = docqa.load(b'after', isolate=True).text\n"
        "if not pid:\n    isolation.stop()\n    os._exit(text != 'after')\n"
        "print(os.waitpid(pid, 0)[1], text, docqa.load(b'y', isolate=True).text)\n"
    )
    assert run_script(code, tmp_path, timeout=60).stdout == "0 after y\n"


@posix
def test_a_fork_during_a_load_does_not_hang(tmp_path: Path):
    """A child forked while another thread waits for the worker has its own worker."""
    code = (
        "import os, threading, time, docqa\n"
        "from docqa.loaders.isolation import calls as isolation\n"
        "docqa.load(b'x', isolate=True)\n"
        "waits = threading.Thread(target=isolation.call, args=(time.sleep, 2), "
        "kwargs={'source': ''})\n"
        "waits.start()\ntime.sleep(0.5)\npid = os.fork()\n"
        "if not pid:\n    text = docqa.load(b'after', isolate=True).text\n"
        "    isolation.stop()\n    os._exit(text != 'after')\n"
        "waits.join()\ntime.sleep(3)\nprint(os.waitpid(pid, os.WNOHANG) == (pid, 0))\n"
        "os.kill(pid, 9)\n"
    )
    assert run_script(code, tmp_path, timeout=60).stdout == "True\n"


@posix
def test_memory_is_watched_where_the_kernel_does_not(tmp_path: Path):
    """Without a limit of the kernel the watch ends the process."""
    code = (
        "import time\nfrom docqa.loaders.isolation import process_limits as limits\n"
        "limits.resource = None\nwatch = limits.MemoryWatch()\nwatch.start()\n"
        "watch.begin(50 << 20)\nheld = bytearray(200 << 20)\ntime.sleep(20)\n"
    )
    done = run_script(code, tmp_path, timeout=60)
    assert (done.returncode, "MiB: 2" in done.stderr) == (77, True)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(file_bytes=100), "more than the limit of 100 bytes"),
        (Limits(characters=200), "over 200 characters at page 2"),
    ],
)
@pytest.mark.parametrize("isolate", [False, True])
def test_caps_hold_in_both_ways(limits, words, isolate):
    """A cap that is exceeded is an error that names it."""
    with pytest.raises(docqa.TooLargeError, match=words):
        docqa.load(EXAMPLES / "handbook.pdf", isolate=isolate, limits=limits)


def test_a_cap_on_pages_is_a_warning():
    """The first pages are read; the warning says which are not."""
    document = docqa.load(EXAMPLES / "handbook.pdf", limits=Limits(pages=2, page_characters=20))
    assert len(document.pages) == 2
    assert [warning.kind for warning in document.warnings] == [
        *("page-truncated", "page-truncated", "page-limit")
    ]


def test_a_text_that_is_too_long_is_an_error():
    """The cap on characters holds for formats without pages."""
    with pytest.raises(docqa.TooLargeError, match="3,000 characters, over the limit of 2,999"):
        docqa.load(b"a" * 3000, limits=Limits(characters=2999))
    assert docqa.load(b"a" * 3000, limits=Limits(characters=None)).text


def test_a_limit_is_above_nothing():
    """A limit of 0 would let nothing through."""
    with pytest.raises(docqa.SettingError, match="cpu_seconds must be above 0"):
        Limits(cpu_seconds=0)


def test_what_the_worker_wrote_is_kept():
    """The exception has the worker's last words, and keeps them when pickled."""
    with pytest.raises(docqa.LoaderCrashedError) as caught:
        isolation.call(divmod, 1, 0, source="x")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert "ZeroDivisionError" in copy.stderr
    assert (str(copy), copy.source) == (str(caught.value), "x")
