"""Fine-tune a reader: the loop, with evaluation, checkpoints and resuming.

In bfloat16 a run keeps its weights twice: in float32, where the optimizer steps, and as a bfloat16
copy, which computes (Micikevicius et al. 2018, arXiv 1710.03740). A step that is smaller than what
bfloat16 can tell apart is so not lost. The copy is rounded once a step; autocast would round every
weight in every forward pass.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from docqa.errors import TrainingError
from docqa.reader.modules import place
from docqa.training.batches import TrainingBatch, epoch_batches, lay_out
from docqa.training.checkpoint import (
    TrainingState,
    device_random,
    read_state,
    set_device_random,
    write_state,
)
from docqa.training.distil import SoftTargets
from docqa.training.examples import Example
from docqa.training.loss import distillation_loss, span_loss
from docqa.training.settings import TrainSettings
from docqa.training.start import Start, save_reader

__all__ = ["Evaluate", "FinetuneResult", "StepReport", "finetune"]

_NO_DECAY = ("bias", "norm", "Norm")


@dataclass(frozen=True, slots=True)
class StepReport:
    """Report of one step.

    Attributes:
        step: from 1. steps: in all.
        loss: mean over the step's windows, before the step.
        learning_rate: of the step.
        gradient_norm: before clipping.
        tokens: read in the step, without padding.
        seconds: it took.
        figures: of the evaluation after the step, where there was one.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float
    figures: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """Outcome of a run.

    Attributes:
        figures: those of the version that is kept, with its step; ``{}`` without evaluation.
        step: steps taken. steps: in all.
    """

    figures: dict[str, float]
    step: int
    steps: int


Evaluate = Callable[[Any], dict[str, float]]
"""From the `SpanModel` in training to figures; the version with the highest "f1" is kept."""


def finetune(
    start: Start,
    examples: Sequence[Example],
    weights: Sequence[float],
    folder: Path,
    settings: TrainSettings,
    *,
    fingerprint: str,
    soft_targets: SoftTargets | None = None,
    evaluate: Evaluate | None = None,
    device: str = "auto",
    dtype: str = "float32",
    progress: Callable[[StepReport], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> FinetuneResult:
    """Train the module of `start`; see `docqa.training.train` for the files of the folder.

    Args:
        start: its module is trained in place, in float32.
        examples: what it learns.
        weights: how often each example is seen an epoch.
        folder: of the run, which is resumed from a checkpoint in it.
        settings: of the run.
        fingerprint: tells the run from others; a checkpoint with another one is refused.
        soft_targets: the teacher's, of all examples.
        evaluate: measures the model; the version with the highest ``"f1"`` is kept.
        device: where it runs.
        dtype: what forward and backward passes compute in, ``"float32"`` or ``"bfloat16"``.
        progress: called after each step.
        stop: asked before each step; True ends the run with a checkpoint.

    Raises:
        TrainingError: nothing to train on, another run's checkpoint, or a loss that is no number.
    """
    run = _Run(
        start, examples, weights, settings, device=device, dtype=dtype, soft_targets=soft_targets
    )
    best = run.resume(folder, fingerprint)
    folder.mkdir(parents=True, exist_ok=True)
    log, reader = folder / "log.jsonl", folder / "reader"
    _cut_log(log, run.step)
    no_answer = any(not example.answerable for example in examples)
    kept = run.step  # the step of the checkpoint
    with log.open("a", encoding="utf-8") as lines:
        while run.step < run.steps and not (stop and stop()):
            report = run.take_step()
            last = report.step == run.steps
            if evaluate and (last or report.step % settings.evaluate_every == 0):
                figures = run.evaluated(evaluate)
                report = replace(report, figures=figures)
                if figures["f1"] > best.get("f1", -1.0):
                    best = {"step": report.step, **figures}
                    save_reader(start, reader, no_answer=no_answer)
            elif last and not evaluate:
                save_reader(start, reader, no_answer=no_answer)
            lines.write(json.dumps(asdict(report)) + "\n")
            if last or report.step % settings.checkpoint_every == 0:
                lines.flush()
                write_state(folder, run.state(fingerprint, best))
                kept = run.step
            if progress:
                progress(report)
    if run.step < run.steps:
        if kept < run.step or not run.step:
            write_state(folder, run.state(fingerprint, best))
    elif not best and not reader.is_dir():
        save_reader(start, reader, no_answer=no_answer)
    return FinetuneResult(best, run.step, run.steps)


class _Run:
    """State that each step of a run changes: weights, optimizer, random numbers, position."""

    def __init__(
        self,
        start: Start,
        examples: Sequence[Example],
        weights: Sequence[float],
        settings: TrainSettings,
        *,
        device: str,
        dtype: str,
        soft_targets: SoftTargets | None,
    ) -> None:
        self._settings, self._examples, self._soft_targets = settings, examples, soft_targets
        self._pad_id, self._frozen, self._dtype = start.tokenizer.pad_id, start.frozen, dtype
        self._plan = _plan([len(example) for example in examples], weights, settings)
        self._master = start.module
        self._model = place(
            start.module if dtype == "float32" else copy.deepcopy(start.module),
            start.checkpoint.config,
            separator_id=start.tokenizer.template.between[0],
            device=device,
            dtype=dtype,
        )
        self._module = self._model.module  # what computes: the master itself, or a rounded copy
        self._rounded: list[tuple[torch.nn.Parameter, torch.nn.Parameter]] = []
        if self._module is not self._master:
            self._master.to(self._model.device)
            both = self._module.parameters(), self._master.parameters()
            self._rounded = list(zip(*both, strict=True))
        for rounded, master in self._rounded:
            if rounded.requires_grad:
                hook = partial(_pass_on, master)
                rounded.register_post_accumulate_grad_hook(hook)  # type: ignore[no-untyped-call]
        self._optimizer = _optimizer(self._master, settings)
        self.step, self.steps = 0, len(self._plan)
        torch.manual_seed(settings.seed)

    def resume(self, folder: Path, fingerprint: str) -> dict[str, float]:
        """Resume from a folder's checkpoint, if there is one; return the best figures so far."""
        state = read_state(folder)
        if state is None:
            return {}
        if state.fingerprint != fingerprint:
            raise TrainingError(
                f"{folder} holds a run with other settings or other data; give the settings and "
                "files that it was started with to go on, or another folder to start afresh"
            )
        self._master.load_state_dict(state.weights)
        self._round(self._rounded)
        self._optimizer.load_state_dict(state.optimizer)
        torch.set_rng_state(state.random)
        set_device_random(self._model.device, state.device_random)
        self.step = state.step
        return state.best

    def state(self, fingerprint: str, best: dict[str, float]) -> TrainingState:
        """Return the state from which a run is resumed."""
        return TrainingState(
            fingerprint=fingerprint,
            dtype=self._dtype,
            step=self.step,
            best=best,
            weights=self._master.state_dict(),
            optimizer=self._optimizer.state_dict(),
            random=torch.get_rng_state(),
            device_random=device_random(self._model.device),
        )

    def evaluated(self, evaluate: Evaluate) -> dict[str, float]:
        self._module.eval()
        return evaluate(self._model)

    def take_step(self) -> StepReport:
        """Take the next step of the plan."""
        started = time.perf_counter()
        settings, batches = self._settings, self._plan[self.step]
        rate = settings.learning_rate * _rate(self.step, self.steps, settings.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._module.train()
        for name in self._frozen:
            self._module.get_submodule(name).eval()
        n_windows = sum(len(batch) for batch in batches)
        loss, tokens = 0.0, 0
        for batch in batches:
            chosen = [self._examples[index] for index in batch]
            part = self._loss(lay_out(chosen, pad_id=self._pad_id), batch) / n_windows
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
            tokens += sum(len(example) for example in chosen)
        norm = torch.nn.utils.clip_grad_norm_(self._master.parameters(), settings.clip_norm).item()
        if not math.isfinite(loss + norm):
            raise TrainingError(
                f"the loss is no number any more at step {self.step + 1}; start afresh with a "
                "lower learning_rate"
            )
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._round([pair for pair in self._rounded if pair[0].requires_grad])
        self.step += 1
        seconds = time.perf_counter() - started
        return StepReport(self.step, self.steps, loss, rate, norm, tokens, seconds)

    def _loss(self, batch: TrainingBatch, rows: Sequence[int]) -> torch.Tensor:
        """Return the sum of the windows' losses."""
        ids = self._tensor(batch.input_ids)
        allowed = self._tensor(batch.allowed)
        output = self._module(**self._model.inputs(ids, self._tensor(batch.attention_mask)))
        logits = output.start_logits, output.end_logits
        golds = self._tensor(batch.starts), self._tensor(batch.ends)
        loss = span_loss(*logits, *golds, allowed)
        if self._soft_targets is not None:
            share, heat = self._settings.teacher_weight, self._settings.temperature
            soft_starts, soft_ends = map(
                self._tensor, self._soft_targets.lay_out(rows, batch, temperature=heat)
            )
            taught = distillation_loss(*logits, soft_starts, soft_ends, allowed, temperature=heat)
            loss = (1 - share) * loss + share * taught
        return loss.sum()

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self._model.device)

    @staticmethod
    @torch.no_grad()
    def _round(pairs: Sequence[tuple[torch.nn.Parameter, torch.nn.Parameter]]) -> None:
        """Round master weights to the copy that computes."""
        for rounded, master in pairs:
            rounded.copy_(master)


def _pass_on(master: torch.nn.Parameter, rounded: torch.Tensor) -> None:
    """Add a gradient to that of the master weights, in float32, and free it.

    Several passes of one step are so added up in float32, and one gradient at a time is there
    twice.
    """
    if rounded.grad is None:
        return
    if master.grad is None:
        master.grad = rounded.grad.float()
    else:
        master.grad += rounded.grad
    rounded.grad = None


def _plan(
    lengths: Sequence[int], weights: Sequence[float], settings: TrainSettings
) -> list[list[list[int]]]:
    """Return the batches of every step of the run."""
    steps: list[list[list[int]]] = []
    for epoch in range(math.ceil(settings.epochs)):
        batches = epoch_batches(
            lengths,
            weights,
            batch_tokens=settings.batch_tokens,
            seed=settings.seed,
            epoch=epoch,
        )
        size = settings.accumulate
        made = [batches[first : first + size] for first in range(0, len(batches), size)]
        steps += made[: math.ceil(len(made) * min(settings.epochs - epoch, 1.0))]
    if not steps:
        raise TrainingError("there is nothing to train on: every row was left out, or weighs 0")
    return steps


def _rate(step: int, steps: int, warmup: float) -> float:
    """Return the share of the highest learning rate at a step: up on a line, then down to 0.

    >>> [_rate(step, 10, 0.2) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.125]
    """
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(steps - rising, 1)


def _optimizer(module: torch.nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    decayed: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            spared = any(mark in name for mark in _NO_DECAY)
            (others if spared else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


def _cut_log(log: Path, step: int) -> None:
    """Drop the lines of steps that are taken again, and a last one that a kill cut off."""
    if not log.is_file():
        return
    lines = log.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if line.endswith(b"\n") and json.loads(line)["step"] <= step]
    new = log.with_name(f"{log.name}.new")
    new.write_bytes(b"".join(kept))
    new.replace(log)
