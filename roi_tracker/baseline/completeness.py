"""Rules on how much there is: that the feed arrived, that enough happened, that a part of a year stays one."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

from roi_tracker.baseline.rules import Check, check
from roi_tracker.measurement.panels.readings import MINIMUM_DAY_COVERAGE
from roi_tracker.observations.stuck import stuck_energy, stuck_kpis

if TYPE_CHECKING:
    from roi_tracker.baseline.rules import PeriodName
    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations

MINIMUM_COMPLETE_SHARE = 0.9
"""CalTRACK 2.2 asks for 90 % of valid days; a shift is to the feed what a day is to a meter."""
MINIMUM_EVENTS = 30
"""A count of 30 has a relative error of 18 %: below, nothing that is fitted to it stands on firm ground."""
WHOLE_YEAR_DAYS = 365


def feed_complete(observations: Observations, scope: Scope, period: Period, name: PeriodName) -> Check:
    """Shifts of which at least half arrived, among the shifts that say how much of them did. Every measure rests on the
    same feed, but only production says how much of a shift it covers.
    """
    table = observations.product_table
    known: dict[tuple[int, int, int], float] = {}
    first, last = period.first.toordinal(), period.last.toordinal()
    codes = zip(table.day.tolist(), table.line.tolist(), table.shift.tolist(), table.coverage.tolist(), strict=True)
    for day, line, shift, coverage in codes:
        if math.isfinite(coverage) and first <= day <= last and table.lines[line] in scope.lines:
            known[(day, line, shift)] = coverage
    incomplete = sum(1 for coverage in known.values() if coverage < MINIMUM_DAY_COVERAGE)
    share = 1 - incomplete / len(known) if known else 1.0
    return check(
        "feed_complete",
        name,
        passed=share >= MINIMUM_COMPLETE_SHARE,
        shifts=len(known),
        incomplete=incomplete,
        share=share,
        required=MINIMUM_COMPLETE_SHARE,
    )


def enough_events(panel: Panel, observations: Observations, scope: Scope, period: Period) -> Check:
    """A baseline needs enough stops or defects to know how many are usual; other measures are not counts."""
    if scope.measure == "defects":
        events = float(panel.outcome[panel.treated].sum())
    else:
        rows = [r for r in observations.line_shifts if r.line in scope.programme_lines and r.day in period]
        counted = sum(row.unplanned_stops or 0 for row in rows)
        events = float(max(counted, sum(1 for row in rows if row.unplanned_stop_s)))
    return check(
        "enough_events",
        "baseline",
        passed=events >= MINIMUM_EVENTS,
        measure=scope.measure,
        events=round(events),
        required_events=MINIMUM_EVENTS,
    )


def no_annualising(panel: Panel) -> Check:
    """A part of a year is never scaled to a year; the figure says for how many days it holds."""
    span = (panel.days[-1] - panel.days[0]).days + 1 if panel.days else 0
    return check(
        "no_annualising",
        "reporting",
        passed=span >= WHOLE_YEAR_DAYS,
        disqualifies=False,
        days=len(panel.days),
        required_days=WHOLE_YEAR_DAYS,
    )


def no_stuck_values(observations: Observations, scope: Scope, period: Period, name: PeriodName) -> Check:
    """Readings that repeat to the last digit measure nothing; a tenth of a line's days may be so."""
    lines = observations.line_table
    if scope.measure == "energy":
        wanted = set(scope.carriers)
        runs = [run for run in stuck_energy(lines) if not wanted or run.name in wanted]
    elif scope.kpi is not None:
        runs = [
            run for run in (*stuck_kpis(lines), *stuck_kpis(observations.product_table)) if run.name == scope.kpi.id
        ]
    else:
        runs = []
    first, last = period.first.toordinal(), period.last.toordinal()
    worst, told = 0.0, "-"
    for line in scope.lines:
        mine = [(run, [day for day in run.days if first <= day <= last]) for run in runs if run.line == line]
        stuck = {day for _, days in mine for day in days}
        if not stuck:
            continue
        rows = (lines.line == lines.lines.index(line)) & (lines.day >= first) & (lines.day <= last)
        share = len(stuck) / len(set(lines.day[rows].tolist()))
        if share > worst:
            worst = share
            run, days = max(mine, key=lambda found: len(found[1]))
            told = f"{line} {run.name}: {run.value:.10g}, {date.fromordinal(days[0])} - {date.fromordinal(days[-1])}"
    limit = round(1 - MINIMUM_COMPLETE_SHARE, 3)
    return check("no_stuck_values", name, passed=worst <= limit, series=told, share=worst, required=limit)
