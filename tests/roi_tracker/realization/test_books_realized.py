"""Realized with a ledger: locked unit values, signed adjustments, shared change, harm, bridge, payback, gates."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.business_case import Name, Period, SharedClaim, StageGate
from roi_tracker.case.evaluation import GateCondition
from roi_tracker.errors import StoreError
from roi_tracker.ledger.books import Books, Signed, SignedValue
from roi_tracker.ledger.costs import HarmRow
from roi_tracker.ledger.entries import ActualCost, Adjustment, CostKind, UnitValueLocked
from roi_tracker.ledger.harm import Harm
from roi_tracker.measurement.estimation import CumulativePoint, Estimate
from roi_tracker.observations.rows import LineShift, Observation, Observations
from roi_tracker.proof.proving import Basis, NotProven, Proof, Realized
from roi_tracker.realization.activity import Activity
from roi_tracker.realization.prices import UnitPrice, ValueRefused
from roi_tracker.realization.realized import MoneyInterval, Surroundings, realize

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.realization.bridge import LineBridge
    from roi_tracker.realization.results import Realization

FIRST = date(2025, 7, 15)
PERIOD = Period(first=FIRST, last=date(2025, 8, 31))
DAYS = 48


def realized(benefit: str, avoided: float, low: float, high: float, expected: float = 6000.0) -> Realized:
    estimate = Estimate(
        avoided=avoided, low=low, high=high, expected=expected, observed=expected - avoided, standard_error=1.0,
        baseline_error=0.5, reporting_error=0.5, dof=10.0, inflation=1.0, minimum_detectable=3.0, days=DAYS,
    )  # fmt: skip
    basis = Basis(
        method="its_rate", grade="C", baseline_sha256="0" * 64, first=FIRST, last=PERIOD.last, measured_days=DAYS,
        origin="measured", checks=(),
    )  # fmt: skip
    points = (
        CumulativePoint(date(2025, 7, 31), 17, avoided / 2, low / 2, high / 2),
        CumulativePoint(date(2025, 8, 31), DAYS, avoided, low, high),
    )
    return Realized(benefit, estimate, points, basis)


def proofs(**changes: Proof) -> tuple[Proof, ...]:
    found: dict[str, Proof] = {
        "defects": realized("fewer-defects", 2000.0, 1000.0, 3000.0),
        "downtime": NotProven("less-downtime", "interval_contains_zero"),
        "labour": NotProven("inspection-labour", "baseline_not_frozen"),
    }
    return tuple((found | changes).values())


def run(case: BusinessCase, around: Surroundings | None = None, made: tuple[Proof, ...] | None = None) -> Realization:
    return realize(case, made or proofs(), PERIOD, lambda _: True, around)


def interval(value: int, low: int, high: int) -> MoneyInterval:
    return MoneyInterval(Decimal(value), Decimal(low), Decimal(high))


def adjusted(quantity: str = "0", factor: str = "1", last: date = PERIOD.last) -> Books:
    body = Adjustment(
        benefit_id="fewer-defects", first=date(2025, 8, 1), last=last, quantity=Decimal(quantity),
        factor=Decimal(factor), reason="second die", approver="plant manager",
    )  # fmt: skip
    return Books(adjustments=(Signed(body, "engineer", "a" * 64),))


def test_a_signed_adjustment_moves_all_bounds_and_stands_apart(case: BusinessCase) -> None:
    line = run(case, Surroundings(books=adjusted("-31"))).lines[0]
    assert line.realized == interval((2000 - 31) * 1500, (1000 - 31) * 1500, (3000 - 31) * 1500)
    assert line.adjusted == Decimal(-31 * 1500)
    july, august = line.months
    assert july.measured == interval(1000 * 1500, 500 * 1500, 1500 * 1500)
    assert august.measured == line.realized


def test_an_adjustment_by_a_factor_is_of_the_days_it_concerns(case: BusinessCase) -> None:
    """31 of 48 days, 10 % more defects expected: 6000 x 31 / 48 x 0.1 = 387.5 units."""
    line = run(case, Surroundings(books=adjusted(factor="1.1"))).lines[0]
    assert line.adjusted == Decimal("387.5") * 1500
    assert line.counted == Decimal("1387.5") * 1500


def test_only_measured_days_of_an_adjustment_count(case: BusinessCase) -> None:
    early = Adjustment(
        benefit_id="fewer-defects", first=date(2025, 1, 1), last=date(2025, 1, 31), quantity=Decimal(-900),
        reason="x", approver="y",
    )  # fmt: skip
    assert run(case, Surroundings(books=Books(adjustments=(Signed(early, "z", "b" * 64),)))).lines[0].adjusted == 0


LOCKED = UnitValueLocked(
    subject="fewer-defects", amount=Decimal(1200), per="defect", valid_from=FIRST, valid_to=PERIOD.last,
    source="cost sheet 2025-07", owner="controller", approver="plant manager",
)  # fmt: skip
EARLY, LATE = date(2025, 7, 1), date(2026, 11, 2)


def written(value: UnitValueLocked, on: date = LATE, author: str = "controller") -> SignedValue:
    return SignedValue(value, on, author, "c" * 64)


def valued(case: BusinessCase, *values: SignedValue) -> UnitPrice:
    found = run(case, Surroundings(books=Books(unit_values=values))).lines[0]
    assert found.price is not None
    assert found.unit_value == found.price.amount
    return found.price


def test_a_lower_unit_value_of_two_people_holds(case: BusinessCase) -> None:
    one = written(LOCKED)
    found = run(case, Surroundings(books=Books(unit_values=(one,))))
    assert (found.lines[0].unit_value, found.realized.benefit) == (Decimal(1200), Decimal(1_200_000))
    assert found.lines[0].projected == run(case).lines[0].projected
    assert valued(case, one) == UnitPrice(Decimal(1200), Decimal(1500), "cost sheet 2025-07", one)


def test_one_persons_entry_does_not_move_a_frozen_value(case: BusinessCase) -> None:
    alone = written(msgspec.structs.replace(LOCKED, approver=msgspec.UNSET))
    assert valued(case, alone).refused == (ValueRefused(alone, "one_person"),)
    same = written(msgspec.structs.replace(LOCKED, approver="\N{FULLWIDTH LATIN CAPITAL LETTER C}ontroller."))
    assert valued(case, same).amount == Decimal(1500)


@pytest.mark.parametrize(
    ("changes", "on", "why"),
    [
        ({"amount": Decimal(9000), "valid_from": date(2025, 1, 1)}, LATE, "raised_after_go_live"),
        ({"amount": Decimal(9000)}, FIRST, "raised_after_go_live"),
        ({"amount": Decimal(9000), "valid_from": date(2025, 8, 1)}, EARLY, "not_all_days"),
        ({"amount": Decimal(9000), "lines": ("press-2",)}, EARLY, "not_all_lines"),
        ({"per": "h"}, EARLY, "other_unit"),
    ],
)
def test_a_unit_value_is_not_raised_afterwards(
    case: BusinessCase, changes: dict[str, object], on: date, why: str
) -> None:
    found = valued(case, written(msgspec.structs.replace(LOCKED, **changes), on))
    assert (found.amount, found.entry) == (Decimal(1500), None)
    assert [one.why for one in found.refused] == [why]


def test_two_people_may_agree_on_another_value_before_go_live_and_lower_it_later(case: BusinessCase) -> None:
    agreed = written(msgspec.structs.replace(LOCKED, amount=Decimal(1800)), EARLY)
    assert valued(case, agreed).amount == Decimal(1800)
    later = written(msgspec.structs.replace(LOCKED, amount=Decimal(1700)))
    assert valued(case, agreed, later).amount == Decimal(1700)
    higher = written(msgspec.structs.replace(LOCKED, amount=Decimal(1900)))
    assert valued(case, agreed, higher).amount == Decimal(1800)
    back = written(msgspec.structs.replace(LOCKED, amount=Decimal(1500)))
    assert valued(case, agreed, back).amount == Decimal(1500)


@pytest.mark.parametrize(("quantity", "factor"), [("1000000000", "1"), ("0", "1000"), ("3876", "1")])
def test_an_adjustment_beyond_what_was_expected_counts_nothing(case: BusinessCase, quantity: str, factor: str) -> None:
    """31 of 48 days at 6000 in all: 3875 were expected of the days concerned."""
    line = run(case, Surroundings(books=adjusted(quantity, factor))).lines[0]
    assert (line.adjusted, line.counted) == (Decimal(0), Decimal(1_500_000))


def test_adjustments_together_avoid_no_more_than_there_would_have_been(case: BusinessCase) -> None:
    """2000 of 6000 were avoided, so at most 4000 can be added; the two add 7750."""
    (one,) = adjusted(factor="2").adjustments
    line = run(case, Surroundings(books=Books(adjustments=(one, one)))).lines[0]
    assert line.adjusted_units == Decimal(4000)
    assert line.realized == interval(6000 * 1500, 5000 * 1500, 7000 * 1500)


def test_lines_that_overlap_share_the_change_at_every_month_end(case: BusinessCase) -> None:
    """Defects 3.0 million (1.5 to 4.5), stops 2.4 million (1.2 to 3.6); defects are named first as the cause."""
    claim = SharedClaim(
        id="die", benefits=("fewer-defects", "less-downtime"), reason="one new die", rule="order_of_cause"
    )
    both = proofs(downtime=realized("less-downtime", 20.0, 10.0, 30.0))
    found = run(case.model_copy(update={"shared_claims": (claim,)}), made=both)
    assert [line.shared for line in found.lines[:2]] == [interval(3_000_000, 1_500_000, 4_500_000), interval(0, 0, 0)]
    assert found.lines[1].realized == interval(2_400_000, 1_200_000, 3_600_000)
    assert found.lines[1].shared_by == "die"
    assert found.lines[1].counted == 0
    assert found.total == interval(3_000_000, 1_500_000, 4_500_000)
    assert [point.low for point in found.curve] == [750_000, 1_500_000]
    alone = run(case, made=both)
    assert alone.total == interval(5_400_000, 2_700_000, 8_100_000)
    assert alone.groups == ()


def test_the_total_adds_bounds_and_shows_the_independent_one_beside(case: BusinessCase) -> None:
    both = proofs(downtime=realized("less-downtime", 30.0, 30.0 - 1 / 0.06, 50.0))
    found = run(case, made=both)
    assert found.total is not None
    assert found.total_if_independent is not None
    assert float(found.total.low) == pytest.approx(3_600_000 + 3_000_000 - 1_500_000 - 2_000_000)
    assert float(found.total_if_independent.low) == pytest.approx(6_600_000 - 2_500_000)
    assert found.achievement_interval is not None
    assert found.achievement_interval.low == pytest.approx(found.achievement)


def cost(day: date, amount: int, reference: str) -> ActualCost:
    kind: CostKind = "capital" if amount > 1_000_000 else "running"
    return ActualCost(day=day, amount=Decimal(amount), cost=kind, name_ko="비용", name_en="Cost", reference=reference)


def test_costs_of_ledger_and_case_are_one_list_and_harm_is_a_cost(case: BusinessCase) -> None:
    costs = (cost(date(2025, 7, 12), 12_000_000, "invoice 25-0742"), cost(date(2025, 8, 5), 300_000, "meter 8"))
    harm = HarmRow(
        date(2025, 8, 31), "system_stop", "press-1", Decimal(2), Decimal(120_000), Decimal(240_000),
        "system_stop_s / 3600", (), "ledger 2024", date(2025, 8, 3),
    )  # fmt: skip
    found = run(case, Surroundings(Books(costs=costs), Harm((harm,), ())))
    assert [row.amount for row in found.costs.paid] == [14_200_000, 12_000_000, 2_800_000, 300_000]
    assert found.costs.capital == 29_000_000
    assert found.costs.running == 300_000
    assert found.costs.harm_counted == 240_000
    assert found.realized.cost == 29_540_000
    measured = run(
        case,
        Surroundings(Books(costs=costs), Harm((harm,), ())),
        proofs(downtime=realized("less-downtime", 9.0, 5.0, 12.0)),
    )
    assert measured.costs.harm[0].covered_by == "less-downtime"
    assert measured.realized.cost == 29_300_000


def test_costs_below_zero_are_no_costs(case: BusinessCase) -> None:
    with pytest.raises(StoreError, match=r"below zero in total \(-10500000\)"):
        run(case, Surroundings(Books(costs=(cost(date(2025, 7, 20), -40_000_000, "credit"),))))


def test_payback_to_date_and_planned(case: BusinessCase) -> None:
    """Planned: 12 000 x 1500 + 90 x 120 000 + labour at half (400 x 25 000 x 0.5) = 33.8 million a year less 4.2
    million running; 28 million are back after 28 / 29.6 of a year from go-live: 2026-06-26, booked on 2026-06-30.
    """
    found = run(case)
    assert (found.realized.payback.on, found.realized.payback.reason) == (None, "not_yet")
    assert found.projected.payback.on == date(2026, 6, 30)
    quick = run(case, made=proofs(defects=realized("fewer-defects", 50_000.0, 40_000.0, 60_000.0)))
    assert quick.realized.payback.on == date(2025, 7, 31)


def activity(parts: float = 1000, live: float = 1.0, since: date = FIRST) -> Activity:
    """1000 parts a day in the baseline, `parts` a day after go-live; the AI is live since a day, for a share of it."""
    products, shifts = [], []
    day = date(2025, 1, 1)
    while day <= PERIOD.last:
        made = round(parts) if day >= FIRST else 1000
        products.append(Observation("press-1", day, "day", "a", "measured", "ai", produced=made))
        there = day >= since
        shifts.append(
            LineShift(
                "press-1", day, "day", "measured",
                planned_busy_s=28_800,
                live_s=28_800 * live if there else 0.0,
                shadow_s=0.0 if there else 28_800,
                off_s=28_800 * (1 - live) if there else 0.0,
            )
        )  # fmt: skip
        day += timedelta(days=1)
    return Activity(Observations(tuple(products), tuple(shifts), ()))


def effects(found: Realization) -> dict[str, Decimal]:
    assert found.bridge is not None
    assert sum((e.amount for e in found.bridge.effects), Decimal(0)) == found.bridge.realized - found.bridge.projected
    for line in found.bridge.lines:
        assert sum((effect.amount for effect in line.effects), Decimal(0)) == line.realized - line.projected
    return {effect.factor: effect.amount for effect in found.bridge.lines[0].effects}


def first(found: Realization) -> LineBridge:
    assert found.bridge is not None
    return found.bridge.lines[0]


def as_planned() -> tuple[Proof, ...]:
    """The plan to the letter: 40 000 a year expected, 30 % of them avoided, no error."""
    base = 40_000 * DAYS / 365.25
    avoided = base * 0.3
    return proofs(defects=realized("fewer-defects", avoided, avoided, avoided, base))


def test_the_plan_to_the_letter_has_nothing_to_explain(case: BusinessCase) -> None:
    found = effects(run(case, Surroundings(activity=activity()), as_planned()))
    assert all(abs(amount) <= Decimal("0.01") for amount in found.values())


def test_more_parts_at_the_same_rates_are_volume(case: BusinessCase) -> None:
    plan = 40_000 * DAYS / 365.25
    avoided = plan * 1.2 * 0.3
    made = proofs(defects=realized("fewer-defects", avoided, avoided, avoided, plan * 1.2))
    found = effects(run(case, Surroundings(activity=activity(parts=1200)), made))
    assert float(found["volume"]) == pytest.approx(plan * 0.2 * 0.3 * 1500, abs=0.02)
    assert all(abs(amount) <= Decimal("0.02") for name, amount in found.items() if name != "volume")


def test_a_harder_mix_at_the_same_volume_is_mix(case: BusinessCase) -> None:
    plan = 40_000 * DAYS / 365.25
    made = proofs(defects=realized("fewer-defects", plan * 0.45, plan * 0.45, plan * 0.45, plan * 1.5))
    found = effects(run(case, Surroundings(activity=activity()), made))
    assert float(found["mix"]) == pytest.approx(plan * 0.15 * 1500, abs=0.02)
    assert abs(found["efficacy"]) <= Decimal("0.02")


def test_an_ai_that_is_off_half_of_the_time_is_availability(case: BusinessCase) -> None:
    plan = 40_000 * DAYS / 365.25
    made = proofs(defects=realized("fewer-defects", plan * 0.15, plan * 0.15, plan * 0.15, plan))
    found = effects(run(case, Surroundings(activity=activity(live=0.5)), made))
    assert float(found["availability"]) == pytest.approx(-plan * 0.15 * 1500, abs=0.02)
    assert abs(found["efficacy"]) <= Decimal("0.02")


def test_a_late_start_is_timing(case: BusinessCase) -> None:
    """Live since 2025-08-08: 24 of 48 days."""
    plan = 40_000 * DAYS / 365.25
    made = proofs(defects=realized("fewer-defects", plan * 0.15, plan * 0.15, plan * 0.15, plan))
    found = effects(run(case, Surroundings(activity=activity(since=date(2025, 8, 8))), made))
    assert float(found["timing"]) == pytest.approx(-plan * 0.15 * 1500, abs=0.02)
    assert abs(found["efficacy"]) <= Decimal("0.02")


def test_another_unit_value_is_unit_value_and_cost_stands_in_the_total(case: BusinessCase) -> None:
    result = run(case, Surroundings(Books(unit_values=(written(LOCKED),)), activity=activity()), as_planned())
    found = effects(result)
    assert float(found["unit_value"]) == pytest.approx(-0.3 * 40_000 * DAYS / 365.25 * 300, abs=0.02)
    assert result.bridge is not None
    total = {effect.factor: effect.amount for effect in result.bridge.effects}
    assert total["cost"] == (result.projected.cost - result.realized.cost).quantize(Decimal("0.01"))


def test_what_cannot_be_told_apart_is_merged_and_said(case: BusinessCase) -> None:
    empty = run(case, Surroundings(activity=Activity(Observations((), (), ()))))
    assert [(m.factors, m.into, m.reason) for m in first(empty).merged] == [
        (("volume",), "mix", "no_volume"),
        (("availability", "timing"), "efficacy", "no_modes"),
    ]
    assert empty.bridge is not None
    assert [line.merged[0].reason for line in empty.bridge.lines[1:]] == ["not_proven", "not_proven"]
    never = run(case, Surroundings(activity=activity(since=date(2026, 1, 1))))
    assert first(never).merged[0].reason == "never_active"
    assert first(empty).uncertainty == 1_500_000
    effects(empty)
    effects(never)


def test_gates_see_the_figures_with_their_interval(case: BusinessCase) -> None:
    conditions = (
        {"figure": "reduction", "benefit": "fewer-defects", "operator": ">=", "value": "0.15"},
        {"figure": "benefit", "operator": ">=", "value": "100"},
        {"figure": "achievement", "benefit": "less-downtime", "operator": ">=", "value": "0.5"},
        {"figure": "roi", "operator": "<=", "value": "0"},
        {"figure": "npv", "operator": "<=", "value": "0"},
        {"figure": "probability_npv_positive", "operator": ">=", "value": "0.01"},
    )
    words = Name(ko="게이트", en="Gate")
    gate = StageGate(
        name=words, when="2025-08-31", condition=words, conditions=tuple(map(GateCondition.model_validate, conditions))
    )
    (found,) = run(case.model_copy(update={"stage_gates": (gate,)})).gates
    assert [one.state for one in found.conditions] == [
        "passed",  # 1000 to 3000 of 6000: 17 to 50 %
        "passed",  # 150 to 450, in 10 000 won
        "not_proven",
        "passed",
        "passed",
        "passed",
    ]
    assert found.conditions[0].measured is not None
    assert found.conditions[0].measured.low == pytest.approx(1 / 6)
    assert (found.state, found.reason) == ("not_proven", "no_figure")
    npv = found.conditions[4].measured
    assert npv is not None
    assert npv.low * 10_000 == pytest.approx(float(run(case).realized.npv))
    assert npv.low < npv.value < npv.high


def test_a_formula_line_is_projected_by_its_formula(case: BusinessCase) -> None:
    """40 000 a year x 0.3 x 1500, written as a formula: the same money as the quantity form."""
    from roi_tracker.business_case import Assumption

    numbers = {
        "count": Assumption.model_validate({"value": 12_000, "unit": "parts/year", "source": "x", "owner": "y"}),
        "price": Assumption.model_validate({"value": 1500, "unit": "KRW/part", "source": "x", "owner": "y"}),
    }
    line = case.benefits[0].model_copy(
        update={"formula": "count * price", "baseline_quantity_per_year": None, "reduction_ratio": None}
    )
    other = case.model_copy(update={"assumptions": numbers, "benefits": (line, *case.benefits[1:])})
    found, plain = run(other), run(case)
    assert float(found.lines[0].projected) == pytest.approx(float(plain.lines[0].projected))
    assert float(found.lines[0].projected_units) == pytest.approx(float(plain.lines[0].projected_units))
    assert "no_base_in_plan" in [m.reason for m in first(run(other, Surroundings(activity=activity()))).merged]
