"""A baseline's hash covers what its measure reads, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from roi_tracker.baseline.panel_data import OF_LINES, OF_PRODUCTS, data_digest, data_unchanged, whole_rows_digest
from roi_tracker.case.measuring import KpiDefinition
from roi_tracker.case.plant import Period
from roi_tracker.measurement.panels.building import BUILDERS, panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import Amount, AuditSample, KpiCount, LineShift, Observation, Observations

FIRST = date(2025, 3, 3)
PERIOD = Period(first=FIRST, last=FIRST + timedelta(days=9))
MEASURES = tuple(BUILDERS)


def scope(measure: str) -> Scope:
    return Scope(
        measure=measure,  # type: ignore[arg-type]  # a key of BUILDERS
        lines=("press-1",),
        expected=lambda _day: True,
        shifts_per_day=1,
        covariates=("degree_days",),
        kpi=KpiDefinition(id="oee", kind="ratio", better="higher", unit="part"),
    )


def plant() -> Observations:
    days = [FIRST + timedelta(days=number) for number in range(10)]
    products = tuple(
        Observation(
            "press-1", day, "day", "p", "imported", "previous", produced=100, inspected=100, rejected=5 + number % 3,
            coverage=1.0, audits=(AuditSample("previous", "PASS", 20, 1), AuditSample("previous", "FAIL", 5, 4)),
        )
        for number, day in enumerate(days)
    )  # fmt: skip
    lines = tuple(
        LineShift(
            "press-1", day, "day", "imported", planned_busy_s=28800.0, unplanned_stop_s=600.0 + number,
            unplanned_stops=2, planned_stop_s=0.0, energy_kwh=90.0 + number, labour_hours=24.0,
            covariates=(Amount("degree_days", 3.0 + number),), kpis=(KpiCount("oee", 80.0 - number, 100.0),),
        )
        for number, day in enumerate(days)
    )  # fmt: skip
    return Observations(products, lines, ())


def first_line(found: Observations, **changes: object) -> Observations:
    changed = msgspec.structs.replace(found.line_shifts[0], **changes)
    return msgspec.structs.replace(found, line_shifts=(changed, *found.line_shifts[1:]))


def first_product(found: Observations, **changes: object) -> Observations:
    changed = msgspec.structs.replace(found.products[0], **changes)
    return msgspec.structs.replace(found, products=(changed, *found.products[1:]))


def moved(changed: Observations) -> set[str]:
    """Measures whose baseline another row of data changes."""
    return {
        measure
        for measure in MEASURES
        if data_digest(plant(), scope(measure), PERIOD) != data_digest(changed, scope(measure), PERIOD)
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (first_line(plant(), planned_stop_s=660.0, planned_stops=1), {"downtime", "maintenance"}),
        (first_line(plant(), unplanned_stop_s=660.0), {"downtime", "maintenance"}),
        (first_line(plant(), energy_kwh=0.0), {"energy"}),
        (first_line(plant(), labour_hours=0.0), {"labour"}),
        (first_line(plant(), kpis=(KpiCount("oee", 1.0, 100.0), KpiCount("other", 2.0, 3.0))), {"kpi"}),
        (first_line(plant(), kpis=(KpiCount("oee", 80.0, 100.0), KpiCount("other", 2.0, 3.0))), set()),
        (first_line(plant(), covariates=(Amount("degree_days", 4.0),)), set(MEASURES)),
        (first_product(plant(), rejected=6), {"defects", "inspection"}),
        (first_product(plant(), produced=101), {"energy", "labour"}),
        (first_product(plant(), audits=()), {"defects", "inspection"}),
        (first_product(plant(), late_rejects=1), {"inspection"}),
        (first_product(plant(), escapes=3, scrap=2, origin="measured"), set()),
    ],
)
def test_only_the_measures_that_read_it_see_a_change(changed: Observations, expected: set[str]) -> None:
    assert moved(changed) == expected


def test_a_row_that_says_nothing_to_a_measure_is_not_its_data() -> None:
    found = plant()
    stop = LineShift("press-1", FIRST, "night", "measured", planned_stop_s=60.0, planned_stops=1)
    seen = Observation("press-1", FIRST, "night", "q", "measured", "ai", coverage=1.0, kpis=(KpiCount("x", 1.0, 2.0),))
    changed = msgspec.structs.replace(found, products=(*found.products, seen), line_shifts=(*found.line_shifts, stop))
    assert moved(changed) == {"downtime", "maintenance"}


def test_what_moves_a_panel_moves_its_hash() -> None:
    """Every quantity of every row, one after the other: where the panel is another one, so is the hash."""
    found, panels = plant(), 0
    changes = [
        first_line(found, **{name: 1.0}) for name in LineShift.__struct_fields__ if name.endswith(("_s", "h", "_hours"))
    ]
    changes += [
        first_product(found, **{name: 1}) for name in ("produced", "inspected", "rejected", "reviewed", "escapes")
    ]
    for changed in changes:
        for measure in MEASURES:
            before, after = (panel_of(one, scope(measure), PERIOD, "previous") for one in (found, changed))
            if before.outcome.tolist() != after.outcome.tolist() or before.exposure.tolist() != after.exposure.tolist():
                panels += 1
                assert measure in moved(changed)
    assert panels >= 8  # stops, busy time, energy, hours, units, parts: most of them seen twice


def test_the_hash_of_whole_rows_still_holds() -> None:
    found, one = plant(), scope("labour")
    older = whole_rows_digest(found, one, PERIOD)
    assert data_unchanged(older, found, one, PERIOD)
    assert not data_unchanged(older, first_line(found, labour_hours=1.0), one, PERIOD)
    assert data_unchanged(data_digest(found, one, PERIOD), first_product(found, rejected=1), one, PERIOD)


def test_every_field_is_one_of_the_rows() -> None:
    assert {name for names in OF_PRODUCTS.values() for name in names} <= set(Observation.__struct_fields__)
    assert {name for names in OF_LINES.values() for name in names} <= set(LineShift.__struct_fields__)
    assert OF_PRODUCTS.keys() | OF_LINES.keys() | {"kpi"} == set(MEASURES)
