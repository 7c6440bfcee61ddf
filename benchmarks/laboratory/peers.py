"""How it is usually done: before against after, a plain regression, and an interrupted time series with Newey-West."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.laboratory.plants import Plant

NORMAL_95 = 1.6448536269514722


@dataclass(frozen=True)
class Claim:
    """What a method says of one plant.

    Attributes:
        realized: it claims a benefit.
        low, high: its 90 % interval of avoided defects; None where it gives none.
        avoided: its estimate.
        refused: rules that forbid a claim.
    """

    realized: bool
    low: float | None = None
    high: float | None = None
    avoided: float | None = None
    refused: tuple[str, ...] = ()

    def covers(self, truth: float) -> bool:
        """Whether the interval holds the truth."""
        return self.low is not None and self.high is not None and self.low <= truth <= self.high


def before_after(plant: Plant, days: int | None = None) -> Claim:
    """Two proportions and a z test, as a spreadsheet does it."""
    start = plant.world.baseline_days
    stop = plant.world.days if days is None else start + days
    parts, defects = _by_day(plant)
    n0, d0 = float(parts[:start].sum()), float(defects[:start].sum())
    n1, d1 = float(parts[start:stop].sum()), float(defects[start:stop].sum())
    before, after = d0 / n0, d1 / n1
    error = n1 * (before * (1 - before) / n0 + after * (1 - after) / n1) ** 0.5
    return _claim(n1 * (before - after), NORMAL_95 * error)


def plain_regression(plant: Plant) -> Claim:
    """Quasi-binomial regression of rows (line, product, before or after), as if rows were independent."""
    lines, products = plant.world.treated, plant.world.products
    parts = plant.parts[plant.present][:, :lines]
    defects = plant.defects[plant.present][:, :lines]
    live = (np.arange(plant.world.days) >= plant.world.baseline_days)[plant.present]
    columns = [np.ones(parts.shape), np.broadcast_to(live[:, None, None].astype(float), parts.shape)]
    columns += [np.broadcast_to((np.arange(products) == k).astype(float), parts.shape) for k in range(1, products)]
    columns += [np.broadcast_to((np.arange(lines) == k).astype(float)[:, None], parts.shape) for k in range(1, lines)]
    x = np.stack([column.ravel() for column in columns], axis=1)
    n = parts.ravel()
    fitted = GLM(defects.ravel() / n, x, family=families.Binomial(), var_weights=n).fit(scale="X2")
    return _from_logarithm(float(fitted.params[1]), float(fitted.bse[1]), float(defects[live].sum()))


def newey_west(plant: Plant) -> Claim:
    """Interrupted time series of daily counts: level change, product mix, Newey-West errors with the usual lag."""
    parts, defects = _by_day(plant)
    live = (np.arange(plant.world.days) >= plant.world.baseline_days)[plant.present]
    lines = plant.world.treated
    second = plant.parts[plant.present][:, :lines, -1].sum(axis=1) / plant.parts[plant.present][:, :lines].sum(
        axis=(1, 2)
    )
    x = np.stack([np.ones(int(plant.present.sum())), live.astype(float)], axis=1)
    if plant.world.mix_shift:
        x = np.column_stack([x, second - second.mean()])
    offset = np.log(parts[plant.present])
    observed = defects[plant.present].astype(float)
    lags = int(4 * (len(observed) / 100) ** (2 / 9))
    fitted = GLM(observed, x, family=families.Poisson(), offset=offset).fit(
        cov_type="HAC", cov_kwds={"maxlags": max(1, lags)}
    )
    return _from_logarithm(float(fitted.params[1]), float(fitted.bse[1]), float(observed[live].sum()))


def _by_day(plant: Plant) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(days,) parts and defects of the treated lines; 0 where the day was not measured."""
    lines = plant.world.treated
    return (
        plant.parts[:, :lines].sum(axis=(1, 2)) * plant.present,
        plant.defects[:, :lines].sum(axis=(1, 2)) * plant.present,
    )


def _claim(avoided: float, margin: float) -> Claim:
    return Claim(avoided - margin > 0, avoided - margin, avoided + margin, avoided)


def _from_logarithm(coefficient: float, error: float, observed: float) -> Claim:
    """What was avoided, from the logarithm of observed over expected."""
    low, middle, high = (
        observed * (np.exp(-coefficient - shift * error) - 1) for shift in (NORMAL_95, 0.0, -NORMAL_95)
    )
    return Claim(bool(low > 0), float(low), float(high), float(middle))
