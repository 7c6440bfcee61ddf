from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.business_case import KpiTarget
from roi_tracker.observations.rows import (
    AlarmCount,
    AuditSample,
    Inspector,
    KpiCount,
    LineShift,
    Observation,
    Observations,
)
from roi_tracker.proof.proving import NotProven
from roi_tracker.realization.activity import Activity
from roi_tracker.realization.board import Board, BoardEntry, board
from roi_tracker.realization.trend import trend
from roi_tracker.realization.weeks import BaselineWeek, LineReach
from roi_tracker.render.board_text import board_lines

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

MONDAY = date(2025, 7, 21)  # the first Monday after go-live on Tuesday 2025-07-15
WEEK = timedelta(days=7)


def target(source: str = "defects", unit: str = "%", **changes: object) -> KpiTarget:
    fields = {
        "id": source, "name": {"ko": "지표", "en": "Indicator"}, "axis": "cost", "source": source, "unit": unit,
        "target": "2", "owner": "quality",
    }  # fmt: skip
    return KpiTarget.model_validate(fields | changes)


def product(day: date, rejected: int, inspector: Inspector | None = "ai", **changes: object) -> Observation:
    row = Observation(
        "press-1", day, "day", "a", "measured", inspector, produced=1000, inspected=1000, rejected=rejected
    )
    return msgspec.structs.replace(row, **changes)


def audits(inspector: Inspector, good_in_fail: int, bad_in_pass: int) -> tuple[AuditSample, ...]:
    """10 FAIL and 100 PASS parts looked at."""
    return (
        AuditSample(inspector, "FAIL", 10, 10 - good_in_fail),
        AuditSample(inspector, "PASS", 100, bad_in_pass),
    )


def made(case: BusinessCase, observations: Observations, *targets: KpiTarget) -> Board:
    proofs = tuple(NotProven(line.id, "baseline_not_frozen") for line in case.benefits)
    activity = Activity(observations, case.go_live)
    return board(case.model_copy(update={"kpi_board": targets}), activity, proofs)


def only(case: BusinessCase, observations: Observations, one: KpiTarget) -> BoardEntry:
    (entry,) = made(case, observations, one).entries
    return entry


def daily(row: Observation | LineShift, days: int, first: date = MONDAY) -> list[Observation | LineShift]:
    return [msgspec.structs.replace(row, day=first + timedelta(days=number)) for number in range(days)]


def of_lines(*rows: object) -> Observations:
    return Observations((), tuple(row for row in rows if isinstance(row, LineShift)), ())


def of_products(*rows: object) -> Observations:
    return Observations(tuple(row for row in rows if isinstance(row, Observation)), (), ())


def test_a_better_inspector_does_not_look_like_worse_quality(case: BusinessCase) -> None:
    """Before: 2 % rejected, all truly bad, and 2 % of the passed are bad: 3.96 %. After: 4 % rejected, 10 % of these
    good, none missed: 3.6 %. The recorded rate doubles, the true one falls.
    """
    before = product(date(2025, 6, 2), 20, "previous", audits=audits("previous", 0, 2))
    rows = of_products(before, *daily(product(MONDAY, 40, audits=audits("ai", 1, 0)), 7))
    entry = only(case, rows, target())
    assert entry.basis == "audited"
    assert entry.before.value == pytest.approx(2 + 98 * 0.02)
    assert entry.actual == pytest.approx(3.6)
    assert (entry.week, entry.state, entry.trend) == (MONDAY, "off_target", "too_short")


def test_without_audits_of_every_inspection_the_recorded_rate_says_so(case: BusinessCase) -> None:
    before = product(date(2025, 6, 2), 20, "previous")
    rows = of_products(before, *daily(product(MONDAY, 15, audits=audits("ai", 1, 0)), 7))
    entry = only(case, rows, target())
    assert (entry.basis, entry.actual, entry.before.value, entry.state) == ("recorded", 1.5, 2.0, "on_target")


def test_a_plant_without_modes_is_audited_all_the_same(case: BusinessCase) -> None:
    """The audits and the go-live say whose verdicts they were: the figures of the first test."""
    before = product(date(2025, 6, 2), 20, None, audits=audits("previous", 0, 2))
    rows = of_products(before, *daily(product(MONDAY, 40, None, audits=audits("ai", 1, 0)), 7))
    entry = only(case, rows, target())
    assert entry.basis == "audited"
    assert [entry.before.value, entry.actual] == pytest.approx([3.96, 3.6])
    bare = of_products(*daily(product(MONDAY, 15, None), 7))
    assert (only(case, bare, target()).basis, only(case, bare, target()).actual) == ("recorded", 1.5)


def test_weeks_in_which_nobody_audited_have_no_audited_value(case: BusinessCase) -> None:
    """Audits end on the first Sunday; the third Tuesday is 16 days later, the fourth week lies beyond."""
    audited = daily(product(MONDAY, 40, audits=audits("ai", 1, 0)), 7)
    rows = of_products(*audited, *daily(product(MONDAY, 4), 28, MONDAY + WEEK))
    entry = only(case, rows, target())
    assert [point.value for point in entry.weeks] == [pytest.approx(3.6), *[pytest.approx(0.36)] * 3, None]
    assert entry.basis == "audited"


def test_overkill_and_escape_by_hand(case: BusinessCase) -> None:
    rows = of_products(*daily(product(MONDAY, 40, audits=audits("ai", 1, 1)), 7))
    assert only(case, rows, target("overkill", "ppm")).actual == pytest.approx(4_000)
    assert only(case, rows, target("escape", "ratio")).actual == pytest.approx(0.96 * 0.01)


def test_times_and_modes_by_hand(case: BusinessCase) -> None:
    shift = LineShift(
        "press-1", MONDAY, "day", "measured", planned_busy_s=28_800, unplanned_stop_s=2_880, live_s=21_600,
        shadow_s=3_600, off_s=3_600, energy_kwh=40, labour_hours=16, alarms=AlarmCount(3, 1, 2, 9),
        kpis=(KpiCount("on_time", 9, 10),),
    )  # fmt: skip
    rows = of_lines(*daily(shift, 7))
    values = {
        ("downtime", "h"): 5.6,
        ("downtime", "%"): 10.0,
        ("availability", "%"): 90.0,
        ("bypass", "%"): 25.0,
        ("maintenance", "%"): 75.0,
        ("maintenance", "failure"): 14.0,
        ("energy", "kWh"): 280.0,
        ("labour", "h"): 112.0,
        ("on_time", "%"): 90.0,
    }
    for (source, unit), value in values.items():
        assert only(case, rows, target(source, unit)).actual == pytest.approx(value), source


def test_per_part(case: BusinessCase) -> None:
    shift = LineShift("press-1", MONDAY, "day", "measured", energy_kwh=50)
    parts = daily(product(MONDAY, 1), 7)
    rows = Observations(
        tuple(row for row in parts if isinstance(row, Observation)),
        tuple(row for row in daily(shift, 7) if isinstance(row, LineShift)),
        (),
    )
    assert only(case, rows, target("energy", "kWh/part")).actual == pytest.approx(0.05)


def test_only_whole_weeks_and_gaps_stay_gaps(case: BusinessCase) -> None:
    rows = of_products(*daily(product(MONDAY, 10), 7), *daily(product(MONDAY, 30), 10, MONDAY + 2 * WEEK))
    entry = only(case, rows, target())
    assert [(point.monday, point.value) for point in entry.weeks] == [
        (MONDAY, 1.0),
        (MONDAY + WEEK, None),
        (MONDAY + 2 * WEEK, 3.0),
    ]
    assert entry.actual == 3.0


def test_another_lines_later_rows_make_no_week_whole(case: BusinessCase) -> None:
    """press-1 has reported seven days and three, press-2 three weeks: the second week of press-1 is not whole."""
    rows = of_products(*daily(product(MONDAY, 10), 10), *daily(product(MONDAY, 30, line="press-2"), 21))
    own = only(case, rows, target(lines=("press-1",)))
    assert (own.week, own.actual) == (MONDAY, 1.0)
    both = only(case, rows, target())
    assert (both.week, both.actual) == (MONDAY, 2.0)
    assert both.behind == (LineReach("press-1", MONDAY + timedelta(days=9), awaited=True),)
    assert only(case, rows, target(lines=("press-2",))).week == MONDAY + 2 * WEEK


def test_a_week_in_which_a_line_began_has_no_value(case: BusinessCase) -> None:
    late = daily(product(MONDAY, 30, line="press-2"), 12, MONDAY + timedelta(days=9))
    entry = only(case, of_products(*daily(product(MONDAY, 10), 21), *late), target())
    assert [point.value for point in entry.weeks] == [1.0, None, 2.0]


def test_a_line_silent_for_more_than_four_weeks_is_told_and_not_waited_for(case: BusinessCase) -> None:
    rows = of_products(*daily(product(MONDAY, 10), 7), *daily(product(MONDAY, 30, line="press-2"), 42))
    entry = only(case, rows, target())
    assert (entry.week, entry.actual) == (MONDAY + 5 * WEEK, 3.0)
    assert entry.behind == (LineReach("press-1", MONDAY + timedelta(days=6), awaited=False),)
    assert "Without press-1: nothing of it since 2025-07-27" in "\n".join(board_lines(made(case, rows, target()), "en"))


def test_beside_a_week_stands_a_week_of_the_baseline(case: BusinessCase) -> None:
    """Two weeks of 280 and 420 kWh, 350 a week, not 700; then four weeks of 210: 840 beside four times 350."""
    first = date(2025, 5, 5)
    shift = LineShift("press-1", MONDAY, "day", "measured", energy_kwh=40)
    second = msgspec.structs.replace(shift, energy_kwh=60)
    now = msgspec.structs.replace(shift, energy_kwh=30)
    rows = of_lines(
        *daily(shift, 7, first),
        *daily(second, 7, first + WEEK),
        *daily(now, 28),
    )
    found = made(case, rows, target("energy", "kWh"))
    (entry,) = found.entries
    assert (entry.actual, entry.before) == (210.0, BaselineWeek(350.0, "mean_week", 2))
    assert "Baseline 350 kWh a week: mean of 2 whole weeks" in "\n".join(board_lines(found, "en"))
    evidence = found.reviews[0].rows[0].evidence
    assert (evidence.value, evidence.previous, evidence.movement) == (840.0, 1400.0, "better")


def test_a_share_stands_beside_the_share_of_the_whole_baseline(case: BusinessCase) -> None:
    """10 of 1000 on one day of the baseline and 40 of 1000 on another: 2.5 %, of no whole week."""
    rows = of_products(product(date(2025, 6, 4), 10), product(date(2025, 6, 5), 40), *daily(product(MONDAY, 20), 7))
    assert only(case, rows, target()).before == BaselineWeek(2.5, "share", 0)


def test_what_was_not_measured_is_not_zero(case: BusinessCase) -> None:
    rows = of_products(*daily(product(MONDAY, 10), 7))
    assert only(case, rows, target("energy", "kWh")).state == "not_measured"
    assert only(case, rows, target("on_time", "%")).state == "unknown_source"
    nothing = made(case, of_products(), target())
    assert (nothing.as_of, nothing.entries[0].state, nothing.reviews) == (None, "not_measured", ())


def test_higher_can_be_better_and_axes_without_an_indicator_are_named(case: BusinessCase) -> None:
    shift = LineShift("press-1", MONDAY, "day", "measured", kpis=(KpiCount("on_time", 96, 100),))
    found = made(case, of_lines(*daily(shift, 7)), target("on_time", "%", better="higher", target="95", axis="revenue"))
    assert found.entries[0].state == "on_target"
    assert found.empty_axes == ("cost", "productivity", "risk")


def test_a_review_every_four_whole_weeks_and_a_moved_indicator_proves_nothing(case: BusinessCase) -> None:
    rows = of_products(
        product(date(2025, 6, 2), 50),
        *daily(product(MONDAY, 40), 28),
        *daily(product(MONDAY, 20), 28, MONDAY + 4 * WEEK),
        *daily(product(MONDAY, 10), 27, MONDAY + 8 * WEEK),
    )
    hypothesis = {"ko": "새 조명", "en": "new light"}
    first, second = made(case, rows, target(hypothesis=hypothesis)).reviews
    assert (first.first, first.last, second.number) == (MONDAY, MONDAY + timedelta(days=27), 2)
    evidence = second.rows[0].evidence
    assert (evidence.value, evidence.previous, evidence.movement) == (2.0, 4.0, "better")
    assert (evidence.support, evidence.benefits) == ("not_proven", ("fewer-defects",))
    assert (first.rows[0].evidence.previous, second.rows[0].hypothesis_en) == (5.0, "new light")


def test_scores_stand_apart(case: BusinessCase) -> None:
    score = {"technical": {"score": "high", "reason": {"ko": "시험", "en": "tried"}, "by": "quality"}}
    from roi_tracker.case.evaluation import Qualitative

    scored = case.model_copy(update={"qualitative": Qualitative.model_validate(score)})
    (found,) = made(scored, of_products()).scores
    assert (found.subject, found.score, found.by) == ("technical", "high", "quality")


@pytest.mark.parametrize(("language", "word"), [("ko", "목표 미달"), ("en", "off target")])
def test_the_text_says_all_of_it(case: BusinessCase, language: str, word: str) -> None:
    rows = of_products(*daily(product(MONDAY, 40), 28))
    text = "\n".join(board_lines(made(case, rows, target()), "ko" if language == "ko" else "en"))
    assert word in text
    assert "quality" in text


def test_trend_by_hand() -> None:
    """Six rising values: S = 15, variance 6 x 5 x 17 / 18 = 28.33, z = 14 / 5.32 = 2.63."""
    assert trend([1, 2, 3, 4, 5, 6]) == "rising"
    assert trend([6, 5, 4, 3, 2, 1]) == "falling"
    assert trend([1, 2, 3, 4, 5]) == "too_short"
    assert trend([3, 3, 3, 3, 3, 3]) == "steady"
    assert trend([1, 3, 2, 3, 1, 2]) == "steady"
