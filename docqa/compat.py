"""The call of the question-answering pipeline that transformers 5.3 removed.

Code written for it runs after changing one import::

    from docqa.compat import pipeline       # was: from transformers import pipeline

    qa = pipeline("question-answering")
    qa(question="What is my name?", context="My name is John and I live in Seattle.")
    # {'score': 0.99..., 'start': 11, 'end': 15, 'answer': 'John'}

As there, the score is the softmax of the start times the softmax of the end, each taken over the
passage's tokens and the no-answer position of one window: it does not compare between contexts and
is no calibrated probability. `docqa.ask` and `docqa.Pipeline` give scores that compare.

What differs:

- the default model is docqa's ``mini``;
- several answers (``top_k``) never overlap one another, and answers with the same words at several
  places stay apart (later versions of the pipeline added up their scores, past 1);
- a question that leaves no room for the context raises `QuestionError`; nothing is truncated.
  ``max_question_len`` is accepted and, as with the fast tokenizers there, changes nothing;
- ``align_to_words`` goes by letters and digits of the context, not by the tokenizer's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Union

from docqa.datamodel import Passage, Span
from docqa.errors import ModelNotFoundError, QuestionError, SettingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docqa.protocols import SpanModel
    from docqa.reader.span_reader import SpanReader, WindowLogits
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["QuestionAnsweringPipeline", "pipeline"]

Result = Union[dict[str, Any], list[dict[str, Any]]]

_IGNORED = frozenset(
    ("framework", "batch_size", "num_workers", "padding", "use_fast", "max_question_len", "task")
)


@dataclass(frozen=True, slots=True)
class _Settings:
    """Hold the settings of a call, with the removed pipeline's names and defaults."""

    top_k: int = 1
    doc_stride: int | None = None
    max_answer_len: int = 15
    max_seq_len: int | None = None
    handle_impossible_answer: bool = False
    align_to_words: bool = True

    def updated(self, given: Mapping[str, Any]) -> _Settings:
        """Return these settings with others on top; None leaves one as it is."""
        named = {"top_k" if key == "topk" else key: value for key, value in given.items()}
        wanted = {
            key: value for key, value in named.items() if key not in _IGNORED and value is not None
        }
        unknown = sorted(wanted.keys() - set(_Settings.__dataclass_fields__))
        if unknown:
            raise SettingError(f"the question-answering pipeline has no setting {unknown[0]!r}")
        settings = replace(self, **wanted)
        if min(settings.top_k, settings.max_answer_len) < 1:
            raise SettingError("top_k and max_answer_len must be at least 1")
        return settings


def pipeline(
    task: str = "question-answering",
    model: Any = None,
    tokenizer: Any = None,
    **settings: Any,
) -> QuestionAnsweringPipeline:
    """Return a callable that answers questions about contexts.

    Args:
        task: ``"question-answering"``; no other task is served.
        model: what `docqa.load_reader` takes (None for ``"mini"``), or a transformers model with
            a question-answering head.
        tokenizer: None for the model's own; needed, as a fast tokenizer, beside a model object.
        settings: ``device`` (a name, or a number: -1 for the CPU, n for the nth GPU), ``dtype`` or
            ``torch_dtype``, ``revision``, and defaults for the settings of the call.

    Raises:
        SettingError: another task, or a setting that does not exist.
        ModelError: the model cannot be loaded.
    """
    if task != "question-answering":
        raise SettingError(
            f"docqa.compat serves the task 'question-answering', not {task!r}; for others use "
            "transformers.pipeline"
        )
    device = _device(settings.pop("device", None))
    dtypes = settings.pop("torch_dtype", None), settings.pop("dtype", None)
    dtype = next((str(each).rpartition(".")[2] for each in dtypes if each is not None), None)
    revision = settings.pop("revision", None)
    defaults = _Settings().updated(settings)
    from docqa.reader.models import load_reader

    if hasattr(model, "forward"):
        return QuestionAnsweringPipeline(_wrapped(model, tokenizer, (device, dtype)), defaults)
    name = "mini" if model is None else model
    reader = load_reader(name, device=device, dtype=dtype, revision=revision)
    if tokenizer is not None and tokenizer != model:
        reader = _reader(reader.model, _fast(tokenizer), name=reader.name)
    return QuestionAnsweringPipeline(reader, defaults)


class QuestionAnsweringPipeline:
    """Answer questions about contexts, in the removed pipeline's shapes.

    Made by `pipeline`.
    """

    task = "question-answering"

    def __init__(self, reader: SpanReader, defaults: _Settings) -> None:
        self._reader = reader
        self._defaults = defaults
        self._readers: dict[tuple[int, int], SpanReader] = {}

    def __call__(self, *inputs: Any, **named: Any) -> Result | list[Result]:
        """Answer one question or several.

        Args:
            inputs: a mapping with ``question`` and ``context``, a sequence of such, or a question
                and a context.
            named: ``question`` and ``context`` (strings, or lists of the same length, or one
                context for a list of questions), or ``data`` (as `inputs`); and the settings
                ``top_k=1``, ``doc_stride=128`` (tokens that windows share), ``max_answer_len=15``,
                ``max_seq_len=384`` (both in tokens), ``handle_impossible_answer=False`` (then the
                empty answer competes) and ``align_to_words=True``.

        Returns:
            For one question ``{"score", "start", "end", "answer"}``, or a list of them, best first,
            when `top_k` leaves more than one; ``start, end`` are half-open characters of the
            context. For several questions a list of these.

        Raises:
            QuestionError: a question is empty or too long.
            SettingError: a setting or the input is not as above.
        """
        places = ("question", "context", "data", "X")
        settings = self._defaults.updated({k: v for k, v in named.items() if k not in places})
        examples = list(_examples(inputs, {k: v for k, v in named.items() if k in places}))
        results = self._answer(examples, settings)
        return results[0] if len(results) == 1 else results

    def _answer(self, examples: list[tuple[str, str]], settings: _Settings) -> list[Result]:
        from docqa.reader.decoding import best_spans

        requests = [
            (question, [Passage("context", 0, Span(0, len(context)), context)])
            for question, context in examples
        ]
        found: list[list[tuple[float, Span]]] = [[] for _ in examples]
        no_answer = [1.0] * len(examples)
        for read in self._sized(settings).logits(requests):
            best = best_spans(
                read.start_logits,
                read.end_logits,
                read.batch.answerable,
                max_answer_tokens=settings.max_answer_len,
                n_best=settings.top_k,
            )
            nulls, scores = _probabilities(read, best.logit)
            for row, window in enumerate(read.windows):
                asked = window.request
                no_answer[asked] = min(no_answer[asked], nulls[row])
                begin = window.first - int(read.batch.passage_starts[row])
                for rank, score in enumerate(scores[row]):
                    if score > 0:
                        start = window.tokens.starts[begin + int(best.first[row, rank])]
                        end = window.tokens.ends[begin + int(best.last[row, rank])]
                        found[asked].append((score, Span(int(start), int(end))))
        return [
            _shaped(context, spans, null, settings)
            for (_, context), spans, null in zip(examples, found, no_answer, strict=True)
        ]

    def _sized(self, settings: _Settings) -> SpanReader:
        """Return the reader with the window that the settings ask for."""
        reader = self._reader
        most = getattr(reader.model, "max_tokens", reader.window_tokens)
        window = settings.max_seq_len or min(384, most)
        overlap = min(window // 2, 128) if settings.doc_stride is None else settings.doc_stride
        room = window - reader.tokenizer.template.n_special - overlap - 1
        if window > most or overlap < 0 or room < 1:
            raise SettingError(
                f"max_seq_len={window} must be at most {most}, what the model takes, and leave "
                f"room for a question beside doc_stride={overlap}"
            )
        if (window, overlap) not in self._readers:
            self._readers[window, overlap] = _reader(
                reader.model,
                reader.tokenizer,
                name=reader.name,
                window_tokens=window,
                window_overlap=overlap,
                max_question_tokens=room,
                batch_tokens=reader.batch_tokens,
            )
        return self._readers[window, overlap]


def _reader(model: SpanModel, tokenizer: FastTokenizer, *, name: str, **sizes: Any) -> SpanReader:
    from docqa.reader.span_reader import SpanReader

    most = getattr(model, "max_tokens", 384)
    defaults = {"window_tokens": min(most, 384), "window_overlap": 0, "max_question_tokens": 1}
    return SpanReader(model, tokenizer, name=name, no_answer=True, **{**defaults, **sizes})


def _wrapped(module: Any, tokenizer: Any, where: tuple[str, str | None]) -> SpanReader:
    """Return a reader over a loaded transformers model, where it is unless told otherwise."""
    from docqa.reader.modules import place

    fast = _fast(tokenizer)
    weight = next(module.parameters())
    model = place(
        module,
        module.config.to_dict(),
        separator_id=fast.template.between[0],
        device=str(weight.device) if where[0] == "auto" else where[0],
        dtype=where[1] or str(weight.dtype).rpartition(".")[2],
    )
    return _reader(model, fast, name=type(module).__name__)


def _fast(tokenizer: Any) -> FastTokenizer:
    """Return docqa's view of a fast tokenizer of transformers, given as object, name or path."""
    from docqa.reader.tokenizer import FastTokenizer

    if isinstance(tokenizer, str):
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(tokenizer)
        except (OSError, ValueError) as error:
            raise ModelNotFoundError(f"no tokenizer {tokenizer!r} could be loaded") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise SettingError(
            "a model object needs its fast tokenizer beside it: "
            "pipeline('question-answering', model=model, tokenizer=tokenizer)"
        )
    copied = type(backend).from_str(backend.to_str())
    return FastTokenizer(copied, pad_id=tokenizer.pad_token_id or 0)


def _probabilities(
    read: WindowLogits, span_logits: NDArray[np.float64]
) -> tuple[list[float], list[list[float]]]:
    """Return the no-answer and the spans' probabilities of each window, as the pipeline had them.

    Starts and ends are normalised one by one, over the passage's tokens and the no-answer position
    (the first column).
    """
    import numpy as np

    allowed = read.batch.answerable.copy()
    allowed[:, 0] = True
    total = np.zeros(len(read.windows))
    for logits in (read.start_logits, read.end_logits):
        kept = np.where(allowed, logits.astype(np.float64), -np.inf)
        total += np.logaddexp.reduce(kept, axis=1)
    null_logits = read.start_logits[:, 0].astype(np.float64) + read.end_logits[:, 0]
    nulls: list[float] = np.exp(null_logits - total).tolist()
    scores: list[list[float]] = np.exp(span_logits - total[:, None]).tolist()
    return nulls, scores


def _shaped(
    context: str, spans: list[tuple[float, Span]], no_answer: float, settings: _Settings
) -> Result:
    """Return the answers of one question: a mapping for one, a list for several."""
    kept: list[tuple[float, Span]] = []
    for score, exact in sorted(spans, key=lambda each: (-each[0], each[1])):
        span = _aligned(context, exact) if settings.align_to_words else exact
        if not any(span.overlaps(better) for _, better in kept):
            kept.append((score, span))
    if settings.handle_impossible_answer:
        kept.append((no_answer, Span(0, 0)))
        kept.sort(key=lambda each: -each[0])
    answers = [
        {"score": score, "start": span.start, "end": span.end, "answer": span.of(context)}
        for score, span in kept[: settings.top_k]
    ]
    return answers[0] if len(answers) == 1 else answers


def _aligned(text: str, span: Span) -> Span:
    """Widen a span to the borders of the words that it cuts.

    >>> _aligned("in Hyderabad.", Span(3, 8)).of("in Hyderabad.")
    'Hyderabad'
    """
    start, end = span.start, span.end
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)


def _examples(inputs: tuple[Any, ...], named: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (question, context) from any of the removed pipeline's forms of input."""
    if inputs and all(isinstance(each, str) for each in inputs):
        if len(inputs) > 2:
            raise SettingError("give a question and a context, or mappings that hold both")
        named = {**named, **dict(zip(("question", "context"), inputs, strict=False))}
        inputs = ()
    if inputs or "question" not in named:
        given = inputs if len(inputs) > 1 else (inputs or [named.get("data", named.get("X"))])[0]
        for each in [given] if isinstance(given, Mapping) or given is None else given:
            if not isinstance(each, Mapping) or not {"question", "context"} <= each.keys():
                raise SettingError("each input needs a question and a context")
            yield _checked(each["question"], each["context"])
        return
    questions, contexts = named["question"], named.get("context")
    if isinstance(questions, str):
        questions = [questions]
        contexts = [contexts]
    elif isinstance(contexts, str):
        contexts = [contexts] * len(questions)
    if not isinstance(contexts, Sequence) or len(questions) != len(contexts):
        raise SettingError("there must be one context, or one for each question")
    for question, context in zip(questions, contexts, strict=True):
        yield _checked(question, context)


def _checked(question: Any, context: Any) -> tuple[str, str]:
    if not isinstance(question, str) or not question.strip():
        raise QuestionError("a question must be a string that is not empty")
    if not isinstance(context, str) or not context.strip():
        raise SettingError("a context must be a string that is not empty")
    return question, context


def _device(device: Any) -> str:
    """Return the name of a device given in any of the removed pipeline's forms.

    >>> _device(None), _device(-1), _device(1), _device("mps")
    ('auto', 'cpu', 'cuda:1', 'mps')
    """
    if device is None:
        return "auto"
    if isinstance(device, int):
        return "cpu" if device < 0 else f"cuda:{device}"
    return str(device)
