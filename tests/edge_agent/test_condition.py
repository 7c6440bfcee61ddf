from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge_agent.adapters.system_clock import SystemClock
from edge_agent.condition import Condition, Heartbeat
from edge_agent.config import Settings
from edge_agent.inspections import Limits
from edge_agent.ports import LinkHealth, ModelIdentity, StoreTotals
from edge_agent.system_state import Interlock

if TYPE_CHECKING:
    from edge_agent.system_state import InterlockName

CLOCK = SystemClock()


def settings(mode: str = "live", on_late: str = "stop") -> Settings:
    station = {
        "name": "cam", "line": "press-1", "model": "m", "mode": mode, "on_late": on_late, "folder": {"path": "images"}
    }  # fmt: skip
    return Settings.model_validate(
        {"agent": {"name": "a", "data_dir": "d"}, "stations": [station], "sink": {"heartbeat_s": 0.2}}
    )


class Announced:
    """A sink that remembers what was announced."""

    name = "mqtt:a-out"

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.heard = threading.Event()

    def announce(self, topic: str, payload: bytes) -> None:
        assert topic == "lineproof/press-1/interlock"
        self.payloads.append(msgspec.json.decode(payload))
        if len(self.payloads) >= 3:
            self.heard.set()

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)


def condition(
    *, late: InterlockName = "run", problem: str = "", stalled_s: float = 0.0, alive: bool = True, **station: str
) -> Condition:
    model = SimpleNamespace(identity=ModelIdentity("m@1", "d"), provider="CPU", limits=Limits(1.0, 0.8))
    worker = SimpleNamespace(alive=alive, waiting=2, eyes=SimpleNamespace(scorer=model))
    source = SimpleNamespace(
        health=lambda: LinkHealth("mqtt:a-in", alive=True, last_activity_mono_ns=CLOCK.now().mono_ns)
    )
    totals = StoreTotals(1, 2, 3, 4, 5, 6)
    line = SimpleNamespace(
        clock=CLOCK, sink=Announced(), sources=(source,), workers={"cam": worker}, monitors={}, prefix="lineproof",
        store=SimpleNamespace(totals=lambda: totals),
    )  # fmt: skip
    pipeline = SimpleNamespace(
        interlocks=(Interlock("press-1", late, "reject_undelivered" if late != "run" else ""),),
        problem=problem, stalled_s=stalled_s, fatal=None, waiting=0, last_commit_ms=1.0,
    )  # fmt: skip
    made: Any = (settings(**station), line, pipeline, CLOCK.now(), "0.1.0", {})
    return Condition(*made)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({}, Interlock("press-1", "run")),
        ({"late": "divert"}, Interlock("press-1", "divert", "reject_undelivered")),
        ({"problem": "disk full"}, Interlock("press-1", "stop", "store_failing")),
        ({"stalled_s": 11.0}, Interlock("press-1", "stop", "agent_stalled")),
        ({"alive": False}, Interlock("press-1", "stop", "agent_stalled")),
        ({"late": "divert", "problem": "disk full"}, Interlock("press-1", "stop", "store_failing")),
        ({"problem": "disk full", "mode": "shadow"}, Interlock("press-1", "run", "store_failing")),
        ({"problem": "disk full", "on_late": "none"}, Interlock("press-1", "run", "store_failing")),
    ],
)
def test_parts_never_pass_because_the_agent_is_unwell(fault: dict[str, Any], expected: Interlock) -> None:
    (interlock,) = condition(**fault).interlocks()
    assert interlock.state == expected.state
    if expected.state != "run":
        assert interlock == expected


def test_the_state_tells_everything_the_page_shows() -> None:
    state = condition(problem="disk full").state()
    assert (state.agent, state.version, state.problem) == ("a", "0.1.0", "disk full")
    assert [link.name for link in state.links] == ["mqtt:a-in", "mqtt:a-out"]
    assert state.last_message_age_s is not None
    assert 0 <= state.last_message_age_s < 5
    (station,) = state.stations
    assert (station.model, station.waiting, station.problem) == ("m@1", 2, "")
    assert condition(alive=False).state().stations[0].problem == "station_stopped"


@pytest.mark.parametrize(("stalled_s", "fed"), [(0.0, True), (11.0, False)])
def test_the_beat_goes_on_and_feeds_the_watchdog_only_while_every_loop_advances(stalled_s: float, *, fed: bool) -> None:
    watched = condition(stalled_s=stalled_s)
    feeds: list[int] = []
    heartbeat = Heartbeat(watched, lambda: feeds.append(1))
    heartbeat.start()
    sink: Any = watched.line.sink
    assert sink.heard.wait(10)
    heartbeat.stop()
    assert bool(feeds) is fed
    assert {payload["state"] for payload in sink.payloads} == ({"run"} if fed else {"stop"})
    assert sink.payloads[0]["heartbeat_s"] == 0.2
