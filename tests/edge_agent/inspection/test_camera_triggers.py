from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.events import Energy, Event, PartIdentity
from edge_agent.inspection.camera_triggers import MOST_PICTURES, Shot, Trigger, Triggers, inspection_key, trigger_of
from edge_agent.inspection.frame_matching import nearest
from edge_agent.instant import Instant, from_us
from edge_agent.settings.camera import CameraTriggerSettings
from edge_agent.settings.config import StationSettings

MS = 1_000_000
NOW = Instant(1_000_000_000_000, 50_000 * MS, "boot")
STATION = StationSettings.model_validate(
    {
        "name": "eye",
        "line": "press-1",
        "model": "m",
        "product": "bracket",
        "camera": {
            "kind": "rtsp",
            "address": "rtsp://camera/line",
            "rate_hz": 10.0,
            "trigger": {"tolerance_ms": 60.0, "offset_ms": 250.0},
        },
    }
)


def triggers() -> Triggers:
    """Tolerance 60 ms; a frame may take 500 ms to arrive."""
    return Triggers(CameraTriggerSettings(tolerance_ms=60.0), 500 * MS)


def at(part_id: str, ms: int) -> Trigger:
    return Trigger(f"key/{part_id}", part_id, "", ms * MS)


def frames(*ms: int) -> list[int]:
    return [moment * MS for moment in ms]


def test_a_part_is_before_the_camera_at_its_facts_time_and_the_offset() -> None:
    event = Event("press-1/part/7", "press-1", from_us(NOW.utc_us) - timedelta(seconds=2), PartIdentity("eye", "A-7"))
    assert trigger_of(event, STATION, NOW) == Trigger(
        "press-1/eye/triggered/press-1/part/7", "A-7", "bracket", 48_250 * MS
    )
    named = Event("press-1/part/8", "press-1", from_us(NOW.utc_us), PartIdentity("eye", "A-8", "hinge"))
    assert trigger_of(named, STATION, NOW).product == "hinge"
    assert inspection_key(named) == "press-1/eye/triggered/press-1/part/8"
    with pytest.raises(TypeError, match="energy is no part"):
        trigger_of(Event("e", "press-1", from_us(0), Energy("power", from_us(1), 1.0)), STATION, NOW)


def test_a_trigger_waits_until_no_nearer_frame_can_come() -> None:
    waiting = triggers()
    waiting.add(at("a", 150))
    assert waiting.match(frames(0, 100), 160 * MS) == []
    assert waiting.match(frames(0, 100, 190), 200 * MS) == [(at("a", 150), 2)]
    assert waiting.match(frames(0, 100, 190), 200 * MS) == []
    assert not waiting.ready


def test_a_frame_before_is_taken_when_none_follows_in_time() -> None:
    waiting = triggers()
    waiting.add(at("a", 150))
    assert waiting.match(frames(100), 710 * MS) == []
    assert waiting.match(frames(100), 711 * MS) == [(at("a", 150), 0)]


def test_a_trigger_without_a_frame_within_the_tolerance_is_given_up() -> None:
    waiting = triggers()
    waiting.add(at("a", 150))
    assert waiting.match(frames(80, 220), 230 * MS) == []
    shot = waiting.next_shot()
    assert shot == Shot(at("a", 150), 150 * MS, b"", "no_frame_near_trigger")
    assert waiting.next_shot() is None


def test_at_the_end_of_a_connection_what_matches_is_taken_and_the_rest_waits_for_the_next() -> None:
    waiting = triggers()
    waiting.add(at("a", 110))
    waiting.add(at("b", 400))
    assert waiting.match(frames(100), 120 * MS, last=True) == [(at("a", 110), 0)]
    assert not waiting.ready
    assert waiting.match(frames(410), 420 * MS) == [(at("b", 400), 0)]


def test_pictures_beyond_what_may_wait_become_no_verdicts_and_none_is_lost() -> None:
    waiting = triggers()
    for number in range(MOST_PICTURES + 2):
        waiting.take(Shot(at(str(number), number), number, b"picture"))
    shots = [waiting.next_shot() for _ in range(MOST_PICTURES + 2)]
    assert [shot.refused for shot in shots if shot is not None] == [""] * MOST_PICTURES + ["station_overrun"] * 2
    waiting.take(Shot(at("later", 0), 0, b"picture"))
    later = waiting.next_shot()
    assert later is not None
    assert later.refused == ""


@given(st.lists(st.integers(0, 1_000), max_size=30), st.integers(0, 1_000), st.integers(0, 300))
def test_nearest_is_nearest(captured: list[int], moment: int, tolerance: int) -> None:
    captured.sort()
    found = nearest(captured, moment, tolerance)
    distances = [abs(value - moment) for value in captured]
    if found is None:
        assert all(distance > tolerance for distance in distances)
    else:
        assert distances[found] == min(distances) <= tolerance


@given(
    st.lists(st.integers(0, 2_000), min_size=1, max_size=20),
    st.lists(st.integers(0, 2_000), max_size=40, unique=True),
)
def test_every_trigger_ends_once(moments: list[int], captured: list[int]) -> None:
    waiting = triggers()
    for number, moment in enumerate(moments):
        waiting.add(at(str(number), moment))
    ended: list[str] = []
    for now in range(0, 3_000, 50):
        there = frames(*sorted(moment for moment in captured if moment <= now))
        for trigger, index in waiting.match(there, now * MS):
            assert abs(there[index] - trigger.at_ns) <= 60 * MS
            ended.append(trigger.part_id)
    while (shot := waiting.next_shot()) is not None:
        ended.append(shot.trigger.part_id)
    assert sorted(ended) == sorted(str(number) for number in range(len(moments)))
