"""Figures of a report as people of one language write them."""

from __future__ import annotations

import tomllib
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from roi_tracker.money import UNIT_FACTORS, Money, fitting_unit, format_money, unit_label
from roi_tracker.proof.proving import NotProven, Realized
from roi_tracker.render.catalogue import Catalogue, catalogue, flat
from roi_tracker.render.rule_text import rule_fix, rule_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.baseline.rules import Check
    from roi_tracker.money import Language, Unit
    from roi_tracker.realization.flows import Payback
    from roi_tracker.report.model import BothNames, LineSection, Report

_FEW = 10
_MINUS = "\N{MINUS SIGN}"
_LARGE = 1_000
_SLIGHT = 1_000
"""Money below a thousandth of the largest says nothing about the unit of a document."""


@lru_cache(maxsize=2)
def report_words(language: Language) -> Catalogue:
    """Words of codes and of the report's sections together, read once a language."""
    text = resources.files("roi_tracker.render").joinpath("locale", f"report.{language}.toml").read_text("utf-8")
    base = catalogue(language)
    return Catalogue(language, {key: base.raw(key) for key in base.keys} | flat(tomllib.loads(text)))


def _amounts(report: Report) -> Iterator[Decimal]:
    """Money that page 1 shows."""
    for line in report.lines:
        held = line.result.shared or line.result.realized
        yield line.result.projected
        yield from () if held is None else (held.low, held.value, held.high)
    for whole in (report.realization.realized, report.realization.projected):
        yield from (whole.benefit, whole.cost)


class ReportWording:
    """Writes money, ratios, quantities and names of one report."""

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.language = language
        self.t = report_words(language)
        self._lines = {line.result.benefit_id: self.name(line.name) for line in report.lines}

    def name(self, name: BothNames) -> str:
        """A name in this language."""
        return name.ko if self.language == "ko" else name.en

    def either(self, korean: str | None, english: str | None) -> str:
        """One of two texts, empty where there is none."""
        return (korean if self.language == "ko" else english) or ""

    def line(self, benefit_id: str) -> str:
        """A benefit line's name by its id."""
        return self._lines.get(benefit_id, benefit_id)

    def baseline_hash(self, benefit_id: str) -> str | None:
        """Hash of the frozen baseline that a line rests on; None without one."""
        return next((one.sha256 for one in self.report.inputs.baselines if one.benefit_id == benefit_id), None)

    @cached_property
    def shown_unit(self) -> Unit:
        """The display unit as these readers count: small enough that no benefit line's money vanishes in it."""
        report = self.report
        sizes = [abs(amount) for amount in _amounts(report)]
        weighty = [one for one in sizes if one and one * _SLIGHT >= max(sizes)]
        return fitting_unit(report.currency, report.display_unit, self.language, min(weighty, default=Decimal(0)))

    @property
    def unit(self) -> str:
        """The display unit in words."""
        return unit_label(self.report.currency, self.shown_unit, self.language)

    @property
    def factor(self) -> int:
        """What one display unit is in the currency."""
        return UNIT_FACTORS[self.shown_unit]

    def stated(self, value: float) -> str:
        """Money that the case states in its display unit, in the unit of these readers."""
        return self.money(Decimal(repr(value)) * UNIT_FACTORS[self.report.display_unit])

    def axis(self, amount: Decimal) -> float:
        """Money in display units."""
        return float(amount) / self.factor

    def money(self, amount: Decimal) -> str:
        """An amount in the display unit."""
        return format_money(Money(amount, self.report.currency), self.language, self.shown_unit)

    def exact(self, amount: Decimal) -> str:
        """An amount in the currency itself, for unit values and ledgers."""
        return format_money(Money(amount, self.report.currency), self.language)

    def plain(self, amount: Decimal) -> str:
        """An amount in display units for a table whose document states the unit."""
        value = self.axis(amount)
        text = f"{abs(value):,.{0 if abs(value) >= _LARGE else 1}f}"
        if value and not text.strip("0."):  # money that is there is not shown as none
            text = f"{abs(value):.3f}"
        return f"{_MINUS}{text}" if value < 0 and text.strip("0.,") else text

    def signed(self, amount: Decimal) -> str:
        """A change: its sign stands before it unless it is shown as zero."""
        text = self.plain(amount)
        return text if text.startswith(_MINUS) or not text.strip("0.,") else f"+{text}"

    def percent(self, ratio: float | Decimal | None) -> str:
        """A ratio as a percentage without decimals; one below 10 %."""
        if ratio is None:
            return self.t("figure.none")
        value = Decimal(repr(float(ratio))) * 100
        places = Decimal("0.1") if abs(value) < _FEW else Decimal(1)
        rounded = value.quantize(places, rounding=ROUND_HALF_UP)
        return f"{_MINUS if rounded < 0 else ''}{abs(rounded):,} %"

    def quantity(self, value: float | Decimal) -> str:
        """A physical quantity: whole from 100, else one decimal."""
        size = abs(float(value))
        text = f"{size:,.{0 if size >= _FEW**2 else 1}f}"
        return f"{_MINUS}{text}" if value < 0 and text.strip("0.,") else text

    def figure(self, value: float | None) -> str:
        """A bare number of four digits that count."""
        if value is None:
            return self.t("figure.none")
        text = f"{abs(value):,.0f}" if abs(value) >= _LARGE else f"{abs(value):,.4g}"
        return f"{_MINUS}{text}" if value < 0 else text

    def physical(self, line: LineSection) -> str:
        """A line's physical unit in words; the currency where it is money already."""
        if line.unit == "money":
            return unit_label(self.report.currency, "1", self.language)
        return self.t(f"unit.{line.unit}") if line.unit else ""

    def payback(self, found: Payback) -> str:
        """The day, or why there is none."""
        return found.on.isoformat() if found.on is not None else self.t(f"payback.{found.reason}")

    def years(self, value: float | None, reason: str) -> str:
        """A planned payback time; its reason is told, never guessed."""
        if value is not None:
            return self.t("figure.years", value=f"{value:.2f}")
        return self.t("plan.no_outlay" if reason == "no_outlay" else "figure.never")

    def rule(self, check: Check) -> str:
        """What a rule found, with its evidence."""
        return rule_sentence(check, self.t)

    def mark(self, check: Check) -> str:
        """Passed, noted or failed."""
        return self.t("mark.ok" if check.passed else "mark.bad" if check.disqualifies else "mark.warn")

    def why(self, proof: Realized | NotProven) -> str:
        """Why a line is not proven."""
        if isinstance(proof, Realized):
            return ""
        if proof.reason == "rules_failed":
            return " ".join(f"{self.t(f'rule.{one.rule}.name')}: {self.rule(one)}" for one in proof.failed) or self.t(
                "reason.no_data"
            )
        return self.t(f"reason.{proof.reason}")

    def would_prove(self, proof: NotProven) -> str:
        """What would prove it."""
        if proof.reason == "rules_failed":
            return " ".join(rule_fix(one, self.t) for one in proof.failed) or self.t("prove.no_data")
        if proof.reason != "interval_contains_zero" or proof.estimate is None:
            return self.t(f"prove.{proof.reason}")
        if proof.days_needed is None:
            return self.t("prove.baseline_too_noisy")
        key = "effect_missed" if proof.days_needed <= proof.estimate.days else "interval_contains_zero"
        return self.t(f"prove.{key}", days=proof.days_needed, measured=proof.estimate.days)
