"""A web page without all that runs or fetches: scripts, frames, plug-ins, outside pictures.

A page that is opened from a disk runs its scripts with that disk as its origin, and fetches what it
names, which tells others that it was opened. Two walls stand against that. The elements and
attributes that run or fetch are taken out. A policy at the beginning of the head (Content Security
Policy Level 3) forbids the rest, such as pictures of style sheets and what a parser may read
otherwise than this module.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from docqa.loaders.decoded_source import decode
from docqa.loaders.html.tokens import Token, TokenKind, tokenize

__all__ = ["safe_html", "safe_page"]

_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; "
    "base-uri 'none'\">"
)
_WITH_CONTENT = frozenset(
    {"script", "noscript", "iframe", "object", "applet", "noembed", "noframes", "frameset"}
)
_ALONE = frozenset({"embed", "frame", "link", "base", "bgsound"})
_FETCHING = frozenset(
    {"src", "srcset", "poster", "background", "data", "lowsrc", "dynsrc", "ping", "imagesrcset"}
)
_LINKS = frozenset({"href", "xlink:href", "action", "formaction"})
_RUNNING = re.compile(r"(?:javascript|vbscript|data):", re.I)
_OWN = re.compile(r"#|data:image/(?!svg)|\Z", re.I)  # of the page itself
_IGNORED = re.compile(r"[\x00-\x20]")  # in front of an address or within its scheme
_FOLLOWED = frozenset(
    {"a", "area", "form", "button", "input"}
)  # their links do nothing by themselves
_BEFORE_HEAD = frozenset({"html", "head"})


def safe_page(data: bytes, codec: str) -> bytes:
    """Return a page in UTF-8, without a byte order mark; see `safe_html`.

    Args:
        data: the page.
        codec: of its bytes.
    """
    return safe_html(decode(data, codec).text.lstrip("\ufeff")).encode("utf-8")


def safe_html(page: str) -> str:
    """Return a page without scripts and without anything that is fetched from elsewhere.

    Links stay; they do nothing until they are followed.

    >>> page = '<p onclick=x()>a<script>b()</script><img src=https://e.org/c.png alt=d>'
    >>> safe_html(page).removeprefix(_POLICY)
    '<p>a<img alt="d">'
    """
    return "".join(_pieces(page))


def _pieces(page: str) -> Iterator[str]:
    depth, inside, has_policy, foreign = 0, "", False, 0
    is_xml = page.lstrip("\ufeff \t\r\n").startswith("<?xml")

    def is_foreign() -> bool:
        return foreign > 0

    for token in tokenize(page, is_foreign=is_foreign, is_xml=is_xml):
        is_start, is_end = token.kind is TokenKind.START_TAG, token.kind is TokenKind.END_TAG
        if token.name in ("svg", "math") and not token.self_closing:
            foreign = max(0, foreign + is_start - is_end)
        if inside:
            if token.name == inside:
                depth += is_start - is_end
                inside = inside if depth else ""
            continue
        if not has_policy and _is_in_head(page, token):
            has_policy = True
            yield _POLICY
        closes_itself = token.self_closing and (is_xml or is_foreign())
        if is_start and token.name in _WITH_CONTENT and not closes_itself:
            inside, depth = token.name, 1
        elif token.name in _WITH_CONTENT or token.name in _ALONE or _refreshes(page, token):
            continue
        elif is_start:
            yield _without_attributes(page, token)
        else:
            yield page[token.start : token.end]


def _is_in_head(page: str, token: Token) -> bool:
    """Say whether a token is the first one that stands in the head or behind it."""
    if token.kind in (TokenKind.COMMENT, TokenKind.DOCTYPE):
        return False
    if token.kind is TokenKind.START_TAG:
        return token.name not in _BEFORE_HEAD
    return bool(page[token.start : token.end].strip("\ufeff \t\r\n\f"))


def _refreshes(page: str, token: Token) -> bool:
    """Say whether a token is the tag that has a browser go to another address."""
    return token.name == "meta" and any(
        each.name == "http-equiv" and page[each.start : each.end].strip().lower() == "refresh"
        for each in token.attributes
    )


def _without_attributes(page: str, token: Token) -> str:
    """Return a start tag, made again without the attributes that run or fetch something."""
    kept = [
        each
        for each in token.attributes
        if _is_harmless(token.name, each.name, page[each.start : each.end])
    ]
    if len(kept) == len(token.attributes):
        return page[token.start : token.end]
    values = [(each.name, page[each.start : each.end].replace('"', "&quot;")) for each in kept]
    written = "".join(f' {name}="{value}"' for name, value in values)
    return f"<{token.name}{written}{' /' if token.self_closing else ''}>"


def _is_harmless(tag: str, name: str, value: str) -> bool:
    """Say whether an attribute of a tag neither runs nor fetches anything."""
    if name.startswith("on") or name == "srcdoc":
        return False
    address = _IGNORED.sub("", html.unescape(value))
    if name in _FETCHING:
        return bool(_OWN.match(address))
    if name in _LINKS:
        follows = tag in _FOLLOWED and not _RUNNING.match(address)
        return follows or bool(_OWN.match(address))
    return True
