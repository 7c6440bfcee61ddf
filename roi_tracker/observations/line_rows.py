"""Line x shift: time, energy, hours, conditions and alarms, which belong to no single product."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from roi_tracker.observations import facts as f
from roi_tracker.observations import stoppages
from roi_tracker.observations.gathering import EVERY_LINE
from roi_tracker.observations.rows import AlarmCount, Amount, AssetHealth, KpiCount, LineShift, Origin, weakest_origin
from roi_tracker.observations.stop_revisions import standing_stops

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from roi_tracker.observations.gathering import Gathered, Share
    from roi_tracker.observations.stoppages import ModeSpan, ShiftKey, StopTime

SYSTEM_REASON = "lineproof"
"""Reason codes of stops that the system itself caused begin with it."""


class _LineTimes:
    """What is known of the lines' time: stops by shift, signs of life, inspection modes."""

    def __init__(self, gathered: Gathered, signs: Mapping[str, Sequence[datetime]]) -> None:
        grouped: dict[tuple[str, bool], list[f.StopFact]] = defaultdict(list)
        for stop in standing_stops(gathered.stops, gathered.revisions):
            grouped[(stop.line, stop.planned)].append(stop)
        self.stops: dict[bool, dict[ShiftKey, StopTime]] = {True: {}, False: {}}
        self.system: dict[ShiftKey, StopTime] = {}
        for (_, planned), stops in grouped.items():
            self.stops[planned].update(stoppages.stops_by_shift(stops, gathered.calendar, gathered.findings))
            own = [stop for stop in stops if stop.reason.startswith(SYSTEM_REASON) and not planned]
            self.system.update(stoppages.stops_by_shift(own, gathered.calendar, []))
        self.assets: dict[ShiftKey, dict[str, StopTime]] = defaultdict(dict)
        for (_, asset), stops in _by_asset(grouped).items():
            for key, time in stoppages.stops_by_shift(stops, gathered.calendar, []).items():
                self.assets[key][asset] = time
        self.watched = {
            line: stoppages.Watch(sorted({*gathered.watched.get(line, ()), *signs.get(line, ())}), gathered.calendar)
            for line in {*gathered.watched, *signs}
        }
        self.spans: dict[str, tuple[ModeSpan, ...]] = {
            line: stoppages.mode_spans(changes) for line, changes in gathered.modes.items()
        }


def line_shifts(
    gathered: Gathered, signs: Mapping[str, Sequence[datetime]], only: frozenset[date] | None
) -> tuple[LineShift, ...]:
    """Rows in time order.

    Args:
        gathered: facts by shift; findings on stops are added to it.
        signs: further signs of life by line, for facts that are only a part of all.
        only: days wanted; all where None.
    """
    times = _LineTimes(gathered, signs)
    for by_shift in times.stops.values():
        for key in by_shift:
            if key not in gathered.instances:
                gathered.instances[key] = next(i for i in gathered.calendar.of_day(key[1]) if i.label == key[2])
    wanted = [item for item in gathered.instances.items() if only is None or item[0][1] in only]
    wanted.sort(key=lambda item: (item[0][1], item[1].start, item[0]))
    return tuple(_row(key, gathered, times) for key, _ in wanted)


def _row(key: ShiftKey, gathered: Gathered, times: _LineTimes) -> LineShift:
    line, instance = key[0], gathered.instances[key]
    production = [fact for found in gathered.products.get(key, {}).values() for fact in latest_of_period(found)]
    unplanned: StopTime | None = None
    planned: StopTime | None = None
    system: StopTime | None = None
    if line in times.watched and times.watched[line].covers(instance):
        unplanned = times.stops[False].get(key, stoppages.NO_STOPS)
        planned = times.stops[True].get(key, stoppages.NO_STOPS)
        system = times.system.get(key, stoppages.NO_STOPS)
    energy, labour = gathered.energy.get(key, ()), gathered.labour.get(key, ())
    kpis = [share for share in gathered.kpis.get(key, ()) if not share.product]
    everywhere = gathered.covariates.get((EVERY_LINE, *key[1:]), ())
    origins: list[Origin] = [fact.origin for fact in production]
    origins += [share.origin for share in (*energy, *labour, *kpis)]
    origins += [origin for time in (unplanned, planned) if time is not None for origin in time.origins]
    spans = times.spans.get(line, ())
    return LineShift(
        *key,
        origin=weakest_origin(origins),
        planned_busy_s=stoppages.planned_busy_s(production),
        unplanned_stop_s=unplanned.seconds if unplanned else None,
        unplanned_stops=unplanned.count if unplanned else None,
        planned_stop_s=planned.seconds if planned else None,
        planned_stops=planned.count if planned else None,
        energy_kwh=sum(share.value for share in energy) if energy else None,
        labour_hours=sum(share.value for share in labour) if labour else None,
        shadow_s=stoppages.mode_seconds(instance, spans, "shadow"),
        live_s=stoppages.mode_seconds(instance, spans, "live"),
        off_s=stoppages.mode_seconds(instance, spans, "off"),
        system_stop_s=system.seconds if system else None,
        energy=_sums(energy),
        labour=_sums(labour),
        covariates=_means(everywhere, gathered.covariates.get(key, ())),
        kpis=kpi_counts(kpis),
        alarms=_alarms(key, gathered),
        assets=_assets(key, gathered, times),
    )


def latest_of_period(found: Iterable[object]) -> list[f.ProductionFact]:
    """Production facts, one a period: of two that state the same period the later arrival holds."""
    return list({(fact.at, fact.end): fact for fact in found if isinstance(fact, f.ProductionFact)}.values())


def _sums(shares: Iterable[Share]) -> tuple[Amount, ...]:
    totals: dict[str, float] = defaultdict(float)
    for share in shares:
        totals[share.name] += share.value
    return tuple(Amount(name, totals[name]) for name in sorted(totals))


def _means(plant: Iterable[Share], own: Iterable[Share]) -> tuple[Amount, ...]:
    """Means by time; what is stated for the line itself holds over what is stated for the plant."""
    of_line = {share.name for share in own}
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for share in (*own, *(share for share in plant if share.name not in of_line)):
        sums[share.name][0] += share.value * share.seconds
        sums[share.name][1] += share.seconds
    return tuple(Amount(name, sums[name][0] / sums[name][1]) for name in sorted(sums))


def kpi_counts(shares: Iterable[Share]) -> tuple[KpiCount, ...]:
    """Numerators and denominators added up by indicator."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for share in shares:
        sums[share.name][0] += share.value
        sums[share.name][1] += share.denominator
    return tuple(KpiCount(name, *sums[name]) for name in sorted(sums))


def _by_asset(grouped: Mapping[tuple[str, bool], Sequence[f.StopFact]]) -> dict[tuple[str, str], list[f.StopFact]]:
    """Unplanned stops by line and machine, those that the system itself caused left out."""
    found: dict[tuple[str, str], list[f.StopFact]] = defaultdict(list)
    for (line, planned), stops in grouped.items():
        for stop in stops:
            if not planned and not stop.reason.startswith(SYSTEM_REASON):
                found[line, stop.asset].append(stop)
    return found


def _assets(key: ShiftKey, gathered: Gathered, times: _LineTimes) -> tuple[AssetHealth, ...]:
    """Machine by machine, sorted by name; a line stated as watched as a whole is the machine without a name."""
    stops, raised, missed = times.assets.get(key, {}), gathered.alarms.get(key, ()), gathered.missed.get(key, ())
    watched = gathered.watched_assets.get(key, ())
    named = {*stops, *watched, *(alarm.asset for alarm in raised), *(failure.asset for failure in missed)}
    found: list[AssetHealth] = []
    for asset in sorted(named):
        count = _count(
            [gathered.outcomes.get(alarm.key) for alarm in raised if alarm.asset == asset],
            sum(failure.asset == asset for failure in missed),
        )
        time = stops.get(asset, stoppages.NO_STOPS)
        found.append(
            AssetHealth(
                asset,
                stops=time.count,
                stop_s=time.seconds,
                confirmed=count.confirmed,
                not_found=count.not_found,
                missed=count.missed,
                open=count.open,
                acted=count.acted,
                estimated=count.estimated,
                avoided_stop_h=count.avoided_stop_h,
            )
        )
    return tuple(found)


def _alarms(key: ShiftKey, gathered: Gathered) -> AlarmCount | None:
    raised, missed = gathered.alarms.get(key, ()), gathered.missed.get(key, ())
    if not raised and not missed:
        return None
    return _count([gathered.outcomes.get(alarm.key) for alarm in raised], len(missed))


def _count(outcomes: Sequence[f.AlarmOutcomeFact | None], missed: int) -> AlarmCount:
    """Alarms by what was found; None is an alarm that nobody has answered."""
    acted = [o for o in outcomes if o is not None and o.outcome == "confirmed" and o.acted]
    hours = [outcome.avoided_stop_h for outcome in acted if outcome.avoided_stop_h is not None]
    return AlarmCount(
        confirmed=sum(o is not None and o.outcome == "confirmed" for o in outcomes),
        not_found=sum(o is not None and o.outcome == "not_found" for o in outcomes),
        missed=missed,
        open=outcomes.count(None),
        acted=len(acted),
        estimated=len(hours),
        avoided_stop_h=float(sum(hours)),
    )
