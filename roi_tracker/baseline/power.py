"""What a measurement would be able to show, computed from the frozen baseline alone, before go-live.

The minimum detectable effect is the true effect of which the lower bound of the registered interval excludes zero four
times in five. It is not taken from a textbook formula but from the interval that `measurement.estimation` will use: the
same pooled long-run variance, degrees of freedom, placebo inflation and floors of the audits. Two things are unknown
before go-live and are averaged over: how noisy the plant truly is (the baseline only estimates it: the estimate's own
chi-square distribution, turned round), and what the reporting days will say of their noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from roi_tracker.measurement import confidence_sequence
from roi_tracker.measurement.designs.comparison import as_marked
from roi_tracker.measurement.estimation import CONFIDENCE, POWER, Counterfactual, before_and_after
from roi_tracker.measurement.longrun import bases, noise_of
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.ruler import Ruler, StratumRate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.estimation import IntervalKind
    from roi_tracker.measurement.longrun import Noise
    from roi_tracker.measurement.panels.panel import Panel

FEWEST_DAYS = 5
"""Fewer reporting days are never measured."""
_GRID = 48
"""Quantiles of each unknown variance that are averaged over; twice as many move the result by less than 1 %."""
_PRECISION = 1e-4
_NOTHING = 1e-9
"""Share of what is expected below which an effect is rounding: a baseline that never varied has no least effect."""


@dataclass(frozen=True)
class PlannedAudits:
    """Audits of one stratum a day.

    Attributes:
        population: parts of the stratum on an average day.
        audited: parts of them that are looked at.
        defective: share of true defects among them, as the baseline's audits found it.
        rate: key and counts of the baseline.
    """

    population: float
    audited: float
    defective: float
    rate: StratumRate

    @property
    def day_variance(self) -> float:
        """Variance that the sampling adds to one day's estimate."""
        if not self.population or not self.audited:
            return 0.0
        unseen = max(0.0, 1.0 - self.audited / self.population)
        return self.population**2 * self.defective * (1 - self.defective) / self.audited * unseen

    def over(self, days: int) -> StratumRate:
        """What the audit of some days would count."""
        audited = round(min(self.audited, self.population) * days)
        return StratumRate(self.rate.key, round(self.population * days), audited, round(self.defective * audited))


@dataclass(frozen=True)
class Outlook:
    """A baseline and how its reporting days will be audited.

    Attributes:
        counterfactual: as frozen.
        expected: (days,) of the baseline's own days.
        gradient: (days, k) derivative of avoided by the coefficients; reporting is taken to run the baseline's mix.
        noise: (days,) baseline residuals, audits included.
        before: audits as they were in the baseline, of the rows that are to be treated.
        planned: the same strata as they will be audited.
    """

    counterfactual: Counterfactual
    expected: NDArray[np.float64]
    gradient: NDArray[np.float64]
    noise: NDArray[np.float64]
    before: tuple[PlannedAudits, ...] = ()
    planned: tuple[PlannedAudits, ...] = ()

    def audited(self, factor: float) -> Outlook:
        """The same with audits some times as many as in the baseline, never more than there are parts."""
        planned = tuple(replace(one, audited=min(one.population, one.audited * factor)) for one in self.before)
        return replace(self, planned=planned)

    @property
    def expected_per_day(self) -> float:
        """Outcome without the programme on an average day."""
        return float(self.expected.mean())

    @cached_property
    def persistence(self) -> float:
        """Autocorrelation of the baseline's days."""
        return self._own.persistence

    @cached_property
    def before_variance(self) -> float:
        """Long-run variance of a baseline day."""
        return self._own.variances[0]

    @cached_property
    def after_variance(self) -> float:
        """Long-run variance of a reporting day: the baseline's, with its audits' share exchanged for the plan's."""
        was = sum(one.day_variance for one in self.before)
        return max(self.before_variance - was, 0.0) + sum(one.day_variance for one in self.planned)

    @cached_property
    def _own(self) -> Noise:
        return noise_of([self.noise], [1.0])


def outlook_of(counterfactual: Counterfactual, baseline: Panel) -> Outlook:
    """Reduce a baseline to what its power depends on.

    Args:
        counterfactual: as frozen.
        baseline: the panel it was fitted on, control rows included.
    """
    if baseline.treated.all():
        contrast = before_and_after(counterfactual, baseline)
    else:
        contrast = as_marked(counterfactual.model, baseline, baseline)
    days = len(baseline.days)
    treated = baseline.line.where(baseline.treated).seen
    every = baseline.ruler.strata if baseline.ruler is not None else ()
    strata = [one for one in every if one.key.line in treated]
    share = float(baseline.exposure[baseline.treated].sum() / baseline.exposure[baseline.line.among(treated)].sum())
    audits = tuple(
        PlannedAudits(share * one.population / days, share * one.audited / days, one.rate, one) for one in strata
    )
    return Outlook(counterfactual, contrast.expected, contrast.gradient, contrast.baseline_noise, audits, audits)


def minimum_detectable(outlook: Outlook, days: int, interval: IntervalKind) -> float:
    """Effect over `days` reporting days that would be found four times in five, in physical units of the whole time.

    Args:
        outlook: baseline and planned audits.
        days: measured reporting days, at least 5.
        interval: `closing` for a date that is registered beforehand, `anytime` for any other day.
    """
    test = _Test(outlook, days, interval)
    low, high = 0.0, 4.0 * float(test.margin.mean() + test.spread.mean()) or 1.0
    while test.power(high) < POWER:
        low, high = high, 2 * high
    nothing = _NOTHING * outlook.expected_per_day * days
    while high - low > max(_PRECISION * high, nothing):
        middle = (low + high) / 2
        low, high = (middle, high) if test.power(middle) < POWER else (low, middle)
    return high


class _Test:
    """The interval of a number of days on a grid of what is unknown: rows are how noisy the plant truly is, columns are
    what the reporting days happen to say of it.

    Attributes:
        margin: (rows, columns) by which the estimate must exceed zero.
        spread: (rows, 1) true standard error of the estimate.
    """

    def __init__(self, outlook: Outlook, days: int, interval: IntervalKind) -> None:
        length = len(outlook.noise)
        moved = outlook.persistence > 0
        weight_before, weight_after = bases(length - moved), bases(days - moved)
        rho = outlook.persistence
        known = 2 / (weight_before + weight_after) + 4 * (1 + rho) / ((1 - rho) * (length + days))
        dof = max(1.5, 2 / known)
        estimated, planned = outlook.before_variance, outlook.after_variance
        truth = (1.0 / _mean_square(outlook.counterfactual.model.dof))[:, None]
        seen = planned * truth * _mean_square(weight_after)[None, :]
        pooled = (weight_before * estimated + weight_after * seen) / (weight_before + weight_after)
        gradient = self._gradients(outlook, days)
        covariance = np.array(outlook.counterfactual.model.covariance)
        frozen = float(gradient[-1] @ covariance @ gradient[-1])
        factor = np.maximum(pooled, estimated) / estimated if estimated > 0 else np.ones_like(pooled)
        before, after = frozen * factor, np.maximum(pooled, seen)
        margin = student_quantile(CONFIDENCE, dof) * np.sqrt(before + days * after)
        if interval == "anytime":
            alpha = 2 * (1 - CONFIDENCE)
            noise = confidence_sequence.noise_radius(days, alpha * confidence_sequence.NOISE_SHARE, dof)
            root = confidence_sequence.root_of(covariance)
            path = confidence_sequence.path_length(gradient[FEWEST_DAYS - 1 :] @ root)
            share = alpha * (1 - confidence_sequence.NOISE_SHARE)
            bound = confidence_sequence.baseline_factor(path, share, dof)
            margin = np.maximum(margin, noise * np.sqrt(after) + bound * np.sqrt(before))
        inflation = outlook.counterfactual.inflation
        self.margin = inflation * np.maximum(margin, self._floor(outlook, days))
        self.spread = inflation * np.sqrt(truth * (frozen + days * planned))

    @staticmethod
    def _gradients(outlook: Outlook, days: int) -> NDArray[np.float64]:
        """(days, k) sums up to each day, the baseline's days repeated in their order but on the whole at their mean."""
        length = len(outlook.gradient)
        rows = outlook.gradient[np.arange(days) % length].cumsum(axis=0)
        rows[-1] = outlook.gradient.mean(axis=0) * days
        return rows

    @staticmethod
    def _floor(outlook: Outlook, days: int) -> float:
        """Exact sampling error of the baseline's audits and of those planned, downwards for the avoided quantity."""
        _, up = Ruler(tuple(one.over(days) for one in outlook.planned)).margins(CONFIDENCE)
        return float(np.hypot(outlook.expected_per_day * days * outlook.counterfactual.floor.down, up))

    def power(self, effect: float) -> float:
        """Probability that the lower bound is above zero when the true effect is `effect`."""
        if not self.spread.all():
            return float(np.mean(effect > self.margin))
        return float(special.ndtr((effect - self.margin) / self.spread).mean())


def _mean_square(dof: float) -> NDArray[np.float64]:
    """(quantiles,) of a variance estimate with `dof` degrees of freedom around a true variance of 1."""
    middle = (np.arange(_GRID) + 0.5) / _GRID
    return np.asarray(2 * special.gammaincinv(dof / 2, middle) / dof, dtype=np.float64)
