"""Each step of the precedence, and that an earlier step hides a later one."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from edge_agent.events import Alarm, Health, Inspection, MachineState
from edge_agent.ports import LinkHealth
from edge_agent.status.line_state import LineState, line_state
from edge_agent.status.shifts import Shift
from edge_agent.status.snapshot import (
    ActiveAlarm,
    AssetHealth,
    Inspected,
    LineSnapshot,
    MachineNow,
    ShiftCounts,
)
from edge_agent.system_state import Interlock, StationState, SystemState
from tests.edge_agent.status.rig import LINE, sample_system

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
EMPTY = LineSnapshot(LINE, 0, Shift(AT, AT), ShiftCounts())
REPLACE = msgspec.structs.replace


def part(verdict: str, reason: str = "score_below_review") -> Inspected:
    return Inspected("k", AT, "measured", Inspection("vision-1", "p", "", verdict, reason, "live"))  # type: ignore[arg-type] # a verdict's name


def machine(asset: str, state: str, reason: str = "") -> MachineNow:
    return MachineNow(AT, MachineState(asset, state, reason))  # type: ignore[arg-type] # a state's name


RUNNING = REPLACE(EMPTY, last=part("PASS"), last_event_at=AT, machines=(machine("press", "producing"),))
JAM = REPLACE(
    RUNNING, machines=(machine("conveyor", "planned_stop", "break"), machine("press", "unplanned_stop", "jam"))
)
ALARM = ActiveAlarm(AT, Alarm("hot", "press", "raised", 81, 80, "Check cooling", AT))
SILENT = AssetHealth(AT, AT, Health("press", None, "stale_channel"), ())
FILLING = AssetHealth(AT, AT, Health("press", None, "window_filling"), ())


def system(**changes: object) -> SystemState:
    return REPLACE(sample_system(), **changes)


def station(problem: str = "", mode: str = "live", name: str = "vision-1", line: str = LINE) -> StationState:
    return StationState(name, line, mode, "m@1", "CPU", 0, problem)  # type: ignore[arg-type] # a mode's name


MQTT_DOWN = (LinkHealth("mqtt", alive=False, last_activity_mono_ns=1, detail="refused"),)
FOLDER_DOWN = (LinkHealth("folder:vision-1", alive=False, last_activity_mono_ns=1),)
STOP = (Interlock(LINE, "stop", "reject_undelivered"),)


@pytest.mark.parametrize(
    ("line", "condition", "expected"),
    [
        (RUNNING, system(), LineState("running", "all_well")),
        (RUNNING, system(stations=(station(mode="shadow"),)), LineState("running", "all_well_shadow")),
        (RUNNING, system(interlocks=STOP), LineState("stopped", "reject_undelivered")),
        (
            RUNNING,
            system(interlocks=STOP, problem="agent_stalled"),
            LineState("stopped", "reject_undelivered", detail="agent_stalled"),
        ),
        (RUNNING, system(problem="agent_stalled", links=MQTT_DOWN), LineState("no_verdict", "agent_stalled")),
        (RUNNING, system(problem="disk full"), LineState("no_verdict", "store_failing", detail="disk full")),
        (
            RUNNING,
            system(stations=(station("folder_unreachable"),), links=MQTT_DOWN),
            LineState("no_verdict", "no_station_judges", "vision-1", detail_code="folder_unreachable"),
        ),
        (
            RUNNING,
            system(stations=(station("folder_unreachable"), station(name="vision-2"))),
            LineState("degraded", "folder_unreachable", "vision-1"),
        ),
        (
            RUNNING,
            system(stations=(station(), station("station_stopped", line="press-2"))),
            LineState("running", "all_well"),
        ),
        (JAM, system(links=MQTT_DOWN), LineState("degraded", "link_down", "mqtt", "refused")),
        (RUNNING, system(links=FOLDER_DOWN), LineState("running", "all_well")),
        (JAM, system(), LineState("stopped", "machine_unplanned_stop", "press", "jam")),
        (
            REPLACE(JAM, machines=JAM.machines[:1], last=part("NO_VERDICT", "image_blank")),
            system(),
            LineState("stopped", "machine_planned_stop", "conveyor", "break"),
        ),
        (REPLACE(RUNNING, last=part("NO_VERDICT", "image_blank")), system(), LineState("no_verdict", "image_blank")),
        (EMPTY, system(last_message_age_s=None), LineState("no_verdict", "no_data_yet")),
        (EMPTY, system(), LineState("no_verdict", "no_part_yet")),
        (EMPTY, system(stations=()), LineState("running", "all_well_watching")),
        (RUNNING, system(last_message_age_s=299.9), LineState("running", "all_well")),
        (RUNNING, system(last_message_age_s=360.0), LineState("degraded", "plant_silent", "6")),
        (JAM, system(last_message_age_s=360.0), LineState("stopped", "machine_unplanned_stop", "press", "jam")),
        (
            REPLACE(RUNNING, late_count=2),
            system(interlocks=(Interlock(LINE, "divert", "reject_undelivered"),)),
            LineState("degraded", "diverting", detail_code="reject_undelivered"),
        ),
        (REPLACE(RUNNING, late_count=2, alarms=(ALARM,)), system(), LineState("degraded", "undelivered", "2")),
        (
            REPLACE(RUNNING, alarms=(ALARM,)),
            system(stations=(station("provider_fallback"),)),
            LineState("degraded", "provider_fallback", "vision-1"),
        ),
        (REPLACE(RUNNING, alarms=(ALARM,)), system(), LineState("degraded", "alarm_active", "hot", "Check cooling")),
        (
            REPLACE(RUNNING, health=(SILENT,)),
            system(),
            LineState("degraded", "health_unknown", "press", detail_code="stale_channel"),
        ),
        (REPLACE(RUNNING, health=(FILLING,)), system(), LineState("running", "all_well")),
    ],
)
def test_the_first_that_holds_is_shown(line: LineSnapshot, condition: SystemState, expected: LineState) -> None:
    assert line_state(line, condition) == expected
