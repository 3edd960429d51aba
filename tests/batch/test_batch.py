"""``docqa batch`` in this process, with a reader that needs no weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import docqa
from docqa.asking.reading_settings import ReadingSettings
from docqa.batch import asking, job
from docqa.batch.answer_file import AnswerFile
from docqa.batch.job import BatchJob
from docqa.batch.questions import BatchQuestion, numbered, read_batch_questions
from docqa.batch.targets import BatchSource, Documents
from docqa.cli import main, session
from docqa.errors import BatchError, ClusterError
from docqa.reader.checkpoints import find_checkpoint
from docqa.testing import FakeReader

LAMP = "The lamp burns 40 litres of oil a week. The keeper trims it at dusk.\n"
BELL = "Fog is near.\nThe bell rings 12 times.\n"
QUESTIONS = "The lamp burns how much oil a week?\nHow often does the bell ring?\n"
ASKED = ("batch", "questions.txt", "docs", "--out", "answers.jsonl")


class CountingReader(FakeReader):
    """Be the fake reader under the name of the shipped weights, and count what is asked."""

    revision = find_checkpoint("cascade").revision
    asked: list[str] = []  # noqa: RUF012 - emptied before each test

    def read_all(self, requests: Any, *, top_k: int) -> Any:
        self.asked.extend(question for question, _ in requests)
        return super().read_all(requests, top_k=top_k)


def pipeline_without_weights(settings: ReadingSettings) -> docqa.Pipeline:
    score = 0.5 if settings.min_score is None else settings.min_score
    return docqa.Pipeline(reader=CountingReader(), min_score=score)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(asking, "open_pipeline", pipeline_without_weights)
    monkeypatch.setattr(session, "open_pipeline", pipeline_without_weights)
    monkeypatch.chdir(tmp_path)
    CountingReader.asked.clear()
    Path("docs").mkdir()
    Path("docs/bell.txt").write_text(BELL)
    Path("docs/lamp.txt").write_text(LAMP)
    Path("questions.txt").write_text(QUESTIONS)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--no-isolate"], prog_name="docqa")


def records() -> list[dict[str, Any]]:
    return [json.loads(row) for row in Path("answers.jsonl").read_text("utf-8").splitlines()]


def answers_of_a_fresh_job() -> bytes:
    run("batch", "questions.txt", "docs", "--out", "fresh.jsonl", "--fresh")
    CountingReader.asked.clear()
    return Path("fresh.jsonl").read_bytes()


def test_lines_are_those_of_ask_and_say_which_cell_they_are() -> None:
    """The file holds what ``docqa ask --json`` writes, in its order, with ``cell`` beside it."""
    assert run(*ASKED).exit_code == 0
    asked = run("ask", "docs", "--questions", "questions.txt", "--json")
    found = records()
    cells = [record.pop("cell") for record in found]
    assert found == [json.loads(row) for row in asked.stdout.splitlines()]
    assert [cell["question_id"] for cell in cells] == ["1", "2", "1", "2"]
    assert cells[0]["content_sha256"] == docqa.load("docs/bell.txt").id


def test_no_answer_is_exit_1() -> None:
    """A job that answers nothing ends as ``docqa ask`` does."""
    Path("questions.txt").write_text("Which island sold parrots?\n")
    result = run(*ASKED)
    assert (result.exit_code, [record["answer"] for record in records()]) == (1, [None, None])


@pytest.mark.parametrize("times", [1, 2, 3, 5, 8, 13, 21, 34])
def test_a_job_cut_off_anywhere_goes_on_to_the_same_file(times: int) -> None:
    """Whatever a kill leaves of the file's end, the whole file comes out, byte for byte."""
    whole = answers_of_a_fresh_job()
    cut = len(whole) * times // 35
    Path("answers.jsonl").write_bytes(whole[:cut])
    assert run(*ASKED).exit_code == 0
    assert Path("answers.jsonl").read_bytes() == whole


def test_a_done_job_asks_nothing() -> None:
    """What is in the file is not asked again, and the reader is not even loaded."""
    whole = answers_of_a_fresh_job()
    Path("answers.jsonl").write_bytes(whole)
    result = run(*ASKED)
    assert (result.exit_code, CountingReader.asked) == (0, [])
    assert "answers.jsonl has 4 of 4 outcomes" in result.stderr


def test_new_documents_and_questions_are_asked() -> None:
    """A document or question more costs its own cells, and the file is as if it had been there."""
    run(*ASKED)
    Path("docs/a.txt").write_text("The lamp burns 7 candles of oil a week.\n")
    run(*ASKED)
    assert len(CountingReader.asked) == 6
    assert Path("answers.jsonl").read_bytes() == answers_of_a_fresh_job()


def test_a_changed_document_is_asked_again_and_said_so() -> None:
    """Answers of other bytes do not stay."""
    run(*ASKED)
    Path("docs/bell.txt").write_text(BELL.replace("12", "13"))
    result = run(*ASKED)
    assert "docs/bell.txt: changed since it was asked; asking it again" in result.stderr
    assert "13" in [record["answer"] for record in records()][1]
    assert Path("answers.jsonl").read_bytes() == answers_of_a_fresh_job()


def test_a_changed_question_is_asked_again_and_said_so() -> None:
    """An id that stands for other words has other answers."""
    run(*ASKED)
    Path("questions.txt").write_text(QUESTIONS.replace("oil", "fat"))
    assert "other words under the same id (1)" in run(*ASKED).stderr
    assert Path("answers.jsonl").read_bytes() == answers_of_a_fresh_job()


def test_other_settings_are_refused_with_what_differs() -> None:
    """Answers of two settings never mix; the message says what to do."""
    run(*ASKED)
    before = Path("answers.jsonl").read_bytes()
    result = run(*ASKED, "-k", "3")
    assert result.exit_code == 2
    assert "read.top_k was 1, now 3" in result.stderr
    assert "--fresh" in result.stderr
    assert Path("answers.jsonl").read_bytes() == before
    assert run(*ASKED, "-k", "3", "--fresh").exit_code == 0


def test_a_bad_file_is_reported_and_retried_when_asked() -> None:
    """It costs exit 2 and lines that say why; ``--retry-failed`` asks it again, else nothing."""
    Path("docs/broken.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    first = run(*ASKED)
    assert (first.exit_code, "docs/broken.pdf" in first.stderr) == (2, True)
    assert [record.get("error", {}).get("kind") for record in records()][2:4] == [
        "UnsupportedFormatError",
        "UnsupportedFormatError",
    ]
    second = run(*ASKED)
    assert (second.exit_code, "with --retry-failed" in second.stderr) == (2, True)
    assert len(CountingReader.asked) == 4
    again = run(*ASKED, "--retry-failed")
    assert (again.exit_code, "asking again 2 outcomes" in again.stderr) == (2, True)


def test_a_missing_file_that_comes_is_asked() -> None:
    """A source that could not be read is asked as soon as it can be."""
    run("batch", "questions.txt", "late.txt", "docs", "--out", "answers.jsonl")
    Path("late.txt").write_text(LAMP)
    assert (
        run("batch", "questions.txt", "late.txt", "docs", "--out", "answers.jsonl").exit_code == 0
    )
    assert records()[0]["answer"] == "40 litres"


def test_documents_not_named_stay() -> None:
    """A job over other documents adds to the file; what is there is kept, and said."""
    run("batch", "questions.txt", "docs/lamp.txt", "--out", "answers.jsonl")
    result = run("batch", "questions.txt", "docs/bell.txt", "--out", "answers.jsonl")
    assert "keeps the outcomes of 1 document not named now" in result.stderr
    assert [record["source"] for record in records()][::2] == ["docs/lamp.txt", "docs/bell.txt"]


@pytest.mark.parametrize("content", ["my notes\n", "my notes", '{"question": "Who?"}\n'])
def test_a_file_of_another_origin_is_left_alone(content: str) -> None:
    """``--out`` never cuts off, or adds to, what a job did not write."""
    Path("answers.jsonl").write_text(content)
    result = run(*ASKED)
    assert (result.exit_code, "was not written by docqa batch" in result.stderr) == (2, True)
    assert Path("answers.jsonl").read_text() == content


def test_one_job_writes_a_file_at_a_time() -> None:
    """A second one is told, and changes nothing."""
    with AnswerFile(Path("answers.jsonl"), {}), pytest.raises(BatchError, match="another docqa"):
        AnswerFile(Path("answers.jsonl"), {})
    assert sorted(path.name for path in Path().glob("*answers*")) == ["answers.jsonl"]


def test_a_full_disk_leaves_whole_outcomes() -> None:
    """A write that fails half-way is taken back; the job goes on when there is room."""
    resource = pytest.importorskip("resource")
    whole = answers_of_a_fresh_job()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) * 2 // 3, hard))
    try:
        result = run(*ASKED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)
    assert len(records()) == 2
    assert run(*ASKED).exit_code == 0
    assert Path("answers.jsonl").read_bytes() == whole


def test_many_questions_are_asked_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """More questions than are read together give the same file, and the document is loaded once."""
    whole = answers_of_a_fresh_job()
    monkeypatch.setattr(job, "_QUESTIONS_PER_JOB", 1)
    run(*ASKED)
    assert Path("answers.jsonl").read_bytes() == whole


def test_several_answers_of_a_cell_stand_together() -> None:
    """A cell of two lines that lost one is asked again."""
    Path("docs/lamp.txt").write_text(
        "The lamp 1 is red.\n\n" + "x " * 700 + "\n\nThe lamp 2 is blue."
    )
    arguments = (*ASKED, "-k", "2", "--min-score", "0")
    run(*arguments)
    whole = Path("answers.jsonl").read_bytes()
    assert max(record["cell"]["lines"] for record in records()) == 2
    Path("answers.jsonl").write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    run(*arguments)
    assert Path("answers.jsonl").read_bytes() == whole


def test_an_item_that_ends_its_workers_is_an_error_of_its_source() -> None:
    """What a pool gives up becomes lines that say so; nothing else is lost."""

    class LosingPool:
        def run(self, work: Any, items: Any, *, on_lost: Any) -> Any:
            for number, item in enumerate(items):
                yield on_lost(item, ClusterError("it ended")) if number == 0 else work(item)

    sources = [BatchSource("docs/bell.txt"), BatchSource("docs/lamp.txt")]
    asked = numbered(QUESTIONS.splitlines())
    with BatchJob(asked, Documents(sources), Path("answers.jsonl"), pool=LosingPool()) as batch:
        list(batch.run())
        assert (batch.tally.failed, batch.tally.answered) == (2, 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.jsonl", '{"id": "a", "question": "Who?"}\n\n{"question": "When? "}\n'),
        ("q.csv", 'id,question\na,Who?\n,"When?"\n'),
    ],
)
def test_questions_have_ids(name: str, text: str) -> None:
    """JSON lines and CSV name their questions; without a name the line does."""
    Path(name).write_text(text)
    assert read_batch_questions(Path(name)) == (
        BatchQuestion("a", "Who?"),
        BatchQuestion("3", "When?"),
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "q.jsonl",
            '{"question": "Who?", "id": 1}\n{"question": "When?", "id": 1}\n',
            "the id '1'",
        ),
        ("q.jsonl", '{"text": "Who?"}\n', 'q.jsonl:1: no "question"'),
        ("q.jsonl", "{\n", "q.jsonl:1: this line is not JSON"),
        ("q.txt", "\n", "no question in q.txt"),
    ],
)
def test_bad_questions_are_named(name: str, text: str, message: str) -> None:
    """A file of questions is right as a whole, or says where it is not."""
    Path(name).write_text(text)
    with pytest.raises(BatchError, match=message):
        read_batch_questions(Path(name))


def test_out_is_no_source() -> None:
    """The answers never replace the questions or a document."""
    assert run("batch", "questions.txt", "docs", "--out", "questions.txt").exit_code == 2
    assert run("batch", "questions.txt", "docs", "--out", "docs/lamp.txt", "--fresh").exit_code == 2
    assert Path("docs/lamp.txt").read_text() == LAMP


def test_documents_and_a_collection_are_not_asked_together() -> None:
    """One or the other, and at least one of them."""
    assert "not both" in run(*ASKED, "--in", "kb").stderr
    assert "name the documents" in run("batch", "questions.txt", "--out", "a.jsonl").stderr
