"""The settings of a server: its address, its token, the names it goes by and its limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from docqa.errors import SettingError

__all__ = ["HEADER_SECONDS", "JSON_BYTES", "ServerSettings", "is_loopback"]

JSON_BYTES = 2 << 20  # of a body of JSON
HEADER_SECONDS = 60.0  # until the head of a request is here, and the same until its body is

_LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of a server.

    Attributes:
        host: the address to listen at.
        port: the port to listen at; 0 for a free one.
        token: asked of every request for documents and answers; None for none.
        allow_hosts: further names by which the server may be called, each with or without a port.
        allow_origins: origins of other sites whose pages may call it, such as
            ``"https://notes.example"``.
        root_path: the prefix below which a proxy offers the server, such as ``"/kb"``; ``""`` for
            none.
        metrics: offer ``/metrics``.

    Raises:
        SettingError: an address beyond this machine without a token, or a value out of range.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    root_path: str = ""
    metrics: bool = False

    def __post_init__(self) -> None:
        if self.token is not None and (len(self.token) < 8 or not _is_plain(self.token)):
            raise SettingError(
                "a token has at least 8 characters, all of them ASCII without white space; make "
                'one with: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        if self.token is None and not is_loopback(self.host):
            raise SettingError(
                f"--host {self.host} lets other machines in, which needs a token: set the variable "
                "DOCQA_TOKEN, or --token-file FILE (python -c "
                '"import secrets; print(secrets.token_urlsafe())" makes one)'
            )
        if self.root_path and (self.root_path[0] != "/" or self.root_path[-1] == "/"):
            raise SettingError(
                f"a prefix begins with a slash and ends without one, such as /kb, not "
                f"{self.root_path!r}"
            )
        for origin in self.allow_origins:
            scheme, separator, rest = origin.partition("://")
            if scheme not in {"http", "https"} or not separator or not rest or "/" in rest:
                raise SettingError(
                    f"an origin is a scheme and a host, such as https://notes.example, not "
                    f"{origin!r}"
                )


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine alone.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "kb.example")]
    [True, True, True, False, False]
    """
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_plain(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token
