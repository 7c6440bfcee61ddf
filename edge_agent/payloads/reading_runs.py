"""Many JSON messages at once into readings, where all of them are plain; whatever is not is left to `payloads.values`.

One message costs the checks of `strict_json` and `values` and an object or two for each step. Messages that came
together can share them: their payloads are joined into one JSON array, read in one call, and the checks count
characters of the whole. Plain is a bare number, or a flat object whose texts hold no escapes. What is
found here is exactly what message by message would give (a property test holds it); a doubt about any message of a run
halves the run, so that a broken message costs its neighbours a little time and nothing else.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.values import LATEST_US, mark_of, number_time
from edge_agent.ports.intake import Stretch
from edge_agent.readings import Quality, ReadingRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.payloads.topic_entries import ReadingsPlan, TopicPlan
    from edge_agent.readings import Channel, SequenceMark

FEWEST = 8
"""Messages of a run that is worth the trouble; fewer are read one by one."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BETWEEN = b",\n"
"""Between joined payloads: no JSON text holds a line feed that is not white space, so that each one can be counted."""

_Value = float | int | str | bool
_Flat = dict[str, _Value | None]
_objects = msgspec.json.Decoder(list[_Flat])
_numbers = msgspec.json.Decoder(list[float])


class RunReader:
    """Reads runs of messages whose topics carry readings as JSON.

    Args:
        max_bytes: larger payloads are left to the reader of single messages.
        max_skew_us, max_future_us: how far a time stamp may lie behind and ahead of our clock.
    """

    def __init__(self, max_bytes: int, max_skew_us: float, max_future_us: float) -> None:
        self._max_bytes = max_bytes
        self._max_skew_us = max_skew_us
        self._max_future_us = max_future_us

    def read(self, plans: Sequence[TopicPlan | None], payloads: Sequence[bytes], received_us: int) -> list[Stretch]:
        """Stretches of a run, in order, that leave no message out.

        Args:
            plans: what each topic carries; None for a topic that is not ours to read.
            payloads: of each message.
            received_us: when the first was received; each later one a microsecond after.
        """
        stretches: list[Stretch] = []
        waiting = [(0, len(payloads))]
        while waiting:
            first, stop = waiting.pop()
            few = stop - first < FEWEST
            some = None if few else self._columns(plans[first:stop], payloads[first:stop], received_us + first)
            if some is None and not few:
                half = (first + stop) // 2
                waiting += [(half, stop), (first, half)]
            else:
                stretches.append(Stretch(first, stop, some.run, some.marks) if some else Stretch(first, stop, None))
        return stretches

    def _columns(
        self, plans: Sequence[TopicPlan | None], payloads: Sequence[bytes], received_us: int
    ) -> _Columns | None:
        """Readings of messages that are all plain and sound; None when one is not, or when there is a doubt."""
        if None in plans or max(map(len, payloads)) > self._max_bytes:
            return None
        bodies = _bodies(payloads)
        if bodies is None:
            return None
        columns = _Columns(received_us + len(payloads) - self._max_skew_us, received_us + self._max_future_us)
        for at_us, (plan, body) in enumerate(zip(plans, bodies, strict=True), received_us):
            if plan is None or not columns.add(plan, body, at_us):
                return None
        return columns


class _Columns:
    """Readings and numbers as they are found; a time before `oldest_us` or after `newest_us` needs a closer look."""

    def __init__(self, oldest_us: float, newest_us: float) -> None:
        self._oldest_us = max(oldest_us, 0)
        self._newest_us = min(newest_us, LATEST_US)
        self.run = ReadingRun([], [], [], [])
        self.marks: list[SequenceMark] = []

    def add(self, known: TopicPlan, body: _Flat | float, at_us: int) -> bool:
        """Add a message's readings; False when it is not plain."""
        plan = known.readings
        if not isinstance(body, dict):
            return plan.scalar and self._append(plan, plan.channels["value"], at_us, body)
        if "seq" in body and not self._add_mark(body, known.topic):
            return False
        if "line" in body and body["line"] != plan.line and "line" not in plan.channels:
            return False
        stamp = body.get("ts")
        t_us = at_us if stamp is None else _time_us(stamp)
        if t_us is None or not self._oldest_us <= t_us <= self._newest_us:
            return False
        mapped = False
        for name, channel in plan.channels.items():
            if name in body:
                mapped = True
                value = body[name]
                if value is not None and not self._append(plan, channel, t_us, value):
                    return False
        return mapped

    def _add_mark(self, body: _Flat, topic: str) -> bool:
        try:
            mark = mark_of(body, topic)
        except PoisonMessageError:
            return False
        if mark is not None:
            self.marks.append(mark)
        return True

    def _append(self, plan: ReadingsPlan, channel: Channel, t_us: int, value: _Value) -> bool:
        kind = type(value)
        if kind is not float and kind is not int:
            return False
        try:
            number = float(value)
        except OverflowError:
            return False
        if not math.isfinite(number):
            return False
        low, high = plan.form.minimum, plan.form.maximum
        impossible = (low is not None and number < low) or (high is not None and number > high)
        run = self.run
        run.channels.append(channel)
        run.times_us.append(t_us)
        run.values.append(number)
        run.qualities.append(Quality.BAD if impossible else Quality.GOOD)
        return True


def _bodies(payloads: Sequence[bytes]) -> Sequence[_Flat | float] | None:
    """What each payload holds: a flat object or a number; None when one of them holds anything else."""
    objects = [payload for payload in payloads if payload.startswith(b"{")]
    if len(objects) == len(payloads):
        return _flat_objects(payloads)
    found_numbers = _bare_numbers([payload for payload in payloads if not payload.startswith(b"{")])
    if not objects or found_numbers is None:
        return found_numbers
    found_objects = _flat_objects(objects)
    if found_objects is None:
        return None
    next_object, next_number = iter(found_objects), iter(found_numbers)
    return [next(next_object) if payload.startswith(b"{") else next(next_number) for payload in payloads]


def _flat_objects(payloads: Sequence[bytes]) -> list[_Flat] | None:
    r"""Objects of payloads that each hold one, without nesting, escapes, or a field that is named twice.

    Every `{` and `}` stands at an end of a payload, one each, so that the array's n objects can only be the payloads
    themselves; and where no text holds an escape, every quotation mark belongs to a name or a text that was kept.

    >>> _flat_objects([b'{"a": 1}', b'{"a": "x{"}'])
    >>> _flat_objects([b'{"a": 1}', b'{"a": "x"}'])
    [{'a': 1}, {'a': 'x'}]
    >>> _flat_objects([b'{"a": 1}', b'{"a": 2, "a": 3}'])
    >>> _flat_objects([b'{"a": 1', b'"b": 2}'])
    """
    count = len(payloads)
    text = _BETWEEN.join(payloads)
    whole = (
        text.isascii()
        and b"\\" not in text
        and b"\0" not in text
        and text.count(b"{") == text.count(b"}") == count
        and text.count(b"\n") == text.count(b"}" + _BETWEEN + b"{") == count - 1
        and text.startswith(b"{")
        and text.endswith(b"}")
    )
    if not whole:
        return None
    try:
        found = _objects.decode(b"[" + text + b"]")
    except (msgspec.DecodeError, ValueError):
        return None
    if len(found) != count:
        return None
    quotes = 0
    for each in found:
        quotes += 2 * len(each)
        for value in each.values():
            if type(value) is str:
                quotes += 2
    return found if quotes == text.count(b'"') else None


def _bare_numbers(payloads: Sequence[bytes]) -> list[float] | None:
    """Numbers of payloads that each are one.

    >>> _bare_numbers([b"21.5", b" 7"]), _bare_numbers([b"1,2", b""]), _bare_numbers([b"true"])
    ([21.5, 7.0], None, None)
    """
    text = _BETWEEN.join(payloads)
    if not text.isascii() or text.count(b",") != len(payloads) - 1:
        return None
    try:
        return _numbers.decode(b"[" + text + b"]")
    except (msgspec.DecodeError, ValueError):
        return None


def _time_us(stamp: _Value) -> int | None:
    """Microseconds of a time stamp as `payloads.values` reads it; None where it refuses."""
    try:
        if isinstance(stamp, str):
            return (datetime.fromisoformat(stamp) - _EPOCH) // _MICROSECOND
        return number_time(stamp, "ts")
    except (ValueError, TypeError, OverflowError, PoisonMessageError):  # TypeError: a time without a zone
        return None
