"""``docqa show``: a page as docqa sees it, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from docqa.asking.reading_settings import ReadingSettings
from docqa.cli.notices import counted
from docqa.cli.options import source_options
from docqa.cli.prelude import Run, command
from docqa.cli.session import Session
from docqa.cli.sources import STDIN, SourceFile
from docqa.errors import SettingError
from docqa.load_settings import LoadSettings

__all__ = ["show"]

_EPILOG = """
\b
Examples:
  docqa show report.pdf page.png
  docqa show report.pdf --page 3 --boxes page-3.png

\b
Outlines of --boxes:
  blue a line of text, vermilion a filled form field, pink a line read by OCR

\b
Exit codes:
  0 drawn, 2 an error
"""


@command(epilog=_EPILOG)
@click.argument("file", type=click.Path())
@click.argument("out", metavar="OUT.png", type=click.Path())
@click.option(
    "--page",
    "page_number",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="The page to draw, counted from 1 whatever is printed on it.",
)
@click.option("--boxes", is_flag=True, help="Draw a line around every line of the page's text.")
@source_options
def show(
    run: Run,
    /,
    *,
    file: str,
    out: str,
    page_number: int,
    boxes: bool,
    loading: LoadSettings,
) -> None:
    """Draw a page of the PDF FILE into OUT.png, as docqa sees it."""
    from docqa.showing.new_file import require_new_file, require_writable, write_new_file
    from docqa.showing.page_view import view_page

    target = Path(out)
    if target.suffix.lower() != ".png":
        raise SettingError(f"{out}: the page is drawn as a PNG; let the file end in .png")
    require_writable(target)
    if file != STDIN:
        require_new_file(target, Path(file))
    session = Session(loading, ReadingSettings(), run.progress)
    with session.load(SourceFile(file), keeps=True) as document:
        view = view_page(
            document,
            session.kept[file],
            page_number,
            boxes=boxes,
            password=loading.password,
            isolate=loading.isolate,
            limits=loading.limits,
        )
        run.progress.close()
        write_new_file(target, view.png)
        outlined = f" with {counted(view.lines, 'line')}, {counted(view.fields, 'form field')}"
        run.notices.note(f"drew page {page_number}{outlined if boxes else ''} in {out}")
