"""Builds ONNX graphs node by node, with readable names and a checked result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# 18 is the first with an antialiased Resize; IR 9 is read by every ONNX Runtime this project supports.
OPSET = 18
IR_VERSION = 9

UINT8 = int(TensorProto.UINT8)
FLOAT = int(TensorProto.FLOAT)


class Tensor(msgspec.Struct, frozen=True):
    """An input or output of a graph: a number is a fixed axis, a word a free one."""

    name: str
    element: int
    shape: tuple[int | str, ...]


class GraphBuilder:
    """A graph under construction. Every method that adds a node returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._count = 0

    def constant(self, values: NDArray[Any]) -> str:
        """Add values to the graph, in their own dtype."""
        name = self._fresh("c")
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def floats(self, *values: float) -> str:
        """Add float32 numbers: one is a scalar, several a vector."""
        return self.constant(np.array(values if len(values) > 1 else values[0], dtype=np.float32))

    def integers(self, *values: int) -> str:
        """Add a vector of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def node(self, operator: str, *inputs: str, **attributes: int | str | list[int]) -> str:
        """Add a node with one output."""
        name = self._fresh(operator.lower())
        node = helper.make_node(operator, list(inputs), [name], name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self._nodes.append(node)
        return name

    def graft(self, model: onnx.ModelProto, inputs: dict[str, str], prefix: str) -> dict[str, str]:
        """Add another model's nodes and weights under a prefix; returns its outputs' new names by old name.

        Args:
            model: a model without subgraphs.
            inputs: our tensor for each of its inputs.
            prefix: put before every name of the model.
        """

        def renamed(name: str) -> str:
            return inputs.get(name, f"{prefix}{name}") if name else name

        for weight in model.graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(weight)
            copy.name = renamed(weight.name)
            self._weights.append(copy)
        for node in model.graph.node:
            copied = onnx.NodeProto()
            copied.CopyFrom(node)
            copied.name = f"{prefix}{node.output[0]}"
            copied.input[:] = [renamed(name) for name in node.input]
            copied.output[:] = [renamed(name) for name in node.output]
            self._nodes.append(copied)
        return {output.name: renamed(output.name) for output in model.graph.output}

    def name_output(self, tensor: str, name: str) -> None:
        """Give a tensor the name it has outside."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"output_{name}"))

    def finish(self, name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> bytes:
        """Assemble and check the model.

        Raises:
            ContractError: the graph is not valid ONNX.
        """
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(t.name, t.element, list(t.shape)) for t in inputs],
            [helper.make_tensor_value_info(t.name, t.element, list(t.shape)) for t in outputs],
            self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lineproof")
        model.ir_version = IR_VERSION
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ContractError(f"the assembled graph is not valid: {error}", field="graph", value=name) from error
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"
