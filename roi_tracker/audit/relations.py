"""How figures of a plan follow from other figures of it: totals from parts, present values from flows.

A relation computes an address from its parents, whatever the plan prints for them. The audit uses it twice: to see that
a wrong figure only carries on an earlier one, and to see that a figure contradicts the very parts printed beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.appraisal.cash_flows import T0, counted_lines, schedule_of
from roi_tracker.appraisal.indicators import payback
from roi_tracker.appraisal.rates import irr
from roi_tracker.appraisal.scenarios import DIRECT
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from roi_tracker.audit.statements import Book
    from roi_tracker.case.conventions import BenefitClass

GROUPS = ("direct", "indirect", "counted", "all")
_ALL: tuple[BenefitClass, ...] = ("cashable", "redeployed", "released", "indirect")
_LEAST_POINTS = {"benefits": 1, "scenarios": 2, "alternatives": 2, "benchmarks": 2, "sensitivity": 2}
"""Of an address that names a figure: `scenarios.realistic.npv`."""
Compute = Callable[[Sequence[float]], float | None]


@dataclass(frozen=True)
class Relation:
    """An address as a function of parents.

    Attributes:
        kind: `sum`, `discounted`, `share`, `same`, ...; what an explanation calls it.
        additive: whether each parent enters as one term of a sum, so that one may be counted twice or left out.
    """

    kind: str
    parents: tuple[str, ...]
    compute: Compute
    additive: bool = False


def relations(book: Book, address: str) -> Iterator[Relation]:
    """Every relation known for an address; none for inputs and formulas, nor for a figure without its year."""
    head = address.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    makers = {
        "benefits": _benefits,
        "capex": _costs,
        "opex": _costs,
        "investment": _costs,
        "scenarios": _scenarios,
        "alternatives": _copies,
        "benchmarks": _copies,
        "cash_flow": _cash_flow,
        "statements": _accounts,
        "ratios": _accounts,
        "sensitivity": _sensitivity,
        "break_even": _break_even,
    }
    if head in makers and address.count(".") >= _LEAST_POINTS.get(head, 0):
        yield from makers[head](book, address)


def lines_of(book: Book, group: str) -> list[str]:
    """Ids of the benefit lines of a group."""
    classes = {"direct": DIRECT, "indirect": ("indirect",), "counted": book.case.conventions.counted, "all": _ALL}
    return counted_lines(book.case, classes[group])


def _sum(parents: Sequence[str], kind: str = "sum") -> Relation:
    return Relation(kind, tuple(parents), sum, additive=True)


def _same(parent: str) -> Relation:
    return Relation("same", (parent,), lambda values: values[0])


def _discounted(book: Book, name: str) -> Iterator[Relation]:
    if book.even:
        weights = book.weights
        yield Relation(
            "discounted", _by_year(book, name), lambda values: sum(v * w for v, w in zip(values, weights, strict=True))
        )


def _by_year(book: Book, name: str) -> tuple[str, ...]:
    return tuple(f"{name}[{year}]" for year in book.case.years)


def _benefits(book: Book, address: str) -> Iterator[Relation]:
    name, index = split_address(address)
    group, _, suffix = name.removeprefix("benefits.").partition(".")
    if group not in GROUPS:
        if suffix in {"total", "saving.total"}:
            yield _sum(_by_year(book, f"benefits.{group}.saving"))
        elif suffix == "pv":
            yield from _discounted(book, f"benefits.{group}.saving")
        return
    own = lines_of(book, group)
    end = f"[{index}]" if index else f".{suffix}"
    if index:
        yield _sum([f"benefits.{line}.saving[{index}]" for line in own])
    elif suffix == "total":
        yield _sum(_by_year(book, f"benefits.{group}"))
        yield _sum([f"benefits.{line}.total" for line in own])
    elif suffix == "pv":
        yield from _discounted(book, f"benefits.{group}")
        yield _sum([f"benefits.{line}.pv" for line in own])
    both = {*lines_of(book, "direct"), *lines_of(book, "indirect")}
    if group in {"all", "counted"} and set(own) == both and lines_of(book, "indirect"):
        yield _sum([f"benefits.direct{end}", f"benefits.indirect{end}"])
    if group == "counted":
        yield from (_same(f"benefits.{other}{end}") for other in ("all", "direct") if lines_of(book, other) == own)


def _costs(book: Book, address: str) -> Iterator[Relation]:
    name, index = split_address(address)
    t0 = all(slot.period == T0 for slot in schedule_of(book.case, book.case.conventions).capital)
    capital = [f"capex.{line.id}" for line in book.case.capex]
    if "capex.contingency" in book.computed:
        capital.append("capex.contingency")
    running = [line.id for line in book.case.opex_per_year]
    match name, index:
        case "capex.total", None:
            yield _sum(capital)
        case "capex.pv", None if t0:
            yield _same("capex.total")
        case "opex", str() if running:
            yield _sum([f"opex.{line}[{index}]" for line in running])
        case "opex.total", None:
            yield _sum(_by_year(book, "opex"))
        case "opex.pv", None:
            yield from _discounted(book, "opex")
        case "investment.pv", None:
            yield _sum(["capex.pv", "opex.pv"])
        case _ if name.startswith("opex.") and name.endswith(".total"):
            yield _sum(_by_year(book, name.removesuffix(".total")))


def _scenarios(book: Book, address: str) -> Iterator[Relation]:  # noqa: C901, PLR0912 - one case a figure
    name, index = split_address(address)
    _, scenario, figure = name.split(".", maxsplit=2)
    prefix = f"scenarios.{scenario}"
    chosen = getattr(book.case.scenarios, scenario, None)
    if chosen is None or book.case.conventions.headline == "after_tax":
        return
    benefits, costs = float(chosen.benefits), float(chosen.costs)
    flows = _flow_addresses(book, prefix)
    whole_years = book.yearly and book.case.conventions.operations == "year_end"
    match figure:
        case "benefits_pv":
            yield Relation("scaled", ("benefits.counted.pv",), lambda v: v[0] * benefits)
        case "costs_pv":
            yield Relation("scaled", ("investment.pv",), lambda v: v[0] * costs)
        case "npv":
            yield Relation("difference", (f"{prefix}.benefits_pv", f"{prefix}.costs_pv"), lambda v: v[0] - v[1])
        case "net_flow" if index and index != "t0":
            yield from _net_flow(book, index, (benefits, costs))
        case "cumulative" if f"{prefix}.net_flow[{index}]" in flows:
            upto = flows[: flows.index(f"{prefix}.net_flow[{index}]") + 1]
            yield _sum(upto)
            if "t0" in upto[0] and book.case.capex_phasing is not None and len(upto) > 1:
                yield _sum(upto[1:], "flows_without_t0")
        case "net_total":
            yield _sum(flows)
        case "irr" if whole_years:
            yield Relation("rate_of_flows", tuple(flows), lambda v: irr([Decimal(repr(x)) for x in v]).value)
        case "discounted_payback_years" if whole_years and "t0" in flows[0]:
            rate = 1 + book.case.rate
            yield Relation(
                "payback_of_flows",
                tuple(flows),
                lambda v: payback([Decimal(repr(x)) / rate**year for year, x in enumerate(v)]),
            )
        case "payback_years" if whole_years and "t0" in flows[0]:
            yield Relation("payback_of_flows", tuple(flows), lambda v: payback([Decimal(repr(x)) for x in v]))
        case "roi" if book.case.conventions.reinvestment is None:
            parents = (f"{prefix}.net_total", "capex.total", "opex.total")
            yield Relation("share", parents, lambda v: _quotient([v[0], (v[1] + v[2]) * costs]))
        case "profitability_index":
            yield Relation("share", (f"{prefix}.npv", "capex.pv"), lambda v: 1 + v[0] / (v[1] * costs))
        case "payback_months" | "discounted_payback_months":
            yield Relation("months", (f"{prefix}.{figure.replace('months', 'years')}",), lambda v: v[0] * 12)


def _net_flow(book: Book, index: str, shares: tuple[float, float]) -> Iterator[Relation]:
    benefits, costs = shares
    spent = _capital_share(book, index)
    parents = (f"benefits.counted[{index}]", f"opex[{index}]", *(["capex.total"] if spent else []))
    yield Relation("difference", parents, lambda v: v[0] * benefits - (v[1] + spent * (v[2] if spent else 0.0)) * costs)
    phased = f"capex.phased[{index}]"
    if phased in book.computed:
        yield Relation(
            "flow_as_phased",
            (f"benefits.counted[{index}]", f"opex[{index}]", phased),
            lambda v: v[0] * benefits - (v[1] + v[2]) * costs,
        )


def _capital_share(book: Book, index: str) -> float:
    """Share of all capital that is spent in a year after t0, renewals included."""
    labels = [str(year) for year in book.case.years]
    slots = schedule_of(book.case, book.case.conventions).capital
    year = labels.index(index) if index in labels else None
    return float(
        sum(one.share for one in slots if one.period != T0 and one.period // book.case.periods_per_year == year)
    )


def _flow_addresses(book: Book, prefix: str) -> list[str]:
    t0 = [f"{prefix}.net_flow[t0]"] if f"{prefix}.net_flow[t0]" in book.computed else []
    return t0 + list(_by_year(book, f"{prefix}.net_flow"))


def _copies(book: Book, address: str) -> Iterator[Relation]:
    _, one, figure = address.split(".", maxsplit=2)
    if address.startswith("alternatives."):
        if any(other.id == one and other.this for other in book.case.alternatives):
            yield _same(f"scenarios.realistic.{figure}")
        return
    for benchmark in book.case.benchmarks:
        if benchmark.id == one and benchmark.figure is not None:
            yield _same(benchmark.figure)


def _cash_flow(book: Book, address: str) -> Iterator[Relation]:
    name, index = split_address(address)
    rows = list(_by_year(book, "cash_flow.operating"))
    if f"cash_flow.operating[{index}]" not in rows:
        return
    year = rows.index(f"cash_flow.operating[{index}]") + 1
    if name == "cash_flow.cumulative":
        yield _sum(rows[:year])
    elif name == "cash_flow.discounted":
        weight = (1 + float(book.case.rate)) ** -year
        yield Relation("discounted", (rows[year - 1],), lambda v: v[0] * weight)


def _accounts(_book: Book, address: str) -> Iterator[Relation]:
    name, index = split_address(address)
    at = f"[{index}]"
    match name:
        case "statements.operating_profit":
            parts = [f"statements.sales{at}", f"statements.cost_of_sales{at}"]
            yield Relation("difference", (*parts, f"statements.operating_expense{at}"), lambda v: v[0] - v[1] - v[2])
            if index != "before":
                yield Relation(
                    "expense_of_before", (*parts, "statements.operating_expense[before]"), lambda v: v[0] - v[1] - v[2]
                )
        case "statements.operating_margin":
            yield Relation("share", (f"statements.operating_profit{at}", f"statements.sales{at}"), _quotient)
        case "ratios.return_on_assets":
            parents = (f"statements.operating_margin{at}", f"ratios.asset_turnover{at}")
            yield Relation("product", parents, lambda v: v[0] * v[1])


def _sensitivity(book: Book, address: str) -> Iterator[Relation]:
    variable, _, figure = address.removeprefix("sensitivity.").rpartition(".")
    prefix = f"sensitivity.{variable}"
    match figure:
        case "minus_10pct" if variable != "discount_rate":
            yield Relation("mirrored", (f"{prefix}.plus_10pct",), lambda v: -v[0])
        case "plus_10pct" if variable == "capex":
            yield Relation("tenth", ("capex.pv",), lambda v: -v[0] / 10)
        case "plus_10pct" if variable.startswith("benefits.") and variable.removeprefix("benefits.") not in GROUPS:
            for whole in _discounted(book, f"{variable}.saving"):
                yield Relation("tenth", whole.parents, _tenth_of(whole))
            yield Relation("tenth", (f"{variable}.pv",), lambda v: v[0] / 10)
        case "share_of_npv" if variable != "discount_rate":
            yield Relation("share", (f"{prefix}.plus_10pct", "scenarios.realistic.npv"), _share)
            yield Relation("share", (f"{prefix}.minus_10pct", "scenarios.realistic.npv"), _share)
        case "plus_1pp_share_of_npv":
            yield Relation("share", (f"{prefix}.plus_1pp", "scenarios.realistic.npv"), _share)


def _break_even(_book: Book, address: str) -> Iterator[Relation]:
    if address == "break_even.overall_achievement":
        parents = ("scenarios.realistic.costs_pv", "scenarios.realistic.benefits_pv")
        yield Relation("share", parents, _quotient)


def _tenth_of(whole: Relation) -> Compute:
    return lambda values: (whole.compute(values) or 0.0) / 10


def _quotient(values: Sequence[float]) -> float | None:
    return values[0] / values[1] if values[1] else None


def _share(values: Sequence[float]) -> float | None:
    quotient = _quotient(values)
    return None if quotient is None else abs(quotient)
