"""The loss: how far the model's start and end distributions are from the gold answers."""

from __future__ import annotations

import torch

__all__ = ["distillation_loss", "span_loss"]


def span_loss(
    start_logits: torch.Tensor,
    end_logits: torch.Tensor,
    starts: torch.Tensor,
    ends: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """Return each window's loss: the mean of its start's and its end's negative log-likelihood.

    With several gold answers it is the likelihood that any of them is hit (Clark and Gardner
    2018, section 3.2); with one it is the cross-entropy of Devlin et al. 2019. Question, padding
    and separators take no part, as they take none in decoding.

    Args:
        start_logits: shape ``(n_windows, n_tokens)``.
        end_logits: same shape.
        starts: same shape, True at the first token of each gold answer.
        ends: same shape, True at the last one.
        allowed: same shape, True where a span may start or end.

    Returns:
        Shape ``(n_windows,)``.
    """
    return (_missed(start_logits, starts, allowed) + _missed(end_logits, ends, allowed)) / 2


def _missed(logits: torch.Tensor, gold: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    lowest = torch.finfo(torch.float32).min
    whole = logits.float().masked_fill(~allowed, lowest).logsumexp(dim=1)
    return whole - logits.float().masked_fill(~gold, lowest).logsumexp(dim=1)


def distillation_loss(
    start_logits: torch.Tensor,
    end_logits: torch.Tensor,
    teacher_starts: torch.Tensor,
    teacher_ends: torch.Tensor,
    allowed: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    """Return each window's divergence from the teacher's softened distributions.

    ``T² KL(teacher || student)`` at temperature ``T``, the mean of start and end (Hinton et al.
    2015, section 2: the factor keeps gradients of one size whatever the temperature).

    Args:
        start_logits: the student's, shape ``(n_windows, n_tokens)``.
        end_logits: same shape.
        teacher_starts: the teacher's probabilities at this temperature, same shape, 0 outside of
            `allowed`.
        teacher_ends: likewise.
        allowed: same shape, True where a span may start or end.
        temperature: above 0.

    Returns:
        Shape ``(n_windows,)``.
    """
    pairs = (start_logits, teacher_starts), (end_logits, teacher_ends)
    return sum(  # type: ignore[return-value]
        _divergence(logits, teacher, allowed, temperature) for logits, teacher in pairs
    ) / len(pairs)


def _divergence(
    logits: torch.Tensor, teacher: torch.Tensor, allowed: torch.Tensor, temperature: float
) -> torch.Tensor:
    lowest = torch.finfo(torch.float32).min
    softened = (logits.float() / temperature).masked_fill(~allowed, lowest).log_softmax(dim=1)
    return temperature**2 * (torch.xlogy(teacher, teacher) - teacher * softened).sum(dim=1)
