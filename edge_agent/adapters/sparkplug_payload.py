"""Sparkplug B payloads on the wire: protobuf, by a description of our own with the fields that we read.

Field numbers are those of the Sparkplug 3.0 specification, section 6.4. Fields that are not described here (metadata,
properties) are passed over; a DataSet or Template is kept as bytes, for it is refused whatever is in it.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.sparkplug.values import DataType, RawMetric, RawPayload

REBIRTH: Final = "Node Control/Rebirth"
_PACKAGE = "lineproof.sparkplug"
_FIELD = descriptor_pb2.FieldDescriptorProto
_PAYLOAD_FIELDS = (
    ("timestamp", 1, _FIELD.TYPE_UINT64),
    ("metrics", 2, _FIELD.TYPE_MESSAGE),
    ("seq", 3, _FIELD.TYPE_UINT64),
    ("uuid", 4, _FIELD.TYPE_STRING),
    ("body", 5, _FIELD.TYPE_BYTES),
)
_METRIC = (
    ("name", 1, _FIELD.TYPE_STRING),
    ("alias", 2, _FIELD.TYPE_UINT64),
    ("timestamp", 3, _FIELD.TYPE_UINT64),
    ("datatype", 4, _FIELD.TYPE_UINT32),
    ("is_historical", 5, _FIELD.TYPE_BOOL),
    ("is_transient", 6, _FIELD.TYPE_BOOL),
    ("is_null", 7, _FIELD.TYPE_BOOL),
)
_VALUES = (
    ("int_value", 10, _FIELD.TYPE_UINT32),
    ("long_value", 11, _FIELD.TYPE_UINT64),
    ("float_value", 12, _FIELD.TYPE_FLOAT),
    ("double_value", 13, _FIELD.TYPE_DOUBLE),
    ("boolean_value", 14, _FIELD.TYPE_BOOL),
    ("string_value", 15, _FIELD.TYPE_STRING),
    ("bytes_value", 16, _FIELD.TYPE_BYTES),
    ("dataset_value", 17, _FIELD.TYPE_BYTES),
    ("template_value", 18, _FIELD.TYPE_BYTES),
    ("extension_value", 19, _FIELD.TYPE_BYTES),
)


def parse(payload: bytes, max_bytes: int) -> RawPayload:
    """Read a payload.

    Raises:
        PoisonMessageError: `too_large`, `not_sparkplug` or `bad_utf8`.
    """
    if len(payload) > max_bytes:
        raise PoisonMessageError("too_large", f"{len(payload)} bytes; at most {max_bytes} are allowed")
    try:
        message = PAYLOAD.FromString(payload)
        return RawPayload(
            timestamp_ms=message.timestamp if message.HasField("timestamp") else None,
            seq=message.seq if message.HasField("seq") else None,
            metrics=tuple([_metric(metric) for metric in message.metrics]),
        )
    except DecodeError as error:
        raise PoisonMessageError("not_sparkplug", f"not a Sparkplug B payload: {error}") from None


def rebirth_command(now_ms: int) -> bytes:
    """The payload of an NCMD that asks an edge node for its births."""
    message = PAYLOAD(timestamp=now_ms)
    message.metrics.add(name=REBIRTH, timestamp=now_ms, datatype=int(DataType.BOOLEAN), boolean_value=True)
    return bytes(message.SerializeToString())


def _metric(metric: Any) -> RawMetric:  # noqa: ANN401 - the class is made at run time
    field = metric.WhichOneof("value")
    raw = getattr(metric, field) if field is not None else None
    # the library gives bytes for a text that is not UTF-8
    if isinstance(metric.name, bytes) or (field == "string_value" and isinstance(raw, bytes)):
        raise PoisonMessageError("bad_utf8", "a text of the payload is not UTF-8")
    return RawMetric(
        name=metric.name or None,
        alias=metric.alias if metric.HasField("alias") else None,
        timestamp_ms=metric.timestamp if metric.HasField("timestamp") else None,
        datatype=metric.datatype if metric.HasField("datatype") else None,
        historical=metric.is_historical,
        null=metric.is_null or field is None,
        field=field,
        raw=raw,
    )


def _make_payload_class() -> Any:  # noqa: ANN401 - as above
    file = descriptor_pb2.FileDescriptorProto(name="lineproof/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC:
        metric.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    for name, number, kind in _VALUES:
        metric.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL, oneof_index=0)
    payload = file.message_type.add(name="Payload")
    for name, number, kind in _PAYLOAD_FIELDS:
        field = payload.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
        if kind == _FIELD.TYPE_MESSAGE:
            field.label, field.type_name = _FIELD.LABEL_REPEATED, f".{_PACKAGE}.Metric"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


PAYLOAD: Final = _make_payload_class()
