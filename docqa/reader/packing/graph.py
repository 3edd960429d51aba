"""A graph under construction: ONNX nodes, and weights that stay in their own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.weights_file import WeightsFile

__all__ = ["GraphBuilder"]

_OPSETS = {"": 18, "com.microsoft": 1}
# What 18 needs; newer ones are refused by the older runtimes that still serve.
_IR_VERSION = 8


class GraphBuilder:
    """A collector of nodes and weights; every value is named by a string.

    Args:
        weights: the file whose weights the model refers to.
        inputs: element type and shape by name; a dimension that varies is a string.
    """

    def __init__(
        self, weights: WeightsFile, inputs: dict[str, tuple[int, list[int | str]]]
    ) -> None:
        self.weights = weights
        self._inputs = [helper.make_tensor_value_info(name, *of) for name, of in inputs.items()]
        self._nodes: list[Any] = []
        self._tensors: dict[str, TensorProto] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def constant(self, value: NDArray[Any] | np.generic | list[int] | float) -> str:
        """Add a constant to the model itself and return its name; equal ones are one.

        Lists are int64, floats float32.
        """
        dtype = {list: np.int64, float: np.float32}.get(type(value))
        array = np.asarray(value, dtype=dtype)
        content = array.dtype.str, array.shape, array.tobytes()
        name = self._constants.setdefault(content, f"c{len(self._constants)}")
        self._tensors[name] = numpy_helper.from_array(array, name)
        return name

    def stored(self, name: str) -> str:
        """Refer to a weight of the file and return its name here, which is the same."""
        return self._external(name, name, self.weights.shape(name))

    def stored_column(self, name: str) -> str:
        """Refer to a vector ``(n,)`` of the file as a column ``(n, 1)``."""
        return self._external(f"{name}.column", name, (*self.weights.shape(name), 1))

    def expanded(self, name: str) -> str:
        """Refer to a matrix in 4-bit blocks as 8-bit weights ``(n_inputs, n_outputs)``.

        They stand in no file: who loads the model gives them.
        """
        n_half, n_outputs = self.weights.shape(name)
        tensor = TensorProto(name=name, dims=(2 * n_half, n_outputs), data_type=TensorProto.INT8)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=self.weights.name)
        self._tensors[name] = tensor
        return name

    def _external(self, name: str, stored: str, shape: tuple[int, ...]) -> str:
        tensor = TensorProto(name=name, dims=shape)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(self.weights.dtype(stored))
        tensor.data_location = TensorProto.EXTERNAL
        begin, end = self.weights.place(stored)
        where = {"location": self.weights.name, "offset": begin, "length": end - begin}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator and return the name of its output. An input left out is ``""``."""
        output = f"v{len(self._nodes)}"
        made = helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self._nodes.append(made)
        return output

    def fused(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add one of ONNX Runtime's own operators, which do the work of several in one pass."""
        return self.node(operator, *inputs, domain="com.microsoft", **attributes)

    def finish(self, outputs: dict[str, tuple[str, int, list[int | str]]]) -> bytes:
        """Return the serialized model; `outputs` are value, element type and shape by name."""
        infos = []
        for name, (value, kind, shape) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))
            infos.append(helper.make_tensor_value_info(name, kind, shape))
        tensors = list(self._tensors.values())
        graph = helper.make_graph(self._nodes, "docqa", self._inputs, infos, tensors)
        opsets = [helper.make_opsetid(*opset) for opset in _OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        data: bytes = model.SerializeToString()
        return data
