"""Statistics with known truth: no effect is not called one, a known effect is covered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from roi_tracker.baseline.frozen import FittedBaseline, fit_baseline
from roi_tracker.business_case import BusinessCase, Period
from roi_tracker.measurement.estimation import Estimate, cumulative, days_needed, estimate
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import scope_of

REPLICATIONS = 100


def _measure(case: BusinessCase, truth: Any, simulate: Any, index: int) -> tuple[FittedBaseline, Estimate, float]:
    sim = simulate(truth)
    line = case.benefits[index]
    scope = scope_of(line, ShiftCalendar(case.plant))
    fitted = fit_baseline(case, line, sim.observations, scope)
    assert isinstance(fitted, FittedBaseline)
    panel = panel_of(sim.observations, scope, case.periods.reporting, "ai")
    true = sim.avoided_defects if index == 0 else sim.avoided_stop_hours
    return fitted, estimate(fitted.counterfactual, panel), true


@pytest.mark.parametrize("index", [0, 1], ids=["defects", "downtime"])
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_without_an_effect_few_are_claimed(
    case: BusinessCase, simulate: Any, truth: Any, index: int, rho: float
) -> None:
    """Nominal 5 % a side; three Monte Carlo standard errors of 100 replications are 6.5 points."""
    claims = 0
    for seed in range(REPLICATIONS):
        _, found, _ = _measure(case, truth(autocorrelation=rho, seed=1000 + seed), simulate, index)
        claims += found.low > 0
    assert claims / REPLICATIONS <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / REPLICATIONS)


@pytest.mark.parametrize("index", [0, 1], ids=["defects", "downtime"])
def test_a_known_effect_is_covered_and_found(case: BusinessCase, simulate: Any, truth: Any, index: int) -> None:
    covered = found_it = 0
    error = []
    for seed in range(REPLICATIONS):
        planted = truth(defect_factor=0.7, stop_factor=0.75, autocorrelation=0.5, seed=5000 + seed)
        _, found, true = _measure(case, planted, simulate, index)
        covered += found.low <= true <= found.high
        found_it += found.low > 0
        error.append(found.avoided / true - 1)
    assert covered / REPLICATIONS >= 0.90 - 3 * np.sqrt(0.09 / REPLICATIONS)
    assert found_it / REPLICATIONS >= (0.95 if index == 0 else 0.5)
    assert abs(np.mean(error)) < 0.1


def test_recorded_rates_would_have_told_the_opposite(case: BusinessCase, simulate: Any, truth: Any) -> None:
    """True defects fall 10 %, the better inspection records more of them: the audits see through it."""
    planted = truth(defect_factor=0.9, sensitivity_before=0.6, sensitivity_after=0.99, seed=3)
    sim = simulate(planted)
    rows = sim.observations.products
    before = [row for row in rows if row.day in case.periods.baseline]
    after = [row for row in rows if row.day in case.periods.reporting]
    recorded = [sum(r.rejected or 0 for r in part) / sum(r.inspected or 0 for r in part) for part in (before, after)]
    assert recorded[1] > 1.2 * recorded[0]
    _, found, true = _measure(case, planted, simulate, 0)
    assert true > 0
    assert found.low <= true <= found.high


def test_unidentifiable_terms_are_dropped_and_listed(case: BusinessCase, simulate: Any, truth: Any) -> None:
    fitted, _, _ = _measure(case, truth(seed=2), simulate, 0)
    assert fitted.model.dropped == ("line", "season")
    assert [term.name for term in fitted.model.terms] == ["product", "shift"]


def test_the_running_total_ends_at_the_estimate(case: BusinessCase, simulate: Any, truth: Any) -> None:
    sim = simulate(truth(defect_factor=0.7, seed=4))
    line = case.benefits[0]
    scope = scope_of(line, ShiftCalendar(case.plant))
    fitted = fit_baseline(case, line, sim.observations, scope)
    assert isinstance(fitted, FittedBaseline)
    panel = panel_of(sim.observations, scope, case.periods.reporting, "ai")
    whole = estimate(fitted.counterfactual, panel)
    points = cumulative(fitted.counterfactual, panel, [panel.days[-1]])
    assert [point.interval for point in points] == ["anytime"] * 5 + ["closing"]
    assert [point.day.month for point in points] == [7, 8, 9, 10, 11, 12]
    assert points[-1].avoided == pytest.approx(whole.avoided)
    assert points[-1].low == pytest.approx(whole.low)
    assert whole.avoided == pytest.approx(whole.expected - whole.observed)
    needed = days_needed(whole, whole.avoided / whole.days)
    assert needed is not None
    assert needed < whole.days
    assert days_needed(whole, 1e-9) is None
    assert days_needed(whole, -1.0) is None


def test_on_a_day_that_nobody_registered_more_days_are_needed(case: BusinessCase, simulate: Any, truth: Any) -> None:
    """The days needed are those after which the interval's own smallest detectable effect is the projected one."""
    sim = simulate(truth(defect_factor=0.9, seed=4))
    line = case.benefits[0]
    scope = scope_of(line, ShiftCalendar(case.plant))
    fitted = fit_baseline(case, line, sim.observations, scope)
    assert isinstance(fitted, FittedBaseline)
    panel = panel_of(sim.observations, scope, case.periods.reporting, "ai")
    for interval in ("closing", "anytime"):
        found = estimate(fitted.counterfactual, panel, interval)
        per_day = found.minimum_detectable / found.days
        needed = days_needed(found, per_day * 1.000001)
        assert needed == pytest.approx(found.days, rel=0.02)
        assert days_needed(found, 2 * per_day) < needed  # type: ignore[operator]  # None would fail here as well
        assert days_needed(found, found.minimum_detectable / found.days / 1000) is None
    anytime, closing = (estimate(fitted.counterfactual, panel, one) for one in ("anytime", "closing"))
    per_day = anytime.minimum_detectable / anytime.days
    assert days_needed(closing, per_day) < days_needed(anytime, per_day)  # type: ignore[operator]  # as above


def test_a_shorter_baseline_is_less_certain(case: BusinessCase, simulate: Any, truth: Any) -> None:
    sim = simulate(truth(seed=6, autocorrelation=0.5))
    errors = []
    for days in (56, 181):
        period = Period(first=case.periods.baseline.last - timedelta(days=days - 1), last=case.periods.baseline.last)
        shorter = case.model_copy(update={"periods": case.periods.model_copy(update={"baseline": period})})
        scope = scope_of(case.benefits[1], ShiftCalendar(case.plant))
        fitted = fit_baseline(shorter, case.benefits[1], sim.observations, scope)
        assert isinstance(fitted, FittedBaseline)
        panel = panel_of(sim.observations, scope, case.periods.reporting, "ai")
        errors.append(estimate(fitted.counterfactual, panel).baseline_error)
    assert errors[0] > errors[1]
