from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.measurement.measures.inspection import (
    InspectedParts,
    Outcome,
    Prices,
    as_inspected_by,
    change_of,
    cost_of,
    outcome_of,
    rogan_gladen,
)
from roi_tracker.measurement.measures.proportions import Share
from roi_tracker.measurement.measures.reviewers import ReviewErrors

PRICES = Prices(escape=100.0, overkill=10.0, internal=20.0, appraisal=0.5, appraisal_before=0.2)


def audited(
    passed: int, failed: int, *, ppv: tuple[int, int], omission: tuple[int, int], **further: Any
) -> InspectedParts:
    return InspectedParts(
        "a",
        "ai",
        passed=passed,
        failed=failed,
        audit_fail=Share(*ppv, failed),
        audit_pass=Share(*omission, passed),
        **further,
    )


def test_the_naive_figure_of_equal_strata_and_the_weighted_one() -> None:
    """10 000 parts, 240 defective, 180 of them caught and 39 good ones rejected. As many PASS as FAIL parts audited.

    The audits' own Se = 82 / (82 + 1) and Sp = 99 / (99 + 18) through Rogan and Gladen would give a negative rate; PPV
    and FOR weighted by verdict give 219 x 0.82 + 9 781 x 0.01 = 277.4 defects.
    """
    parts = audited(9781, 219, ppv=(82, 100), omission=(1, 100))
    found = outcome_of(parts, parts.values)
    assert found.defects == pytest.approx(219 * 0.82 + 9781 * 0.01)
    assert found.defect_rate == pytest.approx(0.02774, abs=1e-4)
    assert rogan_gladen(0.0219, 82 / 83, 99 / 117) < 0


def test_bayes_by_hand() -> None:
    """1 000 rejected, 3/4 of them rightly; 9 000 passed, 1 % wrongly."""
    parts = audited(9000, 1000, ppv=(75, 100), omission=(1, 100))
    found = outcome_of(parts, parts.values)
    assert (found.parts, found.defects, found.caught, found.overkill) == (10000.0, 840.0, 750.0, 250.0)
    assert found.sensitivity == pytest.approx(750 / 840)
    assert found.false_reject_ratio == pytest.approx(250 / 9160)
    # 90 escapes at 100, 250 overkill at 10, 750 caught at 20, 10 000 inspections at 0.5
    assert cost_of(found, PRICES, PRICES.appraisal) == pytest.approx(9000 + 2500 + 15000 + 5000)


def test_late_rejections_and_parts_without_a_verdict_escape() -> None:
    """A tenth of the rejections came late; 1 000 parts had no verdict and hold 8.4 % defects like the others."""
    parts = audited(9000, 1000, ppv=(75, 100), omission=(1, 100), late=100, uninspected=1000)
    found = outcome_of(parts, parts.values)
    assert found.parts == 11000
    assert found.defects == pytest.approx(840 * 1.1)
    assert found.caught == pytest.approx(675)
    assert found.overkill == pytest.approx(225)
    assert found.defects - found.caught == pytest.approx(90 + 75 + 84)


def test_review_decisions_are_a_census() -> None:
    parts = audited(9000, 1000, ppv=(75, 100), omission=(1, 100), reviewed=100, review_defects=40)
    found = outcome_of(parts, parts.values)
    assert (found.defects, found.caught) == pytest.approx((880.0, 790.0))


def test_reviewers_errors_are_taken_out_of_what_audits_found() -> None:
    """Of passed parts 3 % were called defective, but reviewers call 2 % of good ones so: (0.03 - 0.02) / 0.98."""
    parts = audited(9000, 1000, ppv=(75, 100), omission=(3, 100))
    found = outcome_of(parts, parts.values, ReviewErrors(false_alarm=0.02))
    assert found.defects == pytest.approx(9000 * 0.01 / 0.98 + 1000 * 0.73 / 0.98)


def test_rogan_and_gladen_only_with_parts_of_known_truth() -> None:
    """Se 0.9 and Sp 0.98 from challenges, 6.4 % rejected: pi = (0.064 - 0.02) / 0.88 = 5 %."""
    shown: Any = {"challenge_defective": Share(90, 100), "challenge_good": Share(2, 100)}
    parts = InspectedParts("a", "ai", passed=9360, failed=640, audit_pass=Share(0, 5, 9360), **shown)
    assert parts.ruler == "challenge"
    found = outcome_of(parts, parts.values)
    assert found.defect_rate == pytest.approx(0.05)
    assert found.caught == pytest.approx(450)
    assert found.overkill == pytest.approx(190)
    assert InspectedParts("a", "ai", passed=9360, failed=640).ruler == "none"
    few = InspectedParts("a", "ai", passed=1, failed=1, challenge_defective=Share(2, 3), challenge_good=Share(0, 3))
    assert few.ruler == "none"


def test_audits_go_before_challenges() -> None:
    """Audits are of this production; parts of known truth are of somebody's choice."""
    parts = InspectedParts(
        "a",
        "ai",
        passed=9000,
        failed=1000,
        audit_fail=Share(75, 100, 1000),
        audit_pass=Share(1, 100, 9000),
        challenge_defective=Share(90, 100),
        challenge_good=Share(2, 100),
    )
    assert parts.ruler == "audits"


def test_process_and_inspection_by_hand() -> None:
    """Before: 10 % defects, half of them caught, no overkill. Now: 5 % defects, 90 % caught. 1 000 parts."""
    former = Outcome(parts=500.0, defects=50.0, caught=25.0, overkill=0.0)
    now = Outcome(parts=1000.0, defects=50.0, caught=45.0, overkill=0.0)
    prices = Prices(escape=100.0, overkill=10.0, internal=20.0, appraisal=0.0, appraisal_before=0.0)
    found = change_of(former, now, prices)
    assert found.former == pytest.approx(50 * 100 + 50 * 20)  # 100 defects of 1 000, half escaped
    assert found.before == pytest.approx(25 * 100 + 25 * 20)
    assert found.after == pytest.approx(5 * 100 + 45 * 20)
    assert (found.process, found.inspection) == pytest.approx((3000.0, 1600.0))


outcomes = st.builds(
    lambda parts, rate, caught, over: Outcome(parts, parts * rate, parts * rate * caught, parts * (1 - rate) * over),
    st.floats(1, 1e6),
    st.floats(0.001, 0.5),
    st.floats(0, 1),
    st.floats(0, 1),
)


@given(former=outcomes, now=outcomes)
def test_the_parts_add_up_and_the_benefit_follows_the_published_formula(former: Outcome, now: Outcome) -> None:
    found = change_of(former, now, PRICES)
    assert found.process + found.inspection == pytest.approx(found.former - found.after, rel=1e-9, abs=1e-6)
    n, rate = now.parts, now.defect_rate

    def cost(sensitivity: float, overkill: float, appraisal: float) -> float:
        caught = rate * sensitivity * PRICES.internal
        escaped = rate * (1 - sensitivity) * PRICES.escape
        return n * (escaped + (1 - rate) * overkill * PRICES.overkill + caught + appraisal)

    before = cost(former.sensitivity, former.false_reject_ratio, PRICES.appraisal_before)
    after = cost(now.sensitivity, now.false_reject_ratio, PRICES.appraisal)
    assert found.inspection == pytest.approx(before - after, rel=1e-9, abs=1e-6)


@given(former=outcomes, scale=st.floats(0.1, 5))
def test_the_same_inspection_saves_nothing_however_the_process_changed(former: Outcome, scale: float) -> None:
    """Fewer or more defects under an unchanged inspection are no merit of the inspection."""
    prices = Prices(escape=100.0, overkill=10.0, internal=20.0, appraisal=0.3, appraisal_before=0.3)
    rate = min(0.9, former.defect_rate * scale)
    parts = Outcome(1000.0, 1000.0 * rate, 0.0, 0.0)
    now = as_inspected_by(parts, former)
    assert change_of(former, now, prices).inspection == pytest.approx(0.0, abs=1e-6)
