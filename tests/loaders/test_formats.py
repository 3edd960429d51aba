"""The table of formats: what it decides, and that a row and a module are a new format."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from checkout import DOCS
from click.testing import CliRunner

import docqa
from docqa.cli import main
from docqa.loaders.formats import FORMATS, SUPPORTED_TYPES, detect_media_type, format_of, rows_by

PACKAGE = Path(docqa.__file__).parent

# A format whose text is its source, with a kind of source map and of place of its own.
MODULE = '''
"""Load logs of a lamp: lines of a lamp's name, a colon and words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from docqa.datamodel import Block, Document, Span
from docqa.loaders.text_decoding import decode_text

@dataclass(frozen=True, slots=True)
class LampLocation:
    lamp: str
    span: Span

@dataclass(frozen=True, slots=True)
class LampState:
    lamps: tuple[tuple[str, int], ...]

class LampSourceMap:
    State: ClassVar[type] = LampState

    def __init__(self, lamps):
        self.lamps = lamps

    def locate(self, span):
        lamp = [name for name, start in self.lamps if start <= span.start][-1]
        return (LampLocation(lamp, span),)

    def close(self):
        pass

    def state(self):
        return LampState(tuple(self.lamps))

    @classmethod
    def restored(cls, state, *, text, pages, data):
        return cls(state.lamps)

class LampLoader:
    def load(self, data, *, source):
        text, lamps, blocks, start = decode_text(data, source=source).text, [], [], 0
        for line in text.splitlines(keepends=True):
            lamps.append((line.split(":")[0], start))
            blocks.append(Block(Span(start, start + len(line.rstrip())), "paragraph"))
            start += len(line)
        return Document(
            id=hashlib.sha256(data).hexdigest(), text=text, source=source,
            media_type="text/x-lamps", title=None, source_map=LampSourceMap(lamps),
            blocks=tuple(blocks), extractor="lamps",
        )
'''
LOADER = """
def _lamps(settings: LoadSettings, pages: PageOptions) -> Loader:
    from docqa.loaders.lamps import LampLoader

    return LampLoader()
"""
ROW = """
    Format(
        "text/x-lamps",
        "log of lamps",
        (".lamp",),
        _lamps,
        source_maps=("docqa.loaders.lamps:LampSourceMap",),
        likely=lambda data: data.startswith(b"lamp "),
    ),
"""
SCRIPT = """
import docqa, sys
from docqa.datamodel import Span
assert "/copy/" in docqa.__file__
for source in ("a.lamp", b"lamp one: lit in 1871\\nlamp two: out\\n"):
    for isolate in (False, True):
        document = docqa.load(source, isolate=isolate)
        [place] = document.locate(Span(22, 30))
        print(document.media_type, len(document.blocks), type(place).__name__, place.lamp)
try:
    docqa.load(b"GIF89a\\1\\0\\1\\0")
except docqa.UnsupportedFormatError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """Return a copy of the package to which a module and a row were added."""
    folder = tmp_path_factory.mktemp("copy") / "copy"
    ignored = shutil.ignore_patterns("mini", "base", "__pycache__")
    shutil.copytree(PACKAGE, folder / "docqa", ignore=ignored)
    for name in ("mini", "base"):
        (folder / "docqa/reader" / name).symlink_to(PACKAGE / "reader" / name)
    (folder / "docqa/loaders/lamps.py").write_text(MODULE, encoding="utf-8")
    table = folder / "docqa/loaders/formats.py"
    before, start, rows = table.read_text("utf-8").partition("FORMATS: tuple[Format, ...] = (")
    table.write_text(f"{before}{LOADER}\n\n{start}{ROW}{rows}", encoding="utf-8")
    (folder / "a.lamp").write_bytes(b"lamp one: lit in 1871\nlamp two: out\n")
    return folder


def run(folder: Path, *arguments: str) -> str:
    """Return the standard output and error of Python run on the copy."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_module_and_a_row_are_a_format(copy):
    """Nothing else is touched: the new format is found by name and content, here and isolated."""
    lines = run(copy, "-c", SCRIPT).splitlines()
    assert lines[:4] == ["text/x-lamps 2 LampLocation lamp two"] * 4
    assert "supported are log of lamps, PDF, HTML" in lines[4]


def test_the_command_takes_the_new_format(copy):
    """The command loads it in its default mode, and offers its media type."""
    assert "text/x-lamps" in run(copy, "-m", "docqa", "info", "a.lamp", "--json")
    assert "text/x-lamps" in run(copy, "-m", "docqa", "ask", "--help")


def test_every_row_names_what_exists():
    """Media types, suffixes and names are said once, and loaders and source maps are there."""
    types = [row.media_type for row in FORMATS]
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes]
    assert len(set(types)) == len(types)
    assert len(set(suffixes)) == len(suffixes)
    for path in {path for row in FORMATS for path in row.source_maps}:
        module, _, name = path.partition(":")
        assert hasattr(sys.modules.get(module) or __import__(module, fromlist=[name]), name)


def test_no_two_rows_have_a_sign():
    """A second row with a suffix or a media type of the first would never be used."""
    toy = replace(FORMATS[0], name="reStructuredText", media_type="text/x-rst", suffixes=(".rst",))
    with pytest.raises(ValueError, match=r"'plain text' and 'reStructuredText' both"):
        rows_by((*FORMATS, toy), lambda row: row.suffixes)
    toy = replace(toy, media_type="text/plain")
    with pytest.raises(ValueError, match="both have 'text/plain'"):
        rows_by((*FORMATS, toy), lambda row: (row.media_type,))


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_the_suffix_decides_where_the_content_does_not(row):
    """An empty file, or a damaged container, is of the format that its name says."""
    if row.zip_kind is None:
        assert detect_media_type(b"", source=f"x{row.suffixes[0].upper()}") == row.media_type
    else:
        assert detect_media_type(b"PK\3\4", source=f"x{row.suffixes[-1]}") == row.media_type


def test_types_of_the_command_are_those_of_the_table():
    """The choices of --media-type and the message of an unknown one come from the table."""
    said = "".join(CliRunner().invoke(main, ["ask", "--help"]).output.split())
    assert ",".join(SUPPORTED_TYPES) in said
    with pytest.raises(docqa.SettingError, match="unknown media type 'x'; supported are app"):
        format_of("x")


def test_the_page_on_formats_lists_the_table():
    """Every row stands in the documentation with its media type and all its suffixes."""
    page = (DOCS / "reference/formats.md").read_text(encoding="utf-8")
    for row in FORMATS:
        suffixes = ", ".join(f"`{suffix}`" for suffix in row.suffixes)
        assert f"\n| {row.name} | {suffixes} | `{row.media_type}` |" in page


@pytest.mark.parametrize(
    "media_type",
    ["application/xhtml+xml", "Application/XHTML+XML; charset=utf-8", "text/html;charset=utf-8"],
)
def test_a_media_type_is_taken_as_servers_send_it(media_type):
    """Another name of a format, its case and its parameters are no reason to refuse a page."""
    page = docqa.load(b"<html><body><p>Caf\xc3\xa9</p>", media_type=media_type)
    assert (page.text, page.media_type) == ("Café", "text/html")


def test_the_charset_of_a_media_type_decides():
    """A server's charset holds for a page, and for a text, that declares none."""
    assert docqa.load(b"<p>\xe1", media_type="text/html; charset=windows-1251").text == "\u0431"
    latin = docqa.load("Prague, žlutý".encode("latin2"), media_type="text/plain; charset='latin2'")
    assert latin.text == "Prague, žlutý"


def test_xml_tags_close_themselves():
    """The media type of XHTML alone says that a tag with a slash has no content."""
    source = b"<html><head><title/></head><body><p>Ida Holm</p></body></html>"
    assert docqa.load(source, media_type="application/xhtml+xml").text == "Ida Holm"


@pytest.mark.parametrize("suffix", ["docm", "potx"])
def test_every_kind_of_an_office_file_has_its_media_type(suffix, lamp_files):
    """Documents with macros, templates and shows are read by the loader of their kin."""
    [row] = [each for each in FORMATS if f".{suffix}" in each.suffixes]
    name = next(each for each in lamp_files if each.endswith(row.suffixes[0]))
    alias = {
        "docm": "application/vnd.ms-word.document.macroEnabled.12",
        "potx": "application/vnd.openxmlformats-officedocument.presentationml.template",
    }[suffix]
    assert docqa.load(lamp_files[name], media_type=alias).media_type == row.media_type


def test_the_command_takes_the_media_type_of_a_server(tmp_path):
    """An alias with parameters is a choice of --media-type, and an unknown type still none."""
    (tmp_path / "a").write_bytes(b"<html><head><title/></head><p>Ida Holm")
    arguments = ["info", str(tmp_path / "a"), "--media-type"]
    assert CliRunner().invoke(main, [*arguments, "application/xhtml+xml; q=1"]).exit_code == 0
    failed = CliRunner().invoke(main, [*arguments, "application/x"])
    assert failed.exit_code == 2
    assert "supported are application/pdf" in failed.output
