"""The modules that a fresh process has loaded after some code: for tests of imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def loaded_by(code: str, folder: Path) -> set[str]:
    """Return the top-level modules that a fresh process holds after running `code`."""
    script = (
        f"import sys\n{code}\nprint('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    )
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths))}
    output = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(output.stdout.split("\n"))
