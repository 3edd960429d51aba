"""Every error that docqa raises on purpose, grouped by what the caller can do about it.

::

    DocqaError
    ├── LoadError                   a source could not become a document
    │   ├── SourceNotFoundError     no such file, or a pattern that matches nothing
    │   ├── SourceUnreadableError   a folder, no permission, a stream that breaks off
    │   ├── UnsupportedFormatError  no loader for this kind of content
    │   ├── EncryptedError          a password is missing or wrong
    │   ├── MalformedError          the content is broken beyond reading
    │   ├── TooLargeError           it exceeds a limit set for loading
    │   ├── IsolationError          loading ended the process that did it; ours lives
    │   │   ├── LoaderCrashedError  it crashed
    │   │   ├── LoadTimeoutError    it took too long
    │   │   └── LoadMemoryError     it took too much memory
    │   └── NoTextError             it opens, but holds no text to answer from
    ├── HighlightError              a marked copy, picture or report cannot be made
    ├── CollectionError             a stored index cannot be used
    ├── BatchError                  a job of many questions cannot start or go on
    ├── ClusterError                the workers of a job cannot be had, or end again and again
    ├── ModelError                  a reader could not be loaded
    │   ├── ModelNotFoundError      files or hub entry missing
    │   └── ModelIncompatibleError  not an extractive question-answering checkpoint
    ├── MissingDependencyError      an optional library is absent
    ├── CitationError               a record holds no citation (also a ValueError)
    ├── QuestionSetError            questions with gold answers cannot be read (also a ValueError)
    ├── TrainingError               a training run cannot start or go on
    ├── CalibrationError            questions do not suffice to calibrate a reader
    ├── QuestionError               the question itself cannot be read (also a ValueError)
    └── SettingError                a setting is out of range (also a ValueError)

A message says what happened, where, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "BatchError",
    "CalibrationError",
    "CitationError",
    "ClusterError",
    "CollectionError",
    "DocqaError",
    "EncryptedError",
    "IsolationError",
    "HighlightError",
    "LoadError",
    "LoadMemoryError",
    "LoadTimeoutError",
    "LoaderCrashedError",
    "MalformedError",
    "MissingDependencyError",
    "ModelError",
    "ModelIncompatibleError",
    "ModelNotFoundError",
    "NoTextError",
    "QuestionError",
    "QuestionSetError",
    "SettingError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "TooLargeError",
    "TrainingError",
    "UnsupportedFormatError",
]


class DocqaError(Exception):
    """Be the base of every error that docqa raises on purpose."""


class LoadError(DocqaError):
    """Say that a source could not become a document.

    Attributes:
        source: the path or name of the source, as the caller gave it.
        page_number: the page at which loading failed, from 1, where that is known.
    """

    def __init__(self, message: str, *, source: str, page_number: int | None = None) -> None:
        super().__init__(message)
        self.source = source
        self.page_number = page_number

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword fields, so that worker processes can send it."""
        return (_rebuild_load_error, (type(self), str(self), self.source, self.page_number))


def _rebuild_load_error(
    kind: type[LoadError], message: str, source: str, page_number: int | None
) -> LoadError:
    return kind(message, source=source, page_number=page_number)


class SourceNotFoundError(LoadError):
    """Say that there is no file at the path."""


class SourceUnreadableError(LoadError):
    """Say that the source exists but its bytes cannot be read."""


class UnsupportedFormatError(LoadError):
    """Say that no loader reads this kind of content."""


class EncryptedError(LoadError):
    """Say that the document needs a password, or another one."""


class MalformedError(LoadError):
    """Say that the content is broken beyond reading."""


class TooLargeError(LoadError):
    """Say that a source exceeds a limit set for loading."""


class IsolationError(LoadError):
    """Say that the process in which a source was loaded had to end, or ended by itself.

    Attributes:
        stderr: the last lines that the process wrote to standard error, for whoever looks into
            it; never part of the message.
    """

    def __init__(
        self, message: str, *, source: str, page_number: int | None = None, stderr: str = ""
    ) -> None:
        super().__init__(message, source=source, page_number=page_number)
        self.stderr = stderr

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword fields."""
        fields = (str(self), self.source, self.page_number, self.stderr)
        return (_rebuild_isolation_error, (type(self), *fields))


def _rebuild_isolation_error(
    kind: type[IsolationError], message: str, source: str, page_number: int | None, stderr: str
) -> IsolationError:
    return kind(message, source=source, page_number=page_number, stderr=stderr)


class LoaderCrashedError(IsolationError):
    """Say that a source crashes what reads it."""


class LoadTimeoutError(IsolationError):
    """Say that loading took more time than it is allowed."""


class LoadMemoryError(IsolationError):
    """Say that loading took more memory than it is allowed."""


class NoTextError(LoadError):
    """Say that the document opens but holds no text to answer from."""


class HighlightError(DocqaError):
    """Say that a marked copy, a page image or a report cannot be made or written."""


class CollectionError(DocqaError):
    """Say that a stored index cannot be used."""


class BatchError(DocqaError):
    """Say that a job of many questions over many documents cannot start or go on."""


class ClusterError(DocqaError):
    """Say that the workers of a job cannot be had, or that one ends whenever it gets an item."""


class ModelError(DocqaError):
    """Say that a reader model could not be loaded."""


class ModelNotFoundError(ModelError):
    """Say that a model's files are missing, on disk or on the hub."""


class ModelIncompatibleError(ModelError):
    """Say that a checkpoint is not one that extractive reading can use."""


class MissingDependencyError(DocqaError):
    """Say which optional library is absent and the pip command that brings it."""


class CitationError(DocqaError, ValueError):
    """Say that a record does not hold what checking a citation needs."""


class QuestionError(DocqaError, ValueError):
    """Say that a question cannot be read: it is empty or too long for the reader."""


class QuestionSetError(DocqaError, ValueError):
    """Say that a file of questions and gold answers cannot be used, and why."""


class TrainingError(DocqaError):
    """Say that a training run cannot start or go on, and what to change."""


class CalibrationError(DocqaError):
    """Say that a reader cannot be calibrated with the questions given, and what would help."""


class SettingError(DocqaError, ValueError):
    """Say that a setting is out of its range, and what the range is."""
