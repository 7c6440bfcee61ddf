from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from roi_tracker.business_case import Plant
from roi_tracker.observations import facts as f
from roi_tracker.observations.contexts import ContextKey, context_of
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.hygiene import with_hygiene
from roi_tracker.observations.quality import QualityScope, data_quality
from roi_tracker.observations.rows import AuditSample, Finding, LineShift, Observation, Observations
from roi_tracker.observations.shifts import ShiftCalendar

CALENDAR = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
START = date(2025, 3, 3)


def line_rows(days: int = 30, **given: Any) -> list[LineShift]:
    base: dict[str, Any] = {"planned_busy_s": 27_000.0, "energy_kwh": 100.0} | given
    return [LineShift("l", START + timedelta(days=n), "day", "imported", **base) for n in range(days)]


def product_rows(days: int = 30, **given: Any) -> list[Observation]:
    return [
        Observation(
            "l", START + timedelta(days=n), "day", "p", "imported", "previous", coverage=1.0,
            **{"produced": 500 + n, "inspected": 500 + n, "rejected": 5, "planned_busy_s": 27_000.0} | given,
        )
        for n in range(days)
    ]  # fmt: skip


def found(products: list[Observation], lines: list[LineShift]) -> list[Finding]:
    return list(with_hygiene(Observations(tuple(products), tuple(lines), ()), CALENDAR).findings)


def test_clean_data_have_no_findings() -> None:
    assert found(product_rows(), line_rows()) == []


def test_a_gap_is_told_with_its_days() -> None:
    rows = line_rows()
    (gap,) = found(product_rows(), rows[:10] + rows[13:])
    assert (gap.name, gap.day, gap.evidence) == ("gap", date(2025, 3, 13), "2025-03-13 to 2025-03-15: 3 days")


def test_counts_that_never_change_and_a_meter_that_stands() -> None:
    (stuck,) = found(product_rows(10, produced=500, inspected=500), line_rows(10))
    assert stuck.name == "stuck_values"
    assert "500 made, 5 rejected, 10 times" in stuck.evidence
    assert found(product_rows(5, produced=500, inspected=500), line_rows(5)) == []
    lines = line_rows(10)
    lines[4:7] = line_rows(10, energy_kwh=0.0)[4:7]
    (zero,) = found(product_rows(10), lines)
    assert (zero.day, zero.evidence) == (date(2025, 3, 7), "energy is 0 in 3 shifts worked, from 2025-03-07")


@pytest.mark.parametrize("factor", [10, 60, 1000])
def test_a_change_of_unit_is_seen_and_a_doubling_is_not(factor: int) -> None:
    rows = product_rows(15) + [
        Observation("l", START + timedelta(days=n), "day", "p", "imported", None, produced=500 * factor)
        for n in range(15, 30)
    ]
    (switch,) = found(rows, line_rows())
    assert (switch.name, switch.day) == ("unit_switch", START + timedelta(days=15))
    assert "median 512 before" in switch.evidence
    doubled = product_rows(15) + [
        Observation("l", START + timedelta(days=n), "day", "p", "imported", None, produced=1000) for n in range(15, 30)
    ]
    assert found(doubled, line_rows()) == []


def test_rates_that_cannot_be() -> None:
    rows = product_rows()
    rows[3] = product_rows(4, inspected=60, rejected=60)[3]
    rows[5] = product_rows(6, produced=9000)[5]
    rows[7] = product_rows(8, scrap=600)[7]
    lines = line_rows()
    lines[9] = line_rows(10, planned_busy_s=9 * 3600.0)[9]
    evidence = [(one.name, one.day.day, one.evidence) for one in found(rows, lines)]
    assert evidence == [
        ("impossible_rate", 6, "p, day: all 60 inspected parts rejected"),
        ("impossible_rate", 8, "p, day: 1200 parts an hour, usually 68.73"),
        ("impossible_rate", 10, "p, day: scrap 600 > produced 507"),
        ("impossible_rate", 12, "day: planned busy 9 h in a shift of 8 h"),
    ]


def seen(key: str, minute: int) -> f.MachineWatched:
    at = datetime(2025, 3, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    return f.MachineWatched(key=key, line="l", at=at, origin="measured", asset="press")


def test_a_clock_that_goes_back_is_told_once() -> None:
    facts = [seen("a", 0), seen("b", 60), seen("c", 5), seen("d", 6), seen("e", 3)]
    (jump,) = derive(facts, CALENDAR).findings
    assert (jump.name, jump.line) == ("clock_jump", "l")
    assert "(c)" in jump.evidence


def test_a_period_in_another_time_zone_is_told() -> None:
    def made(hour: int) -> f.ProductionFact:
        at = datetime(2025, 3, 3, hour, tzinfo=UTC)
        return f.ProductionFact(
            key=f"k{hour}", line="l", at=at, origin="imported", end=at + timedelta(hours=8), product="p", shift="day",
            produced=5,
        )  # fmt: skip

    (zone,) = derive([made(6)], CALENDAR).findings  # 06:00 UTC is 15:00 in Seoul: local time was written as UTC
    assert zone.name == "mixed_time_zones"
    assert derive([made(21)], CALENDAR).findings == ()


def test_the_same_energy_twice_counts_once_and_is_told() -> None:
    at = datetime(2025, 3, 3, 0, tzinfo=UTC)
    first, second = (
        f.EnergyFact(key=key, line="l", at=at, origin="imported", end=at + timedelta(hours=2), carrier="gas", kwh=kwh)
        for key, kwh in (("a", 5.0), ("b", 7.0))
    )
    observed = derive([first, second], CALENDAR)
    assert observed.line_shifts[0].energy_kwh == 7.0
    assert [(one.name, one.evidence) for one in observed.findings] == [("duplicate_period", "gas: a and b")]


def test_contexts() -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul", holidays="KR", worked_holidays=(date(2025, 3, 3),)))
    types = [
        context_of(Observation("l", date(2025, 3, day), "day", "p", "imported", None), calendar) for day in (1, 2, 3, 4)
    ]
    assert [key.day_type for key in types] == ["holiday", "sunday", "workday", "workday"]
    assert types[2] == ContextKey("l", "p", "day", "workday")


def test_the_score_is_explained() -> None:
    products, lines = product_rows(10), line_rows(10)
    audited = AuditSample("previous", "PASS", 30, 1)
    products[0] = product_rows(1, audits=(audited,))[0]
    findings = (Finding("overlapping_stops", "l", START, "x"), Finding("unit_switch", "l", START, "y"))
    observed = Observations(tuple(products), tuple(lines), findings)
    scope = QualityScope(("l",), START, START + timedelta(days=9), START + timedelta(days=11))
    one_shift = ShiftCalendar(Plant.model_validate(
        {"time_zone": "Asia/Seoul", "shifts": [{"label": "day", "start": "06:00", "end": "14:00"}]}
    ))  # fmt: skip
    quality = data_quality(observed, scope, one_shift)
    scores = {part.name: part.score for part in quality.parts}
    inspected, rejected = sum(range(500, 510)), 50
    assert scores == {
        "completeness": 100.0,
        "validity": 90.0,
        "audit_cover": pytest.approx(100 * (inspected - rejected) / inspected),
        "consistency": 90.0,
        "timeliness": 100.0,
    }
    assert quality.lowest == "validity"
    assert quality.score == pytest.approx(30 + 0.25 * 90 + 0.2 * (scores["audit_cover"] or 0) + 0.15 * 90 + 10)
    late = data_quality(observed, QualityScope(("l",), START, START + timedelta(days=19), date(2025, 12, 1)), one_shift)
    assert {part.name: part.score for part in late.parts}["timeliness"] == 0.0
    assert {part.name: part.score for part in late.parts}["completeness"] == 50.0
    assert late.lowest == "timeliness"


def test_audits_that_stopped_back_only_the_parts_near_them() -> None:
    """60 days of 100 parts; 40 of the passed are audited on the first day, which reaches 16 days further."""
    rows = [
        Observation("l", START + timedelta(days=n), "day", "p", "measured", None, inspected=100, rejected=0)
        for n in range(60)
    ]
    rows[0] = msgspec.structs.replace(rows[0], audits=(AuditSample("previous", "PASS", 40, 0),))
    scope = QualityScope(("l",), START, START + timedelta(days=59), START + timedelta(days=60))
    found = data_quality(Observations(tuple(rows), (), ()), scope, CALENDAR)
    figures = {
        figure.name: figure.value for part in found.parts if part.name == "audit_cover" for figure in part.figures
    }
    assert figures == {"inspected": 6_000, "backed": 1_700}


def test_without_modes_the_audits_and_the_go_live_say_whose_parts_they_were() -> None:
    """40 audits of the previous inspection back its 20 days; from go-live on nobody audited the AI but once."""
    rows = [
        Observation("l", START + timedelta(days=n), "day", "p", "measured", None, inspected=100, rejected=0)
        for n in range(40)
    ]
    rows[10] = msgspec.structs.replace(rows[10], audits=(AuditSample("previous", "PASS", 40, 0),))
    rows[30] = msgspec.structs.replace(rows[30], audits=(AuditSample("ai", "PASS", 29, 0),))
    scope = QualityScope(
        ("l",), START, START + timedelta(days=39), START + timedelta(days=40), START + timedelta(days=20)
    )
    found = data_quality(Observations(tuple(rows), (), ()), scope, CALENDAR)
    figures = {
        figure.name: figure.value for part in found.parts if part.name == "audit_cover" for figure in part.figures
    }
    assert figures == {"inspected": 4_000, "backed": 2_000}
