"""Values of a payload into readings and facts, strictly: what cannot be understood exactly is poison with a reason.

The value is what a form's reader (JSON, MessagePack, CSV) made of the bytes.

Readings. A scalar is the topic's one channel, at the time of receipt. An object carries `ts` and either `value` (a
topic with one channel) or the mapped fields; a mapped field that is null or absent is no reading. An array is a batch
of such objects; where it holds more than one, each has its `ts`.

Facts. One object: the body's fields as in `events.py`, and an identity: `key`, or `seq`, or at least `ts`. Where a
fact has both `seq` and `ts`, both make its key: a redelivery bears the same time, a counter that began again another.

Fields of both. `ts`: ISO 8601 with a zone, or a number in s, ms, us or ns since 1970, told apart by its size. `seq`:
the publisher's message number; `epoch`, `source`: its numbering and its name (the topic, unless given). In an array the
samples share one number, or they number themselves, which says nothing about lost messages and is left aside. `line`:
refused unless it is the topic's own. `origin` (facts): measured, imported or simulated. Other fields are ignored.

A retained message shows nothing about when it happened, so without `ts` it is poison; with one, its key is that of the
first delivery and makes no second fact.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from edge_agent import events
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import MICROSECONDS_PER_SECOND, Instant, from_us, to_us
from edge_agent.payloads.strict_json import TEXT_REASONS
from edge_agent.payloads.topic_entries import ReadingsPlan, TopicEntries, TopicPlan
from edge_agent.ports import Decoded
from edge_agent.readings import Channel, Reading, SequenceMark

if TYPE_CHECKING:
    from edge_agent.settings.mqtt import FactTopic, MqttSourceSettings

REASONS: Final = TEXT_REASONS | {
    "bad_timestamp": "ts or another time cannot be read",
    "clock_ahead": "a time stamp is ahead of our clock; set the publisher's clock",
    "clock_skew": "a time stamp is too far from our clock",
    "foreign_line": "the payload claims another line than its topic",
    "missing_field": "a field that the fact needs is absent",
    "missing_ts": "a time stamp is needed here",
    "no_identity": "a fact without key, seq and ts could not be told from its repetition",
    "no_known_channel": "no mapped field is in the object",
    "no_time_zone": "a time is given without its zone",
    "retained_without_ts": "a retained message does not say when it happened",
    "unknown_name": "a level of the topic names a line, machine or channel that is not listed",
    "unmapped_topic": "no configured topic filter matches",
    "waveform_too_short": "a block of a waveform is too short for a band of its [[signals]] entry",
    "wrong_kind": "the payload claims another kind than its topic",
    "wrong_type": "a value has another type than expected",
    "wrong_value": "a value is of the right type and makes no sense",
}

LARGEST_INTEGER = 2**63 - 1  # what a database column holds
LARGEST_COUNT = 2**53  # what a JSON number holds exactly (RFC 8259 section 6)
LATEST_US = 253_402_300_799_999_999  # the end of the year 9999
NAME_CHARACTERS = 256
# Below the first bound a stamp counts seconds, and so on; each bound lies in the year 5138 of its unit.
UNITS_PER_SECOND = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))

_BODIES: Final = {events.kind_of(body): body for body in get_args(events.Body)}
_PERIODS = frozenset({"production", "energy", "labour"})
_NEEDED_NAMES = frozenset({"asset", "station", "part_id", "carrier", "role"})
_ORIGINS = get_args(events.Origin)


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is known about a message besides its content."""

    topic: str
    payload: bytes
    received: Instant
    retained: bool
    max_skew_us: float
    max_future_us: float


class PayloadReader:
    """Reads the values of one form of payloads: its topics and its limits.

    Args:
        settings: topics and limits.
        form: the form whose topics it knows.

    Raises:
        ConfigError: a topic filter is malformed, or a channel bears the name of a field with a meaning of its own.
    """

    def __init__(self, settings: MqttSourceSettings, form: str) -> None:
        self.entries = TopicEntries(settings, form)
        self.max_bytes = settings.max_payload_bytes
        self._max_skew_us = settings.max_clock_skew_s * MICROSECONDS_PER_SECOND
        self._max_future_us = settings.max_future_s * MICROSECONDS_PER_SECOND

    def message(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Message:
        """What is known about a message besides its content."""
        return Message(topic, payload, received, retained, self._max_skew_us, self._max_future_us)

    def plan(self, topic: str) -> TopicPlan | None:
        """Which readings a topic carries; None where it carries none, or nobody knows it."""
        try:
            entry = self.entries.find(topic)
        except PoisonMessageError:
            return None
        return TopicPlan(topic, entry) if isinstance(entry, ReadingsPlan) else None


def decode_value(entry: ReadingsPlan | FactTopic, body: object, message: Message) -> Decoded:
    """Readings or facts of a payload's value.

    Raises:
        PoisonMessageError: the value cannot be understood; its `reason` is a key of `REASONS`.
    """
    return _readings(entry, body, message) if isinstance(entry, ReadingsPlan) else _fact(entry, body, message)


# ---- readings -------------------------------------------------------------------------------------------------


def _readings(entry: ReadingsPlan, body: object, message: Message) -> Decoded:
    if isinstance(body, dict):
        return Decoded(readings=_sample(entry, body, message, "$"), mark=mark_of(body, message.topic))
    if isinstance(body, list):
        return _batch(entry, body, message)
    if not entry.scalar:
        raise PoisonMessageError("wrong_type", "this topic takes objects", field="$", value=_shown(body))
    t_us = _receive_time(message)
    return Decoded(readings=(entry.reading("value", t_us, _number(body, "$")),))


def _batch(entry: ReadingsPlan, samples: list[Any], message: Message) -> Decoded:
    if not samples:
        raise PoisonMessageError("empty", "the array holds no sample")
    readings: list[Reading] = []
    marks: set[SequenceMark | None] = set()
    for position, sample in enumerate(samples):
        path = f"$[{position}]"
        if not isinstance(sample, dict):
            raise PoisonMessageError("wrong_type", "an array holds objects", field=path, value=_shown(sample))
        if len(samples) > 1 and sample.get("ts") is None:
            raise PoisonMessageError("missing_ts", "every sample of an array needs its time", field=f"{path}.ts")
        readings += _sample(entry, sample, message, path)
        marks.add(mark_of(sample, message.topic))
    return Decoded(readings=readings, mark=marks.pop() if len(marks) == 1 else None)


def _sample(entry: ReadingsPlan, sample: dict[str, Any], message: Message, path: str) -> list[Reading]:
    _refuse_foreign_line(sample, entry.line, entry.channels)
    ts = sample.get("ts")
    t_us = _receive_time(message) if ts is None else _stamp(ts, f"{path}.ts", message)
    present = [name for name in entry.channels if name in sample]
    if not present:
        expected = ", ".join(entry.channels)
        raise PoisonMessageError("no_known_channel", f"none of {expected} is in the object", field=path)
    return [
        entry.reading(name, t_us, _number(sample[name], f"{path}.{name}"))
        for name in present
        if sample[name] is not None
    ]


def _number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PoisonMessageError("wrong_type", "a number is expected", field=path, value=_shown(value))
    try:
        number = float(value)
    except OverflowError:
        raise PoisonMessageError("number_out_of_range", "larger than a double holds", field=path) from None
    if not math.isfinite(number):
        raise PoisonMessageError("not_finite", "NaN and Infinity are not values", field=path)
    return number


# ---- facts ----------------------------------------------------------------------------------------------------


def _fact(topic: FactTopic, body: object, message: Message) -> Decoded:
    if not isinstance(body, dict):
        raise PoisonMessageError("wrong_type", "a fact is one object", field="$", value=_shown(body))
    _refuse_foreign_line(body, topic.line, ())
    if body.get("kind", topic.kind) != topic.kind:
        raise PoisonMessageError(
            "wrong_kind", f"this topic takes {topic.kind}", field="kind", value=_shown(body["kind"])
        )
    origin = body.get("origin", "measured")
    if origin not in _ORIGINS:
        raise PoisonMessageError("wrong_value", f"one of {', '.join(_ORIGINS)}", field="origin", value=_shown(origin))
    mark = mark_of(body, message.topic)
    ts = body.get("ts")
    t_us = None if ts is None else _stamp(ts, "ts", message)
    key = _key(topic.line, topic.kind, body, mark, t_us, message.payload)
    if t_us is None and topic.kind in _PERIODS:
        raise PoisonMessageError("missing_ts", "the period's start is needed", field="ts")
    occurred_us = _receive_time(message) if t_us is None else t_us
    fact = events.Event(key, topic.line, from_us(occurred_us), _body(topic.kind, body, occurred_us, message), origin)
    return Decoded(facts=(fact,), mark=mark)


class Identity(msgspec.Struct, frozen=True):
    """What tells one message's fact from another's, and its repetition from a new one.

    Attributes:
        key: names the effect; empty where the message has neither `key`, `seq` nor `ts`.
        occurred_us: `ts`, or the time of receipt.
        mark: the publisher's message number, if it gives one.
    """

    key: str
    occurred_us: int
    mark: SequenceMark | None


def identity_of(line: str, kind: str, body: dict[str, Any], message: Message) -> Identity:
    """The identity of an object's fact, by the fields that all facts share.

    Raises:
        PoisonMessageError: one of those fields makes no sense.
    """
    _refuse_foreign_line(body, line, ())
    mark, ts = mark_of(body, message.topic), body.get("ts")
    t_us = None if ts is None else _stamp(ts, "ts", message)
    named = any(field in body for field in ("key", "seq", "ts"))
    key = _key(line, kind, body, mark, t_us, message.payload) if named else ""
    return Identity(key, message.received.utc_us if t_us is None else t_us, mark)


def _key(
    line: str, kind: str, body: dict[str, Any], mark: SequenceMark | None, t_us: int | None, payload: bytes
) -> str:
    key = body.get("key")
    if key is not None:
        return f"{line}/{kind}/{_name(key, 'key')}"
    if mark is not None:
        numbered = f"{line}/{mark.source}/{mark.epoch}/{mark.number}/{kind}"
        return numbered if t_us is None else f"{numbered}/{t_us}"
    if t_us is not None:
        return f"{line}/{kind}/{t_us}/{hashlib.sha256(payload).hexdigest()[:16]}"
    raise PoisonMessageError("no_identity", "give key, seq or ts, so that a repetition is recognised", field="key")


def _body(kind: str, given: dict[str, Any], occurred_us: int, message: Message) -> events.Body:
    struct = _BODIES[kind]
    fields = {name: given[name] for name in struct.__struct_fields__ if name in given}
    for name, value in fields.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise PoisonMessageError("not_finite", "NaN and Infinity are not values", field=name)
    if "ended_at" in fields:
        ended_us = _stamp(fields["ended_at"], "ended_at", message)
        if ended_us < occurred_us:
            raise PoisonMessageError("wrong_value", "it ends before it begins", field="ended_at")
        fields["ended_at"] = from_us(ended_us)
    try:
        body: events.Body = msgspec.convert(fields, struct)
    except msgspec.ValidationError as error:
        text = str(error)
        reason = "missing_field" if "missing required" in text else "wrong_type"
        raise PoisonMessageError("wrong_value" if "enum" in text else reason, text, field=kind) from None
    for name, value in fields.items():
        if isinstance(value, int | float) and not 0 <= value <= LARGEST_COUNT:
            raise PoisonMessageError("wrong_value", f"not between 0 and {LARGEST_COUNT}", field=name, value=value)
        if value == "" and name in _NEEDED_NAMES and not (kind == "escape" and name == "part_id"):
            raise PoisonMessageError("wrong_value", "a name is needed", field=name, value=value)
    return body


# ---- fields of both -------------------------------------------------------------------------------------------


def _refuse_foreign_line(body: dict[str, Any], line: str, channels: dict[str, Channel] | tuple[()]) -> None:
    if "line" in body and "line" not in channels and body["line"] != line:
        claimed = _shown(body["line"])
        raise PoisonMessageError("foreign_line", f"this topic belongs to line {line}", field="line", value=claimed)


def mark_of(body: dict[str, Any], topic: str) -> SequenceMark | None:
    """The publisher's number of an object; None where it bears none.

    Raises:
        PoisonMessageError: `wrong_type` or `wrong_value`.
    """
    number = body.get("seq")
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int):
        raise PoisonMessageError("wrong_type", "a message number is an integer", field="seq", value=_shown(number))
    if not 0 <= number <= LARGEST_INTEGER:
        raise PoisonMessageError("wrong_value", "a message number is 0 or greater", field="seq", value=number)
    epoch = _name(body.get("epoch", "0"), "epoch")
    if "/" in epoch:  # it is followed by / in keys
        raise PoisonMessageError("wrong_value", "an epoch holds no /", field="epoch", value=epoch)
    source = body.get("source", topic)
    if not isinstance(source, str):
        raise PoisonMessageError("wrong_type", "a source is a text", field="source", value=_shown(source))
    return SequenceMark(source if source == topic else _name(source, "source"), epoch, number)


def _name(value: object, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PoisonMessageError("wrong_type", "a text or an integer is expected", field=field, value=_shown(value))
    name = str(value)
    if not 1 <= len(name) <= NAME_CHARACTERS:
        raise PoisonMessageError("wrong_value", f"1 to {NAME_CHARACTERS} characters", field=field, value=name[:80])
    return name


def _receive_time(message: Message) -> int:
    if message.retained:
        raise PoisonMessageError("retained_without_ts", "when did it happen? give ts", field="ts")
    return message.received.utc_us


def _stamp(value: object, path: str, message: Message) -> int:
    """Microseconds since the epoch of a time as publishers write it, checked against our clock."""
    if isinstance(value, datetime):
        t_us = to_us(value)  # MessagePack has times of its own, always UTC
    else:
        t_us = _text_time(value, path) if isinstance(value, str) else number_time(value, path)
    return trusted_time(t_us, path, message)


def trusted_time(t_us: int, path: str, message: Message, *, historical: bool = False) -> int:
    """A time that may be believed; one that its publisher calls historical may be as old as it likes.

    Raises:
        PoisonMessageError: `clock_ahead` or `clock_skew`.
    """
    ahead_us = t_us - message.received.utc_us
    apart_s = abs(ahead_us) / MICROSECONDS_PER_SECOND
    if ahead_us > message.max_future_us:
        raise PoisonMessageError("clock_ahead", f"{apart_s:.0f} s ahead of our clock", field=path, value=t_us)
    if (-ahead_us > message.max_skew_us and not historical) or not 0 <= t_us <= LATEST_US:
        raise PoisonMessageError("clock_skew", f"{apart_s:.0f} s behind our clock", field=path, value=t_us)
    return t_us


def _text_time(value: str, path: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise PoisonMessageError("bad_timestamp", "not ISO 8601", field=path, value=value[:80]) from None
    if moment.tzinfo is None:
        raise PoisonMessageError("no_time_zone", "a time without its zone is a guess", field=path, value=value[:80])
    return to_us(moment)


def number_time(value: object, path: str) -> int:
    """Microseconds of a time that is a number, whose size tells its unit.

    Raises:
        PoisonMessageError: `bad_timestamp` or `clock_skew`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PoisonMessageError("bad_timestamp", "a text or a number is expected", field=path, value=_shown(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise PoisonMessageError("bad_timestamp", "NaN and Infinity are no times", field=path)
    for bound, per_second in UNITS_PER_SECOND:
        if abs(value) < bound:
            if isinstance(value, int):
                return value * MICROSECONDS_PER_SECOND // per_second
            return round(value * (MICROSECONDS_PER_SECOND / per_second))
    raise PoisonMessageError("clock_skew", "larger than any time in nanoseconds", field=path, value=_shown(value))


def _shown(value: object) -> object:
    """A value fit for a message: containers, whose depth is the publisher's, by their type only."""
    return f"({type(value).__name__})" if isinstance(value, dict | list | bytes) else value
