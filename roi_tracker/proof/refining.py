"""What each measure adds to the general measurement against its frozen baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.baseline.sufficiency import Check, RuleName, check
from roi_tracker.measurement.estimation import CONFIDENCE, Counterfactual, Measurement
from roi_tracker.measurement.measures.downtime import DowntimeDetail, StopChange, hour_value_of, stop_change
from roi_tracker.measurement.measures.energy import (
    LARGEST_CV_RMSE,
    LARGEST_NMBE,
    EnergyDetail,
    WidenedByGuideline,
    fit_of,
    savings_error,
)
from roi_tracker.measurement.measures.energy_billing import (
    FEWEST_LEFT,
    FEWEST_MONTHS,
    BillingMeasurement,
    monthly,
    whole_months,
)
from roi_tracker.measurement.measures.kpi import Gained, KpiDetail
from roi_tracker.measurement.measures.labour import COUNTING, LabourDetail, hours_became
from roi_tracker.measurement.panels.downtime import all_stops, stop_count
from roi_tracker.measurement.panels.energy import UNITS
from roi_tracker.measurement.placebo import MINIMUM_MEASURED_DAYS, placebo_of, usable
from roi_tracker.measurement.regression import fit, predict
from roi_tracker.proof.comparing import Evidence, comparison_of
from roi_tracker.proof.inspecting import quality_refined
from roi_tracker.proof.maintaining import maintenance_refined
from roi_tracker.proof.refinement import Ground, Refined, as_caveats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roi_tracker.case.benefits import Measure
    from roi_tracker.measurement.estimation import Estimate
    from roi_tracker.measurement.measures.energy import EnergyFit, ReadingPeriod
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.readings import DirectSource

_BY_MONTH: frozenset[RuleName] = frozenset(
    {"placebo", "no_trend", "drift_explains_less", "covariates_in_range", "known_levels"}
)
"""Rules that ask days what only a month knows; months have rules of their own."""
_FEWEST_FITTED = 6
"""Months from which on there is a fit to show, though not to claim by."""
NEW_PRODUCT = 0.01
"""Share of the units from which on a product the baseline never made spoils the prediction."""


def refine(ground: Ground, measurement: Measurement | None, checks: Sequence[Check]) -> Refined:
    """Let the line's measure have its say.

    Args:
        ground: what there is to look at.
        measurement: against the frozen baseline; None where nothing could be compared.
        checks: rules asked so far.
    """
    own, plain = ground.line.measure, Refined(list(checks), measurement)
    if own == "inspection":
        return quality_refined(ground, checks)
    if own == "maintenance":
        return maintenance_refined(ground, checks)
    if own == "energy":
        return _energy(ground, measurement, plain)
    further = _FURTHER.get(own)
    return plain if measurement is None or further is None else further(ground, measurement, plain)


# ---- downtime ----


def _downtime(ground: Ground, measurement: Measurement, plain: Refined) -> Refined:
    """Claim what planned and unplanned stops together show, where that is less."""
    own = measurement.whole("closing")
    together = _against(ground, all_stops(ground.observations, ground.scope), placebo=True)
    everything = None if together is None else together.whole("closing")
    smaller = together is not None and everything is not None and everything.avoided < own.avoided
    said = hour_value_of(ground.line.unit_value.source)
    checks = [*plain.checks, _total_check(own, everything), *_hour_checks(ground, said)]
    detail = DowntimeDetail(
        unplanned=own,
        all_stops=everything,
        counted="all_stops" if smaller else "unplanned",
        change=_stop_change(ground, own),
        hour_value=said,
    )
    return replace(plain, checks=checks, measurement=together if smaller else measurement, detail=detail)


def _total_check(own: Estimate, everything: Estimate | None) -> Check:
    """A saving must still be one when planned stops are counted as well; a harm needs no such proof."""
    return check(
        "total_stops_fell",
        "reporting",
        passed=everything is not None and (everything.low > 0 or own.low <= 0),
        disqualifies=everything is not None,
        unplanned_avoided=own.avoided,
        all_avoided=everything.avoided if everything is not None else "-",
        all_low=everything.low if everything is not None else "-",
    )


def _hour_checks(ground: Ground, said: str) -> list[Check]:
    """An hour at contribution margin needs a bottleneck; whether there is one has to be said."""
    bottleneck = ground.line.measurement.bottleneck
    passed = said != "contribution_margin" or bottleneck is True
    checks = [
        check(
            "hour_value_fits",
            "reporting",
            passed=passed and said != "not_said",
            disqualifies=not passed and bottleneck is False,
            valued_at=said,
            bottleneck="-" if bottleneck is None else str(bottleneck).lower(),
        )
    ]
    if bottleneck is None:
        checks.append(check("bottleneck_stated", "reporting", passed=False, disqualifies=False, valued_at=said))
    return checks


def _against(ground: Ground, source: DirectSource, *, placebo: bool) -> Measurement | None:
    """The same design on other readings of the same lines; the baseline's data are those that were frozen.

    Args:
        ground: of the line.
        source: the other readings.
        placebo: whether the interval matters, and so the placebo test that widens it.
    """
    baseline, reporting = source.panel(ground.case.periods.baseline), source.panel(ground.period)
    if not usable(baseline) or len(reporting.days) < MINIMUM_MEASURED_DAYS:
        return None
    tested = placebo_of(source, ground.case.periods.baseline) if placebo else None
    like = Counterfactual(fit(baseline), ground.fitted.counterfactual.floor, tested.inflation if tested else 1.0)
    evidence = Evidence(ground.scope, ground.observations, baseline, reporting)
    contrast = comparison_of(ground.case, ground.line, like, evidence).contrast
    return Measurement(like, contrast) if contrast.days else None


def _stop_change(ground: Ground, own: Estimate) -> StopChange | None:
    stops = _against(ground, stop_count(ground.observations, ground.scope), placebo=False)
    if stops is None:
        return None
    counted = stops.whole("closing")
    return stop_change(own.expected, own.observed, counted.expected, counted.observed)


# ---- energy ----


def _energy(ground: Ground, measurement: Measurement | None, plain: Refined) -> Refined:
    if ground.line.measurement.energy_readings == "billing":
        return _billing(ground, plain)
    if measurement is None:
        return replace(plain, method="energy_regression")
    panel, model = ground.baseline, ground.fitted.model
    parameters = sum(1 for value in model.coefficients if value)
    found = fit_of(panel.by_day(panel.outcome), panel.by_day(predict(model, panel).rows), parameters)
    widened = WidenedByGuideline(measurement, found, CONFIDENCE)
    whole = widened.whole("closing")
    checks = [*plain.checks, _fit_check(found), _mix_check(ground)]
    detail = _energy_detail(found, whole, whole.days, "daily")
    return Refined(checks, widened, detail, "energy_regression")


def _billing(ground: Ground, plain: Refined) -> Refined:
    baseline = whole_months(ground.baseline, ground.case.periods.baseline)
    reporting = whole_months(ground.reporting, ground.period)
    checks = [rule for rule in as_caveats(plain.checks, _BY_MONTH) if rule.rule != "conditions_settle"]
    months, measurement = len({day.replace(day=1) for day in baseline.days}), None
    if months >= _FEWEST_FITTED and baseline.outcome.sum() > 0 and reporting.days:
        measurement = BillingMeasurement(baseline, reporting)
    left = measurement.left if measurement is not None else 0
    enough = months >= FEWEST_MONTHS and left >= FEWEST_LEFT
    checks.append(check("bills_suffice", "baseline", passed=enough, months=months, required=FEWEST_MONTHS, left=left))
    if measurement is None:
        return Refined(checks, None, None, "energy_regression")
    checks += [_fit_check(measurement.fit), _mix_check(ground), _bills_in_range(measurement, monthly(reporting))]
    whole = measurement.whole("closing")
    detail = _energy_detail(measurement.fit, whole, len(measurement.months), "billing")
    return Refined(checks, measurement, detail, "energy_regression")


def _energy_detail(found: EnergyFit, whole: Estimate, readings: int, period: ReadingPeriod) -> EnergyDetail:
    error = savings_error(found, whole.expected, readings, CONFIDENCE, period)
    return EnergyDetail(
        fit=found,
        savings=whole.avoided,
        fractional_savings=whole.relative,
        uncertainty=error / abs(whole.avoided) if whole.avoided else None,
        period=period,
    )


def _fit_check(found: EnergyFit) -> Check:
    return check(
        "energy_fit",
        "baseline",
        passed=found.cv_rmse <= LARGEST_CV_RMSE and abs(found.nmbe) <= LARGEST_NMBE,
        disqualifies=False,
        cv_rmse=found.cv_rmse,
        cv_limit=LARGEST_CV_RMSE,
        nmbe=found.nmbe,
        nmbe_limit=LARGEST_NMBE,
    )


def _mix_check(ground: Ground) -> Check:
    """A product that the baseline never made uses energy that nobody knows."""
    panel, known = ground.reporting, {numeric.name for numeric in ground.fitted.model.numerics}
    made = panel.exposure @ panel.covariates.values if len(panel.exposure) else np.zeros(0)
    units = {name: float(n) for name, n in zip(panel.covariates.names, made, strict=False) if name.startswith(UNITS)}
    baseline = ground.baseline
    before = baseline.exposure @ baseline.covariates.values if len(baseline.exposure) else np.zeros(0)
    never = {name for name, n in zip(baseline.covariates.names, before, strict=False) if n <= 0}
    total = sum(units.values())
    new = [name for name, n in units.items() if name in never - known and n > NEW_PRODUCT * total]
    return check(
        "product_mix_known",
        "reporting",
        passed=not new,
        products=", ".join(name.removeprefix(UNITS) for name in new) or "-",
    )


def _bills_in_range(measurement: BillingMeasurement, panel: Panel) -> Check:
    """Monthly means of every covariate within the baseline's range, widened by a tenth of its ends."""
    outside: list[str] = []
    for numeric in measurement.model.numerics:
        values = panel.covariates.values[:, panel.covariates.names.index(numeric.name)]
        low, high = (end + sign * abs(end) / 10 for end, sign in ((numeric.low, -1), (numeric.high, 1)))
        if not bool(((values >= low) & (values <= high)).all()):
            outside.append(f"{numeric.name} {values.min():g}-{values.max():g} in {numeric.low:g}-{numeric.high:g}")
    return check("bills_in_range", "reporting", passed=not outside, conditions="; ".join(outside) or "-")


# ---- labour ----


def _labour(ground: Ground, measurement: Measurement, plain: Refined) -> Refined:
    """Hours are money from the day on which the evidence holds; those before are time that was released."""
    line, found = ground.line, measurement.whole("closing")
    became, since, counting = hours_became(line.benefit_class, line.labour_evidence), None, measurement
    if became in COUNTING and line.labour_evidence is not None and line.labour_evidence.since is not None:
        since = line.labour_evidence.since
        held = measurement.since(since)
        if held is None or held.whole("closing").days < MINIMUM_MEASURED_DAYS:
            became = "not_yet"
        elif held.whole("closing").avoided < found.avoided:  # a day chosen so that worse ones fall away gains nothing
            counting = held
    units = float(ground.reporting.exposure[ground.reporting.treated].sum())
    reference = line.labour_evidence.reference if line.labour_evidence is not None else ""
    checks = [
        *plain.checks,
        check(
            "hours_accounted_for",
            "reporting",
            passed=became not in {"not_shown", "not_yet"},
            benefit_class=line.benefit_class,
            reference=reference or "-",
            since="-" if since is None else since.isoformat(),
        ),
    ]
    detail = LabourDetail(
        saved_h=found.avoided,
        released_h=found.avoided - counting.whole("closing").avoided if became in COUNTING else found.avoided,
        became=became,
        hours_per_unit_expected=found.expected / units if units else 0.0,
        hours_per_unit=found.observed / units if units else 0.0,
        reference=reference,
        since=since,
    )
    return replace(plain, checks=checks, measurement=counting, detail=detail)


# ---- indicators ----


def _kpi(ground: Ground, measurement: Measurement, plain: Refined) -> Refined:
    definition, found = ground.line.measurement.kpi, measurement.whole("closing")
    checks = [*plain.checks, check("kpi_defined", "reporting", passed=definition is not None)]
    if definition is None:
        return replace(plain, checks=checks)
    gained = definition.better == "higher"
    base = float(ground.reporting.exposure[ground.reporting.treated].sum())
    detail = KpiDetail(
        gained=gained,
        level_expected=found.expected / base if base else 0.0,
        level=found.observed / base if base else 0.0,
        unit=definition.unit,
    )
    return replace(plain, checks=checks, measurement=Gained(measurement) if gained else measurement, detail=detail)


_FURTHER: Mapping[Measure, Callable[[Ground, Measurement, Refined], Refined]] = {
    "downtime": _downtime,
    "labour": _labour,
    "kpi": _kpi,
}
