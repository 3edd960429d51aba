"""Write the handbook as PDF, web page, Word document, presentation and EPUB: one in five formats.

The words stand in handbook_content.py. The PDF has page labels i, ii, 1 to 5, a page
in two columns, words divided at line ends, a table, a footnote and an outline; the HTML page has
navigation, a main part, a table, a list, entities, a hidden draft and a footer. The Word document
has a header and a table, the presentation a slide with notes for each section, the EPUB a chapter
for each section. The same run gives the same bytes.

Run: python examples/make_samples.py [FOLDER]
(needs reportlab, python-docx and python-pptx, which the test extra brings)
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import docx
import pptx
from handbook_content import PREFACE, SECTIONS, TITLE, Section, Table
from reportlab.lib.pagesizes import A5
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

IN_FORCE = datetime(2024, 3, 1)
AUTHOR = "The wardens of the Ormskerry Light Museum"
WIDTH, HEIGHT = A5
MARGIN, GUTTER = 46, 18
BODY, HEAD, SIZE, LEADING = "Times-Roman", "Helvetica-Bold", 10.5, 14

# Where words may be divided; PDF only.
SYLLABLES = ("anemom-eter", "barom-eter", "instru-ments", "log-book", "sec-onds", "tele-phone")


def divisions(word: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to divide a word at a line end."""
    for entry in SYLLABLES:
        first, rest = entry.split("-")
        if word.rstrip(",.;:").lower() == first + rest:
            yield word[: len(first)] + "-", word[len(first) :]


def wrap(text: str, width: float, *, font: str = BODY, size: float = SIZE) -> list[str]:
    """Break a paragraph into lines of at most `width` points."""
    lines, words = [""], text.split()
    while words:
        word = words.pop(0)
        line = f"{lines[-1]} {word}".strip()
        if stringWidth(line, font, size) <= width or not lines[-1]:
            lines[-1] = line
            continue
        for first, rest in divisions(word):
            if stringWidth(f"{lines[-1]} {first}", font, size) <= width:
                lines[-1] += f" {first}"
                word = rest
                break
        lines.append(word)
    return lines


class Typesetter:
    """Set blocks from the top of a page down, in one or more columns.

    Args:
        canvas: where to draw.
        columns: how many columns.
        lines: lines in a column; a full column is left for the next.
    """

    def __init__(self, canvas: Canvas, columns: int, lines: float) -> None:
        self.canvas, self.lines = canvas, lines
        self.width = (WIDTH - 2 * MARGIN - (columns - 1) * GUTTER) / columns
        self.x, self.top, self.y = MARGIN, HEIGHT - MARGIN, HEIGHT - MARGIN

    def line(self, text: str, *, indent: float = 0) -> None:
        """Set one line of body text; begin the next column when this one is full."""
        if self.y < self.top - self.lines * LEADING:
            self.x, self.y = self.x + self.width + GUTTER, self.top
        self.canvas.setFont(BODY, SIZE)
        self.canvas.drawString(self.x + indent, self.y, text)
        self.y -= LEADING

    def heading(self, title: str) -> None:
        """Set a heading over all columns."""
        self.canvas.setFont(HEAD, 14)
        self.canvas.drawString(self.x, self.y, title)
        self.y = self.top = self.y - 2 * LEADING

    def block(self, block: str | tuple[str, ...] | Table) -> None:
        """Set a paragraph, a list or a table."""
        if isinstance(block, Table):
            self.table(block)
        elif isinstance(block, str):
            for line in wrap(block, self.width):
                self.line(line)
        else:
            for item in block:
                self.line(f"•  {item}", indent=10)
        self.y -= LEADING / 2

    def table(self, table: Table) -> None:
        """Set a table with a rule below each row."""
        self.canvas.setLineWidth(0.4)
        for number, row in enumerate(table.rows):
            self.canvas.setFont(HEAD if number == 0 else BODY, 9)
            for cell, shift in zip(row, (0, 102, 172, 258), strict=True):
                self.canvas.drawString(self.x + shift, self.y, cell)
            self.canvas.line(self.x, self.y - 4, self.x + self.width, self.y - 4)
            self.y -= LEADING + 2

    def footnote(self, text: str) -> None:
        """Set a footnote in small type under a short rule at the page's foot."""
        lines, y = wrap(text, self.width, size=8), MARGIN + 30
        self.canvas.line(self.x, y + 12, self.x + 70, y + 12)
        self.canvas.setFont(BODY, 8)
        for number, line in enumerate(lines):
            self.canvas.drawString(self.x, y - 10 * number, line)


def title_page(canvas: Canvas) -> None:
    """Draw page i: the name of the handbook and a lighthouse of few lines."""
    middle = WIDTH / 2
    canvas.setFont(HEAD, 22)
    canvas.drawCentredString(middle, 450, "Ormskerry Light Museum")
    canvas.setFont(BODY, 15)
    canvas.drawCentredString(middle, 420, "Operating Handbook")
    canvas.setFont(BODY, SIZE)
    canvas.drawCentredString(middle, 120, "Seventh edition, in force from 1 March 2024")
    canvas.setLineWidth(1.2)
    canvas.lines([(middle - 22, 200, middle - 12, 320), (middle + 22, 200, middle + 12, 320)])
    canvas.rect(middle - 16, 320, 32, 4)
    canvas.rect(middle - 9, 324, 18, 20)
    canvas.lines([(middle - 11, 344, middle, 358), (middle + 11, 344, middle, 358)])
    canvas.line(middle - 60, 200, middle + 60, 200)
    canvas.showPage()


def section_page(canvas: Canvas, section: Section, label: str) -> None:
    """Draw a section on a page of its own, with an outline entry and the printed number."""
    canvas.bookmarkPage(label)
    canvas.addOutlineEntry(section.title, label, level=0)
    page = Typesetter(canvas, section.columns, lines=19 if section.columns == 2 else 34)
    page.heading(section.title)
    for block in section.blocks:
        page.block(block)
    if label == "ii":
        for number, entry in enumerate(SECTIONS, start=1):
            dots = "." * int((page.width - 20 - stringWidth(entry.title, BODY, SIZE)) / 2.625)
            page.line(f"{entry.title} {dots} {number}")
    if section.footnote:
        page.footnote(section.footnote)
    canvas.setFont(BODY, 9)
    canvas.drawCentredString(WIDTH / 2, MARGIN - 18, label)
    canvas.showPage()


def write_pdf(path: Path) -> None:
    """Write the handbook as PDF; uncompressed and without the time, for equal bytes."""
    canvas = Canvas(str(path), pagesize=A5, invariant=1, pageCompression=0)
    canvas.setTitle(TITLE)
    canvas.setAuthor(AUTHOR)
    canvas.setSubject("How the station is run")
    canvas.setCreator("make_samples.py")
    canvas.addPageLabel(0, style="ROMAN_LOWER", start=1)
    canvas.addPageLabel(2, style="ARABIC", start=1)
    title_page(canvas)
    section_page(canvas, PREFACE, "ii")
    for number, section in enumerate(SECTIONS, start=1):
        section_page(canvas, section, str(number))
    canvas.save()


def as_html(text: str) -> str:
    """Escape a text, with named entities as people write them."""
    named = escape(text, quote=False).replace("°", "&deg;").replace(" %", "&nbsp;%")
    return named.replace("'", "&rsquo;").replace("¹", '<sup><a href="#note">1</a></sup>')


def html_block(block: str | tuple[str, ...] | Table) -> str:
    """Return a paragraph, a list or a table as HTML."""
    if isinstance(block, str):
        return f"<p>{as_html(block)}</p>"
    if isinstance(block, Table):
        rows = [[f"<td>{as_html(cell)}</td>" for cell in row] for row in block.rows[1:]]
        head = "".join(f"<th>{as_html(cell)}</th>" for cell in block.rows[0])
        body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return "<ul>\n" + "\n".join(f"<li>{as_html(item)}</li>" for item in block) + "\n</ul>"


def html_section(number: int, section: Section) -> str:
    """Return a section as HTML."""
    blocks = "\n".join(html_block(block) for block in section.blocks)
    note = f'\n<p id="note">{as_html(section.footnote[2:])}</p>' if section.footnote else ""
    title = as_html(section.title)
    return f'<section id="s{number}">\n<h2>{title}</h2>\n{blocks}{note}\n</section>'


def write_html(path: Path) -> None:
    """Write the handbook as an HTML page."""
    sections = (PREFACE, *SECTIONS)
    links = "\n".join(
        f'<li><a href="#s{number}">{as_html(section.title)}</a></li>'
        for number, section in enumerate(sections)
    )
    main = "\n".join(html_section(number, section) for number, section in enumerate(sections))
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{as_html(TITLE)}</title>
<style>td, th {{ padding: 0 1em 0 0; text-align: left; }}</style>
</head>
<body>
<nav>
<ul>
<li><a href="index.html">Home</a></li>
<li><a href="boats.html">Boats &amp; tides</a></li>
{links}
</ul>
</nav>
<main>
<h1>{as_html(TITLE)}</h1>
<p hidden>Draft of the eighth edition: the gallery is closed above 30 knots.</p>
{main}
</main>
<footer>
<p>Ormskerry Light Museum &middot; <a href="imprint.html">Imprint</a> &middot; Printed on the
island press.</p>
</footer>
</body>
</html>
"""
    path.write_bytes(page.encode())


def write_zip(path: Path, parts: dict[str, bytes]) -> None:
    """Write a zip container whose parts all have the same time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how)


def save_office(made: Any, path: Path) -> None:
    """Save a Word document or a presentation without the time at which it was made."""
    made.core_properties.title, made.core_properties.author = TITLE, AUTHOR
    made.core_properties.created = made.core_properties.modified = IN_FORCE
    buffer = io.BytesIO()
    made.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        write_zip(path, {name: archive.read(name) for name in sorted(archive.namelist())})


def write_docx(path: Path) -> None:
    """Write the handbook as a Word document."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Ormskerry Light Museum"
    document.add_heading(TITLE, 0)
    for section in (PREFACE, *SECTIONS):
        document.add_heading(section.title, 1)
        for block in section.blocks:
            if isinstance(block, str):
                document.add_paragraph(block)
            elif isinstance(block, Table):
                fill_table(document.add_table(len(block.rows), len(block.rows[0])), block)
            else:
                for item in block:
                    document.add_paragraph(item, style="List Bullet")
        if section.footnote:
            document.add_paragraph(section.footnote)
    save_office(document, path)


def fill_table(made: Any, table: Table) -> None:
    """Write the cells of a table of Word or PowerPoint."""
    for number, row in enumerate(table.rows):
        for place, words in enumerate(row):
            made.cell(number, place).text = words


def write_pptx(path: Path) -> None:
    """Write the handbook as a presentation: first sentences on the slide, the rest as notes."""
    show = pptx.Presentation()
    title = show.slides.add_slide(show.slide_layouts[0])
    title.shapes.title.text, title.placeholders[1].text = TITLE, "Seventh edition"
    for section in SECTIONS:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = section.title
        points: list[str] = []
        spoken: list[str] = [section.footnote] if section.footnote else []
        for block in section.blocks:
            if isinstance(block, str):
                first, _, rest = block.partition(". ")
                points.append(first if first.endswith(".") else first + ".")
                spoken.append(rest)
            elif isinstance(block, Table):
                size = len(block.rows), len(block.rows[0])
                box = show.slide_width // 20, show.slide_height // 2, *[show.slide_width // 2] * 2
                fill_table(slide.shapes.add_table(*size, *box).table, block)
            else:
                points += block
        slide.placeholders[1].text = "\n".join(points)
        slide.notes_slide.notes_text_frame.text = "\n".join(filter(None, spoken))
    save_office(show, path)


def xhtml(title: str, body: str) -> bytes:
    """Return a page of the EPUB."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">\n'
        f"<head><title>{title}</title></head>\n<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def write_epub(path: Path) -> None:
    """Write the handbook as an EPUB 3, a chapter for each section."""
    chapters = {f"s{number}": section for number, section in enumerate((PREFACE, *SECTIONS))}
    items = "".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>\n'
        for name in chapters
    )
    line = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    package = f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">ormskerry-handbook-7</dc:identifier>
<dc:title>{TITLE}</dc:title><dc:creator>{AUTHOR}</dc:creator><dc:language>en</dc:language>
<meta property="dcterms:modified">{IN_FORCE:%Y-%m-%dT%H:%M:%SZ}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
{items}</manifest>
<spine>{line}</spine>
</package>
"""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="EPUB/package.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    links = "".join(
        f'<li><a href="{name}.xhtml">{as_html(section.title)}</a></li>'
        for name, section in chapters.items()
    )
    contents = f'<nav epub:type="toc"><ol>{links}</ol></nav>'
    parts = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": container.encode(),
        "EPUB/package.opf": package.encode(),
        "EPUB/nav.xhtml": xhtml("Contents", contents),
    }
    for number, (name, section) in enumerate(chapters.items()):
        body = html_section(number, section)
        for entity, character in (("&deg;", "°"), ("&nbsp;", "\u00a0"), ("&rsquo;", "’")):
            body = body.replace(entity, character)  # XML has no such entities
        parts[f"EPUB/{name}.xhtml"] = xhtml(as_html(section.title), body)
    write_zip(path, parts)


WRITERS = {
    "handbook.pdf": write_pdf,
    "handbook.html": write_html,
    "handbook.docx": write_docx,
    "handbook.pptx": write_pptx,
    "handbook.epub": write_epub,
}


def main() -> None:
    """Write the files to the folder given on the command line, or beside this script."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, write in WRITERS.items():
        write(folder / name)
        print(folder / name)


if __name__ == "__main__":
    main()
