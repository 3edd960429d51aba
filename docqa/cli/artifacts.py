"""Files that a command writes beside its answers: collected while it asks, written at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from docqa.cli.notices import Notices
from docqa.datamodel import Document, GridItem

__all__ = ["Artifact", "write_all"]


class Artifact(Protocol):
    """Collect outcomes, and make one file of them."""

    def add(self, document: Document | None, item: GridItem) -> None:
        """Take one outcome; `document` is open during this call only, None if loading failed."""
        ...

    def write(self, notices: Notices) -> None:
        """Write the file after the last outcome, and say so; or say why nothing is written.

        Raises:
            DocqaError: it cannot be made.
        """
        ...


def write_all(artifacts: Sequence[Artifact], notices: Notices) -> bool:
    """Write every artifact, whatever becomes of the others; say whether all went well."""
    succeeded = []
    for artifact in artifacts:
        try:
            artifact.write(notices)
        except BrokenPipeError:
            raise
        except Exception as error:
            notices.error(error)
            succeeded.append(False)
    return all(succeeded)
