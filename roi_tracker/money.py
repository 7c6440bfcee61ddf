"""Amounts of money: exact decimals with a currency, read and written as Korean and English readers expect.

Nothing is rounded before it is shown. This file imports nothing of the package but its errors.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

import msgspec

from roi_tracker.errors import MoneyError

Language = Literal["ko", "en"]
Unit = Literal["원", "천원", "만원", "백만원", "억원", "1", "thousand", "million", "billion"]

UNIT_FACTORS: dict[Unit, int] = {
    "원": 1,
    "천원": 1_000,
    "만원": 10_000,
    "백만원": 1_000_000,
    "억원": 100_000_000,
    "1": 1,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
}
_MINOR_DIGITS = {"KRW": 0, "JPY": 0, "VND": 0}
_SYMBOLS = {"₩": "KRW", "원": "KRW", "$": "USD", "€": "EUR", "¥": "JPY", "£": "GBP"}
_NO_DECIMALS_FROM = 1_000
_KOREAN_MYRIADS = {"조": 10**12, "억": 10**8, "만": 10**4}
_KOREAN_THOUSANDS = {"천": 1_000, "백": 100}
_ENGLISH_WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "k": 10**3, "m": 10**6, "bn": 10**9}
_ENGLISH_UNITS: dict[Unit, Unit] = {
    "원": "1",
    "천원": "thousand",
    "만원": "million",
    "백만원": "million",
    "억원": "million",
}
_KOREAN_UNITS: dict[Unit, Unit] = {"1": "원", "thousand": "천원", "million": "백만원", "billion": "억원"}
_ENGLISH_SIZES: tuple[Unit, ...] = ("billion", "million", "thousand", "1")
_KOREAN_GROUP = re.compile(r"([\d,]*\.?\d*)\s*([천백]?)\s*([조억만]?)")


class Money(msgspec.Struct, frozen=True):
    """An exact amount in one currency (ISO 4217 code).

    >>> Money(Decimal("1.5"), "KRW") + Money(Decimal("2"), "KRW")
    Money(amount=Decimal('3.5'), currency='KRW')
    """

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def times(self, factor: Decimal | float) -> Money:
        """Multiply by a number; a float enters through its shortest decimal form, not its binary tail."""
        return Money(self.amount * (Decimal(repr(factor)) if isinstance(factor, float) else factor), self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise MoneyError(
                f"cannot combine {self.currency} and {other.currency}",
                hint="convert one of them at a stated rate first",
            )
        return other


def parse_money(text: str, currency: str | None = None) -> Money:
    """Read an amount as people write it.

    Args:
        text: digits with thousands commas; Korean 조, 억, 만, 천, 백 groups; English thousand, million, billion, k,
            m, bn; a symbol or an ISO code before or after.
        currency: used when the text names none.

    Raises:
        MoneyError: not an amount, no currency, or one that contradicts `currency`.

    >>> parse_money("1억 2,345만원").amount
    Decimal('123450000')
    >>> parse_money("KRW 3.5 million")
    Money(amount=Decimal('3500000.0'), currency='KRW')
    """
    body = text.strip()
    negative = body.startswith(("-", "\N{MINUS SIGN}", "△")) or (body.startswith("(") and body.endswith(")"))
    body = body.strip("()").lstrip("-\N{MINUS SIGN}△").strip()
    found: str | None = None
    for symbol, code in _SYMBOLS.items():
        if symbol in body:
            found, body = code, body.replace(symbol, " ")
    iso = re.search(r"\b[A-Z]{3}\b", body)
    if iso is not None:
        found, body = iso.group(), body.replace(iso.group(), " ")
    body = body.strip()
    chosen = found or currency
    if chosen is None:
        raise MoneyError(
            "an amount without a currency", field="amount", value=text, hint="write 원, ₩ or a code like KRW"
        )
    if currency is not None and chosen != currency:
        raise MoneyError(
            f"{chosen} where {currency} is expected", field="amount", value=text, hint=f"state it in {currency}"
        )
    amount = _korean(body) if re.search("[조억만천백]", body) else _western(body)
    if amount is None:
        raise MoneyError(
            "not an amount of money", field="amount", value=text, hint="for example 1억 2,345만원 or KRW 3.5 million"
        )
    return Money(-amount if negative else amount, chosen)


def _number(digits: str) -> Decimal | None:
    if not re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?", digits):
        return None
    try:
        return Decimal(digits.replace(",", ""))
    except InvalidOperation:  # pragma: no cover - the pattern admits only decimals
        return None


def _western(body: str) -> Decimal | None:
    match = re.fullmatch(r"([\d,.]+)\s*([a-z]*)", body.lower())
    if match is None:
        return None
    number = _number(match.group(1))
    word = match.group(2)
    if number is None or (word and word not in _ENGLISH_WORDS):
        return None
    return number * _ENGLISH_WORDS.get(word, 1)


def _korean(body: str) -> Decimal | None:
    total = Decimal(0)
    last_scale = 10**16
    position = 0
    while position < len(body):
        match = _KOREAN_GROUP.match(body, position)
        if match is None or match.end() == position:
            return None
        digits, thousands, myriad = match.groups()
        number = Decimal(1) if not digits and thousands else _number(digits)
        scale = _KOREAN_THOUSANDS.get(thousands, 1) * _KOREAN_MYRIADS.get(myriad, 1)
        if number is None or scale >= last_scale:
            return None
        total += number * scale
        last_scale = scale
        position = match.end()
        while position < len(body) and body[position] == " ":
            position += 1
    return total


def format_money(money: Money, language: Language, unit: Unit | None = None, digits: int | None = None) -> str:
    """Write an amount for people, rounded half up at this moment only.

    Args:
        money: what to show.
        language: `ko` writes the unit behind (`1,235만원`), `en` the code before (`KRW 12.35 million`).
        unit: display unit; None for the currency itself.
        digits: decimals; None for the currency's own without a unit, else 0 at 1,000 units or more and 1 below.

    >>> format_money(Money(Decimal(123_450_000), "KRW"), "ko", "억원", 2)
    '1.23억원'
    >>> format_money(Money(Decimal(-123_450_000), "KRW"), "en", "억원")
    '\N{MINUS SIGN}KRW 123.5 million'
    """
    shown = None if unit is None else reader_unit(money.currency, unit, language)
    factor = UNIT_FACTORS[shown] if shown is not None else 1
    value = money.amount / factor
    if digits is None:
        digits = _MINOR_DIGITS.get(money.currency, 2) if factor == 1 else (0 if abs(value) >= _NO_DECIMALS_FROM else 1)
    rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    sign = "\N{MINUS SIGN}" if rounded < 0 else ""
    figure = f"{abs(rounded):,}"
    if language == "ko" and money.currency == "KRW":
        return f"{sign}{figure}{shown or '원'}"
    word = f" {shown}" if shown not in (None, "1", "원") else ""
    return f"{sign}{money.currency} {figure}{word}"


def unit_factor(currency: str, unit: Unit, language: Language) -> int:
    """What one display unit is in the currency, for readers of a language.

    >>> unit_factor("KRW", "만원", "en"), unit_factor("KRW", "million", "ko")
    (1000000, 1000000)
    """
    return UNIT_FACTORS[reader_unit(currency, unit, language)]


def unit_label(currency: str, unit: Unit, language: Language) -> str:
    """A display unit in words, for the head of an axis or column.

    >>> unit_label("KRW", "억원", "en"), unit_label("KRW", "억원", "ko")
    ('KRW million', '억원')
    """
    word = reader_unit(currency, unit, language)
    if language == "ko" and currency == "KRW":
        return word
    return currency if word in {"1", "원"} else f"{currency} {word}"


def reader_unit(currency: str, unit: Unit, language: Language) -> Unit:
    """The unit in which readers of a language count what a case states in `unit`.

    English readers do not count in myriads: 만원 and 억원 become millions, 천원 thousands. Korean readers of won never
    see an English word, and never the bare unit "1": a figure with "1" behind it would read as ten times as much.

    >>> reader_unit("KRW", "1", "ko"), reader_unit("KRW", "billion", "ko"), reader_unit("USD", "million", "ko")
    ('원', '억원', 'million')
    """
    if language == "en":
        return _ENGLISH_UNITS.get(unit, unit)
    return _KOREAN_UNITS.get(unit, unit) if currency == "KRW" else unit


def fitting_unit(currency: str, unit: Unit, language: Language, least: Decimal) -> Unit:
    """The largest unit, at most as large as the reader's, in which an amount is still a whole one.

    Readers of the language in which the case states its unit keep that unit, Koreans also 원 where it states none.

    Args:
        currency: of the case.
        unit: the case's display unit.
        language: of the reader.
        least: an amount in the currency, not negative; zero says nothing about a unit.

    >>> fitting_unit("KRW", "만원", "en", Decimal(300_000)), fitting_unit("KRW", "million", "ko", Decimal(300_000_000))
    ('thousand', '억원')
    """
    own = reader_unit(currency, unit, language)
    won = language == "ko" and currency == "KRW"
    if not least or own in {"1", "원"} or (won and unit == own):
        return own
    if won:
        sizes: tuple[Unit, ...] = ("억원", "만원", "원")
    else:
        sizes = tuple(one for one in _ENGLISH_SIZES if UNIT_FACTORS[one] <= UNIT_FACTORS[own])
    return next((one for one in sizes if least >= UNIT_FACTORS[one]), sizes[-1])
