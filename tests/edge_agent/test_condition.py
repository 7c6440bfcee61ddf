from __future__ import annotations

import dataclasses
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from edge_agent.adapters.system_clock import SystemClock
from edge_agent.condition import Condition, Heartbeat
from edge_agent.inspection.inspections import Limits
from edge_agent.ports import LinkHealth, ModelIdentity, StoreTotals
from edge_agent.settings.config import Settings
from edge_agent.system_state import Interlock
from edge_agent.workers.recipes import RecipeBook, UnusableScorer

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

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        assert topic == "lineproof/press-1/interlock"
        assert expiry_s == pytest.approx(0.6)
        self.payloads.append(msgspec.json.decode(payload))
        if len(self.payloads) >= 3:
            self.heard.set()

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)


def condition(
    *,
    late: InterlockName = "run",
    problem: str = "",
    stalled_s: float = 0.0,
    committing_s: float = 0.0,
    worker: dict[str, Any] | None = None,
    product: str = "bracket-a",
    recipes: dict[str, Any] | None = None,
    **station: str,
) -> Condition:
    model = SimpleNamespace(identity=ModelIdentity("m@1", "d"), provider="CPU", limits=Limits(1.0, 0.8))
    well = {"started": True, "alive": True, "busy_s": 0.0, "oldest_s": 0.0, "failing": ""}
    eyes = SimpleNamespace(scorer=model)
    book = RecipeBook(cast("Any", eyes), recipes or {}, known_only=bool(recipes), own="bracket-a")
    station_worker = SimpleNamespace(waiting=2, eyes=eyes, book=book, **(well | (worker or {})))
    source = SimpleNamespace(
        health=lambda: LinkHealth("mqtt:a-in", alive=True, last_activity_mono_ns=CLOCK.now().mono_ns)
    )
    totals = StoreTotals(1, 2, 3, 4, 5, 6)
    line = SimpleNamespace(
        clock=CLOCK, sink=Announced(), sources=(source,), workers={"cam": station_worker}, monitors={},
        prefix="lineproof", store=SimpleNamespace(totals=lambda: totals),
    )  # fmt: skip
    pipeline = SimpleNamespace(
        interlocks=(Interlock("press-1", late, "reject_undelivered" if late != "run" else ""),),
        problem=problem, stalled_s=stalled_s, committing_s=committing_s, fatal=None, waiting=0, last_commit_ms=1.0,
    )  # fmt: skip
    made: Any = (settings(**station), line, pipeline, CLOCK.now(), "0.1.0", {})
    return dataclasses.replace(Condition(*made), product_of=lambda _: product)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({}, ("run", "")),
        ({"late": "divert"}, ("divert", "reject_undelivered")),
        ({"problem": "disk full"}, ("stop", "store_failing")),
        ({"stalled_s": 11.0}, ("stop", "agent_stalled")),
        ({"worker": {"alive": False}}, ("stop", "agent_stalled")),
        ({"worker": {"busy_s": 11.0}}, ("stop", "agent_stalled")),
        ({"worker": {"oldest_s": 2.5}}, ("stop", "verdict_late")),
        ({"worker": {"oldest_s": 1.5}}, ("run", "")),
        ({"committing_s": 2.5}, ("stop", "verdict_late")),
        ({"late": "divert", "problem": "disk full"}, ("stop", "store_failing")),
        ({"problem": "disk full", "on_late": "none"}, ("run", "")),
    ],
)
def test_parts_never_pass_because_the_agent_is_unwell(fault: dict[str, Any], expected: tuple[str, str]) -> None:
    (interlock,) = condition(**fault).interlocks()
    assert (interlock.line, interlock.state, interlock.reason) == ("press-1", *expected)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("bracket-a", ("run", "")),
        ("bracket-b", ("stop", "model_unusable")),
        ("cover", ("stop", "unknown_product")),
        ("bracket-c", ("run", "")),
    ],
)
def test_a_line_stops_while_it_makes_a_product_that_nothing_can_judge(product: str, expected: tuple[str, str]) -> None:
    well = SimpleNamespace(scorer=SimpleNamespace(identity=ModelIdentity("c@1", "d"), limits=Limits(1.0, 0.8)))
    broken = SimpleNamespace(scorer=UnusableScorer("b", "gone"))
    watched = condition(product=product, recipes={"bracket-b": broken, "bracket-c": well})
    (interlock,) = watched.interlocks()
    assert (interlock.state, interlock.reason) == expected
    assert watched.state().stations[0].problem == expected[1]


def test_a_line_without_a_live_station_is_nobodys_to_interlock() -> None:
    assert condition(problem="disk full", mode="shadow").interlocks() == ()


def test_the_state_tells_everything_the_page_shows() -> None:
    state = condition(problem="disk full").state()
    assert (state.agent, state.version, state.problem) == ("a", "0.1.0", "disk full")
    assert [link.name for link in state.links] == ["mqtt:a-in", "mqtt:a-out"]
    assert state.last_message_age_s is not None
    assert 0 <= state.last_message_age_s < 5
    (station,) = state.stations
    assert (station.model, station.waiting, station.problem) == ("m@1", 2, "")
    assert condition(worker={"alive": False}).state().stations[0].problem == "station_stopped"


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
    *beats, last = sink.payloads
    assert {payload["state"] for payload in beats} == ({"run"} if fed else {"stop"})
    assert (last["state"], last["reason"]) == ("stop", "agent_stopped")
    assert sink.payloads[0]["heartbeat_s"] == 0.2


@pytest.mark.parametrize(
    ("alive", "reason", "expected"),
    [(True, "", ("run", "")), (False, "camera_stalled", ("stop", "camera_blind"))],
)
def test_a_live_station_whose_camera_shows_nothing_stops_its_line(
    alive: bool,  # noqa: FBT001 - a parameter of the test
    reason: str,
    expected: tuple[str, str],
) -> None:
    watched: Any = condition()
    link = LinkHealth("camera:cam", alive, None, reason=reason)
    watched.line.sources = (SimpleNamespace(name="camera:cam", health=lambda: link),)
    camera = {"kind": "usb", "address": "/dev/video0", "rate_hz": 10.0}
    seen = watched.settings.model_dump(mode="json")
    seen["stations"][0] |= {"folder": None, "camera": camera}
    watched = Condition(Settings.model_validate(seen), watched.line, watched.pipeline, CLOCK.now(), "0.1.0", {})
    (interlock,) = watched.interlocks()
    assert (interlock.state, interlock.reason) == expected
    assert watched.state().stations[0].problem == reason
