"""``docqa ask`` and ``docqa info`` in this process, with a reader that needs no weights."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import docqa
import docqa.pipeline
from docqa.cli import main, session
from docqa.cli.session import PassageCounter, ReadingSettings
from docqa.testing import FakeReader

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"
QUESTION = "The lamp burns how much oil a week?"


def pipeline_without_weights(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    return docqa.Pipeline(reader=FakeReader(), exhaustive=settings.exhaustive, min_score=score)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(session, "open_pipeline", pipeline_without_weights)
    monkeypatch.chdir(tmp_path)
    Path("lamp.txt").write_text(LAMP)
    Path("bell.txt").write_text(BELL)
    Path("broken.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="docqa")


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(row) for row in result.stdout.splitlines()]


def test_answer_is_written_with_its_place() -> None:
    """One source, one question: the words, the file, the line, the sentence; exit 0."""
    result = run("ask", "lamp.txt", QUESTION)
    assert result.exit_code == 0
    first, where, sentence = result.stdout.splitlines()
    assert first == "40 litres"
    assert where.startswith("  lamp.txt, line 1, score 0.")
    assert sentence == "  The lamp burns «40 litres» of oil a week."
    assert result.stderr == "docqa: read 1 of 1 passages\n"


def test_quiet_leaves_the_answer_only() -> None:
    """``--quiet`` writes nothing but answers and errors."""
    assert run("ask", "lamp.txt", QUESTION, "--quiet").stderr == ""


def test_no_answer_says_what_was_read_and_what_to_try() -> None:
    """Nothing found is an outcome of its own: exit 1, coverage and advice."""
    result = run("ask", "lamp.txt", "Which island sold parrots?")
    assert result.exit_code == 1
    assert result.stdout == "no answer (read 1 of 1 passages)\n"
    assert "--min-score 0" in result.stderr


def test_grid_asks_every_question_of_every_source() -> None:
    """Two sources and two questions are four outcomes, source by source."""
    result = run("ask", ".", "-q", QUESTION, "-q", "How often does the bell ring?", "--json")
    asked = [(record["source"], record["question"][:8]) for record in records(result)[:4]]
    assert asked == [
        ("bell.txt", "The lamp"),
        ("bell.txt", "How ofte"),
        ("broken.pdf", "The lamp"),
        ("broken.pdf", "How ofte"),
    ]


def test_bad_file_is_named_and_the_rest_goes_on() -> None:
    """A broken file and a missing one cost exit 2, not the answers of the others."""
    result = run("ask", "missing.txt", "broken.pdf", "lamp.txt", QUESTION)
    assert result.exit_code == 2
    assert "40 litres" in result.stdout
    missing, broken, *_ = result.stderr.splitlines()
    assert missing.startswith("docqa: error: missing.txt: no such file")
    assert broken.startswith("docqa: error: broken.pdf: ")


def test_answers_of_a_batch_are_streamed() -> None:
    """Each outcome is written before the next source is touched."""
    result = run("ask", "lamp.txt", "broken.pdf", "bell.txt", QUESTION, "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["source"] for row in rows] == ["lamp.txt", "broken.pdf", "bell.txt"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]


def test_top_k_gives_several_answers() -> None:
    """``-k`` asks for more answers; JSON ranks them from 1."""
    Path("long.txt").write_text(
        "\n\n".join(f"The lamp {n} is red{n}. " + "x " * 300 for n in "abc")
    )
    ranks = [record["rank"] for record in records(run("ask", "long.txt", "lamp", "-k2", "--json"))]
    assert ranks == [1, 2]


def test_document_comes_from_standard_input() -> None:
    """``-`` is the document from standard input."""
    result = run("ask", "-", QUESTION, "--json", stdin=LAMP)
    (record,) = records(result)
    assert (record["answer"], record["source"]) == ("40 litres", "-")


def test_questions_come_from_a_pipe() -> None:
    """Without a question, each line of standard input is one."""
    result = run("ask", "lamp.txt", "--json", stdin=f"{QUESTION}\n\nWho trims it at dusk?\n")
    assert [record["answer"] for record in records(result)] == ["40 litres", "keeper"]


def test_questions_come_from_a_file() -> None:
    """``--questions`` reads one question a line, beside those of ``-q``."""
    Path("questions.txt").write_text(f"{QUESTION}\n")
    result = run("ask", "lamp.txt", "--questions", "questions.txt", "-q", "Who trims?", "--json")
    assert [record["question"] for record in records(result)] == ["Who trims?", QUESTION]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "standard input holds the document"),
        (["-", "--questions", "-"], "standard input holds the document"),
        (["lamp.txt"], "no question in standard input"),
        (["lamp.txt", ""], "the question is empty"),
        (["lamp.txt", "-q", " "], "the question is empty"),
        (["lmap.txt"], "did you mean lamp.txt?"),
        (["lamp.txt", "Who?", "--json", "--csv"], "--json and --csv exclude each other"),
        (["lamp.txt", "Who?", "-k0"], "0 is not in the range"),
        (["lamp.txt", "Who?", "--min-score", "2"], "2.0 is not in the range"),
        (["lamp.txt", "Who?", "--media-type", "image/png"], "unknown media type"),
        (["lamp.txt", "Who?", "--encoding", "klingon"], "klingon"),
    ],
)
def test_wrong_use_is_exit_2_with_advice(arguments: list[str], message: str) -> None:
    """What cannot be asked ends with exit 2 and a message on standard error alone."""
    result = run("ask", *arguments, stdin="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_question_too_long_is_an_error_beside_the_others() -> None:
    """A question that the reader cannot take is named; the next one is answered."""
    result = run("ask", "lamp.txt", "-q", "why " * 100, "-q", QUESTION, "--json")
    assert result.exit_code == 2
    assert [record["answer"] for record in records(result)] == [None, "40 litres"]
    assert "ask a shorter question" in result.stderr


@pytest.mark.parametrize("arguments", [["ask", ".", QUESTION], ["info", "."]])
def test_other_files_of_a_folder_are_counted(arguments: list[str]) -> None:
    """What a folder holds beside documents is said, not dropped in silence."""
    Path("photo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run(*arguments)
    assert "passed over 1 file of another kind in folders (1 .png)" in result.stderr


class BrokenReader(FakeReader):
    def read_all(self, requests: Any, *, top_k: int) -> Any:
        raise self.failure

    failure: BaseException


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (docqa.ModelNotFoundError("no such model: x"), 2, "docqa: error: no such model: x\n"),
        (RuntimeError("odd\nstate"), 2, "unexpected RuntimeError: odd state; rerun with --debug"),
        (MemoryError(), 2, "docqa: error: lamp.txt: out of memory"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_no_exception_reaches_the_user(
    failure: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised ends as one line and an exit code, without a traceback."""
    monkeypatch.setattr(BrokenReader, "failure", failure, raising=False)
    monkeypatch.setattr(session, "open_pipeline", lambda _: docqa.Pipeline(reader=BrokenReader()))
    result = run("ask", "lamp.txt", QUESTION)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("runtime", "beside"), [("auto", True), ("torch", False)])
def test_fast_reader_opens_while_the_source_loads(
    monkeypatch: pytest.MonkeyPatch, runtime: str, beside: bool
) -> None:
    """A reader on ONNX Runtime is opened in a thread beside loading; one on torch is not."""
    threads = []

    def opened(settings: ReadingSettings) -> docqa.Pipeline:
        threads.append(threading.current_thread() is threading.main_thread())
        return pipeline_without_weights(settings)

    monkeypatch.setattr(session, "open_pipeline", opened)
    result = run("ask", "lamp.txt", QUESTION, "--device", "cpu", "--runtime", runtime)
    assert (result.exit_code, threads) == (0, [not beside])


def test_runtime_and_number_format_reach_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """What excludes each other on the command line is one line and exit code 2."""
    copy = Path("lamp.txt").resolve()
    monkeypatch.undo()
    result = run("ask", str(copy), QUESTION, "--runtime", "torch", "--dtype", "int8")
    assert result.exit_code == 2
    assert "dtype 'int8' is computed by ONNX Runtime only" in result.stderr


def test_failure_while_reading_spoils_no_other_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong with one document fails its questions; the next one is asked."""

    class Unlucky(FakeReader):
        def read_all(self, requests: Any, *, top_k: int) -> Any:
            if any("bell" in passage.text for _, passages in requests for passage in passages):
                raise RuntimeError("odd")
            return super().read_all(requests, top_k=top_k)

    monkeypatch.setattr(session, "open_pipeline", lambda _: docqa.Pipeline(reader=Unlucky()))
    result = run("ask", "bell.txt", "lamp.txt", QUESTION, "--json")
    assert [record["answer"] for record in records(result)] == [None, "40 litres"]
    assert "error: bell.txt: unexpected RuntimeError: odd" in result.stderr
    assert result.exit_code == 2


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--debug`` shows where an unexpected error comes from."""
    monkeypatch.setattr(BrokenReader, "failure", RuntimeError("odd"), raising=False)
    monkeypatch.setattr(session, "open_pipeline", lambda _: docqa.Pipeline(reader=BrokenReader()))
    result = run("ask", "lamp.txt", QUESTION, "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_info_tells_what_a_file_holds() -> None:
    """Type, size, passages and where the text comes from; exit 0."""
    result = run("info", "lamp.txt")
    assert result.exit_code == 0
    facts = dict(row.split(maxsplit=1) for row in result.stdout.splitlines()[1:])
    assert facts["type"] == "text/plain"
    assert facts["size"] == f"{len(LAMP)} characters"
    assert facts["passages"] == "1"


def test_info_counts_what_the_reader_gets() -> None:
    """The count by the tokenizer alone is that of the pipeline around the loaded reader."""
    counter = PassageCounter.of_reader("mini")
    assert counter is not None
    document = docqa.load("\n\n".join([LAMP * 9, BELL * 40, "x1 " * 700]).encode())
    pipeline = docqa.Pipeline(reader=docqa.load_reader("mini", device="cpu"))
    assert counter.count(document) == len(pipeline.passages(document)) > 5


def test_info_falls_back_to_the_loaded_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tokenizer alone cannot tell, the reader is loaded and asked."""
    monkeypatch.setattr(PassageCounter, "of_reader", lambda _: None)
    assert records(run("info", "lamp.txt", "--json"))[0]["passages"] == 1


def test_info_writes_json_lines() -> None:
    """``--json`` is an object for each file, errors among them; exit 2 with a bad one."""
    result = run("info", "lamp.txt", "broken.pdf", "--json")
    lamp, broken = records(result)
    assert (lamp["characters"], lamp["passages"], lamp["pages"]) == (len(LAMP), 1, [])
    assert broken["error"]["kind"] == "UnsupportedFormatError"
    assert result.exit_code == 2


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_shows_examples_and_completion(arguments: list[str]) -> None:
    """Without arguments docqa shows its help, with examples and how to set up completion."""
    result = run(*arguments)
    assert result.exit_code == 0
    for part in ("Examples:", "bash_source", "zsh_source", "fish_source", "Exit codes:"):
        assert part in result.stdout


@pytest.mark.parametrize("command", ["ask", "info"])
def test_help_of_every_command_shows_examples(command: str) -> None:
    """Every command has examples that begin with its name."""
    assert f"  docqa {command} report.pdf" in run(command, "--help").stdout


def test_help_shows_the_defaults_of_the_library() -> None:
    """Defaults that the library holds are read from it."""
    shown = " ".join(run("ask", "--help").stdout.split())
    for name in ("min_score", "top_passages"):
        option = shown[shown.index(f"--{name.replace('_', '-')} ") :]
        default = getattr(docqa.pipeline, f"DEFAULT_{name.upper()}")
        assert option.partition("[default: ")[2].startswith(f"{default}")


def test_every_option_has_a_help() -> None:
    """No option is left to guess."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert [option.name for option in options if not option.help] == []


def test_version() -> None:
    """``--version`` names the program and its version."""
    assert run("--version").stdout == f"docqa, version {docqa.__version__}\n"
