"""The guard before every route: who calls, from where, how much, how slowly."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docqa.server.problems import MEDIA_TYPE, Problem
from docqa.server.settings import HEADER_SECONDS, JSON_BYTES, ServerSettings, is_loopback

__all__ = ["PAGE_POLICY", "Guard", "authority", "sends_document"]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": PAGE_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
# The bodies that a page of another site may send without asking first (Fetch standard,
# "CORS-safelisted request-header"); a POST with one of them, or with none, needs X-Docqa.
_SIMPLE_TYPES = {"", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_SLOWEST_UPLOAD = 5_000  # bytes a second, after the first minute


class Guard:
    """An ASGI application that lets requests through to another one, or answers with a problem.

    Args:
        app: the application behind it.
        settings: of the server.
        upload_bytes: the largest document.
        is_open: says of a path whether it is for callers without a token.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        *,
        upload_bytes: int,
        is_open: Callable[[str], bool],
    ) -> None:
        self.app = app
        self._settings = settings
        self._is_open = is_open
        self._upload_bytes = upload_bytes
        self._names = frozenset(authority(name) for name in settings.allow_hosts)
        self._own = {"localhost", "127.0.0.1", "::1", settings.host.lower().strip("[]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = _Headers(scope["headers"])
        self._strip_prefix(scope)
        shared = self._sharing(headers)
        guarded = _with_headers(send, shared)
        try:
            self._check_host(headers)
            self._check_origin(headers)
            if not scope["path"]:  # the prefix without its slash: relative addresses go astray
                await _send_empty(guarded, 308, (b"location", _last(self._settings.root_path)))
                return
            if b"access-control-allow-origin" in shared and scope["method"] == "OPTIONS":
                await _send_empty(guarded)
                return
            self._check(scope, headers)
            is_upload = sends_document(scope["path"])
            most_bytes = self._upload_bytes if is_upload else JSON_BYTES
            body = _Body(receive, headers, most_bytes, is_upload=is_upload)
        except Problem as problem:
            await _send_problem(guarded, problem)
            return
        await self.app(scope, body, guarded)

    def _check(self, scope: Scope, headers: _Headers) -> None:
        method = scope["method"]
        is_open = self._is_open(scope["path"])
        is_embedded = headers.get("sec-fetch-site") == "cross-site" and not headers.get("origin")
        if is_embedded and not is_open:  # a picture or a frame in another site's page
            raise _unknown_origin()
        if self._settings.token is not None and not is_open:
            self._check_token(headers)
        if method == "POST" and not headers.get("authorization"):
            media_type = headers.get("content-type").partition(";")[0].strip().lower()
            if media_type in _SIMPLE_TYPES and headers.get("x-docqa") != "1":
                raise Problem(
                    403,
                    "cross-site",
                    f"a POST with the content type {media_type or 'none'!r} could come from any "
                    "web page; send the header X-Docqa: 1, or another Content-Type",
                )

    def _check_host(self, headers: _Headers) -> None:
        given = headers.all("host")
        name, port = authority(given[0]) if len(given) == 1 else ("", None)
        known = name and (
            name in self._own
            or (name, None) in self._names
            or (name, port) in self._names
            or (_is_address(name) and not is_loopback(self._settings.host))
        )
        if not known:
            raise Problem(
                421,
                "unknown-host",
                "the server does not go by the name in the header Host; start it with "
                "--allow-host NAME if that name is meant to lead here",
                option="--allow-host",
            )

    def _check_origin(self, headers: _Headers) -> None:
        for origin in headers.all("origin"):
            _, _, rest = origin.partition("://")
            caller = authority(rest)
            trusted = (
                origin in self._settings.allow_origins
                or (rest and caller == authority(headers.get("host")))
                or caller in self._names
                or (caller[0], None) in self._names
            )
            if not trusted:
                raise _unknown_origin()

    def _check_token(self, headers: _Headers) -> None:
        token = self._settings.token or ""
        kind, _, given = headers.get("authorization").partition(" ")
        if kind.lower() != "bearer":
            given = ""
        cookie = _cookie(headers.get("cookie"), cookie_name(token))
        by_token = hmac.compare_digest(given.strip().encode(), token.encode())
        by_cookie = hmac.compare_digest(cookie.encode(), cookie_value(token).encode())
        if not (by_token or by_cookie):
            raise Problem(
                401,
                "token-needed",
                "this server asks for its token: send Authorization: Bearer TOKEN, or open the "
                "page by the address that docqa serve wrote",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _sharing(self, headers: _Headers) -> dict[bytes, bytes]:
        """Return the headers that let a page of an allowed origin call, else none."""
        origin = headers.get("origin")
        if origin not in self._settings.allow_origins:
            return {b"vary": b"Origin"} if self._settings.allow_origins else {}
        return {
            b"vary": b"Origin",
            b"access-control-allow-origin": origin.encode(),
            b"access-control-allow-methods": b"GET, POST, PUT, DELETE",
            b"access-control-allow-headers": b"Authorization, Content-Type, X-Docqa, "
            b"X-Docqa-Password, X-Filename, X-Request-Timeout, Prefer",
            b"access-control-expose-headers": b"Location, Retry-After",
            b"access-control-max-age": b"600",
        }

    def _strip_prefix(self, scope: Scope) -> None:
        """Let the path be that below the proxy's prefix, whether the proxy takes it off or not."""
        prefix = self._settings.root_path
        if prefix and (scope["path"] + "/").startswith(prefix + "/"):
            scope["path"] = scope["path"][len(prefix) :]
            scope["raw_path"] = scope["path"].encode("utf-8", "surrogateescape")


class _Headers:
    """The headers of a request, by name in lower case."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._pairs = [(name.lower(), value.decode("latin-1").strip()) for name, value in pairs]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name.encode()]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")


class _Body:
    """The body of a request: counted, and not slower than it may be."""

    def __init__(
        self, receive: Receive, headers: _Headers, most_bytes: int, *, is_upload: bool
    ) -> None:
        self._receive = receive
        self._most = most_bytes
        self._is_upload = is_upload
        self._seen = 0
        self._began = time.monotonic()
        self._ended = False
        length = headers.get("content-length")
        if length.isdigit() and int(length) > most_bytes:
            raise self._too_large()

    async def __call__(self) -> Message:
        """Return the next part of the body, or news of the connection after its end."""
        if self._ended:
            return await self._receive()
        left = self._began + HEADER_SECONDS + self._seen / _SLOWEST_UPLOAD - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            raise Problem(
                408,
                "body-too-slow",
                f"the body was not here within {HEADER_SECONDS:.0f} seconds; send it faster",
                headers={"Connection": "close"},
            ) from None
        self._seen += len(message.get("body", b""))
        if self._seen > self._most:
            raise self._too_large()
        self._ended = not message.get("more_body", False)
        return message

    def _too_large(self) -> Problem:
        if not self._is_upload:
            detail = f"a body of JSON has at most {self._most:,} bytes; ask in several requests"
            return Problem(413, "too-large", detail, headers={"Connection": "close"})
        return Problem(
            413,
            "too-large",
            f"the server takes documents of at most {self._most:,} bytes; docqa serve --max-mb "
            "raises its limit",
            headers={"Connection": "close"},
            limit=self._most,
            option="--max-mb",
        )


def sends_document(path: str) -> bool:
    """Say whether the body sent to a path is a document."""
    return path == "/process" or path.rstrip("/").startswith("/v1/documents")


def authority(given: str) -> tuple[str, int | None]:
    """Return the name, in lower case, and the port of a host; the name ``""`` where it is none.

    >>> authority("KB.example.:8080"), authority("[::1]:80"), authority("a b"), authority("x:y")
    (('kb.example', 8080), ('::1', 80), ('', None), ('', None))
    """
    name, colon, port = given.rpartition(":")
    if not colon or given.endswith("]"):
        name, port = given, ""
    if port and not (port.isascii() and port.isdigit() and len(port) < 6):
        return "", None
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
        if not _is_address(name):
            return "", None
    elif (
        not name.isascii() or not name.replace("-", "").replace(".", "").replace("_", "").isalnum()
    ):
        return "", None
    return name.lower().rstrip("."), int(port) if port else None


def cookie_name(token: str) -> str:
    """Return the name of the cookie of a token; servers at other ports share the jar."""
    return f"docqa_{hashlib.sha256(f'name {token}'.encode()).hexdigest()[:8]}"


def cookie_value(token: str) -> str:
    """Return the value of the cookie, from which the token cannot be had."""
    return hmac.new(token.encode(), b"docqa cookie", hashlib.sha256).hexdigest()


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _unknown_origin() -> Problem:
    return Problem(
        403,
        "unknown-origin",
        "a page of another site calls, which the server does not allow; start it with "
        "--allow-origin ORIGIN if the page is meant to",
        option="--allow-origin",
    )


def _is_address(name: str) -> bool:
    """Say whether a name is an address in digits, to which no name of a stranger can be turned."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _with_headers(send: Send, more: dict[bytes, bytes]) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            for name, value in (_HEADERS | more).items():
                if name not in names:
                    given.append((name, value))
            message = {**message, "headers": given}
        await send(message)

    return guarded


async def _send_problem(send: Send, problem: Problem) -> None:
    body = problem.body()
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **problem.headers}
    # A body may still be on its way; nothing after it is read as a further request.
    headers["Connection"] = "close"
    pairs: Any = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _send_empty(send: Send, status: int = 204, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})


def _last(prefix: str) -> bytes:
    """Return the address of the page relative to its prefix, for which no host is needed."""
    return f"{prefix.rpartition('/')[2]}/".encode()
