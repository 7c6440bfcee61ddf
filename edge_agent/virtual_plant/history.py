"""A simulated year of one line as an event export, with a known effect of the AI's go-live planted in it.

The export holds only what a plant would have recorded. The truth comes back as a struct and is written nowhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from edge_agent.events import (
    AuditCount,
    Body,
    Downtime,
    Energy,
    Escape,
    Event,
    Labour,
    ModeChange,
    Production,
    RecordedEvent,
    encode,
)
from edge_agent.virtual_plant.history_truth import Inspector, PlantedEffect, YearTruth
from edge_agent.virtual_plant.shift_process import (
    PRODUCTS,
    SHIFTS,
    Phase,
    ProductShift,
    ShiftOutcome,
    ShiftProcess,
    Stop,
)

if TYPE_CHECKING:
    from pathlib import Path

LINE, ASSET, STATION = "press-1", "press", "press-1-camera"
ZONE = ZoneInfo("Asia/Seoul")
BASELINE_FROM = date(2025, 1, 1)
COMMISSIONING_FROM = date(2025, 7, 1)
LIVE_FROM = date(2025, 7, 15)
YEAR_END = date(2025, 12, 31)
SHIFT_START_HOURS = {"day": 6, "evening": 14, "night": 22}
SHIFT_LENGTH = timedelta(hours=8)
BOOT_ID = "simulated-year"


class SimulatedYear(msgspec.Struct, frozen=True):
    """What `simulated_year` made: the export's events, and the truth that is not in it."""

    events: int
    shifts: int
    truth: YearTruth


class _Dated(msgspec.Struct, frozen=True):
    """An event with the moment a plant would have recorded it."""

    recorded_at: datetime
    event: Event


class _ShiftSlot(msgspec.Struct, frozen=True):
    """One shift of the calendar."""

    day: date
    shift: str
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + SHIFT_LENGTH

    @property
    def phase(self) -> Phase:
        if self.day < COMMISSIONING_FROM:
            return "baseline"
        return "commissioning" if self.day < LIVE_FROM else "live"


def simulated_year(seed: int, out: Path, effect: PlantedEffect | None = None) -> SimulatedYear:
    """Write one simulated year of line `press-1` as JSON lines of `RecordedEvent`, origin `simulated`.

    Args:
        seed: of all randomness; the same seed writes the same bytes.
        out: file to write; replaced.
        effect: what the go-live does to the line; the default is a 30 % lower true defect rate and 25 % less
            unplanned stop time, with labour unchanged.
    """
    effect = effect or PlantedEffect()
    process = ShiftProcess(np.random.default_rng(seed), effect)
    dated = _mode_changes()
    outcomes: list[ShiftOutcome] = []
    for slot in _calendar():
        outcome = process.run(slot.shift, slot.phase)
        outcomes.append(outcome)
        dated += _shift_events(slot, outcome)
    dated.sort(key=lambda entry: entry.recorded_at)  # stable: events of one moment keep the order they were made in
    origin = dated[0].recorded_at
    with out.open("wb") as export:
        for number, entry in enumerate(dated, start=1):
            mono_ns = int((entry.recorded_at - origin).total_seconds() * 1e9) + number
            recorded = RecordedEvent(number, entry.recorded_at, BOOT_ID, mono_ns, entry.event)
            export.write(encode(recorded) + b"\n")
    return SimulatedYear(len(dated), len(outcomes), YearTruth.of(effect, outcomes))


def _calendar() -> list[_ShiftSlot]:
    days = (YEAR_END - BASELINE_FROM).days + 1
    return [
        _ShiftSlot(day, shift, _local(day, SHIFT_START_HOURS[shift]))
        for day in (BASELINE_FROM + timedelta(days=offset) for offset in range(days))
        for shift in SHIFTS
    ]


def _local(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)


def _event(key: str, occurred_at: datetime, body: Body) -> Event:
    return Event(key=f"{LINE}/{key}", line=LINE, occurred_at=occurred_at, body=body, origin="simulated")


def _mode_changes() -> list[_Dated]:
    changes: tuple[tuple[date, Literal["shadow", "live"]], ...] = ((BASELINE_FROM, "shadow"), (LIVE_FROM, "live"))
    return [
        _Dated(
            _local(day, 6),
            _event(f"mode/{STATION}/{day.isoformat()}", _local(day, 6), ModeChange(STATION, mode, "bracket@1")),
        )
        for day, mode in changes
    ]


def _shift_events(slot: _ShiftSlot, outcome: ShiftOutcome) -> list[_Dated]:
    name = f"{slot.day.isoformat()}/{slot.shift}"
    closing = slot.end + timedelta(minutes=2)
    dated = [
        _Dated(
            slot.start + timedelta(seconds=stop.start_s + stop.duration_s),
            _event(f"downtime/{name}/{number}", slot.start + timedelta(seconds=stop.start_s), _downtime(slot, stop)),
        )
        for number, stop in enumerate(outcome.stops)
    ]
    inspector: Inspector = "ai" if slot.phase == "live" else "previous"
    for made in outcome.products:
        dated += _product_events(slot, name, made, inspector)
    dated.append(
        _Dated(closing, _event(f"energy/{name}", slot.start, Energy("electricity", slot.end, outcome.energy_kwh)))
    )
    dated.append(
        _Dated(closing, _event(f"labour/{name}", slot.start, Labour("inspection", slot.end, outcome.labour_hours)))
    )
    return dated


def _downtime(slot: _ShiftSlot, stop: Stop) -> Downtime:
    ended_at = slot.start + timedelta(seconds=stop.start_s + stop.duration_s)
    return Downtime(ASSET, ended_at, stop.duration_s, stop.planned, stop.reason)


def _product_events(slot: _ShiftSlot, name: str, made: ProductShift, inspector: Inspector) -> list[_Dated]:
    closing = slot.end + timedelta(minutes=1)
    product = made.product
    production = Production(
        product=product,
        shift=slot.shift,
        ended_at=slot.end,
        produced=made.produced,
        inspected=made.produced,
        rejected=made.rejected,
        scrap=made.scrap,
        rework=made.rework,
        planned_busy_s=made.planned_busy_s,
    )
    dated = [_Dated(closing, _event(f"production/{name}/{product}", slot.start, production))]
    for audit in made.audits:
        body = AuditCount(product, slot.shift, inspector, audit.stratum, audit.audited, audit.defects_found)
        dated.append(_Dated(closing, _event(f"audit/{name}/{product}/{inspector}/{audit.stratum}", slot.start, body)))
    for place, count, delay in (("assembly", made.escapes_assembly, 2), ("customer", made.escapes_customer, 21)):
        found_at = slot.end + timedelta(days=delay)
        if count and found_at.astimezone(ZONE).date() <= YEAR_END:
            body_found = Escape(product=product, count=count, found_at=place)
            dated.append(_Dated(found_at, _event(f"escape/{name}/{product}/{place}", found_at, body_found)))
    return dated


__all__ = ["PRODUCTS", "PlantedEffect", "SimulatedYear", "YearTruth", "simulated_year"]
