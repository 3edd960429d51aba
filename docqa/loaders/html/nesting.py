"""Follow the open elements of an HTML document closely enough for depth and foreign content.

The tree itself is made by a real tree builder. This stack only decides what must be known before:
whether the tokenizer stands in SVG or MathML, and how deep a tag would nest.
"""

from __future__ import annotations

from collections import Counter

from docqa.loaders.html import elements

MAX_FORMATTING = 64
"""How many formatting elements may wait to be opened again in each following block.

An unclosed ``<font>`` is repeated in every later paragraph, so that n of them make n * n elements.
"""

_SAME_FORMATTING = 3  # the "Noah's Ark clause", HTML Standard, 13.2.4.3

__all__ = ["OpenElements"]

_HTML, _FOREIGN, _INTEGRATION = 0, 1, 2
_SVG_INTEGRATION = frozenset({"foreignobject", "desc", "title"})
_MATH_INTEGRATION = frozenset({"mi", "mo", "mn", "ms", "mtext"})
_TABLE_SCOPE = frozenset({"table", "template", "html"})
_LIST_KIN = {"li": frozenset({"li"}), "dd": frozenset({"dd", "dt"}), "dt": frozenset({"dd", "dt"})}
_LIST_PASSES = frozenset({"address", "div", "p"})
_CELL_GROUPS = {
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "tr": frozenset({"tr", "caption", "colgroup"}),
    **dict.fromkeys(
        ("tbody", "thead", "tfoot", "caption", "colgroup"),
        frozenset({"tbody", "thead", "tfoot", "caption", "colgroup"}),
    ),
}
_MARKERS = frozenset({"applet", "caption", "marquee", "object", "td", "template", "th"})
_RUBY_KIN = {
    **dict.fromkeys(("rb", "rtc"), frozenset({"rb", "rt", "rtc", "rp"})),
    **dict.fromkeys(("rt", "rp"), frozenset({"rb", "rt", "rp"})),
}
_UNSTACKED = frozenset({"html", "head", "body", "frameset", "image"})


class OpenElements:
    """An approximate stack of open elements; every step looks at no more than its depth."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._kinds: list[int] = []
        self._counts: Counter[str] = Counter()
        self._formatting: list[tuple[str, int] | None] = []  # None: a marker

    def __len__(self) -> int:
        return len(self._names)

    @property
    def is_foreign(self) -> bool:
        """Say whether the current element is an SVG or MathML element."""
        return bool(self._kinds) and self._kinds[-1] != _HTML

    @property
    def takes_html(self) -> bool:
        """Say whether a start tag or text here is treated as HTML."""
        return not self._kinds or self._kinds[-1] != _FOREIGN

    @property
    def current(self) -> str:
        """Return the name of the current element, or an empty string."""
        return self._names[-1] if self._names else ""

    def unknown_implied_end(self, name: str) -> str:
        """Return the end tag that a start tag implies and that older tree builders do not know.

        html5lib 1.1 follows a standard without ``<dialog>``, ``<search>``, ``<rb>`` and ``<rtc>``.
        """
        if not self.takes_html:
            return ""
        if name in ("dialog", "search") and self._finds("p", elements.SCOPE | {"button"}):
            return "p"
        if self.current in _RUBY_KIN.get(name, ()) and self._finds("ruby", elements.SCOPE):
            return self.current
        return ""

    def broken_out(self, name: str) -> list[str]:
        """Return the foreign elements that an end tag closes by breaking out, innermost first.

        ``</p>`` and ``</br>`` do since 2020; html5lib 1.1 does not know it.
        """
        if name not in ("p", "br") or self.takes_html:
            return []
        place = len(self._names)
        while place > 0 and self._kinds[place - 1] == _FOREIGN:
            place -= 1
        return self._names[place:][::-1]

    def counts(self, name: str) -> int:
        """Return how many elements called `name` are open."""
        return self._counts[name]

    def close_implied(self, name: str, *, breaks_out: bool = False) -> None:
        """Close the elements that a start tag called `name` closes by itself."""
        if not self.takes_html:
            if name not in elements.FOREIGN_BREAKOUT and not breaks_out:
                return
            while not self.takes_html:
                self._pop()
        if name in elements.CLOSES_PARAGRAPH:
            self._close_list_kin(name)
            self._pop_to(frozenset({"p"}), elements.SCOPE | {"button"})
        if name in elements.HEADINGS and self.current in elements.HEADINGS:
            self._pop()
        elif name in _CELL_GROUPS and self._counts["table"]:
            if name not in elements.CELLS:
                self._pop_to(frozenset({"tr"}), _TABLE_SCOPE)
            self._pop_to(_CELL_GROUPS[name], _TABLE_SCOPE)
        elif name in ("input", "keygen", "textarea"):
            self._pop_to(frozenset({"select"}), elements.SCOPE)
        elif name in ("a", "nobr", "button", "select"):
            self._pop_to(frozenset({name}), elements.SCOPE)
        elif self.current in _RUBY_KIN.get(name, ()) or (
            name in ("option", "optgroup") and self.current == "option"
        ):
            self._pop()

    def open(self, name: str, *, self_closing: bool, html_inside: bool = False) -> bool:
        """Push the element that a start tag opens; say whether it opened one.

        Args:
            name: the tag's name in lower case.
            self_closing: the tag ends with ``/>``.
            html_inside: an ``annotation-xml`` whose encoding is HTML.
        """
        foreign = not self.takes_html
        if foreign or name in ("svg", "math"):
            kind = _INTEGRATION if self._is_integration(name, html_inside) else _FOREIGN
            return not self_closing and self._push(name, kind)
        if name in elements.VOID or name in _UNSTACKED:
            return False
        if name in elements.TABLE_PARTS and not self._counts["table"]:
            return False
        if name == "form" and self._counts["form"] and not self._counts["template"]:
            return False
        return self._push(name, _HTML)

    def add_formatting(self, name: str, key: int) -> bool:
        """Note a formatting element that later blocks repeat until it is closed.

        Args:
            name: the tag's name.
            key: equal for equal sets of attributes.

        Returns:
            False where too many wait already and the tag is better left out.
        """
        if len(self._formatting) >= MAX_FORMATTING + self._formatting.count(None):
            return False
        same = []
        for place in range(len(self._formatting) - 1, -1, -1):
            if self._formatting[place] is None:
                break
            if self._formatting[place] == (name, key):
                same.append(place)
        if len(same) >= _SAME_FORMATTING:
            del self._formatting[same[-1]]
        self._formatting.append((name, key))
        return True

    def close(self, name: str) -> None:
        """Pop the elements that an end tag called `name` closes, if any."""
        if not self._counts[name]:
            if name in ("p", "br") and not self.takes_html:
                self.close_implied("p")
            self._forget_formatting(name)
            return
        if name in elements.TABLE_PARTS or name == "table":
            self._pop_to(frozenset({name}), _TABLE_SCOPE - {name})
        elif name in elements.FORMATTING:
            self._forget_formatting(name)
            self._remove(name)
        elif name in elements.HEADINGS:
            self._pop_to(elements.HEADINGS, elements.SCOPE)
        elif self.is_foreign or name in elements.SPECIAL:
            self._pop_to(frozenset({name}), elements.SCOPE - {name})
        else:
            self._pop_to(frozenset({name}), elements.SPECIAL)

    def _is_integration(self, name: str, html_inside: bool) -> bool:
        if self._counts["svg"] and name in _SVG_INTEGRATION:
            return True
        return self._counts["math"] > 0 and (name in _MATH_INTEGRATION or html_inside)

    def _close_list_kin(self, name: str) -> None:
        kin = _LIST_KIN.get(name)
        if kin is None:
            return
        for place in range(len(self._names) - 1, -1, -1):
            current = self._names[place]
            if current in kin:
                self._cut(place)
                return
            if current in elements.SPECIAL and current not in _LIST_PASSES:
                return

    def _pop_to(self, names: frozenset[str], barrier: frozenset[str]) -> None:
        if not any(self._counts[name] for name in names):
            return
        for place in range(len(self._names) - 1, -1, -1):
            if self._names[place] in names:
                self._cut(place)
                return
            if self._names[place] in barrier:
                return

    def _finds(self, name: str, barrier: frozenset[str]) -> bool:
        if not self._counts[name]:
            return False
        for current in reversed(self._names):
            if current == name:
                return True
            if current in barrier:
                return False
        return False

    def _remove(self, name: str) -> None:
        for place in range(len(self._names) - 1, -1, -1):
            if self._names[place] == name:
                if any(above in elements.SPECIAL for above in self._names[place + 1 :]):
                    del self._names[place], self._kinds[place]
                    self._counts[name] -= 1
                else:
                    self._cut(place)
                return
            if self._names[place] in elements.SCOPE:
                return

    def _forget_formatting(self, name: str) -> None:
        for place in range(len(self._formatting) - 1, -1, -1):
            entry = self._formatting[place]
            if entry is None:
                return
            if entry[0] == name:
                del self._formatting[place]
                return

    def _push(self, name: str, kind: int) -> bool:
        if name in _MARKERS:
            self._formatting.append(None)
        self._names.append(name)
        self._kinds.append(kind)
        self._counts[name] += 1
        return True

    def _pop(self) -> None:
        name = self._names.pop()
        self._counts[name] -= 1
        self._kinds.pop()
        if name in _MARKERS:
            while self._formatting and self._formatting.pop() is not None:
                pass

    def _cut(self, length: int) -> None:
        while len(self._names) > length:
            self._pop()
