"""The inspection benefit with its interval: cost of quality before minus after, at the same true defect rate.

The interval recovers each audit's own exact limits (MOVER: Zou and Donner, Statistics in Medicine 27, 2008): the
benefit is computed again with one share at its limit, and the differences are added in quadrature. So an audit that
found nothing still widens it. Where audits scatter from day to day more than drawing at random explains, the long-run
variance of their daily residuals holds instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from roi_tracker.measurement import confidence_sequence
from roi_tracker.measurement.estimation import CONFIDENCE, POWER, Estimate, IntervalKind
from roi_tracker.measurement.longrun import noise_of
from roi_tracker.measurement.measures.inspected import AuditOfDay
from roi_tracker.measurement.measures.inspection import (
    InspectedParts,
    Prices,
    QualityChange,
    RulerKind,
    change_of,
    outcome_of,
)
from roi_tracker.measurement.measures.proportions import Limits, anytime_limits, exact_limits
from roi_tracker.measurement.measures.reviewers import ReviewErrors, ReviewEvidence
from roi_tracker.measurement.quantiles import normal_quantile, student_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from roi_tracker.measurement.measures.inspection import Outcome, Values
    from roi_tracker.measurement.measures.proportions import Share

ALPHA = 2 * (1 - CONFIDENCE)
_FEWEST_DAYS = 8
_MANY = 1e6
"""Degrees of freedom of exact limits, which estimate no variance."""
_STEP = 1e-6
_Period = Literal["before", "after"]


class QualityEvidence(msgspec.Struct, frozen=True):
    """All that the inspection benefit rests on.

    Attributes:
        before, after: parts by product; only products with a ruler in both count.
        audits_before, audits_after: audits day by day.
        review: how reviewers err.
        days: measured reporting days.
    """

    before: tuple[InspectedParts, ...]
    after: tuple[InspectedParts, ...]
    audits_before: tuple[AuditOfDay, ...]
    audits_after: tuple[AuditOfDay, ...]
    review: ReviewEvidence
    prices: Prices
    days: int


class ShareEstimate(msgspec.Struct, frozen=True):
    """A share that follows from several audits, with its limits."""

    value: float
    low: float
    high: float


class ProductQuality(msgspec.Struct, frozen=True):
    """One product before and after.

    Attributes:
        parts: reporting parts, those without a verdict included.
        ruler: what the reporting period's true rate is known from.
        defect_rate, sensitivity, specificity: before and after, each with its 90 % limits.
        change: money.
    """

    product: str
    parts: float
    ruler: RulerKind
    defect_rate_before: ShareEstimate
    defect_rate: ShareEstimate
    sensitivity_before: ShareEstimate
    sensitivity: ShareEstimate
    specificity_before: ShareEstimate
    specificity: ShareEstimate
    change: QualityChange


class QualityDetail(msgspec.Struct, frozen=True, tag="inspection"):
    """What stands behind an inspection benefit.

    Attributes:
        inspection: money saved by the better inspection at the same true defect rate: the benefit.
        process: money saved because fewer defects were made, reported apart and no part of it.
        uninspected, late: parts that passed without a verdict, and rejections that came after the gate.
        reviewers: how they err; zeros where nobody was reviewed twice.
        reviewers_known: whether enough parts were.
    """

    products: tuple[ProductQuality, ...]
    inspection: float
    process: float
    uninspected: int
    late: int
    reviewers: ReviewErrors
    reviewers_known: bool


class _Pair(msgspec.Struct, frozen=True):
    former: InspectedParts
    now: InspectedParts


class QualityMeasurement:
    """Cost of quality of the reporting parts under the previous inspection and under the programme's."""

    def __init__(self, evidence: QualityEvidence) -> None:
        self._evidence = evidence
        former = {parts.product: parts for parts in evidence.before if parts.ruler == "audits"}
        self._pairs = [
            _Pair(former[parts.product], parts)
            for parts in evidence.after
            if parts.product in former and parts.ruler != "none"
        ]

    @property
    def measured(self) -> int:
        """How many products can be compared."""
        return len(self._pairs)

    @property
    def days(self) -> int:
        """Measured reporting days."""
        return self._evidence.days

    def whole(self, interval: IntervalKind) -> Estimate:
        """The benefit in money, with its interval."""
        errors = self._evidence.review.errors
        changes = [self._change(pair, errors) for pair in self._pairs]
        expected, observed = sum(one.before for one in changes), sum(one.after for one in changes)
        spread_before, spread_after, dof = self._scatter()
        alpha_after = ALPHA * confidence_sequence.NOISE_SHARE
        if interval == "closing":
            exact = self._margins("before", CONFIDENCE), self._margins("after", CONFIDENCE)
            low, high = (float(np.hypot(exact[0][side], exact[1][side])) for side in (0, 1))
            noisy = student_quantile(CONFIDENCE, dof) * float(np.hypot(spread_before, spread_after))
        else:
            confidence = 1 - (ALPHA - alpha_after) / 2
            exact = self._margins("before", confidence), self._margins("after", None)
            low, high = (exact[0][side] + exact[1][side] for side in (0, 1))
            radius = confidence_sequence.noise_radius(max(1, self._evidence.days), alpha_after, dof)
            noisy = student_quantile(confidence, dof) * spread_before
            noisy += radius * spread_after / max(1, self._evidence.days) ** 0.5
        low, high = max(low, noisy), max(high, noisy)
        ordinary = [self._margins(period, CONFIDENCE) for period in ("before", "after")]
        normal = normal_quantile(CONFIDENCE)
        errors_of = [
            max(spread, max(margins) / normal)
            for spread, margins in zip((spread_before, spread_after), ordinary, strict=True)
        ]
        error = float(np.linalg.norm(errors_of))
        return Estimate(
            avoided=expected - observed,
            low=expected - observed - low,
            high=expected - observed + high,
            expected=expected,
            observed=observed,
            standard_error=error,
            baseline_error=errors_of[0],
            reporting_error=errors_of[1],
            dof=dof,
            inflation=1.0,
            minimum_detectable=low + student_quantile(POWER, dof) * error,
            days=self._evidence.days,
            interval=interval,
        )

    def detail(self) -> QualityDetail:
        """What stands behind it, product by product."""
        review = self._evidence.review
        products = tuple(self._product(pair) for pair in self._pairs)
        return QualityDetail(
            products=products,
            inspection=sum(one.change.inspection for one in products),
            process=sum(one.change.process for one in products),
            uninspected=sum(pair.now.uninspected for pair in self._pairs),
            late=sum(pair.now.late for pair in self._pairs),
            reviewers=review.errors,
            reviewers_known=review.known,
        )

    def _change(
        self, pair: _Pair, errors: ReviewErrors, former: Values | None = None, now: Values | None = None
    ) -> QualityChange:
        return change_of(
            outcome_of(pair.former, former or pair.former.values, errors),
            outcome_of(pair.now, now or pair.now.values, errors),
            self._evidence.prices,
        )

    def _margins(self, period: _Period, confidence: float | None) -> tuple[float, float]:
        """How far the benefit may lie lower and higher by one period's audits; None: on all days at once. Reviewers'
        errors are the same in both periods and stand with the baseline's.
        """
        down: list[float] = []
        up: list[float] = []

        def moved(base: float, others: Sequence[float]) -> None:
            down.append(max(0.0, base - min(others)))
            up.append(max(0.0, max(others) - base))

        errors = self._evidence.review.errors
        for pair in self._pairs:
            base = self._change(pair, errors).inspection
            parts = pair.former if period == "before" else pair.now
            for place, share in enumerate(parts.shares):
                limits = _limits(share, confidence, finite=period == "after")
                found = [_replaced(parts.values, place, limit) for limit in (limits.low, limits.high)]
                if period == "before":
                    moved(base, [self._change(pair, errors, former=values).inspection for values in found])
                else:
                    moved(base, [self._change(pair, errors, now=values).inspection for values in found])
        bounds = self._evidence.review.bounds if period == "before" else ()
        base = sum(self._change(pair, errors).inspection for pair in self._pairs)
        for place in range(0, len(bounds), 2):
            both = bounds[place : place + 2]
            moved(base, [sum(self._change(pair, one).inspection for pair in self._pairs) for one in both])
        return float(np.linalg.norm(down)), float(np.linalg.norm(up))

    def _scatter(self) -> tuple[float, float, float]:
        """Standard error of either period by how its audits scatter from day to day, and degrees of freedom."""
        found = [
            _long_run(self._influence("before"), self._evidence.audits_before),
            _long_run(self._influence("after"), self._evidence.audits_after),
        ]
        return found[0][0], found[1][0], min(found[0][1], found[1][1])

    def _influence(self, period: _Period) -> dict[tuple[str, str], tuple[float, float]]:
        """By product and verdict: the counted share, and how much one more found defect moves the benefit."""
        errors = self._evidence.review.errors
        found: dict[tuple[str, str], tuple[float, float]] = {}
        for pair in self._pairs:
            parts = pair.former if period == "before" else pair.now
            if parts.ruler != "audits":
                continue
            for place, (stratum, share) in enumerate(zip(("FAIL", "PASS"), parts.shares, strict=True)):
                step = -_STEP if share.value > 0.5 else _STEP  # noqa: PLR2004 - away from the nearer border
                values = _replaced(parts.values, place, share.value + step)
                base = self._change(pair, errors).inspection
                if period == "before":
                    moved = self._change(pair, errors, former=values).inspection
                else:
                    moved = self._change(pair, errors, now=values).inspection
                if share.tried:
                    found[parts.product, stratum] = (share.value, (moved - base) / step / share.tried)
        return found

    def _product(self, pair: _Pair) -> ProductQuality:
        errors, share = self._evidence.review.errors, self._share
        now = outcome_of(pair.now, pair.now.values, errors)
        return ProductQuality(
            product=pair.now.product,
            parts=now.parts,
            ruler=pair.now.ruler,
            defect_rate_before=share(pair.former, lambda one: one.defect_rate),
            defect_rate=share(pair.now, lambda one: one.defect_rate),
            sensitivity_before=share(pair.former, lambda one: one.sensitivity),
            sensitivity=share(pair.now, lambda one: one.sensitivity),
            specificity_before=share(pair.former, lambda one: 1.0 - one.false_reject_ratio),
            specificity=share(pair.now, lambda one: 1.0 - one.false_reject_ratio),
            change=self._change(pair, errors),
        )

    def _share(self, parts: InspectedParts, what: Callable[[Outcome], float]) -> ShareEstimate:
        """A share by Bayes, its limits by the exact limits of every count it rests on."""
        review = self._evidence.review
        value = what(outcome_of(parts, parts.values, review.errors))
        down, up = [0.0], [0.0]
        others: list[list[float]] = []
        for place, counted in enumerate(parts.shares):
            limits = exact_limits(counted, CONFIDENCE)
            both = [_replaced(parts.values, place, limit) for limit in (limits.low, limits.high)]
            others.append([what(outcome_of(parts, values, review.errors)) for values in both])
        others.extend(
            [what(outcome_of(parts, parts.values, one)) for one in review.bounds[place : place + 2]]
            for place in range(0, len(review.bounds), 2)
        )
        for found in others:
            down.append(max(0.0, value - min(found)))
            up.append(max(0.0, max(found) - value))
        low, high = value - float(np.linalg.norm(down)), value + float(np.linalg.norm(up))
        return ShareEstimate(value, max(0.0, low), min(1.0, high))


def _limits(share: Share, confidence: float | None, *, finite: bool) -> Limits:
    if confidence is None:
        return anytime_limits(share, ALPHA * confidence_sequence.NOISE_SHARE)
    return exact_limits(share if finite else msgspec.structs.replace(share, population=0), confidence)


def _replaced(values: Values, place: int, value: float) -> Values:
    return (value, values[1]) if place == 0 else (values[0], value)


def _long_run(
    influence: dict[tuple[str, str], tuple[float, float]], audits: Sequence[AuditOfDay]
) -> tuple[float, float]:
    """Standard error of the benefit by the daily residuals of the audits, and its degrees of freedom."""
    days = sorted({audit.day for audit in audits})
    if len(days) < _FEWEST_DAYS:
        return 0.0, _MANY
    position = {day: index for index, day in enumerate(days)}
    daily: NDArray[np.float64] = np.zeros(len(days))
    for audit in audits:
        share, effect = influence.get((audit.product, audit.stratum), (0.0, 0.0))
        daily[position[audit.day]] += effect * (audit.found - share * audit.audited)
    noise = noise_of([daily], [1.0])
    return float((len(days) * noise.variances[0]) ** 0.5), noise.dof
