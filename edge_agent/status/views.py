"""What the status page says, ready to print: from a line's snapshot and the agent's condition to words (pure).

Templates only place what stands here; every sentence, number and time is made in this file or `review_view.py`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import VerdictName
from edge_agent.instant import to_us
from edge_agent.settings.capture import USUAL_REASONS
from edge_agent.status.line_state import StateName, line_state
from edge_agent.status.sparkline import Sparkline, sparkline
from edge_agent.status.words import reason_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.settings.capture import StopReasonSettings
    from edge_agent.status.line_state import LineState
    from edge_agent.status.snapshot import AssetHealth, Inspected, LineSnapshot
    from edge_agent.status.words import Words
    from edge_agent.system_state import SystemState


class Stamp(msgspec.Struct, frozen=True):
    """A moment: milliseconds since the epoch for the ticking age, and its words at the plant."""

    ms: int
    clock: str
    age: str


class Band(msgspec.Struct, frozen=True):
    """The big state."""

    state: StateName
    word: str
    reason: str


class Picture(msgspec.Struct, frozen=True):
    """An inspected part: its verdict in words and where its pictures are.

    Attributes:
        preview, overlay: addresses of the picture and of the picture with its anomaly, None where there is none.
        original: address of the image as it was taken, None when it was not kept.
        missing: why there is no preview, empty when there is one.
    """

    key: str
    verdict: VerdictName
    word: str
    reason: str
    at: Stamp
    part: str
    station: str
    product: str
    score: str
    threshold: str
    model: str
    time_taken: str
    preview: str | None
    overlay: str | None
    original: str | None
    missing: str
    simulated: bool
    shadow: bool


class Count(msgspec.Struct, frozen=True):
    """One counted thing."""

    name: str
    label: str
    value: str


class Sensor(msgspec.Struct, frozen=True):
    """One sensor's share of the deviation, 0 to 100, and in words."""

    name: str
    share_pct: float
    text: str


class HealthCard(msgspec.Struct, frozen=True):
    """One watched machine.

    Attributes:
        level: 0 to 100, None while not known.
        alarmed: the deviation is above its limit.
    """

    asset: str
    level: float | None
    value: str
    spoken: str
    alarmed: bool
    reason: str
    at: Stamp
    sensors: tuple[Sensor, ...]
    trend: Sparkline | None
    model: str


class AlarmCard(msgspec.Struct, frozen=True):
    """An active alarm with what shall be done."""

    name: str
    asset: str
    action: str
    values: str
    since: Stamp
    since_words: str


class Row(msgspec.Struct, frozen=True):
    """A name and a value; `good` is False where the value calls for attention."""

    name: str
    value: str
    note: str = ""
    good: bool = True


class LineView(msgspec.Struct, frozen=True):
    """All regions of the line page."""

    line: str
    band: Band
    picture: Picture | None
    shift: str
    counts: tuple[Count, ...]
    open_reviews: int
    health: tuple[HealthCard, ...]
    alarms: tuple[AlarmCard, ...]
    machines: tuple[Row, ...]
    last_stop: str
    stations: tuple[Row, ...]
    links: tuple[Row, ...]
    last_message: Stamp | None
    last_event: Stamp | None
    store: str
    missing: str
    quarantined: str
    quarantined_for: str
    waiting: str
    version: str
    watched_assets: int


def line_view(
    line: LineSnapshot,
    system: SystemState,
    words: Words,
    now: datetime,
    reasons: Sequence[StopReasonSettings] = USUAL_REASONS,
) -> LineView:
    """Build the line page.

    Args:
        line: the line's committed facts.
        system: the agent's condition.
        words: language and zone.
        now: present time, aware; ages are told from it.
        reasons: the plant's words for why machines stop.
    """
    heard = system.last_message_age_s
    return LineView(
        line=line.line,
        band=_band(line_state(line, system), words),
        picture=picture(line.last, words, now) if line.last is not None else None,
        shift=words("field.shift", start=words.hour(line.shift.start), end=words.hour(line.shift.end)),
        counts=_counts(line, words),
        open_reviews=line.open_reviews,
        health=tuple(_health(asset, words, now) for asset in sorted(line.health, key=_urgency)),
        alarms=_alarms(line, words, now),
        machines=_machines(line, words, now, reasons),
        last_stop=_last_stop(line, words, now, reasons),
        stations=_stations(line, system, words),
        links=(*_settings(system, words), *_links(system, words)),
        last_message=None if heard is None else stamp(now - timedelta(seconds=round(heard)), words, now),
        last_event=None if line.last_event_at is None else stamp(line.last_event_at, words, now),
        store=words(
            "field.store_value",
            events=words.count(system.store.events),
            size=words.size(system.store.size_bytes),
        ),
        missing=words.count(system.store.missing_messages),
        quarantined=words.count(system.store.quarantined),
        quarantined_for=", ".join(f"{why.reason} {words.count(why.count)}" for why in system.store.quarantine_reasons),
        waiting=words.count(system.store.outbox_pending),
        version=words("field.version", agent=system.agent, version=system.version),
        watched_assets=sum(asset.line == line.line for asset in system.assets),
    )


def stamp(moment: datetime, words: Words, now: datetime) -> Stamp:
    """A moment with its age at `now`."""
    return Stamp(to_us(moment) // 1_000, words.when(moment, now), words.age((now - moment).total_seconds()))


def picture(inspected: Inspected, words: Words, now: datetime) -> Picture:
    """An inspected part in words. A part the decoder refused shows no picture: it would be refused again."""
    body = inspected.body
    root = f"/evidence/{body.image}" if body.image is not None else None
    shown = root is not None and body.score is not None
    overlay = f"{root}/overlay?map={body.anomaly_map}" if shown and body.anomaly_map is not None else None
    missing = "" if shown else words("empty.not_kept" if root is None else "empty.no_picture")
    latency = body.latency_ms
    taken = None if latency is None else latency.queue + latency.decode + latency.infer + latency.decide
    return Picture(
        key=inspected.key,
        verdict=body.verdict,
        word=words(f"verdict.{body.verdict}"),
        reason=words.reason(body.reason),
        at=stamp(inspected.at, words, now),
        part=body.part_id,
        station=body.station,
        product=body.product,
        score="" if body.score is None else words.measure(body.score),
        threshold="" if body.threshold is None else words("field.threshold", value=words.measure(body.threshold)),
        model=body.model,
        time_taken="" if taken is None else words("field.latency", value=words.measure(taken)),
        preview=f"{root}/preview" if shown else None,
        overlay=overlay,
        original=root,
        missing=missing,
        simulated=inspected.origin == "simulated",
        shadow=body.mode == "shadow",
    )


def _band(state: LineState, words: Words) -> Band:
    detail = words.reason(state.detail_code) if state.detail_code else state.detail
    return Band(
        state.state,
        words(f"state.{state.state}"),
        words.reason(state.reason, subject=state.subject, detail=detail),
    )


def _counts(line: LineSnapshot, words: Words) -> tuple[Count, ...]:
    names = ("inspected", "rejected", "review", "no_verdict", "false_rejects", "escapes")
    return tuple(Count(name, words(f"count.{name}"), words.count(getattr(line.counts, name))) for name in names)


def _health(asset: AssetHealth, words: Words, now: datetime) -> HealthCard:
    body = asset.body
    value = "?" if body.health is None else f"{body.health:.0f}"
    return HealthCard(
        asset=body.asset,
        level=body.health,
        value=value,
        spoken=words("field.health_value", value=value),
        alarmed=body.reason == "above_limit",
        reason=words.reason(body.reason),
        at=stamp(asset.at, words, now),
        sensors=tuple(
            Sensor(name, 100 * share, words("field.sensor_share", value=f"{100 * share:.0f}"))
            for name, share in body.contributions.items()
        ),
        trend=sparkline(asset.trend),
        model=body.model,
    )


def _urgency(asset: AssetHealth) -> tuple[int, float]:
    """Machines above their limit first, then those not known, then the others; the lower health first."""
    ranks = {"above_limit": 0, "ok": 2}
    return ranks.get(asset.body.reason, 1), asset.body.health if asset.body.health is not None else 0.0


def _alarms(line: LineSnapshot, words: Words, now: datetime) -> tuple[AlarmCard, ...]:
    return tuple(
        AlarmCard(
            name=alarm.body.alarm,
            asset=alarm.body.asset,
            action=alarm.body.action,
            values=words(
                "field.value_and_limit",
                value=words.measure(alarm.body.value),
                limit=words.measure(alarm.body.limit),
            ),
            since=(since := stamp(alarm.body.since, words, now)),
            since_words=words("field.since", time=since.clock),
        )
        for alarm in line.alarms
    )


def _machines(
    line: LineSnapshot, words: Words, now: datetime, reasons: Sequence[StopReasonSettings]
) -> tuple[Row, ...]:
    return tuple(
        Row(
            name=machine.body.asset,
            value=words(f"machine.{machine.body.state}"),
            note=" ".join(
                part
                for part in (
                    machine.body.reason and reason_word(machine.body.reason, reasons, words),
                    words("field.since", time=words.when(machine.since, now)),
                )
                if part
            ),
            good=machine.body.state != "unplanned_stop",
        )
        for machine in line.machines
    )


def _last_stop(line: LineSnapshot, words: Words, now: datetime, reasons: Sequence[StopReasonSettings]) -> str:
    if line.last_stop is None:
        return ""
    body = line.last_stop.body
    kind = words("field.planned" if body.planned else "field.unplanned")
    return words(
        "field.last_stop_value",
        time=words.when(line.last_stop.started, now),
        lasted=words.duration(body.duration_s),
        kind=f"{kind}, {reason_word(body.reason, reasons, words)}" if body.reason else kind,
    )


def _settings(system: SystemState, words: Words) -> tuple[Row, ...]:
    """What became of the newest reload, where that calls for attention."""
    if system.reload.refused:
        return (Row(words("field.settings"), words("field.reload_refused"), system.reload.refused, good=False),)
    if system.reload.waiting:
        waiting = ", ".join(system.reload.waiting)
        return (Row(words("field.settings"), words("field.reload_waiting"), waiting, good=False),)
    return ()


def _stations(line: LineSnapshot, system: SystemState, words: Words) -> tuple[Row, ...]:
    watched = [
        Row(asset.name, asset.model, _on(asset.provider, words)) for asset in system.assets if asset.line == line.line
    ]
    judging = [
        Row(
            name=f"{station.name} ({words(f'mode.{station.mode}')})",
            value=" · ".join(filter(None, (station.model, station.product))),
            note=words.reason(station.problem, subject=station.name)
            if station.problem
            else _on(station.provider, words),
            good=not station.problem,
        )
        for station in system.stations
        if station.line == line.line
    ]
    return (*judging, *watched)


def _on(provider: str, words: Words) -> str:
    return words("field.provider", value=provider.removesuffix("ExecutionProvider"))


def _links(system: SystemState, words: Words) -> tuple[Row, ...]:
    return tuple(
        Row(link.name, words("field.link_up" if link.alive else "field.link_down"), link.detail, good=link.alive)
        for link in system.links
    )
