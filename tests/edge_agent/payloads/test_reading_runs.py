"""Many messages read at once: exactly what message by message gives, or left to that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.composition.mqtt_sources import message_codec
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.reading_runs import FEWEST
from edge_agent.ports import Decoded, RunCodec
from edge_agent.readings import Quality, Reading, ReadingRun, SequenceMark
from edge_agent.settings.mqtt import ChannelTopic, FactTopic, MqttSourceSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000

CODEC = message_codec(
    MqttSourceSettings(
        readings=(
            ChannelTopic(filter="s", line="p", asset="ram", channel="temp", unit="Cel", minimum=-40.0, maximum=200.0),
            ChannelTopic(filter="o/#", line="p", asset="ram", channels={"a": "Cel", "b": "A"}),
            ChannelTopic(filter="o/msgpack", line="p", asset="ram", channels={"a": "Cel"}, format="msgpack"),
            ChannelTopic(filter="line", line="p", asset="ram", channels={"line": "1"}),
        ),
        facts=(FactTopic(filter="f", line="p", kind="machine_state"),),
        max_payload_bytes=200,
        max_clock_skew_s=3_600,
        max_future_s=60,
    )
)


def one_by_one(topic: bytes, payload: bytes, received_us: int) -> Decoded | None:
    """What the reader of single messages makes of it; None for poison."""
    try:
        return CODEC.decode(topic.decode(), payload, Instant(received_us, 0, ""), retained=False)
    except (PoisonMessageError, UnicodeDecodeError):
        return None


def check(messages: Sequence[tuple[bytes, bytes]]) -> int:
    """Messages read at once, after a look that nothing else came out than one by one; the rest is left alone."""
    stretches = CODEC.decode_run([topic for topic, _ in messages], [payload for _, payload in messages], NOW_US)
    at = together = 0
    for stretch in stretches:
        assert stretch.first == at
        at = stretch.stop
        if stretch.readings is None:
            continue
        together += stretch.stop - stretch.first
        expected: list[Reading] = []
        marks: list[SequenceMark] = []
        for place in range(stretch.first, stretch.stop):
            decoded = one_by_one(*messages[place], NOW_US + place)
            assert decoded is not None, messages[place]
            assert msgspec.structs.replace(decoded, readings=(), mark=None) == Decoded()
            expected += decoded.readings
            marks += [decoded.mark] if decoded.mark is not None else []
        assert list(stretch.readings) == expected
        assert list(stretch.marks) == marks
    assert at == len(messages)
    return together


STAMPS = st.one_of(
    st.integers(-5_000, 90).map(lambda s: (NOW + timedelta(seconds=s)).isoformat()),
    st.integers(-10, 10).map(lambda s: (NOW + timedelta(microseconds=s)).isoformat(timespec="microseconds")),
    st.integers(-4_000_000, 4_000_000).map(lambda ms: NOW_US // 1_000 + ms),
    st.floats(-4_000, 4_000).map(lambda s: NOW_US / 1e6 + s),
    st.sampled_from([None, "2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "2026-03-01", "", "ts", True, 1e300, 0]),
    st.sampled_from(["20260301T120000+09:00", "2026-03-01 21:00:00.1234567+09:00", NOW_US, NOW_US * 1_000, "2026-W09"]),
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.floats(-1e3, 1e3),
    st.integers(-(2**70), 2**70),
    st.sampled_from([None, True, "21", [], {}, -0.0, 10**400, "a\\b", 'q"', "공장", "}", "{", ",\n", "line"]),
)
OBJECTS = st.dictionaries(
    st.sampled_from(["ts", "a", "b", "value", "line", "seq", "epoch", "source", "x", 'q"', "value:"]),
    VALUES,
    max_size=5,
).flatmap(lambda fields: STAMPS.map(lambda ts: fields | {"ts": ts}))
GOOD = st.tuples(
    st.just(b"o/1"),
    st.builds(
        lambda offset, a: json.dumps({"ts": (NOW + timedelta(seconds=offset)).isoformat(), "a": a}).encode(),
        st.integers(-3_000, 30),
        st.floats(-1e3, 1e3),
    ),
)
PAYLOADS = st.one_of(
    OBJECTS.map(lambda body: json.dumps(body).encode()),
    OBJECTS.map(lambda body: json.dumps(body, ensure_ascii=False).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b" ", b"1,2", b"3,\n4", b"NaN", b"1e400", b"\0", b"\xff", b"{", b"}", b'{"a":1', b'"b":2}']),
    st.sampled_from(
        [b'{"a":1},\n{"a":2}', b' {"a":1}', b'{"a":1}\n', b'{"a":1,"a":2}', b'{"a":"},\n{"}', b'"a":2},{"a":1']
    ),
    st.binary(max_size=12),
    st.just(b'{"x": "' + b"y" * 200 + b'", "a": 1}'),
)
TOPICS = st.sampled_from([b"s", b"o/1", b"o/2", b"o/msgpack", b"line", b"f", b"nobody", b"\xff"])


@given(st.lists(st.one_of(GOOD, GOOD, GOOD, st.tuples(TOPICS, PAYLOADS)), max_size=60))
@example([(b"o/1", b'{"a":1')] + [(b"o/1", b'"a":2},{"a":1')] * FEWEST + [(b"o/1", b'"a":2}')])
@example([(b"o/1", b'{"a":1},\n{"a":2}'), (b"o/1", b"")] * FEWEST)
@example([(b"s", b"1,2"), (b"s", b"")] * FEWEST)
@example([(b"o/1", b'{"a":"x'), (b"o/1", b'","a":1}')] * FEWEST)
@settings(max_examples=400, deadline=None)
def test_what_is_read_at_once_is_what_is_read_one_by_one(messages: list[tuple[bytes, bytes]]) -> None:
    check(messages)


def stamped(count: int, **more: Any) -> list[tuple[bytes, bytes]]:
    return [
        (b"o/1", json.dumps({"ts": (NOW + timedelta(milliseconds=n)).isoformat(), "a": n, **more}).encode())
        for n in range(count)
    ]


def test_plain_messages_are_read_at_once() -> None:
    """Without this the property above would hold for a reader that reads nothing."""
    assert check(stamped(500)) == 500
    assert check([(b"s", str(n).encode()) for n in range(100)]) == 100
    assert check([pair for n in range(100) for pair in ((b"s", str(n).encode()), stamped(1, b=None)[0])]) == 200
    assert check(stamped(100, line="p", x="text", b=1.5)) == 100
    assert check(stamped(100, seq=7, epoch="e", source="plc-1")) == 100
    assert check([(b"line", b'{"line": 3}')] * 20) == 20


def test_a_broken_message_costs_only_its_neighbours() -> None:
    messages = stamped(512)
    messages[200] = (b"o/1", b'{"a": NaN}')
    assert check(messages) == 512 - 512 // (512 // FEWEST)


def test_what_needs_more_than_readings_is_left_alone() -> None:
    assert check(stamped(50, seq=-1)) == 0
    assert check(stamped(50, seq=1.5)) == 0
    assert check(stamped(50, line="other")) == 0
    assert check([(b"f", b'{"state": "running", "seq": 1}')] * 50) == 0
    assert check([(b"o/msgpack", b'{"a": 1}')] * 50) == 0
    assert check(stamped(FEWEST - 1)) == 0


def test_impossible_values_are_bad() -> None:
    found = CODEC.decode_run([b"s"] * 10, [b"20"] * 9 + [b"201"], NOW_US)
    assert found[0].readings is not None
    assert found[0].readings.qualities == [Quality.GOOD] * 9 + [Quality.BAD]
    assert found[0].readings.times_us == list(range(NOW_US, NOW_US + 10))


def test_the_router_and_what_derives_from_it_read_runs() -> None:
    assert isinstance(CODEC, RunCodec)


def test_a_run_is_a_sequence_of_readings() -> None:
    found = CODEC.decode_run([b"s"] * 10, [str(n).encode() for n in range(10)], NOW_US)[0].readings
    assert found is not None
    assert found[3] == Reading(found.channels[3], NOW_US + 3, 3.0)
    assert list(found[2:4]) == [found[2], found[3]]
    assert ReadingRun.of(found) is found
    both = ReadingRun.of(list(found))
    both.extend(found)
    assert list(both) == [*found, *found]
    assert repr(found[:1]) == repr([found[0]])
