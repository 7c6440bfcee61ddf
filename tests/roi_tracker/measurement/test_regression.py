"""Cells give what rows give; what the data cannot tell is dropped, listed, and not predicted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import statsmodels.api as sm

from roi_tracker.measurement.regression import fit, predict, unpredictable

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 2400
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ratio": lambda eta: 1 / (1 + np.exp(-eta)),
    "rate": np.exp,
    "linear": lambda eta: eta,
}


def _plant(family: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    line, product, shift = rng.integers(0, 4, ROWS), rng.integers(0, 5, ROWS), rng.integers(0, 3, ROWS)
    eta = -3.0 + 0.3 * line - 0.1 * product + 0.2 * shift
    exposure = rng.integers(50, 400, ROWS).astype(float)
    mean = LINKS[family](eta)
    if family == "linear":
        outcome = exposure * (mean + rng.normal(size=ROWS))
    elif family == "ratio":
        outcome = rng.binomial(exposure.astype(int), mean).astype(float)
    else:
        outcome = rng.poisson(exposure * mean).astype(float)
    return {
        "outcome": outcome,
        "exposure": exposure,
        "day": np.sort(rng.integers(0, 60, ROWS)),
        "labels": {
            "line": [f"l{n}" for n in line],
            "product": [f"p{n}" for n in product],
            "shift": [f"s{n}" for n in shift],
        },
        "codes": {"line": line, "shift": shift, "product": product},
    }


def _by_rows(family: str, plant: dict[str, Any], extra: np.ndarray | None = None) -> Any:
    columns = [np.ones(ROWS)]
    for name, count in (("line", 4), ("shift", 3), ("product", 5)):
        columns += [(plant["codes"][name] == code).astype(float) for code in range(1, count)]
    x = np.column_stack(columns if extra is None else [*columns, extra])
    outcome, exposure = plant["outcome"], plant["exposure"]
    if family == "ratio":
        model = sm.GLM(outcome / exposure, x, family=sm.families.Binomial(), var_weights=exposure)
    elif family == "rate":
        model = sm.GLM(outcome, x, family=sm.families.Poisson(), offset=np.log(exposure))
    else:
        model = sm.GLM(outcome / exposure, x, family=sm.families.Gaussian(), var_weights=exposure)
    return model.fit(scale="X2", atol=1e-12, rtol=1e-14)


@pytest.mark.parametrize("family", ["ratio", "rate", "linear"])
def test_cells_give_the_same_coefficients_as_statsmodels_on_rows(family: str, make_panel: Any) -> None:
    plant = _plant(family, 5)
    codes = plant.pop("codes")
    found = fit(make_panel(family, plant.pop("outcome"), **plant))
    plant = _plant(family, 5)
    expected = _by_rows(family, plant)
    assert np.allclose(found.coefficients, expected.params, atol=1e-8, rtol=1e-8)
    assert found.dispersion == pytest.approx(expected.scale, rel=1e-8)
    assert set(codes) == {"line", "product", "shift"}


@pytest.mark.parametrize("family", ["ratio", "rate", "linear"])
def test_a_numeric_covariate_gives_the_same_predictions(family: str, make_panel: Any) -> None:
    plant = _plant(family, 6)
    speed = np.random.default_rng(2).normal(50.0, 5.0, ROWS)
    panel = make_panel(
        family,
        plant["outcome"],
        exposure=plant["exposure"],
        day=plant["day"],
        labels=plant["labels"],
        covariates={"speed": speed},
    )
    model = fit(panel)
    expected = _by_rows(family, plant, speed).fittedvalues
    expected = expected if family == "rate" else expected * plant["exposure"]
    assert np.allclose(predict(model, panel).rows, expected, rtol=1e-8, atol=1e-8)
    (numeric,) = model.numerics
    assert [numeric.low, numeric.high] == pytest.approx([speed.min(), speed.max()])


def test_what_never_changes_or_lasts_no_year_is_dropped_and_listed(make_panel: Any) -> None:
    panel = make_panel("rate", [2.0, 3.0] * 20, covariates={"speed": [7.0] * 40})
    assert fit(panel).dropped == ("line", "shift", "speed", "season")


def test_a_product_that_only_one_line_makes_cannot_be_told_from_the_line(make_panel: Any) -> None:
    """Product b is made on line 2 and nowhere else: dropped, predicted on line 2, not predictable on line 1."""
    labels = {"line": ["1", "2"] * 20, "product": ["a", "b"] * 20}
    panel = make_panel("rate", [2.0, 6.0] * 20, day=[n // 2 for n in range(40)], labels=labels)
    model = fit(panel)
    assert model.dropped == ("shift", "season", "product=b")
    assert predict(model, panel).rows == pytest.approx([2.0, 6.0] * 20)
    assert not unpredictable(model, panel).any()
    moved = make_panel("rate", [1.0, 1.0], day=[0, 0], labels={"line": ["1", "2"], "product": ["b", "b"]})
    assert unpredictable(model, moved).tolist() == [True, False]


def test_a_year_identifies_the_season(make_panel: Any) -> None:
    days = np.arange(730)
    wave = np.exp(0.4 * np.sin(2 * np.pi * (date(2025, 1, 1).toordinal() + days) / 365.25))
    panel = make_panel("rate", 50 * wave[:365])
    model = fit(panel)
    assert model.dropped == ("line", "shift")
    later = make_panel("rate", 50 * wave[365:], first=date(2026, 1, 1))
    assert predict(model, later).rows == pytest.approx(50 * wave[365:], rel=1e-6)


def test_a_level_on_which_nothing_happened_predicts_nothing(make_panel: Any) -> None:
    panel = make_panel("rate", [5.0, 0.0] * 20, day=[n // 2 for n in range(40)], labels={"line": ["1", "2"] * 20})
    assert predict(fit(panel), panel).rows == pytest.approx([5.0, 0.0] * 20, abs=1e-5)


@pytest.mark.parametrize(("family", "coefficient"), [("linear", 4.0), ("rate", np.log(4.0)), ("ratio", np.log(4 / 6))])
def test_rows_of_one_cell_have_one_mean(make_panel: Any, family: str, coefficient: float) -> None:
    """40 of 100 in ten days that are all alike but for their outcome: one mean, and no covariate to tell them apart."""
    outcome = [3.0, 5.0, 4.0, 4.0, 2.0, 6.0, 4.0, 5.0, 3.0, 4.0]
    exposure = [1.0 if family != "ratio" else 10.0] * 10
    model = fit(make_panel(family, outcome, exposure=exposure))
    assert model.coefficients == pytest.approx((coefficient,))
    assert model.terms == ()
    assert model.day_mean == pytest.approx(4.0)


def test_as_many_linear_coefficients_as_cells_go_through_every_cell(make_panel: Any) -> None:
    """Two products of 3 and 5 a part: the reference and the difference."""
    days = list(range(8)) * 2
    found = fit(
        make_panel("linear", [2.0, 4.0] * 4 + [4.0, 6.0] * 4, day=days, labels={"product": ["a"] * 8 + ["b"] * 8})
    )
    assert found.coefficients == pytest.approx((3.0, 2.0))
