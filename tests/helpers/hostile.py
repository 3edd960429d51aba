"""Files made to hurt whoever opens them, written byte by byte.

`FILES` names them all; each entry makes one. Sizes are those of the bombs, not of the files: a
few kilobytes of PDF can stand for gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial

__all__ = ["FILES", "Objects", "page_with"]

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
HELLO = b"BT /F1 12 Tf 72 700 Td (The lamp was lit in 1871.) Tj ET "


class Objects:
    """Collect the objects of a PDF; object 1 is the catalog, 2 the page tree, 3 the font /F1."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b"", FONT]
        self.pages: list[int] = []
        self.tree: bytes | None = None

    def add(self, body: bytes, stream: bytes | None = None) -> int:
        """Add an object, with a stream where one is given; return its number."""
        if stream is not None:
            body = body.replace(b">>", b"/Length %d>>" % len(stream), 1)
            body += b"\nstream\n" + stream + b"\nendstream"
        self.bodies.append(body)
        return len(self.bodies)

    def page(self, content: bytes, *, entries: bytes = b"", resources: bytes = b"") -> int:
        """Add a page with a content stream that is not compressed; return its number."""
        return self.page_of(self.add(b"<<>>", content), entries=entries, resources=resources)

    def page_of(self, contents: int, *, entries: bytes = b"", resources: bytes = b"") -> int:
        """Add a page whose content is the object `contents`; return its number."""
        box = b"" if b"/MediaBox" in entries else b"/MediaBox[0 0 612 792]"
        resources = b"/Resources<</Font<</F1 3 0 R>>%b>>" % resources
        page = b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%b%b%b>>"
        self.pages.append(self.add(page % (contents, box, entries, resources)))
        return self.pages[-1]

    def to_bytes(self, *, trailer: bytes = b"") -> bytes:
        """Return the file."""
        kids = b" ".join(b"%d 0 R" % number for number in self.pages)
        tree = b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(self.pages))
        self.bodies[1] = tree if self.tree is None else self.tree
        parts, offsets, size = [b"%PDF-1.7\n"], [], 9
        for number, body in enumerate(self.bodies, start=1):
            offsets.append(size)
            parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
            size += len(parts[-1])
        count = len(self.bodies) + 1
        rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        end = b"trailer<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, size)
        return b"".join([*parts, b"xref\n0 %d\n0000000000 65535 f \n" % count, rows, end])


def page_with(content: bytes = HELLO, **entries: bytes) -> bytes:
    """Return a PDF of one page."""
    pdf = Objects()
    pdf.page(content, **entries)
    return pdf.to_bytes()


def _deflated(start: bytes, repeated: bytes, times: int, end: bytes = b"") -> bytes:
    """Return the compressed form of ``start + repeated * times + end``, made piece by piece."""
    packer, pieces = zlib.compressobj(9), []
    block = max(1, (1 << 20) // len(repeated))
    pieces.append(packer.compress(start))
    for _ in range(times // block):
        pieces.append(packer.compress(repeated * block))
    pieces.append(packer.compress(repeated * (times % block) + end))
    return b"".join([*pieces, packer.flush()])


# PDF: what a page unpacks to


def flate_bomb(n_bytes: int = 2 << 30) -> bytes:
    """Return a page whose content stream is `n_bytes` of spaces, then a good page."""
    pdf = Objects()
    stream = pdf.add(b"<</Filter/FlateDecode>>", _deflated(HELLO, b" ", n_bytes))
    pdf.page_of(stream)
    pdf.page(HELLO)
    return pdf.to_bytes()


def flate_bomb_twice(n_bytes: int = 8 << 30) -> bytes:
    """Return the same, compressed twice: a thousandth of the size again."""
    pdf = Objects()
    once = _deflated(HELLO, b" ", 1 << 30) if n_bytes > 1 << 30 else _deflated(HELLO, b" ", n_bytes)
    stream = zlib.compress(once * max(1, n_bytes >> 30), 9)
    pdf.page_of(pdf.add(b"<</Filter[/FlateDecode/FlateDecode]>>", stream))
    return pdf.to_bytes()


def run_length_bomb(n_bytes: int = 256 << 20) -> bytes:
    """Return a page of run-length coded spaces inside a flate stream."""
    pdf = Objects()
    coded = _deflated(bytes([len(HELLO) - 1]) + HELLO, b"\x81 ", n_bytes // 128, b"\x80")
    pdf.page_of(pdf.add(b"<</Filter[/FlateDecode/RunLengthDecode]>>", coded))
    return pdf.to_bytes()


def text_flood(n_operators: int = 600_000) -> bytes:
    """Return a page that shows ten letters `n_operators` times."""
    pdf = Objects()
    start = b"BT /F1 12 Tf 72 700 Td "
    packed = _deflated(start, b"(abcdefghij) Tj 0 -1 Td ", n_operators, b"ET")
    pdf.page_of(pdf.add(b"<</Filter/FlateDecode>>", packed))
    return pdf.to_bytes()


def nested_forms(depth: int = 7) -> bytes:
    """Return a page on which each form shows the next one ten times."""
    pdf = Objects()
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<<%b>>>>"
    last = pdf.add(form % b"/Font<</F1 3 0 R>>", HELLO)
    for _ in range(depth):
        last = pdf.add(form % (b"/XObject<</X %d 0 R>>" % last), b"/X Do " * 10)
    pdf.page(b"/X Do", resources=b"/XObject<</X %d 0 R>>" % last)
    return pdf.to_bytes()


def form_in_itself() -> bytes:
    """Return a page with a form that shows itself twice."""
    pdf = Objects()
    number = len(pdf.bodies) + 1
    resources = b"/XObject<</X %d 0 R>>" % number
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<<%b>>>>" % resources
    pdf.add(form, b"/X Do /X Do")
    pdf.page(HELLO + b"/X Do", resources=resources)
    return pdf.to_bytes()


# PDF: structure


def many_kids(count: int = 300_000) -> bytes:
    """Return a page tree that names one page `count` times."""
    pdf = Objects()
    page = pdf.page(HELLO)
    pdf.tree = b"<</Type/Pages/Kids[%b]/Count %d>>" % (b"%d 0 R " % page * count, count)
    return pdf.to_bytes()


def false_count(count: int = 2_000_000_000) -> bytes:
    """Return a page tree that claims `count` pages and has one."""
    pdf = Objects()
    page = pdf.page(HELLO)
    pdf.tree = b"<</Type/Pages/Kids[%d 0 R]/Count %d>>" % (page, count)
    return pdf.to_bytes()


def tree_in_itself() -> bytes:
    """Return a page tree that is its own kid."""
    pdf = Objects()
    page = pdf.page(HELLO)
    pdf.tree = b"<</Type/Pages/Kids[2 0 R %d 0 R 2 0 R]/Count 3/Parent 2 0 R>>" % page
    return pdf.to_bytes()


def deep_tree(depth: int = 100_000) -> bytes:
    """Return a page at the bottom of a page tree of `depth` levels."""
    pdf = Objects()
    page = pdf.page(HELLO)
    first = len(pdf.bodies) + 1
    for level in range(depth):
        kid = page if level + 1 == depth else first + level + 1
        pdf.add(b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % kid)
    pdf.tree = b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % first
    return pdf.to_bytes()


def circular_prev() -> bytes:
    """Return a file whose cross-reference table says that it comes before itself."""
    plain = page_with()
    start = plain.rindex(b"xref\n0")
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


def circular_length() -> bytes:
    """Return a content stream whose length is itself."""
    pdf = Objects()
    stream = pdf.add(b"<<>>", HELLO)
    body = pdf.bodies[stream - 1]
    pdf.bodies[stream - 1] = body.replace(b"/Length %d" % len(HELLO), b"/Length %d 0 R" % stream)
    pdf.page_of(stream)
    return pdf.to_bytes()


def deep_dictionary(depth: int = 200_000) -> bytes:
    """Return a page with dictionaries in dictionaries in its resources."""
    return page_with(resources=b"/A<<" * depth + b">>" * depth)


def huge_table(size: int = 2_147_483_647) -> bytes:
    """Return a file that claims `size` objects."""
    return page_with().replace(b"xref\n0 ", b"xref\n0 %d %% " % size)


# PDF: content, fonts, images


def deep_q(depth: int = 500_000) -> bytes:
    """Return a page that saves the graphics state and never restores it."""
    return page_with(b"q " * depth + HELLO)


def deep_array(depth: int = 200_000) -> bytes:
    """Return a page of opening brackets."""
    return page_with(b"[" * depth + HELLO)


def bfrange_bomb(blocks: int = 50) -> bytes:
    """Return a font that maps all 65,536 codes, 100 times in each of `blocks`."""
    ranges = b"100 beginbfrange " + b"<0000> <FFFF> <0041> " * 100 + b"endbfrange "
    space = b"1 begincodespacerange <0000> <FFFF> endcodespacerange "
    cmap = b"/CIDInit /ProcSet findresource begin begincmap " + (space + ranges) * blocks
    pdf = Objects()
    unicode_map = pdf.add(b"<<>>", cmap + b" endcmap")
    info = b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
    kin = pdf.add(b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Foo%b>>" % info)
    font = b"<</Type/Font/Subtype/Type0/BaseFont/Foo/Encoding/Identity-H"
    number = pdf.add(font + b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (kin, unicode_map))
    fonts = b"/Font<</F1 3 0 R/F2 %d 0 R>>" % number
    pdf.page(HELLO + b"BT /F2 12 Tf 72 600 Td <00410042> Tj ET", resources=fonts)
    return pdf.to_bytes()


def huge_page(side: float = 1e9) -> bytes:
    """Return a page of `side` points each way, too large to render."""
    return page_with(entries=b"/MediaBox[0 0 %d %d]" % (side, side))


def huge_image(filter_name: bytes = b"FlateDecode", side: int = 100_000) -> bytes:
    """Return a page with an image of `side` pixels each way, of a few bytes."""
    pdf = Objects()
    entries = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8" % (side, side)
    data = zlib.compress(bytes(1 << 16)) if filter_name == b"FlateDecode" else bytes(512)
    image = pdf.add(entries + b"/ColorSpace/DeviceRGB/Filter/%b>>" % filter_name, data)
    shown = b"q 612 0 0 792 0 0 cm /X Do Q"
    pdf.page(HELLO + shown, resources=b"/XObject<</X %d 0 R>>" % image)
    return pdf.to_bytes()


def predictor_bomb(columns: int = 2_147_483_647) -> bytes:
    """Return a content stream whose predictor has rows of 2 GB."""
    pdf = Objects()
    entry = b"<</Filter/FlateDecode/DecodeParms<</Predictor 15/Columns %d/Colors 4>> >>" % columns
    pdf.page_of(pdf.add(entry.replace(b">> >>", b"@@"), zlib.compress(HELLO)))
    pdf.bodies[-2] = pdf.bodies[-2].replace(b"@@", b">>")
    return pdf.to_bytes()


def widget_flood(count: int = 100_000) -> bytes:
    """Return a page with `count` filled form fields."""
    pdf = Objects()
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(value)/Rect[10 10 99 20]>>"
    number = pdf.add(field)
    pdf.bodies[0] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%d 0 R]>>>>" % number
    pdf.page(HELLO, entries=b"/Annots[%b]" % (b"%d 0 R " % number * count))
    return pdf.to_bytes()


def deep_labels(depth: int = 100_000) -> bytes:
    """Return page labels at the bottom of a deep number tree."""
    tree = b"<</Kids[" * depth + b"<</Nums[0<</S/D>>]>>" + b"]>>" * depth
    pdf = Objects()
    pdf.bodies[0] = b"<</Type/Catalog/Pages 2 0 R/PageLabels %b>>" % tree
    pdf.page(HELLO)
    return pdf.to_bytes()


def garbage(length: int = 200_000) -> bytes:
    """Return a header and nothing that follows it."""
    return b"%PDF-1.7\n" + bytes(place * 7919 % 251 for place in range(length))


def repeated(part: bytes | str, times: int, *, start: bytes = b"", end: bytes = b"") -> bytes:
    """Return `part` over and over."""
    return start + (part.encode() if isinstance(part, str) else part) * times + end


_HTML = b"<!doctype html><p>The lamp was lit in 1871.</p>"
_SENTENCE = b"The lamp was lit in 1871. "

FILES: dict[str, Callable[[], bytes]] = {
    "flate_bomb.pdf": flate_bomb,
    "flate_bomb_twice.pdf": flate_bomb_twice,
    "run_length_bomb.pdf": run_length_bomb,
    "text_flood.pdf": text_flood,
    "nested_forms.pdf": nested_forms,
    "form_in_itself.pdf": form_in_itself,
    "many_kids.pdf": many_kids,
    "false_count.pdf": false_count,
    "tree_in_itself.pdf": tree_in_itself,
    "deep_tree.pdf": deep_tree,
    "circular_prev.pdf": circular_prev,
    "circular_length.pdf": circular_length,
    "deep_dictionary.pdf": deep_dictionary,
    "huge_table.pdf": huge_table,
    "deep_q.pdf": deep_q,
    "deep_array.pdf": deep_array,
    "bfrange_bomb.pdf": bfrange_bomb,
    "huge_page.pdf": huge_page,
    "huge_image.pdf": huge_image,
    "huge_image_jbig2.pdf": partial(huge_image, b"JBIG2Decode"),
    "huge_image_jpx.pdf": partial(huge_image, b"JPXDecode"),
    "predictor_bomb.pdf": predictor_bomb,
    "widget_flood.pdf": widget_flood,
    "deep_labels.pdf": deep_labels,
    "truncated.pdf": lambda: many_kids(5)[:-120],
    "garbage.pdf": garbage,
    "empty.pdf": bytes,
    "html_named.pdf": lambda: b"<html>no</html>",
    "deep_div.html": partial(repeated, "<div>", 200_000, start=_HTML, end=_SENTENCE),
    "deep_svg.html": partial(repeated, "<svg></p>", 100_000, start=_HTML, end=_SENTENCE),
    "deep_table.html": partial(repeated, "<table><tr><td>", 50_000, start=_HTML, end=_SENTENCE),
    "deep_formatting.html": partial(repeated, "<b><i><p>", 50_000, start=_HTML, end=_SENTENCE),
    "attributes.html": lambda: (
        _HTML + b"<p " + b" ".join(b"a%d=%d" % (n, n) for n in range(1_000_000)) + b">" + _SENTENCE
    ),
    "long_attribute.html": partial(repeated, "x", 30 << 20, start=_HTML + b'<p title="', end=b'">'),
    "entities.html": partial(repeated, "&amp;", 1_000_000, start=_HTML),
    "bad_entities.html": partial(repeated, "&" + "a" * 60, 300_000, start=_HTML),
    "numeric_entity.html": partial(repeated, "9", 5_000_000, start=_HTML + b"&#", end=b";"),
    "one_line.html": partial(repeated, _SENTENCE, (100 << 20) // 26, start=_HTML),
    "unclosed_tags.html": partial(repeated, "<a ", 5_000_000, start=_HTML),
    "unclosed_quote.html": partial(repeated, "<a b='", 3_000_000, start=_HTML),
    "unclosed_comment.html": partial(repeated, "<!--", 5_000_000, start=_HTML),
    "tables.html": partial(repeated, "<table><tr><td>a<td>b</table>", 300_000, start=_HTML),
    "wide_row.html": partial(repeated, "<td>a", 1_000_000, start=_HTML + b"<table><tr>"),
    "lists.html": partial(repeated, "<ul><li>a", 100_000, start=_HTML),
    "selects.html": partial(repeated, "<select><option>a", 300_000, start=_HTML),
    "frames.html": partial(repeated, "<frameset>", 300_000, start=b"<!doctype html>"),
    "templates.html": partial(repeated, "<template>", 100_000, start=_HTML, end=_SENTENCE),
    "one_line.txt": partial(repeated, _SENTENCE, (100 << 20) // 26),
    "one_line_3_mb.txt": partial(repeated, _SENTENCE, 3_000_000 // 26),
    "one_word.txt": partial(repeated, "a", 3_000_000),
    "line_ends.txt": partial(repeated, "\n", 9_000_000, start=_SENTENCE),
    "short_lines.txt": partial(repeated, "a\n", 500_000),
    "full_stops.txt": partial(repeated, "a. ", 300_000),
    "spaces.txt": partial(repeated, " ", 9_000_000, start=_SENTENCE, end=_SENTENCE),
    "nuls.txt": partial(repeated, "\0", 3_000_000, start=_SENTENCE),
    "binary.txt": lambda: bytes(n * n % 251 for n in range(1_000_000)),
    "half_pairs.txt": partial(repeated, b"\x00\xd8a\x00", 500_000, start=b"\xff\xfe"),
    "odd_utf16.txt": partial(repeated, b"a\x00", 1_000_000, start=b"\xff\xfe", end=b"\x00"),
    "broken_utf8.txt": partial(repeated, b"\xf0\x9f", 2_000_000, start=b"\xef\xbb\xbf" + _SENTENCE),
    "accents.txt": partial(repeated, "\u0301", 3_000_000, start=b"a"),
    "quotes.md": partial(repeated, ">", 200_000, end=_SENTENCE),
    "quote_lines.md": partial(repeated, "> " * 200 + "a\n", 20_000),
    "brackets.md": partial(repeated, "[", 500_000, end=_SENTENCE),
    "bracket_pairs.md": partial(repeated, "[a](", 200_000),
    "images.md": partial(repeated, "![", 200_000),
    "emphasis.md": partial(repeated, "*a **a ", 200_000),
    "backticks.md": lambda: b"".join(b"a" + b"`" * n for n in range(3_000)),
    "links.md": lambda: b"".join(b"[a%d]: /b\n" % n for n in range(300_000)) + b"[a1]" * 100_000,
    "lists.md": lambda: b"".join(b" " * (2 * n) + b"- a\n" for n in range(3_000)),
    "table.md": lambda: b"|a" * 3_000 + b"\n" + b"|-" * 3_000 + b"\n" + b"|\n" * 30_000,
    "html_blocks.md": partial(repeated, "<a b='", 500_000),
    "entities.md": partial(repeated, "&", 3_000_000),
    "one_line.md": partial(repeated, _SENTENCE, 3_000_000 // 26),
}
"""Every file by name, with what makes its bytes."""


def names(kinds: Sequence[str]) -> list[str]:
    """Return the files with one of the suffixes."""
    return [name for name in FILES if name.rpartition(".")[2] in kinds]


def said_to_be_a_number(value: object) -> int:
    """Return a value that may be another than the annotation says."""
    return value  # type: ignore[return-value]
