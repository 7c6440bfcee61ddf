"""Recorded readings as a plant would have sent them: which columns, which topic, which time, which moment to send."""

from __future__ import annotations

import csv
import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal

import msgspec

from edge_agent.errors import AgentError
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_agent.settings.mqtt import ChannelTopic

LABELS = frozenset({"anomaly", "changepoint", "label", "labels", "is_anomaly", "target"})
"""Columns that say what a person found out later; a plant does not publish them, and neither does a replay."""

_DELIMITERS = ";,\t|"
_TIME_COLUMNS = ("datetime", "timestamp", "time", "date", "ts", "일시", "시간", "측정일시")
_WILDCARD_LEVEL = "replay"
_LONGEST_PAUSE_US = 60 * MICROSECONDS_PER_SECOND  # a longer silence between recordings is not waited out
# Below the first bound a number counts seconds since 1970, then milliseconds, microseconds, nanoseconds.
_US_PER_UNIT = ((10**11, 1e6), (10**14, 1e3), (10**17, 1.0), (math.inf, 1e-3))
_EARLIEST_NUMBER = 10**8  # less is a compact date, such as 20260131, and no number of seconds (1973)
_COMPACT = "20260131060000"


class Layout(msgspec.Struct, frozen=True):
    """How one CSV file is written.

    Attributes:
        name: the file, for messages and as the publisher's name.
        delimiter: between fields; decimals may have commas unless the delimiter is one.
        columns: the header.
        time_column: index of the column with the time of the row.
        zone: time zone of times that name none.
    """

    name: str
    delimiter: str
    columns: tuple[str, ...]
    time_column: int
    zone: tzinfo


class Row(msgspec.Struct, frozen=True):
    """One recorded row.

    Attributes:
        t_us: its time, microseconds UTC.
        values: by column name, finite; what is empty or no number is left out.
        unusable: fields left out that were not empty.
    """

    t_us: int
    values: dict[str, float]
    unusable: int = 0


def layout_of(name: str, header: str, zone: tzinfo) -> Layout:
    """Read a header line.

    Raises:
        AgentError: no header, a column named twice, or fewer than two columns.

    >>> layout_of("run", "datetime;Current;Volume Flow RateRMS", None).columns
    ('datetime', 'Current', 'Volume Flow RateRMS')
    """
    delimiter = max(_DELIMITERS, key=header.count)
    columns = tuple(column.strip() for column in next(csv.reader([header], delimiter=delimiter), []))
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if len(columns) < 2 or twice:  # noqa: PLR2004 - a time and a value
        found = f"column {twice[0]!r} stands twice" if twice else "a time column and a column a sensor are needed"
        raise AgentError(
            f"{name}:1: {found}", field="header", value=header.strip(), hint="name each column once, in the first line"
        )
    lower = [column.lower() for column in columns]
    time_column = next((lower.index(known) for known in _TIME_COLUMNS if known in lower), 0)
    return Layout(name, delimiter, columns, time_column, zone)


def rows_of(layout: Layout, lines: Iterable[str]) -> Iterator[Row]:
    """Read the rows after the header; empty lines are passed over.

    Raises:
        AgentError: a row has another number of fields than the header, or no readable time; names file and line.
    """
    decimal_comma = layout.delimiter != ","
    for number, fields in enumerate(csv.reader(lines, delimiter=layout.delimiter), start=2):
        if not fields:
            continue
        if len(fields) != len(layout.columns):
            raise AgentError(
                f"{layout.name}:{number}: {len(fields)} fields, the header has {len(layout.columns)}",
                hint="repair or remove the line",
            )
        try:
            t_us = _time_us(fields[layout.time_column].strip(), layout.zone)
        except (ValueError, OverflowError) as error:
            raise AgentError(
                f"{layout.name}:{number}: the time cannot be read",
                field=layout.columns[layout.time_column],
                value=fields[layout.time_column],
                hint="write 2026-01-31 06:00:00, with a zone or with --time-zone",
            ) from error
        values: dict[str, float] = {}
        unusable = 0
        for index, (column, text) in enumerate(zip(layout.columns, fields, strict=True)):
            if index == layout.time_column or not text.strip():
                continue
            value = _number(text.strip(), decimal_comma=decimal_comma)
            if value is None:
                unusable += 1
            else:
                values[column] = value
        yield Row(t_us, values, unusable)


def topic_for(topics: Sequence[ChannelTopic], columns: Sequence[str], asset: str | None = None) -> ChannelTopic:
    """The configured topic that takes most of a recording's columns.

    Args:
        topics: the agent's `[[mqtt.readings]]`.
        columns: the recording's header.
        asset: only topics of this asset, when given.

    Raises:
        AgentError: no topic takes any column.
    """
    plain = [topic for topic in topics if topic.channels and topic.format == "json"]  # what a replay publishes
    candidates = [topic for topic in plain if asset in {None, topic.asset}]
    taken = [len(set(topic.channels) & set(columns) - LABELS) for topic in candidates]
    if not taken or not max(taken):
        raise AgentError(
            "no [[mqtt.readings]] of the agent takes a column of this recording",
            field="columns",
            value=", ".join(columns),
            hint='map its columns, for example channels = { "Volume Flow RateRMS" = "L/min" }',
        )
    return candidates[taken.index(max(taken))]


def publishable(topic_filter: str) -> str:
    """A topic that falls under a filter: wildcards become a level of their own.

    >>> publishable("plant/+/signals/#")
    'plant/replay/signals/replay'
    """
    return "/".join(_WILDCARD_LEVEL if level in {"+", "#"} else level for level in topic_filter.split("/"))


def unique_names(paths: Sequence[str]) -> dict[str, str]:
    """A file name for each relative path, without its folders; folders are put before the name where names collide.

    >>> unique_names(["good/a.png", "bad/a.png", "bad/b.png"])
    {'good/a.png': 'good-a.png', 'bad/a.png': 'bad-a.png', 'bad/b.png': 'b.png'}
    """
    stems = Counter(_stem(path) for path in paths)
    names = {path: path.rsplit("/", 1)[-1] if stems[_stem(path)] == 1 else path.replace("/", "-") for path in paths}
    taken: set[str] = set()
    for path in paths:
        name, number = names[path], 1
        while name in taken:
            number += 1
            stem, dot, suffix = names[path].rpartition(".")
            name = f"{stem}-{number}{dot}{suffix}"
        names[path] = name
        taken.add(name)
    return names


class Pace(msgspec.Struct, frozen=True):
    """How fast a recording is replayed: `per_s` rows a second, as recorded (`real`), or as fast as it goes (`max`)."""

    kind: Literal["rate", "real", "max"]
    per_s: float = 0.0

    def due_s(self, index: int, elapsed_us: int) -> float:
        """Seconds after the start at which a row is sent.

        >>> Pace("rate", 10.0).due_s(25, 0), Pace("real").due_s(25, 1_500_000), Pace("max").due_s(25, 9)
        (2.5, 1.5, 0.0)
        """
        if self.kind == "real":
            return elapsed_us / MICROSECONDS_PER_SECOND
        return index / self.per_s if self.kind == "rate" else 0.0


def parse_pace(text: str) -> Pace:
    """Read `real`, `max` or a number of rows a second.

    Raises:
        AgentError: none of these.

    >>> parse_pace("2.5")
    Pace(kind='rate', per_s=2.5)
    """
    if text == "real":
        return Pace("real")
    if text == "max":
        return Pace("max")
    per_s = _number(text, decimal_comma=False)
    if per_s is None or per_s <= 0:
        raise AgentError("not a rate", field="rate", value=text, hint="give rows a second, such as 100, or max or real")
    return Pace("rate", per_s)


@dataclass(slots=True)
class Track:
    """One recording on its way to one topic; numbers its messages."""

    source: str
    topic: ChannelTopic
    rows: Iterator[Row]
    epoch: str = ""
    sent: int = 0
    columns: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Label columns never leave, even where the topic maps them."""
        self.columns = frozenset(self.topic.channels) - LABELS


class Outgoing(msgspec.Struct, frozen=True):
    """One message of a replay.

    Attributes:
        elapsed_us: recorded time since the first row, long pauses shortened.
        topic: where it goes; empty when the row had nothing to send.
        payload: JSON object with `ts`, `seq`, `epoch`, `source` and the channels.
        stamp_us: the time it bears.
        unusable: fields of the row that were no numbers.
    """

    elapsed_us: int
    topic: str
    payload: bytes
    stamp_us: int
    unusable: int


def messages(tracks: Sequence[Track], begin_us: int | None) -> Iterator[Outgoing]:
    """The messages of all tracks in the order of their times, as their publishers would have sent them together.

    Args:
        tracks: recordings, each in time order.
        begin_us: stamp of the first row, the others at their recorded distance; None keeps the recorded times.
    """
    merged = heapq.merge(*(_numbered(track) for track in tracks), key=lambda item: item[0].t_us)
    clock = _Elapsed()
    for row, track in merged:
        elapsed_us = clock.at(row)
        stamp_us = row.t_us if begin_us is None else begin_us + elapsed_us
        values = {name: value for name, value in row.values.items() if name in track.columns}
        if not values:
            yield Outgoing(elapsed_us, "", b"", stamp_us, row.unusable)
            continue
        ts = from_us(stamp_us).isoformat()
        track.epoch = track.epoch or f"{track.source} {ts}"
        head = {"ts": ts, "seq": track.sent, "epoch": track.epoch, "source": track.source}
        track.sent += 1
        payload = msgspec.json.encode({**head, **values})
        yield Outgoing(elapsed_us, publishable(track.topic.filter), payload, stamp_us, row.unusable)


def lead_us(recordings: Sequence[Iterable[Row]], pace: Pace) -> int:
    """How far stamps that begin at the present would run ahead of the clock at a pace: 0 at the recorded one or slower.

    Args:
        recordings: the rows that are played together, each recording in time order.
        pace: when each row is sent.

    >>> lead_us([[Row(0, {}), Row(10_000_000, {}), Row(11_000_000, {})]], Pace("rate", 2.0))
    10000000
    """
    clock = _Elapsed()
    lead = 0.0
    for index, row in enumerate(heapq.merge(*recordings, key=lambda row: row.t_us)):
        elapsed_us = clock.at(row)
        lead = max(lead, elapsed_us - pace.due_s(index, elapsed_us) * MICROSECONDS_PER_SECOND)
    return math.ceil(lead)


class _Elapsed:
    """Recorded time since the first row, long pauses shortened."""

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._elapsed_us = 0

    def at(self, row: Row) -> int:
        """Elapsed time of the next row, microseconds."""
        if self._last_us is not None:
            self._elapsed_us += min(max(row.t_us - self._last_us, 0), _LONGEST_PAUSE_US)
        self._last_us = row.t_us
        return self._elapsed_us


def _numbered(track: Track) -> Iterator[tuple[Row, Track]]:
    for row in track.rows:
        yield row, track


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _number(text: str, *, decimal_comma: bool) -> float | None:
    try:
        value = float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _time_us(text: str, zone: tzinfo) -> int:
    number = _number(text, decimal_comma=False)
    if len(text) == len(_COMPACT) and text.isdigit() and text[:2] in {"19", "20"}:
        moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    elif number is not None and number >= _EARLIEST_NUMBER:
        factor = next(factor for bound, factor in _US_PER_UNIT if number < bound)
        return round(number * factor)
    else:
        moment = datetime.fromisoformat(text)
    return to_us(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
