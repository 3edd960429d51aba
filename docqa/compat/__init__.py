"""The call of the question-answering pipeline that transformers 5.3 removed.

Code written for it runs after changing one import::

    from docqa.compat import pipeline       # was: from transformers import pipeline

    qa = pipeline("question-answering")
    qa(question="What is my name?", context="My name is John and I live in Seattle.")
    # {'score': 0.99..., 'start': 11, 'end': 15, 'answer': 'John'}

As there, the score is the softmax of the start times the softmax of the end, each taken over the
passage's tokens and the no-answer position of one window: it does not compare between contexts and
is no calibrated probability, whatever the reader. `docqa.ask` and `docqa.Pipeline` give scores that
compare, and probabilities where the reader is calibrated.

What differs:

- the default model is docqa's ``mini``;
- several answers (``top_k``) never overlap one another, and answers with the same words at several
  places stay apart (later versions of the pipeline added up their scores, past 1);
- a question that leaves no room for the context raises `QuestionError`; nothing is truncated.
  ``max_question_len`` is accepted and, as with the fast tokenizers there, changes nothing;
- ``align_to_words`` goes by letters and digits of the context, not by the tokenizer's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docqa.compat.inputs import Settings, device_name, examples_of
from docqa.compat.outputs import Result, probabilities, shaped
from docqa.datamodel import Passage, Span
from docqa.errors import ModelNotFoundError, SettingError
from docqa.reader.requirements import require

if TYPE_CHECKING:
    from docqa.protocols import SpanModel
    from docqa.reader.span_reader import SpanReader
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["QuestionAnsweringPipeline", "pipeline"]


def pipeline(
    task: str = "question-answering",
    model: Any = None,
    tokenizer: Any = None,
    **settings: Any,
) -> QuestionAnsweringPipeline:
    """Return a callable that answers questions about contexts.

    Args:
        task: ``"question-answering"``; no other task is served.
        model: a name or path for `docqa.load_reader` (None for ``"mini"``), or a transformers model
            with a question-answering head.
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
    device = device_name(settings.pop("device", None))
    dtypes = settings.pop("torch_dtype", None), settings.pop("dtype", None)
    dtype = next((str(each).rpartition(".")[2] for each in dtypes if each is not None), None)
    revision = settings.pop("revision", None)
    defaults = Settings().updated(settings)
    from docqa.reader.models import load_span_reader

    if hasattr(model, "forward"):
        return QuestionAnsweringPipeline(_wrapped(model, tokenizer, (device, dtype)), defaults)
    name = "mini" if model is None else model
    reader = load_span_reader(name, revision=revision, device=device, dtype=dtype)
    if tokenizer is not None and tokenizer != model:
        reader = _reader(reader.model, _fast(tokenizer), name=reader.name)
    return QuestionAnsweringPipeline(reader, defaults)


class QuestionAnsweringPipeline:
    """The callable that `pipeline` returns, with the removed pipeline's inputs and results."""

    task = "question-answering"

    def __init__(self, reader: SpanReader, defaults: Settings) -> None:
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
        examples = list(examples_of(inputs, {k: v for k, v in named.items() if k in places}))
        results = self._answer(examples, settings)
        return results[0] if len(results) == 1 else results

    def _answer(self, examples: list[tuple[str, str]], settings: Settings) -> list[Result]:
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
            nulls, scores = probabilities(read, best.logit)
            for row, window in enumerate(read.windows):
                asked = window.request
                no_answer[asked] = min(no_answer[asked], nulls[row])
                for rank, score in enumerate(scores[row]):
                    if score > 0:
                        first, last = int(best.first[row, rank]), int(best.last[row, rank])
                        found[asked].append((score, read.span(row, first, last)))
        return [
            shaped(context, spans, null, settings)
            for (_, context), spans, null in zip(examples, found, no_answer, strict=True)
        ]

    def _sized(self, settings: Settings) -> SpanReader:
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
    """Return a reader over a loaded transformers model, on its device or the one named."""
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
        require(f"the tokenizer {tokenizer!r} by name", "transformers")
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
