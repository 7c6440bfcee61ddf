"""Audits of one line say nothing about the parts of another, and a programme without an AI keeps its inspection."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from roi_tracker.case.plant import Period
from roi_tracker.measurement.panels.defects import defects
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import AuditSample, Inspector, Observation, Observations

FIRST = date(2025, 1, 1)
DAYS = 10
PERIOD = Period(first=FIRST, last=FIRST + timedelta(days=DAYS - 1))


def row(line: str, day: int, rejected: int, found: tuple[int, int], mode: Inspector | None = "previous") -> Observation:
    """1,000 parts; 10 of the rejected and 20 of the passed are audited, by the previous inspection's verdicts."""
    return Observation(
        line,
        FIRST + timedelta(days=day),
        "day",
        "a",
        "measured",
        mode,
        inspected=1_000,
        rejected=rejected,
        audits=(AuditSample("previous", "FAIL", 10, found[0]), AuditSample("previous", "PASS", 20, found[1])),
    )


def scope(*lines: str, treated: tuple[str, ...] = ()) -> Scope:
    return Scope(measure="defects", lines=lines, expected=lambda _: True, shifts_per_day=1, treated_lines=treated)


def test_each_line_is_measured_by_its_own_audits() -> None:
    """Line x: 100 x 0.9 + 900 x 0.1 = 180 a day; line y: 100 x 0.5 + 900 x 0 = 50. Pooled, both would be 115."""
    rows = tuple(one for day in range(DAYS) for one in (row("x", day, 100, (9, 2)), row("y", day, 100, (5, 0))))
    panel = defects(Observations(rows, (), ()), scope("x", "y", treated=("x",)), "previous").panel(PERIOD)
    by_line = {line: panel.outcome[panel.line.among((line,))] for line in ("x", "y")}
    assert by_line["x"] == pytest.approx([180.0] * DAYS)
    assert by_line["y"] == pytest.approx([50.0] * DAYS)
    assert panel.ruler is not None
    assert panel.ruler.rate("a", "previous", "FAIL", "x") == 0.9
    assert panel.ruler.rate("a", "previous", "FAIL", "y") == 0.5


def test_an_audits_noise_belongs_to_its_line() -> None:
    """One found more among ten rejected on the first day: ten times as many parts were rejected that day."""
    rows = [row("x", day, 100, (5, 0)) for day in range(DAYS)] + [row("y", day, 100, (5, 0)) for day in range(DAYS)]
    rows[0] = row("x", 0, 100, (6, 0))
    panel = defects(Observations(tuple(rows), (), ()), scope("x", "y", treated=("x",)), "previous").panel(PERIOD)
    noisy = [one for one in panel.noise if abs(one.day_residual).max() > 0]
    assert len(noisy) == 1
    assert noisy[0].day_residual[0] == pytest.approx(10 * 0.9)
    assert noisy[0].population[panel.line.among(("y",))].sum() == 0
    assert noisy[0].population.sum() == 100 * DAYS


def test_a_line_that_never_had_an_ai_keeps_its_inspection() -> None:
    """No mode was ever reported: the audits say whose verdicts were audited."""
    rows = tuple(row("x", day, 100, (9, 2), None) for day in range(DAYS))
    panel = defects(Observations(rows, (), ()), scope("x"), "ai").panel(PERIOD)
    assert panel.ruler is not None
    assert {stratum.key.inspector for stratum in panel.ruler.strata} == {"previous"}
    assert panel.ruler.missing == ()
    assert panel.outcome == pytest.approx([180.0] * DAYS)
