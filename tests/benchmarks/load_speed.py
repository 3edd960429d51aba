"""Compare the loading of PDFs with pypdf's text extraction, and measure peak memory.

    DOCQA_DATA=.../data python tests/benchmarks/load_speed.py [--files 8] [--pages 20]

Times are processor time, both ways in one process, file by file in turn; only ratios mean
anything on a shared machine. pypdf reads at most `--pages` pages a file (it is that much slower);
docqa loads the same pages (`Limits.pages`). Memory is the peak of a fresh process for each file,
less that of one that has loaded a file of one page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pypdf

from docqa.limits import Limits
from docqa.loaders.pdf.loader import PdfLoader

PEAK = """
import resource, sys, time
from pathlib import Path
from docqa.loaders.pdf.loader import PdfLoader
from docqa.datamodel import Span
data = open(sys.argv[1], "rb").read()
start = time.process_time()
document = PdfLoader().load(data, source="file")
took = time.process_time() - start
document.locate(Span(0, 1))
print(len(document.pages), len(document.text), len(data), took)
# ru_maxrss of a child counts its parent's memory before the exec; VmHWM does not.
status = Path("/proc/self/status")
lines = status.read_text().split("\\n") if status.exists() else []
marks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
print(marks[0] if marks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def generated(pages: int) -> bytes:
    """Return a file of `pages` pages with 40 lines of its own each."""
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (pages, kids),
    ]
    objects.append(font)
    for page in range(pages):
        lines = "".join(
            f"(Page {page + 1}, line {line}: the quick brown fox jumps over the lazy dog again) Tj "
            "0 -17 Td\n"
            for line in range(40)
        )
        content = f"BT /F1 11 Tf 50 740 Td\n{lines}ET".encode()
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            b"/Contents %d 0 R>>" % (5 + 2 * page)
        )
        objects.append(b"<</Length %d>>stream\n%b\nendstream" % (len(content), content))
    parts, offsets, size = [b"%PDF-1.4\n"], [], 9
    for number, body in enumerate(objects, start=1):
        offsets.append(size)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        size += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table))
    parts.append(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, size))
    return b"".join(parts)


def timed_docqa(data: bytes, pages: int) -> float:
    """Return the seconds of processor time in which docqa loads the first pages."""
    start = time.process_time()
    PdfLoader(limits=Limits(pages=pages, characters=None)).load(data, source="file").close()
    return time.process_time() - start


def timed_pypdf(path: Path, pages: int) -> float:
    """Return the seconds of processor time in which pypdf extracts the text of the first pages."""
    start = time.process_time()
    reader = pypdf.PdfReader(path)
    for page in reader.pages[:pages]:
        page.extract_text()
    return time.process_time() - start


def peak(path: Path) -> tuple[str, float]:
    """Return what a fresh process says of loading a file, and its peak memory in MB."""
    output = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    described, kilobytes = output.stdout.strip().split("\n")
    return described, int(kilobytes) / 1024


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--pages", type=int, default=20)
    options = parser.parse_args()
    paths = sorted((Path(os.environ["DOCQA_DATA"]) / "dev" / "pdf-qa" / "pdfs").iterdir())
    timed_docqa(paths[0].read_bytes(), 1)
    timed_pypdf(paths[0], 1)
    ratios, speeds = [], []
    for path in paths[:: max(1, len(paths) // options.files)]:
        data = path.read_bytes()
        ours = min(timed_docqa(data, options.pages) for _ in range(2))
        theirs = timed_pypdf(path, options.pages)
        pages = min(options.pages, len(pypdf.PdfReader(path).pages))
        ratios.append(theirs / ours)
        speeds.append(1000 * ours / pages)
        print(
            f"{path.name[:50]:50} {pages:4} pages  {speeds[-1]:6.1f} ms a page  {ratios[-1]:5.1f} x"
        )
    print(
        f"median {statistics.median(speeds):.1f} ms a page, {statistics.median(ratios):.1f} x pypdf"
    )
    print(f"lowest {min(ratios):.1f} x, highest {max(ratios):.1f} x\n")
    with tempfile.TemporaryDirectory() as folder:
        cases = {"generated, 1 page": generated(1), "generated, 2,000 pages": generated(2000)}
        files = {}
        for name, data in cases.items():
            files[name] = Path(folder) / f"{len(files)}.pdf"
            files[name].write_bytes(data)
        longest = max(paths, key=lambda path: len(pypdf.PdfReader(path).pages))
        files[longest.name] = longest
        base = peak(files["generated, 1 page"])[1]
        for name, path in files.items():
            described, megabytes = peak(path)
            pages, characters, size, took = described.split()
            print(
                f"{name:30} {pages:>5} pages {characters:>9} characters {int(size) / 1e6:5.1f} MB"
                f" {float(took):6.2f} s, peak {megabytes:6.1f} MB (+{megabytes - base:.1f})"
            )


if __name__ == "__main__":
    main()
