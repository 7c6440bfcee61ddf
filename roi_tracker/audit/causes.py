"""Hypotheses on why a printed figure differs, from the most to the least specific; each is tested on the digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi_tracker.audit.findings import Cause
from roi_tracker.audit.likenesses import (
    label_mismatches,
    lines_twice_or_missing,
    other_bases,
    other_conventions,
    other_discounting,
    price_bases,
    swapped_years,
    without_growth,
    wrong_years,
)
from roi_tracker.audit.relations import relations
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from roi_tracker.audit.expectation import Expectations, Expected
    from roi_tracker.audit.statements import Book, Statement

_SLIPS = (10.0, 100.0, 1_000.0, 1e4, 1e6, 1e8)
_MULTIPLIERS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_SURCHARGES = (1.1, 1.2, 1.25, 1.5)
"""Value added tax and the usual on-costs; told from chance by four digits."""
_PRECISE = 0.02
"""Relative rounding beyond which digits say too little to test a hypothesis on: 0.6 is 0.55 to 0.65."""
_EXACT = 0.006
"""The same for hypotheses that would fit by chance: three digits, 10.0 is 9.95 to 10.05."""
_SCARCE = 0.001
"""The same for paybacks, which lie within a few years whatever was done wrong."""
_SHORTEST_SERIES = 3


@dataclass(frozen=True)
class Suspect:
    """A printed figure that does not follow from the inputs, and what to hold it against.

    Attributes:
        bases: (value, tolerance): as computed from inputs, then as expected from printed parts.
    """

    book: Book
    expectations: Expectations
    statement: Statement
    computed: float | None
    expected: tuple[Expected, ...]

    @property
    def bases(self) -> list[tuple[float, float]]:
        """What the print is held against, each with how far it may itself be off."""
        found = [] if self.computed is None else [(self.computed, 0.0)]
        return found + [(one.value, one.tolerance) for one in self.expected]

    @property
    def exact(self) -> bool:
        """Whether enough digits are printed to tell many hypotheses apart."""
        return self.statement.digits <= _EXACT

    def fits(self, value: float, tolerance: float = 0.0) -> bool:
        """Whether a hypothesis gives the printed digits."""
        size = max(abs(self.statement.value), 1e-300)
        return tolerance <= _PRECISE * size and self.statement.matches(value, tolerance)


Rule = Callable[[Suspect], Iterator[Cause]]


def causes(suspect: Suspect) -> tuple[Cause, ...]:
    """Every hypothesis that fits, the likeliest first; empty when none does."""
    found: dict[str, Cause] = {}
    for rule in _RULES:
        if suspect.statement.digits > _PRECISE and rule not in (_impossible_rate, _unit_slip, _against_flows):
            continue
        for cause in rule(suspect):
            found.setdefault(cause.family, cause)
    return tuple(found.values())


def _impossible_rate(suspect: Suspect) -> Iterator[Cause]:
    name, _ = split_address(suspect.statement.address)
    figure = suspect.book.computed.get(suspect.statement.address)
    reason = suspect.book.reason(suspect.statement.address)
    if name.endswith(".irr"):
        own = _own_flows(suspect, name.removesuffix(".irr"))
        if (figure is not None and figure.value is None and reason) or (own and (min(own) >= 0 or max(own) <= 0)):
            yield Cause("irr_cannot_exist", "irr_cannot_exist", "" if not own else "printed_flows")
    elif name.endswith((".payback_years", ".payback_months")) and not name.startswith("alternatives."):
        own = _own_flows(suspect, name.rpartition(".")[0])
        if reason in {"never", "no_outlay"} or own:
            yield Cause("payback_against_flows", "payback_against_flows", reason)
    elif figure is not None and figure.value is None and reason == "never":
        yield Cause("break_even_cannot_exist", "break_even_cannot_exist")


def _own_flows(suspect: Suspect, scenario: str) -> list[float]:
    """The flows a scenario prints, where they are not the flows its inputs give; capital is then inside them."""
    book = suspect.book
    addresses = [f"{scenario}.net_flow[{year}]" for year in book.case.years]
    printed = [book.statements[one][0] for one in addresses if one in book.statements]
    if len(printed) != len(addresses) or f"{scenario}.net_flow[t0]" in book.statements:
        return []
    right = [book.value(one.address) for one in printed]
    if all(value is not None and one.matches(value) for one, value in zip(printed, right, strict=True)):
        return []
    return [one.value for one in printed]


def _unit_slip(suspect: Suspect) -> Iterator[Cause]:
    if not suspect.statement.value:
        return  # a printed zero is no multiple of anything
    for value, tolerance in suspect.bases:
        for slip in _SLIPS:
            if value and suspect.fits(value * slip, tolerance * slip):
                yield Cause(f"unit_slip_x{slip:.0f}", "unit_slip", f"{slip:.0f}")
            if value and suspect.fits(value / slip, tolerance / slip):
                yield Cause(f"unit_slip_x{1 / slip:g}", "unit_slip", f"{1 / slip:g}")


def _sign(suspect: Suspect) -> Iterator[Cause]:
    for value, tolerance in suspect.bases:
        if value and suspect.fits(-value, tolerance):
            yield Cause("sign_reversed", "sign_reversed")


def _month_for_year(suspect: Suspect) -> Iterator[Cause]:
    for value, tolerance in suspect.bases:
        for factor in (12.0, 1 / 12):
            if value and suspect.fits(value * factor, tolerance * factor):
                yield Cause("period_slip_x12" if factor > 1 else "period_slip_x1_12", "period_slip", f"{factor:.4g}")


def _multiplier(suspect: Suspect) -> Iterator[Cause]:
    ratio = _common_ratio(suspect)
    if ratio is not None:
        if ratio not in _SLIPS:
            yield Cause(f"unstated_multiplier_x{ratio:.4g}", "unstated_multiplier", f"{ratio:.4g}")
        return
    if not suspect.exact:
        return
    for value, tolerance in suspect.bases:
        yield from _multiplied(suspect, (value, tolerance), _MULTIPLIERS)


def _surcharge(suspect: Suspect) -> Iterator[Cause]:
    """A usual surcharge, where no other figure of the plan has these digits."""
    if suspect.statement.digits <= _SCARCE:
        for base in suspect.bases:
            yield from _multiplied(suspect, base, _SURCHARGES)


def _multiplied(suspect: Suspect, base: tuple[float, float], factors: tuple[float, ...]) -> Iterator[Cause]:
    value, tolerance = base
    for factor in factors:
        for by in (factor, 1 / factor):
            if value and suspect.fits(value * by, tolerance * by):
                yield Cause(f"unstated_multiplier_x{by:.4g}", "unstated_multiplier", f"{by:.4g}")


def _common_ratio(suspect: Suspect) -> float | None:
    """The one factor between every year printed and computed, where a series has one."""
    book = suspect.book
    name, index = split_address(suspect.statement.address)
    if index is None:
        return None
    rows = [(one, book.value(one.address)) for y in book.case.years for one in book.statements.get(f"{name}[{y}]", [])]
    pairs = [(one, value) for one, value in rows if value]
    if len(pairs) < _SHORTEST_SERIES or len(pairs) < len(rows):
        return None
    best = min(pairs, key=lambda pair: pair[0].digits)
    ratio = round(best[0].value / (best[1] or 1.0), 6)
    simplest = (round(ratio, places) for places in range(4))
    return next(
        (
            near
            for near in simplest
            if near not in (0.0, 1.0) and all(one.matches((value or 0.0) * near) for one, value in pairs)
        ),
        None,
    )


def _exchanged(suspect: Suspect) -> Iterator[Cause]:
    """Two years that stand in each other's place; told by both prints, so few digits are enough."""
    for one in swapped_years(suspect.book, suspect.statement.address):
        if suspect.fits(one.value):
            yield one.cause


def _parts(suspect: Suspect) -> Iterator[Cause]:
    """A part of a sum counted twice, or left out."""
    if not suspect.exact:
        return
    address = suspect.statement.address
    for relation in relations(suspect.book, address):
        if not relation.additive:
            continue
        for part in relation.parents:
            for one in suspect.expectations.plan_values(part)[:2]:
                if not one.value:
                    continue
                for value, tolerance in suspect.bases:
                    if suspect.fits(value + one.value, tolerance + one.tolerance):
                        yield Cause("double_count", "double_count", part)
                    if suspect.fits(value - one.value, tolerance + one.tolerance):
                        yield Cause("omitted_part", "omitted_part", part)


_LIKENESSES = (
    lines_twice_or_missing,
    without_growth,
    other_discounting,
    label_mismatches,
    other_bases,
    price_bases,
    other_conventions,
    wrong_years,
)


def _against_flows(suspect: Suspect) -> Iterator[Cause]:
    """A payback that its flows do not give, where nothing else explains it."""
    name, _ = split_address(suspect.statement.address)
    if name.endswith((".payback_years", ".payback_months")) and name.startswith("scenarios."):
        yield Cause("payback_against_flows", "payback_against_flows")


def _likeness(suspect: Suspect) -> Iterator[Cause]:
    if suspect.statement.address.endswith(("payback_years", "payback_months")) and suspect.statement.digits > _SCARCE:
        return
    if not suspect.exact and not suspect.statement.address.startswith("benchmarks."):
        return
    for likeness in _LIKENESSES:
        hits = [
            one.cause
            for one in likeness(suspect.book, suspect.expectations, suspect.statement.address)
            if suspect.fits(one.value, one.tolerance)
        ]
        yield from hits
        if hits:
            return


_RULES: tuple[Rule, ...] = (
    _impossible_rate,
    _unit_slip,
    _sign,
    _month_for_year,
    _exchanged,
    _parts,
    _multiplier,
    _likeness,
    _surcharge,
    _against_flows,
)
