"""The import rules of the design, read from the source and from a fresh process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresh_process import loaded_by

import docqa

PACKAGE = Path(docqa.__file__).parent

# From the bottom up; a module may import from its own row (if it is no stage) and from lower rows.
WORDS, PDFIUM, STAGES, COMPOSE, EDGES = range(5)
ROWS = {
    "_lazy_exports": WORDS,
    "datamodel": WORDS,
    "protocols": WORDS,
    "errors": WORDS,
    "places": WORDS,
    "reading_form": WORDS,
    "_pdfium": PDFIUM,
    "_pdf_passwords": PDFIUM,
    "_pypdf": PDFIUM,
    "loaders": STAGES,
    "passages": STAGES,
    "index": STAGES,
    "reader": STAGES,
    "highlighting": STAGES,
    "selectors": WORDS,
    "calibration": WORDS,
    "answers": COMPOSE,
    "citations": COMPOSE,
    "evidence": COMPOSE,
    "cell_relevance": COMPOSE,
    "grid": COMPOSE,
    "outcome_records": COMPOSE,
    "prepared": COMPOSE,
    "question_sets": COMPOSE,
    "reading_settings": COMPOSE,
    "batch": COMPOSE,
    "workers": COMPOSE,
    "showing": COMPOSE,
    "recent": COMPOSE,
    "pipeline": COMPOSE,
    "compat": COMPOSE,
    "collection": COMPOSE,
    "testing": COMPOSE,
    "evaluation": COMPOSE,
    "training": COMPOSE,
    "__init__": COMPOSE,
    "cli": EDGES,
    "server": EDGES,
    "adapters": EDGES,
    "__main__": EDGES,
}
# Libraries that are imported when first used.
HEAVY = {
    "bs4",
    "fastapi",
    "PIL",
    "filelock",
    "flask",
    "html5lib",
    "jinja2",
    "lancedb",
    "matplotlib",
    "nltk",
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "opensearchpy",
    "pypdf",
    "pypdfium2",
    "ray",
    "rank_bm25",
    "rapidfuzz",
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
    """Return the tree of every module by its dotted name; a package's `__init__` by its own."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("docqa", *path.relative_to(PACKAGE).with_suffix("").parts)
        trees[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


TREES = modules()


def part(module: str) -> str:
    """Return the first name below `docqa`: the stage or top-level module."""
    return [*module.split("."), "__init__"][1]


def imported(node: ast.AST) -> list[str]:
    """Return the dotted names that one import statement may load."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "docqa imports by absolute names"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return names if node.module == "docqa" else [node.module or ""]
    return []


def is_for_types(node: ast.AST) -> bool:
    """Say whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def run_time_nodes(tree: ast.AST, *, functions: bool) -> Iterator[ast.AST]:
    """Yield the nodes that run, with or without the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types(node):
            continue
        if not functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        yield from run_time_nodes(node, functions=functions)


def imports(module: str, *, functions: bool) -> set[str]:
    """Return what a module imports when it runs, with or without its functions' imports."""
    nodes = run_time_nodes(TREES[module], functions=functions)
    return {name for node in nodes for name in imported(node)}


def own(names: set[str]) -> set[str]:
    """Return those names that are parts of docqa (constants of docqa/__init__ are not)."""
    return {name for name in names if name.startswith("docqa.") and part(name) in ROWS}


def test_every_module_has_a_row() -> None:
    """A new top-level name is placed in the order of imports on purpose."""
    assert {part(module) for module in TREES} <= set(ROWS)


def test_imports_go_downward() -> None:
    """No module imports from a row above its own, not even inside a function."""
    assert not [
        f"{module} imports {name}"
        for module in TREES
        for name in own(imports(module, functions=True))
        if ROWS[part(name)] > ROWS[part(module)]
    ]


def test_stages_never_import_one_another() -> None:
    """Stages meet only in the compose row."""
    assert not [
        f"{module} imports {name}"
        for module in TREES
        for name in own(imports(module, functions=True))
        if ROWS[part(module)] == ROWS[part(name)] == STAGES and part(module) != part(name)
    ]


def test_nothing_prints_or_configures_logging() -> None:
    """Only the command line writes to the terminal; logging is the application's to set up."""
    assert not [
        f"{module}:{node.lineno}"
        for module in TREES
        if part(module) not in {"cli", "__main__"}
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
        parents = [".".join(name.split(".")[:count]) for count in range(1, name.count(".") + 2)]
        for found in {f"{parent}.__init__" for parent in parents} | {name}:
            if found in TREES and found not in seen:
                seen.add(found)
                waiting += own(imports(found, functions=False))
    return seen


@pytest.mark.parametrize("start", ["docqa", "docqa.cli", "docqa.__main__"])
def test_start_reaches_no_heavy_import(start: str) -> None:
    """What `import docqa` and the command reach imports heavy libraries inside functions only."""
    heavy = {
        (module, name)
        for module in reached(start)
        for name in imports(module, functions=False)
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
