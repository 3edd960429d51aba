"""Addresses of collections in a cluster: ``opensearch://host:9200/index``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from docqa.errors import CollectionError

__all__ = ["SCHEMES", "ClusterAddress", "parse_address"]

SCHEMES = ("opensearch", "opensearch+https")
_FORM = "opensearch://HOST:9200/NAME, or opensearch+https://USER@HOST:9200/NAME"
# Fewer characters than OpenSearch allows; suffixes of docqa come after the name.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}")
_SETTINGS = {"shards", "replicas", "ca"}


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Hold where a collection is and how to get in.

    Attributes:
        index: the collection's name; the names of its indexes begin with it.
        user, password: None where the cluster asks for none.
        shards: how many parts a new collection is kept in.
        replicas: how many copies of each a new collection has; None for the cluster's default.
        ca: path of certificates to trust, in PEM; None for those of the system.
    """

    host: str
    port: int
    tls: bool
    index: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    shards: int = 1
    replicas: int | None = None
    ca: str | None = None

    def __str__(self) -> str:
        """Return the address for people: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEMES[self.tls]}://{host}:{self.port}/{self.index}"


def parse_address(address: str, environment: Mapping[str, str] | None = None) -> ClusterAddress:
    """Read an address; what it does not say of user and password comes from the environment.

    Args:
        address: ``opensearch://`` (plain HTTP) or ``opensearch+https://``, then host, port (9200)
            and name, then maybe ``?shards=2&replicas=1&ca=/etc/ssl/cluster.pem``.
        environment: where OPENSEARCH_USER and OPENSEARCH_PASSWORD may stand; None for the
            process's own.

    Raises:
        CollectionError: it is no such address. The message shows neither user nor password.

    >>> print(parse_address("opensearch+https://ada:s3cret@search.example.org/kb?shards=2", {}))
    opensearch+https://search.example.org:9200/kb
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # its message may hold a part of the password
        raise CollectionError(f"this is no address of a cluster; write {_FORM}") from None
    if "@" in parts.path + parts.query + parts.fragment:
        raise CollectionError(
            "this is no address of a cluster: in a user or password write / as %2F, ? as %3F, "
            f"# as %23 and @ as %40; the form is {_FORM}"
        )
    if parts.scheme not in SCHEMES or not host:
        raise CollectionError(f"this is no address of a cluster; write {_FORM}")
    name = parts.path.strip("/")
    if not _NAME.fullmatch(name):
        raise CollectionError(
            f"{name!r} cannot name a collection in a cluster: it takes a-z, 0-9, '.', '_' and '-', "
            f"and begins with a letter or digit; write {_FORM}"
        )
    user, password = _credentials(parts, os.environ if environment is None else environment)
    settings = _settings(parts.query)
    return ClusterAddress(
        host,
        9200 if port is None else port,
        parts.scheme == "opensearch+https",
        name,
        user,
        password,
        _number(settings, "shards", 1) or 1,
        _number(settings, "replicas", 0),
        settings.get("ca"),
    )


def _credentials(
    parts: SplitResult, environment: Mapping[str, str]
) -> tuple[str | None, str | None]:
    user = unquote(parts.username) if parts.username else environment.get("OPENSEARCH_USER")
    written = parts.password
    password = unquote(written) if written else environment.get("OPENSEARCH_PASSWORD")
    return (user, password) if user else (None, None)


def _settings(query: str) -> dict[str, str]:
    settings = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(settings.keys() - _SETTINGS)
    if unknown:
        raise CollectionError(
            f"an address of a cluster has no setting {unknown[0]!r}; there are "
            + ", ".join(sorted(_SETTINGS))
        )
    return settings


def _number(settings: Mapping[str, str], name: str, least: int) -> int | None:
    if name not in settings:
        return None
    value = settings[name]
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise CollectionError(f"{name} must be a whole number from {least}, not {value!r}")
    return int(value)
