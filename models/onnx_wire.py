"""Looks into ONNX bytes without the `onnx` package: does the graph point at files outside itself?

Only the protobuf wire format and the field numbers of onnx.proto (ONNX 1.x) are needed. A graph that refers to
external data could make the runtime read any file next to it, after the folder was verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.errors import FolderRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# message -> {field number: message found there}; only the paths that can lead to a tensor
_CHILDREN = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
}
_TENSOR_EXTERNAL_DATA = 13
_TENSOR_DATA_LOCATION = 14
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


def uses_external_data(content: bytes) -> bool:
    """Whether any tensor of the model keeps its values in another file.

    Raises:
        FolderRefusedError: the bytes are not a protobuf message.
    """
    return _scan(memoryview(content), "Model")


def _scan(message: memoryview, kind: str) -> bool:
    for number, value in _fields(message):
        if kind == "Tensor":
            if number == _TENSOR_EXTERNAL_DATA or (number == _TENSOR_DATA_LOCATION and value):
                return True
            continue
        child = _CHILDREN[kind].get(number)
        if child is not None and isinstance(value, memoryview) and _scan(value, child):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _LENGTH:
            size, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise FolderRefusedError("model.onnx is not an ONNX model", field="wire type", value=wire)
        if at + size > end:
            raise FolderRefusedError("model.onnx is cut short", field="offset", value=at)
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(message):
            raise FolderRefusedError("model.onnx is cut short", field="offset", value=at)
        byte = message[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit of a protobuf varint
            return value, at + index + 1
    raise FolderRefusedError("model.onnx is not an ONNX model", field="offset", value=at)
