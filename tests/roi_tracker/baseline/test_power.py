"""At the minimum detectable effect, four of five simulated measurements find it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from roi_tracker.baseline.power import Outlook, PlannedAudits, minimum_detectable, outlook_of
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, estimate
from roi_tracker.measurement.regression import fit
from roi_tracker.measurement.ruler import StratumKey, StratumRate

if TYPE_CHECKING:
    from roi_tracker.measurement.estimation import IntervalKind
    from roi_tracker.measurement.panels.panel import Panel

REPLICATIONS = 400
THREE_STANDARD_ERRORS = 3 * (0.8 * 0.2 / REPLICATIONS) ** 0.5
BASELINE_DAYS, REPORTING_DAYS = 90, 42


def conditions(rng: np.random.Generator, days: int, rho: float) -> np.ndarray:
    shocks = rng.normal(size=days) * np.sqrt(1 - rho**2)
    found = np.empty(days)
    found[0] = rng.normal()
    for day in range(1, days):
        found[day] = rho * found[day - 1] + shocks[day]
    return found


def without_programme(family: str, rng: np.random.Generator, rho: float) -> np.ndarray:
    latent = conditions(rng, BASELINE_DAYS + REPORTING_DAYS, rho)
    return 100 + 10 * latent if family == "linear" else rng.poisson(30 * np.exp(0.2 * latent - 0.02)).astype(float)


def with_programme(family: str, rng: np.random.Generator, outcome: np.ndarray, outlook: Outlook, mde: float) -> Any:
    """Take the effect off every day: a fixed amount, or each event with the same chance."""
    per_day = mde / REPORTING_DAYS
    if family == "linear":
        return outcome - per_day
    return rng.binomial(outcome.astype(int), 1 - per_day / outlook.expected_per_day).astype(float)


@pytest.mark.parametrize(
    ("family", "rho", "interval"),
    [("rate", 0.0, "closing"), ("rate", 0.5, "closing"), ("linear", 0.0, "anytime"), ("linear", 0.5, "anytime")],
)
def test_power_at_the_minimum_detectable_effect(
    make_panel: Any, family: str, rho: float, interval: IntervalKind
) -> None:
    """The tool's own figure, planted in each replication, is found in 80 % of them."""
    found = 0
    for seed in range(REPLICATIONS):
        rng = np.random.default_rng(90_000 + seed)
        outcome = without_programme(family, rng, rho)
        two = family == "linear"
        baseline = make_panel(family, outcome[:BASELINE_DAYS], two_shifts=two)
        counterfactual = Counterfactual(fit(baseline), BaselineFloor(), 1.0)
        outlook = outlook_of(counterfactual, baseline)
        mde = minimum_detectable(outlook, REPORTING_DAYS, interval)
        later = baseline.days[-1] + timedelta(days=1)
        reported = with_programme(family, rng, outcome[BASELINE_DAYS:], outlook, mde)
        reporting = make_panel(family, reported, first=later, two_shifts=two)
        found += estimate(counterfactual, reporting, interval).low > 0
    assert found / REPLICATIONS == pytest.approx(0.8, abs=THREE_STANDARD_ERRORS)


@pytest.fixture(name="outlook")
def _outlook(make_panel: Any) -> Outlook:
    rng = np.random.default_rng(7)
    baseline: Panel = make_panel("rate", rng.poisson(30, BASELINE_DAYS))
    return outlook_of(Counterfactual(fit(baseline), BaselineFloor(), 1.0), baseline)


def test_longer_shows_a_smaller_share_and_an_unregistered_day_a_larger_one(outlook: Outlook) -> None:
    shares = [minimum_detectable(outlook, days, "closing") / days for days in (14, 28, 56, 112)]
    assert shares == sorted(shares, reverse=True)
    for days in (14, 56):
        assert minimum_detectable(outlook, days, "anytime") > minimum_detectable(outlook, days, "closing")


def test_the_placebo_factor_widens_what_is_needed_by_itself(outlook: Outlook) -> None:
    doubled = replace(outlook, counterfactual=Counterfactual(outlook.counterfactual.model, BaselineFloor(), 2.0))
    plain = minimum_detectable(outlook, 56, "closing")
    assert minimum_detectable(doubled, 56, "closing") == pytest.approx(2 * plain, rel=1e-3)


def stratum(population: float, audited: float, defective: float) -> PlannedAudits:
    rate = StratumRate(StratumKey("p", "previous", "PASS"), 90_000, 9_000, 180)
    return PlannedAudits(population, audited, defective, rate)


def test_the_variance_of_a_days_audit_by_hand() -> None:
    """1000 parts, 100 looked at, 2 % defective: 1000^2 x 0.02 x 0.98 / 100 x (1 - 0.1) = 176.4."""
    assert stratum(1000, 100, 0.02).day_variance == pytest.approx(176.4)
    assert stratum(1000, 1000, 0.02).day_variance == 0.0
    counted = stratum(1000, 100, 0.02).over(56)
    assert (counted.population, counted.audited, counted.defects_found) == (56_000, 5_600, 112)


def test_audits_are_exchanged_in_the_noise(outlook: Outlook) -> None:
    """Fewer audits than in the baseline add their difference in variance; none added is the baseline's own noise."""
    was, fewer = stratum(100, 50, 0.1), stratum(100, 25, 0.1)
    same = replace(outlook, before=(was,), planned=(was,))
    assert same.after_variance == pytest.approx(outlook.before_variance)
    thinner = replace(outlook, before=(was,), planned=(fewer,))
    # 100^2 x 0.09 / 25 x 0.75 - 100^2 x 0.09 / 50 x 0.5 = 27 - 9
    assert thinner.after_variance == pytest.approx(outlook.before_variance + 18.0)
    assert minimum_detectable(thinner, 28, "closing") > minimum_detectable(same, 28, "closing")


def test_audits_never_exceed_the_parts() -> None:
    many = Outlook(
        Counterfactual(None, BaselineFloor(), 1.0),  # type: ignore[arg-type]  # no model is asked for audits
        np.ones(1),
        np.ones((1, 1)),
        np.ones(1),
        (stratum(100, 50, 0.1),),
    ).audited(8.0)
    assert many.planned[0].audited == 100
