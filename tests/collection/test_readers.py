"""Readers while another process writes: no torn view, no error.

The long form is tests/benchmarks/readers_during_writing.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from reading_along import Reads, read_during

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("share", [0.0, 0.5], ids=["replacing", "compacting too"])
def test_every_view_is_whole(tmp_path: Path, share: float) -> None:
    """Each document is whole and of one generation, in snapshots, searches and answers."""
    commits, reads = read_during(tmp_path, seconds=3, n_readers=2, compacts=share)
    total = sum(reads, Reads())
    assert commits > 1
    assert min(total.views, total.searches, total.questions) > 0
    assert (total.torn, total.stale, total.errors) == (0, 0, ())
