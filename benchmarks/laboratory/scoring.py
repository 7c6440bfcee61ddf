"""Scores of methods: rates with Wilson intervals, so that nobody reads noise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.laboratory.peers import Claim

WILSON_Z = 1.959964
_NOT_ABOUT_DATA = frozenset({"effect_detectable", "drift_explains_less"})


@dataclass(frozen=True)
class Rate:
    """A counted share with its 95 % interval.

    >>> str(Rate(5, 100))
    '5.0 (2.2-11.2)'
    """

    hits: int
    trials: int

    @property
    def value(self) -> float:
        """The share, 0 where nothing was tried."""
        return self.hits / self.trials if self.trials else 0.0

    @property
    def low(self) -> float:
        """Lower limit by Wilson, Journal of the American Statistical Association 22, 1927."""
        return self._limit(-1.0)

    @property
    def high(self) -> float:
        """Upper limit."""
        return self._limit(1.0)

    def _limit(self, side: float) -> float:
        if not self.trials:
            return 0.0 if side < 0 else 1.0
        n, p, z = self.trials, self.value, WILSON_Z
        centre, spread = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
        return float(min(1.0, max(0.0, (centre + side * spread) / (1 + z * z / n))))

    def __str__(self) -> str:
        if not self.trials:
            return "-"
        return f"{100 * self.value:.1f} ({100 * self.low:.1f}-{100 * self.high:.1f})"


@dataclass
class Score:
    """What a method said of many plants.

    Attributes:
        realized: plants of which a benefit was claimed.
        barred: plants of which a rule about the data forbade any figure.
        covered, measured: intervals that hold the truth, of those not refused by a rule about the data.
        error: sum of (estimate - truth) / expected without the programme.
        refused: plants by the rule that refused them.
    """

    plants: int = 0
    realized: int = 0
    covered: int = 0
    measured: int = 0
    estimates: int = 0
    error: float = 0.0
    width: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    barred: int = 0

    def add(self, claim: Claim, truth: float, expected: float) -> None:
        """Count one plant."""
        self.plants += 1
        self.realized += claim.realized
        self.refused.update(claim.refused)
        if claim.avoided is not None:
            self.estimates += 1
            self.error += (claim.avoided - truth) / expected
        barred = not set(claim.refused) <= _NOT_ABOUT_DATA
        self.barred += barred
        if claim.low is not None and claim.high is not None and not barred:
            self.measured += 1
            self.covered += claim.covers(truth)
            self.width += (claim.high - claim.low) / expected

    def merged(self, other: Score) -> Score:
        """Both together."""
        return Score(
            self.plants + other.plants,
            self.realized + other.realized,
            self.covered + other.covered,
            self.measured + other.measured,
            self.estimates + other.estimates,
            self.error + other.error,
            self.width + other.width,
            self.refused + other.refused,
            self.barred + other.barred,
        )

    @property
    def claims(self) -> Rate:
        """How often a benefit was claimed."""
        return Rate(self.realized, self.plants)

    @property
    def coverage(self) -> Rate:
        """How often the interval held the truth."""
        return Rate(self.covered, self.measured)

    @property
    def refusals(self) -> Rate:
        """How often a rule about the data forbade a figure."""
        return Rate(self.barred, self.plants)

    @property
    def bias(self) -> float:
        """Mean error, as a share of the defects expected without the programme."""
        return self.error / self.estimates if self.estimates else 0.0
