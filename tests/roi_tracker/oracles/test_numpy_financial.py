"""Random cases: flows by a second computation from the inputs, and numpy-financial's figures of those flows.

The engine imports none of what it is compared with. numpy-financial takes equal steps only, so flows are laid on the
finest grid they fit: years, halves, months, half months; dated ones on days (their IRR is held against pyxirr, since a
polynomial of thousands of days has no roots that a float can hold).
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy_financial as npf
import pytest
import pyxirr

from roi_tracker.appraisal import Model, variants
from roi_tracker.appraisal.alternatives import alternatives
from roi_tracker.appraisal.scenarios import scenario_table
from tests.roi_tracker.oracles.case_numbers import Way
from tests.roi_tracker.oracles.plain_flows import Factors, net_flows, option_flows
from tests.roi_tracker.oracles.random_cases import random_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.appraisal.rates import Irr
    from roi_tracker.appraisal.scenarios import Appraisal
    from tests.roi_tracker.oracles.case_numbers import CaseNumbers
    from tests.roi_tracker.oracles.plain_flows import Flows

CASES, BATCH = 1_000, 50
DAYS = 365
_CLOSE = 1e-9
_TOTAL_LOSS = -1 + 1e-6


@pytest.mark.parametrize("first", range(0, CASES, BATCH))
def test_random_cases(first: int) -> None:
    for seed in range(first, first + BATCH):
        _check(random_case(seed))


def _check(drawn: CaseNumbers) -> None:
    case = drawn.case()
    model = Model(case)
    table = scenario_table(case, model)
    for name, (benefits, costs) in drawn.scenarios.items():
        _compare(drawn, table[name], drawn.way, Factors(benefits, costs, costs), f"seed {drawn.seed} {name}")
    ways = _ways(drawn)
    found = {one.id: one.appraisal for one in variants(case, model)}
    assert set(found) == set(ways), f"seed {drawn.seed}"
    for name, (way, factors) in ways.items():
        _compare(drawn, found[name], way, factors, f"seed {drawn.seed} {name}")
    _compare_options(drawn, model, table["realistic"])


def _ways(drawn: CaseNumbers) -> dict[str, tuple[Way, Factors]]:
    """The variants that a case gives grounds for."""
    way, plain = drawn.way, Factors()
    found: dict[str, tuple[Way, Factors]] = {}

    def changed(**changes: object) -> tuple[Way, Factors]:
        return Way(**{**vars(way), **changes}), plain

    if {"released", "indirect"} & set(way.counted):
        found["direct_only"] = changed(counted=("cashable", "redeployed"))
    if drawn.tax is not None:
        other = {"before_tax": "after_tax", "after_tax": "before_tax"}[way.headline]
        found[other] = changed(headline=other)
    if way.capital == "t0" and drawn.phasing:
        found["as_phased"] = changed(capital="end_of_period")
    if way.operations == "year_end":
        found["mid_year"] = changed(operations="mid_year")
    if drawn.bias is not None:
        benefits, capital, running = drawn.bias
        found["optimism_bias"] = way, Factors(1 + benefits, 1 + capital, 1 + running)
    return found


def _compare(drawn: CaseNumbers, found: Appraisal, way: Way, factors: Factors, where: str) -> None:
    flows = net_flows(drawn, way, factors)
    rate = drawn.rate.values[0] * drawn.rate.factor
    scale = sum(abs(value) for value in flows.values())
    times = [float(time) for time in found.times]
    assert times == pytest.approx([float(time) for time in flows], abs=1e-12), where
    values = [float(flow) for flow in found.flows]
    assert values == pytest.approx(list(flows.values()), rel=_CLOSE, abs=_CLOSE * scale), where
    steps, grid = _grid(flows)
    per_step = math.expm1(math.log1p(rate) / steps)
    assert float(found.npv) == pytest.approx(npf.npv(per_step, grid), rel=_CLOSE, abs=_CLOSE * scale), where
    finance, reinvestment = (
        math.expm1(math.log1p(rate if own is None else own) / steps)
        for own in (drawn.finance_rate, drawn.reinvestment_rate)
    )
    mirr = npf.mirr(grid, finance, reinvestment)
    assert (found.mirr is None) == math.isnan(mirr), where
    if found.mirr is not None:
        assert float(found.mirr) == pytest.approx((1 + mirr) ** steps - 1, rel=1e-8, abs=1e-9), where
    _compare_irr(found.irr, flows, where)


def _compare_irr(found: Irr, flows: Flows, where: str) -> None:
    steps, grid = _grid(flows)
    signs = {value > 0 for value in grid if value}
    assert (found.reason == "no_sign_change") == (len(signs) < 2), where
    if len(signs) < 2:
        return
    if steps == DAYS:
        for root in held(found.roots):
            values = [value * (1 + root) ** -float(time) for time, value in flows.items()]
            assert abs(sum(values)) <= _CLOSE * sum(map(abs, values)), where
        oracle = _dated(flows)
        if oracle is not None and found.value is not None:
            assert found.value == pytest.approx(oracle, rel=1e-6, abs=1e-7), where
        return
    assert held(found.roots) == pytest.approx(real_roots(grid, steps), rel=1e-6, abs=1e-7), where
    if found.value is not None and held(found.roots):
        assert found.value == pytest.approx((1 + npf.irr(grid)) ** steps - 1, rel=1e-6, abs=1e-7), where


def _dated(flows: Flows) -> float | None:
    start = date(2024, 1, 1)
    days = [start + timedelta(days=int(time * DAYS)) for time in flows]
    return pyxirr.xirr(days, list(flows.values()))


def _grid(flows: Flows) -> tuple[int, np.ndarray]:
    """Steps a year, and the flow of each step from t0."""
    for steps in (1, 2, 12, 24, DAYS):
        if all((time * steps).denominator == 1 for time in flows):
            grid = np.zeros(int(max(flows) * steps) + 1)
            for time, value in flows.items():
                grid[int(time * steps)] += value
            return steps, grid
    message = f"flows at {[str(time) for time in flows]} fit no grid"
    raise AssertionError(message)


def real_roots(grid: np.ndarray, steps: int = 1) -> list[float]:
    """Yearly rates above -100 % at which a polynomial's eigenvalues lie on the real axis; simple ones only."""
    roots = np.roots(grid[::-1])
    real = roots[(roots.imag == 0) & (roots.real > 0)].real
    return held(sorted(float(root) ** -steps - 1 for root in real))


def held(rates: Sequence[float]) -> list[float]:
    """Rates that a float near -100 % can tell apart."""
    return [rate for rate in rates if rate > _TOTAL_LOSS]


def _compare_options(drawn: CaseNumbers, model: Model, own: Appraisal) -> None:
    found = {one.id: one for one in alternatives(model.case, own)}
    flows = {"own": net_flows(drawn, drawn.way, Factors())}
    for index, option in enumerate(drawn.options):
        given = option_flows(drawn, index)
        assert (given is None) == (found[option.id].npv is None), f"seed {drawn.seed} {option.id}"
        if given is not None:
            flows[option.id] = given
    rate = drawn.rate.values[0] * drawn.rate.factor
    outlays = {name: -min(one.get(Fraction(0), 0.0), 0.0) for name, one in flows.items()}
    order = sorted(flows, key=lambda name: (outlays[name], name))
    for position, name in enumerate(order):
        where, one = f"seed {drawn.seed} {name}", found[name]
        steps, grid = _grid(flows[name])
        scale = sum(abs(value) for value in grid)
        expected = npf.npv(math.expm1(math.log1p(rate) / steps), grid)
        assert one.npv is not None, where
        assert one.irr is not None, where
        assert float(one.npv) == pytest.approx(expected, rel=_CLOSE, abs=_CLOSE * scale), where
        _compare_irr(one.irr, flows[name], where)
        cheaper = order[position - 1] if position else None
        assert one.against == cheaper, where
        if cheaper is not None:
            assert one.incremental_irr is not None, where
            _compare_irr(one.incremental_irr, _difference(flows[name], flows[cheaper]), where)


def _difference(flows: Flows, other: Flows) -> Flows:
    moments = sorted({*flows, *other})
    return {time: flows.get(time, 0.0) - other.get(time, 0.0) for time in moments}
