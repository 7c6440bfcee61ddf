"""The one big word over a line, and why (pure).

A line shows the first of these that holds; what comes earlier makes what comes later untrustworthy or unimportant:

1. `stopped`: the agent tells the controller to stop.
2. `no_verdict`: the agent cannot store, or stands still.
3. `no_verdict`: none of the line's stations can judge.
4. `degraded`: a link to the plant is down, so that machine states and alarms may be old.
5. `stopped`: a machine of the line reports a stop, an unplanned one before a planned one.
6. `no_verdict`: the newest part has no verdict.
7. `no_verdict`: nothing has ever been received, or the line's stations have never judged a part.
8. `degraded`: parts are diverted, a message is undelivered, a station has a problem, an alarm is active, the health
   of a watched machine is not known, or the plant has been silent for `SILENT_AFTER_S`.
9. `running`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from edge_agent.inspection.capture_health import CAMERA_FAULTS

if TYPE_CHECKING:
    from edge_agent.status.snapshot import LineSnapshot
    from edge_agent.system_state import Interlock, StationState, SystemState

StateName = Literal["running", "degraded", "stopped", "no_verdict"]

BLOCKING_PROBLEMS = frozenset(
    {"folder_unreachable", "station_stopped", "model_failed", "model_unusable", "unknown_product", *CAMERA_FAULTS}
)
"""Problems of a station that keep it from judging; any other problem only degrades it."""

SILENT_AFTER_S = 300.0
"""Machines report far more often; five minutes without any message is not a quiet line, it is a deaf agent."""

STATION_PREFIXES = ("folder:", "camera:")
"""Links whose fault is a problem of their station, and told as such."""


class LineState(msgspec.Struct, frozen=True):
    """The state with its reason code, whom it concerns, and further detail.

    Attributes:
        detail: free text, or empty.
        detail_code: a reason code that explains further, or empty.
    """

    state: StateName
    reason: str
    subject: str = ""
    detail: str = ""
    detail_code: str = ""


def line_state(line: LineSnapshot, system: SystemState) -> LineState:
    """What to show over a line; the order is the module's."""
    stations = [station for station in system.stations if station.line == line.line]
    interlock = next((held for held in system.interlocks if held.line == line.line), None)
    return (
        _stop_demanded(interlock, system)
        or _agent_at_fault(system)
        or _none_judges(stations)
        or _link_down(system)
        or _machine_stopped(line)
        or _newest_without_verdict(line)
        or _nothing_yet(line, system, stations)
        or _impaired(line, interlock, stations)
        or _silent(system)
        or _running(stations)
    )


def _stop_demanded(interlock: Interlock | None, system: SystemState) -> LineState | None:
    if interlock is None or interlock.state != "stop":
        return None
    return LineState("stopped", interlock.reason, detail=system.problem)


def _agent_at_fault(system: SystemState) -> LineState | None:
    if not system.problem:
        return None
    if system.problem == "agent_stalled":
        return LineState("no_verdict", "agent_stalled")
    return LineState("no_verdict", "store_failing", detail=system.problem)


def _none_judges(stations: list[StationState]) -> LineState | None:
    judging = [s for s in stations if s.mode != "off" and s.problem not in BLOCKING_PROBLEMS]
    blocked = [s for s in stations if s.problem in BLOCKING_PROBLEMS]
    if judging or not blocked:
        return None
    return LineState("no_verdict", "no_station_judges", blocked[0].name, detail_code=blocked[0].problem)


def _link_down(system: SystemState) -> LineState | None:
    for link in system.links:
        if not link.alive and not link.name.startswith(STATION_PREFIXES):
            return LineState("degraded", "link_down", link.name, link.detail)
    return None


def _machine_stopped(line: LineSnapshot) -> LineState | None:
    for state in ("unplanned_stop", "planned_stop"):
        for machine in line.machines:
            if machine.body.state == state:
                return LineState("stopped", f"machine_{state}", machine.body.asset, machine.body.reason)
    return None


def _newest_without_verdict(line: LineSnapshot) -> LineState | None:
    if line.last is None or line.last.body.verdict != "NO_VERDICT":
        return None
    return LineState("no_verdict", line.last.body.reason)


def _nothing_yet(line: LineSnapshot, system: SystemState, stations: list[StationState]) -> LineState | None:
    if line.last_event_at is None and system.last_message_age_s is None:
        return LineState("no_verdict", "no_data_yet")
    if line.last is None and stations:
        return LineState("no_verdict", "no_part_yet")
    return None


def _impaired(line: LineSnapshot, interlock: Interlock | None, stations: list[StationState]) -> LineState | None:
    if interlock is not None and interlock.state == "divert":
        return LineState("degraded", "diverting", detail_code=interlock.reason)
    if line.late_count:
        return LineState("degraded", "undelivered", str(line.late_count))
    for station in stations:
        if station.problem:
            return LineState("degraded", station.problem, station.name)
    if line.alarms:
        alarm = line.alarms[0].body
        return LineState("degraded", "alarm_active", alarm.alarm, alarm.action)
    for asset in line.health:
        if asset.body.health is None and asset.body.reason != "window_filling":
            return LineState("degraded", "health_unknown", asset.body.asset, detail_code=asset.body.reason)
    return None


def _silent(system: SystemState) -> LineState | None:
    age_s = system.last_message_age_s
    if age_s is None or age_s < SILENT_AFTER_S:
        return None
    return LineState("degraded", "plant_silent", str(int(age_s // 60)))


def _running(stations: list[StationState]) -> LineState:
    if not stations:
        return LineState("running", "all_well_watching")
    if all(station.mode == "shadow" for station in stations):
        return LineState("running", "all_well_shadow")
    return LineState("running", "all_well")
