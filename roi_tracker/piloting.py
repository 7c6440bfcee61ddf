"""What a pilot can show and whether it may start, go on or must stop: the use case over a case and a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from roi_tracker.baseline import pilot as rules
from roi_tracker.baseline.detectability import Detectability, Question, detectability, projected_per_day
from roi_tracker.baseline.frozen import FittedBaseline, Unfitted, as_before, fit_baseline
from roi_tracker.baseline.pilot import CriterionResult, LineStanding, PilotReport
from roi_tracker.baseline.unpredicted import UNPREDICTED, alarms_wanted, escapes_known
from roi_tracker.errors import CaseError
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import SUPPORTED, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.baseline.rules import Check
    from roi_tracker.business_case import BenefitLine, BusinessCase, Pilot
    from roi_tracker.measurement.estimation import IntervalKind
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.observations.rows import Observations

DEFAULT_WEEKS = 8


@dataclass(frozen=True)
class Prospect:
    """What is asked about the reporting to come.

    Attributes:
        weeks: length of the pilot.
        audits_per_week: planned audits of each product and stratum; None to go on as in the baseline.
    """

    weeks: int
    audits_per_week: float | None = None


class Piloting:
    """One case's baselines before and during its pilot."""

    def __init__(self, case: BusinessCase, observations: Observations, frozen: Sequence[FrozenBaseline]) -> None:
        self._case = case
        self._observations = observations
        self._calendar = ShiftCalendar(case.plant)
        self._frozen: Mapping[str, FrozenBaseline] = {one.fitted.benefit_id: one for one in frozen}

    @property
    def benefits(self) -> tuple[BenefitLine, ...]:
        """Benefit lines that can be measured."""
        return tuple(line for line in self._case.benefits if line.measurable and line.measure in SUPPORTED)

    def prospects(self, prospect: Prospect) -> tuple[Detectability | Unfitted, ...]:
        """What each benefit line will be able to show: on its frozen baseline, or on what would be frozen now."""
        return tuple(self._prospect(line, self._held(line), prospect) for line in self.benefits)

    def report(self, as_of: date, audits_per_week: float | None = None) -> PilotReport:
        """Plan and standing of the case's pilot.

        Args:
            as_of: day of the check, in the plant's time zone.
            audits_per_week: planned audits of each product and stratum.

        Raises:
            CaseError: the case states no pilot.
        """
        case = self._case
        if case.pilot is None:
            raise CaseError("the case has no section pilot", field="pilot", hint="add it: pilot: {weeks: 8}")
        pilot, first = case.pilot, case.periods.reporting.first
        last = first + timedelta(days=7 * pilot.weeks - 1)
        prospect = Prospect(pilot.weeks, audits_per_week)
        standings = tuple(self._standing(line, prospect, last) for line in self.benefits)
        names = rules.lines_of(line.lines for line in self.benefits)
        produced = [row.day for row in self._observations.products if row.line in names and first <= row.day < as_of]
        phase = rules.phase_of(first, last, as_of, begun=bool(produced))
        start = tuple(self._start(name, pilot, standings, names, as_of) for name in pilot.start_when)
        stop: tuple[CriterionResult, ...] = ()
        if phase != "before":
            stop = rules.stop_criteria(pilot, self._observations, names, first, min(last, as_of - timedelta(days=1)))
        return PilotReport(
            case_id=case.id,
            weeks=pilot.weeks,
            first=first,
            last=last,
            as_of=as_of,
            phase=phase,
            answer=rules.answer_of(phase, start, stop, (min(as_of, last) - first).days),
            start=start,
            stop=stop,
            lines=standings,
        )

    def _start(
        self, name: str, pilot: Pilot, standings: Sequence[LineStanding], lines: Sequence[str], as_of: date
    ) -> CriterionResult:
        criteria: dict[str, Callable[[], CriterionResult]] = {
            "baseline_frozen": lambda: rules.baseline_frozen(standings),
            "effect_detectable": lambda: rules.effect_detectable(standings, pilot.weeks),
            "audits_sufficient": lambda: rules.audits_sufficient(standings),
            "unit_values_locked": lambda: rules.unit_values_locked(standings),
            "feed_complete": lambda: rules.feed_complete(self._observations, lines, self._calendar.expected, as_of),
        }
        return criteria[name]()

    def _standing(self, line: BenefitLine, prospect: Prospect, last: date) -> LineStanding:
        current, frozen = self._current(line), self._frozen.get(line.id)
        held = frozen.fitted if frozen is not None else current
        refused = tuple(rule.rule for rule in held.checks if rule.disqualifies and not rule.passed)
        found = self._prospect(line, held, prospect)
        value = line.unit_value
        closing = held.specification.closing_dates if isinstance(held, FittedBaseline) else ()
        reads: IntervalKind = "closing" if last in closing else "anytime"
        first = self._case.periods.reporting.first
        return LineStanding(
            benefit_id=line.id,
            frozen_sha256=frozen.sha256 if frozen is not None else "",
            current_sha256=current.sha256 if isinstance(current, FittedBaseline) else "",
            refused=refused,
            unit_value_locked=value.locked and value.valid_from <= first and value.valid_to >= last,
            reads=reads,
            detectability=found if isinstance(found, Detectability) else None,
        )

    def _held(self, line: BenefitLine) -> FittedBaseline | Unfitted:
        frozen = self._frozen.get(line.id)
        return self._current(line) if frozen is None else frozen.fitted

    def _current(self, line: BenefitLine) -> FittedBaseline | Unfitted:
        scope, frozen = scope_of(line, self._calendar), self._frozen.get(line.id)
        found = fit_baseline(self._case, line, self._observations, scope)
        if frozen is None or isinstance(found, Unfitted) or found.sha256 == frozen.sha256:
            return found
        older = as_before(found, self._observations, scope, self._case.periods.baseline)
        return older if older.sha256 == frozen.sha256 else found

    def _prospect(
        self, line: BenefitLine, fitted: FittedBaseline | Unfitted, prospect: Prospect
    ) -> Detectability | Unfitted:
        if isinstance(fitted, Unfitted):
            return fitted
        if line.measure in UNPREDICTED:
            return Unfitted(line.id, (self._unpredicted(line, prospect),))
        case, scope = self._case, scope_of(line, self._calendar)
        panel = panel_of(self._observations, scope, case.periods.baseline, "previous")
        if not _describes(fitted, line, panel):
            return Unfitted(line.id, ())
        question = Question(
            first=case.periods.reporting.first,
            expected=self._calendar.expected,
            projected_per_day=projected_per_day(line, self._calendar.expected, case.go_live),
            weeks=prospect.weeks,
            audits_per_week=prospect.audits_per_week,
        )
        return detectability(fitted, panel, question)

    def _unpredicted(self, line: BenefitLine, prospect: Prospect) -> Check:
        """Why no power is told of a measure that counts what audits and findings say, and what can be told."""
        case, observations = self._case, self._observations
        if line.measure == "inspection":
            return escapes_known(
                row for row in observations.products if row.line in line.lines and row.day in case.periods.baseline
            )
        first, expected = case.periods.reporting.first, self._calendar.expected
        days = sum(expected(first + timedelta(days=number)) for number in range(7 * prospect.weeks))
        return alarms_wanted(
            (row for row in observations.line_shifts if row.line in line.lines and row.day in case.periods.baseline),
            projected_per_day(line, expected, case.go_live) * days,
            prospect.weeks,
        )


def _describes(fitted: FittedBaseline, line: BenefitLine, panel: Panel) -> bool:
    """Whether a baseline is still one of what the case now names; measuring says what changed since the freezing."""
    frozen, covariates = fitted.specification, {one.name for one in fitted.model.numerics}
    asked = (line.measure, line.lines, panel.family, panel.terms)
    same = (frozen.measure, frozen.lines, frozen.family, frozen.terms) == asked
    return bool(panel.days) and same and covariates <= set(panel.covariates.names)


def prospect_of(case: BusinessCase, weeks: int | None, audits_per_week: float | None) -> Prospect:
    """The case's pilot, unless another length is asked for."""
    stated = case.pilot.weeks if case.pilot is not None else DEFAULT_WEEKS
    return Prospect(weeks or stated, audits_per_week)
