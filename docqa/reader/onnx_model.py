"""The ONNX Runtime runtime: a `SpanModel` for CPUs that starts without torch and transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from docqa.errors import ModelError, ModelIncompatibleError
from docqa.reader.blocks import expanded_matrices
from docqa.reader.checkpoints import weights_layout
from docqa.reader.hardware import cpu_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.checkpoints import Checkpoint

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]

__all__ = ["OnnxModel", "can_run", "load_onnx_model"]

_ERRORS_ONLY = 3  # of ONNX Runtime's levels of logging
_PACK_AGAIN = "pack the checkpoint again, or use runtime='torch'"


class OnnxModel:
    """A model of ONNX Runtime that reads one window, run window by window.

    Calls from several threads at once are safe.

    Args:
        path: an ONNX file, from ``input_ids (n_tokens,)`` to ``logits (2, n_tokens)``.
        number_format: what it computes in: ``"int8"`` or ``"float32"``.
        max_tokens: longest window that the model has positions for.
        expanded: matrices that stand in no file, by name; see `docqa.reader.blocks`.
        threads: threads of a matrix product; None for `cpu_threads`.

    Raises:
        ModelIncompatibleError: ONNX Runtime refuses the model.
    """

    runtime, device_type = "onnx", "cpu"

    def __init__(
        self,
        path: Path,
        *,
        number_format: str,
        max_tokens: int,
        expanded: Mapping[str, NDArray[np.int8]] | None = None,
        threads: int | None = None,
    ) -> None:
        self.number_format, self.max_tokens = number_format, max_tokens
        options = _options(number_format, threads or cpu_threads())
        # The runtime reads the matrices where they lie, so that they have to live as long.
        self._expanded = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(matrix)
            for name, matrix in (expanded or {}).items()
        }
        try:
            if self._expanded:
                options.add_external_initializers(
                    list(self._expanded), list(self._expanded.values())
                )
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base
            raise ModelIncompatibleError(
                f"ONNX Runtime {onnxruntime.__version__} refuses {path} ({_first_line(error)}); "
                "use runtime='torch', or install a newer onnxruntime"
            ) from error

    def __call__(
        self, input_ids: IntArray, attention_mask: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``(start_logits, end_logits)``, float32 of shape ``(n_windows, n_tokens)``.

        Padding gets 0.

        Raises:
            ModelError: the runtime fails, as when memory runs out.
        """
        logits = np.zeros((2, *input_ids.shape), dtype=np.float32)
        for row, length in enumerate(attention_mask.sum(axis=1).tolist()):
            logits[:, row, :length] = self._window(input_ids[row, :length])
        return logits[0], logits[1]

    def _window(self, input_ids: IntArray) -> FloatArray:
        try:
            found = self._session.run(["logits"], {"input_ids": np.ascontiguousarray(input_ids)})
        except Exception as error:  # its exceptions share no base
            raise ModelError(
                f"ONNX Runtime failed on a window of {len(input_ids)} tokens "
                f"({_first_line(error)}); use runtime='torch'"
            ) from error
        logits: FloatArray = found[0]
        return logits


def can_run(checkpoint: Checkpoint, dtype: str | None = None) -> bool:
    """Say whether a checkpoint was packed for ONNX Runtime; see `load_onnx_model`."""
    return _graph(checkpoint, dtype).is_file() and checkpoint.weights.is_file()


def load_onnx_model(
    checkpoint: Checkpoint, *, dtype: str | None = None, threads: int | None = None
) -> OnnxModel:
    """Return the model of a packed checkpoint; see `docqa.reader.pack`.

    Args:
        checkpoint: has graphs beside its weights.
        dtype: ``"int8"`` or ``"float32"``; None for int8.
        threads: see `OnnxModel`.

    Raises:
        ModelIncompatibleError: it was not packed, or its graphs belong to other weights.
    """
    graph = _graph(checkpoint, dtype)
    if not can_run(checkpoint, dtype):
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} has no {graph.name} beside its weights, which "
            "ONNX Runtime needs; pack it (docqa train pack SRC DST: DistilBERT, BERT "
            "and MPNet), or use runtime='torch'"
        )
    packed = checkpoint.config.get("docqa", {})
    if packed.get("layout") != weights_layout(checkpoint.weights):
        raise ModelIncompatibleError(
            f"{checkpoint.weights} is damaged, or was replaced after {graph.name} had been made "
            f"for it; fetch it again, {_PACK_AGAIN}"
        )
    return OnnxModel(
        graph,
        number_format=dtype or "int8",
        expanded=expanded_matrices(checkpoint.weights) if packed.get("bits") == 4 else None,
        max_tokens=int(packed["max_tokens"]),
        threads=threads,
    )


def _graph(checkpoint: Checkpoint, dtype: str | None) -> Path:
    return checkpoint.folder / f"{dtype or 'int8'}.onnx"


def _options(number_format: str, threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    # The graph has the fused operators; looking for more takes longer than it saves. In float32
    # the basic level multiplies rows with their scales once, in place of each time.
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (
        level.ORT_DISABLE_ALL if number_format == "int8" else level.ORT_ENABLE_BASIC
    )
    # A plan of memory for each length of window, and lengths vary: it would only grow.
    options.enable_mem_pattern = False
    return options


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
