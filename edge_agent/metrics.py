"""Every figure the agent exposes to Prometheus, in one table, and the typed methods that move them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from edge_agent.events import Alarm, Health, Inspection, Undelivered
from edge_agent.readings import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.ports import Committed
    from edge_agent.readings import Reading
    from edge_agent.system_state import InterlockName, SystemState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
STAGES = ("queue", "decode", "infer", "decide", "commit", "publish")

_STAGE_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""From a tenth of the fastest decode to five times the default delivery deadline of two seconds."""

_INTERLOCK_LEVEL: dict[InterlockName, int] = {"run": 0, "divert": 1, "stop": 2}

MetricKind = Literal["counter", "gauge", "histogram"]


class MetricSpec(msgspec.Struct, frozen=True):
    """One metric: its full name (counters end in `_total`), kind, labels and meaning."""

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        "lineproof_stage_seconds",
        "histogram",
        "Time per stage: queue, decode, infer, decide for each image; commit for each transaction; publish from "
        "hand-over to the broker's acknowledgement.",
        ("stage",),
    ),
    MetricSpec("lineproof_messages_received_total", "counter", "Messages and images taken from a source.", ("source",)),
    MetricSpec("lineproof_reconnects_total", "counter", "Connections of a link after its first.", ("link",)),
    MetricSpec(
        "lineproof_quarantined_total", "counter", "Messages that could not be understood, by reason code.", ("reason",)
    ),
    MetricSpec(
        "lineproof_rebirths_asked_total", "counter", "Requests to Sparkplug edge nodes for their births.", ("node",)
    ),
    MetricSpec(
        "lineproof_image_views_total",
        "counter",
        "Images of stations with reduced decode, by the view whose score holds: `reduced` or `full`.",
        ("station", "view"),
    ),
    MetricSpec(
        "lineproof_image_refusals_total",
        "counter",
        "Images refused before scoring; each part got NO_VERDICT.",
        ("station", "reason"),
    ),
    MetricSpec(
        "lineproof_camera_frames_total",
        "counter",
        "Frames by what became of them: usable; starting, late or repeated, which are never judged; dropped.",
        ("station", "fate"),
    ),
    MetricSpec("lineproof_camera_faults_total", "counter", "Camera connections given up.", ("station", "reason")),
    MetricSpec("lineproof_commits_total", "counter", "Durable transactions."),
    MetricSpec("lineproof_events_total", "counter", "New events committed, by kind.", ("kind",)),
    MetricSpec(
        "lineproof_duplicates_total", "counter", "Events and readings delivered again and stored once.", ("what",)
    ),
    MetricSpec("lineproof_verdicts_total", "counter", "Verdicts committed.", ("line", "station", "verdict")),
    MetricSpec("lineproof_alarm_changes_total", "counter", "Alarms raised and cleared.", ("line", "alarm", "state")),
    MetricSpec("lineproof_undelivered_total", "counter", "Messages not acknowledged by their deadline.", ("line",)),
    MetricSpec("lineproof_alarms_active", "gauge", "Alarms raised now.", ("line",)),
    MetricSpec(
        "lineproof_undelivered_now", "gauge", "Messages past their deadline and still not acknowledged.", ("line",)
    ),
    MetricSpec("lineproof_health", "gauge", "Machine health, 0 to 100; NaN while it is not known.", ("line", "asset")),
    MetricSpec(
        "lineproof_signal",
        "gauge",
        "Newest figure derived of a waveform; NaN while its blocks do not give it.",
        ("line", "asset", "channel"),
    ),
    MetricSpec("lineproof_link_up", "gauge", "1 while a source or sink is alive, 0 otherwise.", ("link",)),
    MetricSpec(
        "lineproof_fast_lane", "gauge", "1 while messages take the fast lane; 0: unknown paho-mqtt, slower and as safe."
    ),
    MetricSpec(
        "lineproof_interlock", "gauge", "What the line's controller is told: 0 run, 1 divert, 2 stop.", ("line",)
    ),
    MetricSpec(
        "lineproof_station_ready", "gauge", "1 while a station judges without a known problem.", ("line", "station")
    ),
    MetricSpec("lineproof_images_waiting", "gauge", "Images waiting for a station's model.", ("line", "station")),
    MetricSpec("lineproof_messages_waiting", "gauge", "Messages waiting for the writer."),
    MetricSpec("lineproof_last_message_age_seconds", "gauge", "Since the broker's last message; NaN before the first."),
    MetricSpec("lineproof_outbox_pending", "gauge", "Messages stored and not acknowledged by the broker yet."),
    MetricSpec(
        "lineproof_missing_messages", "gauge", "Messages that publishers numbered and that never arrived, all time."
    ),
    MetricSpec("lineproof_store_events", "gauge", "Events in the store."),
    MetricSpec("lineproof_store_readings", "gauge", "Readings in the store."),
    MetricSpec("lineproof_store_quarantined", "gauge", "Quarantined messages in the store."),
    MetricSpec("lineproof_store_bytes", "gauge", "Size of the store on disk, bytes."),
    MetricSpec(
        "lineproof_purged_total", "counter", "Images and days of readings removed, and why.", ("what", "reason")
    ),
    MetricSpec("lineproof_purged_bytes_total", "counter", "Room given back by removals, bytes.", ("what",)),
    MetricSpec(
        "lineproof_purge_held",
        "gauge",
        "1 while nothing is removed by age: the clock jumped, or a pass would have taken more than its share.",
        ("reason",),
    ),
    MetricSpec("lineproof_disk_free_bytes", "gauge", "Room left for the agent's data, bytes."),
    MetricSpec("lineproof_images_bytes", "gauge", "Size of all evidence images, bytes."),
    MetricSpec("lineproof_images_stopped", "gauge", "1 while no image is kept because the disk is nearly full."),
    MetricSpec("lineproof_ballast", "gauge", "1 while the ballast is there, 0 once it was given up for facts."),
    MetricSpec("lineproof_agent_problem", "gauge", "1 while commits fail or a loop of the agent stands still."),
    MetricSpec("lineproof_uptime_seconds", "gauge", "Since the process started."),
    MetricSpec(
        "lineproof_reloads_total",
        "counter",
        "Reloads of the settings: taken, partly (a restart is needed), refused.",
        ("result",),
    ),
    MetricSpec(
        "lineproof_settings_in_force", "gauge", "0 while the file's newest settings are refused or wait for a restart."
    ),
    MetricSpec("lineproof_build_info", "gauge", "Always 1; names the agent and its version.", ("agent", "version")),
)


class Metrics:
    """The agent's metrics on a registry of their own. Every method may be called from any thread and is quick.

    >>> metrics = Metrics()
    >>> metrics.messages("mqtt", 3)
    >>> b'lineproof_messages_received_total{source="mqtt"} 3.0' in metrics.render()
    True
    """

    def __init__(self) -> None:
        # creation times double the series and no rule of ours reads them
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library leaves it untyped
        self.registry = CollectorRegistry(auto_describe=False)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        for spec in METRICS:
            if spec.kind == "counter":
                self._counters[spec.name] = Counter(spec.name, spec.meaning, spec.labels, registry=self.registry)
            elif spec.kind == "gauge":
                self._gauges[spec.name] = Gauge(spec.name, spec.meaning, spec.labels, registry=self.registry)
        stage = METRICS[0]
        self._stages = Histogram(
            stage.name, stage.meaning, stage.labels, buckets=_STAGE_BUCKETS_S, registry=self.registry
        )
        for name in STAGES:
            self._stages.labels(name)  # a stage that has not run yet shows as zero, not as absent

    # ---- as things happen ---------------------------------------------------------------------------------------

    def stage(self, stage: str, seconds: float) -> None:
        """A stage of the route took this long."""
        self._stages.labels(stage).observe(seconds)

    def published(self, seconds: float) -> None:
        """A message was acknowledged this long after its hand-over."""
        self.stage("publish", seconds)

    def messages(self, source: str, n: int) -> None:
        """A source delivered `n` messages."""
        self._add("lineproof_messages_received_total", (source,), n)

    def reconnected(self, link: str) -> None:
        """A link came back after it was lost."""
        self._add("lineproof_reconnects_total", (link,))

    def quarantined(self, reason: str) -> None:
        """A message was quarantined."""
        self._add("lineproof_quarantined_total", (reason,))

    def rebirth_asked(self, node: str) -> None:
        """A Sparkplug edge node (`group/node`) was asked for its births."""
        self._add("lineproof_rebirths_asked_total", (node,))

    def image_refused(self, station: str, reason: str) -> None:
        """An image was refused and its part got NO_VERDICT."""
        self._add("lineproof_image_refusals_total", (station, reason))

    def image_view(self, station: str, view: str) -> None:
        """An image was judged from its reduced or its full picture."""
        self._add("lineproof_image_views_total", (station, view))

    def camera_frame(self, station: str, fate: str) -> None:
        """A camera delivered a frame."""
        self._add("lineproof_camera_frames_total", (station, fate))

    def camera_fault(self, station: str, reason: str) -> None:
        """A camera's connection ended or was given up."""
        self._add("lineproof_camera_faults_total", (station, reason))

    def verdict(self, line: str, station: str, verdict: str) -> None:
        """A verdict became durable; `committed` calls this."""
        self._add("lineproof_verdicts_total", (line, station, verdict))

    def undelivered(self, line: str) -> None:
        """A message missed its deadline; `committed` calls this."""
        self._add("lineproof_undelivered_total", (line,))

    def committed(self, committed: Committed, seconds: float) -> None:
        """A transaction became durable: counts all that it added, verdicts and missed deadlines included."""
        self.stage("commit", seconds)
        self._add("lineproof_commits_total")
        if committed.duplicate_events:
            self._add("lineproof_duplicates_total", ("event",), committed.duplicate_events)
        if committed.duplicate_readings:
            self._add("lineproof_duplicates_total", ("reading",), committed.duplicate_readings)
        for recorded in committed.events:
            event = recorded.event
            self._add("lineproof_events_total", (event.kind,))
            match event.body:
                case Inspection(station=station, verdict=verdict):
                    self.verdict(event.line, station, verdict)
                case Alarm(alarm=alarm, state=state):
                    self._add("lineproof_alarm_changes_total", (event.line, alarm, state))
                case Health(asset=asset, health=health):
                    self.health(event.line, asset, health)
                case Undelivered():
                    self.undelivered(event.line)
                case _:
                    pass

    # ---- states -------------------------------------------------------------------------------------------------

    def health(self, line: str, asset: str, health: float | None) -> None:
        """A machine's health is now this, None for not known."""
        self._set("lineproof_health", math.nan if health is None else health, (line, asset))

    def signals(self, readings: Sequence[Reading]) -> None:
        """Figures of a block of a waveform became durable."""
        for reading in readings:
            channel = reading.channel
            value = reading.value if reading.quality < Quality.BAD else math.nan
            self._set("lineproof_signal", value, (channel.line, channel.asset, channel.name))

    def fast_lane(self, *, is_open: bool) -> None:
        """Messages are read by the fast client, or by the plain one because paho's version is not known."""
        self._set("lineproof_fast_lane", float(is_open))

    def reloaded(self, result: str) -> None:
        """The settings were reloaded: `taken`, `partly` or `refused`."""
        self._add("lineproof_reloads_total", (result,))

    def line_counts(self, line: str, *, alarms_active: int, undelivered_now: int) -> None:
        """What stands open on a line now."""
        self._set("lineproof_alarms_active", alarms_active, (line,))
        self._set("lineproof_undelivered_now", undelivered_now, (line,))

    def purged(self, what: str, reason: str, count: int, size_bytes: int) -> None:
        """So much of what is kept for a time was removed."""
        self._add("lineproof_purged_total", (what, reason), count)
        self._add("lineproof_purged_bytes_total", (what,), size_bytes)

    def purge_held(self, reason: str, *, holds: bool) -> None:
        """Nothing is removed by age at present, for this reason, or not for it."""
        self._set("lineproof_purge_held", float(holds), (reason,))

    def room(self, *, free_bytes: int, images_bytes: int, images_stopped: bool, ballast: bool) -> None:
        """What the disk has left, and what was done about it."""
        self._set("lineproof_disk_free_bytes", free_bytes)
        self._set("lineproof_images_bytes", images_bytes)
        self._set("lineproof_images_stopped", float(images_stopped))
        self._set("lineproof_ballast", float(ballast))

    def collect_state(self, state: SystemState) -> None:
        """Take over the agent's condition; called at every scrape."""
        for link in state.links:
            self._set("lineproof_link_up", float(link.alive), (link.name,))
        for interlock in state.interlocks:
            self._set("lineproof_interlock", _INTERLOCK_LEVEL[interlock.state], (interlock.line,))
        for station in state.stations:
            self._set("lineproof_station_ready", float(not station.problem), (station.line, station.name))
            self._set("lineproof_images_waiting", station.waiting, (station.line, station.name))
        age_s = math.nan if state.last_message_age_s is None else state.last_message_age_s
        plain: Sequence[tuple[str, float]] = (
            ("lineproof_messages_waiting", state.waiting_messages),
            ("lineproof_last_message_age_seconds", age_s),
            ("lineproof_outbox_pending", state.store.outbox_pending),
            ("lineproof_missing_messages", state.store.missing_messages),
            ("lineproof_store_events", state.store.events),
            ("lineproof_store_readings", state.store.readings),
            ("lineproof_store_quarantined", state.store.quarantined),
            ("lineproof_store_bytes", state.store.size_bytes),
            ("lineproof_agent_problem", float(bool(state.problem))),
            ("lineproof_uptime_seconds", state.uptime_s),
            ("lineproof_settings_in_force", float(not state.reload.refused and not state.reload.waiting)),
        )
        for name, value in plain:
            self._set(name, value)
        self._set("lineproof_build_info", 1, (state.agent, state.version))

    def render(self) -> bytes:
        """All metrics in the Prometheus text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)

    def _add(self, name: str, labels: tuple[str, ...] = (), amount: float = 1) -> None:
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def _set(self, name: str, value: float, labels: tuple[str, ...] = ()) -> None:
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)
