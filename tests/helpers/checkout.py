"""The folders of this checkout that tests read, wherever the test stands."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DOCS = ROOT / "docs"
BENCHMARKS = ROOT / "tests" / "benchmarks"
