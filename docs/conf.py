"""Sphinx's settings: MyST pages, the API from docstrings, the commands from click."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from sphinx.application import Sphinx

import docqa
from docqa.passages.splitter import DEFAULT_OVERLAP, DEFAULT_PASSAGE_TOKENS
from docqa.pipeline import DEFAULT_MIN_SCORE, DEFAULT_TOP_PASSAGES

sys.path.insert(0, str(Path(__file__).parent))  # house.py

project = "docqa"
author = "the docqa authors"
copyright = "the docqa authors"
release = version = docqa.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "house",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"docqa {release}"

# MyST: definition lists, anchors for headings down to the third level.
myst_enable_extensions = ["deflist", "substitution"]
myst_heading_anchors = 3

# Defaults are shown as the code has them.
myst_substitutions = {
    "min_score": DEFAULT_MIN_SCORE,
    "top_passages": DEFAULT_TOP_PASSAGES,
    "passage_tokens": DEFAULT_PASSAGE_TOKENS,
    "overlap": DEFAULT_OVERLAP,
}

# Docstrings are Google style; single backticks in them mean code.
default_role = "code"
smartquotes = False  # two hyphens are an option, not a dash
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Names outside docqa are not linked: their inventories would have to be fetched.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!docqa).*"), (r"py:.*", r"docqa\..*\.(_?Result|Item)")]


def show_examples_as_they_are(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Turn the blocks of a command's epilog, a title and its lines, into literal blocks."""
    made: list[str] = []
    in_block = False
    for line in lines:
        text = line.removeprefix("| ")
        if text == line:
            made.append(line)
        elif in_block:
            made.append(f"   {text}")
        else:
            made += [f"**{text}**", "", ".. code-block:: text", ""]
        in_block = text != line
    lines[:] = made


def setup(app: Sphinx) -> None:
    """Connect the hook above."""
    app.connect("sphinx-click-process-epilog", show_examples_as_they_are)
