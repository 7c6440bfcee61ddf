"""Errors that people make in plans, planted one to three at a time, each with what a reader would call it.

Kinds and names come from the issue's list and from reading plans, not from the audit's rules. `ACCEPTED` says which
of the audit's names are right answers for a kind; for kinds without a rule only "unexplained" is.
"""

from __future__ import annotations

from decimal import Decimal

from tests.roi_tracker.audit.independent import miscounts, misprints
from tests.roi_tracker.audit.independent.draft import Draft, Maker, Planted, matters
from tests.roi_tracker.audit.independent.plan import Slip, figures

D = Decimal

ACCEPTED: dict[str, frozenset[str]] = {
    "unit_slip": frozenset({"unit_slip"}),
    "multiplier": frozenset({"unstated_multiplier"}),
    "period_slip": frozenset({"period_slip"}),
    "double_count": frozenset({"double_count"}),
    "omitted_line": frozenset({"omitted_part"}),
    "omitted_year": frozenset({"omitted_part"}),
    "mid_year_discounting": frozenset({"mixed_timing"}),
    "one_year_too_late": frozenset({"mixed_timing"}),
    "roi_on_capital_only": frozenset({"wrong_base"}),
    "share_of_benefits": frozenset({"wrong_base"}),
    "inflated": frozenset({"wrong_price_basis"}),
    "growth_left_out": frozenset({"unused_growth", "growth_left_out"}),
    "other_year": frozenset({"wrong_year"}),
    "years_swapped": frozenset({"wrong_year"}),
    "other_figure": frozenset({"label_mismatch"}),
    "other_scenario": frozenset({"label_mismatch"}),
    "irr_without_outlay": frozenset({"irr_cannot_exist"}),
    "payback_by_average": frozenset({"payback_against_flows", "label_mismatch"}),
    "said_otherwise": frozenset({"said_twice"}),
    "base_year": frozenset({"wrong_base_year"}),
    "declared_unused": frozenset({"unused"}),
    "transposed_digits": frozenset({"unexplained"}),
    "mistyped_digit": frozenset({"unexplained"}),
    "one_year_too_many": frozenset({"unexplained"}),
    "other_rate": frozenset({"unexplained"}),
    "earlier_version": frozenset({"unexplained"}),
    "sign": frozenset({"sign_reversed", "unexplained"}),
    "invented": frozenset({"unexplained"}),
    "rounded_the_wrong_way": frozenset({"unexplained"}),
}

WITHOUT_RULE = frozenset(kind for kind, names in ACCEPTED.items() if "unexplained" in names)


def propagated(draft: Draft, kind: str) -> Planted | None:
    """One line's saving is wrong throughout, and everything computed from it follows."""
    factors = {
        "unit_slip": (D(10), D("0.1")),
        "multiplier": (D(2), D(3), D(5)),
        "earlier_version": (D("0.83"), D("0.71")),
    }
    rows = [index for index in draft.free(".saving") if len(draft.lines[index].addresses) == draft.plan.years]
    if not rows or draft.touched:
        return None
    index = draft.rng.choice(rows)
    line = next(one for one in draft.plan.benefits if draft.lines[index].base.startswith(f"benefits.{one.id}.saving"))
    factor = draft.rng.choice(factors[kind])
    wrong = figures(draft.plan, Slip(savings={line.id: tuple(money * factor for money in line.yearly)}))
    origin: set[str] = set()
    carried: set[str] = set()
    little: set[str] = set()
    for number, one in enumerate(draft.lines):
        for at, address in enumerate(one.addresses):
            if address not in wrong or one.rounded(wrong[address]) == one.numbers[at]:
                continue
            other = one.rounded(wrong[address])
            draft.numbers[number][at] = other
            draft.touched.add(number)
            if not matters(one, one.numbers[at], other):
                little.add(address)
            elif number == index:
                origin.add(address)
            else:
                carried.add(address)
    return Planted(f"{kind}_throughout", frozenset(origin), frozenset(carried), frozenset(little)) if origin else None


MAKERS: dict[str, Maker] = {
    "unit_slip": misprints.scaled("unit_slip", tuple(D(10) ** power for power in (-4, -3, -2, -1, 1, 2, 3, 4))),
    "multiplier": misprints.scaled("multiplier", (D(2), D(3), D(4), D(5), D("1.1"), D("1.2"), D("1.25"), D("1.5"))),
    "period_slip": misprints.scaled("period_slip", (D(12), 1 / D(12))),
    "double_count": miscounts.recomputed(
        "double_count",
        lambda draft: Slip(twice=(miscounts.counted_line(draft),)),
        "benefits.counted",
        "benefits.all",
        "benefits.direct",
        "benefits.direct.total",
        "benefits.direct.pv",
        "benefits.all.total",
        "benefits.all.pv",
        "benefits.counted.pv",
        "realistic.benefits_pv",
        "realistic.npv",
    ),
    "omitted_line": miscounts.recomputed(
        "omitted_line",
        lambda draft: Slip(without=(miscounts.counted_line(draft),)) if miscounts.two_lines(draft) else None,
        "benefits.counted",
        "benefits.all",
        "benefits.direct",
        "benefits.direct.total",
        "benefits.direct.pv",
        "benefits.all.total",
        "benefits.counted.pv",
        "realistic.benefits_pv",
        "realistic.npv",
    ),
    "omitted_year": miscounts.omitted_year,
    "mid_year_discounting": miscounts.recomputed(
        "mid_year_discounting", miscounts.mid_year, ".npv", ".pv", "benefits_pv"
    ),
    "one_year_too_late": miscounts.recomputed(
        "one_year_too_late", lambda _: Slip(later=D(1)), ".npv", ".pv", "benefits_pv"
    ),
    "roi_on_capital_only": miscounts.roi_on_capital,
    "share_of_benefits": miscounts.share_of_benefits,
    "inflated": miscounts.recomputed("inflated", miscounts.inflated, ".npv", ".pv", "benefits_pv"),
    "growth_left_out": miscounts.recomputed(
        "growth_left_out",
        miscounts.ungrown,
        "opex",
        "opex.total",
        "opex.pv",
        *(f"opex.{n}" for n in ("licence", "upkeep", "crew")),
    ),
    "other_year": misprints.other_year,
    "years_swapped": misprints.swapped,
    "other_figure": miscounts.pairs(
        "other_figure",
        (
            (".npv", ".net_total"),
            (".net_total", ".npv"),
            (".roi", ".irr"),
            (".irr", ".roi"),
            (".payback_years", ".discounted_payback_years"),
            (".discounted_payback_years", ".payback_years"),
            (".pv", ".total"),
            (".total", ".pv"),
            (".npv", ".benefits_pv"),
            ("direct.total", "all.total"),
            ("direct.pv", "all.pv"),
        ),
    ),
    "other_scenario": miscounts.other_scenario,
    "irr_without_outlay": miscounts.irr_without_outlay,
    "payback_by_average": miscounts.payback_by_average,
    "said_otherwise": misprints.said_otherwise,
    "base_year": misprints.base_year,
    "declared_unused": misprints.declared_unused,
    "transposed_digits": misprints.digits("transposed_digits"),
    "mistyped_digit": misprints.digits("mistyped_digit"),
    "one_year_too_many": miscounts.recomputed(
        "one_year_too_many", lambda draft: Slip(horizon=draft.plan.years + 1), ".npv", ".pv", ".total", "net_total"
    ),
    "other_rate": miscounts.recomputed(
        "other_rate",
        lambda draft: Slip(rate=draft.plan.rate + draft.rng.choice((D("0.015"), D("0.02"), D("0.03"), D("-0.02")))),
        ".npv",
        ".pv",
        "benefits_pv",
    ),
    "earlier_version": miscounts.recomputed(
        "earlier_version", miscounts.earlier, ".npv", ".pv", ".total", ".saving", "benefits.direct"
    ),
    "sign": misprints.sign,
    "invented": misprints.scaled(
        "invented", tuple(D(n) / 1000 for n in (571, 634, 687, 743, 862, 1137, 1283, 1369, 1434, 1741))
    ),
    "rounded_the_wrong_way": misprints.wrong_way,
}
THROUGHOUT = ("unit_slip", "multiplier", "earlier_version")


def accepted(one: Planted) -> frozenset[str]:
    """The audit's names that are right answers; one factor on a whole series is a multiplier, however odd."""
    own = ACCEPTED[one.kind.removesuffix("_throughout")]
    constant = one.kind in {"invented", "earlier_version_throughout"} and len(one.addresses) > 1
    return own | {"unstated_multiplier"} if constant else own
