"""The counterfactual's baseline: fitted on the baseline period only, then frozen under a hash.

The hash covers data, specification and unit value in canonical JSON; whoever changes one of them afterwards gets
another hash, and the measurement refuses.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.baseline import sufficiency
from roi_tracker.baseline.computing import FAILURES, finite_model, not_computed
from roi_tracker.baseline.panel_data import data_digest, whole_rows_digest
from roi_tracker.baseline.sufficiency import Check
from roi_tracker.measurement.estimation import CONFIDENCE, BaselineFloor, Counterfactual
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.panel import Family
from roi_tracker.measurement.placebo import Placebo, placebo_in_time, usable
from roi_tracker.measurement.regression import Model, fit

if TYPE_CHECKING:
    from roi_tracker.business_case import BenefitLine, BusinessCase, Period
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations

SPECIFICATION_VERSION = 4
"""Raised whenever the same data would give another model."""


class Specification(msgspec.Struct, frozen=True):
    """What is fitted to what, and how it will be measured; part of the hash.

    Attributes:
        measurement: hash of the registered measurement plan without its closing dates.
        closing_dates: days on which the ordinary interval may be read; the end of the reporting period as planned at
            the freeze where none were registered.
    """

    version: int
    measure: str
    lines: tuple[str, ...]
    family: Family
    terms: tuple[str, ...]
    first: date
    last: date
    time_zone: str
    shifts: tuple[str, ...]
    measurement: str = ""
    closing_dates: tuple[date, ...] = ()


class FittedBaseline(msgspec.Struct, frozen=True):
    """A baseline that was fitted and may still be refused.

    Attributes:
        total_outcome, total_exposure: of the baseline's rows, in physical units and parts or hours.
        volume_low, volume_high: smallest and greatest daily exposure.
        checks: rules on baseline data and model, failed ones included.
        data_sha256: hash of what the measure read (`panel_data`); of whole rows in those frozen by older versions.
    """

    case_id: str
    benefit_id: str
    specification: Specification
    model: Model
    placebo: Placebo | None
    floor: BaselineFloor
    days: int
    total_outcome: float
    total_exposure: float
    volume_low: float
    volume_high: float
    checks: tuple[Check, ...]
    data_sha256: str
    unit_value_sha256: str

    @property
    def counterfactual(self) -> Counterfactual:
        """What measuring needs."""
        return Counterfactual(self.model, self.floor, self.placebo.inflation if self.placebo else 1.0)

    @property
    def sha256(self) -> str:
        """Hash over everything above."""
        return digest(self)


class FrozenBaseline(msgspec.Struct, frozen=True):
    """A fitted baseline that can no longer change.

    Attributes:
        sha256: hash of `fitted`.
        frozen_at: when, aware UTC; outside the hash.
        reason: why it took the place of another one after go-live; empty for one frozen in time.
    """

    fitted: FittedBaseline
    sha256: str
    frozen_at: datetime
    reason: str = ""


class Unfitted(msgspec.Struct, frozen=True):
    """No baseline could be fitted; the failed checks say why."""

    benefit_id: str
    checks: tuple[Check, ...]


def digest(value: object) -> str:
    """sha256 over canonical JSON: keys sorted, no spaces, shortest floats.

    >>> digest((1, "a"))[:8]
    '20109453'
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def unit_value_digest(line: BenefitLine) -> str:
    """Hash of a line's unit value as stated in the case."""
    return digest(line.unit_value.model_dump(mode="json"))


def specification_of(case: BusinessCase, line: BenefitLine, panel: Panel) -> Specification:
    """What would be fitted for a benefit line of a case."""
    return Specification(
        version=SPECIFICATION_VERSION,
        measure=line.measure,
        lines=line.lines,
        family=panel.family,
        terms=panel.terms,
        first=case.periods.baseline.first,
        last=case.periods.baseline.last,
        time_zone=case.plant.time_zone,
        measurement=digest(line.measurement.model_dump(mode="json", exclude={"closing_dates", "ended_streams"})),
        closing_dates=line.measurement.closing_dates or (case.periods.reporting.last,),
        shifts=tuple(f"{s.label} {s.start.isoformat()}-{s.end.isoformat()}" for s in case.plant.shifts),
    )


def fit_baseline(
    case: BusinessCase, line: BenefitLine, observations: Observations, scope: Scope
) -> FittedBaseline | Unfitted:
    """Fit the baseline of one benefit line, or say what its data lacks."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is no number fails a rule of its own
            return _fitted(case, line, observations, scope)
    except FAILURES as failure:
        return Unfitted(line.id, (not_computed("baseline", failure),))


def as_before(fitted: FittedBaseline, observations: Observations, scope: Scope, period: Period) -> FittedBaseline:
    """The same baseline as older versions froze it, under a hash of whole rows; that is no other baseline."""
    return msgspec.structs.replace(fitted, data_sha256=whole_rows_digest(observations, scope, period))


def unfittable(observations: Observations, scope: Scope, period: Period) -> tuple[Check, ...]:
    """Why a line has no baseline, where it is that arithmetic fails on its data."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            panel = panel_of(observations, scope, period, "previous")
            found = finite_model(fit(panel)) if usable(panel) else None
    except FAILURES as failure:
        return (not_computed("baseline", failure),)
    return () if found is None or found.passed else (found,)


def _fitted(
    case: BusinessCase, line: BenefitLine, observations: Observations, scope: Scope
) -> FittedBaseline | Unfitted:
    period = case.periods.baseline
    panel = panel_of(observations, scope, period, "previous")
    checks = sufficiency.data_checks(panel, observations, scope, period, "baseline")
    checks += sufficiency.mode_checks(observations, scope, period, case.periods.reporting)[:1]
    if not usable(panel):
        return Unfitted(line.id, tuple(checks))
    model = fit(panel)
    finite = finite_model(model)
    if not finite.passed:
        return Unfitted(line.id, (*checks, finite))
    placebo = placebo_in_time(observations, scope, period)
    checks += sufficiency.model_checks(model, placebo, len(panel.days))
    down, up = (0.0, 0.0) if panel.ruler is None else panel.ruler.margins(CONFIDENCE)
    total = float(panel.outcome.sum())
    daily = panel.by_day(np.where(panel.treated, panel.exposure, 0.0))
    return FittedBaseline(
        case_id=case.id,
        benefit_id=line.id,
        specification=specification_of(case, line, panel),
        model=model,
        placebo=placebo,
        floor=BaselineFloor(down / total, up / total),
        days=len(panel.days),
        total_outcome=float(panel.outcome[panel.treated].sum()),
        total_exposure=float(panel.exposure[panel.treated].sum()),
        volume_low=float(daily.min()),
        volume_high=float(daily.max()),
        checks=tuple(checks),
        data_sha256=data_digest(observations, scope, period),
        unit_value_sha256=unit_value_digest(line),
    )
