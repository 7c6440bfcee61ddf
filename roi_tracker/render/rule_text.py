"""Rules and criteria as sentences of one language, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.baseline.pilot import CriterionResult
    from roi_tracker.baseline.rules import Check, Evidence
    from roi_tracker.render.catalogue import Catalogue

_SHARES = frozenset({"share", "required", "ratio", "low", "high", "limit"})
_RULE_SHARES = frozenset({"share", "required"})
"""Of the rules: `low`, `high` and `limit` are no ratios there."""
_LISTS = frozenset({"missing", "changed", "refused"})
"""Names of what is amiss; a dash stands for none."""
_WHOLE_FROM = 1000


def rule_sentence(check: Check, t: Catalogue) -> str:
    """What a rule found."""
    return t(f"rule.{check.rule}.{'passed' if check.passed else 'failed'}", **_places(check, t))


def rule_fix(check: Check, t: Catalogue) -> str:
    """What would make it pass."""
    return t(f"rule.{check.rule}.fix", **_places(check, t))


def criterion_sentence(result: CriterionResult, t: Catalogue) -> str:
    """How a criterion of the pilot stands."""
    places = {item.name: _written(item, t, shares=True) for item in result.evidence}
    return t(f"criterion.{result.criterion}.{result.state}", **places)


def term_words(names: Sequence[str], t: Catalogue) -> str:
    """What the baseline could not identify: our own terms in words, levels and the case's own names as they are."""
    return ", ".join(_term(name, t) for name in names)


def _term(name: str, t: Catalogue) -> str:
    term, equals, level = name.partition("=")
    units, _, product = name.partition(" ")
    if units == "units" and product:
        return t("term.units", product=product)
    return f"{t(f'term.{term}')}{equals}{level}" if f"term.{term}" in t.keys else name


def _places(check: Check, t: Catalogue) -> dict[str, str]:
    return {item.name: _written(item, t, shares=item.name in _RULE_SHARES) for item in check.evidence}


def _written(item: Evidence, t: Catalogue, *, shares: bool) -> str:
    value = item.value
    if isinstance(value, str):
        return _word(item.name, value, t)
    if isinstance(value, float) and shares and item.name in _SHARES:
        return percent(value)
    if isinstance(value, int):
        return f"{value:,}"
    return quantity(value)


def _word(name: str, value: str, t: Catalogue) -> str:
    """A code in words; any other text as it is."""
    if name in _LISTS and value == "-":
        return t("stated.none")
    if name == "bottleneck":
        return t(f"stated.{'unknown' if value == '-' else value}")
    group = {"measure": "measure", "valued_at": "hour_value", "benefit_class": "class"}.get(name)
    return t(f"{group}.{value}") if group and f"{group}.{value}" in t.keys else value


def percent(ratio: float) -> str:
    """A ratio as a percentage.

    >>> percent(0.0042), percent(0.5)
    ('0.42 %', '50 %')
    """
    value = 100 * ratio
    digits = 0 if abs(value) >= 10 else 1 if abs(value) >= 1 else 2  # noqa: PLR2004 - two figures that count
    return f"{value:,.{digits}f} %"


def quantity(value: float) -> str:
    """A physical quantity: whole from 1000 on."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:,.4g}"
