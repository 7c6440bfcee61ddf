"""JSON payloads: what is understood, exactly, and the reason of everything that is not."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.errors import ConfigError, PoisonMessageError
from edge_agent.events import Energy, Escape, Labour, MachineState, PartIdentity, Production
from edge_agent.instant import Instant
from edge_agent.payloads.values import REASONS
from edge_agent.ports import Decoded
from edge_agent.readings import Channel, Quality, SequenceMark
from edge_agent.settings.mqtt import ChannelTopic, FactKind, FactTopic, MqttSourceSettings

NOW_S = 1_735_689_600  # 2025-01-01T00:00:00Z
NOW_US = NOW_S * 1_000_000
NOW = Instant(NOW_US, 0, "boot")
TEMP = Channel("press-1", "ram", "temp", "Cel")
KINDS: tuple[FactKind, ...] = ("machine_state", "production", "energy", "labour", "part", "escape")

CODEC = JsonCodec(
    MqttSourceSettings(
        readings=(
            ChannelTopic(
                filter="s", line="press-1", asset="ram", channel="temp", unit="Cel", minimum=-40.0, maximum=200.0
            ),
            ChannelTopic(filter="o", line="press-1", asset="ram", channels={"temp": "Cel", "current": "A"}),
        ),
        facts=tuple(FactTopic(filter=f"f/{kind}", line="press-1", kind=kind) for kind in KINDS),
        max_payload_bytes=1_000_000,
        max_clock_skew_s=86_400,
    )
)


def decode(topic: str, payload: bytes | dict[str, Any] | list[Any], *, retained: bool = False) -> Decoded:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return CODEC.decode(topic, data, NOW, retained=retained)


def reason(topic: str, payload: Any, *, retained: bool = False) -> str:
    with pytest.raises(PoisonMessageError) as caught:
        decode(topic, payload, retained=retained)
    assert caught.value.reason in REASONS
    assert len(str(caught.value)) < 1_000
    return caught.value.reason


def test_a_scalar_is_the_channel_at_the_time_of_receipt() -> None:
    (reading,) = decode("s", b" 21.5\n").readings
    assert (reading.channel, reading.t_us, reading.value, reading.quality) == (TEMP, NOW_US, 21.5, Quality.GOOD)


def test_values_beyond_the_possible_are_kept_and_flagged() -> None:
    found = [decode("s", payload).readings[0] for payload in (b"-40.1", b"-40", b"200", b"200.1", b"1e300")]
    assert [reading.quality for reading in found] == [Quality.BAD, Quality.GOOD, Quality.GOOD, Quality.BAD, Quality.BAD]
    assert found[0].value == -40.1


def test_an_object_carries_its_mapped_fields_time_and_number() -> None:
    payload = {"ts": "2025-01-01T09:00:00.25+09:00", "temp": 20, "current": None, "x": [1], "seq": 7, "epoch": 3}
    found = decode("o", payload)
    assert [(reading.channel.key, reading.t_us, reading.value) for reading in found.readings] == [
        ("press-1/ram/temp", NOW_US + 250_000, 20.0)
    ]
    assert found.mark == SequenceMark("o", "3", 7)
    assert decode("o", {"temp": 1, "seq": 0, "source": "plc"}).mark == SequenceMark("plc", "0", 0)


def test_an_array_is_a_batch() -> None:
    found = decode("s", [{"ts": NOW_S, "value": 1, "seq": 4}, {"ts": NOW_S + 1, "value": 2, "seq": 4}])
    assert [(reading.t_us - NOW_US, reading.value) for reading in found.readings] == [(0, 1.0), (1_000_000, 2.0)]
    assert found.mark == SequenceMark("s", "0", 4)
    assert decode("s", [{"ts": NOW_S, "value": 1, "seq": 4}, {"ts": NOW_S + 1, "value": 2, "seq": 5}]).mark is None


@pytest.mark.parametrize(
    ("ts", "offset_us"),
    [
        ("2025-01-01T00:00:00Z", 0),
        ("2025-01-01 00:00:00.000001+00:00", 1),
        (NOW_S, 0),
        (NOW_S + 0.5, 500_000),
        (NOW_S * 1_000 + 7, 7_000),
        (NOW_US + 7, 7),
        (NOW_US * 1_000 + 7_999, 7),
    ],
)
def test_stamps_are_told_apart_by_their_size(ts: object, offset_us: int) -> None:
    assert decode("s", {"ts": ts, "value": 1}).readings[0].t_us == NOW_US + offset_us


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        ("2025-01-01T00:00:00", "no_time_zone"),
        ("2025-01-01", "no_time_zone"),
        ("yesterday", "bad_timestamp"),
        ("0001-01-01T00:00:00+14:00", "clock_skew"),
        (True, "bad_timestamp"),
        ([], "bad_timestamp"),
        (0, "clock_skew"),
        ("1970-01-01T00:00:00Z", "clock_skew"),
        ("2036-02-07T06:28:16Z", "clock_ahead"),
        (NOW_S + 61, "clock_ahead"),
        (NOW_S + 23 * 3_600, "clock_ahead"),
        (NOW_S - 86_401, "clock_skew"),
        (-1, "clock_skew"),
        (10**25, "clock_skew"),
        (1e300, "clock_skew"),
    ],
)
def test_stamps_that_cannot_be_trusted_are_poison(ts: object, expected: str) -> None:
    assert reason("s", {"ts": ts, "value": 1}) == expected
    assert reason("f/part", {"key": "k", "ts": ts, "station": "s", "part_id": "p"}) == expected


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("s", b"", "empty"),
        ("s", b" \n", "empty"),
        ("s", b"[]", "empty"),
        ("s", b"\0", "nul"),
        ("f/part", b'{"key":"a\\u0000b","station":"s","part_id":"p"}', "nul"),
        ("s", b"\xff\xfe1", "bad_utf8"),
        ("s", b'"\xed\xa0\x80"', "bad_utf8"),
        ("o", b'{"temp":1,"x":"\\ud800"}', "not_json"),
        ("s", b"NaN", "not_finite"),
        ("s", b"-Infinity", "not_finite"),
        ("o", b'{"temp": NaN}', "not_finite"),
        ("s", b"nan", "not_finite"),
        ("s", b"1e999", "number_out_of_range"),
        ("o", b'{"temp":1,"x":-1e999}', "number_out_of_range"),
        ("s", b"9" * 5_000, "number_out_of_range"),
        ("s", b"9" * 400, "number_out_of_range"),
        ("o", b'{"temp":1,"temp":2}', "duplicate_field"),
        ("o", b'{"temp":1,"x":{"y":1,"\\u0079":2}}', "duplicate_field"),
        ("s", b"[" * 200_000, "too_deep"),
        ("o", b'{"temp":' * 100_000, "too_deep"),
        ("s", b"[" * 200_000 + b"]" * 200_000, "too_deep"),
        ("s", b"3,14", "decimal_comma"),
        ("s", b"true", "wrong_type"),
        ("s", b"null", "wrong_type"),
        ("s", b'"3.14"', "wrong_type"),
        ("o", b"3.14", "wrong_type"),
        ("o", {"temp": True}, "wrong_type"),
        ("o", {"temp": "3,14"}, "wrong_type"),
        ("o", {"temp": [[]]}, "wrong_type"),
        ("s", [1, 2], "wrong_type"),
        ("s", b"1" + b" " * 1_000_000, "too_large"),
        ("s", gzip.compress(b"1", mtime=0), "compressed"),
        ("s", b"\x28\xb5\x2f\xfd\x04", "compressed"),
        ("s", b"21.5 Cel", "not_json"),
        ("s", b"{'a': 1}", "not_json"),
        ("o", {"other": 1}, "no_known_channel"),
        ("o", {"temp": 1, "line": "press-2"}, "foreign_line"),
        ("o", {"temp": 1, "line": None}, "foreign_line"),
        ("f/part", {"key": "k", "station": "s", "part_id": "p", "line": "press-2"}, "foreign_line"),
        ("s", [{"ts": NOW_S, "value": 1}, {"value": 2}], "missing_ts"),
        ("o", {"temp": 1, "seq": -1}, "wrong_value"),
        ("o", {"temp": 1, "seq": 2**63}, "wrong_value"),
        ("o", {"temp": 1, "seq": 1.0}, "wrong_type"),
        ("o", {"temp": 1, "seq": True}, "wrong_type"),
        ("o", {"temp": 1, "seq": 1, "epoch": "a/b"}, "wrong_value"),
        ("o", {"temp": 1, "seq": 1, "epoch": None}, "wrong_type"),
        ("o", {"temp": 1, "seq": 1, "source": ""}, "wrong_value"),
        ("nobody", b"1", "unmapped_topic"),
    ],
)
def test_poison_has_its_reason(topic: str, payload: Any, expected: str) -> None:
    started_s = time.perf_counter()
    assert reason(topic, payload) == expected
    assert time.perf_counter() - started_s < 1.0


def test_a_retained_message_without_time_is_poison_and_with_time_is_not() -> None:
    assert reason("s", b"1", retained=True) == "retained_without_ts"
    assert reason("f/part", {"key": "k", "station": "s", "part_id": "p"}, retained=True) == "retained_without_ts"
    assert decode("s", {"ts": NOW_S, "value": 1}, retained=True).readings[0].value == 1.0
    fact = {"key": "k", "ts": NOW_S, "station": "s", "part_id": "p"}
    assert decode("f/part", fact, retained=True).facts == decode("f/part", fact).facts


ENDED = "2025-01-01T00:01:00Z"
END = datetime(2025, 1, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "fields", "body"),
    [
        ("machine_state", {"asset": "ram", "state": "idle"}, MachineState("ram", "idle")),
        (
            "production",
            {"product": "p", "shift": "day", "ended_at": ENDED, "produced": 10, "inspected": 9, "rejected": None},
            Production("p", "day", END, 10, inspected=9),
        ),
        ("energy", {"carrier": "electricity", "ended_at": ENDED, "kwh": 3}, Energy("electricity", END, 3.0)),
        ("labour", {"role": "inspector", "ended_at": ENDED, "hours": 7.5}, Labour("inspector", END, 7.5)),
        ("part", {"station": "end", "part_id": "7", "more": {}}, PartIdentity("end", "7")),
        ("escape", {"product": "p", "count": 2, "found_at": "customer"}, Escape("p", 2, "customer")),
    ],
)
def test_each_kind_of_fact(kind: str, fields: dict[str, Any], body: object) -> None:
    (fact,) = decode(f"f/{kind}", {"ts": NOW_S, "key": "k1", "kind": kind, **fields}).facts
    assert fact.body == body
    assert (fact.key, fact.line, fact.origin) == (f"press-1/{kind}/k1", "press-1", "measured")
    assert fact.occurred_at == datetime(2025, 1, 1, tzinfo=UTC)


def test_the_key_names_the_effect() -> None:
    body = {"station": "s", "part_id": "p"}
    assert decode("f/part", body | {"key": 5, "seq": 1}).facts[0].key == "press-1/part/5"
    assert decode("f/part", body | {"seq": 9, "epoch": "e", "source": "plc"}).facts[0].key == "press-1/plc/e/9/part"
    assert decode("f/part", body | {"seq": 9}).facts[0].key == "press-1/f/part/0/9/part"
    numbered = body | {"seq": 9, "epoch": "e", "source": "plc", "ts": NOW_S}
    assert decode("f/part", numbered).facts[0].key == f"press-1/plc/e/9/part/{NOW_US}"
    stamped = json.dumps(body | {"ts": NOW_S}).encode()
    digest = hashlib.sha256(stamped).hexdigest()[:16]
    assert decode("f/part", stamped).facts[0].key == f"press-1/part/{NOW_US}/{digest}"
    assert reason("f/part", body) == "no_identity"


def test_a_counter_that_begins_again_makes_new_facts_and_a_redelivery_makes_none() -> None:
    first = decode("f/part", {"seq": 0, "ts": NOW_S - 60, "station": "s", "part_id": "p"}).facts[0]
    again = decode("f/part", {"seq": 0, "ts": NOW_S - 60, "station": "s", "part_id": "p"}).facts[0]
    restarted = decode("f/part", {"seq": 0, "ts": NOW_S, "station": "s", "part_id": "q"}).facts[0]
    assert first.key == again.key == f"press-1/f/part/0/0/part/{NOW_US - 60_000_000}"
    assert restarted.key == f"press-1/f/part/0/0/part/{NOW_US}"


def test_the_bound_of_the_future_is_a_setting_and_the_past_has_its_own() -> None:
    def codec(max_future_s: float) -> JsonCodec:
        topic = ChannelTopic(filter="s", line="press-1", asset="ram", channel="temp")
        return JsonCodec(MqttSourceSettings(readings=(topic,), max_future_s=max_future_s, max_clock_skew_s=1e9))

    ahead = json.dumps({"ts": NOW_S + 60, "value": 1}).encode()
    assert codec(60.0).decode("s", ahead, NOW, retained=False).readings[0].t_us == NOW_US + 60_000_000
    with pytest.raises(PoisonMessageError, match="60 s ahead of our clock") as caught:
        codec(59.9).decode("s", ahead, NOW, retained=False)
    assert caught.value.reason == "clock_ahead"
    old = json.dumps({"ts": NOW_S - 900_000_000, "value": 1}).encode()
    assert codec(59.9).decode("s", old, NOW, retained=False).readings[0].t_us == NOW_US - 900_000_000_000_000


def test_origin_is_kept() -> None:
    fields = {"key": "k", "station": "s", "part_id": "p"}
    assert decode("f/part", fields | {"origin": "simulated"}).facts[0].origin == "simulated"
    assert reason("f/part", fields | {"origin": "guessed"}) == "wrong_value"
    assert reason("f/part", fields | {"origin": []}) == "wrong_value"


GOOD_PRODUCTION = {"ts": NOW_S, "key": "k", "product": "p", "shift": "day", "ended_at": ENDED, "produced": 10}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"produced": True}, "wrong_type"),
        ({"produced": "10"}, "wrong_type"),
        ({"produced": 10.0}, "wrong_type"),
        ({"produced": -1}, "wrong_value"),
        ({"produced": 2**60}, "wrong_value"),
        ({"planned_busy_s": -0.5}, "wrong_value"),
        ({"ended_at": "2025-01-01T08:00:00"}, "no_time_zone"),
        ({"ended_at": "2024-12-31T23:59:59Z"}, "wrong_value"),
        ({"ended_at": "2036-02-07T06:28:16Z"}, "clock_ahead"),
        ({"ts": None}, "missing_ts"),
        ({"kind": "energy"}, "wrong_kind"),
        ({"key": True}, "wrong_type"),
        ({"key": ""}, "wrong_value"),
        ({"key": "k" * 257}, "wrong_value"),
    ],
)
def test_facts_are_strict(change: dict[str, Any], expected: str) -> None:
    assert decode("f/production", GOOD_PRODUCTION).facts
    assert reason("f/production", GOOD_PRODUCTION | change) == expected


def test_a_fact_lacking_a_field_names_it() -> None:
    with pytest.raises(PoisonMessageError, match="missing required field `produced`"):
        decode("f/production", {name: value for name, value in GOOD_PRODUCTION.items() if name != "produced"})
    assert reason("f/machine_state", {"key": "k", "asset": "ram", "state": "dancing"}) == "wrong_value"
    assert reason("f/part", {"key": "k", "station": "s", "part_id": ""}) == "wrong_value"
    assert reason("f/part", [{"key": "k", "station": "s", "part_id": "p"}]) == "wrong_type"


def test_decoding_is_pure() -> None:
    payload = {"ts": NOW_S, "temp": 1.5, "seq": 3}
    assert decode("o", payload) == decode("o", payload)


def test_a_codec_that_could_not_work_is_refused() -> None:
    with pytest.raises(ConfigError, match="# must be the last level"):
        JsonCodec(MqttSourceSettings(facts=(FactTopic(filter="a/#/b", line="l", kind="part"),)))
    with pytest.raises(ConfigError, match="cannot be a channel"):
        JsonCodec(MqttSourceSettings(readings=(ChannelTopic(filter="a", line="l", asset="a", channels={"seq": "1"}),)))


TOPICS = ("s", "o", *(f"f/{kind}" for kind in KINDS))


def decodes_or_is_poison(topic: str, payload: bytes) -> bool:
    """True when decoded; anything but `Decoded` or a known poison fails the test."""
    poison: PoisonMessageError | None = None
    try:
        found = CODEC.decode(topic, payload, NOW, retained=False)
    except PoisonMessageError as error:
        poison = error
    if poison is None:
        assert isinstance(found, Decoded)
        return True
    assert poison.reason in REASONS
    assert str(poison)
    return False


def test_twenty_thousand_mutilated_payloads() -> None:
    """Good payloads with bytes flipped, cut, doubled and inserted: decoded or poison, and nothing else."""
    seeds = [
        b'{"ts":"2025-01-01T00:00:00.5Z","temp":21.5,"current":-3e2,"seq":12,"epoch":"a","source":"plc"}',
        b'[{"ts":1735689600,"value":1},{"ts":1735689601.5,"value":2}]',
        b"21.5",
        json.dumps(GOOD_PRODUCTION).encode(),
        b'{"key":"k","asset":"ram","state":"idle","origin":"simulated","line":"press-1"}',
        b'{"seq":9,"station":"s","part_id":"\\u00e9\\ud83d\\ude00"}',
    ]
    fragments = [
        b"\0",
        b"\xff",
        b"NaN",
        b"1e999",
        b"9" * 400,
        b"null",
        b"true",
        b'"',
        b"{",
        b"[",
        b"}",
        b",",
        b"\\u",
        b"-",
    ]
    chance = random.Random(20_250_101)
    decoded = 0
    for _ in range(20_000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(0, 3)):
            at = chance.randrange(len(data) + 1)
            how = chance.randrange(4)
            if how == 0 and at < len(data):
                data[at] = chance.randrange(256)
            elif how == 1:
                del data[at : at + chance.randint(1, 8)]
            elif how == 2:
                data[at:at] = data[max(0, at - 9) : at]
            else:
                data[at:at] = chance.choice(fragments)
        decoded += decodes_or_is_poison(chance.choice(TOPICS), bytes(data))
    assert 500 < decoded < 19_500  # both ways were taken


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["ts", "seq", "epoch", "source", "key", "line", "kind", "origin", "temp", "value", "ended_at"]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(TOPICS), JSON_VALUES)
def test_any_value_decodes_or_is_poison(topic: str, value: Any) -> None:
    decodes_or_is_poison(topic, json.dumps(value).encode())


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(TOPICS), st.binary(max_size=60))
def test_any_bytes_decode_or_are_poison(topic: str, payload: bytes) -> None:
    decodes_or_is_poison(topic, payload)
