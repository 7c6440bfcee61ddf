"""One benefit line's data goes wrong in thirty ways: the others are measured as before, to the last bit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

import roi_tracker
from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, Unfitted, fit_baseline
from roi_tracker.business_case import parse_case
from roi_tracker.ledger.books import Books
from roi_tracker.ledger.harm import Harm
from roi_tracker.observations.rows import AuditSample, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof import proving
from roi_tracker.proof.proving import NotProven, Realized, prove, reporting_so_far, scope_of
from roi_tracker.realization.activity import Activity
from roi_tracker.realization.realized import Surroundings, realize

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.proof.proving import Proof

BAD = "press-9"
FROZEN_AT = datetime(2025, 7, 2, tzinfo=UTC)
Row = Any


def _set(**values: Any) -> Callable[[Row, int], Row]:
    return lambda row, _: msgspec.structs.replace(row, **values)


def _every(step: int, **values: Any) -> Callable[[Row, int], Row]:
    return lambda row, number: msgspec.structs.replace(row, **values) if number % step == 0 else row


def _same(row: Row, _: int) -> Row:
    return row


def _none(_: Row, __: int) -> None:
    return None


def _keep(step: int) -> Callable[[Row, int], Row | None]:
    return lambda row, number: row if number % step == 0 else None


def _day_one(row: Row, number: int) -> Row | None:
    return row if number < 3 else None


def _separated(row: Row, _: int) -> Row:
    """Nothing on one product, everything on the other."""
    parts = row.inspected or 0
    return msgspec.structs.replace(row, rejected=parts if row.product.endswith("b") else 0, audits=())


def _named_by_row(row: Row, number: int) -> Row:
    return msgspec.structs.replace(row, product=f"p{number % 30}")


def _audits(found: int) -> Callable[[Row, int], Row]:
    def change(row: Row, _: int) -> Row:
        audits = tuple(AuditSample(one.inspector, one.stratum, one.audited, found) for one in row.audits)
        return msgspec.structs.replace(row, audits=audits)

    return change


def _one_shift(row: Row, _: int) -> Row | None:
    return row if row.shift == "night" else None


PRODUCTS: dict[str, Callable[[Row, int], Row | None]] = {
    "products gone": _none,
    "one day only": _day_one,
    "a row in forty": _keep(40),
    "one shift only": _one_shift,
    "nothing produced": _set(produced=0, inspected=0, rejected=0),
    "nothing rejected": _set(rejected=0),
    "all rejected": lambda row, _: msgspec.structs.replace(row, rejected=row.inspected),
    "more rejected than inspected": lambda row, _: msgspec.structs.replace(row, rejected=2 * (row.inspected or 0)),
    "negative rejects": _set(rejected=-5),
    "perfect separation": _separated,
    "thirty new products": _named_by_row,
    "no audits": _set(audits=()),
    "audits that find more than they look at": _audits(10_000),
    "audits that find less than nothing": _audits(-3),
    "counts unknown": _set(inspected=None, rejected=None),
    "counts beyond reason": _every(7, inspected=10**15, rejected=10**14),
    "counts that are no number": _every(50, rejected=math.nan),
    "infinite counts": _every(50, inspected=math.inf),
    "another product's name is empty": _set(product=""),
}
SHIFTS: dict[str, Callable[[Row, int], Row | None]] = {
    "shifts gone": _none,
    "one shift row": _day_one,
    "no planned time": _set(planned_busy_s=0.0),
    "negative planned time": _set(planned_busy_s=-3600.0),
    "planned time that is no number": _every(9, planned_busy_s=math.nan),
    "stops that are no number": _every(9, unplanned_stop_s=math.nan),
    "infinite stops": _every(9, unplanned_stop_s=math.inf),
    "no stops": _set(unplanned_stop_s=0.0),
    "stops never vary": _set(planned_busy_s=28_800.0, unplanned_stop_s=360.0),
    "negative stops": _set(unplanned_stop_s=-360.0),
    "stops beyond reason": _every(11, unplanned_stop_s=1e300),
    "labour unknown": _set(labour_hours=None),
    "labour that is no number": _every(5, labour_hours=math.nan),
    "labour beyond reason": _every(5, labour_hours=1e308),
}
WAYS = {**{name: (change, _same) for name, change in PRODUCTS.items()}, **{n: (_same, c) for n, c in SHIFTS.items()}}


def moved(rows: tuple[Any, ...], line: str) -> tuple[Any, ...]:
    return tuple(msgspec.structs.replace(row, line=line) for row in rows)


def corrupted(rows: tuple[Any, ...], change: Callable[[Row, int], Row | None]) -> tuple[Any, ...]:
    changed = (change(row, number) for number, row in enumerate(rows))
    return tuple(row for row in changed if row is not None)


@pytest.fixture(scope="module")
def good(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(defect_factor=0.7, stop_factor=0.75, seed=11)).observations
    return found


@pytest.fixture(scope="module")
def other(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(defect_factor=0.7, stop_factor=0.75, seed=12)).observations
    return Observations(moved(found.products, BAD), moved(found.line_shifts, BAD), ())


def example() -> BusinessCase:
    return parse_case(
        (Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml").read_text("utf-8"), "yaml"
    )


def twice(case: BusinessCase) -> BusinessCase:
    """The case's three lines, and before them the same again on a second production line."""
    again = tuple(line.model_copy(update={"id": f"{line.id}-bad", "lines": (BAD,)}) for line in case.benefits)
    return case.model_copy(update={"benefits": (*again, *case.benefits)})


def together(one: Observations, two: Observations) -> Observations:
    return Observations(one.products + two.products, one.line_shifts + two.line_shifts, ())


def fitted(case: BusinessCase, observations: Observations) -> dict[str, FittedBaseline | Unfitted]:
    calendar = ShiftCalendar(case.plant)
    return {line.id: fit_baseline(case, line, observations, scope_of(line, calendar)) for line in case.benefits}


def frozen(made: dict[str, FittedBaseline | Unfitted]) -> dict[str, FrozenBaseline]:
    return {n: FrozenBaseline(one, one.sha256, FROZEN_AT) for n, one in made.items() if isinstance(one, FittedBaseline)}


def measured(case: BusinessCase, observations: Observations, held: dict[str, FrozenBaseline]) -> dict[str, Proof]:
    calendar = ShiftCalendar(case.plant)
    return {line.id: prove(case, line, observations, calendar, held.get(line.id)) for line in case.benefits}


@pytest.fixture(scope="module")
def held(good: Observations, other: Observations) -> dict[str, FrozenBaseline]:
    """Baselines frozen before anything went wrong, and what they measured."""
    return frozen(fitted(twice(example()), together(good, other)))


@pytest.mark.parametrize("way", WAYS)
def test_the_other_lines_are_measured_to_the_last_bit(
    way: str, good: Observations, other: Observations, held: dict[str, FrozenBaseline]
) -> None:
    change_products, change_shifts = WAYS[way]
    case = twice(example())
    ours = [line.id for line in example().benefits]
    wrong = Observations(corrupted(other.products, change_products), corrupted(other.line_shifts, change_shifts), ())
    whole, damaged = together(good, other), together(good, wrong)
    expected, found = measured(case, whole, held), measured(case, damaged, held)
    assert msgspec.json.encode([expected[name] for name in ours]) == msgspec.json.encode([found[name] for name in ours])
    again = fitted(case, damaged)
    for name in ours:
        one = again[name]
        assert isinstance(one, FittedBaseline)
        assert one.sha256 == held[name].sha256
    for name, proof in measured(case, damaged, frozen(again)).items():
        if isinstance(proof, Realized):
            assert math.isfinite(proof.estimate.low), name
        else:
            assert proof.reason != "rules_failed" or proof.failed, name
    period = reporting_so_far(case, damaged)
    around = Surroundings(Books(), Harm((), ()), Activity(damaged), (), None)
    told = realize(case, tuple(found.values()), period, ShiftCalendar(case.plant).expected, around)
    assert {line.benefit_id for line in told.lines} == set(found)


def test_what_cannot_be_computed_is_refused_with_its_reason(good: Observations) -> None:
    """Two shifts of 1e300 seconds stopped: their square is no number any more."""
    case = example()
    held = frozen(fitted(case, good))
    last = case.periods.reporting.last
    rows = corrupted(good.line_shifts, lambda row, _: _set(unplanned_stop_s=1e300)(row, 0) if row.day == last else row)
    proof = measured(case, msgspec.structs.replace(good, line_shifts=rows), held)[case.benefits[1].id]
    assert isinstance(proof, NotProven)
    told = next(rule for rule in proof.failed if rule.rule == "computed")
    assert (told.period, told.disqualifies) == ("reporting", True)
    assert "low = nan" in str(told.evidence[0].value)


def test_a_baseline_that_cannot_be_computed_says_so_before_and_after_the_freeze(good: Observations) -> None:
    case = example()
    rows = corrupted(good.line_shifts, _every(11, unplanned_stop_s=1e300))
    damaged = msgspec.structs.replace(good, line_shifts=rows)
    line = case.benefits[1]
    unfitted = fitted(case, damaged)[line.id]
    assert isinstance(unfitted, Unfitted)
    assert [rule.rule for rule in unfitted.checks if not rule.passed][-1] == "computed"
    proof = measured(case, damaged, {})[line.id]
    assert isinstance(proof, NotProven)
    assert (proof.reason, [rule.rule for rule in proof.failed]) == ("rules_failed", ["computed"])


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_data(
    good: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TypeError

    monkeypatch.setattr(proving, "panel_of", broken)
    case = example()
    with pytest.raises(TypeError):
        measured(case, good, frozen(fitted(case, good)))
    monkeypatch.setattr(proving, "panel_of", _singular)
    for proof in measured(case, good, frozen(fitted(case, good))).values():
        assert isinstance(proof, NotProven)
        assert proof.failed[0].evidence[0].value == "LinAlgError: Singular matrix"


def _singular(*_: object) -> None:
    raise np.linalg.LinAlgError("Singular matrix")
