"""`edge-agent replay`: recorded data goes in as a plant's would, rows over MQTT and images into the watched folder."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_agent.adapters.replay_source import RecordedReadings, ReplayPublisher, images_below, put_image
from edge_agent.errors import AgentError
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us
from edge_agent.recordings import Pace, Track, lead_us, messages, parse_pace, topic_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from edge_agent.recordings import Outgoing
    from edge_agent.settings.config import Settings, StationSettings
    from edge_agent.settings.mqtt import MqttSourceSettings

AS_RECORDED = Pace("real")
REAL_IMAGES_PER_S = 1.0
"""Images carry no time worth keeping, so at the rate `real` they come at this takt."""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What is replayed, and how.

    Attributes:
        settings: of the agent that shall take it in: its broker, topics and watched folders.
        readings: CSV files, a time column and one column a sensor; played together, in the order of their times.
        images: folder of images, or None.
        station: the station whose folder gets the images; None where there is only one.
        asset: the asset whose topic takes the readings; None: whichever topic takes most of a file's columns.
        pace: rows (and images) a second, as recorded, or as fast as they are taken.
        restamp: `keep` the recorded times, or move them to `now` and keep the distances: the first row bears the
            present time; at paces above the recorded one the rows end there, because no plant stamps the future.
        zone: time zone of recorded times that name none.
        shuffle: seed of the order of images; None: by name.
    """

    settings: Settings
    readings: tuple[Path, ...] = ()
    images: Path | None = None
    station: str | None = None
    asset: str | None = None
    pace: Pace = AS_RECORDED
    restamp: Literal["keep", "now"] = "now"
    zone: tzinfo = UTC
    shuffle: int | None = None

    @classmethod
    def parse(  # noqa: PLR0913 - each is an option of the command line
        cls,
        settings: Settings,
        readings: Sequence[Path],
        images: Path | None,
        *,
        station: str | None = None,
        asset: str | None = None,
        rate: str = "real",
        restamp: str = "now",
        time_zone: str = "UTC",
        shuffle: int | None = None,
    ) -> Self:
        """Make a plan of what stands on the command line.

        Raises:
            AgentError: nothing to replay, or an option that makes no sense.
        """
        if not readings and images is None:
            raise AgentError("nothing to replay", field="readings", hint="give --readings FILE... or --images DIR")
        try:
            zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise AgentError(
                "not a time zone", field="time-zone", value=time_zone, hint="write an IANA name such as Asia/Seoul"
            ) from error
        if restamp not in {"keep", "now"}:
            raise AgentError("not a way to stamp", field="restamp", value=restamp, hint="write keep or now")
        return cls(
            settings,
            tuple(readings),
            images,
            station,
            asset,
            parse_pace(rate),
            "keep" if restamp == "keep" else "now",
            zone,
            shuffle,
        )


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """What a replay did.

    Attributes:
        rows: rows read.
        published, acknowledged: messages sent, and taken by the broker.
        refused: messages that the broker refused, for example because the account may not write to the topic.
        empty_rows: rows without a value for any mapped channel; nothing was sent for them.
        unusable_values: fields that are no finite number, left out.
        columns_left_out: columns that no channel maps, labels included.
        images: images put into the watched folder.
        seconds: how long it took.
    """

    rows: int
    published: int
    acknowledged: int
    refused: int
    empty_rows: int
    unusable_values: int
    columns_left_out: tuple[str, ...]
    images: int
    seconds: float

    def __str__(self) -> str:
        """One line for people, with all that was left out."""
        parts = (
            [f"{self.rows} rows, {self.acknowledged} of {self.published} messages acknowledged"] if self.rows else []
        )
        parts += [f"{self.images} images"] if self.images else []
        parts += [f"{self.refused} messages REFUSED by the broker"] if self.refused else []
        parts += [f"{self.empty_rows} rows without a mapped value"] if self.empty_rows else []
        parts += [f"{self.unusable_values} values that are no numbers"] if self.unusable_values else []
        parts += [f"columns left out: {', '.join(self.columns_left_out)}"] if self.columns_left_out else []
        return f"{'; '.join(parts)}; {self.seconds:.1f} s"


def replay(plan: ReplayPlan, progress: Callable[[int, int], None] | None = None) -> ReplaySummary:
    """Replay until everything is acknowledged and every image is in its folder.

    Args:
        plan: what and how.
        progress: called with rows and images done, and all there are.

    Raises:
        UnreachableError: the broker is away.
        AgentError: a file or a mapping that makes no sense; found before anything is sent, but for rows within a file.
    """
    began_s = time.monotonic()
    run = _Run(plan, progress)
    with ThreadPoolExecutor(1, "replay-images") as beside:
        placing = beside.submit(run.place_images)
        try:
            run.publish_readings()
        except BaseException:
            run.ended.set()
            raise
        images = placing.result()
    return run.summary(images, time.monotonic() - began_s)


class _Run:
    """One replay under way. Everything that can be wrong before the first message is found when it is made."""

    def __init__(self, plan: ReplayPlan, progress: Callable[[int, int], None] | None) -> None:
        self._plan = plan
        self._progress = progress
        self._images = list(images_below(plan.images).items()) if plan.images is not None else []
        if plan.shuffle is not None:
            random.Random(plan.shuffle).shuffle(self._images)  # noqa: S311 - an order, not a secret
        self._folder = _watched_folder(plan) if self._images else Path()
        recordings = [RecordedReadings(path, plan.zone) for path in plan.readings]
        self._tracks = [self._track(recording) for recording in recordings]
        self._begin_us = _begin_us(recordings, plan.pace) if plan.restamp == "now" else None
        for recording in recordings:
            _refuse_what_would_be_quarantined(recording, self._begin_us, plan.settings.mqtt)
        self._total = len(self._images) + sum(recording.row_count for recording in recordings)
        self._done = 0
        self._done_lock = threading.Lock()
        self._left_out = sorted(
            {
                column
                for recording, track in zip(recordings, self._tracks, strict=True)
                for index, column in enumerate(recording.layout.columns)
                if index != recording.layout.time_column and column not in track.columns
            }
        )
        self._rows = self._empty = self._unusable = self._published = self._acknowledged = self._refused = 0
        self.ended = threading.Event()

    def _track(self, recording: RecordedReadings) -> Track:
        topics = self._plan.settings.mqtt.readings
        topic = topic_for(topics, recording.layout.columns, self._plan.asset)
        return Track(recording.path.stem, topic, recording.rows())

    def place_images(self) -> int:
        """Put the images into the watched folder at their pace; returns how many."""
        pace = self._plan.pace if self._plan.pace.kind != "real" else Pace("rate", REAL_IMAGES_PER_S)
        began_s = time.monotonic()
        for index, (path, name) in enumerate(self._images):
            if self.ended.wait(max(0.0, began_s + pace.due_s(index, 0) - time.monotonic())):
                return index
            put_image(path, self._folder, name)
            self._advance()
        return len(self._images)

    def publish_readings(self) -> None:
        """Publish all rows at their pace and wait for the broker's acknowledgements."""
        if not self._tracks:
            return
        agent = self._plan.settings.agent.name
        with ReplayPublisher(self._plan.settings.broker, f"{agent}-replay-{time.time_ns():x}") as publisher:
            began_s = time.monotonic()
            try:
                for index, message in enumerate(messages(self._tracks, self._begin_us)):
                    due_s = began_s + self._plan.pace.due_s(index, message.elapsed_us)
                    self.ended.wait(max(0.0, due_s - time.monotonic()))
                    self._send(publisher, message)
                publisher.drain()
            finally:
                self._published, self._acknowledged = publisher.published, publisher.acknowledged
                self._refused = len(publisher.refused)

    def _send(self, publisher: ReplayPublisher, message: Outgoing) -> None:
        self._rows += 1
        self._unusable += message.unusable
        if message.topic:
            publisher.publish(message.topic, message.payload)
        else:
            self._empty += 1
        self._advance()

    def _advance(self) -> None:
        with self._done_lock:
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)

    def summary(self, images: int, seconds: float) -> ReplaySummary:
        """What was done."""
        return ReplaySummary(
            rows=self._rows,
            published=self._published,
            acknowledged=self._acknowledged,
            refused=self._refused,
            empty_rows=self._empty,
            unusable_values=self._unusable,
            columns_left_out=tuple(self._left_out),
            images=images,
            seconds=seconds,
        )


def _watched_folder(plan: ReplayPlan) -> Path:
    station = _station(plan)
    if station.folder is None:
        raise AgentError(
            "the station watches no folder",
            field="station",
            value=station.name,
            hint="replay images into a station with a [stations.folder] section",
        )
    return Path(station.folder.path)


def _station(plan: ReplayPlan) -> StationSettings:
    stations = {station.name: station for station in plan.settings.stations}
    if plan.station is None and len(stations) == 1:
        return next(iter(stations.values()))
    if plan.station in stations:
        return stations[plan.station]
    raise AgentError(
        "which station gets the images?",
        field="station",
        value=plan.station,
        hint=f"give --station with one of: {', '.join(stations) or '(the configuration has none)'}",
    )


def _begin_us(recordings: Sequence[RecordedReadings], pace: Pace) -> int:
    """The stamp of the first row, such that no row bears a later time than that at which it is sent."""
    now_us = time.time_ns() // 1_000
    if pace.kind == "real":
        return now_us
    return now_us - lead_us([recording.rows() for recording in recordings], pace)


def _refuse_what_would_be_quarantined(
    recording: RecordedReadings, begin_us: int | None, limits: MqttSourceSettings
) -> None:
    """Compare the first stamp, restamped or recorded, with what the agent takes."""
    first_us = recording.first_us()
    if first_us is None:
        return
    stamp_us = first_us if begin_us is None else begin_us
    behind_s = time.time_ns() / 1e3 / MICROSECONDS_PER_SECOND - stamp_us / MICROSECONDS_PER_SECOND
    field, limit_s = (
        ("max_clock_skew_s", limits.max_clock_skew_s) if behind_s > 0 else ("max_future_s", limits.max_future_s)
    )
    if abs(behind_s) <= limit_s:
        return
    setting = f"set {field} = {2 * abs(behind_s):.0f} in the agent's configuration"
    begins = f"{recording.layout.name} begins at {from_us(stamp_us).isoformat()}"
    if begin_us is not None:
        begins += ", where the rate of this replay puts it"
    raise AgentError(
        f"{begins}, further from now than the agent takes",
        field=f"mqtt.{field}",
        value=limit_s,
        hint=f"replay with --restamp now, or {setting}" if begin_us is None else f"replay at --rate real, or {setting}",
    )
