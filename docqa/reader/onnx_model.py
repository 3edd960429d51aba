"""The ONNX Runtime runtime: a `SpanModel` for CPUs that starts without torch and transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from docqa.errors import ModelError, ModelIncompatibleError
from docqa.reader.cpu_threads import cpu_threads
from docqa.reader.packing.encoder import DistilBertShape, distilbert_graph
from docqa.reader.packing.linear import float_linear, integer_linear
from docqa.reader.packing.weights import StoredWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.checkpoints import Checkpoint
    from docqa.reader.packing.graph import OnnxGraph

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]

__all__ = ["OnnxModel", "can_run", "load_onnx_model"]

_LINEAR = {"float32": float_linear, "int8": integer_linear}
_ERRORS_ONLY = 3  # of ONNX Runtime's levels of logging


class OnnxModel:
    """Run a graph of ONNX Runtime that reads one window, window by window.

    Calls from several threads at once are safe.

    Args:
        graph: from ``input_ids (n_tokens,)`` to ``logits (2, n_tokens)``.
        number_format: what it computes in, for records: ``"int8"`` or ``"float32"``.
        max_tokens: longest window that the model has positions for.
        threads: threads of a matrix product; None for `cpu_threads`.

    Raises:
        ModelIncompatibleError: ONNX Runtime refuses the graph.
    """

    runtime, device_type = "onnx", "cpu"

    def __init__(
        self, graph: OnnxGraph, *, number_format: str, max_tokens: int, threads: int | None = None
    ) -> None:
        self.number_format, self.max_tokens = number_format, max_tokens
        # The session reads the arrays where they lie; they live as long as it does.
        self._weights: dict[str, onnxruntime.OrtValue] = {}
        options = _options(threads or cpu_threads())
        try:
            for name, array in graph.weights.items():
                self._weights[name] = onnxruntime.OrtValue.ortvalue_from_numpy(array)
            options.add_external_initializers(list(self._weights), list(self._weights.values()))
            self._session = onnxruntime.InferenceSession(
                graph.model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base
            raise ModelIncompatibleError(
                f"ONNX Runtime {onnxruntime.__version__} refuses the model ({_first_line(error)}); "
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


def can_run(checkpoint: Checkpoint) -> bool:
    """Say whether a checkpoint is of the kind that is run here: see `load_onnx_model`."""
    return (
        DistilBertShape.of(checkpoint.config) is not None
        and checkpoint.weights.is_file()
        and StoredWeights(checkpoint.weights).readable
    )


def load_onnx_model(
    checkpoint: Checkpoint, *, dtype: str | None = None, threads: int | None = None
) -> OnnxModel:
    """Return a checkpoint's model.

    Args:
        checkpoint: a DistilBERT with its weights in one safetensors file.
        dtype: ``"int8"`` or ``"float32"``; None for int8 where the weights are stored so.
        threads: see `OnnxModel`.

    Raises:
        ModelIncompatibleError: it is of another architecture, or weights are missing.
    """
    shape = DistilBertShape.of(checkpoint.config)
    if shape is None or not can_run(checkpoint):
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} is not a DistilBERT in one model.safetensors "
            "of 32-bit or 16-bit floats, which is all that docqa runs on ONNX Runtime; use "
            "runtime='torch'"
        )
    weights = StoredWeights(checkpoint.weights)
    if dtype is None:
        dtype = "int8" if weights.holds_rows else "float32"
    graph = distilbert_graph(shape, weights, _LINEAR[dtype])
    return OnnxModel(
        graph, number_format=dtype, max_tokens=shape.max_position_embeddings, threads=threads
    )


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    # The graph is written with the fused operators; looking for more takes longer than it saves.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # A plan of memory for each length of window, and lengths vary: it would only grow.
    options.enable_mem_pattern = False
    return options


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
