from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from edge_agent.events import Alarm, Event, Health, Inspection, RecordedEvent, Undelivered
from edge_agent.metrics import METRICS, STAGES, Metrics
from edge_agent.ports import Committed, LinkHealth, StoreTotals
from edge_agent.system_state import Interlock, StationState, SystemState

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def recorded(seq: int, body: Inspection | Alarm | Health | Undelivered) -> RecordedEvent:
    return RecordedEvent(seq, AT, "boot", seq, Event(f"k{seq}", "press-1", AT, body))


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def state(**changes: object) -> SystemState:
    fields: dict[str, object] = {
        "agent": "cell-3",
        "version": "0.1.0",
        "started_us": 0,
        "uptime_s": 12.5,
        "links": (LinkHealth("mqtt", alive=True, last_activity_mono_ns=1), LinkHealth("out", False, None, "away")),
        "stations": (StationState("cam", "press-1", "live", "m@1", "CPU", 2, "provider_fallback"),),
        "assets": (),
        "interlocks": (Interlock("press-1", "divert", "reject_undelivered"),),
        "store": StoreTotals(10, 200, 3, 4, 5, 6_000),
        "waiting_messages": 7,
        "last_message_age_s": None,
        "last_commit_ms": 1.0,
    }
    return SystemState(**{**fields, **changes})  # type: ignore[arg-type] # fields by name, checked by the struct


def test_the_table_is_what_the_registry_exposes() -> None:
    exposed = {family.name: family.type for family in Metrics().registry.collect()}

    assert exposed == {spec.name.removesuffix("_total"): spec.kind for spec in METRICS}


def test_counters_end_in_total_and_nothing_else_does() -> None:
    assert all(spec.name.endswith("_total") == (spec.kind == "counter") for spec in METRICS)


def test_a_commit_counts_what_it_added() -> None:
    metrics = Metrics()
    committed = Committed(
        events=[
            recorded(1, Inspection("cam", "p1", "", "FAIL", "score_above_threshold", "live")),
            recorded(2, Inspection("cam", "p2", "", "FAIL", "score_above_threshold", "live")),
            recorded(3, Alarm("hot", "press", "raised", 81.0, 80.0, "Check cooling", AT)),
            recorded(4, Health("press", None, "stale_channel")),
            recorded(5, Undelivered("k1", "t", 500.0, "stop")),
        ],
        outbox=[],
        duplicate_events=2,
        duplicate_readings=9,
    )

    metrics.committed(committed, 0.003)

    assert value(metrics, "lineproof_verdicts_total", line="press-1", station="cam", verdict="FAIL") == 2
    assert value(metrics, "lineproof_events_total", kind="inspection") == 2
    assert value(metrics, "lineproof_alarm_changes_total", line="press-1", alarm="hot", state="raised") == 1
    assert value(metrics, "lineproof_undelivered_total", line="press-1") == 1
    assert value(metrics, "lineproof_duplicates_total", what="event") == 2
    assert value(metrics, "lineproof_duplicates_total", what="reading") == 9
    assert value(metrics, "lineproof_commits_total") == 1
    assert value(metrics, "lineproof_stage_seconds_count", stage="commit") == 1
    assert value(metrics, "lineproof_stage_seconds_bucket", stage="commit", le="0.002") == 0
    assert value(metrics, "lineproof_stage_seconds_bucket", stage="commit", le="0.005") == 1
    health = value(metrics, "lineproof_health", line="press-1", asset="press")
    assert health is not None
    assert math.isnan(health)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_shows_before_it_first_runs(stage: str) -> None:
    assert value(Metrics(), "lineproof_stage_seconds_count", stage=stage) == 0


def test_single_counts() -> None:
    metrics = Metrics()

    metrics.messages("mqtt", 4)
    metrics.messages("mqtt", 1)
    metrics.quarantined("not_json")
    metrics.image_refused("cam", "image_truncated")
    metrics.reconnected("mqtt")
    metrics.published(0.25)
    metrics.line_counts("press-1", alarms_active=2, undelivered_now=1)

    assert value(metrics, "lineproof_messages_received_total", source="mqtt") == 5
    assert value(metrics, "lineproof_quarantined_total", reason="not_json") == 1
    assert value(metrics, "lineproof_image_refusals_total", station="cam", reason="image_truncated") == 1
    assert value(metrics, "lineproof_reconnects_total", link="mqtt") == 1
    assert value(metrics, "lineproof_stage_seconds_sum", stage="publish") == 0.25
    assert value(metrics, "lineproof_alarms_active", line="press-1") == 2
    assert value(metrics, "lineproof_undelivered_now", line="press-1") == 1


def test_the_condition_is_taken_over_at_a_scrape() -> None:
    metrics = Metrics()

    metrics.collect_state(state())

    assert value(metrics, "lineproof_link_up", link="mqtt") == 1
    assert value(metrics, "lineproof_link_up", link="out") == 0
    assert value(metrics, "lineproof_interlock", line="press-1") == 1
    assert value(metrics, "lineproof_station_ready", line="press-1", station="cam") == 0
    assert value(metrics, "lineproof_images_waiting", line="press-1", station="cam") == 2
    assert value(metrics, "lineproof_messages_waiting") == 7
    assert value(metrics, "lineproof_outbox_pending") == 5
    assert value(metrics, "lineproof_missing_messages") == 4
    assert value(metrics, "lineproof_store_bytes") == 6_000
    assert value(metrics, "lineproof_agent_problem") == 0
    assert value(metrics, "lineproof_build_info", agent="cell-3", version="0.1.0") == 1
    age = value(metrics, "lineproof_last_message_age_seconds")
    assert age is not None
    assert math.isnan(age)

    metrics.collect_state(state(problem="disk full", last_message_age_s=3.5))

    assert value(metrics, "lineproof_agent_problem") == 1
    assert value(metrics, "lineproof_last_message_age_seconds") == 3.5


def test_no_creation_times_in_the_text() -> None:
    metrics = Metrics()
    metrics.messages("mqtt", 1)

    assert b"_created" not in metrics.render()
