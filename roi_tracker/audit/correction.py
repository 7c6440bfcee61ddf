"""The plan with its recomputable errors replaced; what only its author can settle stays as printed."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from roi_tracker.audit.contradictions import is_input
from roi_tracker.audit.statements import Book

if TYPE_CHECKING:
    from roi_tracker.audit.statements import Statement
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.case.stated import StatedFigure


def corrected_case(case: BusinessCase) -> BusinessCase:
    """A case whose statements follow from its inputs, to the digits it prints.

    A figure that does not exist loses its value; an input said otherwise elsewhere, and a figure that the case gives
    nothing to compute from, keep what is printed.
    """
    book = Book(case)
    stated: list[StatedFigure] = list(book.unknown)
    for address, statements in book.statements.items():
        for one in statements:
            figure = book.computed.get(address)
            if is_input(book, address) or figure is None or (figure.value is None and not book.reason(address)):
                stated.append(one.source)
            elif figure.value is None:
                stated.append(one.source.model_copy(update={"value": None, "note": book.reason(address)}))
            else:
                stated.append(one.source.model_copy(update={"value": _printed(one, figure.value)}))
    return case.model_copy(update={"stated": tuple(stated)})


def _printed(one: Statement, value: Decimal) -> Decimal:
    step = one.source.rounding * 2
    return (value / Decimal(repr(one.factor))).quantize(step.normalize() if step < 1 else Decimal(1), ROUND_HALF_EVEN)
