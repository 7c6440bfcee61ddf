from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roi_tracker.business_case import MeasurementPlan, Period
from roi_tracker.measurement.measures.energy import EnergyDetail, EnergyFit, fit_of, savings_error
from roi_tracker.measurement.measures.energy_billing import monthly
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import Amount
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import FIRST, Bench, failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench, Place

PLAN = MeasurementPlan(covariates=("degree_days",))


def test_the_guideline_by_hand_for_bills() -> None:
    """ASHRAE Guideline 14 with CalTRACK 4.3.2.4's billing coefficients, step by step.

    12 months of bills, 2 parameters, CV(RMSE) 5 %, rho 0.2; 12 reporting months of 100 000 kWh expected each:
    n' = 12 x 0.8 / 1.2 = 8; n / n' = 1.5; 1 + 2 / n' = 1.25; 1.5 x 1.25 / 12 = 0.15625, its root 0.3952847.
    -0.00022 x 144 + 0.03306 x 12 + 0.94054 = 1.30558. t(10 degrees, 95 %) = 1.8124611.
    1.8124611 x 1.30558 x 0.05 x 0.3952847 = 4.676839 % of 1 200 000 kWh.
    """
    fit = EnergyFit(readings=12, parameters=2, mean=1e5, cv_rmse=0.05, nmbe=0.0, autocorrelation=0.2)
    assert fit.independent_readings == pytest.approx(8)
    assert savings_error(fit, 1.2e6, 12, 0.95, "billing") == pytest.approx(0.04676839 * 1.2e6, rel=1e-6)


def test_the_guideline_by_hand_for_days() -> None:
    """365 days, 5 parameters, CV(RMSE) 10 %, rho 0.5; 90 reporting days, which are 3 months.

    n' = 365 x 0.5 / 1.5 = 121.6667; 3 x (1 + 2 / 121.6667) / 90 = 0.03388128, its root 0.1840687.
    -0.00024 x 9 + 0.03535 x 3 + 1.00286 = 1.10675. t(360 degrees, 95 %) = 1.6491.
    1.6491 x 1.10675 x 0.1 x 0.1840687 = 3.35952 %.
    """
    fit = EnergyFit(readings=365, parameters=5, mean=1000.0, cv_rmse=0.1, nmbe=0.0, autocorrelation=0.5)
    assert savings_error(fit, 90_000.0, 90, 0.95) == pytest.approx(0.0335952 * 90_000, rel=1e-4)


def test_how_well_a_model_fits_by_hand() -> None:
    """Residuals -1, 1, -1, 1 on a mean of 11.5 with 2 parameters: 2^0.5 / 11.5. They alternate: rho is 0."""
    found = fit_of(np.array([10.0, 12.0, 11.0, 13.0]), np.array([11.0, 11.0, 12.0, 12.0]), 2)
    assert found.cv_rmse == pytest.approx(2**0.5 / 11.5)
    assert found.nmbe == pytest.approx(0.0)
    assert found.autocorrelation == 0.0
    low = fit_of(np.array([10.0, 12.0, 11.0, 13.0]), np.array([9.0, 11.0, 10.0, 12.0]), 2)
    assert low.nmbe == pytest.approx(4 / 2 / 11.5)


def degree_days(place: Place) -> float:
    """Cold in January, warm in July; the second half of the year mirrors the first."""
    return 12.0 + 10.0 * float(np.cos(2 * np.pi * place.number / 365))


def plant(
    seed: int,
    *,
    factor: float = 1.0,
    new_product: bool = False,
    colder: float = 0.0,
    by_month: bool = False,
    first: date = FIRST,
) -> tuple[Observations, float]:
    """A year of a base load, two products, degree days and noise, and the energy really saved.

    Args:
        seed: of the year.
        factor: energy since go-live, times what it would have been.
        new_product: product c instead of b since go-live.
        colder: degree days added since go-live.
        by_month: the meter is read once a month, and shared among its shifts.
        first: first day.
    """
    rng = np.random.default_rng(seed)
    products, made, saved = [], [], 0.0
    for place in places(first):
        a, b = int(rng.integers(200, 400)), int(rng.integers(50, 250))
        cold = degree_days(place) + (colder if place.live else 0.0) + float(rng.normal(0.0, 1.0))
        usual = 60.0 + 0.2 * a + 0.5 * b + 3.0 * cold
        used = usual * (factor if place.live else 1.0) + float(rng.normal(0.0, 15.0))
        saved += usual * (1 - factor) if place.live else 0.0
        products += [product(place, produced=a), product(place, "c" if place.live and new_product else "b", produced=b)]
        made.append((place, used, cold))
    bills: dict[tuple[int, int], list[float]] = {}
    for place, used, _ in made:
        bills.setdefault((place.day.year, place.day.month), []).append(used)
    lines = []
    for place, used, cold in made:
        read = float(np.mean(bills[place.day.year, place.day.month])) if by_month else used
        parts = (Amount("electricity", 0.8 * read), Amount("gas", 0.2 * read))
        lines.append(line_shift(place, energy_kwh=read, energy=parts, covariates=(Amount("degree_days", cold),)))
    return observed(products, lines), saved


def test_less_energy_is_realized_at_what_was_really_saved(bench: MakeBench) -> None:
    observations, saved = plant(1, factor=0.92)
    found = bench("energy", "kWh", 20_000, PLAN).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= saved <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, EnergyDetail)
    assert detail.fractional_savings == pytest.approx(0.08, abs=0.01)
    assert detail.uncertainty is not None
    error = detail.uncertainty * detail.savings
    assert found.estimate.avoided - found.estimate.low >= error - 1e-6  # never narrower than the Guideline's
    assert detail.fit.cv_rmse < 0.1
    assert abs(detail.fit.nmbe) < 1e-6
    assert found.basis.method == "energy_regression"
    assert found.months[-1].avoided == pytest.approx(found.estimate.avoided)


def test_carriers_are_measured_apart(bench: MakeBench) -> None:
    observations, saved = plant(2, factor=0.92)
    gas = PLAN.model_copy(update={"carriers": ("gas",)})
    found = bench("energy", "kWh", 4_000, gas).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= 0.2 * saved <= found.estimate.high


def test_nothing_saved_and_nothing_claimed_though_volume_and_weather_change(bench: MakeBench) -> None:
    observations, _ = plant(3)
    assert isinstance(bench("energy", "kWh", 20_000, PLAN).prove(observations), NotProven)


def test_a_new_product_and_unseen_weather_refuse(bench: MakeBench) -> None:
    observations, _ = plant(4, factor=0.9, new_product=True)
    assert "product_mix_known" in failed(bench("energy", "kWh", 20_000, PLAN).prove(observations))
    observations, _ = plant(4, factor=0.9, colder=15.0)
    assert "covariates_in_range" in failed(bench("energy", "kWh", 20_000, PLAN).prove(observations))


def test_a_half_year_of_bills_is_refused(bench: MakeBench) -> None:
    observations, _ = plant(5, factor=0.9, by_month=True)
    plan = PLAN.model_copy(update={"energy_readings": "billing"})
    found = bench("energy", "kWh", 20_000, plan).prove(observations)
    assert "bills_suffice" in failed(found)
    assert found.basis is not None
    assert isinstance(found.basis.detail, EnergyDetail)
    assert found.basis.detail.fit.readings == 6
    assert found.basis.detail.period == "billing"


@pytest.mark.parametrize("factor", [0.9, 1.0])
def test_a_year_of_bills_proves_a_saving_and_claims_none_where_there_is_none(bench: MakeBench, factor: float) -> None:
    """Days that share a bill look alike, so the rules on days are told and the months decide."""
    observations, saved = plant(6, factor=factor, by_month=True, first=date(2024, 7, 1))
    plan = PLAN.model_copy(update={"energy_readings": "billing"})
    made = bench("energy", "kWh", 25_000, plan)
    periods = made.case.periods.model_copy(update={"baseline": Period(first=date(2024, 7, 1), last=date(2025, 6, 30))})
    found = Bench(made.case.model_copy(update={"periods": periods})).prove(observations)
    if factor == 1.0:
        assert isinstance(found, NotProven)
        return
    assert isinstance(found, Realized), failed(found)
    whole = saved * 153 / 170  # July's bill tells of days before go-live, so August is the first month
    assert found.estimate.low <= whole <= found.estimate.high
    assert found.estimate.days == 153
    detail = found.basis.detail
    assert isinstance(detail, EnergyDetail)
    assert (detail.period, detail.fit.readings) == ("billing", 12)
    assert found.estimate.high - found.estimate.avoided == pytest.approx(
        savings_error(detail.fit, found.estimate.expected, 5, 0.95, "billing")
    )
    assert [point.day for point in found.months][:2] == [date(2025, 8, 31), date(2025, 9, 30)]


def scope() -> Scope:
    return Scope("energy", ("press-1",), lambda _: True, 3)


def test_a_day_adds_up_its_shifts() -> None:
    """Two of three shifts were metered: their energy adds up, units are means of a metered shift."""
    first = list(places())[:3]
    products = [product(place, produced=100 * (n + 1)) for n, place in enumerate(first)]
    lines = [line_shift(place, energy_kwh=10.0 * (n + 1)) for n, place in enumerate(first[:2])]
    lines.append(line_shift(first[2]))
    day = first[0].day
    panel = panel_of(observed(products, lines), scope(), Period(first=day, last=day), "previous")
    assert panel.exposure.tolist() == [2.0]
    assert panel.outcome.tolist() == [30.0]
    assert panel.covariates.names == ("units a",)
    assert panel.covariates.values.tolist() == [[150.0]]
    assert panel.factor("weekday").seen == ("wed",)  # 1 January 2025


def test_a_carrier_without_a_reading_is_not_measured() -> None:
    place = next(iter(places()))
    lines = [line_shift(place, energy_kwh=10.0, energy=(Amount("electricity", 10.0),))]
    own = Scope("energy", ("press-1",), lambda _: True, 1, carriers=("electricity", "gas"))
    panel = panel_of(observed([product(place, produced=5)], lines), own, Period(first=place.day, last=place.day), "ai")
    assert panel.days == ()


def test_months_add_up_days() -> None:
    observations, _ = plant(6)
    panel = panel_of(observations, scope(), Period(first=date(2025, 1, 1), last=date(2025, 3, 31)), "previous")
    found = monthly(panel)
    assert found.days == (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1))
    assert found.exposure.tolist() == [93.0, 84.0, 93.0]
    assert found.outcome.sum() == pytest.approx(panel.outcome.sum())
    assert (found.exposure @ found.covariates.values).tolist() == pytest.approx(
        (panel.exposure @ panel.covariates.values).tolist()
    )
