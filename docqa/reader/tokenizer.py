"""Tokens of questions and passages, with the characters that each one stands for.

Only the `tokenizers` library is used: it starts in milliseconds, encodes batches on all cores, and
its ``tokenizer.json`` holds everything, the separators included. The names of models are never
looked at: how question and passage are framed is found by encoding a pair.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from docqa.datamodel import Span
from docqa.errors import ModelIncompatibleError
from docqa.folding import with_offsets
from docqa.limits import check_time
from docqa.protocols import Tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding
    from tokenizers import Tokenizer as Backend

    IntArray = NDArray[np.int32]
    _Cut = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # ids, starts, ends

__all__ = ["FastTokenizer", "Template", "Tokens"]

_FOLDING = "folded 1"  # changes whenever other characters are folded
_TEXTS_AT_A_TIME = 512  # bounds what the library holds beside the arrays kept here
# Pieces of a text between which BERT's tokens always end: signs of ASCII, words, white space.
_PIECE = re.compile(r"\s+|[!-/:-@\[-`{-~]|[^\s!-/:-@\[-`{-~]+")
_MOST_KNOWN = 100_000  # pieces whose tokens are kept, about 300 bytes each
_LONGEST_KNOWN = 40  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")
# BERT's normaliser drops control characters, so that "19\f2 Position" would become 192. They part
# words: form feeds between pages, NULs, C1 controls, and the two separators of Unicode.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
# The code points for which str.isspace() holds (Unicode 15: 29 of them, all below U+3001).
_SPACES = np.array([code for code in range(0x3001) if chr(code).isspace()], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens around a question and a passage, in this order.

    ``before question between passage after``: for BERT ``[CLS] q [SEP] p [SEP]``, for RoBERTa
    ``<s> q </s></s> p </s>``. The first token of `before` is the no-answer position.

    >>> Template((101,), (102,), (102,)).n_special
    3
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def n_special(self) -> int:
        """Return how many tokens a window spends on specials."""
        return len(self.before) + len(self.between) + len(self.after)


class FastTokenizer:
    """A tokenizer that cuts text into a reader's tokens.

    Special tokens written out in a text (``[SEP]``) are read as plain characters, so that no
    document can forge a separator. Lone surrogates are read as U+FFFD, full-width letters and
    ligatures as plain ones (`docqa.folding`); offsets do not move.

    Args:
        backend: a tokenizer of the `tokenizers` library; its truncation and padding are off from
            here on.
        pad_id: the token that fills windows up.

    Raises:
        ModelIncompatibleError: the tokenizer does not frame a question and a passage.
    """

    def __init__(self, backend: Backend, *, pad_id: int = 0) -> None:
        backend.no_truncation()
        backend.no_padding()
        backend.encode_special_tokens = True
        self._backend = backend
        self.pad_id = pad_id
        self.template = _probe(backend)
        self._pieces = _PieceTokens(backend) if _ends_at_pieces(backend) else None

    @cached_property
    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that tokenizers share if they make the same tokens."""
        made_by = self._backend.to_str() + _FOLDING
        return hashlib.sha256(made_by.encode("utf-8")).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``."""
        path.write_text(self._backend.to_str(), "utf-8")

    def offsets(self, text: str) -> list[Span]:
        """Return the span of every token that is more than white space, in order."""
        tokens = self.encode([text])[0]
        pairs = zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
        return [Span(start, end) for start, end in pairs if start < end]

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text."""
        made: list[Tokens] = []
        for first in range(0, len(texts), _TEXTS_AT_A_TIME):
            check_time()
            some = texts[first : first + _TEXTS_AT_A_TIME]
            folded = [with_offsets(_clean(text)) for text in some]
            plain = [text for text, _ in folded]
            if self._pieces is not None:
                cut = [self._pieces.tokens(text) for text in plain]
            else:
                encodings = self._backend.encode_batch(plain, add_special_tokens=False)
                cut = [_tokens(*pair) for pair in zip(plain, encodings, strict=True)]
            made += [_placed(one, at) for one, (_, at) in zip(cut, folded, strict=True)]
        return made


class _PieceTokens:
    """A maker of a text's tokens out of those of its pieces, each of which is cut once.

    Args:
        backend: a tokenizer for which `_ends_at_pieces` holds.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, _Cut] = {}

    def tokens(self, text: str) -> Tokens:
        """Return the tokens of a clean, folded text."""
        pieces = _PIECE.findall(text)
        numbers = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
        cut = self._cut(list(numbers))
        counts = np.array([len(ids) for ids, _, _ in cut], np.int64)
        lengths = np.array([len(piece) for piece in numbers], np.int64)
        order = np.fromiter(map(numbers.__getitem__, pieces), np.int64, len(pieces))
        n_tokens = counts[order]
        stops = np.cumsum(n_tokens)
        token = np.repeat((np.cumsum(counts) - counts)[order] - stops + n_tokens, n_tokens)
        token += np.arange(len(token))
        begin = np.repeat(np.cumsum(lengths[order]) - lengths[order], n_tokens).astype(np.int32)
        ids, starts, ends = (
            np.fromiter(chain.from_iterable(each[part] for each in cut), np.int32)[token]
            for part in range(3)
        )
        return Tokens(ids, starts + begin, ends + begin)

    def _cut(self, pieces: Sequence[str]) -> list[_Cut]:
        """Return the tokens of different pieces, each with offsets from its own start."""
        known = self._known
        missing = [piece for piece in pieces if piece not in known]
        made = dict(zip(missing, self._made(missing), strict=True)) if missing else {}
        found = [made[piece] if piece in made else known[piece] for piece in pieces]
        if len(known) > _MOST_KNOWN:
            self._known = known = {}
        known.update((each, made[each]) for each in missing if len(each) <= _LONGEST_KNOWN)
        return found

    def _made(self, pieces: Sequence[str]) -> Iterator[_Cut]:
        text = " ".join(pieces)
        tokens = _tokens(text, self._backend.encode(text, add_special_tokens=False))
        stops = np.cumsum([len(piece) + 1 for piece in pieces])
        lasts = np.searchsorted(tokens.starts, stops).tolist()
        ids, starts, ends = (each.tolist() for each in (tokens.ids, tokens.starts, tokens.ends))
        begin = first = 0
        for stop, last in zip(stops.tolist(), lasts, strict=True):
            yield (
                tuple(ids[first:last]),
                tuple(start - begin for start in starts[first:last]),
                tuple(end - begin for end in ends[first:last]),
            )
            begin, first = stop, last


def _ends_at_pieces(backend: Backend) -> bool:
    """Say whether no token reaches over two pieces, and each piece has its tokens everywhere.

    So it is with BERT's own tokenizers: words are cut one by one, after signs and white space.
    """
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    return (
        isinstance(backend.model, WordPiece)
        and isinstance(backend.normalizer, BertNormalizer)
        and isinstance(backend.pre_tokenizer, BertPreTokenizer)
        and all(token.special for token in backend.get_added_tokens_decoder().values())
    )


def _clean(text: str) -> str:
    """Return the text without characters that a tokenizer drops or refuses, of the same length."""
    return _CONTROL.sub(" ", _SURROGATE.sub("\ufffd", text))


def _tokens(text: str, encoding: Encoding) -> Tokens:
    pairs = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    starts, ends = _trim(text, pairs[:, 0].copy(), pairs[:, 1].copy())
    return Tokens(np.array(encoding.ids, dtype=np.int32), starts, ends)


def _placed(tokens: Tokens, offsets: Sequence[int] | None) -> Tokens:
    """Return the tokens of a folded text, placed in the text that it was folded from."""
    if offsets is None:
        return tokens
    places = np.array([*offsets, offsets[-1] + 1 if offsets else 0], dtype=np.int32)
    held = tokens.starts < tokens.ends
    ends = np.where(held, places[np.maximum(tokens.ends - 1, 0)] + 1, places[tokens.ends])
    starts = np.where(held, places[tokens.starts], ends).astype(np.int32)
    return Tokens(tokens.ids, starts, ends)


def _trim(text: str, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Move the borders of all tokens inwards over white space, together."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    is_space = np.append(np.isin(codes, _SPACES), False)
    while (leading := (starts < ends) & is_space[starts]).any():
        starts += leading
    while (trailing := (starts < ends) & is_space[ends - 1]).any():
        ends -= trailing
    return starts, ends


def _probe(backend: Backend) -> Template:
    """Find the special tokens around a pair by encoding one (no model is known by name)."""
    encoding = backend.encode("a", "a")
    owners, ids = encoding.sequence_ids, encoding.ids
    if 0 not in owners or 1 not in owners or owners.index(1) < owners.index(0):
        raise ModelIncompatibleError(
            "the tokenizer does not put a question before a passage; docqa reads checkpoints "
            "that were trained on question first, passage second"
        )
    question, passage = owners.index(0), owners.index(1)
    question_end, passage_end = _run_end(owners, question), _run_end(owners, passage)
    parts = ids[:question], ids[question_end:passage], ids[passage_end:]
    if not parts[0] or not parts[1]:
        raise ModelIncompatibleError(
            "the tokenizer adds no special tokens around a question and a passage; its "
            "tokenizer.json needs a post-processor (save it again with transformers)"
        )
    return Template(*(tuple(part) for part in parts))


def _run_end(owners: Sequence[int | None], start: int) -> int:
    end = start
    while end < len(owners) and owners[end] == owners[start]:
        end += 1
    return end
