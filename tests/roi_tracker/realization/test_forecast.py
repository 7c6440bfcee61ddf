from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING

import pytest

from roi_tracker.realization.flows import Flow
from roi_tracker.realization.forecast import CountedLine, Forecast, forecast
from roi_tracker.realization.intervals import MoneyInterval
from roi_tracker.realization.projection import Projection

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

LIVE = date(2025, 7, 15)


def every_day(_: date) -> bool:
    return True


def plan(case: BusinessCase, **changes: object) -> Projection:
    """Two years, no interest, no running cost: what is to come can be added up by hand."""
    free = {"discount_rate": case.discount_rate.model_copy(update={"value": Decimal(0)}), "opex_per_year": ()}
    return Projection(case.model_copy(update={"horizon_years": 2, **free, **changes}), every_day)


def made(
    projection: Projection, shared: MoneyInterval, noise: int = 0, days: int = 100, harm: int = 0
) -> tuple[Forecast, int]:
    measured = [LIVE + timedelta(days=number) for number in range(days)]
    line = CountedLine(projection.case.benefits[0], shared, ((measured[-1], shared),), Decimal(noise))
    costs = [Flow(projection.case.start_date, Decimal(-1000 - harm))]
    found = forecast(projection, measured, [line], costs, Decimal(harm))
    assert found is not None
    return found, (projection.end - measured[-1]).days


def test_the_rate_goes_on(case: BusinessCase) -> None:
    found, ahead = made(plan(case), MoneyInterval(Decimal(300), Decimal(200), Decimal(400)))
    assert ahead == 730 - 14 - 100
    assert found.until == date(2027, 6, 30)
    assert found.lines[0].to_come == MoneyInterval(Decimal(3 * ahead), Decimal(2 * ahead), Decimal(4 * ahead))
    assert found.npv == MoneyInterval(
        Decimal(300 + 3 * ahead - 1000), Decimal(200 + 2 * ahead - 1000), Decimal(400 + 4 * ahead - 1000)
    )
    assert found.npv_without_ramp_up == found.npv.value
    assert found.benefit.value == 300 + 3 * ahead
    assert found.cost == 1000
    assert set(found.caveats) == {"less_than_a_year", "unit_value_expires", "some_lines_not_proven"}


def test_the_noise_of_days_to_come_is_independent_of_the_rate(case: BusinessCase) -> None:
    found, ahead = made(plan(case), MoneyInterval(Decimal(300), Decimal(300), Decimal(300)), noise=5)
    margin = NormalDist().inv_cdf(0.95) * 5 * ahead**0.5
    come = found.lines[0].to_come
    assert float(come.value - come.low) == pytest.approx(margin)
    both, _ = made(plan(case), MoneyInterval(Decimal(300), Decimal(200), Decimal(400)), noise=5)
    assert float(both.lines[0].to_come.high - both.lines[0].to_come.value) == pytest.approx(
        (margin**2 + ahead**2) ** 0.5
    )


def test_probability_by_hand(case: BusinessCase) -> None:
    """NPV 2148 - 1000 with a margin of 716 on the low side: 1148 / 716 one-sided 5 % quantiles from zero."""
    found, ahead = made(plan(case), MoneyInterval(Decimal(300), Decimal(200), Decimal(400)))
    by_hand = NormalDist().cdf((300 + 3 * ahead - 1000) / (100 + ahead) * NormalDist().inv_cdf(0.95))
    assert found.probability_npv_positive == pytest.approx(by_hand)
    sure, _ = made(plan(case), MoneyInterval(Decimal(300), Decimal(300), Decimal(300)))
    assert sure.probability_npv_positive == 1.0
    harm, _ = made(plan(case), MoneyInterval(Decimal(-300), Decimal(-400), Decimal(-200)))
    assert harm.probability_npv_positive < 0.05


def test_the_plans_ramp_up_scales_what_is_to_come(case: BusinessCase) -> None:
    """Measured at half of the full effect; from 2026-07-15 on (year 2) it doubles."""
    line = case.benefits[0].model_copy(update={"ramp_up": (Decimal("0.5"), Decimal(1))})
    found, ahead = made(
        plan(case, benefits=(line, *case.benefits[1:])), MoneyInterval(Decimal(300), Decimal(200), Decimal(400))
    )
    first_year = sum(1 for n in range(100, 100 + ahead) if (n // 365.25) == 0)
    assert found.lines[0].per_day.value == 6
    assert found.lines[0].to_come.value == 3 * first_year + 6 * (ahead - first_year)
    assert found.npv_without_ramp_up == 300 + 3 * ahead - 1000
    assert "ramp_up_is_the_plans" in found.caveats


def test_harm_goes_on_as_it_was(case: BusinessCase) -> None:
    found, ahead = made(plan(case), MoneyInterval(Decimal(300), Decimal(200), Decimal(400)), harm=50)
    assert float(found.cost) == pytest.approx(1050 + 0.5 * ahead)


def test_payback_is_the_month_end_at_which_it_is_reached(case: BusinessCase) -> None:
    """300 by 2025-10-22, then 3 a day: 700 more need 234 days, until 2026-06-13; booked at the end of June."""
    found, _ = made(plan(case), MoneyInterval(Decimal(300), Decimal(200), Decimal(400)))
    assert found.payback.on == date(2026, 6, 30)
    assert found.payback_at_low.on == date(2026, 11, 30)
    never, _ = made(plan(case), MoneyInterval(Decimal(10), Decimal(5), Decimal(15)))
    assert (never.payback.on, never.payback.reason) == (None, "never")


def test_nothing_proven_no_forecast(case: BusinessCase) -> None:
    assert forecast(plan(case), [LIVE], [], [], Decimal(0)) is None
