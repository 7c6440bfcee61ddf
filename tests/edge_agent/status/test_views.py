from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from edge_agent.events import Alarm, Downtime, Health, Inspection, LatencyMs, MachineState
from edge_agent.ports import ReasonCount
from edge_agent.status.review_view import ReviewCase, review_view
from edge_agent.status.shifts import Shift
from edge_agent.status.snapshot import (
    ActiveAlarm,
    AssetHealth,
    HealthPoint,
    Inspected,
    LineSnapshot,
    MachineNow,
    ShiftCounts,
    Stop,
)
from edge_agent.status.sparkline import sparkline
from edge_agent.status.views import LineView, line_view, picture
from edge_agent.status.words import Words
from tests.edge_agent.status.rig import LINE, sample_system

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ENGLISH = Words("en", "Asia/Seoul")
INSPECTION = Inspection(
    station="vision-1",
    part_id="A-1",
    product="bracket-a",
    verdict="FAIL",
    reason="score_above_threshold",
    mode="shadow",
    score=1.742,
    threshold=1.0,
    model="bracket-a@3",
    image="a" * 64,
    anomaly_map="b" * 64,
    latency_ms=LatencyMs(4.0, 2.0, 31.0, 0.5),
)
SHIFT = Shift(datetime(2026, 1, 5, 5, 0, tzinfo=UTC), datetime(2026, 1, 5, 13, 0, tzinfo=UTC))


def inspected(**changes: object) -> Inspected:
    return Inspected("k", NOW - timedelta(seconds=12), "simulated", msgspec.structs.replace(INSPECTION, **changes))


def view(**changes: object) -> LineView:
    snapshot = msgspec.structs.replace(
        LineSnapshot(LINE, 9, SHIFT, ShiftCounts(1_234, 1_200, 20, 9, 5, 3, 1)), **changes
    )
    return line_view(snapshot, sample_system(), ENGLISH, NOW)


def test_what_was_not_understood_is_counted_with_its_reasons() -> None:
    system = sample_system()
    why = (ReasonCount("not_json", 1_200), ReasonCount("clock_skew", 3))
    store = msgspec.structs.replace(system.store, quarantined=1_203, quarantine_reasons=why)
    snapshot = LineSnapshot(LINE, 9, SHIFT, ShiftCounts(0, 0, 0, 0, 0, 0, 0))
    shown = line_view(snapshot, msgspec.structs.replace(system, store=store), ENGLISH, NOW)

    assert (shown.quarantined, shown.quarantined_for) == ("1,203", "not_json 1,200, clock_skew 3")
    assert (view().quarantined, view().quarantined_for) == ("0", "")


def test_a_part_in_words() -> None:
    shown = picture(inspected(), ENGLISH, NOW)

    assert (shown.word, shown.reason) == ("Fail", "The score is at or above the limit.")
    assert (shown.score, shown.threshold, shown.time_taken) == ("1.74", "limit 1", "37.5 ms")
    assert (shown.at.clock, shown.at.age, shown.at.ms) == ("16:59:48", "12 s ago", 1767599988000)
    assert shown.preview == f"/evidence/{'a' * 64}/preview"
    assert shown.overlay == f"/evidence/{'a' * 64}/overlay?map={'b' * 64}"
    assert shown.original == f"/evidence/{'a' * 64}"
    assert (shown.simulated, shown.shadow) == (True, True)


def test_a_part_whose_picture_was_not_kept_says_so() -> None:
    shown = picture(inspected(image=None), ENGLISH, NOW)

    assert (shown.preview, shown.overlay, shown.original) == (None, None, None)
    assert shown.missing == "The picture of this part was not kept."


def test_a_refused_image_is_offered_and_not_shown() -> None:
    shown = picture(inspected(verdict="NO_VERDICT", reason="image_truncated", score=None), ENGLISH, NOW)

    assert shown.preview is None
    assert shown.original is not None
    assert shown.missing == "The picture cannot be shown."


def test_counts_have_separators_and_the_shift_its_plant_time() -> None:
    shown = view()

    assert [count.value for count in shown.counts] == ["1,234", "20", "9", "5", "3", "1"]
    assert shown.shift == "14:00 to 22:00"


def test_unknown_health_is_never_a_number() -> None:
    body = Health("press", None, "stale_channel")
    card = view(health=(AssetHealth(NOW, NOW, body, ()),)).health[0]

    assert (card.level, card.value, card.reason) == (None, "?", "A sensor is silent.")


def test_the_machine_that_needs_a_look_comes_first() -> None:
    def asset(name: str, health: float | None, reason: str) -> AssetHealth:
        return AssetHealth(NOW, NOW, Health(name, health, reason), ())

    shown = view(
        health=(
            asset("a", 99.0, "ok"),
            asset("b", None, "stale_channel"),
            asset("c", 40.0, "above_limit"),
            asset("d", 80.0, "ok"),
        )
    )

    assert [card.asset for card in shown.health] == ["c", "b", "d", "a"]


def test_sensors_behind_health() -> None:
    body = Health("press", 36.4, "above_limit", 1.2, {"vibration": 0.614, "temperature": 0.2})
    card = view(health=(AssetHealth(NOW, NOW, body, ()),)).health[0]

    assert (card.value, card.alarmed) == ("36", True)
    assert [(sensor.name, sensor.text) for sensor in card.sensors] == [("vibration", "61 %"), ("temperature", "20 %")]


def test_alarms_say_what_to_do() -> None:
    alarm = Alarm("hot", "press", "raised", 81.26, 80.0, "Check cooling", NOW - timedelta(minutes=3))
    card = view(alarms=(ActiveAlarm(NOW, alarm),)).alarms[0]

    assert (card.action, card.values, card.since_words) == ("Check cooling", "81.3, limit 80", "since 16:57:00")
    assert card.since.age == "3 min ago"


def test_a_stops_reason_is_told_in_the_visitors_words() -> None:
    stop = Stop(NOW - timedelta(minutes=30), Downtime("press", NOW, 420.0, planned=False, reason="no_material"))
    snapshot = LineSnapshot(LINE, 9, SHIFT, ShiftCounts(1_234, 1_200, 20, 9, 5, 3, 1), last_stop=stop)
    for words, told in ((ENGLISH, "No material"), (Words("ko", "Asia/Seoul"), "자재 없음")):
        assert line_view(snapshot, sample_system(), words, NOW).last_stop.endswith(told)


def test_machines_and_the_last_stop() -> None:
    shown = view(
        machines=(MachineNow(NOW, MachineState("press", "unplanned_stop", "jam")),),
        last_stop=Stop(NOW - timedelta(minutes=30), Downtime("press", NOW, 420.0, planned=True, reason="die change")),
    )

    assert (shown.machines[0].value, shown.machines[0].note) == ("unplanned stop", "Jam since 17:00:00")
    assert shown.machines[0].good is False
    assert shown.last_stop == "16:30:00, 7 min, planned, die change"


def test_a_gap_breaks_the_sparkline() -> None:
    points = [HealthPoint(NOW + timedelta(minutes=m), h) for m, h in enumerate((100.0, 50.0, None, 0.0))]

    drawn = sparkline(points)

    assert drawn is not None
    assert drawn.lines == ("3,3 81,24", "237,45")
    assert (drawn.end_x, drawn.end_y) == (237.0, 45.0)


@pytest.mark.parametrize("values", [(), (90.0,), (None, 90.0, None)])
def test_no_direction_from_less_than_two_points(values: tuple[float | None, ...]) -> None:
    assert sparkline([HealthPoint(NOW + timedelta(minutes=m), h) for m, h in enumerate(values)]) is None


def test_the_buttons_say_what_they_mean_for_the_verdict() -> None:
    shown = review_view(LINE, ReviewCase(inspected(), False, (), [inspected()], 1), ENGLISH, NOW)

    assert [(choice.judgement, choice.effect) for choice in shown.choices] == [
        ("good", "overrules the verdict"),
        ("defect", "confirms the verdict"),
    ]
    assert (shown.upcoming, shown.next_key, shown.waiting) == ((), "", "1 waiting")


def test_a_review_claims_nothing_so_no_button_confirms() -> None:
    shown = review_view(LINE, ReviewCase(inspected(verdict="REVIEW"), False, (), [], 0), ENGLISH, NOW)

    assert [choice.effect for choice in shown.choices] == ["", ""]
