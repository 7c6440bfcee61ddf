"""The event contract: every fact the agent records, versioned and published to whoever reads the event feed.

An event is something that happened, with a key that names the *effect*: the same effect delivered twice has the
same key and is stored once. Bodies are a tagged union on `kind`; the wire form is one JSON object a line:

    {"schema": "lineproof.event/1", "seq": 7, "recorded_at": "...", "boot_id": "...", "mono_ns": 1,
     "event": {"key": "...", "line": "press-1", "occurred_at": "...", "origin": "measured",
               "body": {"kind": "inspection", ...}}}

Readers must ignore body fields they do not know; a change that breaks a reader changes the schema name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from edge_agent.human_events import (
    AlarmOutcome,
    AuditCount,
    AuditDraw,
    Disposition,
    EventBody,
    EvidencePin,
    Judgement,
    RevisedStop,
    StopRevision,
)
from edge_agent.storage_events import Purge

__all__ = [
    "SCHEMA",
    "Alarm",
    "AlarmOutcome",
    "AlarmStateName",
    "AuditCount",
    "AuditDraw",
    "Body",
    "Delivered",
    "Disposition",
    "Downtime",
    "Energy",
    "Escape",
    "Event",
    "EvidencePin",
    "Gap",
    "Health",
    "Inspection",
    "Judgement",
    "Labour",
    "LatencyMs",
    "MachineState",
    "MachineStateName",
    "Mode",
    "ModeChange",
    "Origin",
    "PartIdentity",
    "ProductChange",
    "Production",
    "Purge",
    "RecordedEvent",
    "RevisedStop",
    "StopRevision",
    "Undelivered",
    "VerdictName",
    "decode_event",
    "decode_recorded",
    "encode",
    "kind_of",
]

SCHEMA = "lineproof.event/1"

Origin = Literal["measured", "imported", "simulated"]
Mode = Literal["off", "shadow", "live"]
VerdictName = Literal["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
MachineStateName = Literal["producing", "idle", "setup", "planned_stop", "unplanned_stop"]
AlarmStateName = Literal["raised", "cleared"]


class LatencyMs(msgspec.Struct, frozen=True):
    """Where a verdict's time went, in milliseconds, from capture to decision."""

    queue: float
    decode: float
    infer: float
    decide: float


class Inspection(EventBody, frozen=True, tag="inspection"):
    """One part was judged by a model.

    Attributes:
        station: inspection station that took the image.
        part_id: identity of the part, or the image's own name where parts carry none.
        product: product or recipe, empty when unknown.
        verdict: PASS, FAIL, REVIEW, or NO_VERDICT when nothing trustworthy can be said.
        reason: stable snake_case code for the verdict (`score_above_threshold`, `image_truncated`, ...).
        mode: `shadow` verdicts are recorded and not acted on.
        score: anomaly score, higher is more abnormal; None with NO_VERDICT.
        threshold: score at or above which a part fails.
        review_from: score at or above which a person looks; equal to `threshold` when there is no REVIEW band.
        model: `name@version`.
        model_digest: sha256 of the model's manifest, an attribute and never part of the key.
        image: sha256 of the stored evidence image, None when not kept.
        anomaly_map: sha256 of the stored 8-bit anomaly map, None when not kept.
        latency_ms: time spent per stage.
    """

    station: str
    part_id: str
    product: str
    verdict: VerdictName
    reason: str
    mode: Mode
    score: float | None = None
    threshold: float | None = None
    review_from: float | None = None
    model: str = ""
    model_digest: str = ""
    image: str | None = None
    anomaly_map: str | None = None
    latency_ms: LatencyMs | None = None


class MachineState(EventBody, frozen=True, tag="machine_state"):
    """A machine entered a state and holds it until the next one (ISO 22400-2 time model)."""

    asset: str
    state: MachineStateName
    reason: str = ""


class Downtime(EventBody, frozen=True, tag="downtime"):
    """A stop that has ended; `occurred_at` is its start."""

    asset: str
    ended_at: datetime
    duration_s: float
    planned: bool
    reason: str = ""


class Production(EventBody, frozen=True, tag="production"):
    """Counts of one line, product and period; `occurred_at` is the period's start. None means not measured.

    Attributes:
        product: product made.
        shift: shift label.
        ended_at: end of the period.
        produced: parts made.
        inspected: parts judged by the inspection in force.
        rejected: parts it failed.
        scrap: parts scrapped.
        rework: parts reworked.
        planned_busy_s: planned busy time of the period in seconds (ISO 22400-2 PBT).
    """

    product: str
    shift: str
    ended_at: datetime
    produced: int
    inspected: int | None = None
    rejected: int | None = None
    scrap: int | None = None
    rework: int | None = None
    planned_busy_s: float | None = None


class Energy(EventBody, frozen=True, tag="energy"):
    """Energy used by a line in a period that starts at `occurred_at`."""

    carrier: str
    ended_at: datetime
    kwh: float


class Labour(EventBody, frozen=True, tag="labour"):
    """Hours worked on a line in a period that starts at `occurred_at`."""

    role: str
    ended_at: datetime
    hours: float


class PartIdentity(EventBody, frozen=True, tag="part"):
    """A part entered a station: what it is, before it is judged."""

    station: str
    part_id: str
    product: str = ""


class ProductChange(EventBody, frozen=True, tag="product_change"):
    """Another product is before a station from now on; the parts after this are judged by its recipe."""

    station: str
    product: str


class Escape(EventBody, frozen=True, tag="escape"):
    """Defective parts found after they had passed, in the plant or at the customer."""

    product: str
    count: int
    found_at: str
    part_id: str = ""


class Health(EventBody, frozen=True, tag="health"):
    """A machine's health index over one window that ends at `occurred_at`.

    Attributes:
        asset: the machine.
        health: 0 (failed) to 100 (as taught); None when the window cannot be trusted.
        reason: snake_case code (`ok`, `above_limit`, `stale_channel`, `window_filling`, `model_failed`).
        statistic: the monitored statistic divided by its limit; 1.0 is the alarm limit, higher is more abnormal.
        contributions: share of the deviation by channel name, largest first, summing to at most 1.
        model: `name@version`.
        model_digest: sha256 of the model's manifest.
    """

    asset: str
    health: float | None
    reason: str
    statistic: float | None = None
    contributions: dict[str, float] = msgspec.field(default_factory=dict)
    model: str = ""
    model_digest: str = ""


class Alarm(EventBody, frozen=True, tag="alarm"):
    """An alarm changed state. Every alarm says what to do.

    Attributes:
        alarm: configured name, unique within the line.
        asset: machine concerned.
        state: raised or cleared.
        value: the value that crossed the limit.
        limit: the limit in force.
        action: what the operator shall do.
        since: when the alarm condition began (raised) or ended (cleared), before the on or off delay.
        contributions: what the value is made of, as in `Health`.
    """

    alarm: str
    asset: str
    state: AlarmStateName
    value: float
    limit: float
    action: str
    since: datetime
    contributions: dict[str, float] = msgspec.field(default_factory=dict)


class ModeChange(EventBody, frozen=True, tag="mode"):
    """A station's model started, changed, or went between off, shadow and live."""

    station: str
    mode: Mode
    model: str = ""
    model_digest: str = ""


class Gap(EventBody, frozen=True, tag="gap"):
    """Messages a publisher numbered that never arrived: `first` to `last`, both included."""

    source: str
    epoch: str
    first: int
    last: int


class Undelivered(EventBody, frozen=True, tag="undelivered"):
    """A verdict, alarm or other message was not acknowledged in time.

    Attributes:
        subject_key: key of the event that was to be delivered.
        topic: where it was to go.
        deadline_ms: the time it had.
        action: what was raised instead: `none`, `stop` or `divert`.
    """

    subject_key: str
    topic: str
    deadline_ms: float
    action: Literal["none", "stop", "divert"]


class Delivered(EventBody, frozen=True, tag="delivered_late"):
    """A message reported as undelivered reached the broker after all."""

    subject_key: str
    topic: str


Body = (
    Inspection
    | Disposition
    | AuditCount
    | MachineState
    | Downtime
    | Production
    | Energy
    | Labour
    | PartIdentity
    | ProductChange
    | Escape
    | Health
    | Alarm
    | ModeChange
    | Gap
    | Undelivered
    | Delivered
    | AuditDraw
    | StopRevision
    | AlarmOutcome
    | EvidencePin
    | Purge
)


class Event(msgspec.Struct, frozen=True):
    """Something that happened on a line.

    Attributes:
        key: names the effect; two events with one key are one effect.
        line: production line.
        occurred_at: when it happened, aware UTC.
        body: what happened.
        origin: `simulated` facts stay labelled so in every figure made of them.
    """

    key: str
    line: str
    occurred_at: datetime
    body: Body
    origin: Origin = "measured"

    @property
    def kind(self) -> str:
        """The body's tag, as on the wire."""
        return kind_of(self.body)


class RecordedEvent(msgspec.Struct, frozen=True):
    """An event after its commit: `seq` orders the feed, strictly increasing; numbers may be skipped."""

    seq: int
    recorded_at: datetime
    boot_id: str
    mono_ns: int
    event: Event
    schema: str = SCHEMA


_encoder = msgspec.json.Encoder()
_event_decoder = msgspec.json.Decoder(Event)
_recorded_decoder = msgspec.json.Decoder(RecordedEvent)


def kind_of(body: Body | type[Body]) -> str:
    """The tag of a body or body class.

    >>> kind_of(Energy)
    'energy'
    """
    return str(body.__struct_config__.tag)


def encode(event: Event | RecordedEvent) -> bytes:
    """One line of JSON, without the line feed."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> Event:
    """Read an `Event`; raises `msgspec.ValidationError` naming the field when it breaks the contract."""
    return _event_decoder.decode(data)


def decode_recorded(data: bytes) -> RecordedEvent:
    """Read a `RecordedEvent` line of the feed or of an export.

    Raises:
        msgspec.DecodeError: not JSON, or (`msgspec.ValidationError`) a broken contract, naming the field.
        ValueError: a schema this version does not know.
    """
    recorded = _recorded_decoder.decode(data)
    if recorded.schema != SCHEMA:
        message = f"schema {recorded.schema!r} is not {SCHEMA!r}; update lineproof or export again"
        raise ValueError(message)
    return recorded
