"""Sparkplug B metrics and their values by data type (Sparkplug 3.0, section 6.4.16)."""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from edge_agent.errors import PoisonMessageError

Scalar = int | float | bool | str
Value = Scalar | bytes | tuple[Scalar, ...]


class DataType(IntEnum):
    """Data types of a metric, by their number on the wire."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTYSET = 20
    PROPERTYSETLIST = 21
    INT8ARRAY = 22
    INT16ARRAY = 23
    INT32ARRAY = 24
    INT64ARRAY = 25
    UINT8ARRAY = 26
    UINT16ARRAY = 27
    UINT32ARRAY = 28
    UINT64ARRAY = 29
    FLOATARRAY = 30
    DOUBLEARRAY = 31
    BOOLEANARRAY = 32
    STRINGARRAY = 33
    DATETIMEARRAY = 34


class RawMetric(msgspec.Struct, frozen=True):
    """A metric as it stands on the wire.

    Attributes:
        name: None where only the alias is sent.
        alias: short number that a birth gives to the name.
        timestamp_ms: None where the payload's holds.
        datatype: None where the birth's holds.
        historical: it was taken earlier and kept; it says nothing about now.
        null: it has no value now.
        field: which field of the metric's value is set (`int_value`, ...), None when none is.
        raw: what stands in it.
    """

    name: str | None
    alias: int | None
    timestamp_ms: int | None
    datatype: int | None
    historical: bool
    null: bool
    field: str | None
    raw: int | float | bool | str | bytes | None


class RawPayload(msgspec.Struct, frozen=True):
    """A payload as it stands on the wire."""

    timestamp_ms: int | None
    seq: int | None
    metrics: tuple[RawMetric, ...]


_BY_NUMBER = {int(kind): kind for kind in DataType}
_BITS = {
    DataType.INT8: (8, True),
    DataType.INT16: (16, True),
    DataType.INT32: (32, True),
    DataType.INT64: (64, True),
    DataType.UINT8: (8, False),
    DataType.UINT16: (16, False),
    DataType.UINT32: (32, False),
    DataType.UINT64: (64, False),
    DataType.DATETIME: (64, False),
}
_ARRAYS = {
    DataType.INT8ARRAY: "b",
    DataType.INT16ARRAY: "h",
    DataType.INT32ARRAY: "i",
    DataType.INT64ARRAY: "q",
    DataType.UINT8ARRAY: "B",
    DataType.UINT16ARRAY: "H",
    DataType.UINT32ARRAY: "I",
    DataType.UINT64ARRAY: "Q",
    DataType.FLOATARRAY: "f",
    DataType.DOUBLEARRAY: "d",
    DataType.DATETIMEARRAY: "q",
}
_TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
_BINARIES = frozenset({DataType.BYTES, DataType.FILE})
_REALS = frozenset({DataType.FLOAT, DataType.DOUBLE})
_COUNT = struct.Struct("<I")


def value_of(datatype: int, metric: RawMetric) -> Value:
    """The value of a metric that is not null.

    Integers are taken from `int_value` or `long_value` alike, because encoders differ; a negative one may be written in
    two's complement of its own width, of 32 or of 64 bits.

    Raises:
        PoisonMessageError: `unsupported_datatype` (DataSet, Template and what is no type), `wrong_type` (the value
            stands in another field), `wrong_value` (beyond the type's range, a torn array).

    >>> value_of(DataType.INT8, RawMetric("t", None, None, 1, False, False, "int_value", 0xFFFFFFFB))
    -5
    """
    where = metric.name if metric.name is not None else f"alias {metric.alias}"
    known = _BY_NUMBER.get(datatype, DataType.UNKNOWN)
    raw, kind = metric.raw, metric.field
    if known in _BITS and isinstance(raw, int) and kind in {"int_value", "long_value"}:
        bits, signed = _BITS[known]
        return _integer(raw, bits, where, signed=signed)
    if known in _REALS and kind in {"float_value", "double_value"} and isinstance(raw, float):
        return raw
    if known is DataType.BOOLEAN and isinstance(raw, bool):
        return raw
    if known in _TEXTS and isinstance(raw, str):
        return raw
    if isinstance(raw, bytes) and kind == "bytes_value":
        if known in _BINARIES:
            return raw
        if known in _ARRAYS or known in {DataType.BOOLEANARRAY, DataType.STRINGARRAY}:
            return _array(known, raw, where)
    if known in {DataType.UNKNOWN, DataType.DATASET, DataType.TEMPLATE} or "PROPERTYSET" in known.name:
        name = known.name if known is not DataType.UNKNOWN else f"type {datatype}"
        raise PoisonMessageError("unsupported_datatype", f"{name} is not read", field=where)
    raise PoisonMessageError("wrong_type", f"{known.name} does not stand in {kind or 'any field'}", field=where)


def number_of(datatype: int, metric: RawMetric) -> float:
    """The value of a metric as a reading's number.

    Raises:
        PoisonMessageError: as `value_of`; `wrong_type` also for what is no number.
    """
    value = value_of(datatype, metric)
    if isinstance(value, str | bytes | tuple) or datatype == DataType.DATETIME:
        where = metric.name if metric.name is not None else f"alias {metric.alias}"
        raise PoisonMessageError("wrong_type", f"{DataType(datatype).name} is no number", field=where)
    return float(value)


def _integer(raw: int, bits: int, where: str, *, signed: bool) -> int:
    if not signed:
        value = raw
    else:
        width = next(width for width in (bits, 32, 64) if raw < 1 << width)
        value = raw - (1 << width) if raw >> (width - 1) else raw
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        raise PoisonMessageError("wrong_value", f"{raw} does not fit {bits} bits", field=where)
    return value


def _array(kind: DataType, raw: bytes, where: str) -> tuple[Scalar, ...]:
    if kind in _ARRAYS:
        code = f"<{_ARRAYS[kind]}"
        if len(raw) % struct.calcsize(code):
            raise PoisonMessageError("wrong_value", f"{len(raw)} bytes are a torn {kind.name}", field=where)
        return tuple(item for (item,) in struct.iter_unpack(code, raw))
    if kind is DataType.STRINGARRAY:
        if raw and not raw.endswith(b"\0"):
            raise PoisonMessageError("wrong_value", "the last text of the array has no end", field=where)
        try:
            return tuple(raw.decode("utf-8").split("\0")[:-1])
        except UnicodeDecodeError:
            raise PoisonMessageError("bad_utf8", "a text of the array is not UTF-8", field=where) from None
    if len(raw) < _COUNT.size or (_COUNT.unpack_from(raw)[0] + 7) // 8 != len(raw) - _COUNT.size:
        raise PoisonMessageError("wrong_value", "the count of the array does not fit its bytes", field=where)
    bits = raw[_COUNT.size :]
    return tuple(bool(bits[i // 8] >> (7 - i % 8) & 1) for i in range(_COUNT.unpack_from(raw)[0]))
