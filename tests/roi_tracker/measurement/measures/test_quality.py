"""The inspection benefit on a plant whose truth is known: recovered, and not claimed where there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from roi_tracker.business_case import MeasurementPlan, QualityCosts
from roi_tracker.measurement.measures.inspected import Tally
from roi_tracker.measurement.measures.inspection import InspectedParts, Prices
from roi_tracker.measurement.measures.proportions import Share
from roi_tracker.measurement.measures.quality import QualityDetail, QualityEvidence, QualityMeasurement
from roi_tracker.measurement.measures.reviewers import Pairs, review_evidence
from roi_tracker.observations.rows import AuditSample, Challenge, Inspector, RepeatReviews
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import NotProven, Realized, prove
from tests.roi_tracker.measurement.measures.conftest import failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench

COSTS = QualityCosts(escape=Decimal(5000), overkill=Decimal(300), internal=Decimal(500))
PLAN = MeasurementPlan(quality_costs=COSTS)
PRICES = Prices.of(COSTS)
MADE, RATE = 500, 0.03


def plant(
    seed: int,
    *,
    sensitivity: tuple[float, float] = (0.70, 0.95),
    rates: tuple[float, float] = (RATE, RATE),
    reviewers: tuple[float, float] = (0.0, 0.0),
    **programme: Any,
) -> tuple[Observations, float]:
    """A year, and the money that the better inspection really saved in the reporting period.

    Args:
        seed: of the year.
        sensitivity: before and after.
        rates: true defect rates before and after.
        reviewers: chance of calling a good part defective, and a defective one good.
        programme: further fields of reporting rows.
    """
    rng = np.random.default_rng(seed)
    products, lines, saved = [], [], 0.0
    false_alarm, miss = reviewers

    def called(defective: int, good: int) -> int:
        return int(rng.binomial(defective, 1 - miss) + rng.binomial(good, false_alarm))

    for place in places():
        rate, catches = rates[place.live], sensitivity[place.live]
        defects = int(rng.binomial(MADE, rate))
        caught, false = int(rng.binomial(defects, catches)), int(rng.binomial(MADE - defects, 0.01))
        failing, missed = caught + false, defects - caught
        drawn = min(failing, 10), 30
        found = int(rng.hypergeometric(caught, false, drawn[0])) if failing else 0
        slipped = int(rng.hypergeometric(missed, MADE - failing - missed, drawn[1]))
        who: Inspector = "ai" if place.live else "previous"
        audits = (
            AuditSample(who, "FAIL", drawn[0], called(found, drawn[0] - found)),
            AuditSample(who, "PASS", drawn[1], called(slipped, drawn[1] - slipped)),
        )
        more = programme if place.live else {}
        products.append(product(place, produced=MADE, inspected=MADE, rejected=failing, audits=audits, **more))
        lines.append(line_shift(place))
        if place.live:
            saved += MADE * rate * (catches - sensitivity[0]) * (5000 - 500)
    return observed(products, lines), saved


def test_a_better_inspection_is_worth_what_it_really_saved(bench: MakeBench) -> None:
    observations, saved = plant(1)
    found = bench("inspection", "money", 50_000_000, PLAN).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= saved <= found.estimate.high
    assert found.estimate.low > 0.5 * saved
    assert (found.basis.method, found.basis.design, found.basis.grade) == ("cost_of_quality", "same_defect_rate", "C")
    detail = found.basis.detail
    assert isinstance(detail, QualityDetail)
    one = detail.products[0]
    assert one.sensitivity_before.low <= 0.70 <= one.sensitivity_before.high
    assert one.sensitivity.low <= 0.95 <= one.sensitivity.high
    assert one.specificity.low <= 0.99 <= one.specificity.high
    assert one.defect_rate.low <= RATE <= one.defect_rate.high
    assert detail.inspection == pytest.approx(found.estimate.avoided)
    assert [point.interval for point in found.months][-1] == "closing"
    assert found.months[-1].avoided == pytest.approx(found.estimate.avoided)


def test_the_ruler_does_not_make_quality_look_worse(bench: MakeBench) -> None:
    """Recorded rejects rise from 3.1 % to 3.8 % while the true rate is the same: the process neither won nor lost."""
    observations, _ = plant(2)
    detail = bench("inspection", "money", 50_000_000, PLAN).prove(observations).basis.detail  # type: ignore[union-attr]  # measured
    assert isinstance(detail, QualityDetail)
    one = detail.products[0]
    assert one.defect_rate_before.low <= one.defect_rate.high
    assert one.defect_rate.low <= one.defect_rate_before.high
    assert abs(detail.process) < detail.inspection


def test_a_better_process_is_no_merit_of_the_inspection(bench: MakeBench) -> None:
    """Defects halve, the inspection stays what it was: nothing is proven, and the process figure stands apart."""
    observations, _ = plant(3, sensitivity=(0.8, 0.8), rates=(0.04, 0.02))
    found = bench("inspection", "money", 50_000_000, PLAN).prove(observations)
    assert isinstance(found, NotProven)
    assert found.reason == "interval_contains_zero"
    assert found.basis is not None
    detail = found.basis.detail
    assert isinstance(detail, QualityDetail)
    truth = 170 * 3 * MADE * 0.02 * (0.2 * 5000 + 0.8 * 500)
    assert detail.process == pytest.approx(truth, rel=0.3)


def test_without_audits_of_the_previous_inspection_nothing_is_proven(bench: MakeBench) -> None:
    observations, _ = plant(4)
    bare = tuple(
        msgspec.structs.replace(row, audits=()) if row.inspector == "previous" else row for row in observations.products
    )
    made = bench("inspection", "money", 50_000_000, PLAN)
    calendar = ShiftCalendar(made.case.plant)
    found = prove(made.case, made.line, msgspec.structs.replace(observations, products=bare), calendar, None)
    assert failed(found) == {"previous_inspection_audited"}


def test_without_costs_nothing_is_proven(bench: MakeBench) -> None:
    observations, _ = plant(5)
    assert "quality_costs_stated" in failed(bench("inspection", "money", 50_000_000).prove(observations))


def test_challenges_stand_in_for_the_audits_of_the_programme(bench: MakeBench) -> None:
    """No audits after go-live, but 2 000 parts of known truth: Rogan and Gladen give the rate."""
    observations, saved = plant(6)
    first = True
    rows = []
    for row in observations.products:
        changed = row
        if row.inspector == "ai":
            shown = (Challenge("ai", 1000, 950, 1000, 10),) if first else ()
            changed, first = msgspec.structs.replace(row, audits=(), challenges=shown), False
        rows.append(changed)
    found = bench("inspection", "money", 50_000_000, PLAN).prove(
        msgspec.structs.replace(observations, products=tuple(rows))
    )
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= saved <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, QualityDetail)
    assert detail.products[0].ruler == "challenge"


def test_reviewers_errors_are_learned_from_repeats_and_taken_out(bench: MakeBench) -> None:
    """Reviewers call 1 % of good parts defective: uncorrected, every passed stratum holds a third more defects."""
    observations, saved = plant(7, reviewers=(0.01, 0.05))
    rng = np.random.default_rng(8)
    rows = []
    for row in observations.products:
        good = rng.binomial(2, 2 * 0.01 * 0.99, 8).sum(), rng.binomial(1, 2 * 0.05 * 0.95, 8).sum()
        repeats = (RepeatReviews("FAIL", 7, int(good[1] > 0), 2), RepeatReviews("PASS", 0, int(good[0] > 0), 30))
        rows.append(msgspec.structs.replace(row, repeats=repeats))
    found = bench("inspection", "money", 50_000_000, PLAN).prove(
        msgspec.structs.replace(observations, products=tuple(rows))
    )
    assert isinstance(found, Realized), failed(found)
    detail = found.basis.detail
    assert isinstance(detail, QualityDetail)
    assert detail.reviewers_known
    assert detail.reviewers.false_alarm > 0
    assert found.estimate.low <= saved <= found.estimate.high
    assert next(check for check in found.basis.checks if check.rule == "reviewers_repeated").passed


def test_parts_that_passed_uninspected_cost_what_escapes_cost() -> None:
    former = InspectedParts(
        "a", "previous", 9000, 1000, audit_fail=Share(75, 100, 1000), audit_pass=Share(1, 100, 9000)
    )
    now = msgspec.structs.replace(former, inspector="ai")
    none = review_evidence(Pairs(), Pairs(), 0.95)
    same = QualityMeasurement(QualityEvidence((former,), (now,), (), (), none, PRICES, 30)).whole("closing")
    assert same.avoided == pytest.approx(0.0)
    blind = msgspec.structs.replace(now, uninspected=100)
    found = QualityMeasurement(QualityEvidence((former,), (blind,), (), (), none, PRICES, 30)).whole("closing")
    # 8.4 defects more; the previous inspection would have caught 750 of 840, and rejected 250 of 9 160 good parts
    lost = 8.4 * 750 / 840 * (5000 - 500)
    spared = 91.6 * 250 / 9160 * 300
    assert found.avoided == pytest.approx(spared - lost)


def test_an_audit_that_found_nothing_still_widens() -> None:
    """None of 100 passed parts was defective, before and after: up to 3 % may have been."""
    former = InspectedParts(
        "a", "previous", 9000, 1000, audit_fail=Share(75, 100, 1000), audit_pass=Share(0, 100, 9000)
    )
    now = msgspec.structs.replace(former, inspector="ai", audit_fail=Share(90, 100, 1000))
    none = review_evidence(Pairs(), Pairs(), 0.95)
    measured = QualityMeasurement(QualityEvidence((former,), (now,), (), (), none, PRICES, 30))
    closing, anytime = measured.whole("closing"), measured.whole("anytime")
    assert closing.low < closing.avoided < closing.high
    assert closing.avoided - closing.low > 9000 * 0.02 * (5000 - 500)
    assert anytime.low < closing.low
    assert anytime.high > closing.high


def test_rows_of_another_inspection_are_not_counted() -> None:
    place = next(iter(places()))
    row = product(place, produced=10, inspected=10, rejected=2, audits=(AuditSample("ai", "FAIL", 2, 1),))
    assert Tally("ai", "ai").add_all([row]).parts() == ()
    found = Tally("previous", "previous").add_all([row]).parts()
    assert [(parts.passed, parts.failed, parts.audit_fail.tried) for parts in found] == [(8, 2, 0)]


def test_no_effect_is_claimed_at_most_as_often_as_promised() -> None:
    """200 plants whose inspection never changed: 5 % may show a benefit, 5 % a harm, and two standard errors."""
    rng = np.random.default_rng(11)
    none, better, worse = review_evidence(Pairs(), Pairs(), 0.95), 0, 0
    for _ in range(200):
        found = []
        for days in (60, 90):
            caught, missed, false = (int(rng.binomial(500 * days, p)) for p in (0.02, 0.006, 0.008))
            failing, passing = caught + false, 500 * days - caught - false
            audits = [(caught, false, 600), (missed, passing - missed, 3000)]
            shares = [Share(int(rng.hypergeometric(bad, good, n)), n, bad + good) for bad, good, n in audits]
            found.append(InspectedParts("a", "ai", passing, failing, audit_fail=shares[0], audit_pass=shares[1]))
        former, now = found
        estimate = QualityMeasurement(QualityEvidence((former,), (now,), (), (), none, PRICES, 90)).whole("closing")
        better += estimate.low > 0
        worse += estimate.high < 0
    assert better <= 10 + 2 * 3.1
    assert worse <= 10 + 2 * 3.1
