"""The product's own measurement of a simulated plant: its panels, frozen fit, placebo, rules and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.laboratory.peers import Claim
from roi_tracker.baseline.sufficiency import TREND_CONFIDENCE, check, model_checks, range_checks
from roi_tracker.case.plant import Period
from roi_tracker.measurement.designs.comparison import as_marked
from roi_tracker.measurement.designs.shrinkage import against, levels_of, shrink, shrunk
from roi_tracker.measurement.designs.synthetic import FEWEST_CONTROLS, synthetic_control
from roi_tracker.measurement.drift import drift_of
from roi_tracker.measurement.estimation import CONFIDENCE, BaselineFloor, Counterfactual, Measurement, before_and_after
from roi_tracker.measurement.panels.panel import Covariates, Factor, Panel
from roi_tracker.measurement.panels.readings import DirectSource, Readings
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.measurement.placebo import placebo_of
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import fit, trend_of

if TYPE_CHECKING:
    from benchmarks.laboratory.plants import Plant
    from roi_tracker.baseline.sufficiency import Check
    from roi_tracker.measurement.estimation import IntervalKind
    from roi_tracker.measurement.panels.readings import Source

FIRST = date(2025, 1, 6)
PROJECTED = 0.30
"""Reduction that every simulated plan projects; a measurement too weak to show it claims nothing."""


@dataclass(frozen=True)
class Measured:
    """One plant measured by the product.

    Attributes:
        refused: rules of baseline and reporting data that failed.
    """

    measurement: Measurement
    refused: tuple[str, ...]
    days: int

    def claim(self, interval: IntervalKind = "closing", days: int | None = None) -> Claim:
        """What the product says after some days of reporting."""
        found = self.measurement.up_to(self.days if days is None else days, interval)
        refused = self.refused
        weak = self.weakest
        if not refused and weak:
            refused = ("effect_detectable",)
        return Claim(found.low > 0 and not refused, found.low, found.high, found.avoided, refused)

    @cached_property
    def weakest(self) -> bool:
        """Whether the measurement would miss what the plan projects."""
        found = self.measurement.whole("closing")
        return found.minimum_detectable > PROJECTED * found.expected


def readings_of(plant: Plant) -> DirectSource:
    """The plant as the tracker reads it: one row a day, line and product."""
    days, lines, products = plant.parts.shape
    shape = (days, lines, products)
    rows = np.broadcast_to(plant.present[:, None, None], shape).ravel()
    day, line, product = (axis.ravel()[rows] for axis in np.indices(shape))
    names = tuple(f"line-{k:02d}" for k in range(lines))
    line_factor = Factor("line", names, line)
    readings = Readings(
        family="ratio",
        day=(FIRST.toordinal() + day).astype(np.int64),
        line=line_factor,
        shift=Factor("shift", ("day",), np.zeros(len(day), dtype=np.int64)),
        factors=(line_factor, Factor("product", tuple(f"p{k}" for k in range(products)), product)),
        exposure=plant.parts.ravel()[rows].astype(np.float64),
        outcome=plant.defects.ravel()[rows].astype(np.float64),
        covariates=Covariates.none(len(day)),
    )
    treated = names[: plant.world.treated]
    scope = Scope(
        measure="defects",
        lines=names,
        expected=lambda _: True,
        shifts_per_day=1,
        treated_lines=treated if lines > len(treated) else (),
    )
    return DirectSource(readings, scope)


def periods_of(plant: Plant) -> tuple[Period, Period]:
    """Baseline and reporting; nothing is commissioned here."""
    live = FIRST + timedelta(days=plant.world.baseline_days)
    baseline = Period(first=FIRST, last=live - timedelta(days=1))
    return baseline, Period(first=live, last=live + timedelta(days=plant.world.reporting_days - 1))


def series(plant: Plant) -> Measured:
    """Interrupted time series of the treated lines on their frozen baseline."""
    alone = plant.alone()
    return measured(readings_of(alone), periods_of(alone))


def with_controls(plant: Plant) -> Measured:
    """Compared with control lines: the difference, or a mixture where lines drifted apart before."""
    return measured(readings_of(plant), periods_of(plant))


def with_shrinkage(plant: Plant) -> Measured:
    """Lines chosen because they were bad: the luck of their baseline is taken back first."""
    alone = plant.alone()
    return measured(readings_of(alone), periods_of(alone), readings_of(plant))


def with_controls_and_shrinkage(plant: Plant) -> Measured:
    """The same, compared with the lines that were not chosen."""
    return measured(readings_of(plant), periods_of(plant), readings_of(plant))


def measured(source: Source, periods: tuple[Period, Period], chosen_from: DirectSource | None = None) -> Measured:
    """Measure as the tracker does: frozen fit, placebo, rules on data, design, rules on the design.

    Args:
        source: the lines that are measured and those they are compared with.
        periods: baseline and reporting.
        chosen_from: all lines of the plant, where the treated ones were chosen because they were bad.
    """
    baseline, reporting = periods
    before, after = source.panel(baseline), source.panel(reporting)
    counterfactual, checks = _frozen(source, before, baseline)
    model, limit = counterfactual.model, student_quantile(TREND_CONFIDENCE, counterfactual.model.dof)
    checks += _ranges(counterfactual, before, after)
    treated, donors = before.line.where(before.treated).seen, before.line.where(~before.treated).seen
    if not donors:
        contrast = before_and_after(counterfactual, after)
    elif abs(model.trend_t) > limit and len(donors) >= FEWEST_CONTROLS:
        contrast = synthetic_control(model, before, after, treated, donors)
        checks = [rule for rule in checks if rule.rule != "no_trend"]
    else:
        contrast = as_marked(model, before, after)
    if donors:
        alike = abs(trend_of(contrast.baseline_noise)) <= limit
        checks.append(check("control_lines_comparable", "baseline", passed=alike))
    if chosen_from is not None:
        levels = levels_of(chosen_from.panel(baseline))
        own, others = shrink(levels, treated), shrink(levels, donors)
        checks.append(check("regression_to_the_mean", "baseline", passed=own is not None))
        if own is not None:
            contrast = shrunk(contrast, own if others is None else against(own, others))
    explained = drift_of(contrast, before.days, model.dof).explains
    checks.append(check("drift_explains_less", "reporting", passed=not explained))
    refused = tuple(rule.rule for rule in checks if rule.disqualifies and not rule.passed)
    return Measured(Measurement(counterfactual, contrast), refused, len(contrast.days))


def _frozen(source: Source, before: Panel, baseline: Period) -> tuple[Counterfactual, list[Check]]:
    model, placebo = fit(before), placebo_of(source, baseline)
    down, up = (0.0, 0.0) if before.ruler is None else before.ruler.margins(CONFIDENCE)
    total = float(before.outcome.sum())
    floor = BaselineFloor(down / total, up / total)
    inflation = placebo.inflation if placebo else 1.0
    return Counterfactual(model, floor, inflation), model_checks(model, placebo, len(before.days))


def _ranges(counterfactual: Counterfactual, before: Panel, after: Panel) -> list[Check]:
    daily = before.by_day(np.where(before.treated, before.exposure, 0.0))
    return range_checks(counterfactual.model, (float(daily.min()), float(daily.max())), after)
