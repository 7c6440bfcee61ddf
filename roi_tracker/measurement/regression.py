"""The counterfactual's model: a quasi-likelihood GLM of a ratio (logit) or a rate (log) on categorical terms.

Coefficients come from statsmodels; their covariance from day scores, so that overdispersion, autocorrelation and the
sampling error of the audits are inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import statsmodels.api as sm

from roi_tracker.measurement.longrun import effective_days, lag_one_autocorrelation, long_run_covariance
from roi_tracker.measurement.panels.panel import Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Panel


class Term(msgspec.Struct, frozen=True):
    """A categorical covariate of the model; the first level is the reference."""

    name: str
    levels: tuple[str, ...]


class Model(msgspec.Struct, frozen=True):
    """A fitted counterfactual: all that is needed to predict and to know how well.

    Attributes:
        terms: covariates kept.
        dropped: covariates the data cannot identify (one level only).
        coefficients: intercept, then the non-reference levels of each term.
        covariance: long-run covariance of the coefficients, row by row.
        dof: degrees of freedom of every variance here.
        day_variance: long-run variance of one day's outcome around the model.
        dispersion: Pearson dispersion of the rows.
        autocorrelation: lag-one autocorrelation of the daily residuals.
        effective_days: independent days the daily residuals are worth.
        trend_t: t statistic of a straight-line drift of the residuals over the period.
    """

    family: Family
    terms: tuple[Term, ...]
    dropped: tuple[str, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    dof: int
    day_variance: float
    dispersion: float
    autocorrelation: float
    effective_days: float
    trend_t: float


@dataclass(frozen=True)
class Prediction:
    """What the model expects of a panel.

    Attributes:
        rows: (rows,) expected outcome.
        gradient: (rows, k) its derivative by the coefficients.
    """

    rows: NDArray[np.float64]
    gradient: NDArray[np.float64]


def design(panel: Panel, terms: tuple[Term, ...]) -> NDArray[np.float64]:
    """(rows, k) treatment-coded design matrix. A level the model has never seen counts as its reference; whether that
    is admissible is for `sufficiency` to say.
    """
    columns = [np.ones(len(panel.exposure))]
    for term in terms:
        factor = panel.factor(term.name)
        columns.extend(factor.among((level,)).astype(np.float64) for level in term.levels[1:])
    return np.column_stack(columns)


def fit(panel: Panel) -> Model:
    """Fit the model to a period.

    Args:
        panel: at least one row and a positive total outcome.
    """
    kept: list[Term] = []
    dropped: list[str] = []
    for factor in panel.factors:
        if len(factor.seen) > 1:
            kept.append(Term(factor.name, factor.seen))
        else:
            dropped.append(factor.name)
    terms = tuple(kept)
    x = design(panel, terms)
    if panel.family == "ratio":
        model = sm.GLM(panel.outcome / panel.exposure, x, family=sm.families.Binomial(), var_weights=panel.exposure)
    else:
        model = sm.GLM(panel.outcome, x, family=sm.families.Poisson(), offset=np.log(panel.exposure))
    fitted = model.fit(scale="X2")
    beta = np.asarray(fitted.params, dtype=np.float64)
    mean, slope = _mean_and_slope(panel, x, beta)
    bread = np.linalg.pinv(x.T @ (x * slope[:, None]))
    residual = panel.outcome - mean
    scores = panel.by_day(x * residual[:, None])
    for noise in panel.noise:
        average = noise.population @ x / noise.population.sum()
        scores += noise.day_residual[:, None] * average
    long_run = long_run_covariance(scores)
    covariance = len(panel.days) * bread @ long_run.covariance @ bread
    daily = panel.by_day(residual) + panel.audit_residual
    return Model(
        family=panel.family,
        terms=terms,
        dropped=tuple(dropped),
        coefficients=tuple(float(value) for value in beta),
        covariance=tuple(tuple(float(value) for value in row) for row in covariance),
        dof=long_run.dof,
        day_variance=float(long_run_covariance(daily[:, None]).covariance[0, 0]),
        dispersion=float(fitted.scale),
        autocorrelation=lag_one_autocorrelation(daily),
        effective_days=effective_days(daily),
        trend_t=_trend(daily),
    )


def predict(model: Model, panel: Panel) -> Prediction:
    """Expected outcome of each row under the model."""
    x = design(panel, model.terms)
    mean, slope = _mean_and_slope(panel, x, np.array(model.coefficients))
    return Prediction(mean, x * slope[:, None])


def _mean_and_slope(
    panel: Panel, x: NDArray[np.float64], beta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    linear = x @ beta
    if panel.family == "ratio":
        ratio = 1.0 / (1.0 + np.exp(-linear))
        return panel.exposure * ratio, panel.exposure * ratio * (1.0 - ratio)
    mean = panel.exposure * np.exp(linear)
    return mean, mean


def _trend(daily: NDArray[np.float64]) -> float:
    """Drift as the t statistic of a straight line through the daily residuals, by the long-run variance of the rest."""
    position = np.arange(len(daily)) - (len(daily) - 1) / 2
    power = float(position @ position)
    slope = float(position @ daily) / power
    rest = daily - slope * position
    variance = float(long_run_covariance(rest[:, None]).covariance[0, 0]) / power
    return slope / variance**0.5 if variance > 0 else 0.0
