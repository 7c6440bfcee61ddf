"""The simulated plant: deterministic, the worst line is the worst by its records, and truth leaves in no event."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import pytest

from edge_agent.events import AlarmOutcome, AuditCount, ModeChange, Production, RecordedEvent, decode_recorded
from edge_agent.virtual_plant.history_events import LIVE_FROM, local
from edge_agent.virtual_plant.history_plant import (
    AI_LINES,
    CHOSEN_LINE,
    CONTROL_LINES,
    USELESS_LINE,
    PlantYear,
    simulated_plant,
)

Made = tuple[PlantYear, list[RecordedEvent]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    out = tmp_path_factory.mktemp("plant") / "year.jsonl"
    year = simulated_plant(3, out)
    return year, [decode_recorded(line) for line in out.read_bytes().splitlines()]


def test_events_are_in_order_and_each_once(made: Made) -> None:
    year, recorded = made
    assert [entry.seq for entry in recorded] == list(range(1, year.events + 1))
    assert len({entry.event.key for entry in recorded}) == year.events
    assert all(a.recorded_at <= b.recorded_at for a, b in itertools.pairwise(recorded))


def test_only_the_lines_with_an_ai_report_one(made: Made) -> None:
    _, recorded = made
    modes = {entry.event.line for entry in recorded if isinstance(entry.event.body, ModeChange)}
    assert modes == set(AI_LINES)
    by_ai = {
        entry.event.line
        for entry in recorded
        if isinstance(entry.event.body, AuditCount) and entry.event.body.inspector == "ai"
    }
    assert by_ai == set(AI_LINES)


def test_the_chosen_line_is_the_worst_by_its_records(made: Made) -> None:
    _, recorded = made
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in recorded:
        body = entry.event.body
        if isinstance(body, Production) and entry.event.occurred_at < local(LIVE_FROM.replace(day=1), 6):
            counts[entry.event.line][0] += body.rejected or 0
            counts[entry.event.line][1] += body.produced
    rates = {line: counts[line][0] / counts[line][1] for line in (CHOSEN_LINE, *CONTROL_LINES)}
    assert max(rates, key=lambda line: rates[line]) == CHOSEN_LINE


def test_only_the_ai_does_anything(made: Made) -> None:
    truths = made[0].truths
    for line in AI_LINES:
        live = truths[line].live
        assert live.avoided_defects / (live.defects + live.avoided_defects) == pytest.approx(0.30, abs=0.02)
        assert live.avoided_stop_s / (live.unplanned_stop_s + live.avoided_stop_s) == pytest.approx(0.25, abs=0.06)
        assert live.avoided_kwh == pytest.approx(0.06 * 170 * 3 * (62 + 0.065 * 1_350), rel=0.05)
    for line in (USELESS_LINE, CHOSEN_LINE, *CONTROL_LINES):
        assert (truths[line].live.avoided_defects, truths[line].live.avoided_stop_s) == (0, 0)
        assert truths[line].live.avoided_kwh == pytest.approx(0.0, abs=0.005 * 510)  # meters read to 0.01 kWh


def test_alarms_have_outcomes(made: Made) -> None:
    _, recorded = made
    outcomes = Counter(entry.event.body.outcome for entry in recorded if isinstance(entry.event.body, AlarmOutcome))
    assert set(outcomes) == {"confirmed", "not_found", "missed"}
    keys = {entry.event.key for entry in recorded}
    named = {
        entry.event.body.alarm_key
        for entry in recorded
        if isinstance(entry.event.body, AlarmOutcome) and entry.event.body.alarm_key
    }
    assert named <= keys


def test_the_repair_history_is_right_on_the_whole(made: Made) -> None:
    year, recorded = made
    estimated = sum(
        entry.event.body.avoided_stop_h or 0.0 for entry in recorded if isinstance(entry.event.body, AlarmOutcome)
    )
    true = sum(year.truths[line].live.avoided_stop_s for line in AI_LINES) / 3600
    assert estimated == pytest.approx(true, rel=0.1)
