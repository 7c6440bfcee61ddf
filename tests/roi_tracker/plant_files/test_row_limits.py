"""What no line can do is refused row by row, and does not take a store along that already holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from roi_tracker.errors import IntakeError
from roi_tracker.observations import facts as f
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observing import observe
from roi_tracker.plant_files.importing import Plant

NOW = datetime(2025, 9, 2, 3, 0, tzinfo=UTC)
COUNTS = "line,day,shift,product,produced,inspected,rejected,planned_busy (h)\n"


def refused(desk: Any, content: str) -> tuple[str, str]:
    """Column and words of the one row that is wrong."""
    with pytest.raises(IntakeError) as error:
        desk.load(desk.lay("rows.csv", content))
    (row,) = error.value.rows
    assert row.message_ko
    assert row.fix
    assert row.fix_ko
    assert not desk.facts()
    return row.column, row.message


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        (
            COUNTS + "l,2025-09-01,day,A,99999999999999999999,100,1,4\n",
            "produced",
            "more than the 1,000,000,000 that can be",
        ),
        (COUNTS + "l,2025-09-01,day,A,80000001,100,1,4\n", "produced", "more than the 80,000,000 that can be"),
        (COUNTS + "l,2025-09-01,day,A,1e300,100,1,4\n", "produced", "more than the 1,000,000,000 that can be"),
        (COUNTS + "l,2025-09-01,day,A,100,100,1,9\n", "planned_busy (h)", "9 h is more than the 8 h of its period"),
        (COUNTS + "l,1890-09-01,day,A,100,100,1,4\n", "day", "lies before 1990-01-01"),
        (COUNTS + "l,2035-09-01,day,A,100,100,1,4\n", "day", "lies in the future"),
        ("line,day,role,hours\nl,2025-09-01,q,9999\n", "hours", "9999 is more than the 4,800 h"),
        ("line,day,role,person,hours\nl,2025-09-01,q,7,25\n", "hours", "25 is more than the 24 h"),
        ("line,day,energy [MWh]\nl,2025-09-01,24001\n", "energy [MWh]", "more than the 24,000,000"),
        ("line,name,day,numerator\nl,k,2025-09-01,1e300\n", "numerator", "more than the 1,000,000,000,000,000 that"),
        ("line,asset,start,duration (min)\nl,m,2008-01-01 06:00,9000000\n", "duration (min)", "period of 6250 days"),
        ("line,start,end,energy\nl,2023-01-01 06:00,2024-01-03 06:00,3\n", "end", "period of 367 days, more than 366"),
    ],
)
def test_what_cannot_be_is_a_row_error(desk: Any, content: str, column: str, words: str) -> None:
    desk.plant = replace(desk.plant, now=lambda: NOW)
    told, message = refused(desk, content)
    assert told == column
    assert words in message


@pytest.mark.parametrize(
    "content",
    [
        COUNTS + "l,2025-09-01,day,A,80000000,100,1,8\n",
        COUNTS + "l,2025-09-02,day,A,1,1,0,0\n",  # noon of today in Seoul
        "line,day,role,hours\nl,2025-09-01,q,4800\n",
        "line,day,shift,role,person,hours\nl,2025-09-01,day,q,7,12\n",  # overtime booked to the shift
        "line,asset,start,duration (min)\nl,m,2025-01-01 06:00,132480\n",  # 92 days
    ],
)
def test_what_may_just_be_is_taken(desk: Any, content: str) -> None:
    desk.plant = replace(desk.plant, now=lambda: NOW)
    assert desk.load(desk.lay("rows.csv", content)).added == 1


def test_a_store_that_holds_what_cannot_be_is_read_without_it(desk: Any) -> None:
    """As an earlier version imported it: more than 64 bits."""
    at = datetime(2025, 9, 1, 0, 0, tzinfo=UTC)
    common: dict[str, Any] = {"line": "l", "at": at, "end": at.replace(hour=5), "origin": "imported", "shift": "day"}
    desk.store.add_facts(
        [
            f.ProductionFact(key="a", product="A", produced=10, **common),
            f.ProductionFact(key="z", product="Z", produced=99999999999999999999, **common),
        ],
        source="earlier",
    )
    calendar = desk.plant.calendar
    assert isinstance(calendar, ShiftCalendar)
    for _ in range(2):  # derived, then read back
        found = observe(desk.store, calendar, "test")
        assert [(row.product, row.produced) for row in found.products] == [("A", 10)]
        (told,) = found.findings
        assert (told.name, told.line, told.evidence) == ("impossible_count", "l", "z: produced 99999999999999999999")


def test_without_a_clock_no_row_is_of_the_future(desk: Any) -> None:
    desk.plant = Plant(desk.plant.calendar, "Asia/Seoul")
    assert desk.load(desk.lay("rows.csv", COUNTS + "l,2035-09-03,day,A,1,1,0,4\n")).added == 1


def test_a_day_without_a_stop_is_stated_with_duration_nought(desk: Any) -> None:
    desk.load(
        desk.lay("s.csv", "line,asset,day,shift,start,duration (min)\nl,,2025-09-01,,,0\nl,m,2025-09-01,day,,0\n")
    )
    whole, one = desk.facts()
    at = datetime(2025, 8, 31, 21, 0, tzinfo=UTC)
    assert (type(whole), whole.line, whole.asset, whole.at) == (f.MachineWatched, "l", "", at)
    assert (type(one), one.asset, one.at) == (f.MachineWatched, "m", at)
    with pytest.raises(IntakeError):
        desk.load(desk.lay("t.csv", "line,asset,day,start,duration (min)\nl,,2025-09-01,,5\n"))
