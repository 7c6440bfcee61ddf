"""What a unit as written means: money with its multiple, a ratio, or a physical quantity."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

import msgspec

from roi_tracker.errors import CaseError
from roi_tracker.money import UNIT_FACTORS

UnitKind = Literal["money", "ratio", "quantity"]

_KRW_MULTIPLES = frozenset({"원", "천원", "만원", "백만원", "억원"})
_WORDS = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_RATIOS = {"ratio": Decimal(1), "%": Decimal("0.01"), "pp": Decimal("0.01"), "%p": Decimal("0.01")}
_MISWRITTEN = re.compile(
    r"[십백천만억조]+원|[십백천만억조]*[십백천만억]|won|krw|usd|eur|jpy|\$|€|₩|원화", re.IGNORECASE
)
_PERCENT = re.compile(r"percent|pct|per cent|percentage|퍼센트|프로", re.IGNORECASE)
_CURRENCIES = frozenset({"KRW", "USD", "EUR", "JPY", "CNY", "GBP", "VND", "CHF", "INR", "TWD", "THB", "MXN", "IDR"})


class UnitMeaning(msgspec.Struct, frozen=True):
    """A unit's kind and the factor to its base: the currency itself for money, 1 for ratios (0.05, not 5 %)."""

    kind: UnitKind
    factor: Decimal


def unit_meaning(unit: str, currency: str) -> UnitMeaning:
    """Meaning of a unit in a case of one currency; what stands after `/` (per hour, per month) is for people.

    A word that is no money and no ratio is a count: `parts`, `h`, `kWh`, whatever people count.

    Raises:
        CaseError: another currency than the case's, or money or a percentage in words that nobody can be sure of.

    >>> unit_meaning("억원/year", "KRW").factor
    Decimal('100000000')
    >>> unit_meaning("%", "KRW"), unit_meaning("parts/month", "KRW").kind
    (UnitMeaning(kind='ratio', factor=Decimal('0.01')), 'quantity')
    """
    numerator = unit.split("/", maxsplit=1)[0].strip()
    if numerator in _RATIOS:
        return UnitMeaning("ratio", _RATIOS[numerator])
    if numerator in _KRW_MULTIPLES:
        _same("KRW", currency, unit)
        return UnitMeaning("money", Decimal(UNIT_FACTORS[numerator]))  # type: ignore[index] # narrowed by the set
    words = re.split(r"\s+", numerator)
    codes = [word for word in words if word in _CURRENCIES or word == currency]
    if not codes:
        _check_count(numerator, currency, unit)
        return UnitMeaning("quantity", Decimal(1))
    _same(codes[0], currency, unit)
    multiples = [word.lower() for word in words if word != codes[0]]
    if len(codes) > 1 or len(multiples) > 1 or not _WORDS.keys() >= set(multiples):
        raise _unclear(currency, unit)
    factor = Decimal(_WORDS[multiples[0]] if multiples else 1)
    return UnitMeaning("money", factor)


def _check_count(word: str, currency: str, unit: str) -> None:
    if _PERCENT.fullmatch(word):
        raise CaseError(f"the unit {unit!r} is not read as a percentage", field="unit", value=unit, hint="write %")
    if any(_MISWRITTEN.fullmatch(part) for part in word.split()):
        raise _unclear(currency, unit)


def _unclear(currency: str, unit: str) -> CaseError:
    known = "원, 천원, 만원, 백만원, 억원, KRW" if currency == "KRW" else currency
    return CaseError(
        f"the unit {unit!r} looks like money and is none that is known",
        field="unit",
        value=unit,
        hint=f"write {known}, or thousand, million, billion {currency}",
    )


def _same(found: str, currency: str, unit: str) -> None:
    if found != currency:
        raise CaseError(
            f"a unit in {found} in a case in {currency}",
            field="unit",
            value=unit,
            hint=f"convert it at a stated rate and write it in {currency}",
        )
