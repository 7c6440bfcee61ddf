"""What predictive maintenance may claim: alarms that were confirmed and acted on, each at what a failure of that
machine costs, less what answering alarms costs. Alarms times an average stop is a claim, not a measurement.

A failure's cost is what the repair history says of it; where nobody estimated it, what the unannounced stops of that
machine took in the baseline. The interval comes from a seeded Poisson bootstrap (Hanley and MacGibbon, Computer
Methods and Programs in Biomedicine 83, 2006) over reporting shifts and baseline stops: how many failures there were to
avoid is chance as well as how long each would have lasted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.measurement import confidence_sequence
from roi_tracker.measurement.estimation import CONFIDENCE, POWER, CumulativePoint, Estimate, IntervalKind
from roi_tracker.measurement.quantiles import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from roi_tracker.observations.rows import LineShift

DRAWS = 2000
ALPHA = 2 * (1 - CONFIDENCE)
_SEED = 20_250_702
_SECONDS_PER_HOUR = 3600.0
_MANY = 1e6
_FEWEST_DAYS = 5


class MachineRecord(msgspec.Struct, frozen=True):
    """One machine's alarms and failures in the reporting period.

    Attributes:
        failure_h: hours an unannounced stop of it took in the baseline, on average; None where it never stopped.
        baseline_stops: how many there were.
    """

    line: str
    asset: str
    confirmed: int
    acted: int
    estimated: int
    not_found: int
    missed: int
    open: int
    avoided_stop_h: float
    failure_h: float | None
    baseline_stops: int


class MaintenanceDetail(msgspec.Struct, frozen=True, tag="maintenance"):
    """What stands behind a maintenance credit.

    Attributes:
        gross_h: stop hours that acted alarms avoided.
        answering_h: hours that answering alarms cost.
        recall: share of failures that an alarm announced; None without any failure.
        precision: share of answered alarms that found something; None without any.
        by_history: alarms whose failure the repair history puts a figure to; the others go by the baseline's stops.
        without_history: acted alarms of machines that never stopped in the baseline: no figure, no credit.
        overlaps: downtime lines that measure the same stops; the claims ledger shares what both would claim.
    """

    machines: tuple[MachineRecord, ...]
    gross_h: float
    answering_h: float
    recall: float | None
    precision: float | None
    by_history: int
    without_history: int
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlarmShifts:
    """Reporting shifts with alarms, one row a line, shift and machine.

    Attributes:
        day: (rows,) proleptic day number.
        machine: (rows,) position in `machines`.
        estimated_h: (rows,) hours the repair history gives.
        unestimated: (rows,) acted alarms without an estimate.
        confirmed, not_found: (rows,) answered alarms by what was found.
    """

    machines: tuple[tuple[str, str], ...]
    day: NDArray[np.int64]
    machine: NDArray[np.int64]
    estimated_h: NDArray[np.float64]
    unestimated: NDArray[np.float64]
    confirmed: NDArray[np.float64]
    not_found: NDArray[np.float64]


@dataclass(frozen=True)
class BaselineStops:
    """Unplanned stops of each machine in the baseline, shift by shift.

    Attributes:
        hours, stops: of each machine of `AlarmShifts.machines`, one entry a shift that it stopped in.
    """

    hours: tuple[NDArray[np.float64], ...]
    stops: tuple[NDArray[np.float64], ...]

    def mean(self, machine: int) -> float | None:
        """Hours a stop of a machine takes."""
        stops = float(self.stops[machine].sum())
        return float(self.hours[machine].sum()) / stops if stops else None


class MaintenanceCredit:
    """Stop hours that acted alarms avoided, less what answering alarms cost."""

    def __init__(
        self, alarms: AlarmShifts, stops: BaselineStops, intervention_h: float | None, days: Sequence[int]
    ) -> None:
        """Draw the bootstrap once.

        Args:
            alarms: reporting.
            stops: baseline.
            intervention_h: hours of stop that answering an alarm costs; None: a look that found nothing is charged
                like a failure of the machine, and an answer that found something nothing beyond it.
            days: measured reporting days, as proleptic day numbers in order.
        """
        self._alarms, self._days = alarms, tuple(days)
        means = [stops.mean(machine) or 0.0 for machine in range(len(alarms.machines))]
        self._gross = self._credit(np.array(means))
        self._cost = self._answering(np.array(means), intervention_h)
        lots = np.random.default_rng(_SEED)
        drawn = np.stack([_drawn_mean(lots, stops, machine) for machine in range(len(alarms.machines))], axis=1)
        weights = lots.poisson(1.0, (DRAWS, len(alarms.day)))
        duration = drawn[:, alarms.machine]
        gross = weights * (alarms.estimated_h + alarms.unestimated * duration)
        looks = alarms.not_found * (duration if intervention_h is None else intervention_h)
        found = alarms.confirmed * (0.0 if intervention_h is None else intervention_h)
        self._draws = gross - weights * (looks + found)

    def _credit(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._alarms.estimated_h + self._alarms.unestimated * means[self._alarms.machine]

    def _answering(self, means: NDArray[np.float64], intervention_h: float | None) -> NDArray[np.float64]:
        if intervention_h is None:
            return self._alarms.not_found * means[self._alarms.machine]
        return (self._alarms.not_found + self._alarms.confirmed) * intervention_h

    @property
    def gross_h(self) -> float:
        """Stop hours avoided."""
        return float(self._gross.sum())

    @property
    def answering_h(self) -> float:
        """Hours that answering alarms cost."""
        return float(self._cost.sum())

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        return self._up_to(self._days[-1], interval)

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """Month ends, closing days and the last day."""
        points: list[CumulativePoint] = []
        for position, number in enumerate(self._days):
            day, last = date.fromordinal(number), position + 1 == len(self._days)
            closing = day in closing_days
            ends = last or date.fromordinal(self._days[position + 1]).month != day.month
            if position + 1 >= _FEWEST_DAYS and (ends or closing):
                found = self._up_to(number, "closing" if closing else "anytime")
                points.append(CumulativePoint(day, found.days, found.avoided, found.low, found.high, found.interval))
        return tuple(points)

    def _up_to(self, last: int, interval: IntervalKind) -> Estimate:
        kept = self._alarms.day <= last
        days = sum(1 for day in self._days if day <= last)
        gross, cost = float(self._gross[kept].sum()), float(self._cost[kept].sum())
        avoided = gross - cost
        draws = self._draws[:, kept].sum(axis=1)
        low, high = (float(edge) for edge in np.quantile(draws, (1 - CONFIDENCE, CONFIDENCE)))
        error = float(draws.std())
        down, up = max(0.0, avoided - low), max(0.0, high - avoided)
        if interval == "anytime" and days:
            # As much wider as the sequence is than one look, for a sum of independent days.
            radius = confidence_sequence.noise_radius(days, ALPHA, _MANY)
            wider = radius / (normal_quantile(CONFIDENCE) * days**0.5)
            down, up = wider * down, wider * up
        return Estimate(
            avoided=avoided,
            low=avoided - down,
            high=avoided + up,
            expected=gross,
            observed=cost,
            standard_error=error,
            baseline_error=0.0,
            reporting_error=error,
            dof=_MANY,
            inflation=1.0,
            minimum_detectable=down + normal_quantile(POWER) * error,
            days=days,
            interval=interval,
        )


def _drawn_mean(lots: np.random.Generator, stops: BaselineStops, machine: int) -> NDArray[np.float64]:
    """(draws,) mean hours of a stop, each from a resample of the baseline's shifts with stops."""
    hours, count = stops.hours[machine], stops.stops[machine]
    if not count.sum():
        return np.zeros(DRAWS)
    weights = lots.poisson(1.0, (DRAWS, len(count)))
    number: NDArray[np.float64] = (weights * count).sum(axis=1)
    total: NDArray[np.float64] = (weights * hours).sum(axis=1)
    mean = float(hours.sum() / count.sum())
    drawn: NDArray[np.float64] = np.divide(total, number, out=np.full(DRAWS, mean), where=number > 0)
    return drawn


def machine_records(rows: Iterable[LineShift], stops: BaselineStops, alarms: AlarmShifts) -> tuple[MachineRecord, ...]:
    """Alarms and failures of each machine in the reporting rows."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * 7)
    for row in rows:
        for one in row.assets:
            counts = (one.confirmed, one.acted, one.estimated, one.not_found, one.missed, one.open, one.avoided_stop_h)
            for place, value in enumerate(counts):
                sums[row.line, one.asset][place] += value
    found: list[MachineRecord] = []
    for place, (line, asset) in enumerate(alarms.machines):
        confirmed, acted, estimated, not_found, missed, unanswered = (int(n) for n in sums[line, asset][:6])
        found.append(
            MachineRecord(
                line=line,
                asset=asset,
                confirmed=confirmed,
                acted=acted,
                estimated=estimated,
                not_found=not_found,
                missed=missed,
                open=unanswered,
                avoided_stop_h=sums[line, asset][6],
                failure_h=stops.mean(place),
                baseline_stops=int(stops.stops[place].sum()),
            )
        )
    return tuple(found)


def alarm_shifts(rows: Iterable[LineShift]) -> AlarmShifts:
    """Reporting rows by machine; only machines that alarmed or failed."""
    found = [
        (row.line, one.asset, row.day.toordinal(), one)
        for row in rows
        for one in row.assets
        if one.confirmed + one.not_found + one.missed + one.open
    ]
    machines = tuple(sorted({(line, asset) for line, asset, _, _ in found}))
    place = {machine: number for number, machine in enumerate(machines)}
    return AlarmShifts(
        machines,
        np.array([day for _, _, day, _ in found], dtype=np.int64),
        np.array([place[line, asset] for line, asset, _, _ in found], dtype=np.int64),
        np.array([one.avoided_stop_h for *_, one in found], dtype=np.float64),
        np.array([one.acted - one.estimated for *_, one in found], dtype=np.float64),
        np.array([one.confirmed for *_, one in found], dtype=np.float64),
        np.array([one.not_found for *_, one in found], dtype=np.float64),
    )


def baseline_stops(rows: Iterable[LineShift], machines: Sequence[tuple[str, str]]) -> BaselineStops:
    """Unplanned stops of machines in the baseline's rows."""
    hours: dict[tuple[str, str], list[float]] = defaultdict(list)
    stops: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        for one in row.assets:
            if one.stop_s:
                hours[row.line, one.asset].append(one.stop_s / _SECONDS_PER_HOUR)
                stops[row.line, one.asset].append(float(one.stops))
    return BaselineStops(
        tuple(np.array(hours[machine], dtype=np.float64) for machine in machines),
        tuple(np.array(stops[machine], dtype=np.float64) for machine in machines),
    )


def detail_of(
    credit: MaintenanceCredit, machines: Sequence[MachineRecord], overlaps: Sequence[str]
) -> MaintenanceDetail:
    """What stands behind a credit."""
    confirmed, missed = (sum(getattr(one, name) for one in machines) for name in ("confirmed", "missed"))
    answered = confirmed + sum(one.not_found for one in machines)
    return MaintenanceDetail(
        machines=tuple(machines),
        gross_h=credit.gross_h,
        answering_h=credit.answering_h,
        recall=confirmed / (confirmed + missed) if confirmed + missed else None,
        precision=confirmed / answered if answered else None,
        by_history=sum(one.estimated for one in machines),
        without_history=sum(one.acted - one.estimated for one in machines if one.failure_h is None),
        overlaps=tuple(overlaps),
    )
