"""Every error that docqa raises on purpose, grouped by the caller's next step.

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
    │   └── StoredDocumentError     one document in it cannot be read; the others can
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
    ├── ServiceError                a service for many callers cannot do it now
    │   ├── BusyError               too much waits already; the error says when to come again
    │   ├── DeadlineError           the time of the request is over, or its caller is gone
    │   └── UnknownItemError        no document, collection or job of that name
    ├── QuestionError               the question itself cannot be read (also a ValueError)
    └── SettingError                a setting is out of range (also a ValueError)

A message says what happened, where, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "BatchError",
    "BusyError",
    "CalibrationError",
    "CitationError",
    "ClusterError",
    "CollectionError",
    "DeadlineError",
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
    "ServiceError",
    "SettingError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "StoredDocumentError",
    "TooLargeError",
    "TrainingError",
    "UnknownItemError",
    "UnsupportedFormatError",
]


class DocqaError(Exception):
    """Base class of every error that docqa raises on purpose."""


class LoadError(DocqaError):
    """A source could not become a document.

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
    """There is no file at the path."""


class SourceUnreadableError(LoadError):
    """The source exists but its bytes cannot be read."""


class UnsupportedFormatError(LoadError):
    """No loader reads this kind of content."""


class EncryptedError(LoadError):
    """The document needs a password, or another one."""


class MalformedError(LoadError):
    """The content is broken beyond reading."""


class TooLargeError(LoadError):
    """A source exceeds a limit set for loading."""


class IsolationError(LoadError):
    """The process in which a source was loaded had to end, or ended by itself.

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
    """A source crashes the process that reads it."""


class LoadTimeoutError(IsolationError):
    """Loading took more time than it is allowed."""


class LoadMemoryError(IsolationError):
    """Loading took more memory than it is allowed."""


class NoTextError(LoadError):
    """The document opens but holds no text to answer from."""


class HighlightError(DocqaError):
    """A marked copy, a page image or a report cannot be made or written."""


class CollectionError(DocqaError):
    """A stored index cannot be used."""


class StoredDocumentError(CollectionError):
    """One document of a stored index is damaged or gone; the others can be read.

    Attributes:
        key: the document's name in the collection.
    """

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword field, so that worker processes can send it."""
        return (_rebuild_stored_document_error, (str(self), self.key))


def _rebuild_stored_document_error(message: str, key: str) -> StoredDocumentError:
    return StoredDocumentError(message, key=key)


class BatchError(DocqaError):
    """A job of many questions over many documents cannot start or go on."""


class ClusterError(DocqaError):
    """The workers of a job cannot start, or one ends whenever it gets an item."""


class ModelError(DocqaError):
    """A reader model could not be loaded."""


class ModelNotFoundError(ModelError):
    """A model's files are missing, on disk or on the hub."""


class ModelIncompatibleError(ModelError):
    """A checkpoint is not one that extractive reading can use."""


class MissingDependencyError(DocqaError):
    """An optional library is absent; the message has the pip command that brings it."""


class CitationError(DocqaError, ValueError):
    """A record lacks a field that checking a citation needs."""


class ServiceError(DocqaError):
    """A service that answers many callers cannot do its work for one of them now."""


class BusyError(ServiceError):
    """Too much waits already.

    Attributes:
        retry_after: seconds after which there is likely to be room.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineError(ServiceError):
    """The time of a request is over, or its caller is gone, before anything was read for it."""


class UnknownItemError(ServiceError):
    """There is no document, page, collection or job of the name that was given."""


class QuestionError(DocqaError, ValueError):
    """A question cannot be read: it is empty or too long for the reader."""


class QuestionSetError(DocqaError, ValueError):
    """A file of questions and gold answers cannot be used."""


class TrainingError(DocqaError):
    """A training run cannot start or go on; the message names the change to make."""


class CalibrationError(DocqaError):
    """A reader cannot be calibrated with the questions given; the message names a remedy."""


class SettingError(DocqaError, ValueError):
    """A setting is out of its range; the message names the range."""
