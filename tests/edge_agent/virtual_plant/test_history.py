"""The simulated year: complete, deterministic, with the planted effect, and silent about the truth."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge_agent.events import (
    AuditCount,
    Downtime,
    Labour,
    ModeChange,
    Production,
    RecordedEvent,
    decode_recorded,
)
from edge_agent.virtual_plant.history import SimulatedYear, simulated_year
from edge_agent.virtual_plant.history_truth import PlantedEffect
from edge_agent.virtual_plant.shift_process import LogRate

if TYPE_CHECKING:
    from pathlib import Path

GO_LIVE = datetime(2025, 7, 15, 6, tzinfo=ZoneInfo("Asia/Seoul"))
COMMISSIONING = datetime(2025, 7, 1, 6, tzinfo=ZoneInfo("Asia/Seoul"))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulatedYear, list[RecordedEvent]]:
    out = tmp_path_factory.mktemp("year") / "year.jsonl"
    made = simulated_year(1, out)
    return made, [decode_recorded(line) for line in out.read_bytes().splitlines()]


Year = tuple[SimulatedYear, list[RecordedEvent]]


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulated_year(seed, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_the_feed_is_ordered_simulated_and_has_unique_keys(year: Year) -> None:
    made, recorded = year
    assert [entry.seq for entry in recorded] == list(range(1, made.events + 1))
    assert all(a.recorded_at <= b.recorded_at for a, b in itertools.pairwise(recorded))
    assert {entry.event.origin for entry in recorded} == {"simulated"}
    assert {entry.event.line for entry in recorded} == {"press-1"}
    assert len({entry.event.key for entry in recorded}) == made.events


def test_every_shift_has_both_products_and_its_labour_and_energy(year: Year) -> None:
    made, recorded = year
    assert made.shifts == 365 * 3
    counts = Counter(entry.event.kind for entry in recorded)
    assert counts["production"] == 365 * 3 * 2
    assert counts["audit_count"] == 365 * 3 * 2 * 2
    assert counts["labour"] == counts["energy"] == 365 * 3
    first = next(entry.event for entry in recorded if isinstance(entry.event.body, Production))
    assert first.occurred_at == datetime(2024, 12, 31, 21, tzinfo=UTC)  # 06:00 in Seoul


def test_inspectors_and_modes_follow_the_phases(year: Year) -> None:
    _, recorded = year
    audits = [
        (entry.event.occurred_at, entry.event.body.inspector)
        for entry in recorded
        if isinstance(entry.event.body, AuditCount)
    ]
    before = {inspector for at, inspector in audits if at < GO_LIVE}
    after = {inspector for at, inspector in audits if at >= GO_LIVE}
    assert (before, after) == ({"previous"}, {"ai"})
    modes = [(e.event.occurred_at, e.event.body.mode) for e in recorded if isinstance(e.event.body, ModeChange)]
    assert modes == [(datetime(2024, 12, 31, 21, tzinfo=UTC), "shadow"), (GO_LIVE.astimezone(UTC), "live")]


def test_stops_never_overlap_and_stay_within_their_shift(year: Year) -> None:
    _, recorded = year
    stops = sorted(
        (entry.event.occurred_at, entry.event.body) for entry in recorded if isinstance(entry.event.body, Downtime)
    )
    for (start, body), (following, _) in itertools.pairwise(stops):
        assert body.ended_at == start + timedelta(seconds=body.duration_s)
        assert body.ended_at <= following
    zone = ZoneInfo("Asia/Seoul")
    for start, body in stops:
        hours_since_six = ((start.astimezone(zone).hour - 6) % 24) + start.minute / 60 + start.second / 3600
        left_in_shift_s = (8 - hours_since_six % 8) * 3600
        assert body.duration_s <= left_in_shift_s + 1


def test_the_planted_effect_is_in_the_truth(year: Year) -> None:
    truth = year[0].truth
    assert truth.baseline.defect_rate == pytest.approx(0.030, rel=0.04)
    assert truth.live.defect_rate == pytest.approx(0.021, rel=0.05)
    would_be = truth.live.defects + truth.live.avoided_defects
    # thinning of about 36,000 defects: standard error 0.0024
    assert truth.live.avoided_defects / would_be == pytest.approx(0.30, abs=0.008)
    would_stop = truth.live.unplanned_stop_s + truth.live.avoided_stop_s
    assert truth.live.avoided_stop_s / would_stop == pytest.approx(0.25, abs=0.06)
    assert truth.baseline.avoided_defects == 0
    assert truth.baseline.avoided_stop_s == 0.0


def test_audits_recover_the_true_rate_and_the_inspectors_skill(year: Year) -> None:
    made, recorded = year
    for inspector, phase in (("previous", made.truth.baseline), ("ai", made.truth.live)):
        since, until = (datetime.min.replace(tzinfo=UTC), COMMISSIONING) if inspector == "previous" else (GO_LIVE, None)
        inside = [
            e.event for e in recorded if e.event.occurred_at >= since and (not until or e.event.occurred_at < until)
        ]
        audited: Counter[str] = Counter()
        found: Counter[str] = Counter()
        for event in inside:
            if isinstance(event.body, AuditCount):
                audited[event.body.stratum] += event.body.audited
                found[event.body.stratum] += event.body.defects_found
        produced = [event.body for event in inside if isinstance(event.body, Production)]
        share_failed = sum(p.rejected or 0 for p in produced) / sum(p.produced for p in produced)
        ppv, omission = found["FAIL"] / audited["FAIL"], found["PASS"] / audited["PASS"]
        rate = share_failed * ppv + (1 - share_failed) * omission
        assert rate == pytest.approx(phase.defect_rate, rel=0.06)
        sensitivity = share_failed * ppv / rate
        assert sensitivity == pytest.approx(0.80 if inspector == "previous" else 0.97, abs=0.03)


def test_labour_does_not_change(year: Year) -> None:
    _, recorded = year
    hours = [(e.event.occurred_at, e.event.body.hours) for e in recorded if isinstance(e.event.body, Labour)]
    before = np.mean([value for at, value in hours if at < COMMISSIONING])
    after = np.mean([value for at, value in hours if at >= GO_LIVE])
    assert before == pytest.approx(after, abs=0.15)


def test_the_export_does_not_carry_the_truth(tmp_path: Path) -> None:
    simulated_year(2, tmp_path / "year.jsonl")
    text = (tmp_path / "year.jsonl").read_text("utf-8")
    assert not [word for word in ("true_defects", "avoided", "sensitivity", "truth") if word in text]


def test_no_effect_can_be_planted_too(tmp_path: Path) -> None:
    nothing = PlantedEffect(defect_reduction=0.0, stop_reduction=0.0)
    truth = simulated_year(3, tmp_path / "null.jsonl", nothing).truth
    assert truth.live.avoided_defects == 0
    assert truth.live.avoided_stop_s == 0.0


def test_log_rates_are_autocorrelated_with_mean_one() -> None:
    rate = LogRate(np.random.default_rng(1), 0.4, 0.15)
    factors = np.array([rate.next_factor() for _ in range(20_000)])
    assert factors.mean() == pytest.approx(1.0, abs=0.01)
    logs = np.log(factors)
    assert np.corrcoef(logs[:-1], logs[1:])[0, 1] == pytest.approx(0.4, abs=0.03)
    assert logs.std() == pytest.approx(0.15, abs=0.005)
