"""MessagePack payloads: the values of JSON, and the reason of everything that is not understood."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.adapters.msgpack_codec import MsgpackCodec
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.strict_msgpack import DEEPEST, MSGPACK_REASONS, read_msgpack
from edge_agent.payloads.values import REASONS
from edge_agent.readings import Channel, Reading, SequenceMark
from edge_agent.settings.mqtt import ChannelTopic, FactTopic, MqttSourceSettings, ReadingsFormat

NOW_S = 1_735_689_600  # 2025-01-01T00:00:00Z
NOW = Instant(NOW_S * 1_000_000, 0, "boot")


def topics(form: ReadingsFormat) -> MqttSourceSettings:
    return MqttSourceSettings(
        readings=(
            ChannelTopic(filter="s", line="l", asset="ram", channel="temp", unit="Cel", format=form),
            ChannelTopic(filter="o", line="l", asset="ram", channels={"temp": "Cel", "current": "A"}, format=form),
        ),
        facts=(FactTopic(filter="f", line="l", kind="energy", format="msgpack" if form == "msgpack" else "json"),),
        max_payload_bytes=10_000,
    )


CODEC = MsgpackCodec(topics("msgpack"))
JSON = JsonCodec(topics("json"))


def reason(topic: str, payload: bytes) -> str:
    try:
        CODEC.decode(topic, payload, NOW, retained=False)
    except PoisonMessageError as error:
        return error.reason
    return "read"


def test_objects_scalars_batches_and_facts() -> None:
    packed = msgspec.msgpack.encode({"ts": NOW_S, "temp": 21.5, "current": 3, "seq": 7, "unknown": b"\0"})
    decoded = CODEC.decode("o", packed, NOW, retained=False)
    temp, current = Channel("l", "ram", "temp", "Cel"), Channel("l", "ram", "current", "A")
    assert decoded.readings == [Reading(temp, NOW.utc_us, 21.5), Reading(current, NOW.utc_us, 3.0)]
    assert decoded.mark == SequenceMark("o", "0", 7)
    assert CODEC.decode("s", b"\xca\x3f\xc0\x00\x00", NOW, retained=False).readings[0].value == 1.5  # a float32
    stamped = msgspec.msgpack.encode({"ts": datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC), "value": 2})
    assert CODEC.decode("s", stamped, NOW, retained=False).readings[0].t_us == (NOW_S - 1) * 1_000_000
    batch = msgspec.msgpack.encode([{"ts": NOW_S - 1, "value": 1}, {"ts": NOW_S, "value": 2}])
    assert [reading.value for reading in CODEC.decode("s", batch, NOW, retained=False).readings] == [1.0, 2.0]
    fact = msgspec.msgpack.encode({"ts": NOW_S, "carrier": "electricity", "ended_at": NOW_S + 50, "kwh": 4.5})
    assert CODEC.decode("f", fact, NOW, retained=False).facts[0].key.startswith("l/energy/")


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("s", b"", "empty"),
        ("s", b"\xc1", "not_msgpack"),
        ("s", b"\xcb\x40", "not_msgpack"),
        ("s", b"\x01\x02", "not_msgpack"),
        ("s", b"\xdf\xff\xff\xff\xff", "not_msgpack"),
        ("s", b"\xc6\xff\xff\xff\xff", "not_msgpack"),
        ("s", b"\xca\x7f\xc0\x00\x00", "not_finite"),
        ("s", b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "not_finite"),
        ("s", b"\xc3", "wrong_type"),
        ("s", b"\xa421.5", "wrong_type"),
        ("s", b"\xc4\x01\x00", "wrong_type"),
        ("s", b"\xd4\x05\x00", "wrong_type"),
        ("s", b"\x91" * (DEEPEST + 1) + b"\x01", "too_deep"),
        ("s", b"\x91" * 9_000 + b"\x01", "too_deep"),
        ("s", b"\xdd" + (10_001).to_bytes(4, "big") + b"\x01" * 10_001, "too_large"),
        ("s", b"\x81\x01\x02", "wrong_type"),
        ("o", bytes.fromhex("82a474656d7001a474656d7002"), "duplicate_field"),
        ("o", bytes.fromhex("82a474656d7001d90474656d7002"), "duplicate_field"),  # the same key, written longer
        ("o", bytes.fromhex("81a474656d70a200"), "not_msgpack"),
        ("o", bytes.fromhex("81a474656d70a1 00"), "nul"),
        ("o", bytes.fromhex("81a474656d70a1 ff"), "not_msgpack"),
        ("o", bytes.fromhex("82a27473cb7ff8000000000000a474656d7001"), "bad_timestamp"),
        ("s", b"\x1f\x8b\x08\x00", "compressed"),
        ("x", b"\x01", "unmapped_topic"),
    ],
)
def test_poison_has_its_reason(topic: str, payload: bytes, expected: str) -> None:
    assert reason(topic, payload) == expected


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text("ab가", max_size=40),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text("abc", max_size=40), inner, max_size=20),
    max_leaves=40,
)


@given(VALUES)
def test_values_come_through_unchanged(value: Any) -> None:
    assert read_msgpack(msgspec.msgpack.encode(value), 1_000_000) == value


@given(
    st.dictionaries(
        st.sampled_from(["ts", "temp", "current", "seq", "epoch", "source", "line"]),
        st.integers(-5, 2**40)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text("ab", max_size=3)
        | st.none(),
    )
)
def test_it_says_what_json_says(body: dict[str, Any]) -> None:
    outcomes: list[object] = []
    for codec, payload in ((CODEC, msgspec.msgpack.encode(body)), (JSON, msgspec.json.encode(body))):
        try:
            outcomes.append(codec.decode("o", payload, NOW, retained=False))
        except PoisonMessageError as error:
            outcomes.append(error.reason)
    assert outcomes[0] == outcomes[1]


@given(st.sampled_from(["s", "o", "f"]), st.binary(max_size=100))
def test_any_bytes_decode_or_are_poison(topic: str, payload: bytes) -> None:
    assert reason(topic, payload) in {"read"} | REASONS.keys() | MSGPACK_REASONS.keys()


def test_ten_thousand_mutilated_payloads() -> None:
    chance = random.Random(3)
    original = msgspec.msgpack.encode([{"ts": NOW_S, "temp": 21.5, "current": None, "seq": 7, "x": {"y": [1, "z"]}}])
    seen = set()
    for _ in range(10_000):
        torn = bytearray(original)
        for _ in range(chance.randint(1, 3)):
            torn[chance.randrange(len(torn))] = chance.randrange(256)
        seen.add(reason("o", bytes(torn[: chance.randint(1, len(torn))])))
    assert seen <= {"read"} | REASONS.keys() | MSGPACK_REASONS.keys()
    assert {"read", "not_msgpack", "wrong_type", "clock_skew"} <= seen
