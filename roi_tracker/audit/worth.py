"""What believing a printed figure adds to the NPV of the realistic scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.appraisal.model import Change
from roi_tracker.appraisal.response import npv_response
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from roi_tracker.audit.statements import Book

_PRESENT_VALUES = {
    "scenarios.realistic.npv": 1.0,
    "scenarios.realistic.benefits_pv": 1.0,
    "benefits.counted.pv": 1.0,
    "scenarios.realistic.costs_pv": -1.0,
    "investment.pv": -1.0,
    "opex.pv": -1.0,
    "capex.pv": -1.0,
    "capex.total": -1.0,
}


def npv_effect(  # noqa: PLR0911 - one return a kind of address
    book: Book, address: str, stated: float
) -> float | None:
    """NPV with the statement in place of the computed figure, less the NPV from inputs; in the currency.

    None where the figure enters no NPV (a rate, a share, an undiscounted total).
    """
    value = book.value(address)
    if value is None:
        return None
    name, index = split_address(address)
    if address in _PRESENT_VALUES:
        return _PRESENT_VALUES[address] * (stated - value)
    if name in {"benefits.direct.pv", "benefits.indirect.pv", "benefits.all.pv"}:
        return stated - value
    labels = [str(year) for year in book.case.years]
    if not book.even:
        return None
    year = labels.index(index) if index in labels else None
    grouped = _group_effect(book, name, year, stated - value)
    if grouped is not None:
        return grouped
    variable = name.removesuffix(".saving") if name.startswith("benefits.") else name
    known = variable in book.model.used() or variable in book.model.inputs or variable in book.model.lines
    if not known or not value:
        return None
    factors = np.ones(book.case.period_count)
    per_year = book.case.periods_per_year
    factors[slice(None) if year is None else slice(year * per_year, (year + 1) * per_year)] = stated / value
    if variable.startswith("capex."):
        factors = factors[:1]
    moved = npv_response(book.model, Change(factors={variable: factors}))
    return float(moved[0] - npv_response(book.model, Change())[0])


def _group_effect(book: Book, name: str, year: int | None, difference: float) -> float | None:
    """Flows of a year of groups of lines, or of the whole plan."""
    sign = {"scenarios.realistic.net_flow": 1.0, "benefits.counted": 1.0, "opex": -1.0}.get(name)
    if name in {"benefits.direct", "benefits.indirect", "benefits.all"}:
        sign = 1.0
    if sign is None or year is None:
        return None
    return sign * difference * book.weights[year]
