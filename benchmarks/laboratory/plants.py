"""Simulated plants whose truth is known draw by draw: what would have happened without the programme, and what did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_PER_YEAR = 365.25
_SLOW_RHO = 0.7


@dataclass(frozen=True)
class World:
    """What a simulated plant is like. Rates are shares of parts; effects are shares of defects that no longer happen.

    Attributes:
        treated, controls: lines with and without the programme.
        choose_worst_of: the treated lines are the worst of so many by their baseline; the others stay as they are.
        products: products a line makes.
        volume: parts of one product on one line a day.
        rate: mean share of defects.
        rho, sd: AR(1) of the log rate from day to day, and its standard deviation; half of its variance is common to
            all lines.
        scatter: standard deviation of the log rate from day to day without memory (overdispersion).
        week, season: amplitude of the log rate over a week and over a year.
        season_phase: share of a year by which go-live lies after the worst moment of the year.
        mix_shift: by how much the share of the second product rises at go-live; it fails twice as often.
        volume_shift: factor on the volume at go-live, less one.
        trend: change of the log rate a day, before and after go-live.
        own_trend: the same of the treated lines alone.
        dip, dip_days: rise of the log rate in the last days before go-live (Ashenfelter's dip).
        common_change: change of the log rate of all lines at go-live, no merit of the programme.
        contamination: share of the effect that control lines get as well.
        missing: share of days that are not measured.
        slow: standard deviation of a line's own luck from week to week (AR(1) 0.7 by weeks): conditions that last for
            months.
        heavy: probability of a day with a scrapped batch, on which three times as many parts fail.
    """

    baseline_days: int = 90
    reporting_days: int = 90
    treated: int = 1
    controls: int = 0
    choose_worst_of: int = 0
    products: int = 2
    volume: float = 1_200.0
    rate: float = 0.025
    effect: float = 0.0
    rho: float = 0.0
    sd: float = 0.0
    scatter: float = 0.0
    week: float = 0.0
    season: float = 0.0
    season_phase: float = 0.0
    mix_shift: float = 0.0
    volume_shift: float = 0.0
    trend: float = 0.0
    own_trend: float = 0.0
    dip: float = 0.0
    dip_days: int = 0
    common_change: float = 0.0
    contamination: float = 0.0
    missing: float = 0.0
    heavy: float = 0.0
    slow: float = 0.0

    @property
    def days(self) -> int:
        """Baseline and reporting together."""
        return self.baseline_days + self.reporting_days

    @property
    def lines(self) -> int:
        """Lines that are simulated."""
        return self.choose_worst_of or self.treated + self.controls


@dataclass(frozen=True)
class Plant:
    """One drawn plant; arrays are (days, lines, products), the treated lines first.

    Attributes:
        parts: parts made.
        defects: what is observed.
        without: what would have been observed without the programme.
        present: (days,) whether the day was measured.
    """

    world: World
    parts: NDArray[np.int64]
    defects: NDArray[np.int64]
    without: NDArray[np.int64]
    present: NDArray[np.bool_]

    @property
    def avoided_by_day(self) -> NDArray[np.int64]:
        """(reporting days,) defects that the programme really avoided on the treated lines, on measured days."""
        treated = (self.without - self.defects)[self.world.baseline_days :, : self.world.treated]
        by_day: NDArray[np.int64] = treated.sum(axis=(1, 2)) * self.present[self.world.baseline_days :]
        return by_day

    @property
    def avoided(self) -> int:
        """All of it."""
        return int(self.avoided_by_day.sum())

    def alone(self) -> Plant:
        """The treated lines without those they could be compared with."""
        return self._with_lines(self.world.treated)

    def _with_lines(self, lines: int) -> Plant:
        return replace(
            self, parts=self.parts[:, :lines], defects=self.defects[:, :lines], without=self.without[:, :lines]
        )


def ar1(rng: np.random.Generator, rho: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Stationary AR(1) series of unit variance along the first axis."""
    state: NDArray[np.float64] = rng.normal(size=shape)
    for day in range(1, shape[0]):
        state[day] = rho * state[day - 1] + (1 - rho**2) ** 0.5 * state[day]
    return state


def draw(world: World, rng: np.random.Generator) -> Plant:
    """Draw one plant."""
    days, lines, products = world.days, world.lines, world.products
    day = np.arange(days)
    live = day >= world.baseline_days
    log_rate = np.full((days, lines, products), np.log(world.rate))
    log_rate += (np.arange(products) - (products - 1) / 2) * np.log(2.0)
    if world.sd:
        common, own = ar1(rng, world.rho, (days, 1)), ar1(rng, world.rho, (days, lines))
        latent = common * 0.5**0.5 + own * 0.5**0.5 if lines > 1 else own
        log_rate += (world.sd * latent - world.sd**2 / 2)[:, :, None]
    if world.scatter:
        log_rate += rng.normal(-(world.scatter**2) / 2, world.scatter, (days, lines, 1))
    if world.slow:
        weeks = ar1(rng, _SLOW_RHO, (days // 7 + 1, lines))
        log_rate += world.slow * weeks[day // 7][:, :, None]
    if world.heavy:
        log_rate += np.where(rng.random((days, lines, 1)) < world.heavy, np.log(3.0), 0.0)
    moved = world.week * np.where(day % 7 == 0, 1.0, np.where(day % 7 == 5, -1.0, 0.0)) + world.trend * day
    moved += world.season * np.cos(2 * np.pi * ((day - world.baseline_days) / DAYS_PER_YEAR + world.season_phase))
    moved += world.common_change * live
    log_rate += moved[:, None, None]
    dip = (day >= world.baseline_days - world.dip_days) & ~live
    log_rate[:, : world.treated] += world.dip * dip[:, None, None]
    log_rate[:, : world.treated] += world.own_trend * day[:, None, None]
    share = np.full((days, products), 1.0 / products)
    if products > 1:
        share[live, -1] += world.mix_shift
        share[live, 0] -= world.mix_shift
    volume = world.volume * products * share * (1 + world.volume_shift * live)[:, None]
    parts = rng.poisson(np.broadcast_to(volume[:, None, :], log_rate.shape))
    without = rng.binomial(parts, np.minimum(0.9, np.exp(log_rate)))
    if world.choose_worst_of:
        level = without[: world.baseline_days].sum(axis=(0, 2)) / parts[: world.baseline_days].sum(axis=(0, 2))
        order = np.argsort(-level)
        parts, without = parts[:, order], without[:, order]
    effect = np.zeros(lines)
    effect[: world.treated] = world.effect
    effect[world.treated :] = world.effect * world.contamination
    gone = rng.binomial(without, np.where(live[:, None, None], effect[None, :, None], 0.0))
    present = rng.random(days) >= world.missing
    return Plant(world, parts, without - gone, without, present)
