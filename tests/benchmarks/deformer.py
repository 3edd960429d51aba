"""Try a reader whose lower layers see question and passage apart (DeFormer, arXiv 2005.00697).

    DOCQA_DATA=... python tests/benchmarks/deformer.py [--model mini] [--lower 3] [--steps 150]

What the lower layers say of a passage then depends on no question: it can be kept, and the next
question on the same document computes its own few tokens and the upper layers only. Two readers
start from the same checkpoint and see the same batches in the same order: the joint one as it is,
and the split one, whose lower layers get a block-diagonal attention mask. Printed are

- F1 of both on a sample of SQuAD v1.1 dev, before and after the steps (the gap is what it costs);
- the time of a pass over 16 passages of 160 tokens with a question of 12, joint against split with
  kept states, in interleaved rounds (the ratio is what it gains), and the size of the states.

A kept state must not depend on the question's length, so a passage's positions start at a fixed
number in the split reader, after the longest question that there can be.

Plain fine-tuning only: the paper adds two distillation terms (the joint reader's logits and its
upper hidden states), which raise its F1; without them the gap shown is an upper bound.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from docqa.datamodel import Passage, Span
from docqa.evaluation.squad import exact_match, f1
from docqa.question_sets import Paragraph, Question, read_question_set
from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.encoding import plan_batches, window_ranges
from docqa.reader.models import load_reader
from docqa.reader.modules import load_module
from docqa.reader.span_reader import SpanReader
from docqa.reader.tokenizer import FastTokenizer

_PASSAGE_POSITION = 66  # 64 tokens of a question, and the two specials around it
_WINDOW, _OVERLAP, _QUESTION = 288, 96, 48
_PASSAGES, _PASSAGE_TOKENS, _QUESTION_TOKENS = 16, 160, 12


class SplitReader(torch.nn.Module):
    """A DistilBERT reader whose first `lower` layers see question and passage apart.

    With ``lower=0`` it is the joint reader: no block mask, and positions as they come.
    """

    def __init__(self, module: torch.nn.Module, *, lower: int, separator_id: int) -> None:
        super().__init__()
        self.module, self.lower, self.separator_id = module, lower, separator_id

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the logits, ``(n_windows, n_tokens, 2)``; all arguments are of two axes."""
        separators = (ids == self.separator_id).long()
        passage = (separators.cumsum(1) - separators) > 0  # the padding counts as passage
        positions = torch.arange(ids.shape[1]).expand_as(ids)
        if self.lower:
            begins = (~passage).sum(1, keepdim=True)
            positions = torch.where(passage, positions - begins + _PASSAGE_POSITION, positions)
        seen = mask.bool()[:, None, None, :]
        apart = seen & (passage[:, None, :, None] == passage[:, None, None, :])
        states = self.embed(ids, positions)
        states = self.layers(states, apart, 0, self.lower)
        return self.head(self.layers(states, seen, self.lower))

    def embed(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        return self.module.distilbert.embeddings(ids, position_ids=positions)

    def layers(
        self, states: torch.Tensor, seen: torch.Tensor | None, first: int, last: int | None = None
    ) -> torch.Tensor:
        for layer in self.module.distilbert.transformer.layer[first:last]:
            states = layer(states, seen)
        return states

    def head(self, states: torch.Tensor) -> torch.Tensor:
        return self.module.qa_outputs(states)

    def kept(self, passage_ids: torch.Tensor) -> torch.Tensor:
        """Return the lower layers' states of passages of one length, to be kept."""
        positions = torch.arange(passage_ids.shape[1]).expand_as(passage_ids) + _PASSAGE_POSITION
        return self.layers(self.embed(passage_ids, positions), None, 0, self.lower)

    def with_kept(self, question_ids: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Return the logits of a question, ``(1, n_tokens)``, with every kept passage."""
        positions = torch.arange(question_ids.shape[1]).expand_as(question_ids)
        states = self.layers(self.embed(question_ids, positions), None, 0, self.lower)
        together = torch.cat([states.expand(len(kept), -1, -1), kept], dim=1)
        return self.head(self.layers(together, None, self.lower))


class SplitModel:
    """A `SpanModel` over a `SplitReader`, so that it is evaluated as every reader is."""

    def __init__(self, reader: SplitReader) -> None:
        self.reader = reader.eval()

    @torch.inference_mode()
    def __call__(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits = self.reader(torch.from_numpy(input_ids), torch.from_numpy(attention_mask))
        return logits[..., 0].numpy(), logits[..., 1].numpy()


@dataclass(frozen=True)
class Example:
    """A window for training: its ids, and the columns of the answer's first and last token."""

    ids: list[int]
    first: int
    last: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both readers and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini", help="name or folder of a DistilBERT reader")
    parser.add_argument("--lower", type=int, default=3, help="layers that see the parts apart")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch-tokens", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=1e-4, help="learning rate at its highest")
    parser.add_argument("--train", nargs="*", type=Path, help="SQuAD-form files")
    parser.add_argument("--dev", type=Path)
    parser.add_argument("--sample", type=int, default=300, help="questions of dev")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    data = Path(os.environ.get("DOCQA_DATA", "."))
    train = given.train or [data / "train" / "squad_recovered.json"]
    dev = given.dev or data / "dev" / "squad-dev-v1.1.json"
    tokenizer = load_reader(given.model, device="cpu").tokenizer
    separator_id = tokenizer.template.between[0]
    module = load_module(find_checkpoint(given.model))
    rows = sample(dev, given.sample, seed=0)
    batches = list(
        training_batches(tokenizer, train, given.steps, given.batch_tokens, seed=given.seed)
    )
    n_tokens = sum(len(each.ids) for batch in batches for each in batch)
    print(f"{given.model}: {len(batches)} steps, {n_tokens:,} tokens, {len(rows)} dev questions")
    for lower in (0, given.lower):
        reader = SplitReader(copy.deepcopy(module), lower=lower, separator_id=separator_id)
        name = f"lower {lower} of {len(module.distilbert.transformer.layer)} layers apart"
        before = score(reader, tokenizer, rows)
        started = time.perf_counter()
        loss = fine_tune(reader, batches, rate=given.rate, seed=given.seed)
        seconds = time.perf_counter() - started
        after = score(reader, tokenizer, rows)
        print(
            f"{name if lower else 'joint reader':30} EM {before[0]:.1f} F1 {before[1]:.1f} before, "
            f"EM {after[0]:.1f} F1 {after[1]:.1f} after; last loss {loss:.3f}, "
            f"{n_tokens / seconds:,.0f} tokens/s"
        )
    print(kept_speed(reader, tokenizer))


def sample(path: Path, count: int, *, seed: int) -> list[tuple[Paragraph, Question]]:
    """Return that many questions of a file with their paragraphs, at random."""
    rows = list(read_question_set(path).rows())
    return random.Random(seed).sample(rows, min(count, len(rows)))


def training_batches(
    tokenizer: FastTokenizer, files: Sequence[Path], steps: int, batch_tokens: int, *, seed: int
) -> Iterator[list[Example]]:
    """Yield batches of windows of like length, in an order that the seed decides."""
    drawn = random.Random(seed)
    rows = [row for path in files for row in read_question_set(path).rows()]
    drawn.shuffle(rows)
    made = 0
    while made < steps:
        for first in range(0, len(rows), 512):
            some = rows[first : first + 512]
            examples = [one for row in some if (one := example(tokenizer, *row, drawn))]
            plan = plan_batches([len(one.ids) for one in examples], batch_tokens)
            drawn.shuffle(plan)
            for chosen in plan[: steps - made]:
                yield [examples[index] for index in chosen]
                made += 1
            if made >= steps:
                return


def example(
    tokenizer: FastTokenizer, paragraph: Paragraph, question: Question, drawn: random.Random
) -> Example | None:
    """Return a window of a question for training; None where the question is too long.

    Of a long paragraph a window with the answer is drawn; without an answer, any, with the
    no-answer position as the target.
    """
    asked, passage = tokenizer.encode([question.text, paragraph.context])
    if len(asked) > _QUESTION or not len(passage):
        return None
    template = tokenizer.template
    room = _WINDOW - len(asked) - template.n_special
    ranges = window_ranges(len(passage), room, _OVERLAP)
    answer = None
    if question.golds:
        gold = question.golds[0]
        start = int(np.searchsorted(passage.ends, gold.start, "right"))
        stop = int(np.searchsorted(passage.starts, gold.start + len(gold.text), "left"))
        ranges = [each for each in ranges if each[0] <= start and stop <= each[1]]
        answer = start, stop - 1
    if not ranges:
        return None
    first, last = drawn.choice(ranges)
    head = [*template.before, *asked.ids.tolist(), *template.between]
    ids = [*head, *passage.ids[first:last].tolist(), *template.after]
    if answer is None:
        return Example(ids, 0, 0)
    shift = len(head) - first
    return Example(ids, answer[0] + shift, answer[1] + shift)


def fine_tune(
    reader: SplitReader, batches: Sequence[Sequence[Example]], *, rate: float, seed: int
) -> float:
    """Train with AdamW, a tenth of the steps warming up, then falling to 0; return the last loss.

    The last loss is the mean over the last tenth of the steps.
    """
    torch.manual_seed(seed)
    reader.train()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=rate, weight_decay=0.01)
    warm = max(1, len(batches) // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm, (len(batches) - step) / max(1, len(batches) - warm)),
    )
    losses = []
    for batch in batches:
        ids, mask = padded([each.ids for each in batch])
        logits = reader(ids, mask).masked_fill(mask[..., None] == 0, -1e4)
        first, last = (
            torch.tensor([getattr(e, name) for e in batch]) for name in ("first", "last")
        )
        loss = sum(
            torch.nn.functional.cross_entropy(logits[..., side], target)
            for side, target in enumerate((first, last))
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()) / 2)
    return statistics.mean(losses[-warm:]) if losses else float("nan")


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, both ``(n_windows, n_tokens)``."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def score(
    reader: SplitReader, tokenizer: FastTokenizer, rows: Sequence[tuple[Paragraph, Question]]
) -> tuple[float, float]:
    """Return EM and F1 in percent on questions of their own paragraph."""
    model = SplitModel(reader)
    reading = SpanReader(model, tokenizer, name="split", no_answer=True, batch_tokens=2048)
    requests = [
        (question.text, [Passage("dev", 0, Span(0, len(paragraph.context)), paragraph.context)])
        for paragraph, question in rows
    ]
    exact = overlap = 0.0
    results = reading.read_all(requests, top_k=1)
    for result, (paragraph, question) in zip(results, rows, strict=True):
        text = result.spans[0].span.of(paragraph.context) if result.spans else ""
        golds = [gold.text for gold in question.golds]
        exact, overlap = exact + exact_match(text, golds), overlap + f1(text, golds)
    return 100 * exact / len(rows), 100 * overlap / len(rows)


@torch.inference_mode()
def kept_speed(reader: SplitReader, tokenizer: FastTokenizer, rounds: int = 9) -> str:
    """Return a line: the time of a pass with kept states against the joint pass, and their size."""
    reader.eval()
    drawn = torch.Generator().manual_seed(0)
    template = tokenizer.template
    words = torch.randint(2000, 20_000, (1, _QUESTION_TOKENS), generator=drawn)
    specials = [torch.tensor([part]) for part in (template.before, template.between)]
    question = torch.cat([specials[0], words, specials[1]], dim=1)
    passages = torch.randint(2000, 20_000, (_PASSAGES, _PASSAGE_TOKENS), generator=drawn)
    passages = torch.cat([passages, torch.tensor([template.after] * _PASSAGES)], dim=1)
    whole = torch.cat([question.expand(_PASSAGES, -1), passages], dim=1)
    joint = SplitReader(reader.module, lower=0, separator_id=reader.separator_id).eval()
    kept = reader.kept(passages)
    difference = (reader(whole, torch.ones_like(whole)) - reader.with_kept(question, kept)).abs()
    times: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        joint.module(input_ids=whole)
        middle = time.perf_counter()
        reader.with_kept(question, kept)
        times.append((middle - started, time.perf_counter() - middle))
    ratio = statistics.median(one / other for one, other in times[1:])
    full, saved = (1000 * statistics.median(each) for each in zip(*times[1:], strict=True))
    size = kept[0].numel() * kept.element_size()
    return (
        f"a pass over {_PASSAGES} passages of {_PASSAGE_TOKENS} tokens: joint {full:.1f} ms, with "
        f"kept states {saved:.1f} ms, {ratio:.2f} times as fast (median of {rounds} rounds); "
        f"{size / 1e3:.0f} kB a passage in float32; largest difference to the masked pass "
        f"{float(difference.max()):.1e}"
    )


if __name__ == "__main__":
    main()
