"""The cost of quality: what an inspection catches, lets pass and rejects for nothing, and what that costs.

Audits are drawn within a verdict, so they give the share of true defects among rejected (PPV) and among passed parts
(false-omission rate, FOR); the true rate is pi = p PPV + (1 - p) FOR with p the share rejected, and sensitivity Se and
specificity Sp follow by Bayes. Parts of known truth give Se and Sp directly, and pi by Rogan and Gladen, American
Journal of Epidemiology 107, 1978.

    C = n (pi (1 - Se) c_escape + (1 - pi) (1 - Sp) c_overkill + pi Se c_internal) + n c_appraisal

A part that passed without a verdict, or whose rejection came after the gate, was not caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.measurement.measures.proportions import Share
from roi_tracker.measurement.measures.reviewers import ReviewErrors
from roi_tracker.measurement.ruler import MINIMUM_AUDITED
from roi_tracker.observations.rows import Inspector

if TYPE_CHECKING:
    from roi_tracker.case.measuring import QualityCosts

RulerKind = Literal["audits", "challenge", "none"]
Values = tuple[float, float]
"""The two shares a ruler rests on: PPV and FOR, or sensitivity and share of good parts rejected."""
NO_ERRORS = ReviewErrors()


class InspectedParts(msgspec.Struct, frozen=True):
    """One product under one inspection in one period.

    Attributes:
        passed, failed: parts by verdict; parts that a person decided after REVIEW belong to neither.
        reviewed, review_defects: those, and the defective ones: a census.
        uninspected: parts that passed without a verdict.
        late: rejected parts that the gate let pass because the verdict came late.
        audit_fail, audit_pass: defects found in the random audits of either verdict.
        challenge_defective, challenge_good: rejected parts of the defective and of the good ones of known truth.
    """

    product: str
    inspector: Inspector
    passed: int = 0
    failed: int = 0
    reviewed: int = 0
    review_defects: int = 0
    uninspected: int = 0
    late: int = 0
    audit_fail: Share = Share(0, 0)
    audit_pass: Share = Share(0, 0)
    challenge_defective: Share = Share(0, 0)
    challenge_good: Share = Share(0, 0)

    @property
    def inspected(self) -> int:
        """Parts that got a verdict."""
        return self.passed + self.failed + self.reviewed

    @property
    def ruler(self) -> RulerKind:
        """What the true rate is known from: audits of both verdicts, else a challenge set, else nothing."""
        audited = ((self.audit_fail, self.failed), (self.audit_pass, self.passed))
        if all(share.tried >= min(MINIMUM_AUDITED, parts) for share, parts in audited):
            return "audits"
        shown = (self.challenge_defective, self.challenge_good)
        if all(share.tried >= MINIMUM_AUDITED for share in shown) and shown[0].value > shown[1].value:
            return "challenge"
        return "none"

    @property
    def shares(self) -> tuple[Share, Share]:
        """The counted shares that the ruler rests on."""
        if self.ruler == "challenge":
            return self.challenge_defective, self.challenge_good
        return self.audit_fail, self.audit_pass

    @property
    def values(self) -> Values:
        """The shares as they were counted."""
        first, second = self.shares
        return first.value, second.value


class Outcome(msgspec.Struct, frozen=True):
    """What became of parts; numbers of parts, in expectation.

    Attributes:
        defects: truly defective parts.
        caught: of those, rejected in time; the rest escaped.
        overkill: good parts rejected.
    """

    parts: float
    defects: float
    caught: float
    overkill: float

    @property
    def defect_rate(self) -> float:
        """True defects among all parts (pi)."""
        return self.defects / self.parts if self.parts else 0.0

    @property
    def sensitivity(self) -> float:
        """Share of defects that was caught; 1 where there was none to miss."""
        return self.caught / self.defects if self.defects > 0 else 1.0

    @property
    def false_reject_ratio(self) -> float:
        """Share of good parts that was rejected (1 - Sp)."""
        good = self.parts - self.defects
        return self.overkill / good if good > 0 else 0.0


class Prices(msgspec.Struct, frozen=True):
    """Money per part, as registered in the plan."""

    escape: float
    overkill: float
    internal: float
    appraisal: float
    appraisal_before: float

    @staticmethod
    def of(costs: QualityCosts) -> Prices:
        """The plan's figures."""
        return Prices(
            float(costs.escape),
            float(costs.overkill),
            float(costs.internal),
            float(costs.appraisal),
            float(costs.appraisal_before),
        )


def outcome_of(parts: InspectedParts, values: Values, errors: ReviewErrors = NO_ERRORS) -> Outcome:
    """What became of parts, if the ruler's shares have these values and reviewers err like that.

    >>> audits = {"audit_fail": Share(75, 100), "audit_pass": Share(1, 100)}
    >>> counts = InspectedParts("a", "ai", passed=9000, failed=1000, **audits)
    >>> found = outcome_of(counts, counts.values)
    >>> (found.defects, found.caught, found.overkill)  # 1000 x 0.75 + 9000 x 0.01
    (840.0, 750.0, 250.0)
    """
    inspected = parts.inspected
    if not inspected:
        return Outcome(0.0, 0.0, 0.0, 0.0)
    in_time = 1.0 - parts.late / parts.failed if parts.failed else 1.0
    if parts.ruler == "challenge":
        sensitivity, false_rejects = values
        called = (parts.failed + parts.review_defects) / inspected
        rate = min(1.0, max(0.0, rogan_gladen(called, sensitivity, 1.0 - false_rejects)))
        defects = rate * inspected
        caught, overkill = sensitivity * defects * in_time, false_rejects * (inspected - defects) * in_time
    else:
        among_failed, among_passed = errors.corrected(values[0]), errors.corrected(values[1])
        rejected = parts.failed * among_failed
        defects = rejected + parts.passed * among_passed + parts.review_defects
        caught = rejected * in_time + parts.review_defects
        overkill = parts.failed * (1.0 - among_failed) * in_time
    everything = inspected + parts.uninspected
    return Outcome(float(everything), defects / inspected * everything, caught, overkill)


def rogan_gladen(called: float, sensitivity: float, specificity: float) -> float:
    """True rate from the share called defective; only with Se and Sp from parts of known truth, never from audits.

    >>> round(rogan_gladen(0.05 * 0.9 + 0.95 * 0.02, 0.9, 0.98), 9)
    0.05
    """
    return (called + specificity - 1.0) / (sensitivity + specificity - 1.0)


def cost_of(outcome: Outcome, prices: Prices, appraisal: float) -> float:
    """Cost of quality of these parts, inspection included."""
    escaped = outcome.defects - outcome.caught
    rejected = outcome.overkill * prices.overkill + outcome.caught * prices.internal
    return escaped * prices.escape + rejected + outcome.parts * appraisal


def as_inspected_by(outcome: Outcome, inspection: Outcome) -> Outcome:
    """The same parts with the same true defects under another inspection's sensitivity and specificity."""
    good = outcome.parts - outcome.defects
    return Outcome(
        outcome.parts,
        outcome.defects,
        outcome.defects * inspection.sensitivity,
        good * inspection.false_reject_ratio,
    )


def at_rate_of(outcome: Outcome, former: Outcome) -> Outcome:
    """The parts as they would have been made and inspected before: former defect rate, former inspection."""
    scale = outcome.parts / former.parts if former.parts else 0.0
    return Outcome(outcome.parts, former.defects * scale, former.caught * scale, former.overkill * scale)


class QualityChange(msgspec.Struct, frozen=True):
    """Costs of the reporting parts of one product, money.

    Attributes:
        former: as made and inspected before.
        before: as made now, inspected as before.
        after: as made and inspected now.
    """

    former: float
    before: float
    after: float

    @property
    def inspection(self) -> float:
        """What the better inspection saves, at the same true defect rate."""
        return self.before - self.after

    @property
    def process(self) -> float:
        """What the better process saves; no merit of the inspection."""
        return self.former - self.before


def change_of(former: Outcome, now: Outcome, prices: Prices) -> QualityChange:
    """Split the change of one product's cost of quality into process and inspection.

    Args:
        former: the baseline's parts under the previous inspection.
        now: the reporting period's parts under the programme.
        prices: what outcomes cost.
    """
    return QualityChange(
        former=cost_of(at_rate_of(now, former), prices, prices.appraisal_before),
        before=cost_of(as_inspected_by(now, former), prices, prices.appraisal_before),
        after=cost_of(now, prices, prices.appraisal),
    )
