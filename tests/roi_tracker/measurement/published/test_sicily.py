"""The Italian smoking ban of January 2005 and acute coronary episodes in Sicily, month by month.

Lopez Bernal, Cummins and Gasparrini, "Interrupted time series regression for the evaluation of public health
interventions: a tutorial", International Journal of Epidemiology 46(1), 2017, 348-355, with its correction; counts of
episodes and age-standardised population from the data published with it. Published: before and after 1.034 (the wrong
sign), interrupted time series 0.894 (0.865-0.925), with harmonics and overdispersion 0.885 (0.839-0.933).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, estimate
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import Model, fit

EPISODES = """
728 659 791 734 757 726 760 740 720 814 795 858
887 766 851 769 781 756 766 752 765 831 879 928
914 808 937 840 916 828 845 818 860 839 887 886
831 796 833 820 877 758 767 738 781 843 850 908
1021 859 976 888 962 838 810 876 843 936 912
"""
POPULATION = """
379875.3 376495.5 377040.8 377116.4 377383.4 374113.1 379513.3 376295.5 374653.2 378485.6 375955.5 378349.7
376762.4 379032.3 379360.4 376162 377972.4 381830.7 379888.6 380872.2 380966.9 381240.4 382104.9 381802.7
381656.3 383680 383504.2 386462.9 383783.1 380836.8 383483 380906.2 382926.8 384052.4 384449.6 383428.4
388153.2 388373.2 386470.1 386033.2 383686.4 385509.3 385901.9 386516.6 388436.5 383255.2 390148.7 385874.9
391613.6 391750.4 394005.6 391364.9 391664.6 389022.3 391878.5 388575.3 392989 390018.8 390712.3
"""
BAN = 36
EPISODE = np.array(EPISODES.split(), dtype=float)
PERSONS = np.array(POPULATION.split(), dtype=float)
MIDDLES = [date(2002 + month // 12, month % 12 + 1, 15) for month in range(59)]


def _panel(make_panel: Any, months: slice, covariates: dict[str, Any]) -> Any:
    first = MIDDLES[months][0]
    day = [(middle - first).days for middle in MIDDLES[months]]
    return make_panel("rate", EPISODE[months], exposure=PERSONS[months], day=day, first=first, covariates=covariates)


def _risk(model: Model) -> tuple[float, float, float]:
    """Relative risk of the ban with its 95 % interval by the long-run variance."""
    names = model.specification.columns
    column = names.index("ban")
    spread = next(numeric.spread for numeric in model.numerics if numeric.name == "ban")
    effect, error = model.coefficients[column] / spread, model.covariance[column][column] ** 0.5 / spread
    reach = student_quantile(0.975, model.dof) * error
    return tuple(float(np.exp(value)) for value in (effect, effect - reach, effect + reach))  # type: ignore[return-value] # three by construction


def test_before_and_after_has_the_wrong_sign() -> None:
    rate = EPISODE / PERSONS
    assert (EPISODE[:BAN].mean(), EPISODE[BAN:].mean()) == (
        pytest.approx(810.9, abs=0.05),
        pytest.approx(857.5, abs=0.05),
    )
    assert rate[BAN:].mean() / rate[:BAN].mean() == pytest.approx(1.034, abs=0.0005)


def test_with_trend_and_season_the_published_effect(make_panel: Any) -> None:
    time = np.arange(1.0, 60.0)
    ban = (np.arange(59) >= BAN).astype(float)
    model = fit(_panel(make_panel, slice(0, 59), {"time": time, "ban": ban}))
    assert model.harmonics == 2
    risk, low, high = _risk(model)
    assert risk == pytest.approx(0.885, abs=0.002)
    assert low < 0.885 < high < 1.0
    # The published interval takes months for independent; the long-run one may differ by a few points, not in kind.
    assert [low, high] == pytest.approx([0.839, 0.933], abs=0.03)


def test_with_a_trend_alone_the_published_first_model(make_panel: Any) -> None:
    """Without harmonics, as in the paper's first model: made by months in one 'year' too short for a season."""
    time = np.arange(1.0, 60.0)
    ban = (np.arange(59) >= BAN).astype(float)
    panel = make_panel("rate", EPISODE, exposure=PERSONS, covariates={"time": time, "ban": ban})
    risk, _, high = _risk(fit(panel))
    assert risk == pytest.approx(0.894, abs=0.001)
    assert high < 1.0


def test_a_counterfactual_frozen_before_the_ban_agrees(make_panel: Any) -> None:
    """Fitted on the 36 months before only, then predicted: about a tenth of the episodes avoided, the interval
    without zero.
    """
    time = np.arange(1.0, 60.0)
    before = _panel(make_panel, slice(0, BAN), {"time": time[:BAN]})
    after = _panel(make_panel, slice(BAN, 59), {"time": time[BAN:]})
    found = estimate(Counterfactual(fit(before), BaselineFloor(), 1.0), after)
    assert 0.05 < found.relative < 0.20
    assert found.low > 0
