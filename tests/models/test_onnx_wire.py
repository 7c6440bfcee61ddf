from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.errors import FolderRefusedError
from models.image_graph import backbone_bytes
from models.onnx_wire import uses_external_data


def _model(tensor: TensorProto, *, nested: bool) -> bytes:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "branch",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [tensor] if nested else [],
    )
    nodes = [helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)]
    graph = helper.make_graph(
        nodes,
        "main",
        [helper.make_tensor_value_info("flag", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [] if nested else [tensor],
    )
    content: bytes = helper.make_model(graph).SerializeToString()
    return content


def _external() -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(2, dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return tensor


@pytest.mark.parametrize("nested", [False, True])
def test_external_data_is_found_in_the_graph_and_inside_branches(*, nested: bool) -> None:
    assert uses_external_data(_model(_external(), nested=nested))
    inside = numpy_helper.from_array(np.zeros(2, dtype=np.float32), "w")
    assert not uses_external_data(_model(inside, nested=nested))


def test_a_tensor_attribute_is_looked_into() -> None:
    node = helper.make_node("Constant", [], ["y"], value=_external())
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])])
    assert uses_external_data(helper.make_model(graph).SerializeToString())


def test_the_shipped_backbone_is_self_contained() -> None:
    assert not uses_external_data(backbone_bytes())


@pytest.mark.parametrize("content", [b"\x3a\xff\x01short", b"\xff" * 20, b"\x0b", b"\x08"])
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    with pytest.raises(FolderRefusedError, match=r"not an ONNX model|cut short"):
        uses_external_data(content)
