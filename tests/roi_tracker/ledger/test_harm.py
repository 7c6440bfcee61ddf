from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.business_case import Period, QualityCosts
from roi_tracker.ledger.books import Books, SignedValue
from roi_tracker.ledger.entries import UnitValueLocked
from roi_tracker.ledger.harm import Harm, harm, once
from roi_tracker.measurement.estimation import Estimate
from roi_tracker.observations.rows import AuditSample, LineShift, Observation, Observations
from roi_tracker.proof.proving import Basis, NotProven, Realized

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.ledger.costs import HarmRow

PERIOD = Period(first=date(2025, 7, 1), last=date(2025, 8, 31))


def part_row(day: date, **changes: object) -> Observation:
    row = Observation("press-1", day, "day", "bracket-a", "measured", "ai", produced=1000, inspected=1000)
    return msgspec.structs.replace(row, **changes)


def stop_row(day: date, seconds: float) -> LineShift:
    return LineShift("press-1", day, "day", "measured", unplanned_stop_s=seconds * 2, system_stop_s=seconds)


def valued(case: BusinessCase) -> BusinessCase:
    line = case.benefits[0]
    costs = QualityCosts(escape=Decimal(40_000), overkill=Decimal(900))
    plan = line.measurement.model_copy(update={"quality_costs": costs})
    return case.model_copy(update={"benefits": (line.model_copy(update={"measurement": plan}), *case.benefits[1:])})


def found(case: BusinessCase, *rows: Observation, stops: tuple[LineShift, ...] = (), **keywords: object) -> Harm:
    books, rates = keywords.get("books", Books()), keywords.get("rates", {"press-1": 0.025})
    return harm(case, books, Observations(rows, stops, ()), PERIOD, rates)  # type: ignore[arg-type]  # from keywords


def realized(benefit: str) -> Realized:
    estimate = Estimate(
        avoided=20.0, low=10.0, high=30.0, expected=100.0, observed=80.0, standard_error=5.0, baseline_error=3.0,
        reporting_error=4.0, dof=20.0, inflation=1.0, minimum_detectable=15.0, days=48,
    )  # fmt: skip
    basis = Basis(
        method="its_rate", grade="C", baseline_sha256="0" * 64, first=PERIOD.first, last=PERIOD.last, measured_days=48,
        origin="measured", checks=(),
    )  # fmt: skip
    return Realized(benefit, estimate, (), basis)


def by_cause(rows: tuple[HarmRow, ...]) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.cause: (row.quantity, row.amount) for row in rows}


def test_every_harm_by_hand(case: BusinessCase) -> None:
    audits = (AuditSample("ai", "FAIL", 10, 8), AuditSample("ai", "PASS", 50, 1), AuditSample("previous", "FAIL", 5, 0))
    row = part_row(date(2025, 7, 20), rejected=32, audits=audits, no_verdict=80, late_rejects=2)
    made = found(valued(case), row, stops=(stop_row(date(2025, 7, 21), 5400),))
    assert made.not_valued == ()
    assert by_cause(made.rows) == {
        "false_reject": (Decimal(6), Decimal(5_400)),  # 30 that were rejected, 2 in 10 of them good
        "uninspected": (Decimal(2), Decimal(80_000)),  # 80 x 0.025
        "late_reject": (Decimal(2), Decimal(80_000)),
        "system_stop": (Decimal("1.5"), Decimal(180_000)),
    }


def test_a_plant_without_modes_is_charged_by_its_audits_of_the_ai_from_go_live_on(case: BusinessCase) -> None:
    """Go-live is 2025-07-15. 30 rejected, 2 in 10 of them good; what was rejected before was the previous one's."""
    audits = (AuditSample("ai", "FAIL", 10, 8),)
    live = part_row(date(2025, 7, 20), inspector=None, rejected=30, audits=audits)
    earlier = part_row(date(2025, 7, 14), inspector=None, rejected=500)
    made = found(valued(case), earlier, live)
    assert by_cause(made.rows) == {"false_reject": (Decimal(6), Decimal(5_400))}
    unaudited = found(valued(case), part_row(date(2025, 7, 20), inspector=None, rejected=30))
    assert (unaudited.rows, unaudited.not_valued) == ((), ())


def test_audits_are_pooled_and_rows_are_by_month(case: BusinessCase) -> None:
    rows = (
        part_row(date(2025, 7, 20), rejected=10, audits=(AuditSample("ai", "FAIL", 1, 1),)),
        part_row(date(2025, 8, 3), rejected=20, audits=(AuditSample("ai", "FAIL", 3, 1),)),
    )
    made = found(valued(case), *rows)
    assert [(row.day, row.quantity) for row in made.rows] == [
        (date(2025, 7, 20), Decimal(5)),
        (date(2025, 8, 3), Decimal(10)),
    ]


def test_what_has_no_unit_value_is_listed_and_not_zero(case: BusinessCase) -> None:
    row = part_row(date(2025, 7, 20), rejected=30, audits=(AuditSample("ai", "FAIL", 10, 8),), late_rejects=3)
    again = part_row(date(2025, 8, 20), late_rejects=4)
    made = found(case, row, again)
    assert made.rows == ()
    assert [(one.cause, one.reason, one.quantity) for one in made.not_valued] == [
        ("false_reject", "no_unit_value", Decimal("5.4")),
        ("late_reject", "no_unit_value", Decimal(7)),
    ]


def test_what_cannot_be_counted_says_why(case: BusinessCase) -> None:
    made = found(valued(case), part_row(date(2025, 7, 20), rejected=30, no_verdict=80), rates={})
    assert [(one.cause, one.reason, one.quantity) for one in made.not_valued] == [
        ("false_reject", "no_audit", None),
        ("uninspected", "no_baseline_rate", None),
    ]


def test_the_former_inspection_and_other_days_are_not_charged(case: BusinessCase) -> None:
    audits = (AuditSample("ai", "FAIL", 10, 8),)
    rows = (
        part_row(date(2025, 7, 20), rejected=30, audits=audits, no_verdict=9, inspector="previous"),
        part_row(date(2025, 9, 1), rejected=30, audits=audits),
        part_row(date(2025, 7, 20), rejected=30, audits=audits, line="press-9"),
    )
    assert found(valued(case), *rows) == Harm((), ())


def test_a_value_locked_in_the_ledger_holds_before_the_case(case: BusinessCase) -> None:
    locked = UnitValueLocked(
        subject="escape", amount=Decimal(50_000), per="part", valid_from=date(2025, 1, 1), valid_to=date(2025, 7, 31),
        source="claims 2024", owner="quality", lines=("press-1",),
    )  # fmt: skip
    rows = (part_row(date(2025, 7, 20), late_rejects=1), part_row(date(2025, 8, 20), late_rejects=1))
    signed = SignedValue(locked, date(2025, 7, 1), "quality", "d" * 64)
    made = found(valued(case), *rows, books=Books(unit_values=(signed,)))
    assert [row.amount for row in made.rows] == [Decimal(50_000), Decimal(40_000)]


def test_harm_is_made_cheaper_by_two_people_and_for_the_days_to_come(case: BusinessCase) -> None:
    value = UnitValueLocked(
        subject="escape", amount=Decimal(50_000), per="part", valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31),
        source="claims 2024", owner="quality",
    )  # fmt: skip
    first = SignedValue(value, date(2025, 7, 1), "quality", "d" * 64)
    cheap = msgspec.structs.replace(value, amount=Decimal(10))
    agreed = msgspec.structs.replace(cheap, approver="controller")
    rows = (part_row(date(2025, 7, 20), late_rejects=1), part_row(date(2025, 8, 20), late_rejects=1))
    for later, expected in ((cheap, [50_000, 50_000]), (agreed, [50_000, 10])):
        books = Books(unit_values=(first, SignedValue(later, date(2025, 8, 1), "quality", "e" * 64)))
        assert [row.amount for row in found(valued(case), *rows, books=books).rows] == expected


@pytest.mark.parametrize("proven", [True, False])
def test_stops_that_a_proven_line_measures_are_not_counted_twice(case: BusinessCase, *, proven: bool) -> None:

    made = found(case, stops=(stop_row(date(2025, 7, 21), 3600),))
    downtime = realized("less-downtime") if proven else NotProven("less-downtime", "interval_contains_zero")
    results = (NotProven("fewer-defects", "rules_failed"), downtime, NotProven("inspection-labour", "rules_failed"))
    (row,) = once(made.rows, case, results)
    assert (row.counted, row.covered_by) == ((False, "less-downtime") if proven else (True, ""))
