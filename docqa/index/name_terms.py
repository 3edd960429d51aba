"""Terms of a document's names (its file name and its title), and their weight in the ranking.

In a collection, questions often name the document that they ask about, but hardly any passage of
it does.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from docqa.datamodel import is_nameless
from docqa.index.analysis import terms

__all__ = ["NAME_WEIGHT", "name_terms"]

NAME_WEIGHT = 0.7
"""How much the names count beside a passage's own terms.

On four collections (tests/benchmarks/names.py, docs/measurements/collections.md), the share of
questions with their document first, and with their place among the first 10 passages:

    weight    encyclopedia     look-alike filings    SQuAD articles    all 38 PDFs
    0         96.1  79.6       77.2  92.6            94.8  94.8        91.5  97.6
    0.7       98.4  86.7       82.4  92.6            95.2  94.9        92.1  97.4
    3         98.6  86.7       84.6  93.4            92.8  93.1        89.0  95.9

From 1.5 on, questions that name nothing lose more than others win; 0.5 to 1 differ little.
"""

_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,5}$")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at least: "C:" is a drive
_JOINTS = re.compile(r"[_-]+|(?<!\d)\.|\.(?!\d)")  # the full stop of "EX-10.2" stays
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def name_terms(source: str, title: str | None) -> tuple[str, ...]:
    """Return the terms of a document's names, each once: of its file name, then of its title.

    The file name is what stands after the last slash, without its suffix. It is split where signs
    or a change of case join its words; what a change of case joins is there as a whole, too. Of an
    address, the query and the fragment are left out, and one without a path gives its host.

    Args:
        source: path, address or name of the document; a nameless one, such as ``"<bytes>"``, has
            no terms.
        title: the document's own, or None.

    >>> name_terms("/home/ada/AcmeInc_2021Q1-10Q.pdf", "Quarterly report")
    ('acm', 'inc', 'acmeinc', '2021', 'q', '1', '2021q1', '10', '10q', 'quarter', 'report')
    >>> name_terms("https://example.org/wiki/Apollo_11?action=raw#Crew", None)
    ('apollo', '11')
    >>> name_terms("https://example.org/", None)
    ('exampl', 'org')
    >>> name_terms("<bytes>", "Lease of the mill")
    ('leas', 'mill')
    """
    found = () if is_nameless(source) else _file_terms(_file_name(source))
    return tuple(dict.fromkeys((*found, *terms(title or ""))))


def _file_name(source: str) -> str:
    if _ADDRESS.match(source):
        try:
            parts = urlsplit(source)
            path, host = unquote(parts.path), parts.hostname or ""
        except ValueError:  # a broken host
            path, host = source, ""
        if not path.strip("/"):
            return host
        source = path
    return _SUFFIX.sub("", re.split(r"[/\\]", source.rstrip("/\\"))[-1])


def _file_terms(name: str) -> list[str]:
    spaced = _JOINTS.sub(" ", name)
    found = []
    for word in spaced.split():
        split = _HUMPS.sub(" ", word)
        found += terms(split)
        if split != word:
            found += terms(word)
    return found
