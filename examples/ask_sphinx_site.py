"""Build a small Sphinx site and ask its HTML pages, leaving navigation and footers out.

Run: python examples/ask_sphinx_site.py [FOLDER OF HTML PAGES, QUESTION]    (needs Sphinx to build)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import docqa

PAGES = {
    "conf.py": 'project = "Buoy"\n',
    "index.rst": """
Buoy
====

Buoy reads the tide gauge and keeps its readings. It was written for the Ormskerry Light Museum.

.. toctree::

   install
   settings
""",
    "install.rst": """
Install
=======

Buoy needs Python 3.10 or newer and 20 megabytes of disk space. The gauge is connected by a serial
cable of at most 15 metres.
""",
    "settings.rst": """
Settings
========

.. confval:: interval

   How often the gauge is read. The default is 90 seconds.

.. confval:: keep

   For how long readings are kept. The default is 400 days; older readings are moved to the archive.
""",
}
QUESTIONS = ("How long may the serial cable be?", "For how long are readings kept?")


def build(folder: Path) -> Path:
    """Write the pages, run Sphinx and return the folder of the HTML files."""
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-b",
        "html",
        str(folder),
        str(folder / "html"),
    ]
    subprocess.run(command, check=True)
    return folder / "html"


def ask_site(site: Path, questions: tuple[str, ...]) -> None:
    """Print the best answer over all pages to each question."""
    pages = sorted(path for path in site.rglob("*.html") if path.name != "genindex.html")
    items = list(docqa.Pipeline(content="main").ask_all(pages, questions))
    for question in questions:
        found = [answer for item in items if item.question == question for answer in item.answers]
        if not found:
            print(f"{question} no answer")
            continue
        best = max(found, key=lambda answer: answer.score)
        page = Path(best.document.source).relative_to(site)
        [place, *_] = best.locations
        assert isinstance(place, docqa.SourceLocation)
        print(f"{question} {best.text} ({page}{place.text_fragment or ''})")


def main() -> None:
    """Ask a site named on the command line, or one that is built for the purpose."""
    if sys.argv[1:]:
        ask_site(Path(sys.argv[1]), tuple(sys.argv[2:]))
        return
    with tempfile.TemporaryDirectory() as folder:
        ask_site(build(Path(folder)), QUESTIONS)


if __name__ == "__main__":
    main()
