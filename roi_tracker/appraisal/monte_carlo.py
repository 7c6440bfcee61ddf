"""Monte Carlo: NPV when the assumptions vary together over their stated ranges. Seeded; same seed, same figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.appraisal.model import Change
from roi_tracker.appraisal.response import Floats, npv_response
from roi_tracker.appraisal.variables import DISCOUNT_RATE
from roi_tracker.case.assumptions import Assumption, numbers
from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Model

DRAWS = 100_000
SEED = 20250101
_BINS = 40
_ACHIEVEMENT = "achievement"
_TAIL = 1.6448536269514722  # normal quantile of 95 %: low and high of a normal are its 5 % and 95 % points
_ROUNDING = 1e-12
_PERT = 4.0  # weight of the most likely value (Malcolm et al. 1959)


class HistogramBin(msgspec.Struct, frozen=True):
    """Share of draws between two NPVs, in the currency."""

    low: float
    high: float
    share: float


class Driver(msgspec.Struct, frozen=True):
    """Rank correlation of an uncertain assumption with NPV."""

    variable: str
    correlation: float


class Simulation(msgspec.Struct, frozen=True):
    """Distribution of NPV. Money in the currency; None throughout when no assumption states a range.

    Attributes:
        uncertain: ids of the assumptions that vary.
        p_negative: share of draws with NPV below zero.
        correlations_adjusted: the stated correlations contradicted one another and were moved to the nearest possible.
    """

    draws: int
    seed: int
    uncertain: tuple[str, ...]
    mean: float | None
    standard_deviation: float | None
    p10: float | None
    p50: float | None
    p90: float | None
    p_negative: float | None
    drivers: tuple[Driver, ...]
    histogram: tuple[HistogramBin, ...]
    correlations_adjusted: bool
    reason: str


def simulate(model: Model, draws: int = DRAWS, seed: int = SEED) -> Simulation:
    """Draw assumptions jointly (Gaussian copula) and compute NPV for each draw.

    A yearly assumption keeps its place within its range in all years: the years of one draw are bad or good together.

    Raises:
        CaseError: a correlation names what does not vary.
    """
    uncertain = _uncertain(model)
    if not uncertain:
        return Simulation(
            draws, seed, (), None, None, None, None, None, None, (), (), correlations_adjusted=False,
            reason="no assumption states low and high",
        )  # fmt: skip
    normals, adjusted = _normals(model, tuple(uncertain), draws, seed)
    values, factors, rate = {}, {}, None
    for column, (name, assumption) in enumerate(uncertain.items()):
        sampled = _sample(model, assumption, normals[:, column])
        if name == _ACHIEVEMENT:
            factors["benefits"] = sampled
        elif name == DISCOUNT_RATE:
            rate = sampled[:, 0]
        else:
            values[name] = sampled if sampled.shape[1] == 1 else model.on_grid(sampled)
    npvs = np.broadcast_to(npv_response(model, Change(values, factors, rate)), (draws,))
    p10, p50, p90 = (float(value) for value in np.percentile(npvs, [10, 50, 90]))
    counts, edges = np.histogram(npvs, bins=_BINS)
    return Simulation(
        draws=draws,
        seed=seed,
        uncertain=tuple(uncertain),
        mean=float(npvs.mean()),
        standard_deviation=float(npvs.std(ddof=1)),
        p10=p10,
        p50=p50,
        p90=p90,
        p_negative=float(np.mean(npvs < 0)),
        drivers=_drivers(tuple(uncertain), normals, npvs),
        histogram=tuple(
            HistogramBin(float(low), float(high), float(count / draws))
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ),
        correlations_adjusted=adjusted,
        reason="computed",
    )


def _uncertain(model: Model) -> dict[str, Assumption]:
    case, used = model.case, model.used()
    found = {
        name: one.assumption
        for name, one in model.inputs.items()
        if one.assumption.low is not None and (name in used or name not in case.assumptions)
    }
    wide = ((DISCOUNT_RATE, case.discount_rate), (_ACHIEVEMENT, case.achievement))
    return found | {name: one for name, one in wide if one is not None and one.low is not None}


def _normals(model: Model, names: tuple[str, ...], draws: int, seed: int) -> tuple[Floats, bool]:
    """Standard normal draws with the stated rank correlations (Pearson = 2 sin(pi rho / 6))."""
    independent = np.random.default_rng(seed).standard_normal((draws, len(names)))
    if not model.case.correlations:
        return independent, False
    matrix = np.eye(len(names))
    for one in model.case.correlations:
        for name in one.between:
            if name not in names:
                raise CaseError(
                    f"a correlation names {name!r}, which does not vary",
                    field="correlations",
                    value=name,
                    hint="give it low and high, or leave the correlation out",
                )
        first, second = (names.index(name) for name in one.between)
        matrix[first, second] = matrix[second, first] = 2 * np.sin(np.pi * float(one.coefficient) / 6)
    eigenvalues, vectors = np.linalg.eigh(matrix)
    adjusted = bool(eigenvalues.min() < -_ROUNDING)
    roots = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    roots /= np.sqrt((roots**2).sum(axis=1, keepdims=True))
    return independent @ roots.T, adjusted


def _sample(model: Model, assumption: Assumption, normal: Floats) -> Floats:
    """Values in base units, shape (draws, years or 1)."""
    factor = float(unit_meaning(assumption.unit, model.case.currency).factor)
    if assumption.low is None or assumption.high is None:
        return np.full((normal.size, 1), float(assumption.amount) * factor)
    points = zip(numbers(assumption.low), numbers(assumption.value), numbers(assumption.high), strict=True)
    columns = [
        _quantiles(assumption, normal, (float(low), float(value), float(high))) * factor for low, value, high in points
    ]
    return np.stack(columns, axis=1)


def _quantiles(assumption: Assumption, normal: Floats, points: tuple[float, float, float]) -> Floats:
    low, mode, high = points
    if high == low:
        return np.full_like(normal, mode)
    match assumption.distribution:
        case "normal":
            return (low + high) / 2 + (high - low) / 2 * normal / _TAIL
        case "lognormal":
            middle, spread = (np.log(low) + np.log(high)) / 2, (np.log(high) - np.log(low)) / 2
            return np.asarray(np.exp(middle + spread * normal / _TAIL), dtype=np.float64)
        case _:
            pass
    share = _normal_share(normal)
    if assumption.distribution == "uniform":
        return np.asarray(low + (high - low) * share, dtype=np.float64)
    if assumption.distribution == "pert":
        from scipy import special  # noqa: PLC0415 - takes longer to import than the simulation to run; only PERT needs it

        alpha = 1 + _PERT * (mode - low) / (high - low)
        beta = 1 + _PERT * (high - mode) / (high - low)
        return np.asarray(low + (high - low) * special.betaincinv(alpha, beta, share), dtype=np.float64)
    peak = (mode - low) / (high - low)
    rising = low + np.sqrt(share * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - share) * (high - low) * (high - mode))
    return np.asarray(np.where(share < peak, rising, falling), dtype=np.float64)


def _normal_share(normal: Floats) -> Floats:
    """Standard normal distribution function.

    >>> [round(share, 12) for share in _normal_share(np.array([-1.6448536269514722, 0.0, 1.0])).tolist()]
    [0.05, 0.5, 0.841344746069]
    """
    scaled = (normal * -math.sqrt(0.5)).tolist()
    return np.fromiter(map(math.erfc, scaled), dtype=np.float64, count=len(scaled)) / 2


def _drivers(names: tuple[str, ...], normals: Floats, npvs: Floats) -> tuple[Driver, ...]:
    if np.ptp(npvs) == 0:
        return ()
    ranks = _ranks(npvs)
    found = [
        Driver(name, float(np.corrcoef(_ranks(normals[:, column]), ranks)[0, 1])) for column, name in enumerate(names)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.correlation)))


def _ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values in order of drawing, which is random."""
    ranks = np.empty(values.size)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size)
    return ranks
