"""The audit of a plan: every printed figure recomputed from the inputs, and what is wrong explained."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.audit.causes import Suspect, causes
from roi_tracker.audit.contradictions import Doubt, doubts, is_input
from roi_tracker.audit.expectation import Expectations, Expected
from roi_tracker.audit.explanations import explanation
from roi_tracker.audit.findings import Audit, Beside, Cause, Consistent, Explanation, Finding, Severity
from roi_tracker.audit.statements import Book
from roi_tracker.audit.worth import npv_effect
from roi_tracker.case.stated import split_address
from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.audit.statements import Statement
    from roi_tracker.case.plan import BusinessCase

_CARRYING = ("unit_slip", "unstated_multiplier", "sign_reversed", "period_slip")
"""Causes that a figure shares with the one it follows from, when its own digits show the same."""
_HEADLINE = ("npv", "irr", "payback_years", "benefits_pv", "costs_pv", "roi", "profitability_index")
_LARGE, _NOTABLE = 0.10, 0.01
"""Deviations from which an error is severe, and worth attention."""


def audit(case: BusinessCase) -> Audit:
    """Recompute what a plan prints.

    Raises:
        CaseError: a formula cannot be computed, or a printed unit is foreign.
    """
    return _Auditor(Book(case)).run()


class _Auditor:
    def __init__(self, book: Book) -> None:
        self.book = book
        self.expectations = Expectations(book)
        self.wrong: dict[str, Cause] = {}
        self.display = float(UNIT_FACTORS[book.case.display_unit])

    def run(self) -> Audit:
        self._find_wrong()
        found: list[Finding] = []
        consistent: list[Consistent] = []
        unchecked = [self._no_value(one.id, one.where) for one in self.book.unknown]
        for address, statements in self.book.statements.items():
            if is_input(self.book, address):
                if self.book.value(address) is None:
                    unchecked.extend(self._unchecked(one) for one in statements)
                consistent.extend(self._consistent(one) for one in statements if self._agrees(one))
                continue
            for one in statements:
                if self._uncheckable(one):
                    unchecked.append(self._unchecked(one))
                elif self._agrees(one):
                    consistent.append(self._consistent(one))
                else:
                    found.append(self._error(one))
        found.extend(self._doubt(one) for one in doubts(self.book))
        return Audit(self.book.case.id, tuple(found), tuple(consistent), tuple(unchecked), tuple(self._beside()))

    def _find_wrong(self) -> None:
        """Addresses printed wrong in any place, before any of them is explained."""
        for address, statements in self.book.statements.items():
            if any(not self._uncheckable(one) and not self._agrees_with_inputs(one) for one in statements):
                self.wrong[address] = Cause("unexplained", "unexplained")
        for address in list(self.wrong):
            if all(self._agrees(one) for one in self.book.statements[address]):
                del self.wrong[address]

    def _uncheckable(self, one: Statement) -> bool:
        figure = self.book.computed.get(one.address)
        if figure is None:
            return not self.expectations.of(one.address)
        return figure.value is None and not self.book.reason(one.address) and not self.expectations.of(one.address)

    def _agrees_with_inputs(self, one: Statement) -> bool:
        value = self.book.value(one.address)
        if value is None and self.book.reason(one.address) == "no_outlay":
            return one.matches(0.0)  # nothing to pay back, printed as paid back at once
        return value is not None and one.matches(value)

    def _agrees(self, one: Statement) -> bool:
        """Whether a statement follows from the inputs, or from parts that do, their rounding tolerated."""
        if self._agrees_with_inputs(one):
            return True
        known = self.book.value(one.address) is not None or one.address not in self.book.computed
        return known and any(
            one.matches(expected.value, expected.tolerance)
            and not self._wrong_parents(expected)
            and self._legitimate(expected)
            for expected in self.expectations.of(one.address)
        )

    @staticmethod
    def _legitimate(expected: Expected) -> bool:
        """Not by a relation that itself is an inconsistency of the plan."""
        return expected.kind not in {"flow_as_phased", "flows_without_t0", "expense_of_before"}

    def _wrong_parents(self, expected: Expected) -> tuple[str, ...]:
        return tuple(one for one in expected.printed if one in self.wrong or self._input_said_otherwise(one))

    def _input_said_otherwise(self, address: str) -> bool:
        return is_input(self.book, address) and any(
            not self._agrees_with_inputs(one) for one in self.book.statements.get(address, [])
        )

    def _error(self, one: Statement) -> Finding:
        computed = self.book.value(one.address)
        expected = self.expectations.of(one.address)
        found = list(causes(Suspect(self.book, self.expectations, one, computed, expected)))
        cause, follows = self._chosen(one, found, expected)
        shown = explanation(
            cause.family,
            stated=one.value / one.factor,
            recomputed=None if computed is None else computed / one.factor,
            unit=one.unit,
            **({"reason": self.book.reason(one.address)} | self._places(cause, follows)),
        )
        also = tuple(other.code for other in found if other.family != cause.family)
        return self._finding(one, computed, cause, (follows, also), shown)

    def _chosen(  # noqa: PLR0911 - one return a kind of cause, in order of preference
        self, one: Statement, found: list[Cause], expected: tuple[Expected, ...]
    ) -> tuple[Cause, tuple[str, ...]]:
        if found and found[0].family == "irr_cannot_exist":
            return found[0], ()
        for candidate in expected:
            if not one.matches(candidate.value, candidate.tolerance):
                continue
            if candidate.kind == "flow_as_phased":
                return Cause("mixed_timing", "mixed_timing", "capital_as_phased"), self._wrong_parents(candidate)
            parents = self._wrong_parents(candidate)
            if parents:
                shared = next((cause for cause in found if cause.family in _CARRYING), None)
                return shared or Cause("carried_forward", "carried_forward"), parents
            if candidate.kind == "expense_of_before":
                return Cause("omitted_part", "omitted_part", "running cost and depreciation"), ()
        if found:
            return found[0], ()
        reason = self.book.reason(one.address)
        if reason:
            return Cause("does_not_exist", "does_not_exist", reason), ()
        return Cause("unexplained", "unexplained"), ()

    @staticmethod
    def _places(cause: Cause, follows: tuple[str, ...]) -> dict[str, str]:
        more = f" (+{len(follows) - 3})" if len(follows) > 3 else ""  # noqa: PLR2004 - three names are enough to read
        return {
            "detail": cause.detail,
            "parents": ", ".join(follows[:3]) + more,
        }

    def _finding(
        self,
        one: Statement,
        computed: float | None,
        cause: Cause,
        links: tuple[tuple[str, ...], tuple[str, ...]],
        shown: Explanation,
    ) -> Finding:
        effect = npv_effect(self.book, one.address, one.value)
        return Finding(
            id=one.address,
            kind="recomputable_error",
            stated=one.value / one.factor,
            recomputed=None if computed is None else computed / one.factor,
            ratio=one.value / computed if computed else None,
            unit=one.unit,
            cause=cause.code,
            detail=cause.detail,
            severity=self._severity(one, computed),
            npv_effect=None if effect is None else effect / self.display,
            where=one.source.where,
            label=one.source.label,
            follows_from=links[0],
            also=links[1],
            explanation=shown,
        )

    @staticmethod
    def _severity(one: Statement, computed: float | None) -> Severity:
        if computed is None or not computed:
            return "high"
        deviation = abs(one.value / computed - 1)
        return "high" if deviation >= _LARGE else "medium" if deviation >= _NOTABLE else "low"

    def _consistent(self, one: Statement) -> Consistent:
        value = self.book.value(one.address)
        shown = one.value if value is None else value
        return Consistent(one.address, one.value / one.factor, shown / one.factor, one.unit, one.source.where)

    def _unchecked(self, one: Statement) -> Finding:
        return self._bare(one.address, "no_counterpart", one.source.where, one.unit, one.value / one.factor)

    def _no_value(self, address: str, where: str | None) -> Finding:
        return self._bare(address, "no_value", where, "", None)

    @staticmethod
    def _bare(address: str, family: str, where: str | None, unit: str, stated: float | None) -> Finding:
        return Finding(
            id=address,
            kind="cannot_check",
            stated=stated,
            recomputed=None,
            ratio=None,
            unit=unit,
            cause=family,
            detail="",
            severity="low",
            npv_effect=None,
            where=where,
            label=None,
            follows_from=(),
            also=(),
            explanation=explanation(family, stated=stated, unit=unit),
        )

    def _doubt(self, doubt: Doubt) -> Finding:
        unit, factor = self._unit_of(doubt)
        stated = None if doubt.first is None else doubt.first / factor
        second = None if doubt.second is None else doubt.second / factor
        source = None if doubt.statement is None else doubt.statement.source
        return Finding(
            id=doubt.address,
            kind=doubt.kind,
            stated=stated,
            recomputed=second,
            ratio=doubt.first / doubt.second if doubt.first is not None and doubt.second else None,
            unit=unit,
            cause=doubt.cause.code,
            detail=doubt.cause.detail,
            severity="medium" if doubt.kind == "contradiction" else "low",
            npv_effect=self._doubt_effect(doubt),
            where=None if source is None else source.where,
            label=None if source is None else source.label,
            follows_from=(),
            also=(),
            explanation=explanation(
                doubt.cause.family, stated=stated, recomputed=second, unit=unit, detail=doubt.cause.detail
            ),
        )

    def _doubt_effect(self, doubt: Doubt) -> float | None:
        """What taking the other side would add to the NPV: the printed input, or the plan's own rule."""
        value = doubt.second if doubt.cause.family == "contradicts_rule" else doubt.first
        if value is None or doubt.cause.family not in {"contradicts_rule", "contradicts_input"}:
            return None
        effect = npv_effect(self.book, doubt.address, value)
        return None if effect is None else effect / self.display

    def _unit_of(self, doubt: Doubt) -> tuple[str, float]:
        if doubt.statement is not None:
            return doubt.statement.unit, doubt.statement.factor
        given, outdated = self.book.model.inputs.get(doubt.address), doubt.cause.family == "outdated"
        if given is not None and (outdated or doubt.kind == "declared_unused"):
            return given.assumption.unit, float(given.factor)
        if doubt.kind == "contradiction" and not outdated:
            return self.book.money_unit, self.display
        return "ratio", 1.0

    def _beside(self) -> Iterator[Beside]:
        for address, statements in self.book.statements.items():
            name, index = split_address(address)
            figure = self.book.computed.get(address)
            if index is not None or figure is None or name.rsplit(".", maxsplit=1)[-1] not in _HEADLINE:
                continue
            if name.startswith("scenarios."):
                one = statements[0]
                value = None if figure.value is None else float(figure.value / Decimal(repr(one.factor)))
                yield Beside(address, one.value / one.factor, value, one.unit, figure.reason)
