"""The tables of a collection and their text indexes: found where they are, and made once.

`create_table` of Lance, also with `exist_ok`, replaces a table that another process makes while it
is at work (an overwrite, committed on top of what is there: LanceDB 0.40, lance 13, in
`CommitBuilder::execute`); what that process has written since is lost. A clone is the one thing
that is committed as a first version or not at all, so a table is made as the clone of an empty one
with a name of its own.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from docqa.errors import MissingDependencyError

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.db import DBConnection
    from lancedb.table import LanceTable

__all__ = ["INDEXED", "connect", "find_table", "index_name", "make_index", "make_table"]

INDEXED = ("terms", "names")
"""The columns of passages that have an index."""


def connect(uri: str) -> DBConnection:
    """Return the connection to a folder or a prefix.

    Raises:
        MissingDependencyError: LanceDB is not installed.
    """
    # Its own default writes warnings of commits that it tries again to standard error.
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise MissingDependencyError(
            "a collection on shared storage needs LanceDB; install it with: "
            'pip install "docqa-exact[lance]"'
        ) from error
    return lancedb.connect(uri)


def find_table(connection: DBConnection, name: str) -> LanceTable | None:
    """Return a table as it is now; None where there is none, or none that is whole yet.

    Lance lists a table as soon as its folder is there, also one whose maker was killed.
    """
    try:
        return connection.open_table(name)
    except ValueError as error:
        if f"Table '{name}' was not found" not in str(error):
            raise
        return None


def make_table(connection: DBConnection, name: str, schema: pa.Schema) -> None:
    """Make an empty table where there is none; one that is there, or comes first, stays."""
    if find_table(connection, name) is not None:
        return
    seed = f"seed-{uuid.uuid4().hex}"
    connection.create_table(seed, schema=schema)
    try:
        connection.clone_table(name, f"{connection.uri.rstrip('/')}/{seed}.lance")
    except RuntimeError:
        if find_table(connection, name) is None:
            raise
    finally:
        connection.drop_table(seed)  # it has no rows, so the clone needs no file of it


def index_name(field: str) -> str:
    """Return the name of a column's index."""
    return f"{field}_idx"


def make_index(table: LanceTable, field: str) -> None:
    """Make the index of a column's terms, split at spaces alone; one that is there stays."""
    if any(index.name == index_name(field) for index in table.list_indices()):
        return
    from lancedb.index import FTS

    settings = FTS(
        base_tokenizer="whitespace",
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=None,  # by default longer terms than 40 characters are dropped
        with_position=False,
    )
    table.create_index(field, config=settings, name=index_name(field))
