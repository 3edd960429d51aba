"""`docqa.ask`: one question to one document, without an object to keep."""

from __future__ import annotations

import os
import threading

from docqa.asking.pipeline import Pipeline
from docqa.asking.settings import DEFAULT_MIN_SCORE, DEFAULT_TOP_PASSAGES
from docqa.datamodel import Answers, Content
from docqa.limits import Limits
from docqa.loaders.source_bytes import Source
from docqa.ocr_engine import DEFAULT_LANGUAGE, OcrEngine
from docqa.protocols import Reader
from docqa.recent import Recent

__all__ = ["ask"]


def ask(
    source: Source,
    question: str,
    *,
    reader: Reader | str | os.PathLike[str] = "cascade",
    top_k: int = 1,
    min_score: float = DEFAULT_MIN_SCORE,
    top_passages: int = DEFAULT_TOP_PASSAGES,
    exhaustive: bool = False,
    content: Content = "all",
    isolate: bool = False,
    limits: Limits | None = None,
    password: str | None = None,
    ocr: bool | OcrEngine = False,
    ocr_language: str = DEFAULT_LANGUAGE,
) -> Answers:
    """Ask one question of one document; see `Pipeline` for each setting.

    The reader and the last documents stay in memory between calls.

    Returns:
        A list of `Answer`, best first; empty when nothing passes `min_score`. Its `coverage`
        says how many passages were read.

    Raises:
        LoadError: the source cannot be loaded; `NoTextError` when it holds no text.
        QuestionError: the question is blank or too long for the reader.
        ModelError: the reader cannot be loaded.
        SettingError: a setting is out of its range.
    """
    pipeline = _PIPELINES.get_or_make(
        (reader, content, isolate, limits, ocr, ocr_language),
        lambda: Pipeline(
            reader=_shared_reader(reader),
            content=content,
            isolate=isolate,
            limits=limits,
            ocr=ocr,
            ocr_language=ocr_language,
        ),
    )
    return pipeline.ask(
        source,
        question,
        top_k=top_k,
        min_score=min_score,
        top_passages=top_passages,
        exhaustive=exhaustive,
        password=password,
    )


_PIPELINES: Recent[Pipeline] = Recent(4)  # those of `ask`
_READERS: Recent[Reader] = Recent(2)  # by name or path, shared by them
_READERS_LOCK = threading.Lock()


def _shared_reader(reader: Reader | str | os.PathLike[str]) -> Reader:
    if not isinstance(reader, (str, os.PathLike)):
        return reader
    from docqa.reader.models import load_reader

    name = os.fspath(reader)
    with _READERS_LOCK:  # loading one twice would cost seconds and memory
        return _READERS.get_or_make(name, lambda: load_reader(name))
