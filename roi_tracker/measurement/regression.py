"""The counterfactual's model: a quasi-likelihood GLM of a ratio (logit), a rate (log) or a mean (identity).

Coefficients come from statsmodels, on cells of equal rows, which gives the same as row by row; their covariance comes
from day scores, so that overdispersion, autocorrelation and the sampling error of the audits are inside.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.measurement.design import (
    HARMONICS,
    SEASON,
    Design,
    Numeric,
    Specification,
    Term,
    aliases,
    design,
    identified,
)
from roi_tracker.measurement.longrun import (
    effective_days,
    lag_one_autocorrelation,
    long_run_covariance,
    noise_of,
    persistence_of,
)
from roi_tracker.measurement.panels.panel import Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Panel

__all__ = ["Model", "Prediction", "Term", "fit", "predict"]

FULL_SEASON_DAYS = 365
_UNBOUNDED = 30.0
"""A linear predictor beyond this is a level on which nothing ever happened; exp(-30) of a part is no part."""


class Model(msgspec.Struct, frozen=True):
    """A fitted counterfactual: all that is needed to predict and to know how well.

    Attributes:
        terms: covariates kept.
        dropped: what the data cannot identify: terms of one level only, single levels (`product=b`), covariates that
            never change, the season of less than a year.
        coefficients: one for each column of the specification; 0 where the column was dropped.
        covariance: long-run covariance of the coefficients, row by row.
        dof: degrees of freedom of every variance here.
        day_variance: long-run variance of one day's outcome around the model.
        dispersion: Pearson dispersion of the rows.
        autocorrelation: lag-one autocorrelation of the daily residuals.
        effective_days: independent days the daily residuals are worth.
        trend_t: t statistic of a straight-line drift of the residuals over the period.
        numerics: numeric covariates kept.
        harmonics: pairs of waves a year.
        aliases: combinations of columns that were zero throughout; where they are not, nothing is known.
        daily: (days,) residuals of the rows that are to be treated, audits included; where there are control rows, the
            difference from theirs. The noise, the trend and the autocorrelation are those of this series.
        day_mean: mean outcome of the rows that are to be treated on a day.
    """

    family: Family
    terms: tuple[Term, ...]
    dropped: tuple[str, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    dof: float
    day_variance: float
    dispersion: float
    autocorrelation: float
    effective_days: float
    trend_t: float
    numerics: tuple[Numeric, ...] = ()
    harmonics: int = 0
    aliases: tuple[tuple[float, ...], ...] = ()
    daily: tuple[float, ...] = ()
    day_mean: float = 0.0

    @property
    def specification(self) -> Specification:
        """The columns it was fitted on."""
        return Specification(self.terms, self.numerics, self.harmonics)


@dataclass(frozen=True)
class Prediction:
    """What the model expects of a panel.

    Attributes:
        rows: (rows,) expected outcome.
        slope: (rows,) derivative of the expectation by the linear predictor.
        design: the columns of the model on this panel.
    """

    rows: NDArray[np.float64]
    slope: NDArray[np.float64]
    design: Design

    @property
    def gradient(self) -> NDArray[np.float64]:
        """(days, k) derivative of each day's expectation by the coefficients."""
        return self.design.by_day(self.slope)

    def gradient_of(self, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(days, k) the same, of some of the rows."""
        return self.design.by_day(np.where(rows, self.slope, 0.0))


def specify(panel: Panel) -> tuple[Specification, tuple[str, ...]]:
    """What can enter a model of this panel, and what cannot because it never changes or covers no full season."""
    dropped: list[str] = []
    terms: list[Term] = []
    for factor in panel.factors:
        if len(factor.seen) > 1:
            terms.append(Term(factor.name, factor.seen))
        else:
            dropped.append(factor.name)
    numerics: list[Numeric] = []
    for name, values in zip(panel.covariates.names, panel.covariates.values.T, strict=True):
        spread = float(values.std()) if len(values) else 0.0
        if spread > 0:
            numerics.append(Numeric(name, float(values.mean()), spread, float(values.min()), float(values.max())))
        else:
            dropped.append(name)
    span = (panel.days[-1] - panel.days[0]).days + 1 if panel.days else 0
    if span < FULL_SEASON_DAYS:
        dropped.append(SEASON)
    harmonics = HARMONICS if span >= FULL_SEASON_DAYS else 0
    return Specification(tuple(terms), tuple(numerics), harmonics), tuple(dropped)


def fit(panel: Panel) -> Model:
    """Fit the model to a period.

    Args:
        panel: at least one row and a positive total outcome.
    """
    specification, unidentified = specify(panel)
    laid_out = design(panel, specification)
    weighted = laid_out.matrix * laid_out.by_cell(panel.exposure)[:, None]
    gram = laid_out.matrix.T @ weighted
    kept = identified(gram)
    beta = np.zeros(len(kept))
    beta[kept] = _coefficients(panel, laid_out, kept)
    mean, slope = _mean_and_slope(panel, laid_out, beta)
    information = laid_out.matrix[:, kept].T @ (laid_out.matrix[:, kept] * laid_out.by_cell(slope)[:, None])
    bread = np.zeros(gram.shape)
    bread[np.ix_(kept, kept)] = np.linalg.pinv(information)
    residual = panel.outcome - mean
    scores = laid_out.by_day(residual)
    for audit in panel.noise:
        average = laid_out.by_cell(audit.population) @ laid_out.matrix / audit.population.sum()
        scores += audit.day_residual[:, None] * average
    daily = _daily(panel, mean)
    noise = noise_of([daily], [1.0])
    long_run = long_run_covariance(scores, noise.persistence)
    covariance = len(panel.days) * bread @ long_run.covariance @ bread
    names = specification.columns
    return Model(
        family=panel.family,
        terms=specification.terms,
        dropped=(*unidentified, *(name for name, stays in zip(names, kept, strict=True) if not stays)),
        coefficients=tuple(float(value) for value in beta),
        covariance=tuple(tuple(float(value) for value in row) for row in covariance),
        dof=noise.dof,
        day_variance=noise.variances[0],
        dispersion=_dispersion(panel, mean, int(kept.sum())),
        autocorrelation=lag_one_autocorrelation(daily),
        effective_days=effective_days(daily),
        trend_t=trend_of(daily),
        numerics=specification.numerics,
        harmonics=specification.harmonics,
        aliases=tuple(tuple(float(value) for value in row) for row in aliases(gram, kept)),
        daily=tuple(float(value) for value in daily),
        day_mean=float(panel.outcome[panel.treated].sum()) / len(panel.days),
    )


def predict(model: Model, panel: Panel) -> Prediction:
    """Expected outcome of each row under the model."""
    laid_out = design(panel, model.specification)
    mean, slope = _mean_and_slope(panel, laid_out, np.array(model.coefficients))
    return Prediction(mean, slope, laid_out)


def unpredictable(model: Model, panel: Panel) -> NDArray[np.bool_]:
    """(rows,) rows whose combination of conditions the baseline never told apart (a product on a line it never ran)."""
    laid_out = design(panel, model.specification)
    if not model.aliases:
        return np.zeros(len(panel.exposure), dtype=np.bool_)
    amiss: NDArray[np.bool_] = (np.abs(laid_out.matrix @ np.array(model.aliases).T) > 1e-6).any(axis=1)  # noqa: PLR2004 - rounding
    return amiss[laid_out.cell]


def _coefficients(panel: Panel, laid_out: Design, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Quasi-likelihood estimates of the kept columns, by iteratively reweighted least squares on cells."""
    # Measuring predicts and never fits: it does not wait for statsmodels to be imported.
    from statsmodels.genmod import families  # noqa: PLC0415
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415

    exposure, outcome = laid_out.by_cell(panel.exposure), laid_out.by_cell(panel.outcome)
    x = laid_out.matrix[:, kept]
    if panel.family == "linear" and len(x) == x.shape[1]:
        # One coefficient a cell goes through every cell's mean; a GLM would divide by its zero degrees of freedom.
        return np.asarray(np.linalg.solve(x, outcome / exposure), dtype=np.float64)
    if panel.family == "ratio":
        model = GLM(outcome / exposure, x, family=families.Binomial(), var_weights=exposure)
    elif panel.family == "rate":
        model = GLM(outcome, x, family=families.Poisson(), offset=np.log(exposure))
    else:
        model = GLM(outcome / exposure, x, family=families.Gaussian(), var_weights=exposure)
    with warnings.catch_warnings():
        # A level on which nothing ever happened has no finite estimate; the fit stops where it predicts next to none.
        warnings.simplefilter("ignore")
        fitted = model.fit(atol=1e-8, rtol=1e-12, maxiter=50, wls_method="qr")
    return np.asarray(fitted.params, dtype=np.float64)


def _mean_and_slope(
    panel: Panel, laid_out: Design, beta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    linear = (laid_out.matrix @ beta)[laid_out.cell]
    if panel.family == "linear":
        return panel.exposure * linear, panel.exposure
    linear = np.clip(linear, -_UNBOUNDED, _UNBOUNDED)
    if panel.family == "ratio":
        ratio = 1.0 / (1.0 + np.exp(-linear))
        return panel.exposure * ratio, panel.exposure * ratio * (1.0 - ratio)
    mean = panel.exposure * np.exp(linear)
    return mean, mean


def _daily(panel: Panel, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    if panel.treated.all():
        return panel.by_day(panel.outcome - mean) + panel.audit_residual
    treated, control = float(mean[panel.treated].sum()), float(mean[~panel.treated].sum())
    weight = np.where(panel.treated, 1.0, -treated / control if control > 0 else 0.0)
    daily = panel.by_day((panel.outcome - mean) * weight)
    for audit in panel.noise:
        daily += audit.day_residual * float(audit.population @ weight) / audit.population.sum()
    return daily


def _dispersion(panel: Panel, mean: NDArray[np.float64], columns: int) -> float:
    variance = {
        "ratio": mean * (1.0 - mean / panel.exposure),
        "rate": mean,
        "linear": panel.exposure,
    }[panel.family]
    usable = variance > 0
    left = max(1, len(mean) - columns)
    return float(np.sum((panel.outcome[usable] - mean[usable]) ** 2 / variance[usable]) / left)


def trend_of(daily: NDArray[np.float64]) -> float:
    """Drift as the t statistic of a straight line through the daily residuals, by the long-run variance of the rest."""
    position = np.arange(len(daily)) - (len(daily) - 1) / 2
    power = float(position @ position)
    slope = float(position @ daily) / power
    rest = daily - slope * position
    variance = float(long_run_covariance(rest[:, None], persistence_of([rest])).covariance[0, 0]) / power
    return slope / variance**0.5 if variance > 0 else 0.0
