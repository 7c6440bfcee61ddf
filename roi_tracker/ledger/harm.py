"""The harm done by the system itself, as cost rows: false rejects, stops it caused, parts it let pass uninspected,
verdicts that came after the reject gate.

It is booked gross: what the former inspection did wrong is set off only by the measure `inspection`, and where a proven
benefit line already measures a harm, the row is shown and not counted again.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.business_case import COUNTED_CLASSES
from roi_tracker.ledger.costs import HarmCause, HarmRow, NotValued, NotValuedReason, Term
from roi_tracker.observations.in_force import in_force
from roi_tracker.proof.proving import Realized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BenefitLine, BusinessCase, Period
    from roi_tracker.ledger.books import Books
    from roi_tracker.observations.rows import Inspector, Observation, Observations
    from roi_tracker.proof.proving import Proof

_COVERS: dict[str, tuple[HarmCause, ...]] = {
    "downtime": ("system_stop",),
    "inspection": ("false_reject", "uninspected", "late_reject"),
}
"""Harms that a measure contains: stops of any cause, and the whole cost of quality."""
_PLACES = Decimal("0.000001")


class _Quantity(msgspec.Struct, frozen=True):
    """A harm's quantity in one month on one line, or why there is none."""

    cause: HarmCause
    line: str
    first: date
    last: date
    amount: Fraction | None
    formula: str
    terms: tuple[Term, ...]
    missing: NotValuedReason | None = None


class Harm(msgspec.Struct, frozen=True):
    """Valued rows, and what could not be valued."""

    rows: tuple[HarmRow, ...]
    not_valued: tuple[NotValued, ...]


def defect_rates(baselines: Iterable[FrozenBaseline]) -> Mapping[str, float]:
    """True defect rate before the programme by production line, from frozen baselines of defects."""
    rates: dict[str, float] = {}
    for baseline in baselines:
        fitted = baseline.fitted
        if fitted.specification.measure == "defects" and fitted.total_exposure > 0:
            rates |= dict.fromkeys(fitted.specification.lines, fitted.total_outcome / fitted.total_exposure)
    return rates


def harm(
    case: BusinessCase, books: Books, observations: Observations, period: Period, rates: Mapping[str, float]
) -> Harm:
    """What the system did wrong from t0 to the last measured day.

    Args:
        case: plan with unit values.
        books: locked unit values; they hold before the case's.
        observations: of all lines; only lines of the case's benefits are charged.
        period: days that count.
        rates: true defect rate before the programme, by line.
    """
    lines = {name for benefit in case.benefits for name in benefit.lines}
    quantities = [*_of_parts(observations, lines, period, rates, case.go_live), *_of_stops(observations, lines, period)]
    rows: list[HarmRow] = []
    missing: dict[tuple[str, str, str], NotValued] = {}
    for one in sorted(quantities, key=lambda q: (q.last, q.line, q.cause)):
        value = None if one.missing else _value(case, books, one)
        if one.amount is None or value is None:
            reason: NotValuedReason = one.missing or "no_unit_value"
            _collect(missing, one, reason)
            continue
        quantity = _decimal(one.amount)
        rows.append(
            HarmRow(
                day=one.last,
                cause=one.cause,
                line=one.line,
                quantity=quantity,
                unit_value=value.amount,
                amount=quantity * value.amount,
                formula=one.formula,
                terms=one.terms,
                unit_value_source=value.source,
                first=one.first,
            )
        )
    return Harm(tuple(rows), tuple(missing.values()))


def once(rows: Sequence[HarmRow], case: BusinessCase, proofs: Sequence[Proof]) -> tuple[HarmRow, ...]:
    """Rows with those not counted that a proven, counted benefit line measures already."""
    covered: dict[tuple[HarmCause, str], str] = {}
    for line, proof in zip(case.benefits, proofs, strict=True):
        if isinstance(proof, Realized) and line.benefit_class in COUNTED_CLASSES:
            for cause in _COVERS.get(line.measure, ()):
                covered |= dict.fromkeys(((cause, name) for name in line.lines), line.id)
    return tuple(
        msgspec.structs.replace(row, counted=False, covered_by=covered[row.cause, row.line])
        if (row.cause, row.line) in covered
        else row
        for row in rows
    )


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_PLACES).normalize() + Decimal(0)


def _collect(missing: dict[tuple[str, str, str], NotValued], one: _Quantity, reason: NotValuedReason) -> None:
    key = (one.cause, one.line, reason)
    known = missing.get(key)
    amount = None if one.amount is None else _decimal(one.amount)
    if known is None:
        missing[key] = NotValued(one.cause, one.line, reason, amount, one.terms)
        return
    together = None if known.quantity is None or amount is None else known.quantity + amount
    sums = {term.name: term.value for term in known.terms}
    for term in one.terms:
        sums[term.name] = term.value if term.name in _RATES else sums.get(term.name, 0.0) + term.value
    terms = tuple(Term(name, value) for name, value in sums.items())
    missing[key] = NotValued(one.cause, one.line, reason, together, terms)


_RATES = frozenset({"audited_fail", "good_of_audited_fail", "baseline_defect_rate"})
"""Terms that hold for the whole period and are not added up over months."""


class _Pool:
    """Audited FAIL parts of one line, and what months hold."""

    def __init__(self) -> None:
        self.audited = 0
        self.defective = 0
        self.months: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.days: dict[tuple[int, int], list[date]] = {}

    def add(self, row: Observation, inspector: Inspector) -> None:
        month = (row.day.year, row.day.month)
        first, last = self.days.get(month, [row.day, row.day])
        self.days[month] = [min(first, row.day), max(last, row.day)]
        counts = self.months[month]
        counts["late_rejects"] += row.late_rejects
        if inspector != "ai":
            return
        counts["no_verdict"] += row.no_verdict or 0
        counts["rejected"] += max(0, (row.rejected or 0) - row.late_rejects)
        for audit in row.audits:
            if audit.inspector == "ai" and audit.stratum == "FAIL":
                self.audited += audit.audited
                self.defective += audit.defects_found


def _of_parts(
    observations: Observations, lines: set[str], period: Period, rates: Mapping[str, float], live_from: date
) -> list[_Quantity]:
    pools: dict[str, _Pool] = defaultdict(_Pool)
    judges = in_force(observations, live_from)
    for row in observations.products:
        if row.line in lines and row.day in period and row.inspector != "previous":
            pools[row.line].add(row, judges.of(row))
    return [
        quantity
        for line, pool in pools.items()
        for month, counts in pool.months.items()
        for quantity in _month(line, pool, counts, pool.days[month], rates.get(line))
    ]


def _month(
    line: str, pool: _Pool, counts: Mapping[str, int], days: Sequence[date], rate: float | None
) -> list[_Quantity]:
    first, last = days
    found: list[_Quantity] = []
    if counts.get("rejected"):
        rejected, good = counts["rejected"], pool.audited - pool.defective
        terms = (
            Term("rejected", rejected),
            Term("audited_fail", pool.audited),
            Term("good_of_audited_fail", good),
        )
        amount = Fraction(rejected * good, pool.audited) if pool.audited else None
        formula = "rejected * good_of_audited_fail / audited_fail"
        lack: NotValuedReason | None = None if pool.audited else "no_audit"
        if amount is None or amount:
            found.append(_Quantity("false_reject", line, first, last, amount, formula, terms, lack))
    if counts.get("no_verdict"):
        passed = counts["no_verdict"]
        terms = (Term("no_verdict", passed), *(() if rate is None else (Term("baseline_defect_rate", rate),)))
        escaped = None if rate is None else passed * Fraction(repr(rate))
        formula = "no_verdict * baseline_defect_rate"
        lack = "no_baseline_rate" if rate is None else None
        found.append(_Quantity("uninspected", line, first, last, escaped, formula, terms, lack))
    if counts.get("late_rejects"):
        late = counts["late_rejects"]
        found.append(
            _Quantity(
                "late_reject", line, first, last, Fraction(late), "late_rejects", (Term("late_rejects", late),), None
            )
        )
    return found


def _of_stops(observations: Observations, lines: set[str], period: Period) -> list[_Quantity]:
    seconds: dict[tuple[str, int, int], float] = defaultdict(float)
    days: dict[tuple[str, int, int], list[date]] = {}
    for row in observations.line_shifts:
        if row.line in lines and row.day in period and row.system_stop_s:
            key = (row.line, row.day.year, row.day.month)
            first, last = days.get(key, [row.day, row.day])
            days[key] = [min(first, row.day), max(last, row.day)]
            seconds[key] += row.system_stop_s
    return [
        _Quantity(
            cause="system_stop",
            line=key[0],
            first=days[key][0],
            last=days[key][1],
            amount=Fraction(repr(total)) / 3600,
            formula="system_stop_s / 3600",
            terms=(Term("system_stop_s", total),),
        )
        for key, total in seconds.items()
    ]


class _Value(msgspec.Struct, frozen=True):
    amount: Decimal
    source: str


def _value(case: BusinessCase, books: Books, one: _Quantity) -> _Value | None:
    """What one unit of a harm costs: as locked in the ledger, else as the case states it for that line."""
    subject = {"false_reject": "overkill", "system_stop": "system_stop"}.get(one.cause, "escape")
    locked = books.harm_value(subject, one.first, one.last, one.line)
    if locked is not None:
        return _Value(locked.amount, locked.source)
    stated: Callable[[BenefitLine], _Value | None] = _hour if one.cause == "system_stop" else _part(subject)
    fitting = (stated(line) for line in case.benefits if one.line in line.lines)
    return next((value for value in fitting if value is not None), None)


def _hour(line: BenefitLine) -> _Value | None:
    if not line.measurable or line.measure not in {"downtime", "maintenance"}:
        return None
    return _Value(line.unit_value.amount, line.unit_value.source)


def _part(subject: str) -> Callable[[BenefitLine], _Value | None]:
    def of(line: BenefitLine) -> _Value | None:
        costs = line.measurement.quality_costs
        if costs is None:
            return None
        amount = costs.escape if subject == "escape" else costs.overkill
        return _Value(amount, line.stated_unit_value.source if line.stated_unit_value else line.id)

    return of
