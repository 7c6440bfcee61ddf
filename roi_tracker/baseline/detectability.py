"""Whether a pilot of so many weeks can show the projected effect, how long it takes, and how many audits it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.baseline.power import Outlook, PlannedAudits, minimum_detectable, outlook_of
from roi_tracker.baseline.sufficiency import MINIMUM_REPORTING_DAYS
from roi_tracker.business_case import DAYS_PER_YEAR
from roi_tracker.measurement.ruler import MINIMUM_AUDITED
from roi_tracker.observations.rows import Inspector, Stratum

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_tracker.baseline.frozen import FittedBaseline
    from roi_tracker.business_case import BenefitLine
    from roi_tracker.measurement.estimation import IntervalKind
    from roi_tracker.measurement.panels.panel import Panel

CURVE_WEEKS = (2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 22, 26, 39, 52)
MOST_WEEKS = 156
"""Three years: who must wait longer will not."""
_DAYS_PER_WEEK = 7
_MOST_AUDITS, _FEWEST_AUDITS = 64.0, 1 / 16
"""Times as many audits as in the baseline that are tried at most and at least."""


@dataclass(frozen=True)
class Question:
    """What is asked of a baseline.

    Attributes:
        first: first day of reporting.
        expected: whether production is expected on a day.
        projected_per_day: effect that the plan promises, physical units a working day.
        weeks: length of the pilot.
        audits_per_week: planned audits of each product and stratum; None to go on as in the baseline.
    """

    first: date
    expected: Callable[[date], bool]
    projected_per_day: float
    weeks: int
    audits_per_week: float | None = None

    def days(self, weeks: int) -> int:
        """Working days of the first weeks."""
        every = (self.first + timedelta(days=number) for number in range(weeks * _DAYS_PER_WEEK))
        return sum(map(self.expected, every))


class PowerPoint(msgspec.Struct, frozen=True):
    """What a number of weeks can show, physical units over the whole time.

    Attributes:
        closing: minimum detectable effect on a registered closing date; None where the days are too few to measure.
        anytime: the same on a day that was not registered, however often somebody looks.
        projected: effect the plan promises in this time.
        expected: outcome without the programme in this time; no effect can exceed it.
    """

    weeks: int
    days: int
    closing: float | None
    anytime: float | None
    projected: float
    expected: float

    def shows(self, interval: IntervalKind) -> bool:
        """Whether the projected effect would be found at least four times in five."""
        least = self.closing if interval == "closing" else self.anytime
        return least is not None and least <= self.projected


class AuditNeed(msgspec.Struct, frozen=True):
    """Audits of one stratum.

    Attributes:
        baseline_per_week: as they were.
        planned_per_week: as they are to be.
        needed_per_week: fewest with which the pilot shows the projected effect on its closing date and the stratum's
            rate may be used at all; None where no number of audits is enough.
        per_week: parts of the stratum a week, the most there are.
        line: production line.
    """

    product: str
    inspector: Inspector
    stratum: Stratum
    baseline_per_week: float
    planned_per_week: float
    needed_per_week: float | None
    per_week: float
    line: str = ""

    @property
    def enough(self) -> bool:
        """Whether the plan suffices."""
        return self.needed_per_week is not None and self.planned_per_week >= 0.999 * self.needed_per_week


class Detectability(msgspec.Struct, frozen=True):
    """What the reporting of one benefit line will be able to show.

    Attributes:
        pilot: the length asked about.
        curve: by weeks.
        weeks_closing, weeks_anytime: shortest reporting that shows the projected effect; None: not within three years.
        audits: by product and stratum; empty where the measure needs none.
    """

    benefit_id: str
    baseline_sha256: str
    pilot: PowerPoint
    curve: tuple[PowerPoint, ...]
    weeks_closing: int | None
    weeks_anytime: int | None
    audits: tuple[AuditNeed, ...] = ()


def projected_per_day(line: BenefitLine, expected: Callable[[date], bool], go_live: date) -> float:
    """Effect that a benefit line promises on a working day of its first year, in physical units."""
    year = [go_live + timedelta(days=number) for number in range(int(DAYS_PER_YEAR))]
    share = sum(map(expected, year)) / len(year)
    return float(line.projected_units_per_year * line.ramp(0) / DAYS_PER_YEAR) / share if share else 0.0


def detectability(fitted: FittedBaseline, baseline: Panel, question: Question) -> Detectability:
    """Answer a question before go-live.

    Args:
        fitted: the baseline, best as frozen.
        baseline: the panel it was fitted on.
        question: what is planned.
    """
    outlook = _planned(outlook_of(fitted.counterfactual, baseline), baseline, question)
    curve = tuple(_point(outlook, question, weeks) for weeks in CURVE_WEEKS)
    return Detectability(
        benefit_id=fitted.benefit_id,
        baseline_sha256=fitted.sha256,
        pilot=_point(outlook, question, question.weeks),
        curve=tuple(point for point in curve if point.closing is not None),
        weeks_closing=_weeks_needed(outlook, question, "closing"),
        weeks_anytime=_weeks_needed(outlook, question, "anytime"),
        audits=_audits(outlook, baseline, question),
    )


def _planned(outlook: Outlook, baseline: Panel, question: Question) -> Outlook:
    if question.audits_per_week is None:
        return outlook
    per_day = question.audits_per_week / _working_days_per_week(baseline)
    planned = tuple(
        PlannedAudits(one.population, min(per_day, one.population), one.defective, one.rate) for one in outlook.before
    )
    return Outlook(outlook.counterfactual, outlook.expected, outlook.gradient, outlook.noise, outlook.before, planned)


def _working_days_per_week(baseline: Panel) -> float:
    """Measured days a week in the baseline."""
    span = (baseline.days[-1] - baseline.days[0]).days + 1
    return _DAYS_PER_WEEK * len(baseline.days) / span


def _point(outlook: Outlook, question: Question, weeks: int) -> PowerPoint:
    days = question.days(weeks)
    enough = days >= MINIMUM_REPORTING_DAYS
    return PowerPoint(
        weeks=weeks,
        days=days,
        closing=minimum_detectable(outlook, days, "closing") if enough else None,
        anytime=minimum_detectable(outlook, days, "anytime") if enough else None,
        projected=question.projected_per_day * days,
        expected=outlook.expected_per_day * days,
    )


def _weeks_needed(outlook: Outlook, question: Question, interval: IntervalKind) -> int | None:
    """Shortest reporting by halving: the more days, the smaller the effect a day that shows."""

    def shows(weeks: int) -> bool:
        days = question.days(weeks)
        enough = days >= MINIMUM_REPORTING_DAYS
        return enough and minimum_detectable(outlook, days, interval) <= question.projected_per_day * days

    low, high = 0, 1
    while not shows(high):
        if high == MOST_WEEKS:
            return None
        low, high = high, min(2 * high, MOST_WEEKS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


def _audits(outlook: Outlook, baseline: Panel, question: Question) -> tuple[AuditNeed, ...]:
    if not outlook.before:
        return ()
    days = question.days(question.weeks)
    promised = question.projected_per_day * days
    factor = _audit_factor(outlook, days, promised) if days >= MINIMUM_REPORTING_DAYS else None
    per_week = _working_days_per_week(baseline)
    found: list[AuditNeed] = []
    for was, plan in zip(outlook.before, outlook.planned, strict=True):
        needed = None
        if factor is not None:
            fewest = min(MINIMUM_AUDITED / days, was.population)
            needed = per_week * min(was.population, max(was.audited * factor, fewest))
        found.append(
            AuditNeed(
                product=was.rate.key.product,
                inspector=was.rate.key.inspector,
                stratum=was.rate.key.stratum,
                baseline_per_week=was.audited * per_week,
                planned_per_week=plan.audited * per_week,
                needed_per_week=needed,
                per_week=was.population * per_week,
                line=was.rate.key.line,
            )
        )
    return tuple(found)


def _audit_factor(outlook: Outlook, days: int, promised: float) -> float | None:
    """Times as many audits as in the baseline with which the pilot just shows what is promised."""

    def shows(factor: float) -> bool:
        return minimum_detectable(outlook.audited(factor), days, "closing") <= promised

    low, high = _FEWEST_AUDITS, _MOST_AUDITS
    if not shows(high):
        return None
    if shows(low):
        return low
    while high / low > 1.01:  # noqa: PLR2004 - to one per cent
        middle = (low * high) ** 0.5
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high
