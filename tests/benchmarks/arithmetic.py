"""Floating-point operations: how many a reader's pass takes, and how fast this machine does them.

A multiplication and an addition are two operations, as is usual.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["matrix_product_rate", "pass_operations", "wait_for"]

# Encoders with the layers of Vaswani et al. 2017: four products of the width, two of the
# feed-forward part. Others (gated, or with local attention) are not counted.
_COUNTED = {"bert", "distilbert", "roberta", "xlm-roberta", "camembert", "electra"}


def pass_operations(config: dict[str, Any], lengths: Iterable[int]) -> int | None:
    """Return the operations that reading windows of these lengths takes; None if not known.

    A layer takes ``8 d² + 4 d h`` operations a token for its matrix products (width d,
    feed-forward width h) and ``4 n d`` for attention over n tokens; the head ``4 d``. Norms,
    softmax and the like are left out: under 1% of it.

    Args:
        config: the checkpoint's ``config.json``.
        lengths: tokens of each window.

    >>> tiny = {"model_type": "distilbert", "n_layers": 1, "dim": 2, "hidden_dim": 8}
    >>> pass_operations(tiny, [10]), pass_operations({"model_type": "other"}, [10])
    (1840, None)
    """
    if config.get("model_type") not in _COUNTED:
        return None
    layers, width, inner = (
        int(config.get(short, config.get(long, 0)))
        for short, long in (
            ("n_layers", "num_hidden_layers"),
            ("dim", "hidden_size"),
            ("hidden_dim", "intermediate_size"),
        )
    )
    per_token = layers * (8 * width**2 + 4 * width * inner) + 4 * width
    return sum(n * per_token + layers * 4 * n**2 * width for n in lengths)


def matrix_product_rate(
    device: torch.device,
    dtype: torch.dtype,
    *,
    sizes: tuple[int, int, int] = (2048, 768, 3072),
    seconds: float = 0.1,
) -> float:
    """Return the operations a second of a plain matrix product: the best of several runs.

    Args:
        device: where.
        dtype: in which number format.
        sizes: rows, inner size and columns. By default a batch of tokens through BERT-base's
            feed-forward layer, which is large enough to run near the peak of a CPU.
        seconds: how long to try; at least three runs are made.
    """
    import torch

    rows, inner, columns = sizes
    left = torch.randn(rows, inner, device=device).to(dtype)
    right = torch.randn(inner, columns, device=device).to(dtype)
    at_a_time = 1 if device.type == "cpu" else 50  # an accelerator's start costs more than a run
    times: list[float] = []
    ends = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < ends:
        wait_for(device)
        started = time.perf_counter()
        for _ in range(at_a_time):
            torch.matmul(left, right)
        wait_for(device)
        times.append((time.perf_counter() - started) / at_a_time)
    return 2 * rows * inner * columns / min(times)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done all that was started on it."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
