"""What the lines of a simulated year tell: their shifts as events, in the order a plant would have recorded them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import msgspec

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
from edge_agent.virtual_plant.shift_process import SHIFTS, Phase, ProductShift, ShiftOutcome, Stop

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_agent.virtual_plant.history_truth import Inspector

ASSET = "press"
ZONE = ZoneInfo("Asia/Seoul")
BASELINE_FROM = date(2025, 1, 1)
COMMISSIONING_FROM = date(2025, 7, 1)
LIVE_FROM = date(2025, 7, 15)
YEAR_END = date(2025, 12, 31)
SHIFT_START_HOURS = {"day": 6, "evening": 14, "night": 22}
SHIFT_LENGTH = timedelta(hours=8)
BOOT_ID = "simulated-year"


class Dated(msgspec.Struct, frozen=True):
    """An event with the moment a plant would have recorded it."""

    recorded_at: datetime
    event: Event


class ShiftSlot(msgspec.Struct, frozen=True):
    """One shift of the calendar."""

    day: date
    shift: str
    start: datetime

    @property
    def end(self) -> datetime:
        """When it ends, UTC."""
        return self.start + SHIFT_LENGTH

    @property
    def name(self) -> str:
        """Its name in keys."""
        return f"{self.day.isoformat()}/{self.shift}"

    @property
    def phase(self) -> Phase:
        """Before, during or after commissioning."""
        if self.day < COMMISSIONING_FROM:
            return "baseline"
        return "commissioning" if self.day < LIVE_FROM else "live"


def calendar() -> list[ShiftSlot]:
    """All shifts of the year, in order."""
    days = (YEAR_END - BASELINE_FROM).days + 1
    return [
        ShiftSlot(day, shift, local(day, SHIFT_START_HOURS[shift]))
        for day in (BASELINE_FROM + timedelta(days=offset) for offset in range(days))
        for shift in SHIFTS
    ]


def local(day: date, hour: int) -> datetime:
    """An hour of a day in the plant, as UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)


def event_of(line: str, key: str, occurred_at: datetime, body: Body) -> Event:
    """An event of a line."""
    return Event(key=f"{line}/{key}", line=line, occurred_at=occurred_at, body=body, origin="simulated")


def mode_changes(line: str) -> list[Dated]:
    """The line's camera watches all through the baseline, and acts from go-live on."""
    station = f"{line}-camera"
    changes: tuple[tuple[date, Literal["shadow", "live"]], ...] = ((BASELINE_FROM, "shadow"), (LIVE_FROM, "live"))
    return [
        Dated(
            local(day, 6),
            event_of(line, f"mode/{station}/{day.isoformat()}", local(day, 6), ModeChange(station, mode, "bracket@1")),
        )
        for day, mode in changes
    ]


def shift_events(line: str, slot: ShiftSlot, outcome: ShiftOutcome, inspector: Inspector) -> list[Dated]:
    """Everything that one line tells of one shift."""
    closing = slot.end + timedelta(minutes=2)
    dated = [
        Dated(
            slot.start + timedelta(seconds=stop.start_s + stop.duration_s),
            event_of(
                line,
                f"downtime/{slot.name}/{number}",
                slot.start + timedelta(seconds=stop.start_s),
                _downtime(slot, stop),
            ),
        )
        for number, stop in enumerate(outcome.stops)
    ]
    for made in outcome.products:
        dated += _product_events(line, slot, made, inspector)
    energy = Energy("electricity", slot.end, outcome.energy_kwh)
    labour = Labour("inspection", slot.end, outcome.labour_hours)
    dated.append(Dated(closing, event_of(line, f"energy/{slot.name}", slot.start, energy)))
    dated.append(Dated(closing, event_of(line, f"labour/{slot.name}", slot.start, labour)))
    return dated


def write_export(dated: Iterable[Dated], out: Path) -> int:
    """Write events as JSON lines of `RecordedEvent` in the order they were recorded; returns how many.

    Events of one moment keep the order in which they come.
    """
    ordered = sorted(dated, key=lambda entry: entry.recorded_at)
    origin = ordered[0].recorded_at
    with out.open("wb") as export:
        for number, entry in enumerate(ordered, start=1):
            mono_ns = int((entry.recorded_at - origin).total_seconds() * 1e9) + number
            recorded = RecordedEvent(number, entry.recorded_at, BOOT_ID, mono_ns, entry.event)
            export.write(encode(recorded) + b"\n")
    return len(ordered)


def _downtime(slot: ShiftSlot, stop: Stop) -> Downtime:
    ended_at = slot.start + timedelta(seconds=stop.start_s + stop.duration_s)
    return Downtime(ASSET, ended_at, stop.duration_s, stop.planned, stop.reason)


def _product_events(line: str, slot: ShiftSlot, made: ProductShift, inspector: Inspector) -> list[Dated]:
    closing = slot.end + timedelta(minutes=1)
    product, name = made.product, slot.name
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
    dated = [Dated(closing, event_of(line, f"production/{name}/{product}", slot.start, production))]
    for audit in made.audits:
        body = AuditCount(product, slot.shift, inspector, audit.stratum, audit.audited, audit.defects_found)
        key = f"audit/{name}/{product}/{inspector}/{audit.stratum}"
        dated.append(Dated(closing, event_of(line, key, slot.start, body)))
    for place, count, delay in (("assembly", made.escapes_assembly, 2), ("customer", made.escapes_customer, 21)):
        found_at = slot.end + timedelta(days=delay)
        if count and found_at.astimezone(ZONE).date() <= YEAR_END:
            body_found = Escape(product=product, count=count, found_at=place)
            dated.append(Dated(found_at, event_of(line, f"escape/{name}/{product}/{place}", found_at, body_found)))
    return dated
