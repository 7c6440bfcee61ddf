from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.business_case import MeasurementPlan
from roi_tracker.measurement.measures.downtime import DowntimeDetail, hour_value_of, stop_change
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench


def plant(seed: int, *, rate: float = 1.0, length: float = 1.0, moved: float = 0.0) -> tuple[Observations, float]:
    """A year of 0.6 stops of half an hour a shift, and the unplanned hours really avoided.

    Args:
        seed: of the year.
        rate, length: of stops, times what they were, since go-live.
        moved: share of the stops that are planned instead.
    """
    rng = np.random.default_rng(seed)
    products, lines, avoided = [], [], 0.0
    for place in places():
        count = int(rng.poisson(0.6 * (rate if place.live else 1.0)))
        hours = rng.gamma(2.0, 0.25 * (length if place.live else 1.0), count)
        planned = int(rng.binomial(count, moved)) if place.live else 0
        lines.append(
            line_shift(
                place,
                unplanned_stop_s=float(hours[planned:].sum()) * 3600,
                unplanned_stops=count - planned,
                planned_stop_s=float(hours[:planned].sum()) * 3600 + 900,
                planned_stops=1 + planned,
            )
        )
        products.append(product(place, produced=100))
        if place.live:
            avoided += 0.3 * (1 - rate * length * (1 - moved))
    return observed(products, lines), avoided


def test_rarer_and_shorter_stops_are_told_apart(bench: MakeBench) -> None:
    observations, avoided = plant(1, rate=0.6, length=0.8)
    found = bench("downtime", "h", 150, MeasurementPlan(bottleneck=False)).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= avoided <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, DowntimeDetail)
    change = detail.change
    assert change is not None
    assert change.by_rate + change.by_duration == pytest.approx(detail.unplanned.avoided)
    assert change.by_rate > change.by_duration > 0  # 40 % fewer, 20 % shorter
    assert change.hours_per_stop_expected == pytest.approx(0.5, rel=0.1)
    assert detail.hour_value == "repair_and_overtime"


def test_a_stop_moved_into_the_plan_is_no_saving(bench: MakeBench) -> None:
    observations, _ = plant(2, moved=0.7)
    found = bench("downtime", "h", 150, MeasurementPlan(bottleneck=False)).prove(observations)
    assert failed(found) == {"total_stops_fell"}
    assert isinstance(found, NotProven)
    assert found.estimate is not None  # shown, never counted
    assert found.basis is not None
    detail = found.basis.detail
    assert isinstance(detail, DowntimeDetail)
    assert detail.unplanned.low > 0
    assert detail.all_stops is not None
    assert detail.all_stops.low <= 0
    assert found.estimate.avoided == pytest.approx(detail.all_stops.avoided)


def test_what_was_moved_is_taken_off_what_was_saved(bench: MakeBench) -> None:
    """Stops halve, and half of those left are planned now: only the half that is gone counts."""
    observations, unplanned = plant(3, rate=0.5, moved=0.5)
    found = bench("downtime", "h", 150, MeasurementPlan(bottleneck=False)).prove(observations)
    assert isinstance(found, Realized), failed(found)
    gone = unplanned * 0.5 / 0.75
    assert found.estimate.low <= gone <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, DowntimeDetail)
    assert detail.counted == "all_stops"
    assert detail.unplanned.low <= unplanned <= detail.unplanned.high
    assert found.estimate.avoided < 0.8 * detail.unplanned.avoided


def test_nothing_changed_and_nothing_is_claimed(bench: MakeBench) -> None:
    observations, _ = plant(4)
    assert isinstance(bench("downtime", "h", 150, MeasurementPlan(bottleneck=False)).prove(observations), NotProven)


@pytest.mark.parametrize(
    ("bottleneck", "source", "refused", "caveats"),
    [
        (True, "contribution margin per hour 2025", set(), set()),
        (False, "contribution margin per hour 2025", {"hour_value_fits"}, set()),
        (None, "contribution margin per hour 2025", set(), {"hour_value_fits", "bottleneck_stated"}),
        (False, "정비비와 잔업비, 2024", set(), set()),
        (False, "board paper", set(), {"hour_value_fits"}),
    ],
)
def test_an_hour_at_contribution_margin_needs_a_bottleneck(
    bench: MakeBench,
    bottleneck: bool | None,  # noqa: FBT001 - a parameter of the test
    source: str,
    refused: set[str],
    caveats: set[str],
) -> None:
    observations, _ = plant(5, rate=0.5)
    made = bench("downtime", "h", 150, MeasurementPlan(bottleneck=bottleneck))
    value = made.line.unit_value.model_copy(update={"source": source})
    found = bench("downtime", "h", 150, made.line.measurement, unit_value=value).prove(observations)
    assert (failed(found) if isinstance(found, NotProven) else set()) == refused
    assert found.basis is not None
    told = {rule.rule for rule in found.basis.checks if not rule.passed and not rule.disqualifies}
    assert told & {"hour_value_fits", "bottleneck_stated"} == caveats


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("avoided repair and overtime cost, 2024 ledger; not contribution margin", "repair_and_overtime"),
        ("contribution margin, no overtime", "contribution_margin"),
        ("공헌이익 아님, 수리비 기준", "repair_and_overtime"),
        ("시간당 한계이익 2025", "contribution_margin"),
        ("controller", "not_said"),
    ],
)
def test_what_a_source_says(source: str, said: str) -> None:
    assert hour_value_of(source) == said


@given(
    before=st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)), after=st.tuples(st.floats(0, 1e4), st.integers(0, 9999))
)
def test_both_parts_add_up_and_change_sign_with_the_periods(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    found = stop_change(before[0], after[0], before[1], after[1])
    assert found.by_rate + found.by_duration == pytest.approx(before[0] - after[0], abs=1e-6)
    if after[1] > 0:
        back = stop_change(after[0], before[0], after[1], before[1])
        assert (back.by_rate, back.by_duration) == pytest.approx((-found.by_rate, -found.by_duration), abs=1e-6)
