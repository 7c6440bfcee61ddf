"""Formulas and units checked while lines and cells are still known: unknown names, circles, what is no arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.case.dimensions import wrong_dimensions
from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError
from roi_tracker.formulas import in_order, parse_formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.case.assumptions import Assumption
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.case.units import UnitKind
    from roi_tracker.formulas import Formula

Path = tuple[str | int, ...]


def broken_formula(case: BusinessCase) -> tuple[Path, CaseError] | None:
    """The first formula or unit that cannot be computed, where it stands, and why; None when all can."""
    checks = (_foreign_units, _unmeant_units, _broken_formulas, wrong_dimensions)
    return next((found for check in checks for found in check(case)), None)


def located(error: CaseError, place: str) -> CaseError:
    """The same error, naming its line or cell."""
    return CaseError(
        f"the case cannot be used: {place}: {error.args[0]}", field=error.field, value=error.value, hint=error.hint
    )


def _foreign_units(case: BusinessCase) -> Iterator[tuple[Path, CaseError]]:
    places: list[tuple[Path, str]] = [(("assumptions", name), one.unit) for name, one in case.assumptions.items()]
    places += [(("calculations", name), one.unit) for name, one in case.calculations.items()]
    for group, lines in (("capex", case.capex), ("opex_per_year", case.opex_per_year)):
        places += [
            ((group, index, "amount"), line.planned.unit)
            for index, line in enumerate(lines)
            if line.planned is not None
        ]
    for at, other in enumerate(case.alternatives):
        for key in ("capex", "opex_per_year", "benefit_per_year"):
            one = getattr(other, key)
            places += [(("alternatives", at, key), one.unit)] if one is not None else []
    places += [(("stated", index), one.unit) for index, one in enumerate(case.stated) if one.unit is not None]
    for path, unit in places:
        try:
            unit_meaning(unit, case.currency)
        except CaseError as error:
            yield (*path, "unit"), error


def _unmeant_units(case: BusinessCase) -> Iterator[tuple[Path, CaseError]]:
    """Amounts whose unit is no money, and shares whose unit is no ratio."""
    amounts: list[tuple[Path, Assumption | None, UnitKind]] = []
    for group in ("capex", "opex_per_year"):
        amounts += [((group, at, "amount"), line.planned, "money") for at, line in enumerate(getattr(case, group))]
    for at, other in enumerate(case.alternatives):
        for key in ("capex", "opex_per_year", "benefit_per_year"):
            amounts.append((("alternatives", at, key), getattr(other, key), "money"))
    for key in ("sales", "cost_of_sales", "operating_expense", "total_assets", "equity"):
        amounts.append((("financials", key), getattr(case.financials, key, None), "money"))
    for at, line in enumerate(case.benefits):
        amounts.append((("benefits", at, "reduction_ratio"), line.reduction_ratio, "ratio"))
    amounts.append((("achievement",), case.achievement, "ratio"))
    for path, one, kind in amounts:
        if one is not None and unit_meaning(one.unit, case.currency).kind != kind:
            field = ".".join(str(part) for part in (*path, "unit"))
            right = f"{case.currency}, thousand {case.currency}, ..." if kind == "money" else "ratio or %"
            error = CaseError(f"{one.unit!r} is no unit of {kind}", field=field, value=one.unit, hint=f"write {right}")
            yield (*path, "unit"), error


def _broken_formulas(case: BusinessCase) -> Iterator[tuple[Path, CaseError]]:
    known = {*case.assumptions, *case.calculations}
    calculations: dict[str, Formula] = {}
    for path, field, text in _formulas(case):
        try:
            formula = parse_formula(text, field)
        except CaseError as error:
            yield path, error
            continue
        for name in formula.names:
            if name not in known:
                yield path, unknown_name(name, known, field, text)
        if path[0] == "calculations":
            calculations[str(path[1])] = formula
    try:
        in_order(calculations)
    except CaseError as error:
        name = (error.field or "").removeprefix("calculations.")
        yield ("calculations", name, "formula"), error


def _formulas(case: BusinessCase) -> Iterator[tuple[Path, str, str]]:
    for name, one in case.calculations.items():
        yield ("calculations", name, "formula"), f"calculations.{name}", one.formula
    for group in ("benefits", "opex_per_year", "capex"):
        for index, line in enumerate(getattr(case, group)):
            if line.formula is not None:
                yield (group, index, "formula"), f"{group}.{line.id}.formula", line.formula


def unknown_name(name: str, known: set[str], owner: str, text: str) -> CaseError:
    """The error of a formula that uses a name nobody states, with the nearest one that is stated."""
    import difflib  # noqa: PLC0415 - only for a message

    near = difflib.get_close_matches(name, sorted(known), n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return CaseError(
        f"the formula of {owner!r} uses {name!r}, which is no assumption or calculation{meant}",
        field=owner,
        value=text,
        hint="state it under assumptions or calculations",
    )
