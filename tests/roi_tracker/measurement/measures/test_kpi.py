from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from roi_tracker.business_case import KpiDefinition, MeasurementPlan, Period
from roi_tracker.measurement.estimation import Estimate
from roi_tracker.measurement.measures.kpi import KpiDetail, turned
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import KpiCount
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench


def plan(kind: str, better: str = "lower") -> MeasurementPlan:
    return MeasurementPlan(kpi=KpiDefinition.model_validate({"id": "own", "kind": kind, "better": better}))


def plant(kind: str, seed: int, factor: float, *, by_product: bool = False) -> tuple[Observations, float]:
    """A year of an indicator, and by how much its numerator is below what it would have been.

    Args:
        kind: `ratio` 20 % of 100; `rate` 3 per 8 hours; `mean` 40 over 10.
        seed: of the year.
        factor: the indicator since go-live, times what it was.
        by_product: the files state it by product.
    """
    rng = np.random.default_rng(seed)
    products, lines, below = [], [], 0.0
    for place in places():
        now = factor if place.live else 1.0
        base = {"ratio": 100.0, "rate": 8.0, "mean": 10.0}[kind]
        usual = {"ratio": 20.0, "rate": 3.0, "mean": 400.0}[kind]
        level = usual * now
        if kind == "ratio":
            value = float(rng.binomial(100, level / 100))
        else:
            value = float(rng.poisson(level)) if kind == "rate" else level + float(rng.normal(0.0, 15.0))
        below += usual * (1 - factor) if place.live else 0.0
        count: dict[str, Any] = {"kpis": (KpiCount("own", value, base),)}
        products.append(product(place, produced=100, **(count if by_product else {})))
        lines.append(line_shift(place, **({} if by_product else count)))
    return observed(products, lines), below


@pytest.mark.parametrize("kind", ["ratio", "rate", "mean"])
@pytest.mark.parametrize("by_product", [False, True])
def test_what_fell_is_recovered(bench: MakeBench, kind: str, by_product: bool) -> None:  # noqa: FBT001 - a parameter
    observations, below = plant(kind, 1, 0.8, by_product=by_product)
    found = bench("kpi", "unit", 2 * below, plan(kind)).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= below <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, KpiDetail)
    assert detail.level / detail.level_expected == pytest.approx(0.8, abs=0.03)


def test_a_line_that_names_only_its_indicator_is_measured_by_it(bench: MakeBench) -> None:
    observations, below = plant("ratio", 1, 0.8)
    made = bench("kpi", "unit", 2 * below, plan("ratio"), bound_measure=None, kpi="own")
    assert (made.line.bound_measure, made.line.measure, made.line.measurable) == (None, "kpi", True)
    found = made.prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= below <= found.estimate.high


def test_an_indicator_has_one_id(bench: MakeBench) -> None:
    line = bench("kpi", "unit", 1000, plan("ratio"), bound_measure=None, kpi="own").line
    content = line.model_dump(by_alias=True, exclude_none=True, exclude={"ramp_up"})
    assert type(line).model_validate(content).measure == "kpi"
    with pytest.raises(ValidationError, match=r"kpi 'other', but measurement\.kpi 'own'"):
        type(line).model_validate(content | {"kpi": "other"})


@pytest.mark.parametrize("kind", ["ratio", "rate", "mean"])
def test_where_more_is_better_a_rise_is_the_gain_and_a_fall_the_harm(bench: MakeBench, kind: str) -> None:
    observations, below = plant(kind, 2, 1.25)
    found = bench("kpi", "unit", -2 * below, plan(kind, "higher")).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= -below <= found.estimate.high
    assert found.estimate.low > 0
    assert found.months[-1].avoided == pytest.approx(found.estimate.avoided)
    fell, lost = plant(kind, 3, 0.8)
    harm = bench("kpi", "unit", lost, plan(kind, "higher")).prove(fell)
    assert isinstance(harm, Realized)
    assert harm.estimate.high < 0


@pytest.mark.parametrize("kind", ["ratio", "rate", "mean"])
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_nothing_changed_and_nothing_is_claimed(bench: MakeBench, kind: str, better: str) -> None:
    observations, _ = plant(kind, 4, 1.0)
    found = bench("kpi", "unit", 4000, plan(kind, better)).prove(observations)
    assert isinstance(found, NotProven)


def test_turning_twice_changes_nothing() -> None:
    found = Estimate(
        avoided=-3.0,
        low=-5.0,
        high=-1.0,
        expected=10.0,
        observed=13.0,
        standard_error=1.0,
        baseline_error=0.5,
        reporting_error=0.5,
        dof=20.0,
        inflation=1.0,
        minimum_detectable=2.0,
        days=10,
    )
    assert (turned(found).avoided, turned(found).low, turned(found).high) == (3.0, 1.0, 5.0)
    assert turned(turned(found)) == found


def test_counts_that_cannot_be_are_not_measured() -> None:
    """More out of fewer is impossible for a ratio, and fine for a rate."""
    shifts = list(places())[:3]
    values = [(5.0, 10.0), (12.0, 10.0), (-1.0, 10.0)]
    lines = [line_shift(p, kpis=(KpiCount("own", *v),)) for p, v in zip(shifts, values, strict=True)]
    observations = observed([], lines)
    period = Period(first=shifts[0].day, last=shifts[0].day)

    def outcome(kind: str) -> list[float]:
        scope = Scope("kpi", ("press-1",), lambda _: True, 1, kpi=plan(kind).kpi)
        found: list[float] = panel_of(observations, scope, period, "previous").outcome.tolist()
        return found

    assert outcome("ratio") == [5.0]
    assert outcome("rate") == [5.0, 12.0]
    assert outcome("mean") == [5.0, 12.0, -1.0]
