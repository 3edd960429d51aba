"""Keep PDFium's quirks in one place: one lock, one numbering of characters, one coordinate flip.

* PDFium is not thread-safe and ctypes lets other threads run during a call: four threads over 60
  files crash without a lock. Every call here is made under `LOCK`, the closing of handles included.
* Characters are counted by PDFium's *character index*: code, box and flags of a character share it.
  The string of ``FPDFText_GetText`` has another numbering and is never used.
* PDFium's coordinates are PDF user space (origin bottom left, before rotation and crop). `Frame`
  is the one place where they are turned into points from the displayed page's top left corner.

Raw handles are used, not the wrapper's objects: those close themselves in whichever thread the
garbage collector runs. This module is imported when the first PDF is opened.
"""

from __future__ import annotations

import ctypes
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, Literal, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from docqa.datamodel import Box

__all__ = [
    "EXTRACTOR",
    "LOCK",
    "Frame",
    "LinePoint",
    "PageSource",
    "PdfFile",
    "PdfPage",
    "PdfiumError",
    "Place",
    "TextObject",
    "UserBox",
    "Widget",
    "attachment_name",
    "object_kind",
    "utf16_string",
]

LOCK = threading.RLock()

EXTRACTOR = f"pypdfium2 {pypdfium2.PYPDFIUM_INFO.version}/pdfium {pypdfium2.PDFIUM_INFO.build}"

_METADATA_KEYS = (
    "Title",
    "Author",
    "Subject",
    "Keywords",
    "Creator",
    "Producer",
    "CreationDate",
    "ModDate",
)

_SPACES = frozenset(code for code in range(0x3001) if chr(code).isspace())

_CLOSE = 3.0  # points
_FAR_BESIDE = 9.0  # points: of a letter and a gutter
_UPRIGHT = 0.1  # radians
_FAR_OFF = 100  # points: more than a drop capital is high
_LEVEL = 0.5  # points that baselines of characters of one line differ by, at most

_FIELDS_WITHIN = 3  # pages

_MOST_ATTACHMENTS = 10_000  # names read; a warning shows a few of them

_MAX_FORM_DEPTH = 8  # nested form XObjects looked into for images; real scans use one or two


class PdfiumError(Exception):
    """A refusal by PDFium of a file or a page, with its reason.

    Attributes:
        reason: ``"password"`` when one is missing or wrong, ``"security"`` when the kind of
            encryption is unknown, ``"format"`` for everything else.
    """

    def __init__(self, message: str, reason: Literal["password", "security", "format"]) -> None:
        super().__init__(message)
        self.reason = reason


class UserBox(NamedTuple):
    """A rectangle in PDF user space: points, origin at the bottom left, not rotated."""

    left: float
    bottom: float
    right: float
    top: float


class Place(NamedTuple):
    """The place of a character.

    Attributes:
        number: PDFium's character index.
        ink: the smallest box around what is drawn.
        box: the font's full height and the character's advance.
        angle: rotation in user space, in radians; negative where unknown.
    """

    number: int
    ink: UserBox
    box: UserBox
    angle: float


class LinePoint(NamedTuple):
    """The origin of a character on its line, in points.

    Attributes:
        along: how far along the line, whichever way that is turned.
        level: of the baseline, upwards as the line is turned.
        turn: quarter turns of the line against the clock.
    """

    along: float
    level: float
    turn: int


class TextObject(NamedTuple):
    """A piece of text as the page's content draws it.

    Attributes:
        key: tells it from others of the page.
        is_invisible: it is drawn without filling and lines, or fully transparent.
        is_white: it is filled with white.
        layers: names of the layers that it stands in; ``""`` for one without a name.
    """

    key: int
    is_invisible: bool
    is_white: bool
    layers: tuple[str, ...]


class Widget(NamedTuple):
    """The text that a form field or another annotation shows, and its rectangle.

    Attributes:
        value: the characters.
        box: the rectangle in which they are shown.
        boxes: that of each character, None for one that is not drawn; empty where unknown.
    """

    value: str
    box: UserBox
    boxes: tuple[UserBox | None, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSource:
    """The bytes of a file, its password, and the index of a page in it."""

    data: bytes
    password: bytes | None
    index: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of user space that a page shows, and how it is turned for display.

    Attributes:
        box: the crop box inside the media box, in user space; the media box where they do not
            meet.
        rotation: clockwise quarter turns, 0 to 3 (ISO 32000-1, table 30, ``Rotate`` / 90).

    ``UserUnit`` is ignored, as PDFium ignores it when it renders.

    >>> Frame(UserBox(0, 0, 200, 100), 0).display(UserBox(10, 80, 50, 90))
    Box(x0=10, top=10, x1=50, bottom=20)
    >>> Frame(UserBox(0, 0, 200, 100), 1).display(UserBox(10, 80, 50, 90))
    Box(x0=80, top=10, x1=90, bottom=50)
    """

    box: UserBox
    rotation: int

    @property
    def width(self) -> float:
        """Return the displayed width in points."""
        box = self.box
        return box.top - box.bottom if self.rotation % 2 else box.right - box.left

    @property
    def height(self) -> float:
        """Return the displayed height in points."""
        box = self.box
        return box.right - box.left if self.rotation % 2 else box.top - box.bottom

    def display(self, user: UserBox) -> Box:
        """Return `user` in points from the displayed page's top left corner."""
        page = self.box
        left, right = user.left - page.left, user.right - page.left
        low, high = user.bottom - page.bottom, user.top - page.bottom
        from_right, to_right = page.right - user.right, page.right - user.left
        from_top, to_top = page.top - user.top, page.top - user.bottom
        return (
            Box(left, from_top, right, to_top),
            Box(low, left, high, right),
            Box(from_right, low, to_right, high),
            Box(from_top, from_right, to_top, to_right),
        )[self.rotation]

    def user(self, box: Box) -> UserBox:
        """Return a rectangle of the displayed page in user space: the inverse of `display`.

        >>> frame = Frame(UserBox(20, 10, 220, 110), 3)
        >>> frame.user(frame.display(UserBox(30, 80, 50, 90)))
        UserBox(left=30, bottom=80, right=50, top=90)
        """
        page = self.box
        return (
            UserBox(
                page.left + box.x0, page.top - box.bottom, page.left + box.x1, page.top - box.top
            ),
            UserBox(
                page.left + box.top,
                page.bottom + box.x0,
                page.left + box.bottom,
                page.bottom + box.x1,
            ),
            UserBox(
                page.right - box.x1,
                page.bottom + box.top,
                page.right - box.x0,
                page.bottom + box.bottom,
            ),
            UserBox(
                page.right - box.bottom, page.top - box.x1, page.right - box.top, page.top - box.x0
            ),
        )[self.rotation]


def _held(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    """Return `function` as one that keeps the interpreter's lock during the call.

    The calls made once per character are too short for other threads to profit from a release:
    measured, a third less time per character.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value
    prototype = ctypes.PYFUNCTYPE(result, ctypes.c_void_p, *arguments)
    return prototype(address)  # type: ignore[arg-type]


_code = _held(pdfium.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_int)
_is_generated = _held(pdfium.FPDFText_IsGenerated, ctypes.c_int, ctypes.c_int)
_is_hyphen = _held(pdfium.FPDFText_IsHyphen, ctypes.c_int, ctypes.c_int)
_has_map_error = _held(pdfium.FPDFText_HasUnicodeMapError, ctypes.c_int, ctypes.c_int)
_loose_box = _held(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_angle = _held(pdfium.FPDFText_GetCharAngle, ctypes.c_float, ctypes.c_int)
_strict_box = _held(pdfium.FPDFText_GetCharBox, ctypes.c_int, ctypes.c_int, *[ctypes.c_void_p] * 4)
_origin = _held(pdfium.FPDFText_GetCharOrigin, ctypes.c_int, ctypes.c_int, *[ctypes.c_void_p] * 2)
_text_object = _held(pdfium.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_int)
_object = _held(pdfium.FPDFPage_GetObject, ctypes.c_void_p, ctypes.c_int)
_object_type = _held(pdfium.FPDFPageObj_GetType, ctypes.c_int)
_mark_count = _held(pdfium.FPDFPageObj_CountMarks, ctypes.c_int)
_render_mode = _held(pdfium.FPDFTextObj_GetTextRenderMode, ctypes.c_int)
_fill_colour = _held(pdfium.FPDFPageObj_GetFillColor, ctypes.c_int, *[ctypes.c_void_p] * 4)

_FAR = 1e6  # points: beyond any page
_INVISIBLE = frozenset(
    {pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP}
)  # ISO 32000-1, table 106


class PdfPage:
    """A loaded page; valid inside ``with file.page(index)``.

    Attributes:
        frame: the displayed part of user space.
        character_count: characters are numbered from 0 to this.
        handle, form: PDFium's handles of the page and of the file's form; None without a form.
        source: bytes, password and index with which the page can be loaded once more.
    """

    def __init__(self, page: Any, text: Any, form: Any, source: PageSource) -> None:
        self._page, self._form = page, form
        self._page_address = ctypes.cast(page, ctypes.c_void_p).value
        self._point = (ctypes.c_double * 2)()
        self._point_x = ctypes.addressof(self._point)
        self.handle, self.form, self.source = page, form, source
        self._text = ctypes.cast(text, ctypes.c_void_p).value
        self._raw_text = text
        self.frame = _frame(page)
        self.character_count = max(0, pdfium.FPDFText_CountChars(text))

    def codes(self, limit: int) -> list[int]:
        """Return the code of every character up to `limit`: not all are Unicode scalar values."""
        count = min(limit, self.character_count)
        return list(map(_code, repeat(self._text, count), range(count)))

    def annotation_count(self) -> int:
        """Return how many annotations the page has, of any kind and hidden ones too."""
        return int(pdfium.FPDFPage_GetAnnotCount(self._page))

    def is_hyphen(self, index: int) -> bool:
        """Say whether the character is a hyphen at a line's end (its code is then U+0002)."""
        return bool(_is_hyphen(self._text, index) == 1)

    def is_generated(self, index: int) -> bool:
        """Say whether PDFium added the character (line ends, some spaces); it has no box."""
        return bool(_is_generated(self._text, index) == 1)

    def map_error_share(self, sample: int) -> float:
        """Return the share of characters without a known meaning, over about `sample` of them."""
        indexes = range(0, self.character_count, max(1, self.character_count // sample))
        errors = sum(_has_map_error(self._text, index) == 1 for index in indexes)
        return errors / len(indexes) if indexes else 0.0

    def loose_box(self, index: int) -> UserBox | None:
        """Return the character's box with the font's full height, or None where it has none."""
        rect = pdfium.FS_RECTF()
        if self.is_generated(index) or not _loose_box(self._text, index, ctypes.addressof(rect)):
            return None
        return UserBox(rect.left, rect.bottom, rect.right, rect.top)

    def origin(self, index: int) -> LinePoint:
        """Return where a character stands on its line."""
        _origin(self._text, index, self._point_x, self._point_x + 8)
        x, y = self._point
        angle = _angle(self._text, index)
        turn = -round(angle / (math.pi / 2)) % 4 if angle > 0 else 0  # PDFium goes with the clock
        if not turn:
            return LinePoint(x, y, 0)
        return LinePoint((x, y, -x, -y)[turn], (y, -x, -y, x)[turn], turn)

    def is_level(self, one: int, two: int) -> bool:
        """Say whether two characters of an upright or turned line stand at the same height."""
        _origin(self._text, one, self._point_x, self._point_x + 8)
        x, y = self._point
        _origin(self._text, two, self._point_x, self._point_x + 8)
        return abs(y - self._point[1]) < _LEVEL or abs(x - self._point[0]) < _LEVEL

    def is_close(self, one: int, two: int) -> bool:
        """Say whether two characters begin less than three points apart; quick to see."""
        _origin(self._text, one, self._point_x, self._point_x + 8)
        x, y = self._point
        _origin(self._text, two, self._point_x, self._point_x + 8)
        return abs(self._point[0] - x) + abs(self._point[1] - y) < _CLOSE

    def is_beside(self, one: int, two: int) -> bool:
        """Say whether PDFium's white space stands between far characters of a line."""
        if _is_generated(self._text, one + 1) != 1:
            return False
        before, after = self.origin(one), self.origin(two)
        return (
            after.along - before.along > _FAR_BESIDE
            and abs(after.level - before.level) < _CLOSE
            and before.turn == after.turn
        )

    def may_go_on(self, one: int, two: int) -> bool:
        """Say whether a character may stand behind another one on its line; quick to see."""
        _origin(self._text, one, self._point_x, self._point_x + 8)
        x, y = self._point
        _origin(self._text, two, self._point_x, self._point_x + 8)
        is_upright = abs(_angle(self._text, one)) < _UPRIGHT
        return not is_upright or (self._point[0] > x and abs(self._point[1] - y) < _FAR_OFF)

    def line_box(self, index: int) -> UserBox | None:
        """Return the character's full-height box, turned so that its line runs to the right."""
        box = self.loose_box(index)
        if box is None:
            return None
        turn = self.origin(index).turn
        return (
            box,
            UserBox(box.bottom, -box.right, box.top, -box.left),
            UserBox(-box.right, -box.top, -box.left, -box.bottom),
            UserBox(-box.top, box.left, -box.bottom, box.right),
        )[turn]

    def odd_texts(self, *, with_layers: bool) -> Iterator[TextObject]:
        """Yield the pieces of text that may not show; `with_layers`, those in layers too."""
        colours = (ctypes.c_uint * 4)()
        channels = [ctypes.addressof(colours) + 4 * channel for channel in range(4)]
        for key, kind, layers in self._objects(() if with_layers else None):
            if kind != pdfium.FPDF_PAGEOBJ_TEXT:
                continue
            red, green, blue, alpha = colours if _fill_colour(key, *channels) else (0, 0, 0, 255)
            is_invisible = not alpha or _render_mode(key) in _INVISIBLE
            is_white = red == green == blue == 255
            if is_invisible or is_white or layers:
                yield TextObject(key, is_invisible, is_white, layers or ())

    def boxes_behind_text(self) -> Iterator[UserBox]:
        """Yield the boxes of pictures, shadings and shapes that are not white."""
        colours = (ctypes.c_uint * 4)()
        channels = [ctypes.addressof(colours) + 4 * channel for channel in range(4)]
        for key, kind, _ in self._objects(None):
            if kind == pdfium.FPDF_PAGEOBJ_PATH and _fill_colour(key, *channels):
                is_seen = colours[3] and min(colours[:3]) < 255
            else:
                is_seen = kind != pdfium.FPDF_PAGEOBJ_TEXT
            if is_seen:
                yield self.object_box(key)

    def object_box(self, key: int) -> UserBox:
        """Return the box around a page object."""
        return _bounds(ctypes.cast(key, pdfium.FPDF_PAGEOBJECT))

    def _objects(
        self, layers: tuple[str, ...] | None, form: Any = None, depth: int = 0
    ) -> Iterator[tuple[int, int, tuple[str, ...] | None]]:
        """Yield address, kind and layers of each page object, those inside forms too.

        Args:
            layers: around them; None where none are asked for.
            form: the form that holds them; None for the page itself.
            depth: how many forms stand around them.
        """
        if form is None:
            count = pdfium.FPDFPage_CountObjects(self._page)
            keys = map(_object, repeat(self._page_address, count), range(count))
        else:
            count = pdfium.FPDFFormObj_CountObjects(form)
            inside = (pdfium.FPDFFormObj_GetObject(form, number) for number in range(count))
            keys = map(_address, inside)
        for key in filter(None, keys):
            kind, within = _object_type(key), layers
            if layers is not None and _mark_count(key) > 0:
                within = (*layers, *_layers(key))
            if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_FORM_DEPTH:
                item = ctypes.cast(key, pdfium.FPDF_PAGEOBJECT)
                yield from self._objects(within, item, depth + 1)
            else:
                yield key, kind, within

    def text_object_keys(self, count: int) -> list[int]:
        """Return the `TextObject.key` of each of the first `count` characters; 0 where none."""
        return [key or 0 for key in map(_text_object, repeat(self._text, count), range(count))]

    def word_boxes(self, words: Iterable[tuple[int, int]]) -> list[UserBox | None]:
        """Return the box around the first and last character of each word, or None.

        Args:
            words: the character indexes of each word's first and last character.
        """
        rect = pdfium.FS_RECTF()
        where, boxes = ctypes.addressof(rect), list[UserBox | None]()
        for first, last in words:
            if not _loose_box(self._text, first, where):
                boxes.append(None)
                continue
            left, bottom, right, top = rect.left, rect.bottom, rect.right, rect.top
            if last != first and _loose_box(self._text, last, where):
                left, right = min(left, rect.left), max(right, rect.right)
                bottom, top = min(bottom, rect.bottom), max(top, rect.top)
            boxes.append(UserBox(left, bottom, right, top))
        return boxes

    def places(self) -> Iterator[Place]:
        """Yield where each visible character stands, in order; white space is left out.

        The numbers are written to the same memory for every character: three times as fast as
        asking one by one.
        """
        edges, rect = (ctypes.c_double * 4)(), pdfium.FS_RECTF()  # left, right, bottom, top
        start, loose = ctypes.addressof(edges), ctypes.addressof(rect)
        left, right, bottom, top = (start + 8 * edge for edge in range(4))
        for index, code in enumerate(self.codes(self.character_count)):
            if code in _SPACES or _is_generated(self._text, index) == 1:
                continue
            if not _strict_box(self._text, index, left, right, bottom, top):
                continue
            ink = UserBox(edges[0], edges[2], edges[1], edges[3])
            box = ink
            if _loose_box(self._text, index, loose):
                box = UserBox(rect.left, rect.bottom, rect.right, rect.top)
            yield Place(index, ink, box, _angle(self._text, index))

    def has_text(self, box: UserBox) -> bool:
        """Say whether characters reach into a rectangle."""
        edges = (box.left, box.top, box.right, box.bottom)
        return bool(pdfium.FPDFText_GetBoundedText(self._raw_text, *edges, None, 0) > 0)

    def image_share(self) -> float:
        """Return the share of the displayed page that images cover, at most 1."""
        page = self.frame.box
        area = (page.right - page.left) * (page.top - page.bottom)
        if area <= 0:
            return 0.0
        count = pdfium.FPDFPage_CountObjects(self._page)
        objects = (pdfium.FPDFPage_GetObject(self._page, number) for number in range(count))
        covered = sum(_overlap(_bounds(each), page) for each in objects if _shows_image(each))
        return min(1.0, covered / area)

    def is_blank(self) -> bool:
        """Say whether nothing is drawn on the page, annotations aside."""
        return bool(pdfium.FPDFPage_CountObjects(self._page) <= 0)

    def unread_text_count(self) -> int:
        """Return how many pieces of text have no extent and so no characters.

        PDFium drops vertical text in a font that is neither in the file nor on this machine.
        """
        count = pdfium.FPDFPage_CountObjects(self._page)
        objects = (pdfium.FPDFPage_GetObject(self._page, number) for number in range(count))
        texts = (each for each in objects if object_kind(each) == pdfium.FPDF_PAGEOBJ_TEXT)
        return sum(_is_flat(_bounds(each)) for each in texts)

    def widgets(self) -> list[Widget]:
        """Return the filled form fields that the page shows, in the file's order."""
        if self._form is None:
            return []
        widgets = []
        for number in range(pdfium.FPDFPage_GetAnnotCount(self._page)):
            annotation = pdfium.FPDFPage_GetAnnot(self._page, number)
            if not annotation:
                continue
            try:
                widget = _widget(self._form, annotation)
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)
            if widget is not None:
                widgets.append(widget)
        return widgets

    def render(self, scale: float = 1.0, area: Box | None = None) -> tuple[int, int, bytes]:
        """Draw the page; return width, height and its pixels, 4 bytes each (B, G, R, unused).

        Args:
            scale: pixels per point.
            area: draw this part of the displayed page only; None draws all of it.
        """
        return self._draw(scale, area or self._whole(), pdfium.FPDFBitmap_BGRx)

    def render_gray(self, scale: float = 1.0) -> tuple[int, int, bytes]:
        """Draw the page in shades of grey; return width, height and its pixels, a byte each.

        Args:
            scale: pixels per point.

        Raises:
            PdfiumError: there is no memory for its pixels.
        """
        return self._draw(scale, self._whole(), pdfium.FPDFBitmap_Gray)

    def _whole(self) -> Box:
        return Box(0, 0, self.frame.width, self.frame.height)

    def _draw(self, scale: float, area: Box, kind: int) -> tuple[int, int, bytes]:
        """Draw a part of the page on white; return width, height and its rows without padding."""
        width = max(1, round((area.x1 - area.x0) * scale))
        height = max(1, round((area.bottom - area.top) * scale))
        page = (
            round(-area.x0 * scale),
            round(-area.top * scale),
            max(1, round(self.frame.width * scale)),
            max(1, round(self.frame.height * scale)),
            0,
        )
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, kind, None, 0)
        if not bitmap:
            raise PdfiumError(f"no memory for an image of {width} by {height} pixels", "format")
        try:
            pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
            pdfium.FPDF_RenderPageBitmap(bitmap, self._page, *page, pdfium.FPDF_ANNOT)
            if self._form is not None:
                pdfium.FPDF_FFLDraw(self._form, bitmap, self._page, *page, 0)
            stride = pdfium.FPDFBitmap_GetStride(bitmap)
            pixels = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * height)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
        row = width * (1 if kind == pdfium.FPDFBitmap_Gray else 4)
        if stride == row:
            return width, height, pixels
        starts = range(0, stride * height, stride)
        return width, height, b"".join(pixels[start : start + row] for start in starts)


class PdfFile:
    """A PDF open in memory; `close` it, or use it in a ``with`` statement.

    Args:
        data: the file's bytes; kept alive, because PDFium reads from them later.
        password: bytes to try, or None.

    Raises:
        PdfiumError: PDFium refuses the file.
    """

    def __init__(self, data: bytes, password: bytes | None = None) -> None:
        with LOCK:
            document = pdfium.FPDF_LoadMemDocument64(data, len(data), password)
            if not document:
                raise _open_error()
            self.page_count: int = max(0, pdfium.FPDF_GetPageCount(document))
            if not self.page_count:
                pdfium.FPDF_CloseDocument(document)
                raise PdfiumError("the file has no pages", "format")
            form, settings = _form_environment(document)
            self._document, self._form = document, form
            self._data, self._password = data, password
            self._close = weakref.finalize(self, _close, document, form, (data, settings))
            self._close.atexit = False  # at exit the library may be gone before us

    def close(self) -> None:
        """Free PDFium's handles; calling it again does nothing."""
        self._close()

    def __enter__(self) -> PdfFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def page(self, index: int) -> Iterator[PdfPage]:
        """Load page `index` (from 0) for the length of a ``with`` statement, under the lock.

        Raises:
            PdfiumError: PDFium cannot load the page or its text.
        """
        with LOCK:
            page = self._load_page(index)
            text = pdfium.FPDFText_LoadPage(page)
            try:
                if not text:
                    raise PdfiumError(f"the text of page {index + 1} cannot be read", "format")
                source = PageSource(self._data, self._password, index)
                yield PdfPage(page, text, self._form, source)
            finally:
                if text:
                    pdfium.FPDFText_ClosePage(text)
                pdfium.FPDF_ClosePage(page)

    def attachments(self) -> list[str]:
        """Return the names of the files that the file as a whole carries; ``""`` for no name."""
        with LOCK:
            count = max(0, pdfium.FPDFDoc_GetAttachmentCount(self._document))
            return [
                attachment_name(pdfium.FPDFDoc_GetAttachment(self._document, number))
                for number in range(min(count, _MOST_ATTACHMENTS))
            ]

    def is_form_elsewhere(self) -> bool:
        """Say whether a form (XFA) stands in place of the pages, which hold no more than a notice.

        A form that some reader can fill on the page has a field on one of the first pages.
        """
        with LOCK:
            kind = pdfium.FPDF_GetFormType(self._document)
            if kind == pdfium.FORMTYPE_XFA_FOREGROUND:
                first = range(min(self.page_count, _FIELDS_WITHIN))
                return not any(_has_field(self._document, index) for index in first)
            return bool(kind == pdfium.FORMTYPE_XFA_FULL)

    def _load_page(self, index: int) -> Any:
        """Return PDFium's page `index`; one whose crop box lies outside its media box is whole.

        PDFium would show nothing of it, and its text would lie beside the page.
        """
        page = pdfium.FPDF_LoadPage(self._document, index)
        if page and _is_flat(_frame(page).box):
            everything = (-_FAR, -_FAR, _FAR, _FAR)  # the media box may be inherited
            pdfium.FPDFPage_SetCropBox(page, *everything)
            pdfium.FPDF_ClosePage(page)
            page = pdfium.FPDF_LoadPage(self._document, index)
        if not page:
            raise PdfiumError(f"page {index + 1} cannot be loaded", "format")
        return page

    def label(self, index: int) -> str | None:
        """Return the label that the file declares for page `index` (from 0), or None."""
        with LOCK:
            label = utf16_string(
                lambda *buffer: pdfium.FPDF_GetPageLabel(self._document, index, *buffer)
            )
        return label or None

    def metadata(self) -> dict[str, str]:
        """Return the document information that is not blank, under the file's own keys."""
        with LOCK:
            entries = {key: self._entry(key.encode()) for key in _METADATA_KEYS}
        return {key: value for key, value in entries.items() if value}

    def _entry(self, key: bytes) -> str:
        return utf16_string(lambda *buffer: pdfium.FPDF_GetMetaText(self._document, key, *buffer))

    def security_revision(self) -> int | None:
        """Return the revision of the file's security handler, or None if it is not encrypted."""
        with LOCK:
            revision = int(pdfium.FPDF_GetSecurityHandlerRevision(self._document))
        return revision if revision >= 0 else None

    def permissions(self) -> int:
        """Return the permission bits (ISO 32000-1, table 22) that hold for this password."""
        with LOCK:
            return int(pdfium.FPDF_GetDocPermissions(self._document)) & 0xFFFFFFFF


def _close(document: Any, form: Any, kept_alive: Sequence[object]) -> None:
    """Free the handles; runs in any thread, hence the lock."""
    with LOCK:
        if form is not None:
            pdfium.FPDFDOC_ExitFormFillEnvironment(form)
        pdfium.FPDF_CloseDocument(document)
    del kept_alive


def _open_error() -> PdfiumError:
    code = pdfium.FPDF_GetLastError()
    if code == pdfium.FPDF_ERR_PASSWORD:
        return PdfiumError("the password is missing or wrong", "password")
    if code == pdfium.FPDF_ERR_SECURITY:
        return PdfiumError("the kind of encryption is not supported", "security")
    return PdfiumError("the data does not follow the PDF format", "format")


def _form_environment(document: Any) -> tuple[Any, Any]:
    """Return PDFium's form and its callbacks, or two Nones for a file without a form."""
    if pdfium.FPDF_GetFormType(document) == pdfium.FORMTYPE_NONE:
        return None, None
    settings = pdfium.FPDF_FORMFILLINFO(version=2)
    form = pdfium.FPDFDOC_InitFormFillEnvironment(document, ctypes.byref(settings))
    return (form, settings) if form else (None, None)


def _frame(page: Any) -> Frame:
    rect = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, ctypes.byref(rect))
    return Frame(
        UserBox(rect.left, rect.bottom, rect.right, rect.top),
        max(0, pdfium.FPDFPage_GetRotation(page)) % 4,
    )


def utf16_string(read: Callable[..., int]) -> str:
    """Return the UTF-16 string that a pair of PDFium calls gives: its size, then its bytes."""
    size = read(None, 0)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    read(buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", errors="replace").replace("\0", "").strip()


def _bounds(item: Any) -> UserBox:
    edges = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *(ctypes.byref(edge) for edge in edges)):
        return UserBox(0, 0, 0, 0)
    return UserBox(*(edge.value for edge in edges))


def object_kind(item: Any) -> int:
    """Return the kind of a page object, one of ``FPDF_PAGEOBJ_...``."""
    return int(pdfium.FPDFPageObj_GetType(item))


def _is_flat(box: UserBox) -> bool:
    return box.right <= box.left or box.top <= box.bottom


def _address(item: Any) -> int | None:
    return ctypes.cast(item, ctypes.c_void_p).value


def _layers(key: int) -> Iterator[str]:
    """Yield the names of the layers that marks on a page object name: ISO 32000-1, 8.11.3.2."""
    item = ctypes.cast(key, pdfium.FPDF_PAGEOBJECT)
    for number in range(pdfium.FPDFPageObj_CountMarks(item)):
        mark = pdfium.FPDFPageObj_GetMark(item, number)
        if _written(partial(pdfium.FPDFPageObjMark_GetName, mark)) == "OC":
            yield _written(partial(pdfium.FPDFPageObjMark_GetParamStringValue, mark, b"Name"))


def _written(read: Callable[..., int]) -> str:
    """Return the UTF-16 string that a call writes into a buffer, with its size."""
    buffer, size = (ctypes.c_ushort * 256)(), ctypes.c_ulong()
    if not read(buffer, ctypes.sizeof(buffer), ctypes.byref(size)) or size.value > 512:
        return ""
    return bytes(buffer)[: max(0, size.value - 2)].decode("utf-16-le", errors="replace")


def _overlap(box: UserBox, page: UserBox) -> float:
    width = min(box.right, page.right) - max(box.left, page.left)
    height = min(box.top, page.top) - max(box.bottom, page.bottom)
    return max(0.0, width) * max(0.0, height)


def _shows_image(item: Any, depth: int = 0) -> bool:
    """Say whether a page object is an image, or a form XObject that holds one."""
    kind = object_kind(item)
    if kind != pdfium.FPDF_PAGEOBJ_FORM or depth >= _MAX_FORM_DEPTH:
        return bool(kind == pdfium.FPDF_PAGEOBJ_IMAGE)
    count = pdfium.FPDFFormObj_CountObjects(item)
    return any(
        _shows_image(pdfium.FPDFFormObj_GetObject(item, number), depth + 1)
        for number in range(count)
    )


def _widget(form: Any, annotation: Any) -> Widget | None:
    """Return the value that an annotation shows, or None if it is no filled form field."""
    if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_WIDGET:
        return None
    hidden = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
    if pdfium.FPDFAnnot_GetFlags(annotation) & hidden:
        return None
    value = _field_value(form, annotation)
    rect = pdfium.FS_RECTF()
    if not value or not pdfium.FPDFAnnot_GetRect(annotation, ctypes.byref(rect)):
        return None
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    return Widget(value, UserBox(left, bottom, right, top))


def _has_field(document: Any, index: int) -> bool:
    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        return False
    try:
        for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
            handle = pdfium.FPDFPage_GetAnnot(page, number)
            subtype = pdfium.FPDFAnnot_GetSubtype(handle) if handle else -1
            if handle:
                pdfium.FPDFPage_CloseAnnot(handle)
            if subtype == pdfium.FPDF_ANNOT_WIDGET:
                return True
        return False
    finally:
        pdfium.FPDF_ClosePage(page)


def attachment_name(attachment: Any) -> str:
    """Return the name of an attachment that PDFium gave, ``""`` for none."""
    if not attachment:
        return ""
    return utf16_string(lambda *buffer: pdfium.FPDFAttachment_GetName(attachment, *buffer))


def _selected_options(form: Any, annotation: Any) -> str:
    """Return the lines of a list that are selected, as it shows them, one a line.

    PDFium's value of such a field has no more than one of them.
    """
    count = pdfium.FPDFAnnot_GetOptionCount(form, annotation)
    selected = (
        number
        for number in range(count)
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, number)
    )
    return "\n".join(
        utf16_string(partial(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number))
        for number in selected
    )


def _field_value(form: Any, annotation: Any) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    texts = (
        pdfium.FPDF_FORMFIELD_TEXTFIELD,
        pdfium.FPDF_FORMFIELD_COMBOBOX,
        pdfium.FPDF_FORMFIELD_LISTBOX,
    )
    if kind in texts:
        if (
            pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation)
            & pdfium.FPDF_FORMFLAG_TEXT_PASSWORD
        ):
            return ""
        is_list = kind == pdfium.FPDF_FORMFIELD_LISTBOX
        selected = _selected_options(form, annotation) if is_list else ""
        return selected or utf16_string(
            partial(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
        )
    boxes = (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
    if kind not in boxes:
        return ""
    # FPDFAnnot_IsChecked answers 0 without a page view; the appearance state says the same.
    # States that are mere numbers are counters of the program that made the form.
    state = utf16_string(
        lambda *buffer: pdfium.FPDFAnnot_GetStringValue(annotation, b"AS", *buffer)
    )
    return "" if state == "Off" or state.isdecimal() else state
