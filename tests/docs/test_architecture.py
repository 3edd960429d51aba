"""The page that shows the house: its picture and list are complete, its paths are there."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from docqa.cli import main

ROOT = next(folder for folder in Path(__file__).parents if (folder / "docs/house.py").is_file())
DOCS = ROOT / "docs"
PAGES = ("architecture.md", "contributing.md")
COMMAND = re.compile(r"(?:`|^\$ )docqa ([^`\n]+)", re.MULTILINE)
PATH = re.compile(r"`((?:docqa|tests|docs)/[\w./-]+)`|\]\(([\w./-]+\.md)\)")


@pytest.fixture(scope="module")
def house() -> ModuleType:
    """Return the module of the documentation that draws the picture."""
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(DOCS))
    try:
        import house
    finally:
        sys.path.remove(str(DOCS))
    return house


@pytest.mark.parametrize("page", PAGES)
def test_every_path_is_there(page: str) -> None:
    """A page about the code names no file or folder that is gone."""
    found = PATH.findall((DOCS / page).read_text(encoding="utf-8"))
    paths = [ROOT / path if path else DOCS / link for path, link in found]
    missing = sorted(str(path.relative_to(ROOT)) for path in paths if not path.exists())
    assert found
    assert not missing, f"docs/{page} names what is not there: {missing}"


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md", "guides/not-found.md"])
def test_every_command_takes_its_options(page: str) -> None:
    """A command that a page shows is there, and so is each option that it is shown with."""
    found = COMMAND.findall((DOCS / page).read_text(encoding="utf-8"))
    unknown = [line for line in found if _problem(shlex.split(line))]
    assert not unknown, f"docs/{page} shows what docqa does not take: {unknown}"


def test_an_option_that_is_not_there_is_noticed() -> None:
    """The check of the pages sees wrong names."""
    assert _problem(["info", "FILE", "--text"]) == "--text"
    assert _problem(["explain", "FILE"]) == "explain"
    assert not _problem(["kb", "remove", "kb", "FILE", "--json"])


def _problem(words: list[str]) -> str:
    """Return the first word after ``docqa`` that is no command or option of it, or nothing."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            return words[0]
        command, words = below, words[1:]
    options = {"--help", "-h"}
    for each in command.params:
        options |= {*each.opts, *each.secondary_opts}
    given = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    return next((word for word in given if word not in options), "")


def test_picture_shows_every_room(house: ModuleType) -> None:
    """Each package and top-level module has its box."""
    picture = house.picture()
    labels = [room.label for room in house.house().values()]
    assert [label for label in labels if f">{label}</text>" not in picture] == []


def test_no_arrow_passes_through_a_box(house: ModuleType) -> None:
    """An arrow touches the edges of the two boxes that it joins, and runs behind none."""
    boxes, _, _ = house.layout()
    ways = house.routes(boxes)
    assert sorted(ways) == sorted(house.drawn())
    points = [(pair, point) for pair, curves in ways.items() for point in _sampled(curves)]
    assert [
        (*pair, name)
        for pair, (x, y) in points
        for name, box in boxes.items()
        if 0 < x - box.x < box.width and 0 < y - box.y < house.BOX_HEIGHT
    ] == []


def _sampled(curves: list[tuple[tuple[float, float], ...]]) -> Iterator[tuple[float, float]]:
    """Yield points of cubic Bezier curves, about every pixel."""
    for curve in curves:
        for number in range(401):
            t = number / 400
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x, y = (
                sum(w * point[i] for w, point in zip(weights, curve, strict=True)) for i in (0, 1)
            )
            yield x, y


def test_every_room_has_a_line(house: ModuleType) -> None:
    """The list of rooms is taken from docstrings that are there and are sentences."""
    waiting = list(house.house().values())
    for room in waiting:
        waiting += room.inside
    assert [room.path for room in waiting if not room.line.endswith((".", ":"))] == []


def test_implied_arrows_are_left_out(house: ModuleType) -> None:
    """An arrow that a path of others implies is not drawn; a circle stays whole."""
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": {"d"}}
    assert house.without_implied(edges) == {"a": {"b"}, "b": {"c"}, "c": {"d"}}
    circle = {"a": {"b"}, "b": {"a"}}
    assert house.without_implied(circle) == circle
