"""Find the characters that a page holds but does not show: layers that are off, invisible text.

What is drawn in a layer that is off, without filling, or in white on the bare page is seen by no
reader, so that it is no answer. Invisible text over a picture is something else: a scan's words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from docqa._pdfium import PdfPage
from docqa._pypdf import translated
from docqa.loaders.pdf.crop import SPACES, lies_outside, with_space

__all__ = ["Layers", "hidden_indexes"]

_OBJECTS = re.compile(rb"/ObjStm\b[^>]{0,200}>>\s*stream\r?\n")
_MOST_BYTES = 4 << 20  # of an object stream; those of real files have some ten thousand


class LayersError(Exception):
    """pypdf cannot read the layers."""


class Layers:
    """The layers of a file that are off as it opens: ISO 32000-1, 8.11.4.

    Args:
        data: the file's bytes.
        password: opens an encrypted file.
    """

    def __init__(self, data: bytes, password: str | None = None) -> None:
        self._data, self._password = data, password
        self.may_exist = _may_have_layers(data)
        self._root: Any = None
        self._off: frozenset[str] | None = None
        self._off_ids: set[int] = set()

    def hides(self, names: Iterable[str], index: int) -> bool:
        """Say whether the content of layers is hidden.

        Args:
            names: of the layers; ``""`` for a group of layers, which has none.
            index: of the page, from 0.
        """
        return any(name in self._off_names() if name else self._off_groups(index) for name in names)

    def hides_annotation(self, index: int, number: int) -> bool:
        """Say whether the layer of annotation `number` of a page, both from 0, is hidden."""
        self._off_names()
        try:
            with translated(LayersError):
                annotation = self._reader().pages[index]["/Annots"][number].get_object()
                layer = annotation.raw_get("/OC")
                group = layer.get_object()
                if "/OCGs" in group:
                    return _is_hidden(group, self._off_ids)
                return layer.idnum in self._off_ids
        except (LayersError, AttributeError):
            return False

    def _off_names(self) -> frozenset[str]:
        """Return the names that layers which are off, and no others, have."""
        if self._off is None:
            try:
                with translated(LayersError):
                    self._off = self._read_off()
            except LayersError:
                self._off = frozenset()
        return self._off

    def _reader(self) -> Any:
        if self._root is None:
            import pypdf

            self._root = pypdf.PdfReader(BytesIO(self._data), strict=False)
            if self._root.is_encrypted:
                self._root.decrypt(self._password or "")
        return self._root

    def _read_off(self) -> frozenset[str]:
        layers = self._reader().trailer["/Root"]["/OCProperties"]
        self._off_ids = _off_ids(layers)
        names = {one.idnum: str(one.get_object().get("/Name", "")) for one in layers["/OCGs"]}
        shown = {name for number, name in names.items() if number not in self._off_ids}
        return frozenset(names.values()) - shown

    def _off_groups(self, index: int) -> bool:
        """Say whether the groups of layers that a page names, all of them, do not show."""
        self._off_names()
        try:
            with translated(LayersError):
                resources = self._reader().pages[index]["/Resources"].get_object()
                named = resources.get("/Properties", {}).get_object().values()
                groups = [one.get_object() for one in named]
                found = [_is_hidden(one, self._off_ids) for one in groups if "/OCGs" in one]
                return bool(found) and all(found)
        except (LayersError, AttributeError):
            return False


def _off_ids(layers: Mapping[str, Any]) -> set[int]:
    default = layers["/D"].get_object()
    off = {one.idnum for one in default.get("/OFF", ())}
    if default.get("/BaseState") == "/OFF":
        off = {one.idnum for one in layers["/OCGs"]} - {one.idnum for one in default.get("/ON", ())}
    return off


def _is_hidden(group: Mapping[str, Any], off: Collection[int]) -> bool:
    """Say whether a group's policy hides its content: ISO 32000-1, table 99."""
    members = group.raw_get("/OCGs")  # type: ignore[attr-defined]
    if not isinstance(members.get_object(), list):
        states = [members.idnum in off]
    else:
        states = [one.idnum in off for one in members.get_object() if hasattr(one, "idnum")]
    policy = group.get("/P", "/AnyOn")
    shown = {
        "/AllOn": not any(states),
        "/AnyOn": not all(states),
        "/AnyOff": any(states),
        "/AllOff": all(states),
    }
    return bool(states) and "/VE" not in group and not shown.get(policy, True)


def hidden_indexes(
    page: PdfPage, codes: Sequence[int], layers: Layers, index: int
) -> frozenset[int]:
    """Return the indexes of characters that the page does not show.

    The white space behind them goes with them where there is white space, or nothing, before them.

    Args:
        page: the loaded page.
        codes: a code for each character.
        layers: of the file.
        index: of the page, from 0.
    """
    odd = list(page.odd_texts(with_layers=layers.may_exist))
    off = {each.key for each in odd if each.layers and layers.hides(each.layers, index)}
    unseen = {each.key for each in odd if each.is_invisible or each.is_white}
    if unseen:
        behind = list(page.boxes_behind_text())
        boxes = {key: page.object_box(key) for key in unseen}
        unseen = {
            key for key, box in boxes.items() if all(lies_outside(box, one) for one in behind)
        }
    if not off and not unseen:
        return frozenset()
    keys = page.text_object_keys(len(codes))
    visible = [n for n, code in enumerate(codes) if keys[n] and code not in SPACES]
    if 2 * sum(keys[n] in unseen for n in visible) > len(visible):
        unseen = set()  # the text of a page that is drawn in curves
    gone = {keys[n] for n in visible} & (off | unseen)
    return with_space(codes, lambda number: keys[number] in gone) if gone else frozenset()


def _may_have_layers(data: bytes) -> bool:
    """Say whether the file's catalog may name layers, also inside a stream of objects."""
    if b"/OCProperties" in data:
        return True
    for match in _OBJECTS.finditer(data):
        try:
            content = zlib.decompressobj().decompress(data[match.end() :], _MOST_BYTES)
        except zlib.error:
            return True  # encrypted, perhaps
        if b"/OCProperties" in content:
            return True
    return False
