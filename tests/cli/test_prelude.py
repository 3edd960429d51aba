"""What every command shares: options, the exit code, and one line for an error."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

import docqa
from docqa.cli import main
from docqa.cli.exits import FAILED, describe, without_python
from docqa.cli.prelude import Run, command


def commands(group: click.Group) -> Iterator[click.Command]:
    """Yield every command below a group; a group that does something itself is one too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found)
        if found.params:
            yield found


def test_every_command_can_be_quiet_and_debugged() -> None:
    """No command is without the common options, and they stand at the end of its help."""
    found = list(commands(main))
    assert len(found) == 18
    for each in found:
        shown = [param.name for param in each.params if not getattr(param, "hidden", False)]
        assert shown[-2:] == ["quiet", "debug"], each.name


@command(json="Write JSON.", no_args_is_help=False)
@click.option("--code", type=int)
def demo(run: Run, /, *, code: int | None) -> int | None:
    """Write something."""
    run.notices.note("a note")
    if run.as_json:
        run.write_record({"code": code})
    else:
        run.write("text\n")
    return code


@pytest.mark.parametrize(
    ("arguments", "output", "note"),
    [
        ((), "text\n", "docqa: a note\n"),
        (("--json", "--code", "2"), '{"code": 2}\n', "docqa: a note\n"),
        (("--quiet",), "text\n", ""),
    ],
)
def test_run_writes_results_and_notes(arguments: tuple[str, ...], output: str, note: str) -> None:
    """Results go to standard output, notes to standard error; the function's number is the code."""
    result = CliRunner().invoke(demo, arguments)
    assert (result.stdout, result.stderr) == (output, note)
    assert result.exit_code == (FAILED if "2" in arguments else 0)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("x: no such file; check the path (to load a text itself, pass it as bytes)", "the path"),
        (
            "x: over 200 characters; split the document, or raise the limit with "
            "Limits(characters=...)",
            "trust it, which sets no such limit",
        ),
        ("2 pages; raise the limit with Limits(pages=...) to read on", "can raise this limit"),
        (
            "a.pdf is encrypted and needs a password: give password= or --password",
            "give --password",
        ),
        (
            "not text; name it with encoding= (--encoding) if it is text",
            "with --encoding if it is text",
        ),
        ("asked with other settings (encoding=, --encoding)", "(--encoding)"),
        (
            "out of memory; use a smaller window_tokens, a smaller model, or device='cpu'",
            "use a smaller model, or --device cpu",
        ),
        ("onnx runs on the CPU; use device='cpu' or runtime='torch'", "--runtime torch"),
        ("frozen: load with isolate=False", "load with --no-isolate"),
        ("there is no answer to mark; ask with min_score=0 for all", "--min-score 0 for all"),
        ("top_k must be at least 1, not 0", "-k must be at least 1, not 0"),
        ("passage_tokens must be at most 200", "--passage-tokens must be at most 200"),
    ],
)
def test_a_command_gives_no_advice_in_python(message: str, shown: str) -> None:
    """The library's half of a message is left out, in errors and in warnings."""
    for text in (describe(docqa.DocqaError(message)), without_python(message)):
        assert text.endswith(shown)
        assert not re.search(r"Limits\(|\w=|_", text)
