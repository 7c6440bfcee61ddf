"""The report as one self-contained web page: no script, no outside asset, light and dark, prints on A4."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import jinja2

from roi_tracker.money import Money, format_money, unit_factor, unit_label
from roi_tracker.render.catalogue import Catalogue, catalogue
from roi_tracker.render.curve import chart

if TYPE_CHECKING:
    from roi_tracker.baseline.sufficiency import Check, Evidence
    from roi_tracker.money import Language
    from roi_tracker.report.model import Report

_SHARES = frozenset({"share", "required"})
_FEW = 10
_MINUS = "\N{MINUS SIGN}"

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("roi_tracker.render", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Wording:
    """Writes figures for people in one language; the template calls nothing else."""

    def __init__(self, report: Report, words: Catalogue) -> None:
        self._report = report
        self._words = words

    def money(self, amount: Decimal) -> str:
        """An amount in the report's display unit."""
        return format_money(Money(amount, self._report.currency), self._words.language, self._report.display_unit)

    def exact(self, amount: Decimal) -> str:
        """An amount in the currency itself, for unit values and ledgers."""
        return format_money(Money(amount, self._report.currency), self._words.language)

    def axis(self, amount: Decimal) -> str:
        """A figure of the chart's axis; its unit stands once above."""
        return f"{_MINUS if amount < 0 else ''}{abs(amount).normalize():,f}"

    @property
    def axis_factor(self) -> int:
        """What one unit of the axis is in the currency."""
        return unit_factor(self._report.display_unit, self._words.language)

    @property
    def axis_unit(self) -> str:
        """The unit of the axis in words."""
        return unit_label(self._report.currency, self._report.display_unit, self._words.language)

    def percent(self, ratio: float | Decimal | None) -> str:
        """A ratio as a percentage without decimals; one below 10 %."""
        if ratio is None:
            return self._words("figure.none")
        value = Decimal(repr(float(ratio))) * 100
        places = Decimal("0.1") if abs(value) < _FEW else Decimal(1)
        rounded = value.quantize(places, rounding=ROUND_HALF_UP)
        return f"{_MINUS if rounded < 0 else ''}{abs(rounded):,} %"

    def quantity(self, value: float) -> str:
        """A physical quantity: whole from 100, else one decimal."""
        digits = 0 if abs(value) >= _FEW**2 else 1
        text = f"{abs(value):,.{digits}f}"
        return f"{_MINUS}{text}" if value < 0 and text.strip("0.,") else text

    def years(self, value: float | None) -> str:
        """A payback time."""
        return self._words("figure.never") if value is None else self._words("figure.years", value=f"{value:.2f}")

    def check(self, check: Check) -> str:
        """What a rule found, with its evidence."""
        places = {item.name: self._evidence(item) for item in check.evidence}
        return self._words(f"rule.{check.rule}.{'passed' if check.passed else 'failed'}", **places)

    def fix(self, check: Check) -> str:
        """What would make a failed rule pass."""
        return self._words(f"rule.{check.rule}.fix", **{item.name: self._evidence(item) for item in check.evidence})

    def _evidence(self, item: Evidence) -> str:
        value = item.value
        if isinstance(value, str):
            return self._words(f"measure.{value}") if item.name == "measure" else value
        if isinstance(value, int):
            return f"{value:,}"
        if item.name in _SHARES:
            return self.percent(value)
        return f"{value:,.2f}" if abs(value) < _FEW**3 else f"{value:,.0f}"


def render_page(report: Report, language: Language, *, nonce: str = "", portal: bool = False) -> str:
    """The page.

    Args:
        report: what to say.
        language: in which words.
        nonce: of the portal's content security policy; empty for a file.
        portal: True adds links to the other language and to the downloads.
    """
    words = catalogue(language)
    wording = Wording(report, words)
    curve = chart(report.go_live, report.realization.curve, wording.axis_factor, wording.axis)
    return _environment.get_template("report.html").render(
        report=report,
        real=report.realization,
        t=words,
        w=wording,
        lang=language,
        other="en" if language == "ko" else "ko",
        chart=curve,
        nonce=nonce,
        portal=portal,
    )
