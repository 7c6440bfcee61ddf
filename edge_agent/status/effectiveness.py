"""GET /api/oee: a line's effectiveness over a period, by ISO 22400-2, with stops as people have revised them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from edge_agent.events import Event, MachineState, Origin
from edge_agent.machines.oee import Effectiveness, Quantities, TimeElements, effectiveness, quantities, time_elements
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.shifts import Shift, ShiftCalendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_agent.machines.stop_revising import Stop
    from edge_agent.ports import StoreReader
    from edge_agent.status.context import StatusContext
    from edge_agent.status.stop_ledger import StopLedger

LONGEST = timedelta(days=31)
_FIRST_LOOK = 2_000
_LOOK_BACK = timedelta(days=7)
"""A count may be recorded after newer ones; and so far before a period its first state is looked for."""


class OeeReport(msgspec.Struct, frozen=True):
    """The answer of `/api/oee`.

    Attributes:
        asset: the machine whose states are the line's.
        start, end: the period, UTC.
        planned_busy_s: planned busy time within the period (PBT).
        coverage: share of the period in which the machine's state is known.
        times: where the time went.
        made: what came of it.
        origin: `simulated` when any fact of the period is, else `measured` or `imported`.
        indicators: each a value or the reason that there is none.
    """

    line: str
    asset: str
    start: datetime
    end: datetime
    planned_busy_s: float
    coverage: float
    times: TimeElements
    made: Quantities
    origin: Origin
    indicators: Effectiveness


def router(context: StatusContext, ledger: StopLedger) -> APIRouter:
    """The route, over `context`."""
    routes = APIRouter()
    calendar = ShiftCalendar(context.settings.time_zone, context.settings.shift_starts)

    @routes.get("/api/oee")
    def oee(
        line: Annotated[str, Query(max_length=64, description="Production line.")],
        start: Annotated[datetime | None, Query(alias="from", description="Begin, with a zone; this shift's.")] = None,
        end: Annotated[datetime | None, Query(alias="to", description="End, with a zone; now.")] = None,
    ) -> Response:
        """Times, counts and indicators of a line's machine; by default of this shift until now."""
        asset = context.asked.stopping.get(line)
        if asset is None:
            known = ", ".join(sorted(context.asked.stopping)) or "none"
            raise RequestProblemError(
                404,
                "no_machine",
                f"No machine stands for the line {line!r}.",
                f"Set [[downtime]]; lines with one: {known}.",
            )
        period = _period(start, end, calendar, context.clock.now().utc)
        with ledger.current():
            stops = ledger.of_line(line, period.start - _LOOK_BACK)
        states = revised_states(_facts(context.reader, "machine_state", line, period.start), stops, asset)
        times = time_elements(states, asset, period.start, period.end)
        counts = _facts(context.reader, "production", line, period.start)
        made = quantities(counts, period.start, period.end, context.asked.planned_run_s.get(line, {}))
        report = OeeReport(
            line=line,
            asset=asset,
            start=period.start,
            end=period.end,
            planned_busy_s=times.planned_busy_s,
            coverage=times.coverage,
            times=times,
            made=made,
            origin=_origin([*states, *counts], period),
            indicators=effectiveness(times, made),
        )
        return Response(
            msgspec.json.encode(report), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    return routes


def revised_states(facts: Iterable[Event], stops: Sequence[Stop], asset: str) -> list[Event]:
    """States of a machine in which each stop is what counts now: planned or not, split and merged as people said."""
    own = [fact for fact in facts if isinstance(fact.body, MachineState) and fact.body.asset == asset]
    counting = [stop for stop in stops if stop.asset == asset and stop.revised_by]
    kept = [fact for fact in own if not any(stop.started <= fact.occurred_at < stop.ended for stop in counting)]
    for stop in counting:
        state = MachineState(asset, "planned_stop" if stop.planned else "unplanned_stop", stop.reason)
        kept.append(Event(stop.key, stop.line, stop.started, state, stop.origin))
    return kept


def _period(start: datetime | None, end: datetime | None, calendar: ShiftCalendar, now: datetime) -> Shift:
    for moment in (start, end):
        if moment is not None and moment.tzinfo is None:
            raise RequestProblemError(422, "no_time_zone", "A time without its zone is a guess.", "Write +09:00 or Z.")
    until = min(now, end.astimezone(UTC)) if end is not None else now
    since = start.astimezone(UTC) if start is not None else calendar.at(until).start
    if not timedelta(0) < until - since <= LONGEST:
        raise RequestProblemError(
            422, "bad_period", "The period is empty, lies ahead, or is longer than 31 days.", "Give from before to."
        )
    return Shift(since, until)


def _origin(facts: Sequence[Event], period: Shift) -> Origin:
    """The least trustworthy origin of what lies in the period or holds at its begin."""
    before = [fact for fact in facts if fact.occurred_at < period.start and isinstance(fact.body, MachineState)]
    held = max(before, key=lambda fact: fact.occurred_at, default=None)
    used = {fact.origin for fact in facts if period.holds(fact.occurred_at)} | ({held.origin} if held else set())
    return "simulated" if "simulated" in used else "imported" if "imported" in used else "measured"


def _facts(reader: StoreReader, kind: str, line: str, since: datetime) -> list[Event]:
    """Facts of a kind from a week before `since`, or from the one before that if there is none in that week."""
    limit = _FIRST_LOOK
    while True:
        found = [recorded.event for recorded in reader.latest_events(kind, line=line, limit=limit)]
        if len(found) < limit or min(event.occurred_at for event in found) < since - _LOOK_BACK:
            return found
        limit *= 4
