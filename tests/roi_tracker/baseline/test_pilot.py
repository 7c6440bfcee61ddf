from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, fit_baseline
from roi_tracker.baseline.pilot import CriterionResult, answer_of, phase_of, stop_criteria
from roi_tracker.business_case import Pilot
from roi_tracker.errors import CaseError
from roi_tracker.observations.rows import AuditSample, LineShift, Observation, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.piloting import Piloting, prospect_of
from roi_tracker.proof.proving import scope_of
from roi_tracker.render.pilot_text import pilot_lines, power_lines

if TYPE_CHECKING:
    from roi_tracker.baseline.pilot import CriterionState, PilotReport
    from roi_tracker.business_case import BusinessCase

FIRST = date(2025, 7, 15)
LIMITS = Pilot(
    weeks=4,
    max_overkill_ratio=Decimal("0.02"),
    max_escape_ratio=Decimal("0.005"),
    max_bypass_ratio=Decimal("0.1"),
)


def shift(*, inspected: int, rejected: int, audits: tuple[AuditSample, ...], late: int = 0, off: float = 0.0) -> Any:
    product = Observation(
        "press-1", FIRST, "day", "a", "measured", "ai", inspected, inspected, rejected, audits=audits, late_rejects=late
    )
    line = LineShift("press-1", FIRST, "day", "measured", live_s=28_800 - off, shadow_s=0.0, off_s=off)
    return Observations((product,), (line,), ())


def seen(audited_fail: int, bad: int, audited_pass: int, missed: int) -> tuple[AuditSample, ...]:
    return (AuditSample("ai", "FAIL", audited_fail, bad), AuditSample("ai", "PASS", audited_pass, missed))


def stops(observations: Observations, limits: Pilot = LIMITS) -> dict[str, CriterionState]:
    return {one.criterion: one.state for one in stop_criteria(limits, observations, ["press-1"], FIRST, FIRST)}


def figures(observations: Observations, criterion: str) -> dict[str, Any]:
    found = next(
        one for one in stop_criteria(LIMITS, observations, ["press-1"], FIRST, FIRST) if one.criterion == criterion
    )
    return {item.name: item.value for item in found.evidence}


def test_ratios_by_hand() -> None:
    """Of 10,000 parts 300 fail; half of 100 audited were good, 1 of 1000 audited PASS was bad: 150 and 9.7 parts. Ten
    rejects came too late, half of them defective: 5 more escapes.
    """
    found = shift(inspected=10_000, rejected=300, audits=seen(100, 50, 1000, 1), late=10, off=2_880)
    overkill, escape = figures(found, "max_overkill_ratio"), figures(found, "max_escape_ratio")
    assert (overkill["ratio"], overkill["audited"]) == (pytest.approx(0.015), 100)
    assert overkill["low"] < 0.015 < overkill["high"]
    assert escape["ratio"] == pytest.approx((9.7 + 5) / 10_000)
    assert figures(found, "max_bypass_ratio")["ratio"] == pytest.approx(0.1)


def test_a_whole_census_has_no_interval() -> None:
    """Every part audited: 30 of 300 rejects were good, 0.3 %."""
    every = figures(shift(inspected=10_000, rejected=300, audits=seen(300, 270, 9700, 0)), "max_overkill_ratio")
    assert (every["low"], every["ratio"], every["high"]) == (0.003, 0.003, 0.003)


def test_a_limit_is_exceeded_only_when_shown_to_be() -> None:
    bad = shift(inspected=10_000, rejected=600, audits=seen(200, 20, 3000, 90))
    assert stops(bad) == {
        "max_overkill_ratio": "not_met",
        "max_escape_ratio": "not_met",
        "max_bypass_ratio": "met",
    }
    unsure = shift(inspected=10_000, rejected=400, audits=seen(30, 15, 200, 1), off=20_000)
    assert stops(unsure) == {
        "max_overkill_ratio": "undecided",
        "max_escape_ratio": "undecided",
        "max_bypass_ratio": "not_met",
    }
    good = shift(inspected=10_000, rejected=100, audits=seen(50, 45, 5000, 2))
    assert set(stops(good).values()) == {"met"}


def test_audits_that_stopped_hold_no_limit() -> None:
    """A month of the same parts; audited daily the limits are held, audited on the first day only nothing is known."""
    one = shift(inspected=10_000, rejected=300, audits=seen(100, 90, 1000, 1)).products[0]
    month = [msgspec.structs.replace(one, day=FIRST + timedelta(days=day)) for day in range(30)]
    bare = [row if row.day == FIRST else msgspec.structs.replace(row, audits=()) for row in month]
    last = FIRST + timedelta(days=29)
    for rows, state in ((month, "met"), (bare, "not_measured")):
        found = stop_criteria(LIMITS, Observations(tuple(rows), (), ()), ["press-1"], FIRST, last)
        states = {item.criterion: item.state for item in found}
        assert (states["max_overkill_ratio"], states["max_escape_ratio"]) == (state, state)


def test_what_nobody_audits_is_not_measured_and_what_has_no_limit_is_not_asked() -> None:
    blind = shift(inspected=10_000, rejected=400, audits=seen(29, 20, 29, 0))
    assert stops(blind)["max_overkill_ratio"] == stops(blind)["max_escape_ratio"] == "not_measured"
    assert stops(blind, Pilot(weeks=4)) == {}
    modeless = msgspec.structs.replace(blind, line_shifts=())
    assert stops(modeless)["max_bypass_ratio"] == "not_measured"


def result(state: CriterionState) -> CriterionResult:
    return CriterionResult("max_escape_ratio", state)


def test_answers() -> None:
    met, broken, blind, unsure = result("met"), result("not_met"), result("not_measured"), result("undecided")
    assert answer_of("before", [met], [], 0) == "start"
    assert answer_of("before", [met, broken], [], 0) == "do_not_start_yet"
    assert answer_of("running", [broken], [met, unsure], 20) == "continue"
    assert answer_of("running", [met], [met, broken], 2) == "stop"
    assert answer_of("running", [met], [blind], 7) == "continue"
    assert answer_of("running", [met], [blind], 8) == "stop"
    assert answer_of("over", [met], [met], 28) == "continue"


def test_phases() -> None:
    last = FIRST + timedelta(days=27)
    assert phase_of(FIRST, last, FIRST, begun=False) == "before"
    assert phase_of(FIRST, last, last, begun=True) == "running"
    assert phase_of(FIRST, last, last, begun=False) == "before"
    assert phase_of(FIRST, last, last + timedelta(days=1), begun=True) == "over"


@pytest.fixture(name="observations", scope="module")
def _observations(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(defect_factor=0.7, seed=3)).observations
    return found


def piloted(case: BusinessCase, **changes: Any) -> BusinessCase:
    """Only the defects line, which eight weeks can show on a registered closing date."""
    line = case.benefits[0]
    closing = line.measurement.model_copy(update={"closing_dates": (date(2025, 9, 8),)})
    update = {"measurement": closing, **changes}
    pilot = Pilot(
        weeks=8,
        start_when=(
            "baseline_frozen",
            "effect_detectable",
            "audits_sufficient",
            "unit_values_locked",
            "feed_complete",
        ),
        max_overkill_ratio=Decimal("0.02"),
        max_escape_ratio=Decimal("0.01"),
    )
    return case.model_copy(update={"benefits": (line.model_copy(update=update),), "pilot": pilot})


def frozen(case: BusinessCase, observations: Observations) -> list[FrozenBaseline]:
    line = case.benefits[0]
    fitted = fit_baseline(case, line, observations, scope_of(line, ShiftCalendar(case.plant)))
    assert isinstance(fitted, FittedBaseline)
    return [FrozenBaseline(fitted, fitted.sha256, datetime(2025, 7, 2, tzinfo=UTC))]


def report(
    case: BusinessCase, observations: Observations, as_of: date, baselines: list[FrozenBaseline] | None = None
) -> PilotReport:
    return Piloting(case, observations, frozen(case, observations) if baselines is None else baselines).report(as_of)


def states(found: PilotReport) -> dict[str, str]:
    return {one.criterion: one.state for one in found.start}


def test_a_sound_pilot_starts_goes_on_and_ends(case: BusinessCase, observations: Observations) -> None:
    plan = piloted(case)
    start = report(plan, observations, date(2025, 7, 14))
    assert (start.answer, start.phase, set(states(start).values())) == ("start", "before", {"met"})
    assert (start.first, start.last, start.stop) == (date(2025, 7, 15), date(2025, 9, 8), ())
    running = report(plan, observations, date(2025, 8, 20))
    assert (running.answer, running.phase) == ("continue", "running")
    assert {one.criterion: one.state for one in running.stop} == {
        "max_overkill_ratio": "met",
        "max_escape_ratio": "met",
    }
    assert report(plan, observations, date(2025, 9, 9)).phase == "over"


def test_each_start_criterion_fails_for_its_own_reason(case: BusinessCase, observations: Observations) -> None:
    plan, day = piloted(case), date(2025, 7, 14)

    def failing(found: PilotReport) -> list[str]:
        assert found.answer == "do_not_start_yet"
        return [name for name, state in states(found).items() if state != "met"]

    assert failing(report(plan, observations, day, [])) == ["baseline_frozen"]
    loose = plan.benefits[0].unit_value.model_copy(update={"locked": False})
    unlocked = piloted(case, stated_unit_value=loose)
    assert failing(report(unlocked, observations, day)) == ["unit_values_locked"]
    assert failing(report(plan, observations, date(2025, 7, 14), frozen(unlocked, observations))) == ["baseline_frozen"]
    short = msgspec.structs.replace(
        observations, products=tuple(row for row in observations.products if row.day < date(2025, 7, 10))
    )
    assert failing(report(plan, short, day)) == ["feed_complete"]


def test_too_few_audits_hide_the_effect(case: BusinessCase, observations: Observations) -> None:
    plan = piloted(case)
    found = Piloting(plan, observations, frozen(plan, observations)).report(date(2025, 7, 14), audits_per_week=2)
    assert states(found)["audits_sufficient"] == states(found)["effect_detectable"] == "not_met"


def test_every_state_has_words_in_both_languages(case: BusinessCase, observations: Observations) -> None:
    plan = piloted(case)
    piloting = Piloting(plan, observations, frozen(plan, observations))
    waiting = report(plan, observations, date(2025, 7, 14), [])
    running = report(plan, observations, date(2025, 8, 20))
    for state in ("met", "not_met", "undecided", "not_measured"):
        told = tuple(msgspec.structs.replace(one, state=state) for one in running.stop)
        text = "\n".join(pilot_lines(msgspec.structs.replace(running, stop=told), "en"))
        assert "Escapes: " in text
    english = "\n".join(pilot_lines(waiting, "en"))
    assert english.startswith("DO NOT START YET")
    assert "not frozen: fewer-defects" in english
    assert "\n".join(pilot_lines(waiting, "ko")).startswith("아직 시작하지 마십시오")
    power = "\n".join(power_lines(piloting.prospects(prospect_of(plan, None, None)), "en"))
    assert "a pilot of 8 weeks (56 working days) can show the projected effect" in power
    cannot = "\n".join(power_lines(piloting.prospects(prospect_of(plan, 2, 2.0)), "ko"))
    assert "2주 (14 가동일) 파일럿으로는" in cannot


def test_a_case_without_a_pilot_says_so(case: BusinessCase, observations: Observations) -> None:
    with pytest.raises(CaseError, match="no section pilot"):
        report(case, observations, FIRST)
    assert prospect_of(case, None, None).weeks == 8
