"""The torch runtime: a `SpanModel` over any extractive question-answering module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from docqa.errors import ModelError, SettingError
from docqa.reader.hardware import cpu_bfloat16_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]
    Logits = tuple[FloatArray, FloatArray]

__all__ = ["TorchModel", "bfloat16_unit", "choose_device", "choose_dtype"]

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(device: str = "auto") -> torch.device:
    """Return the device to run on: the given one, or CUDA, else MPS, else the CPU.

    Raises:
        SettingError: there is no such device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:  # its message lists twenty backends
        raise SettingError(
            f"there is no device {device!r}; use 'auto' or 'cpu', or 'cuda', 'cuda:1', 'mps' "
            "where there is one"
        ) from error
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise SettingError(
            f"device {device!r} cannot be used here ({_first_line(error)}); use 'auto' or 'cpu'"
        ) from error
    return chosen


def bfloat16_unit(device: torch.device) -> str | None:
    """Return the name of the unit that multiplies bfloat16 on a device; None where none is known.

    On CUDA that takes compute capability 8.0; for the CPU see `cpu_bfloat16_unit`.
    """
    if device.type == "cuda":
        return "CUDA" if torch.cuda.get_device_capability(device) >= (8, 0) else None
    return cpu_bfloat16_unit() if device.type == "cpu" else None


def choose_dtype(dtype: str | None, device: torch.device) -> torch.dtype:
    """Return the number format to compute in: the given one, or the one that suits the device.

    That is bfloat16 on CUDA devices that compute in it, float32 everywhere else: answers are the
    same on every CPU.

    Raises:
        SettingError: the name is not one of float32, bfloat16, float16.
    """
    if dtype is None:
        fast = device.type == "cuda" and bfloat16_unit(device)
        return torch.bfloat16 if fast else torch.float32
    if dtype not in _DTYPES:
        raise SettingError(f"dtype must be one of {', '.join(_DTYPES)}, not {dtype!r}")
    return _DTYPES[dtype]


class TorchModel:
    """A torch module that takes ``input_ids`` and ``attention_mask`` and gives span logits.

    The module computes in `dtype`; its last layer (`head`) always in float32, because bfloat16
    keeps 8 significant bits and would tie spans whose logits differ by less than 0.06. With that,
    logits in bfloat16 stay within `BFLOAT16_TOLERANCE` of float32 (measured: 0.10 at
    most over 96 windows of SQuAD, shipped weights, on the CPU).

    When memory runs out, the batch is halved until it fits and later batches start at that size.

    On CUDA a pass that was started runs while the caller prepares the next one: ids go there and
    logits come back through page-locked memory, without waiting. Where windows are padded,
    transformers looks at the mask on the device, and so a start waits for the pass before it; what
    the caller did in between was still for free.

    Args:
        module: gives ``start_logits`` and ``end_logits``, each ``(n_windows, n_tokens)``, as
            attributes of its result.
        device, dtype: see `choose_device` and `choose_dtype`.
        head: name of the module's last linear layer.
        separator_id: for modules that read token types: everything after the first separator
            is of type 1 (Devlin et al. 2019). None for modules that do not.
        max_tokens: longest window that the module has positions for.

    Attributes:
        module: on its device, in its number format, and set to evaluation.
    """

    BFLOAT16_TOLERANCE = 0.25
    runtime = "torch"

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        head: str = "qa_outputs",
        separator_id: int | None = None,
        max_tokens: int = 512,
    ) -> None:
        self.device, self.dtype, self.max_tokens = device, dtype, max_tokens
        self._separator_id = separator_id
        self.module = module.to(device=device, dtype=dtype).eval()
        last = module.get_submodule(head).float()
        last.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))
        self._most_tokens: int | None = None

    @property
    def device_type(self) -> str:
        """Return ``"cpu"``, ``"cuda"`` or ``"mps"``."""
        return self.device.type

    @property
    def number_format(self) -> str:
        """Return the number format of the module, such as ``"bfloat16"``."""
        return str(self.dtype).rpartition(".")[2]

    def __call__(self, input_ids: IntArray, attention_mask: IntArray) -> Logits:
        """Return ``(start_logits, end_logits)``, float32 of shape ``(n_windows, n_tokens)``.

        Raises:
            ModelError: not even one window fits into memory.
        """
        return self.start(input_ids, attention_mask)()

    def start(self, input_ids: IntArray, attention_mask: IntArray) -> Callable[[], Logits]:
        """Start the forward pass and return a function that waits for its logits.

        On the CPU and on MPS the pass has ended when this returns.

        Raises:
            ModelError: not even one window fits into memory.
        """
        rows, columns = input_ids.shape
        if rows > 1 and self._most_tokens is not None and rows * columns > self._most_tokens:
            return self._halves(input_ids, attention_mask)
        try:
            return self._fetching(self._forward(input_ids, attention_mask))
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if rows == 1:
                raise ModelError(
                    f"out of memory on {self.device} while reading one window of {columns} "
                    "tokens; use a smaller window_tokens, a smaller model, or device='cpu'"
                ) from error
        # Outside of the handler: the failed pass's tensors are freed with its traceback.
        self._most_tokens = rows * columns // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return self._halves(input_ids, attention_mask)

    def inputs(self, input_ids: torch.Tensor, mask: torch.Tensor | None) -> dict[str, Any]:
        """Return the module's arguments for windows ``(n_windows, n_tokens)`` on the device."""
        given: dict[str, Any] = {"input_ids": input_ids, "attention_mask": mask}
        if self._separator_id is not None:
            separators = input_ids == self._separator_id
            given["token_type_ids"] = (separators.cumsum(1) - separators.long() > 0).long()
        return given

    def _halves(self, input_ids: IntArray, attention_mask: IntArray) -> Callable[[], Logits]:
        middle = (len(input_ids) + 1) // 2
        upper = self.start(input_ids[:middle], attention_mask[:middle])
        lower = self.start(input_ids[middle:], attention_mask[middle:])

        def joined() -> Logits:
            (starts, ends), (more_starts, more_ends) = upper(), lower()
            return np.concatenate([starts, more_starts]), np.concatenate([ends, more_ends])

        return joined

    @torch.inference_mode()
    def _forward(self, input_ids: IntArray, attention_mask: IntArray) -> torch.Tensor:
        """Return the logits on the device, float32 of shape ``(2, n_windows, n_tokens)``."""
        ids = self._on_device(input_ids)
        # Without padding no mask is passed, which lets attention take its fastest kernel.
        padded = not attention_mask.all()
        mask = self._on_device(attention_mask) if padded else None
        output = self.module(**self.inputs(ids, mask))
        return torch.stack([output.start_logits, output.end_logits]).float()

    def _on_device(self, numbers: IntArray) -> torch.Tensor:
        tensor = torch.from_numpy(numbers)
        if self.device.type != "cuda":
            return tensor.to(self.device)
        # Page-locked memory is freed only after the copy that reads it (CachingHostAllocator).
        return tensor.pin_memory().to(self.device, non_blocking=True)

    @torch.inference_mode()
    def _fetching(self, logits: torch.Tensor) -> Callable[[], Logits]:
        """Return a function that waits for logits on the device and gives them as arrays."""
        if self.device.type != "cuda":
            values = logits.cpu().numpy()
            return lambda: (values[0], values[1])
        host = torch.empty(logits.shape, dtype=logits.dtype, pin_memory=True)
        host.copy_(logits, non_blocking=True)
        copied = torch.cuda.current_stream(self.device).record_event()

        def fetched() -> Logits:
            copied.synchronize()
            values = host.numpy()
            return values[0], values[1]

        return fetched


def _is_out_of_memory(error: RuntimeError) -> bool:
    # CUDA has a class for it; MPS and the CPU raise plain RuntimeErrors with these words.
    words = "out of memory", "can't allocate memory", "not enough memory"
    said = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(word in said for word in words)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
