"""The connection to a cluster, and its errors in docqa's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from docqa.errors import CollectionError, MissingDependencyError

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from docqa.index.opensearch.address import ClusterAddress

__all__ = ["LONG_S", "answered_whole", "connect", "reported", "score_factor"]

LONG_S = 3600
"""Seconds to wait for what the cluster does to a whole collection (deleting, merging)."""
_TIMEOUT_S = 60
_WHAT_NOW = {
    401: "the cluster does not know this user or password; set OPENSEARCH_USER and "
    "OPENSEARCH_PASSWORD",
    403: "this user may not do that; the roles of the cluster decide",
    413: "a document is too large for one request; raise http.max_content_length of the cluster",
    429: "the cluster has too much to do; try again later",
}


def connect(address: ClusterAddress) -> OpenSearch:
    """Return a client; nothing is sent yet.

    Raises:
        MissingDependencyError: opensearch-py is not installed.
    """
    try:
        from opensearchpy import OpenSearch
    except ImportError as error:
        raise MissingDependencyError(
            "collections in an OpenSearch cluster need opensearch-py: "
            "pip install 'docqa-exact[opensearch]'"
        ) from error
    return OpenSearch(
        hosts=[{"host": address.host, "port": address.port}],
        http_auth=(address.user, address.password or "") if address.user else None,
        use_ssl=address.tls,
        verify_certs=address.tls,
        ca_certs=address.ca,
        timeout=_TIMEOUT_S,
    )


def score_factor(client: OpenSearch) -> float:
    """Return what the cluster's BM25 scores are to be multiplied by.

    OpenSearch 1 and 2 have the factor k1 + 1 = 2.2 in their scores (`LegacyBM25Similarity`);
    3.0 took over Lucene's formula without it (opensearch-project/OpenSearch, issue 17315). A
    cluster of version 2 that calls itself 7.10.2 does so for older clients.
    """
    number = str(client.info()["version"]["number"])
    is_older = number == "7.10.2" or int(number.partition(".")[0]) < 3
    return 1.0 if is_older else 2.2


@contextmanager
def reported(where: object, doing: str) -> Iterator[None]:
    """Turn the client's errors into docqa's.

    Args:
        where: the address, as people may see it.
        doing: what is done, such as ``"reading"``.

    Raises:
        CollectionError: the cluster cannot be reached, or refuses.
    """
    from opensearchpy.exceptions import OpenSearchException

    try:
        yield
    except OpenSearchException as error:
        raise CollectionError(f"{doing} {where} failed: {_reason(error)}") from error


def answered_whole(answer: dict[str, Any], where: object, doing: str) -> None:
    """Check that no part of the cluster failed to do what was asked.

    Raises:
        CollectionError: one did.
    """
    failed = answer.get("_shards", {}).get("failed", 0)
    if failed:
        raise CollectionError(
            f"{doing} {where} failed in {failed} of its shards; look at the health of the cluster"
        )


def _reason(error: Exception) -> str:
    from opensearchpy.exceptions import ConnectionTimeout, SSLError, TransportError

    if isinstance(error, ConnectionTimeout):
        return "it did not answer in time"
    if isinstance(error, SSLError):
        return f"its certificate cannot be trusted ({error.info}); name the authority with ?ca=FILE"
    if not isinstance(error, TransportError):
        return str(error)
    if not isinstance(error.status_code, int):
        return f"it cannot be reached ({error.error}); check host and port, and that it runs"
    said = f"{error.error}: {_said(error.info)}" if _said(error.info) else str(error.error)
    known = _WHAT_NOW.get(error.status_code)
    return f"{known} ({said})" if known else f"status {error.status_code}, {said}"


def _said(info: object) -> str:
    """Return the reason in an answer such as ``{"error": {"type": …, "reason": …}}``."""
    error = info.get("error") if isinstance(info, dict) else None
    if isinstance(error, dict):
        causes = error.get("root_cause") or [error]
        return str(causes[0].get("reason") or "")
    return str(error or "")
