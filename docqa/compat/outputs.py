"""The removed pipeline's scores, and the shapes of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docqa.compat.inputs import Settings
from docqa.datamodel import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docqa.reader.window_logits import WindowLogits

__all__ = ["Result", "probabilities", "shaped"]

Result = dict[str, Any] | list[dict[str, Any]]


def probabilities(
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


def shaped(
    context: str, spans: list[tuple[float, Span]], no_answer: float, settings: Settings
) -> Result:
    """Return the answers of one question: a mapping for one, a list for several."""
    kept: list[tuple[float, Span]] = []
    for score, exact in sorted(spans, key=lambda each: (-each[0], each[1])):
        if len(kept) == settings.top_k:
            break
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
