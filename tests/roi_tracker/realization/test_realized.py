from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from roi_tracker.business_case import BusinessCase, Period
from roi_tracker.measurement.estimation import CumulativePoint, Estimate
from roi_tracker.proof.proving import Basis, NotProven, Proof, Realized
from roi_tracker.realization.realized import Surroundings, realize

FIRST = date(2025, 7, 15)
PERIOD = Period(first=FIRST, last=date(2025, 8, 31))


def estimate(avoided: float, low: float, high: float) -> Estimate:
    return Estimate(
        avoided=avoided, low=low, high=high, expected=100.0, observed=100.0 - avoided, standard_error=1.0,
        baseline_error=0.5, reporting_error=0.5, dof=10.0, inflation=1.0, minimum_detectable=3.0, days=48,
    )  # fmt: skip


def realized(benefit: str, avoided: float, low: float, high: float) -> Realized:
    basis = Basis(
        method="its_rate", grade="C", baseline_sha256="0" * 64, first=FIRST, last=PERIOD.last, measured_days=48,
        origin="measured", checks=(),
    )  # fmt: skip
    points = (
        CumulativePoint(date(2025, 7, 31), 17, avoided / 2, low / 2, high / 2),
        CumulativePoint(date(2025, 8, 31), 48, avoided, low, high),
    )
    return Realized(benefit, estimate(avoided, low, high), points, basis)


def every_day(_: date) -> bool:
    return True


def proofs(downtime: Proof | None = None) -> tuple[Proof, ...]:
    return (
        realized("fewer-defects", 2000.0, 1000.0, 3000.0),
        downtime or NotProven("less-downtime", "interval_contains_zero", estimate=estimate(5.0, -1.0, 11.0)),
        NotProven("inspection-labour", "baseline_not_frozen"),
    )


def test_figures_by_hand(case: BusinessCase) -> None:
    found = realize(case, proofs(), PERIOD, every_day)
    assert found.lines[0].counted == Decimal(1000) * 1500
    assert found.lines[1].counted == 0
    assert found.lines[1].realized is None
    projected_units = 12_000 * 48 / 365.25
    assert float(found.lines[0].projected_units) == pytest.approx(projected_units)
    assert found.lines[0].achievement == pytest.approx(1000 / projected_units)
    spent = 14_200_000 + 12_500_000 + 2_800_000
    assert (found.realized.benefit, found.realized.cost) == (Decimal(1_500_000), Decimal(spent))
    assert found.realized.roi == Decimal(1_500_000 - spent) / spent
    by_hand = (
        -14_200_000
        - 15_300_000 / 1.08 ** (11 / 365.25)
        + 750_000 / 1.08 ** (30 / 365.25)
        + 750_000 / 1.08 ** (61 / 365.25)
    )
    assert float(found.realized.npv) == pytest.approx(by_hand, rel=1e-9)
    assert float(found.projected.cost) == pytest.approx(28_000_000 + 4_200_000 * 48 / 365.25)


def test_harm_counts_as_well(case: BusinessCase) -> None:
    worse = realize(case, proofs(realized("less-downtime", -20.0, -30.0, -10.0)), PERIOD, every_day)
    assert worse.realized.benefit == Decimal(1_500_000) - 30 * 120_000


def test_released_time_is_shown_and_not_counted(case: BusinessCase) -> None:
    line = case.benefits[0].model_copy(update={"benefit_class": "released"})
    other = case.model_copy(update={"benefits": (line, *case.benefits[1:])})
    found = realize(other, proofs(), PERIOD, every_day)
    assert found.lines[0].realized is not None
    assert found.realized.benefit == 0


def test_without_a_ledger_planned_cost_is_used_and_says_so(case: BusinessCase) -> None:
    found = realize(case.model_copy(update={"costs_actual": ()}), proofs(), PERIOD, every_day)
    assert (found.cost_basis, found.realized.cost) == ("planned", found.projected.cost)


def test_closed_days_do_not_change_what_a_full_year_projects(case: BusinessCase) -> None:
    def weekdays(day: date) -> bool:
        return day.weekday() < 5

    year = Period(first=FIRST, last=FIRST + timedelta(days=364))
    found = realize(case, proofs(), year, weekdays)
    assert float(found.lines[0].projected_units) == pytest.approx(12_000 * 365 / 365.25)


def test_before_any_data_no_cost_after_the_day_of_asking_counts(case: BusinessCase) -> None:
    """The case's costs of both sides of a day on which nothing is measured yet."""
    none = tuple(NotProven(line.id, "baseline_not_frozen") for line in case.benefits)
    day = min(cost.day for cost in case.costs_actual)
    due = sum((cost.amount for cost in case.costs_actual if cost.day <= day), Decimal(0))
    every = sum((cost.amount for cost in case.costs_actual), Decimal(0))
    found = realize(case, none, None, every_day, Surroundings(on=day))
    assert 0 < due < every
    assert (found.costs.capital + found.costs.running, found.realized.cost, found.cost_basis) == (due, due, "actual")
    assert realize(case, none, None, every_day, Surroundings(on=day - timedelta(days=1))).costs.paid == ()


def test_before_any_data(case: BusinessCase) -> None:
    none = (NotProven(line.id, "baseline_not_frozen") for line in case.benefits)
    found = realize(case, tuple(none), None, every_day)
    assert (found.as_of, found.curve, found.achievement, found.realized.benefit) == (None, (), None, Decimal(0))
