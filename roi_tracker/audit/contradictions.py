"""What a plan says twice and differently, and what it declares and never uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.audit.findings import Cause, FindingKind
from roi_tracker.audit.statements import Statement
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.audit.statements import Book


class Doubt(msgspec.Struct, frozen=True):
    """A finding before it is worded; values in base units.

    Attributes:
        first: what is said in one place, with `statement` where it is printed.
        second: what is said in the other, or what the inputs give.
    """

    address: str
    kind: FindingKind
    first: float | None
    second: float | None
    cause: Cause
    statement: Statement | None = None


def doubts(book: Book) -> Iterator[Doubt]:
    """Every contradiction and everything declared for nothing."""
    yield from _said_twice(book)
    yield from _inputs_said_otherwise(book)
    yield from _phasing(book)
    yield from _rules_beside_lines(book)
    yield from _break_even_against_scenarios(book)
    yield from _outdated(book)
    yield from _unused(book)


def is_input(book: Book, address: str) -> bool:
    """Whether an address is of something given, which no computation can correct."""
    name, _ = split_address(address)
    return name in book.case.assumptions or name.startswith(("conventions.", "capex.phased"))


def _said_twice(book: Book) -> Iterator[Doubt]:
    for address, statements in book.statements.items():
        first, *others = statements
        kept = [first]
        for one in others:
            if any(abs(one.value - known.value) <= one.tolerance + known.tolerance for known in kept):
                continue
            kept.append(one)
            where = f"{first.source.where or '-'} | {one.source.where or '-'}"
            yield Doubt(
                address, "contradiction", first.value, one.value, Cause("said_twice", "said_twice", where), first
            )


def _inputs_said_otherwise(book: Book) -> Iterator[Doubt]:
    for address, statements in book.statements.items():
        value = book.value(address)
        if not is_input(book, address) or value is None:
            continue
        for one in statements:
            if not one.matches(value):
                family = "wrong_base_year" if address == "conventions.base_year" else "contradicts_input"
                yield Doubt(address, "contradiction", one.value, value, Cause(family, family), one)


def _phasing(book: Book) -> Iterator[Doubt]:
    phasing = book.case.capex_phasing
    phased, total = book.value("capex.phased.total"), book.value("capex.total")
    if phasing is None or phasing.unit in {"ratio", "%"} or phased is None or total is None:
        return
    digits = max(float(value.as_tuple().exponent) for value in phasing.value)
    step = float(10**digits) * (phased / float(sum(phasing.value)))
    if abs(phased - total) > step * len(phasing.value) / 2:
        yield Doubt(
            "capex.phased.total",
            "contradiction",
            phased,
            total,
            Cause("contradicts_parts", "contradicts_parts", "capex.total"),
        )


def _rules_beside_lines(book: Book) -> Iterator[Doubt]:
    """A calculation that feeds no line but carries a line's name: the plan's rule for it, beside what it plans."""
    used = book.model.used()
    for name in book.case.calculations:
        first = name.split(".", maxsplit=1)[0]
        if name in used or first == name:
            continue
        for group in ("capex", "opex"):
            line = f"{group}.{first}"
            index = f"[{book.case.years[0]}]" if group == "opex" else ""
            planned, rule = book.value(f"{line}{index}"), book.value(f"{name}[{book.case.years[0]}]")
            if planned is None or rule is None:
                continue
            if abs(planned - rule) > 0.005 * max(abs(planned), abs(rule)):
                yield Doubt(line, "contradiction", planned, rule, Cause("contradicts_rule", "contradicts_rule", name))


def _break_even_against_scenarios(book: Book) -> Iterator[Doubt]:
    """A break-even above a scenario that still earns, or below one that loses, by the plan's own print."""
    right = book.value("break_even.overall_achievement")
    for one in book.statements.get("break_even.overall_achievement", []):
        if right is not None and one.matches(right):
            continue  # the scenario's figure is wrong then, and found as such
        for scenario in type(book.case.scenarios).model_fields:
            share = getattr(book.case.scenarios, scenario)
            ratio = float(share.benefits) / float(share.costs or 1)
            for npv in book.statements.get(f"scenarios.{scenario}.npv", [])[:1]:
                if (npv.value > npv.tolerance and one.value - one.tolerance > ratio) or (
                    npv.value < -npv.tolerance and one.value + one.tolerance < ratio
                ):
                    yield Doubt(
                        one.address,
                        "contradiction",
                        one.value,
                        ratio,
                        Cause("contradicts_scenario", "contradicts_scenario", scenario),
                        one,
                    )


def _outdated(book: Book) -> Iterator[Doubt]:
    """What the plan counts with though it stopped to hold before the plan begins."""
    start, unused = book.case.start_date, book.model.unused()
    ends = {name: one.assumption.valid_to for name, one in book.model.inputs.items() if name not in unused}
    for line in book.case.benefits:
        address = f"benefits.{line.id}.unit_value"
        if line.stated_unit_value is not None and address in book.model.inputs:
            ends[address] = line.stated_unit_value.valid_to
    firsts = {name: float(book.model.inputs[name].values[0]) for name in ends}
    ends["discount_rate"], firsts["discount_rate"] = book.case.discount_rate.valid_to, float(book.case.rate)
    for name, end in ends.items():
        if end is not None and end < start:
            cause = Cause("outdated", "outdated", f"{end} < {start}")
            yield Doubt(name, "contradiction", firsts[name], None, cause)


def _unused(book: Book) -> Iterator[Doubt]:
    case = book.case
    for name in book.model.unused():
        yield Doubt(name, "declared_unused", book.value(f"{name}[{case.years[0]}]"), None, Cause("unused", "unused"))
    conventions = case.conventions
    if conventions.inflation is not None and conventions.discount_basis is None:
        value = float(case.money(conventions.inflation))
        yield Doubt("conventions.inflation", "declared_unused", value, None, Cause("unused", "unused"))
    undecided = "headline" not in conventions.model_fields_set
    if conventions.tax is not None and undecided:
        value = float(case.money(conventions.tax.rate))
        yield Doubt("conventions.tax", "declared_unused", value, None, Cause("before_tax", "before_tax"))
    if case.contingency is not None and case.contingency.included is None:
        value = float(case.money(case.contingency.ratio))
        yield Doubt("contingency", "declared_unused", value, None, Cause("contingency_open", "contingency_open"))
