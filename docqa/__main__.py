"""Run the command line as ``python -m docqa``."""

from __future__ import annotations

from docqa.cli import main

if __name__ == "__main__":
    main(prog_name="docqa")
