"""The picture of docqa's rooms and their list, made by the build from the imports themselves.

Two directives: ``house-picture`` draws the rooms in their rows with an arrow for each import, and
``house-rooms`` lists them with the first line of their docstrings. The rows are those of the test
of the layout, which fails where an import goes up or around.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "docqa"
FACE = "__init__"  # the package's own module
NOT_DRAWN = ("words",)  # the row whose rooms nearly every room imports: no arrows to it

Edges = dict[str, set[str]]
Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]  # a cubic Bezier curve: start, two controls, end

# Of the picture, in pixels.
_WIDTH, _LABEL, _LINE, _BETWEEN, _CHARACTER = 900, 96, 36, 46, 7.6
BOX_HEIGHT, _PADDING, _GAP = 26, 10, 14
_FROM_BOX, _APART = 9, 9  # between an arrow and a box that it passes, and between arrows there
# Arrows and names of rows have the page's own colour; boxes are light with dark text on any page.
_FILL, _EDGE, _INK = "#f6f8fa", "#57606a", "#1f2328"


@dataclass(frozen=True, slots=True)
class Room:
    """A package or a top-level module, with the first line of its docstring.

    Attributes:
        name: below `docqa`, with dots.
        line: the first line of its docstring.
        n_modules: how many modules it has, its own and those of packages inside.
        inside: the packages in it.
    """

    name: str
    line: str
    n_modules: int
    inside: tuple[Room, ...] = ()

    @property
    def path(self) -> str:
        """Return its path in the repository."""
        if self.name == FACE:
            return "docqa/__init__.py"
        path = "docqa/" + self.name.replace(".", "/")
        return f"{path}/" if (ROOT / path).is_dir() else f"{path}.py"

    @property
    def label(self) -> str:
        """Return its name in the picture."""
        return "docqa" if self.name == FACE else self.name


@cache
def rows() -> dict[str, list[str]]:
    """Return the rooms of each row, from the bottom up, as the test of the layout has them."""
    test = next((ROOT / "tests").rglob("test_layout.py"))
    for node in ast.parse(test.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROWS":
            table = ast.literal_eval(node.value)
            return {row: names.split() for row, names in table.items()}
    raise ValueError(f"{test} has no table ROWS")


@cache
def house() -> dict[str, Room]:
    """Return the top-level rooms by name; subpackages are inside them."""
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            found[path.stem] = _room(path)
    return found


def _room(path: Path) -> Room:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    if path.is_file():
        return Room(name, _first_line(path), 1)
    inside = [_room(each.parent) for each in sorted(path.glob("*/__init__.py"))]
    n_modules = sum(each.name != "__init__.py" for each in path.rglob("*.py"))
    return Room(name, _first_line(path / "__init__.py"), n_modules, tuple(inside))


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


@cache
def arrows() -> Edges:
    """Return the rooms that each room imports: also in functions, and for types alone."""
    found: Edges = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        importer = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _imported(node):
                if name != importer:
                    found[importer].add(name)
    return found


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield the rooms that one import statement names."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        parts = name.split(".")
        if parts[0] == "docqa":
            yield parts[1] if len(parts) > 1 and parts[1] in house() else FACE


def without_implied(edges: Mapping[str, set[str]]) -> Edges:
    """Return the edges of a graph that no path of others implies; all edges of a circle stay."""

    @cache
    def below(name: str) -> set[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = edges.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def is_implied(name: str, target: str) -> bool:
        others = edges[name] - {target}
        return any(target in below(other) and name not in below(other) for other in others)

    return {
        name: {target for target in targets if not is_implied(name, target)}
        for name, targets in edges.items()
    }


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the picture with a room's name in it."""

    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Return the horizontal middle."""
        return self.x + self.width / 2


def layout() -> tuple[dict[str, Box], dict[str, tuple[float, float]], float]:
    """Return the boxes by room, top and height of the rows' bands, and the picture's height."""
    boxes: dict[str, Box] = {}
    bands: dict[str, tuple[float, float]] = {}
    top = 8.0
    for row, names in reversed(rows().items()):
        lines = _lines([name for name in names if name in house()])
        for number, line in enumerate(lines):
            widths = [_width(name) for name in line]
            room = _WIDTH - _LABEL - sum(widths)
            gap = min(room / (len(line) + 1), 150) if number or len(lines) == 1 else _GAP
            x = _LABEL + (room - gap * (len(line) - 1)) / 2
            for name, width in zip(line, widths, strict=True):
                boxes[name] = Box(x, top + 5 + number * _LINE, width)
                x += width + gap
        bands[row] = top, max(len(lines), 1) * _LINE
        top += max(len(lines), 1) * _LINE + _BETWEEN
    return boxes, bands, top - _BETWEEN + 8


def _width(name: str) -> float:
    return len(house()[name].label) * _CHARACTER + 2 * _PADDING


def _lines(names: list[str]) -> list[list[str]]:
    """Break the rooms of a row into lines that fit the picture."""
    lines: list[list[str]] = []
    used = float(_WIDTH)
    for name in names:
        used += _width(name) + _GAP
        if used > _WIDTH - _LABEL:
            lines.append([])
            used = _width(name)
        lines[-1].append(name)
    return lines


def picture() -> str:
    """Return the rooms, in their rows from the top down, and the arrows between them as SVG."""
    boxes, bands, height = layout()
    parts = [
        f'<svg width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}" '
        'xmlns="http://www.w3.org/2000/svg" role="img" '
        'aria-label="The rooms of docqa and their imports" '
        'font-family="sans-serif" font-size="13" style="max-width: 100%; height: auto">',
        '<defs><marker id="house-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,1 L8,4 L0,7 z" fill="currentColor"/>'
        "</marker></defs>",
    ]
    for row, (top, size) in bands.items():
        parts.append(
            f'<rect y="{top}" width="{_WIDTH}" height="{size}" rx="6" fill="currentColor" '
            'fill-opacity="0.07"/>'
            f'<text x="8" y="{top + 22}" font-style="italic" fill="currentColor">'
            f"{escape(row)}</text>"
        )
    parts += [_arrow(curves) for curves in routes(boxes).values()]
    for name, box in boxes.items():
        room = house()[name]
        parts.append(
            f"<g><title>{escape(f'{room.path}: {room.line}')}</title>"
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{BOX_HEIGHT}" rx="5" fill="{_FILL}" stroke="{_EDGE}"/>'
            f'<text x="{box.middle:.1f}" y="{box.y + 17:.1f}" text-anchor="middle" '
            f'fill="{_INK}">{escape(room.label)}</text></g>'
        )
    return "\n".join([*parts, "</svg>"])


def drawn() -> list[tuple[str, str]]:
    """Return the arrows of the picture: importer and imported, without the implied ones."""
    low = {name for row in NOT_DRAWN for name in rows().get(row, [])}
    kept = {name: targets - low for name, targets in arrows().items() if name not in low}
    order = [name for names in rows().values() for name in names]
    return [
        (name, target)
        for name, targets in without_implied(kept).items()
        for target in targets
        if name in order and target in order
    ]


def routes(boxes: Mapping[str, Box]) -> dict[tuple[str, str], list[Curve]]:
    """Return the way of every arrow as curves, which run through no box.

    Between neighbours of a row an arrow is straight. A longer one passes each row between it in a
    gap between the boxes.
    """
    found: dict[tuple[str, str], list[Curve]] = {}
    lanes: dict[tuple[str, str], list[Point]] = {}
    taken: dict[float, list[float]] = defaultdict(list)
    for importer, target in sorted(drawn(), key=lambda pair: _distance(boxes, pair)):
        start, end = boxes[importer], boxes[target]
        if start.y == end.y and end.x < start.x and not _is_between(boxes, end, start):
            y = start.y + BOX_HEIGHT / 2
            found[importer, target] = [_straight((start.x, y), (end.x + end.width + 1, y))]
        else:
            lanes[importer, target] = _lanes(boxes, start, end, taken)
    for pair, passed in lanes.items():
        # The ports of a box are in the order of the ways that leave or reach it.
        out = sorted(
            (other for other in lanes if other[0] == pair[0]),
            key=lambda other: (lanes[other] or [(boxes[other[1]].middle, 0.0)])[0],
        )
        into = sorted(
            (other for other in lanes if other[1] == pair[1]),
            key=lambda other: (lanes[other] or [(boxes[other[0]].middle, 0.0)])[-1],
        )
        start, end = boxes[pair[0]], boxes[pair[1]]
        x0 = start.x + start.width * (out.index(pair) + 1) / (len(out) + 1)
        x1 = end.x + end.width * (into.index(pair) + 1) / (len(into) + 1)
        found[pair] = _curves((x0, start.y), passed, (x1, end.y))
    return found


def _distance(boxes: Mapping[str, Box], pair: tuple[str, str]) -> tuple[float, float]:
    start, end = boxes[pair[0]], boxes[pair[1]]
    return end.y - start.y, abs(end.middle - start.middle)


def _is_between(boxes: Mapping[str, Box], left: Box, right: Box) -> bool:
    return any(box.y == left.y and left.x < box.x < right.x for box in boxes.values())


def _lanes(
    boxes: Mapping[str, Box], start: Box, end: Box, taken: dict[float, list[float]]
) -> list[Point]:
    """Return where an arrow passes the rows between two boxes, nearest to the straight way."""
    found, x, y = [], start.middle, start.y
    for row in sorted({box.y for box in boxes.values() if start.y < box.y < end.y}):
        wanted = x + (end.middle - x) * (row - y) / (end.y - y)
        beside = [box for box in boxes.values() if box.y == row]
        free = [
            float(place)
            for place in range(_LABEL, _WIDTH - _FROM_BOX)
            if all(not -_FROM_BOX < place - box.x < box.width + _FROM_BOX for box in beside)
            and all(abs(place - other) >= _APART for other in taken[row])
        ]
        x, y = min(free, key=lambda place: abs(place - wanted)), row
        taken[row].append(x)
        found.append((x, y))
    return found


def _curves(start: Point, passed: list[Point], end: Point) -> list[Curve]:
    """Return the curves from the foot of a box, straight down past boxes, to the top of another."""
    (x, y), curves = start, []
    if start[1] == end[1]:  # in a row, with others between: below them
        y += BOX_HEIGHT
        return [((x, y), (x, y + 24), (end[0], y + 24), (end[0], y + 1))]
    for number, (to_x, to_y) in enumerate([*passed, end]):
        if number:
            curves.append(_straight((x, y), (x, y + BOX_HEIGHT)))
        top = to_y - 1 if number == len(passed) else to_y
        y += BOX_HEIGHT
        bend = (top - y) / 2
        curves.append(((x, y), (x, y + bend), (to_x, top - bend), (to_x, top)))
        x, y = to_x, to_y
    return curves


def _straight(start: Point, end: Point) -> Curve:
    return start, start, end, end


def _arrow(curves: list[Curve]) -> str:
    path = f"M{curves[0][0][0]:.1f},{curves[0][0][1]:.1f}"
    for _, *points in curves:
        path += " C" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#house-head)"/>'


class HousePicture(SphinxDirective):
    """The directive ``house-picture``."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """Return the picture, as part of the page."""
        self.env.note_dependency(str(PACKAGE))
        return [nodes.raw("", f"<div>{picture()}</div>", format="html")]


class HouseRooms(SphinxDirective):
    """The directive ``house-rooms``."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """Return the rows, from the top down, each with a line for each of its rooms."""
        shown = nodes.definition_list()
        for row, names in reversed(rows().items()):
            listed = [house()[name] for name in names if name in house()]
            shown += nodes.definition_list_item(
                "", nodes.term("", row), nodes.definition("", _listed(listed))
            )
        return [shown]


def _listed(rooms: list[Room] | tuple[Room, ...]) -> nodes.bullet_list:
    items = nodes.bullet_list()
    for room in rooms:
        item = nodes.list_item("", nodes.paragraph("", "", *_line(room)))
        if room.inside:
            item += _listed(room.inside)
        items += item
    return items


def _line(room: Room) -> Iterator[nodes.Node]:
    yield nodes.literal("", room.path)
    yield nodes.Text(f" ({room.n_modules} modules): " if room.n_modules > 1 else ": ")
    for number, text in enumerate(re.split("`+", room.line)):
        if text:
            yield nodes.literal("", text) if number % 2 else nodes.Text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the two directives."""
    app.add_directive("house-picture", HousePicture)
    app.add_directive("house-rooms", HouseRooms)
    return {"parallel_read_safe": True}
