"""The pipeline: the position contract, merging, the grid and what stays warm."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import docqa
from docqa import limits
from docqa.asking.answers import answers_from_spans, relevances
from docqa.asking.prepared import prepare
from docqa.calibration import Calibration
from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, RankedPassage, Span, logistic
from docqa.load_settings import LoadSettings
from docqa.passages import splitter
from docqa.passages.sentences import block_sentences
from docqa.pipeline import Pipeline
from docqa.testing import FakeReader

LOG = (
    b"The station opened in 1911. The lamp burns forty litres of oil a week.\n\n"
    b"The bell weighs nine hundred kilograms. It rings in fog.\n"
)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(reader=FakeReader(), min_score=0.0)


def test_an_answer_is_the_exact_words_at_its_place(pipeline: Pipeline):
    """The position contract, with the sentence and the line around the answer."""
    document = docqa.load(LOG)
    (answer,) = pipeline.ask(document, "How much oil does the lamp burn a week?")
    assert document.text[answer.start : answer.end] == answer.text
    assert answer.context == "The lamp burns forty litres of oil a week."
    assert (answer.line, answer.document.id) == (1, document.id)


class SlowReader(FakeReader):
    """A reader that takes 100 s of a clock for each passage, and looks at its time."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self.clock = clock

    def read(self, question, passages, *, top_k):
        for _ in passages:
            self.clock[0] += 100
            limits.check_time()
        return super().read(question, passages, top_k=top_k)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the clock that limits look at; it stands still."""
    now = [0.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize(("wall_seconds", "fails"), [(90, True), (250, False), (None, False)])
def test_time_limit_holds_for_reading(clock, wall_seconds, fails):
    """Reading for one question may take the time of its source; the next question has its own."""
    document = docqa.load(LOG, name="log.txt", limits=docqa.Limits(wall_seconds=wall_seconds))
    items = list(Pipeline(reader=SlowReader(clock)).ask_all(document, ["Which bell?", "What oil?"]))
    errors = [item.error for item in items]
    assert [isinstance(error, docqa.LoadTimeoutError) for error in errors] == [fails, fails]
    if fails:
        assert "log.txt: loading, splitting, indexing and reading it takes over" in str(errors[0])
        assert "--time-limit" in str(errors[0])


def test_time_limit_holds_for_splitting(clock, monkeypatch):
    """A text that takes too long to split fails, and the next source is asked."""

    def slow(*given):
        clock[0] += 40
        return block_sentences(*given)

    monkeypatch.setattr(splitter, "block_sentences", slow)
    pipeline = Pipeline(reader=FakeReader(), min_score=0.0, limits=docqa.Limits(wall_seconds=90))
    long, short = pipeline.ask_all([b"The bell rings.\n\n" * 9, LOG], "How much oil does it burn?")
    assert isinstance(long.error, docqa.LoadTimeoutError)
    assert short.error is None


def test_time_limit_holds_for_collections(clock, monkeypatch, tmp_path):
    """A source that takes too long to split is a failure of its own."""

    def slow(*given):
        clock[0] += 40
        return block_sentences(*given)

    monkeypatch.setattr(splitter, "block_sentences", slow)
    loading = LoadSettings(limits=docqa.Limits(wall_seconds=90))
    made = Pipeline(reader=FakeReader()).with_loading(loading)
    with docqa.Collection(tmp_path / "kb", pipeline=made) as collection:
        (tmp_path / "long.txt").write_bytes(b"The bell rings.\n\n" * 9)
        changes = collection.add(tmp_path / "long.txt")
    (failed,) = changes.failed
    assert failed.kind == "LoadTimeoutError"


WORDS = st.sampled_from(
    ["lamp", "oil", "bell", "fog", "1911", "§ 12.3", "the", "of", "rings", ".", "!", "\n", "\n\n"]
)


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=400), st.integers(1, 6))
def test_position_contract_on_any_text(words, top_k):
    """For any text, size and number of answers the words stand where the answer says."""
    document = docqa.load(" ".join(words).encode(), media_type="text/plain")
    if not document.text.strip():
        return
    small = Pipeline(reader=FakeReader(), min_score=0.0, passage_tokens=24, overlap=8)
    answers = small.ask(document, "Which bell rings in fog?", top_k=top_k)
    places = [Span(a.start, a.end) for a in answers]
    places += [Span(o.start, o.end) for a in answers for o in a.occurrences]
    assert all(a.text == document.text[a.start : a.end] for a in answers)
    assert not any(p.overlaps(q) for n, p in enumerate(places) for q in places[:n])
    assert len(answers) <= top_k


def spans(document, *found: tuple[int, int, int, float]) -> AnswerSpans:
    """Propose (passage start, start, end, margin), all offsets of the document."""
    proposals = []
    for number, (base, start, end, margin) in enumerate(found):
        text = document.text[base:]
        passage = Passage(document.id, number, Span(base, len(document.text)), text)
        proposals.append(AnswerSpan(passage, Span(start - base, end - base), margin, margin, 0.0))
    return AnswerSpans("?", tuple(proposals), len(found))


def test_one_span_seen_through_two_passages_is_one_answer():
    """Overlapping passages do not repeat an answer nor raise its score."""
    document = docqa.load(LOG)
    proposals = spans(document, (0, 22, 26, 0.9), (10, 22, 26, 0.8), (10, 19, 26, 0.7))
    answers = merged(document, proposals)
    assert [(a.text, a.score, a.occurrences) for a in answers] == [
        ("1911", proposals.spans[0].score, ())
    ]


def test_the_same_words_elsewhere_are_occurrences():
    """Equal words at two places are one answer that knows both."""
    document = docqa.load(b"Oil is stored below. The OIL is heavy.")
    proposals = spans(document, (0, 25, 28, 0.9), (0, 0, 3, 0.6), (0, 0, 6, 0.5))
    (answer,) = merged(document, proposals)
    assert (answer.text, answer.start) == ("OIL", 25)
    assert [(o.start, o.end) for o in answer.occurrences] == [(0, 3)]


def merged(document, proposals, *, relevance=None, top_k=5, min_score=0.0, calibration=None):
    """Return the answers made of proposals, whose passages are all the best unless said."""
    places = {span.passage.place: 1.0 for span in proposals.spans}
    return answers_from_spans(
        {document.id: document},
        proposals,
        places if relevance is None else relevance,
        top_k=top_k,
        min_score=min_score,
        calibration=calibration,
    )


def test_a_badly_ranked_passage_needs_more_evidence():
    """A passage loses 6 of the margin for the relevance that it lacks, in order and score."""
    document = docqa.load(LOG)
    proposals = spans(document, (0, 22, 26, 3.0), (28, 47, 59, 4.0))
    ranked = [
        RankedPassage(span.passage, rank, score)
        for rank, (span, score) in enumerate(zip(proposals.spans, (8.0, 2.0), strict=True), 1)
    ]
    weighed = merged(document, proposals, relevance=relevances(ranked))
    assert [(a.start, a.score) for a in weighed] == [(22, logistic(3.0)), (47, logistic(-0.5))]
    assert [answer.start for answer in merged(document, proposals)] == [47, 22]


def test_a_ranking_of_a_calibration_orders_places():
    """Its weights decide which of two overlapping spans stays, and which answer comes first."""
    document = docqa.load(LOG)
    proposals = spans(document, (0, 22, 26, 3.0), (0, 19, 26, 2.0), (0, 47, 59, 1.0))
    by_margin = merged(document, proposals)
    backwards = Calibration(0.0, {"odds": 1.0}, ranking={"margin": -1.0}, ranking_bias=1.0)
    assert [(a.start, a.end) for a in by_margin] == [(22, 26), (47, 59)]
    found = merged(document, proposals, calibration=backwards)
    assert [(a.start, a.end) for a in found] == [(47, 59), (19, 26)]


CALIBRATIONS = st.builds(
    Calibration,
    st.floats(-3, 3),
    st.dictionaries(st.sampled_from(["odds", "margin", "relevance", "coverage"]), st.floats(-2, 2)),
    ranking=st.dictionaries(st.sampled_from(["margin", "relevance"]), st.floats(-2, 2)),
    ranking_bias=st.floats(-3, 3),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-8, 8), st.floats(0, 1)), min_size=6, max_size=6), CALIBRATIONS)
def test_scores_fall_down_the_list(places, calibration):
    """Whatever is weighed, over two documents; an occurrence is never above its answer."""
    documents = [docqa.load(b"Oil is below. The OIL is here. Old oil.", name=n) for n in "ab"]
    documents[1] = replace(documents[1], id="b")
    proposals, relevance = [], {}
    for number, (margin, share) in enumerate(places):
        document = documents[number % 2]
        passage = Passage(document.id, number, Span(0, len(document.text)), document.text)
        start = (0, 18, 31)[number // 2]  # "Oil", "OIL", "Old"
        proposals.append(AnswerSpan(passage, Span(start, start + 3), margin, margin, 0.0))
        relevance[passage.place] = share
    found = answers_from_spans(
        {document.id: document for document in documents},
        AnswerSpans("Where is oil?", tuple(proposals), 6),
        relevance,
        top_k=9,
        min_score=0.0,
        calibration=calibration,
    )
    assert len(found) == 4
    assert all(one.score >= other.score for one, other in pairwise(found))
    assert all(o.score <= answer.score for answer in found for o in answer.occurrences)


def test_other_documents_leave_a_score_as_it_is():
    """The answers of a document, and their scores, are those that it has alone."""
    one, other = docqa.load(LOG, name="a"), docqa.load(LOG + b"!", name="b")
    own = spans(one, (0, 22, 26, 3.0), (0, 47, 59, 2.5))
    both = replace(own, spans=(*own.spans, *spans(other, (0, 84, 96, 9.0)).spans))
    relevance = {span.passage.place: 0.9 for span in both.spans}
    calibration = Calibration(-1.0, {"odds": 0.5})
    alone, together = (
        answers_from_spans(
            {one.id: one, other.id: other},
            proposals,
            relevance,
            top_k=9,
            min_score=0.0,
            calibration=calibration,
        )
        for proposals in (own, both)
    )
    assert len(together) == 3
    assert [answer for answer in together if answer.document.id == one.id] == alone


def test_an_unrelated_passage_does_not_change_a_score(pipeline: Pipeline):
    """Scores compare across files: what else a file holds does not count."""
    question = "How much oil does the lamp burn a week?"
    longer = LOG + b"\nThe lamp, the lamp: how much lamp is a lamp a week?\n"
    (alone,), (beside,) = pipeline.ask(LOG, question), pipeline.ask(longer, question)
    assert (alone.text, alone.score) == (beside.text, beside.score)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C#"), ("$40", "€40"), ("-5%", "5%"), ("<5", ">5"), ("(5)", "5"), ("a", "b")],
)
def test_signs_and_currencies_keep_answers_apart(one: str, other: str):
    """Different values are different answers, however alike they look."""
    text = f"{one} {other}"
    document = docqa.load(text.encode(), media_type="text/plain")
    places = (0, 0, len(one), 2.0), (0, len(one) + 1, len(text), 1.0)
    found = merged(document, spans(document, *places))
    assert [answer.text for answer in found] == [one, other]


def test_many_repetitions_hide_no_other_answer():
    """Forty places with the same words are one answer; the second answer is still there."""
    text = "The auditor is Quill.\n\n" * 40 + "The auditor is Brown.\n"
    pipeline = Pipeline(reader=FakeReader(), passage_tokens=4, overlap=0, min_score=0.0)
    found = pipeline.ask(text.encode(), "Who is the auditor?", top_k=2, exhaustive=True)
    assert [(answer.text, len(answer.occurrences)) for answer in found] == [
        ("Quill", 39), ("Brown", 0),
    ]  # fmt: skip


def test_min_score_decides_when_the_list_is_empty(pipeline: Pipeline):
    """Below the threshold there is no answer, and the coverage still says what was read."""
    answers = pipeline.ask(docqa.load(LOG), "Which bell is it?", min_score=1.0)
    assert answers == []
    assert str(answers.coverage).startswith("read 1 of 1")


def test_a_question_without_shared_terms_still_reads_a_short_document(pipeline: Pipeline):
    """Where the ranking finds nothing, passages are read in order, up to the limit."""
    answers = pipeline.ask(docqa.load(LOG), "Zebra?")
    assert answers.coverage.passages_read == answers.coverage.passages_total > 0


def test_exhaustive_reads_every_passage():
    """`exhaustive` overrules `top_passages`."""
    document = docqa.load(LOG * 30)
    few, every = (
        Pipeline(
            reader=FakeReader(), passage_tokens=40, overlap=0, top_passages=2, exhaustive=exhaustive
        ).ask(document, "Which bell rings?")
        for exhaustive in (False, True)
    )
    assert few.coverage.passages_read == 2
    assert every.coverage.passages_read == every.coverage.passages_total > 2


def test_ranked_shows_the_passages_that_are_read():
    """Best rank first, as many as are read and the first one; without a common term no score."""
    document = docqa.load(LOG * 20)
    small = Pipeline(reader=FakeReader(), passage_tokens=20, overlap=0, top_passages=5)
    ranked = small.ranked(document, "When does the bell ring?")
    assert [each.rank for each in ranked] == [1, 2, 3, 4, 5, 6]
    assert "bell" in ranked[0].passage.text
    assert len(small.ranked(document, "zebra")) == 5
    assert {each.score for each in small.ranked(document, "zebra")} == {0.0}
    assert len(small.passages(document)) > 5


def test_the_grid_is_every_question_of_every_source_in_order(tmp_path: Path, pipeline: Pipeline):
    """A bad file gives items with its error; the rest goes on."""
    good, blank = tmp_path / "good.txt", tmp_path / "blank.txt"
    good.write_bytes(LOG)
    blank.write_bytes(b" \n")
    sources = [good, tmp_path / "gone.txt", blank, docqa.load(LOG, name="log")]
    items = list(pipeline.ask_all(sources, ["Which bell?", "", "How much oil?"]))
    assert [(Path(i.source).name, i.question) for i in items[:4]] == [
        ("good.txt", "Which bell?"), ("good.txt", ""), ("good.txt", "How much oil?"),
        ("gone.txt", "Which bell?"),
    ]  # fmt: skip
    errors = [type(item.error).__name__ for item in items]
    assert errors == [
        "NoneType", "QuestionError", "NoneType",
        *["SourceNotFoundError"] * 3, *["NoTextError"] * 3,
        "NoneType", "QuestionError", "NoneType",
    ]  # fmt: skip


def test_the_grid_equals_asking_one_by_one(pipeline: Pipeline):
    """Sharing batches changes nothing."""
    documents = [docqa.load(LOG, name="a"), docqa.load(LOG[28:], name="b")]
    questions = ["Which bell rings in fog?", "How much oil a week?"]
    items = list(pipeline.ask_all(documents, questions, top_k=3))
    assert [item.answers for item in items] == [
        pipeline.ask(document, question, top_k=3)
        for document in documents
        for question in questions
    ]


def test_a_document_is_split_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch):
    """A second question on the same bytes neither loads nor splits again."""
    calls = []
    monkeypatch.setattr(
        "docqa.asking.pipeline.prepare",
        lambda *args, **named: calls.append(1) or prepare(*args, **named),
    )
    for question in ("Which bell?", "How much oil?"):
        pipeline.ask(LOG, question)
    assert calls == [1]


def test_settings_of_ask_share_one_reader(monkeypatch: pytest.MonkeyPatch):
    """Other settings do not load the model again."""
    loaded = []
    monkeypatch.setattr(
        "docqa.reader.models.load_reader", lambda name: loaded.append(name) or FakeReader()
    )
    for settings_ in ({}, {"top_passages": 2}, {"exhaustive": True}, {"content": "main"}, {}):
        docqa.ask(LOG, "Which bell rings in fog?", reader="some-reader", **settings_)
    assert loaded == ["some-reader"]


def test_outcomes_come_before_all_sources_are_loaded(pipeline: Pipeline):
    """The grid holds a bounded number of documents, and an error is yielded at once."""
    taken = []

    def sources():
        for number in range(100):
            taken.append(number)
            yield docqa.load(LOG, name=str(number))

    next(pipeline.ask_all(sources(), ["Which bell?"]))
    assert len(taken) <= 8
    items = pipeline.ask_all(iter(["gone.txt", LOG]), ["Which bell?"])
    assert isinstance(next(items).error, docqa.SourceNotFoundError)


def test_one_source_and_one_question_are_not_taken_apart(tmp_path: Path, pipeline: Pipeline):
    """A path is a source, not a sequence of letters; so is a question."""
    path = tmp_path / "log.txt"
    path.write_bytes(LOG)
    for source in (path, str(path), LOG, docqa.load(LOG)):
        (item,) = pipeline.ask_all(source, "Which bell rings in fog?")
        assert item.answers
    with path.open("rb") as file:
        assert len(list(pipeline.ask_all(file, ["Which bell?", "How much oil?"]))) == 2


def test_a_question_that_is_no_string_is_refused(pipeline: Pipeline):
    """A list passed to `ask` as its question is named."""
    with pytest.raises(docqa.QuestionError, match="not a list"):
        pipeline.ask(LOG, ["Which bell?"])  # type: ignore[arg-type]


def test_no_answer_runs_from_one_block_into_the_next():
    """A heading, a row and a cell each bound an answer."""
    page = b"<!doctype html><h1>Oil use</h1><table><tr><td>Lamp<td>40 litres<tr><td>Bell</table>"
    document = docqa.load(page)
    (passage,) = Pipeline(reader=FakeReader()).passages(document)
    pieces = [passage.text[a:b].strip() for a, b in pairwise([0, *passage.borders, None])]
    assert pieces == ["Oil use", "Lamp", "40 litres", "Bell"]


def test_a_missing_library_fails_its_source_alone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
):
    """A source that needs an absent library is an item with an error; others are answered."""

    def without(self, data, *, source):
        raise docqa.MissingDependencyError("pip install it")

    monkeypatch.setattr("docqa.loaders.html.loader.HtmlLoader.load", without)
    items = list(pipeline.ask_all([LOG, b"<!doctype html><p>x"], ["Which bell rings in fog?"]))
    assert [type(item.error).__name__ for item in items] == ["NoneType", "MissingDependencyError"]


def test_a_file_that_changed_is_read_again(tmp_path: Path, pipeline: Pipeline):
    """What stays warm goes by content, not by name."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"The bell weighs nine kilograms.")
    first = pipeline.ask(path, "How heavy is the bell?")
    path.write_bytes(b"The bell weighs ten tons.")
    second = pipeline.ask(path, "How heavy is the bell?")
    assert first[0].document.id != second[0].document.id


@pytest.mark.parametrize("question", ["", "  \n", "word " * 200])
def test_questions_that_cannot_be_read_are_errors(pipeline: Pipeline, question: str):
    """Blank and over-long questions raise; nothing is cut silently."""
    with pytest.raises(docqa.QuestionError):
        pipeline.ask(docqa.load(LOG), question)


@pytest.mark.parametrize(
    "setting",
    [{"top_passages": 0}, {"min_score": 1.5}, {"passage_tokens": 5000}, {"content": "some"}],
)
def test_settings_out_of_range_are_named(setting):
    """The message holds the setting's name."""
    with pytest.raises(docqa.SettingError, match=next(iter(setting))):
        Pipeline(reader=FakeReader(), **setting).ask(docqa.load(LOG), "Which bell?")


def test_a_document_without_text_says_so(pipeline: Pipeline):
    """White space is no text to answer from."""
    with pytest.raises(docqa.NoTextError, match="no text to answer from"):
        pipeline.ask(docqa.load(b" \n", name="blank.txt"), "Which bell?")


def test_answers_pickle_with_their_coverage(pipeline: Pipeline):
    """What a worker process sends comes back equal, coverage included."""
    answers = pipeline.ask(docqa.load(LOG), "Which bell rings in fog?")
    copy = pickle.loads(pickle.dumps(answers))
    assert (copy, copy.coverage) == (answers, answers.coverage)


def test_the_dictionary_has_the_names_everybody_knows(pipeline: Pipeline):
    """`answer`, `score`, `start`, `end`, and plain values throughout."""
    import json

    (answer,) = pipeline.ask(docqa.load(LOG), "Which bell rings in fog?")
    record = json.loads(json.dumps(answer.to_dict()))
    assert (record["answer"], record["start"], record["end"]) == (
        answer.text, answer.start, answer.end,
    )  # fmt: skip
    assert record["locations"][0]["line"] == answer.line


def test_a_question_is_checked_once_for_all_sources(monkeypatch: pytest.MonkeyPatch):
    """What a question's tokens say does not depend on the source."""
    reader, checked = FakeReader(), []
    check = reader.check_question
    monkeypatch.setattr(
        reader, "check_question", lambda question: (checked.append(question), check(question))[1]
    )
    documents = [docqa.load(LOG, name=name) for name in "abc"]
    items = list(Pipeline(reader=reader).ask_all(documents, ["Which bell rings?", ""]))
    assert checked == ["Which bell rings?", ""]
    assert [item.error is not None for item in items] == [False, True] * 3


def test_several_questions_share_batches(checkpoint):
    """All questions on a document are read in the passes that their tokens fill, not one by one."""
    reader = docqa.load_reader(checkpoint("bert"), device="cpu", batch_tokens=2000)
    forward, passes = reader.model, []

    def counted(input_ids, attention_mask):
        passes.append(input_ids.size)
        return forward(input_ids, attention_mask)

    reader.model = counted
    questions = [f"who lives in seattle {n} ?" for n in range(6)]
    list(Pipeline(reader=reader).ask_all([LOG * 3], [*questions, *questions]))
    assert len(passes) < len(questions)
    assert sum(passes) < 2000 * len(passes)


def test_a_document_s_beginning_is_always_read() -> None:
    """The first two passages come on top; for who and when as relevant ones; never for few."""
    paragraphs = ["Dated on May 4 of 2019 in Turin.", "Made between Alpha and also with Beta."]
    paragraphs += [f"Clause {number}: the fee, fee {'fee ' * number}" for number in range(30)]
    with docqa.load("\n\n".join(paragraphs).encode()) as document:
        for top_passages, opening in ((4, 0), (5, 1), (10, 2)):
            pipeline = Pipeline(
                reader=FakeReader(), passage_tokens=8, overlap=0, top_passages=top_passages
            )
            ranked = pipeline.ranked(document, "What is the fee?")
            assert [one.rank for one in ranked] == list(range(1, top_passages + opening + 1))
            added = [(one.passage.number, one.score) for one in ranked[top_passages:]]
            assert added == [(number, 0.0) for number in range(opening)]
            ranked = pipeline.ranked(document, "Who pays the fee?")
            least = 0.7 * ranked[0].score
            raised = [(one.passage.number, one.score) for one in ranked if one.passage.number < 2]
            assert raised == [(number, least) for number in range(opening)]
            assert [one.score for one in ranked] == sorted(one.score for one in ranked)[::-1]


def test_keywords_are_read_as_a_question() -> None:
    """The reader checks and gets a question; the answers name the words that were asked."""
    seen: list[str] = []

    class Listening(FakeReader):
        def check_question(self, question):
            seen.append(question)

        def read_all(self, requests, *, top_k):
            seen.extend(question for question, _ in requests)
            return super().read_all(requests, top_k=top_k)

    [answer] = Pipeline(reader=Listening(), min_score=0).ask(LOG, "bell rings")
    assert (seen, answer.question) == (["What is the bell rings?"] * 2, "bell rings")
