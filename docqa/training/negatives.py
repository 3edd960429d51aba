"""Hard negatives: passages that rank high for a question and do not answer it.

In real use a reader sees the question beside ten passages that BM25 ranks high, nine of them
without the answer. It has to have seen such pairs to say "not here" of them (Karpukhin et al.
2020, section 3.2, use the same for a retriever).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from docqa.datamodel import Passage, Span
from docqa.index.memory import MemoryIndex
from docqa.question_sets import Article, Paragraph, Question, QuestionSet

__all__ = ["Negative", "hard_negatives"]

_MOST_PARAGRAPHS = 400  # ranked against one another: about what a long document has
_TOP_PASSAGES = 10  # how deep a passage without the answer is looked for


@dataclass(frozen=True, slots=True)
class Negative:
    """A question with a context that does not answer it."""

    question: Question
    context: str


def hard_negatives(asked: QuestionSet, *, share: float, seed: int = 0) -> list[Negative]:
    """Pair some answerable questions with the best-ranked passage that lacks their answers.

    The passages are the other paragraphs of the same article, since that is what a document holds
    (neighbouring articles together where they are short, parts of 400 paragraphs where they are
    long). A passage that holds a gold answer's words, in any case, is passed over.

    Args:
        asked: questions with gold answers.
        share: of the answerable questions, 0 to 1.
        seed: decides which.

    Returns:
        At most one negative for each question; none where no other passage shares a term.
    """
    random = np.random.default_rng([seed, 2])
    made: list[Negative] = []
    for paragraphs in _groups(asked.articles):
        index = MemoryIndex()
        index.add(_passage(number, each.context) for number, each in enumerate(paragraphs))
        for paragraph in paragraphs:
            for question in paragraph.questions:
                if question.answerable and random.random() < share:
                    made += _negative(question, paragraph, index)
    return made


def _groups(articles: Sequence[Article]) -> Iterator[list[Paragraph]]:
    group: list[Paragraph] = []
    for article in articles:
        for paragraph in article.paragraphs:
            if len(group) == _MOST_PARAGRAPHS:
                yield group
                group = []
            group.append(paragraph)
        if len(group) >= 2 * _TOP_PASSAGES:
            yield group
            group = []
    if group:
        yield group


def _passage(number: int, text: str) -> Passage:
    return Passage("training", number, Span(0, len(text)), text)


def _negative(question: Question, own: Paragraph, index: MemoryIndex) -> list[Negative]:
    golds = [gold.text.casefold() for gold in question.golds]
    for ranked in index.search(question.text, top_k=_TOP_PASSAGES):
        text = ranked.passage.text
        if text != own.context and not any(gold in text.casefold() for gold in golds):
            return [Negative(question, text)]
    return []
