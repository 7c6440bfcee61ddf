"""A health index that nobody renews is not shown for ever."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from edge_agent.events import Health
from edge_agent.status.line_state import line_state
from edge_agent.status.shifts import Shift
from edge_agent.status.snapshot import AssetHealth, HealthPoint, LineSnapshot, ShiftCounts
from edge_agent.status.staleness import without_stale_health
from edge_agent.system_state import AssetState
from tests.edge_agent.status.rig import LINE, sample_system

if TYPE_CHECKING:
    import httpx

    from tests.edge_agent.status.rig import Rig

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SHIFT = Shift(datetime(2026, 1, 5, 5, 0, tzinfo=UTC), datetime(2026, 1, 5, 13, 0, tzinfo=UTC))
PROVIDER = "CPUExecutionProvider"
SYSTEM = msgspec.structs.replace(
    sample_system(),
    stations=(),
    assets=(AssetState("press", LINE, "m", PROVIDER, 70.0), AssetState("press", "press-2", "m", PROVIDER, 1.0)),
)


def line(*health: AssetHealth) -> LineSnapshot:
    return LineSnapshot(LINE, 9, SHIFT, ShiftCounts(), health=health, last_event_at=NOW)


def healthy(recorded_s_ago: float, occurred_s_ago: float, asset: str = "press", reason: str = "ok") -> AssetHealth:
    at = NOW - timedelta(seconds=occurred_s_ago)
    body = Health(asset, None if reason == "window_filling" else 96.0, reason, 0.4, {"current": 0.6}, "m@1")
    return AssetHealth(at, NOW - timedelta(seconds=recorded_s_ago), body, (HealthPoint(at, 96.0),))


@pytest.mark.parametrize("reason", ["ok", "above_limit", "window_filling"])
def test_health_recorded_too_long_ago_is_not_known(reason: str) -> None:
    shown = without_stale_health(line(healthy(70.001, 70.001, reason=reason)), SYSTEM, NOW)

    assert shown.health[0].body == Health("press", None, "stale_channel", None, {}, "m@1")
    assert shown.health[0].trend[0].health == 96.0
    state = line_state(shown, SYSTEM)
    assert (state.state, state.reason, state.detail_code) == ("degraded", "health_unknown", "stale_channel")


@pytest.mark.parametrize("occurred_s_ago", [0.0, 70.0, 1e9])
def test_recorded_lately_holds_whatever_time_it_speaks_of(occurred_s_ago: float) -> None:
    before = line(healthy(70.0, occurred_s_ago))

    assert without_stale_health(before, SYSTEM, NOW) is before
    assert line_state(before, SYSTEM).state == "running"


def test_each_asset_has_its_own_limit_and_one_that_nobody_watches_has_none() -> None:
    shown = without_stale_health(line(healthy(71, 71), healthy(71, 71, "oven")), SYSTEM, NOW)

    assert [asset.body.reason for asset in shown.health] == ["stale_channel", "ok"]


def test_page_state_and_metrics_stop_vouching_for_a_silent_machine(rig: Rig, client: httpx.Client) -> None:
    rig.writer.commit([rig.event("h1", Health("press", 96.0, "ok", 0.4, {"current": 0.6}, "press-health@2"))])
    metric = f'lineproof_health{{asset="press",line="{LINE}"}}'
    assert f"{metric} 96.0" in client.get("/metrics").text
    assert not re.search(r'class="health[^"]* unknown"', client.get("/").text)

    rig.clock.advance(timedelta(seconds=121))

    assert f"{metric} NaN" in client.get("/metrics").text
    html = client.get("/").text
    assert re.search(r'class="health[^"]* unknown"', html)
    assert "A sensor is silent." in html
    state = client.get("/api/state").json()["lines"][LINE]
    assert state["snapshot"]["health"][0]["body"]["reason"] == "stale_channel"

    rig.writer.commit([rig.event("h2", Health("press", 95.0, "ok"), ago_s=9e6)])  # old data, replayed now

    assert client.get("/api/state").json()["lines"][LINE]["snapshot"]["health"][0]["body"]["health"] == 95.0
