from __future__ import annotations

from datetime import date

import msgspec
import pytest

from roi_tracker.measurement.ruler import StratumKey, StratumRate, ruler_of
from roi_tracker.observations.rows import AuditSample, Inspector, Observation


def row(
    inspector: Inspector | None, inspected: int, rejected: int, fail: tuple[int, int], passed: tuple[int, int]
) -> Observation:
    who: Inspector = inspector or "previous"
    return Observation(
        "l", date(2025, 3, 1), "day", "a", "measured", inspector, inspected=inspected, rejected=rejected,
        audits=(AuditSample(who, "FAIL", *fail), AuditSample(who, "PASS", *passed)),
    )  # fmt: skip


def test_a_better_ruler_shows_more_rejects_at_the_same_true_rate() -> None:
    """1,000 parts, 40 truly bad. Before: 30 caught of 40, 10 false rejects. After: 39 caught, 21 false rejects."""
    before = ruler_of([row("previous", 1000, 40, (40, 30), (96, 1))], "previous")
    after = ruler_of([row("ai", 1000, 60, (60, 39), (940, 1))], "ai")
    assert before.rate("a", "previous", "FAIL", "l") * 40 + before.rate(
        "a", "previous", "PASS", "l"
    ) * 960 == pytest.approx(40.0)
    assert after.rate("a", "ai", "FAIL", "l") * 60 + after.rate("a", "ai", "PASS", "l") * 940 == pytest.approx(40.0)


def test_audits_of_another_inspector_do_not_count() -> None:
    shadow = row("previous", 100, 10, (10, 5), (50, 1))
    shadow = msgspec.structs.replace(shadow, audits=(*shadow.audits, AuditSample("ai", "PASS", 50, 40)))
    assert ruler_of([shadow], "previous").rate("a", "previous", "PASS", "l") == 0.02


def test_margins_by_the_exact_binomial() -> None:
    """None found in 59 is compatible with up to 5 %: 0.95^59 = 0.0485 (the rule behind 'rule of three')."""
    nothing = StratumRate(StratumKey("a", "ai", "PASS"), 10**9, 59, 0)
    down, up = nothing.margins(0.95)
    assert down == 0.0
    assert up / 10**9 == pytest.approx(1 - 0.05 ** (1 / 59), rel=1e-6)
    census = StratumRate(StratumKey("a", "ai", "FAIL"), 20, 20, 10)
    assert census.margins(0.95) == (0.0, 0.0)


def test_a_thin_audit_is_missing_unless_it_is_everything() -> None:
    assert not StratumRate(StratumKey("a", "ai", "PASS"), 1000, 29, 1).sufficient
    assert StratumRate(StratumKey("a", "ai", "FAIL"), 12, 12, 1).sufficient
    assert ruler_of([row("ai", 1000, 0, (0, 0), (40, 0))], "ai").missing == ()
