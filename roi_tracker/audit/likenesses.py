"""Other figures that a printed one may really be: discounted otherwise, mislabelled, on another base, in other prices.

Each generator offers values with the cause they would prove; whether the digits agree is decided by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.audit.expectation import Expectations, located_formula
from roi_tracker.audit.findings import Cause
from roi_tracker.audit.relations import GROUPS, lines_of
from roi_tracker.case.stated import split_address
from roi_tracker.formulas import parse_formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.audit.statements import Book
    from roi_tracker.case.assumptions import Assumption

_PRESENT_VALUES = ("pv", "benefits_pv", "costs_pv", "npv")
_MONEY = ("npv", "net_total", "benefits_pv", "costs_pv")
_RATES = ("irr", "mirr", "roi", "profitability_index")
_TIMES = ("payback_years", "discounted_payback_years")


class Likeness(msgspec.Struct, frozen=True):
    """A value that would explain the print."""

    value: float
    tolerance: float
    cause: Cause


def _values(book: Book, expectations: Expectations, address: str, without: str = "") -> Iterator[tuple[float, float]]:
    computed = book.value(address)
    if computed is not None:
        yield computed, 0.0
    yield from ((one.value, one.tolerance) for one in expectations.of(address) if without not in one.printed)
    yield from ((one.value, one.tolerance) for one in book.statements.get(address, []))


def other_discounting(book: Book, expectations: Expectations, address: str) -> Iterator[Likeness]:
    """Present values with flows moved by half a year or a year, of the figure itself or of one that contains it."""
    name, index = split_address(address)
    figure = name.rsplit(".", maxsplit=1)[-1]
    if index is not None or figure not in _PRESENT_VALUES:
        return
    rate = 1 + float(book.case.rate)
    mid = "mid_year" if book.case.conventions.operations == "year_end" else "year_end"
    half = 0.5 if mid == "mid_year" else -0.5
    shifts = {mid: half, "start_of_year": 1.0 if half > 0 else 0.5, "one_period_late": -1.0}
    others = [address]
    if name.startswith("benefits."):
        group = name.split(".")[1]
        if group in GROUPS:
            own = set(lines_of(book, group))
            others += [f"benefits.{one}.pv" for one in ("all", "counted") if set(lines_of(book, one)) > own]
    twice = "benefits.indirect" if name == "benefits.direct.pv" else "benefits of other classes"
    for other in others:
        for value, tolerance in _values(book, expectations, other):
            if other != address:
                yield Likeness(value, tolerance, Cause("double_count", "double_count", twice))
            for timing, years in shifts.items():
                moved = rate**years
                cause = (
                    Cause("mixed_timing", "mixed_timing", timing)
                    if other == address
                    else Cause("double_count", "double_count", f"{twice} ({timing})")
                )
                yield Likeness(value * moved, tolerance * moved, cause)


def other_conventions(  # noqa: C901 - one condition a convention
    book: Book, _expectations: Expectations, address: str
) -> Iterator[Likeness]:
    """The same figure under another timing of capital, other prices, other counted classes, before or after tax."""
    own = book.case.conventions
    if not book.computed.get(address) or not address.startswith(
        ("scenarios.", "benefits.", "opex.", "investment.", "capex.", "alternatives.", "cash_flow.")
    ):
        return
    ways: dict[str, tuple[str, dict[str, object]]] = {}
    if own.operations != "dated":
        other = "mid_year" if own.operations == "year_end" else "year_end"
        ways[other] = ("mixed_timing", {"operations": other})
    if book.case.capex_phasing is not None and own.capital != "dated":
        for timing in ("t0", "start_of_period", "end_of_period"):
            if timing != own.capital:
                ways[f"capital_{timing}"] = ("mixed_timing", {"capital": timing})
    if own.inflation is not None:
        basis = "nominal" if own.prices == "constant" else "real"
        ways["unconverted" if own.discount_basis == basis else basis] = (
            "wrong_price_basis",
            {"discount_basis": None if own.discount_basis == basis else basis},
        )
    direct = ("cashable", "redeployed")
    every = ("cashable", "redeployed", "released", "indirect")
    for name, classes in (("direct_only", direct), ("all_benefits", every)):
        if set(own.counted) != set(classes):
            ways[name] = ("label_mismatch", {"counted": classes})
    if own.tax is not None:
        other = "before_tax" if own.headline == "after_tax" else "after_tax"
        ways[other] = ("label_mismatch", {"headline": other})
    for name, (family, update) in ways.items():
        figure = book.variant(name, own.model_copy(update=update)).get(address)
        if figure is not None and figure.value is not None and float(figure.value) != book.value(address):
            yield Likeness(float(figure.value), 0.0, Cause(family, family, name))


def label_mismatches(book: Book, expectations: Expectations, address: str) -> Iterator[Likeness]:
    """Figures that stand near and would print the same digits."""
    for other in _neighbours(book, address):
        if other in book.statements and any(address in one.printed for one in expectations.of(other)):
            continue  # it follows from the figure itself
        for value, tolerance in _values(book, expectations, other, without=address):
            if value:
                yield Likeness(value, tolerance, Cause("label_mismatch", "label_mismatch", other))


def _neighbours(book: Book, address: str) -> list[str]:  # noqa: C901 - one branch a kind of address
    name, index = split_address(address)
    end = f"[{index}]" if index else ""
    words = name.split(".")
    found: list[str] = []
    if words[0] == "scenarios" and len(words) == 3:  # noqa: PLR2004 - scenarios.<name>.<figure>
        found += [f"scenarios.{one}.{words[2]}{end}" for one in type(book.case.scenarios).model_fields]
        for family in (_MONEY, _RATES, _TIMES):
            found += [f"scenarios.{words[1]}.{one}" for one in family] if words[2] in family else []
        if words[2] == "net_flow":
            found += [f"benefits.counted{end}", f"cash_flow.operating{end}", f"scenarios.{words[1]}.cumulative{end}"]
        if words[2] == "cumulative":
            found += [f"scenarios.{words[1]}.cumulative_discounted{end}", f"scenarios.{words[1]}.net_flow{end}"]
    elif words[0] == "benefits" and words[1] in GROUPS:
        suffix = f".{words[2]}" if len(words) > 2 else ""  # noqa: PLR2004 - benefits.<group>.<total or pv>
        found += [f"benefits.{one}{suffix}{end}" for one in GROUPS]
        found += [f"benefits.{words[1]}.{one}" for one in ("total", "pv")] if suffix else []
    elif words[0] == "benefits":
        found += [f"benefits.{line.id}.{words[-1]}{end}" for line in book.case.benefits]
        found += [f"benefits.{words[1]}.{one}" for one in ("total", "pv")] if words[-1] in {"total", "pv"} else []
    elif words[0] in {"capex", "opex", "investment"}:
        found += [] if index else ["capex.total", "capex.pv", "investment.pv", "opex.total", "opex.pv"]
        found += [f"opex.{line.id}{end}" for line in book.case.opex_per_year] if index else []
        found += [f"capex.{line.id}" for line in book.case.capex]
    elif words[0] in {"statements", "ratios"}:
        figures = [one for one in (*book.computed, *book.statements) if one.startswith(f"{words[0]}.")]
        found += [one for one in dict.fromkeys(figures) if one.endswith(end)]
    elif words[0] == "cash_flow":
        found += [f"cash_flow.{one}{end}" for one in ("operating", "cumulative", "discounted")]
    elif words[0] == "benchmarks":
        found += [f"scenarios.realistic.{one}" for one in (*_RATES, *_TIMES)]
    return [one for one in dict.fromkeys(found) if one != address]


def other_bases(book: Book, _expectations: Expectations, address: str) -> Iterator[Likeness]:
    """A percentage of another base: shares over other present values, formulas over other quantities of one unit."""
    name, _ = split_address(address)
    computed = book.value(address)
    if computed is None:
        return
    if name.endswith(("share_of_npv", ".roi", ".operating_margin")):
        yield from _other_denominators(book, name, address, computed)
    located = located_formula(book, address)
    if located is None:
        return
    owner, formula, year = located
    units: dict[str, str] = {one: given.unit for one, given in book.case.assumptions.items()}
    units |= {one: given.unit for one, given in book.case.calculations.items()}
    plain = _at(book, formula.text, owner, year)
    if not plain:
        return
    for used in formula.names:
        for other, unit in units.items():
            if other in formula.names or unit != units[used] or other == owner or owner.startswith(other):
                continue
            value = _at(book, _replaced(formula.text, used, other), owner, year)
            if value:
                yield Likeness(value * computed / plain, 0.0, Cause("wrong_base", "wrong_base", f"{other}|{used}"))


def _replaced(text: str, used: str, other: str) -> str:
    import re  # noqa: PLC0415 - only where a base is in doubt

    return re.sub(rf"(?<![\w.]){re.escape(used)}(?![\w.])", other, text)


def _at(book: Book, text: str, owner: str, year: int) -> float | None:
    import numpy as np  # noqa: PLC0415 - only where a base is in doubt

    from roi_tracker.formulas import evaluate  # noqa: PLC0415

    formula = parse_formula(text, owner)
    rows = {one: np.array(book.amounts[one], dtype=np.float64) for one in formula.names}
    if any(not row.all() for row in rows.values()) and "/" in text:
        return None
    values = np.atleast_1d(evaluate(formula, rows, float, owner)).tolist()
    return float(values[year if len(values) > 1 else 0])


def _other_denominators(book: Book, name: str, address: str, computed: float) -> Iterator[Likeness]:
    scenario = name.rsplit(".", maxsplit=1)[0] if name.startswith("scenarios.") else "scenarios.realistic"
    if name.endswith(".operating_margin"):
        index = address.removeprefix(name)
        base, others = f"statements.sales{index}", [f"statements.{one}{index}" for one in ("cost_of_sales",)]
    elif name.endswith(".roi"):
        base = "scenarios.roi.base"
        others = ["capex.total", "capex.pv", "investment.pv", "opex.total"]
    else:
        base = f"{scenario}.npv"
        others = [f"{scenario}.benefits_pv", f"{scenario}.costs_pv", f"{scenario}.net_total", "capex.total"]
    total = book.value(f"{scenario}.net_total")
    bottom = (total / computed if computed and total else None) if base == "scenarios.roi.base" else book.value(base)
    if bottom is not None and name.endswith("share_of_npv"):
        bottom = abs(bottom)  # a share of a loss is printed without its sign
    scale = float(getattr(book.case.scenarios, name.split(".")[1]).costs) if name.endswith(".roi") else 1.0
    for other in others:
        value = (book.value(other) or 0.0) * scale
        if value and bottom:
            yield Likeness(
                computed * bottom / (abs(value) if name.endswith("share_of_npv") else value),
                0.0,
                Cause("wrong_base", "wrong_base", f"{other}|{base}"),
            )


def price_bases(book: Book, expectations: Expectations, address: str) -> Iterator[Likeness]:
    """Years priced with inflation or with a declared growth that the formulas do not use, or the other way round."""
    name, index = split_address(address)
    labels = [str(year) for year in book.case.years]
    if index not in labels or name in book.case.assumptions:
        return
    year = labels.index(index)
    if _others_agree(book, name, index):
        return  # one year of a row is not priced otherwise than the rest
    rates: dict[str, Assumption] = {}
    if book.case.conventions.inflation is not None:
        rates["inflation"] = book.case.conventions.inflation
    unused = {one: book.case.assumptions[one] for one in book.model.unused()}
    rates |= {one: given for one, given in unused.items() if book.model.inputs[one].kind == "ratio"}
    for source, assumption in rates.items():
        rate = 1 + float(book.case.money(assumption))
        family = "wrong_price_basis" if source == "inflation" else "unused_growth"
        for years in {year, year + 1} - {0}:
            for power in (years, -years):
                for value, tolerance in _values(book, expectations, address):
                    by = rate**power
                    yield Likeness(value * by, tolerance * by, Cause(family, family, f"{source}^{power}"))


def _others_agree(book: Book, name: str, index: str) -> bool:
    later = [f"{name}[{year}]" for year in book.case.years[1:] if str(year) != index]
    printed = [(one, book.value(one.address)) for address in later for one in book.statements.get(address, [])]
    return any(value and one.digits < 0.01 and one.matches(value) for one, value in printed)  # noqa: PLR2004 - 1 %


def wrong_years(book: Book, _expectations: Expectations, address: str) -> Iterator[Likeness]:
    """The figure of a neighbouring year."""
    yield from (one for place, one in _other_years(book, address) if abs(place) == 1)


def swapped_years(book: Book, address: str) -> Iterator[Likeness]:
    """The figure of any year whose own print is this year's."""
    own, (name, _) = book.value(address), split_address(address)
    for _, one in _other_years(book, address):
        there = book.statements.get(f"{name}[{one.cause.detail}]", [])
        if own is not None and any(print_.matches(own) for print_ in there):
            yield one


def _other_years(book: Book, address: str) -> Iterator[tuple[int, Likeness]]:
    """Computed figures of the other years of a row, each with its distance in years."""
    name, index = split_address(address)
    labels = [str(year) for year in book.case.years]
    if index not in labels:
        return
    place = labels.index(index)
    for other, label in enumerate(labels):
        value = book.value(f"{name}[{label}]")
        if value and value != book.value(address):
            yield other - place, Likeness(value, 0.0, Cause("wrong_year", "wrong_year", label))


def lines_twice_or_missing(book: Book, _expectations: Expectations, address: str) -> Iterator[Likeness]:
    """A figure of all counted benefits with one line once more, or without it: present values, NPV, net flows."""
    words, (name, index) = address.split("."), split_address(address)
    value = book.value(address)
    if words[0] != "scenarios" or value is None:
        return
    figure = split_address(words[-1])[0]
    endings = {"npv": ".pv", "benefits_pv": ".pv", "net_total": ".total", "net_flow": f".saving[{index}]"}
    chosen = getattr(book.case.scenarios, name.split(".")[1], None)
    if figure not in endings or chosen is None or book.case.conventions.headline == "after_tax":
        return
    counted = lines_of(book, "counted")
    for line in counted:
        part = (book.value(f"benefits.{line}{endings[figure]}") or 0.0) * float(chosen.benefits)
        if part:
            yield Likeness(value + part, 0.0, Cause("double_count", "double_count", f"benefits.{line}"))
            if len(counted) > 1:
                yield Likeness(value - part, 0.0, Cause("omitted_part", "omitted_part", f"benefits.{line}"))


def without_growth(book: Book, _expectations: Expectations, address: str) -> Iterator[Likeness]:
    """Running cost that stays flat though its line is declared to rise."""
    if not any(line.growth for line in book.case.opex_per_year) or not address.startswith(
        ("opex", "investment.", "scenarios.")
    ):
        return
    figure = book.without_growth().get(address)
    if figure is not None and figure.value is not None and float(figure.value) != book.value(address):
        yield Likeness(float(figure.value), 0.0, Cause("growth_left_out", "growth_left_out", "opex"))
