"""A graph under construction: ONNX nodes, and weights that stay outside of the model's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["GraphBuilder", "OnnxGraph"]

_OPSETS = {"": 18, "com.microsoft": 1}
# What 18 needs; newer ones are refused by the older runtimes that still serve.
_IR_VERSION = 8
_INLINE_BYTES = 64  # small constants, such as axes, stand in the model itself


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """Hold a model for ONNX Runtime.

    Attributes:
        model: a serialized ``ModelProto``: some kilobytes, whatever the size of the weights.
        weights: the arrays that it names as external data, by name.
    """

    model: bytes
    weights: dict[str, Array]


class GraphBuilder:
    """Collect nodes and weights; every value is named by a string.

    Args:
        inputs: element type and shape by name; a dimension that varies is a string.
    """

    def __init__(self, inputs: dict[str, tuple[int, list[int | str]]]) -> None:
        self._inputs = [helper.make_tensor_value_info(name, *of) for name, of in inputs.items()]
        self._nodes: list[Any] = []
        self._tensors: list[TensorProto] = []
        self._weights: dict[str, Array] = {}

    def constant(self, value: Array | list[int] | float) -> str:
        """Add weights or a constant; return their name. Lists are int64, floats float32."""
        dtype = np.int64 if isinstance(value, list) else None
        array = np.float32(value) if isinstance(value, float) else np.asarray(value, dtype=dtype)
        name = f"w{len(self._tensors)}"
        tensor = TensorProto(name=name, dims=array.shape)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        if array.nbytes <= _INLINE_BYTES:
            tensor.raw_data = array.tobytes()
        else:
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="memory")
            self._weights[name] = np.ascontiguousarray(array)
        self._tensors.append(tensor)
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator; return the name of its one output. An input left out is ``""``."""
        return self.nodes(operator, *inputs, n_outputs=1, domain=domain, **attributes)[0]

    def nodes(
        self, operator: str, *inputs: str, n_outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add an operator of several outputs; return their names."""
        outputs = [f"v{len(self._nodes)}.{number}" for number in range(n_outputs)]
        made = helper.make_node(operator, inputs, outputs, domain=domain, **attributes)
        self._nodes.append(made)
        return outputs

    def fused(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add one of ONNX Runtime's own operators, which do the work of several in one pass."""
        return self.node(operator, *inputs, domain="com.microsoft", **attributes)

    def finish(self, outputs: dict[str, tuple[str, int, list[int | str]]]) -> OnnxGraph:
        """Return the graph; `outputs` are value, element type and shape by name."""
        infos = []
        for name, (value, kind, shape) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))
            infos.append(helper.make_tensor_value_info(name, kind, shape))
        graph = helper.make_graph(self._nodes, "docqa", self._inputs, infos, self._tensors)
        opsets = [helper.make_opsetid(*opset) for opset in _OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return OnnxGraph(model.SerializeToString(), self._weights)
