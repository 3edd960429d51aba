"""The import rules of the house, read from the source and from a fresh process.

`docs/architecture.md` shows the rows; its picture is drawn from the same imports.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from fresh_process import loaded_by

import docqa

PACKAGE = Path(docqa.__file__).parent

# From the bottom up. A room imports from lower rows and from its left; stages never one another.
ROWS = {
    "words": "_version _lazy_exports errors limits ocr_engine load_settings datamodel "
    "calibration protocols places reading_form folding recent question_sets outcome_records",
    "PDF libraries": "_pdfium _pypdf _pdf_passwords _pdf_annotations",
    "stages": "loaders passages index reader highlighting",
    "asking": "asking pipeline compat",
    "show": "citations showing",
    "many": "workers collection batch service",
    "measure": "evaluation training",
    "edges": "__init__ adapters mcp_server server cli __main__ testing",
}
ORDER = [room for rooms in ROWS.values() for room in rooms.split()]
STAGES = set(ROWS["stages"].split())
# Libraries that are imported when first used.
HEAVY = {
    "bs4",
    "PIL",
    "filelock",
    "haystack",
    "html5lib",
    "jinja2",
    "lancedb",
    "langchain_core",
    "llama_index",
    "matplotlib",
    "mcp",
    "nltk",
    "numpy",
    "onnx",
    "onnxruntime",
    "prometheus_client",
    "pyarrow",
    "pydantic",
    "pypdf",
    "pypdfium2",
    "rank_bm25",
    "rapidfuzz",
    "ray",
    "safetensors",
    "selectolax",
    "starlette",
    "tantivy",
    "tokenizers",
    "torch",
    "transformers",
    "uvicorn",
}


def modules() -> dict[str, ast.Module]:
    """Return the tree of every module by its dotted name; a package has that of its folder."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("docqa", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


TREES = modules()


class Arrow(NamedTuple):
    """An import of one module of docqa by another, with its line."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def room(module: str) -> str:
    """Return the first name below `docqa`: a package or a top-level module."""
    return [*module.split("."), "__init__"][1]


def imported(node: ast.AST) -> list[str]:
    """Return the dotted names of the modules that one import statement may load."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "docqa imports by absolute names"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in TREES else str(node.module) for name in names]
    return []


def arrows() -> list[Arrow]:
    """Return every import inside docqa: of functions and for types alone too."""
    found = {
        Arrow(module, name, node.lineno)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name in TREES and name != module
    }
    return sorted(found)


ARROWS = arrows()


def is_for_types(node: ast.AST) -> bool:
    """Say whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def start_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if not is_for_types(node) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from start_nodes(node)


def imports_at_start(module: str) -> set[str]:
    """Return the modules that a module imports when it is imported itself."""
    return {name for node in start_nodes(TREES[module]) for name in imported(node)}


def test_every_room_has_a_row() -> None:
    """A new top-level name is placed in the order of imports on purpose."""
    homeless = {room(module) for module in TREES} - set(ORDER)
    assert not homeless, f"in no row of this test: {sorted(homeless)}; give each a place"


def test_every_row_has_its_rooms() -> None:
    """The table names no room that is gone."""
    gone = set(ORDER) - {room(module) for module in TREES}
    assert not gone, f"in a row of tests/test_layout.py, and not in docqa/: {sorted(gone)}"


def test_imports_go_downward() -> None:
    """No module imports from a higher room, not even in a function or for types alone."""
    place = {name: number for number, name in enumerate(ORDER)}
    assert not [
        str(arrow)
        for arrow in ARROWS
        if {room(arrow.importer), room(arrow.imported)} <= place.keys()
        if place[room(arrow.imported)] > place[room(arrow.importer)]
    ]


def test_stages_never_import_one_another() -> None:
    """Stages meet only in asking and above."""
    assert not [
        str(arrow)
        for arrow in ARROWS
        if {room(arrow.importer), room(arrow.imported)} <= STAGES
        if room(arrow.importer) != room(arrow.imported)
    ]


def child(folder: str, module: str) -> str | None:
    """Return the module or folder right below `folder` in which a module stands."""
    if module == folder:
        return "__init__"
    inside = module.startswith(f"{folder}.")
    return module.removeprefix(f"{folder}.").split(".")[0] if inside else None


def arrows_between(folder: str) -> dict[str, dict[str, Arrow]]:
    """Return the imports between the children of a folder: importer, imported, one example."""
    found: dict[str, dict[str, Arrow]] = defaultdict(dict)
    for arrow in ARROWS:
        importer, target = child(folder, arrow.importer), child(folder, arrow.imported)
        if importer and target and importer != target:
            found[importer].setdefault(target, arrow)
    return found


def circle(edges: Mapping[str, Mapping[str, Arrow]]) -> list[Arrow]:
    """Return the imports of one shortest circle, or none."""
    found: list[list[Arrow]] = []
    for start in edges:
        paths: dict[str, list[Arrow]] = {start: []}
        waiting = [start]
        for name in waiting:  # grows while it is walked: the nearest first
            for target, arrow in edges.get(name, {}).items():
                if target == start:
                    found.append([*paths[name], arrow])
                elif target not in paths:
                    paths[target] = [*paths[name], arrow]
                    waiting.append(target)
    return min(found, key=len, default=[])


FOLDERS = [name for name in TREES if any(other.startswith(f"{name}.") for other in TREES)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_circle(folder: str) -> None:
    """The modules and folders of a folder do not import in a circle."""
    found = circle(arrows_between(folder))
    assert not found, "a circle: " + ", ".join(map(str, found))


def test_circles_are_found() -> None:
    """The search finds a circle of three beside arrows without one."""
    pairs = ("ab", "bc", "ca", "ad", "de")
    edges: dict[str, dict[str, Arrow]] = defaultdict(dict)
    for importer, target in pairs:
        edges[importer][target] = Arrow(importer, target, 1)
    assert {arrow[:2] for arrow in circle(edges)} == {("a", "b"), ("b", "c"), ("c", "a")}
    del edges["c"]
    assert not circle(edges)


def test_no_public_class_name_twice() -> None:
    """A class is known by its name alone; each framework has its own `DocqaRetriever`."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in TREES.items():
        for node in [] if room(module) == "adapters" else tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    assert not {name: where for name, where in homes.items() if len(where) > 1}


def test_nothing_prints_or_configures_logging() -> None:
    """Only the command line writes to the terminal; logging is the application's to set up."""
    assert not [
        f"{module}:{node.lineno}"
        for module in TREES
        if room(module) not in {"cli", "__main__"}
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "logging.basicConfig", "sys.stdout.write"}
    ]


def reached(start: str) -> set[str]:
    """Return the modules of docqa that importing `start` runs."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for found in (name, name.rpartition(".")[0]):  # a folder's own module runs first
            if found in TREES and found not in seen:
                seen.add(found)
                waiting += [found, *imports_at_start(found)]
    return seen


@pytest.mark.parametrize("start", ["docqa", "docqa.cli", "docqa.__main__"])
def test_start_reaches_no_heavy_import(start: str) -> None:
    """What `import docqa` and the command reach imports heavy libraries inside functions only."""
    heavy = {
        (module, name)
        for module in reached(start)
        for name in imports_at_start(module)
        if name.split(".")[0] in HEAVY
    }
    assert not heavy


def test_import_stays_light(tmp_path: Path) -> None:
    """`import docqa` loads none of the heavy libraries."""
    assert not HEAVY & loaded_by("import docqa", tmp_path)


def test_help_stays_light(tmp_path: Path) -> None:
    """`docqa --help` loads none of the heavy libraries."""
    code = (
        "import runpy\nsys.argv = ['docqa', '--help']\n"
        "try: runpy.run_module('docqa', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code, stop.code"
    )
    assert not HEAVY & loaded_by(code, tmp_path)


def test_no_network_library_at_start(tmp_path: Path) -> None:
    """`import docqa` opens no way to the network."""
    network = {"requests", "httpx", "httpx2", "urllib3", "huggingface_hub", "aiohttp"}
    assert not network & loaded_by("import docqa", tmp_path)
