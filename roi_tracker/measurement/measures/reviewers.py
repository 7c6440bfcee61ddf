"""Reviewers err: how often, from parts that were reviewed twice, and what their counts say once that is taken out.

Two blind reviews of the same parts in two groups of different quality (passed and rejected parts) identify the
reviewers' errors without anybody knowing the truth: Hui and Walter, Biometrics 36, 1980. With interchangeable reviews
the share called defective by one review and by both lie on a chord of the parabola y = x * x, whose ends are the
chance that a good and that a defective part is called defective.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.measurement.measures.proportions import Share, exact_limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.observations.rows import Observation

FEWEST_REPEATS = 30
"""Fewest repeated reviews in each group before anything is corrected by them."""
_LARGEST = 0.4
"""Errors beyond this would say that reviewers know next to nothing."""


class Pairs(msgspec.Struct, frozen=True):
    """Parts of one verdict that were reviewed twice: called defective by both reviews, by one, by none."""

    both: int = 0
    split: int = 0
    neither: int = 0

    @property
    def parts(self) -> int:
        """How many."""
        return self.both + self.split + self.neither

    @property
    def called(self) -> float:
        """Share called defective by one review."""
        return (self.both + self.split / 2) / self.parts if self.parts else 0.0


class ReviewErrors(msgspec.Struct, frozen=True):
    """How reviewers err.

    Attributes:
        false_alarm: chance that a good part is called defective.
        miss: chance that a defective part is called good.
    """

    false_alarm: float = 0.0
    miss: float = 0.0

    def corrected(self, called: float) -> float:
        """Share that is defective, where a share is called so.

        >>> round(ReviewErrors(0.1, 0.2).corrected(0.1 + 0.5 * 0.7), 6)
        0.5
        """
        return min(1.0, max(0.0, (called - self.false_alarm) / (1.0 - self.false_alarm - self.miss)))


class ReviewEvidence(msgspec.Struct, frozen=True):
    """What repeated reviews say.

    Attributes:
        passed, failed: pairs of either verdict.
        errors: the estimate; none where nothing was repeated.
        bounds: the errors with the disagreement of one group at either of its exact limits, one a limit.
        known: False where too few parts were reviewed twice; then nothing is corrected and a caveat says so.
    """

    passed: Pairs
    failed: Pairs
    errors: ReviewErrors = ReviewErrors()
    bounds: tuple[ReviewErrors, ...] = ()
    known: bool = False


def pairs_of(rows: Iterable[Observation]) -> tuple[Pairs, Pairs]:
    """Repeated reviews of passed and of rejected parts."""
    sums = {"PASS": [0, 0, 0], "FAIL": [0, 0, 0]}
    for row in rows:
        for repeat in row.repeats:
            counts = sums[repeat.stratum]
            counts[0] += repeat.both
            counts[1] += repeat.split
            counts[2] += repeat.neither
    return Pairs(*sums["PASS"]), Pairs(*sums["FAIL"])


def review_evidence(passed: Pairs, failed: Pairs, confidence: float) -> ReviewEvidence:
    """Estimate the reviewers' errors and how far they may lie off."""
    if min(passed.parts, failed.parts) < FEWEST_REPEATS:
        return ReviewEvidence(passed, failed)
    apart = [Share(pairs.split, pairs.parts) for pairs in (passed, failed)]
    errors = errors_of((passed.called, failed.called), (apart[0].value, apart[1].value))
    bounds: list[ReviewErrors] = []
    for group, share in enumerate(apart):
        limits = exact_limits(share, confidence)
        for limit in (limits.low, limits.high):
            moved = (limit, apart[1].value) if group == 0 else (apart[0].value, limit)
            bounds.append(errors_of((passed.called, failed.called), moved))
    return ReviewEvidence(passed, failed, errors, tuple(bounds), known=True)


def errors_of(called: tuple[float, float], split: tuple[float, float]) -> ReviewErrors:
    """Errors from the shares called defective and the shares on which two reviews differ.

    Args:
        called: of passed and of rejected parts.
        split: likewise; both reviews called `called - split / 2` of the parts defective.

    >>> rates, errors = (0.1, 0.8), ReviewErrors(0.02, 0.05)
    >>> one = tuple(r * 0.95 + (1 - r) * 0.02 for r in rates)
    >>> two = tuple(2 * (r * 0.95 * 0.05 + (1 - r) * 0.02 * 0.98) for r in rates)
    >>> found = errors_of(one, two)
    >>> (round(found.false_alarm, 9), round(found.miss, 9))
    (0.02, 0.05)
    """
    one = [max(share, apart / 2) for share, apart in zip(called, split, strict=True)]
    both = [share - apart / 2 for share, apart in zip(one, split, strict=True)]
    if abs(one[1] - one[0]) < 0.05:  # noqa: PLR2004 - groups so much alike tell nothing apart
        return _alike(split)
    slope = (both[1] - both[0]) / (one[1] - one[0])
    intercept = both[0] - slope * one[0]
    root = slope * slope + 4 * intercept
    if root <= 0:
        return _alike(split)
    low, high = (slope - root**0.5) / 2, (slope + root**0.5) / 2
    return ReviewErrors(min(_LARGEST, max(0.0, low)), min(_LARGEST, max(0.0, 1.0 - high)))


def _alike(split: tuple[float, float]) -> ReviewErrors:
    """One error for both kinds of part: two reviews differ on 2 e (1 - e) of them."""
    worst = min(0.5, max(split))
    error = min(_LARGEST, (1.0 - (1.0 - 2.0 * worst) ** 0.5) / 2.0)
    return ReviewErrors(error, error)
