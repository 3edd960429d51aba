"""The settings of reading, in one record that the command line and its workers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from docqa.asking.pipeline import Pipeline
    from docqa.datamodel import Content

__all__ = ["ReadingSettings", "open_pipeline"]


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """The settings of reading; None leaves one to the library. See `docqa.Pipeline`."""

    reader: str = "cascade"
    device: str = "auto"
    runtime: Literal["auto", "onnx", "torch"] = "auto"
    dtype: str | None = None
    calibration: str | None = None
    top_k: int = 1
    min_score: float | None = None
    top_passages: int | None = None
    exhaustive: bool = False
    content: Content = "all"


def open_pipeline(settings: ReadingSettings) -> Pipeline:
    """Load the reader and return the pipeline around it.

    Raises:
        ModelError: the reader cannot be loaded.
    """
    from docqa.asking.pipeline import Pipeline
    from docqa.reader.models import load_reader

    chosen: dict[str, Any] = {
        "min_score": settings.min_score,
        "top_passages": settings.top_passages,
    }
    return Pipeline(
        reader=load_reader(
            settings.reader,
            runtime=settings.runtime,
            device=settings.device,
            dtype=settings.dtype,
            calibration=settings.calibration or True,
        ),
        exhaustive=settings.exhaustive,
        content=settings.content,
        **{name: value for name, value in chosen.items() if value is not None},
    )
