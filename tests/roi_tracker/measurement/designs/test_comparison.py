"""Control lines by hand, roll-outs without forbidden comparisons, and shocks that hit everybody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from roi_tracker.measurement.designs.comparison import Stretch, as_marked, compare, side_by_side, staggered
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, Measurement, before_and_after
from roi_tracker.measurement.regression import fit

if TYPE_CHECKING:
    from roi_tracker.measurement.panels.panel import Panel

START = date(2025, 1, 1)


def _lines(make_panel: Any, by_line: dict[str, np.ndarray], treated: set[str], *, first: date = START) -> Panel:
    days = len(next(iter(by_line.values())))
    panel: Panel = make_panel(
        "rate",
        np.concatenate(list(by_line.values())),
        exposure=[10.0] * days * len(by_line),
        day=list(range(days)) * len(by_line),
        first=first,
        labels={"line": [line for line in by_line for _ in range(days)]},
        treated=[line in treated for line in by_line for _ in range(days)],
    )
    return panel


def test_a_ratio_of_ratios_by_hand(make_panel: Any) -> None:
    """Baseline 10 and 20 a day; later 9 and 24: the plant got 20 % worse, so 12 were to be expected and 3 avoided."""
    before = _lines(make_panel, {"a": np.full(30, 10.0), "c": np.full(30, 20.0)}, {"a"})
    after = _lines(make_panel, {"a": np.full(10, 9.0), "c": np.full(10, 24.0)}, {"a"}, first=date(2025, 3, 1))
    contrast = as_marked(fit(before), before, after)
    assert contrast.expected == pytest.approx(np.full(10, 12.0))
    assert contrast.observed.sum() == pytest.approx(90.0)


def test_a_difference_of_differences_for_means(make_panel: Any) -> None:
    """Baseline 10 and 20; later 9 and 24: the plant rose by 4, so 14 were to be expected."""
    panels = []
    for days, levels in ((30, (10.0, 20.0)), (10, (9.0, 24.0))):
        panels.append(
            make_panel(
                "linear",
                [levels[0]] * days + [levels[1]] * days,
                day=[*range(days), *range(days)],
                labels={"line": ["a"] * days + ["c"] * days},
                treated=[True] * days + [False] * days,
            )
        )
    contrast = as_marked(fit(panels[0]), *panels)
    assert contrast.expected == pytest.approx(np.full(10, 14.0))


def test_shifts_are_compared_where_lines_are_mixed(make_panel: Any) -> None:
    def panel(day_shift: float, night: float, days: int) -> Panel:
        made: Panel = make_panel(
            "rate",
            [day_shift, night] * days,
            day=[n // 2 for n in range(2 * days)],
            labels={"shift": ["day", "night"] * days},
            treated=[True, False] * days,
        )
        return made

    before = panel(4.0, 8.0, 30)
    contrast = as_marked(fit(before), before, panel(3.0, 10.0, 12))
    assert contrast.expected == pytest.approx(np.full(12, 5.0))


def test_what_hits_all_lines_on_one_day_cancels(make_panel: Any) -> None:
    """Common conditions with autocorrelation 0.8: the difference knows ten times more than the frozen baseline."""
    rng = np.random.default_rng(4)
    common = np.zeros(160)
    for day in range(1, 160):
        common[day] = 0.8 * common[day - 1] + 0.2 * rng.normal()
    shape = {line: 300 * np.exp(common) * (1 + 0.01 * rng.normal(size=160)) for line in "ac"}
    after = {"a": 0.9 * shape["a"][60:], "c": shape["c"][60:]}
    before_panel = _lines(make_panel, {line: values[:60] for line, values in shape.items()}, {"a"})
    after_panel = _lines(make_panel, after, {"a"}, first=date(2025, 3, 2))
    model = fit(before_panel)
    counterfactual = Counterfactual(model, BaselineFloor(), 1.0)
    compared = Measurement(counterfactual, as_marked(model, before_panel, after_panel)).whole("closing")
    alone_before = _lines(make_panel, {"a": shape["a"][:60]}, {"a"})
    alone_after = _lines(make_panel, {"a": after["a"]}, {"a"}, first=date(2025, 3, 2))
    alone = Counterfactual(fit(alone_before), BaselineFloor(), 1.0)
    frozen = Measurement(alone, before_and_after(alone, alone_after)).whole("closing")
    assert compared.relative == pytest.approx(0.1, abs=0.01)
    assert compared.low > 0
    assert compared.standard_error < 0.1 * frozen.standard_error


def test_a_roll_out_compares_with_lines_not_yet_converted_only(make_panel: Any) -> None:
    """Three lines go live on days 0, 20 and 40 after a week of commissioning each; one never does."""
    panel = _lines(make_panel, {line: np.full(60, 5.0) for line in "abcn"}, {"a", "b", "c"})
    starts = {line: START + timedelta(days=20 * number) for number, line in enumerate("abc")}
    stretches = staggered(panel, starts, ("n",), timedelta(days=7))
    told = [((s.first - START).days, (s.last - START).days, s.treated, tuple(sorted(s.control))) for s in stretches]
    assert told == [
        (0, 12, ("a",), ("b", "c", "n")),
        (13, 19, ("a",), ("c", "n")),
        (20, 32, ("a", "b"), ("c", "n")),
        (33, 39, ("a", "b"), ("n",)),
        (40, 59, ("a", "b", "c"), ("n",)),
    ]


def test_days_without_anything_to_compare_with_are_not_measured(make_panel: Any) -> None:
    panel = _lines(make_panel, {"a": np.full(60, 5.0), "b": np.full(60, 5.0)}, {"a", "b"})
    starts = {"a": START, "b": START + timedelta(days=30)}
    (only,) = staggered(panel, starts, (), timedelta(days=5))
    assert (only.first, only.last) == (START, START + timedelta(days=24))


def test_a_growing_effect_in_a_roll_out_is_not_turned_around(make_panel: Any) -> None:
    """Effects that grow with time since go-live make two-way fixed effects take early lines for controls; here the
    average over treated line-days is right: 20 days at 10 % on one line, then 20 at 40 % beside 20 at 10 %.
    """
    flat = {line: np.full(40, 100.0) for line in "abn"}
    before = _lines(make_panel, flat, {"a", "b"})
    a = np.concatenate([np.full(20, 90.0), np.full(20, 60.0)])
    b = np.concatenate([np.full(20, 100.0), np.full(20, 90.0)])
    after = _lines(make_panel, {"a": a, "b": b, "n": np.full(40, 100.0)}, {"a", "b"}, first=date(2025, 3, 1))
    starts = {"a": date(2025, 3, 1), "b": date(2025, 3, 21)}
    stretches = staggered(after, starts, ("n",), timedelta(0))
    contrast = compare(fit(before), before, after, stretches)
    assert float((contrast.expected - contrast.observed).sum()) == pytest.approx(20 * 10 + 20 * 40 + 20 * 10)


def test_stretches_without_controls_or_days_are_left_out(make_panel: Any) -> None:
    panel = _lines(make_panel, {"a": np.full(20, 5.0), "c": np.full(20, 5.0)}, {"a"})
    assert side_by_side(panel, ("a",), ("c",))[0].control == {"c": 1.0}
    empty = Stretch(date(2030, 1, 1), date(2030, 2, 1), ("a",), {"c": 1.0})
    assert compare(fit(panel), panel, panel, [empty]).days == ()
