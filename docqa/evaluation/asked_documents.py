"""Whole documents with the questions that are asked of them, and where the answers stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from docqa.datamodel import Document, Span
from docqa.evaluation.places import find_words
from docqa.loaders.load import load
from docqa.question_sets import Article, Gold, Question, QuestionSet

__all__ = ["AskedDocument", "AskedQuestion", "articles_as_documents"]

_JOINER = "\n\n"  # a blank line ends a block, so no answer crosses from one paragraph to the next


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question to a document.

    Attributes:
        question: its golds start at characters of the document's text, where these are known.
        page_number: the page on which the answer stands, from 1; None where it is known by
            characters.
        form: the kind of its answer, as the file says; ``""`` where it says nothing.
    """

    question: Question
    page_number: int | None = None
    form: str = ""

    def gold_spans(self, document: Document) -> list[Span]:
        """Return where the gold answers stand in the document; of a page every occurrence."""
        golds = self.question.golds
        if self.page_number is None:
            return [Span(gold.start, gold.start + len(gold.text)) for gold in golds]
        page = self.page_span(document)
        return [span for gold in golds for span in find_words(document.text, gold.text, page)]

    def page_span(self, document: Document) -> Span:
        """Return the characters of the gold page; none where the document has no such page."""
        pages = (page.span for page in document.pages if page.number == self.page_number)
        return next(pages, Span(0, 0))


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """A document that is loaded when it is needed, with its questions.

    Attributes:
        name: for messages, and the unit of resampling.
        open: loads it.
        questions: in order.
    """

    name: str
    open: Callable[[], Document]
    questions: tuple[AskedQuestion, ...]


def articles_as_documents(question_set: QuestionSet) -> list[AskedDocument]:
    """Return each article as one text document, its paragraphs joined by blank lines."""
    return [
        _joined(article, article.title or f"article {number}")
        for number, article in enumerate(question_set.articles, start=1)
        if any(paragraph.questions for paragraph in article.paragraphs)
    ]


def _joined(article: Article, name: str) -> AskedDocument:
    text = _JOINER.join(paragraph.context for paragraph in article.paragraphs)
    questions: list[AskedQuestion] = []
    position = 0
    for paragraph in article.paragraphs:
        questions += (
            AskedQuestion(replace(each, golds=_shifted(each.golds, position)))
            for each in paragraph.questions
        )
        position += len(paragraph.context) + len(_JOINER)
    data = text.encode()
    return AskedDocument(
        name,
        lambda: load(data, name=f"{name}.txt", media_type="text/plain", encoding="utf-8"),
        tuple(questions),
    )


def _shifted(golds: Sequence[Gold], by: int) -> tuple[Gold, ...]:
    return tuple(Gold(gold.text, gold.start + by) for gold in golds)
