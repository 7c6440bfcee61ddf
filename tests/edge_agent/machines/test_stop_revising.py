from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.errors import RevisionRefusedError
from edge_agent.machines.stop_revising import MERGE_GAP, Cause, Stop, merge, relabel, split

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
JAM, CHANGE = Cause("jam", planned=False), Cause("changeover", planned=True)


def stop(minute: float, minutes: float, asset: str = "press") -> Stop:
    started = START + timedelta(minutes=minute)
    return Stop(
        f"{asset}/{minute:g}", "l", asset, started, started + timedelta(minutes=minutes), False, "jam", "measured"
    )


def test_a_split_loses_no_time_and_keeps_the_order() -> None:
    first, second = split(stop(0, 30), START + timedelta(minutes=12), JAM, CHANGE)

    assert (first.started, first.ended, first.cause) == (START, START + timedelta(minutes=12), JAM)
    assert (second.started, second.ended, second.cause) == (first.ended, START + timedelta(minutes=30), CHANGE)


@given(st.integers(1, 86_399_999_999))
def test_pieces_last_as_long_as_the_stop(at_us: int) -> None:
    whole = stop(0, 24 * 60)
    pieces = split(whole, START + timedelta(microseconds=at_us), JAM, CHANGE)

    assert sum((p.ended - p.started for p in pieces), timedelta()) == whole.ended - whole.started


@pytest.mark.parametrize("minute", [-1, 0, 30, 31])
def test_a_split_lies_within_the_stop(minute: int) -> None:
    with pytest.raises(RevisionRefusedError, match="is not within it") as refused:
        split(stop(0, 30), START + timedelta(minutes=minute), JAM, CHANGE)
    assert refused.value.reason == "split_outside_stop"


def test_neighbours_become_one_from_the_first_start_to_the_last_end() -> None:
    (piece,) = merge((stop(13, 4), stop(0, 10)), (), CHANGE)

    assert (piece.started, piece.ended, piece.cause) == (START, START + timedelta(minutes=17), CHANGE)


@pytest.mark.parametrize(
    ("stops", "others", "reason"),
    [
        ((stop(0, 10),), (), "merge_needs_two"),
        ((stop(0, 10), stop(0, 10)), (), "merge_needs_two"),
        ((stop(0, 10), stop(11, 1, "conveyor")), (), "different_machines"),
        ((stop(0, 10), stop(15.1, 1)), (), "too_far_apart"),
        ((stop(0, 10), stop(14, 1)), (stop(11, 2),), "overlaps_another"),
    ],
)
def test_what_would_invent_stop_time_is_refused(stops: tuple[Stop, ...], others: tuple[Stop, ...], reason: str) -> None:
    with pytest.raises(RevisionRefusedError) as refused:
        merge(stops, others, JAM)
    assert refused.value.reason == reason
    assert refused.value.hint


def test_a_stop_of_another_machine_between_them_does_not_matter() -> None:
    assert len(merge((stop(0, 10), stop(14, 1)), (stop(11, 2, "conveyor"),), JAM)) == 1
    assert timedelta(minutes=5) == MERGE_GAP
    assert len(merge((stop(0, 10), stop(15, 1)), (), JAM)) == 1


def test_a_reason_is_changed_to_another_one() -> None:
    (piece,) = relabel(stop(0, 10), CHANGE)
    assert piece.cause == CHANGE
    with pytest.raises(RevisionRefusedError, match="already"):
        relabel(stop(0, 10), JAM)
