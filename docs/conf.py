"""Sphinx's settings: MyST pages, the API from docstrings, the commands from click."""

from __future__ import annotations

import docqa

project = "docqa"
author = "the docqa authors"
copyright = "the docqa authors"
release = version = docqa.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"docqa {release}"

# MyST: definition lists in the glossary, anchors for headings down to the third level.
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3

# Docstrings are Google style; single backticks in them mean code.
default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Names outside docqa are not linked: their inventories would have to be fetched.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!docqa).*")]
