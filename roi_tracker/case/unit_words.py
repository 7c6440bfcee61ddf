"""A figure with its unit as readers of one language write it: 28.8억원/년, KRW 2,880 million/year, 445 %."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.money import UNIT_FACTORS, fitting_unit, reader_unit, unit_label

if TYPE_CHECKING:
    from roi_tracker.money import Language, Unit

_GROUPED_FROM = 1_000
_SIGNIFICANT = 4
_MINUS = "\N{MINUS SIGN}"
_HUNDRED = Decimal(100)
_POINTS = {"pp": {"ko": "%p", "en": " pp"}, "%p": {"ko": "%p", "en": " pp"}}
_KOREAN_COUNTS = {
    "years": "년", "months": "개월", "days": "일", "h": "시간", "hours": "시간", "parts": "개", "part": "개",
    "people": "명", "person": "명", "defects": "건", "defect": "건", "ticket": "건", "tickets": "건",
    "order": "건", "orders": "건", "times": "회", "enquiries": "건", "min": "분",
}  # fmt: skip
_KOREAN_PER = _KOREAN_COUNTS | {"year": "년", "month": "월", "week": "주", "day": "일", "hour": "시간"}
_PLURALS = frozenset({"years", "months", "days", "hours", "parts", "defects", "tickets", "orders", "times"})
_WORDS: dict[str, Unit] = {"thousand": "thousand", "million": "million", "billion": "billion"}


def figure_text(value: float | Decimal | None, unit: str, language: Language) -> str:
    """Write a figure.

    Args:
        value: in `unit`; None is a dash.
        unit: as a case writes it: `억원/year`, `thousand USD`, `ratio`, `pp`, `parts/month`, `years`.
        language: Korean keeps myriads (억원, 만원); English writes the code and counts in millions.

    >>> figure_text(28.8, "억원/year", "en"), figure_text(28.8, "억원/year", "ko")
    ('KRW 2,880 million/year', '28.8억원/년')
    >>> figure_text(30, "만원", "en"), figure_text(0.3, "million KRW", "ko"), figure_text(262778, "KRW", "ko")
    ('KRW 300 thousand', '30만원', '262,778원')
    >>> figure_text(1, "years", "en"), figure_text(1.5, "years", "en")
    ('1 year', '1.5 years')
    >>> figure_text(4.45, "ratio", "ko"), figure_text(-3.8, "pp", "en"), figure_text(2024, "year", "en")
    ('445 %', '\N{MINUS SIGN}3.8 pp', '2024')
    """
    if value is None:
        return "\N{EN DASH}"
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    head, *per = [part.strip() for part in unit.split("/")]
    behind = "".join(f"/{_KOREAN_PER.get(one, one) if language == 'ko' else one}" for one in per)
    sign = _MINUS if number < 0 else ""
    parts = _parts(abs(number), head, language, alone=True)
    return f"{sign}{parts.before}{parts.figure}{parts.behind}{behind}"


def unit_text(unit: str, language: Language) -> str:
    """A unit alone, as `figure_text` writes it behind a figure.

    >>> unit_text("억원/year", "en"), unit_text("h/month", "ko")
    ('KRW million/year', '시간/월')
    >>> unit_text("KRW/part", "ko")
    '원/개'
    """
    head, *per = [part.strip() for part in unit.split("/")]
    money = _money_unit(head)
    if money is not None:
        shown = unit_label(money[0], _table_unit(*money, language), language)
    elif head == "ratio":
        shown = "%"
    else:
        shown = _POINTS[head][language].strip() if head in _POINTS else _counted(head, language)
    return "/".join((shown, *(_KOREAN_PER.get(one, one) if language == "ko" else one for one in per)))


def bare_text(value: float | Decimal | None, unit: str, language: Language) -> str:
    """A figure whose unit stands elsewhere, in the unit `unit_text` names; percentages keep their sign.

    >>> bare_text(28.8, "억원/year", "en"), bare_text(0.45, "ratio", "en"), bare_text(None, "", "ko")
    ('2,880', '45 %', '\N{EN DASH}')
    """
    if value is None:
        return "\N{EN DASH}"
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    parts = _parts(abs(number), unit.split("/", maxsplit=1)[0].strip(), language)
    return (_MINUS if number < 0 else "") + parts.figure + (" %" if parts.behind == " %" else "")


def shown_value(value: float | None, unit: str, language: Language) -> float | None:
    """A figure as a number in the unit that `unit_text` names.

    >>> shown_value(28.8, "억원/year", "en"), shown_value(28.8, "억원/year", "ko"), shown_value(0.45, "ratio", "en")
    (2880.0, 28.8, 45.0)
    """
    head = unit.split("/", maxsplit=1)[0].strip()
    if value is None:
        return None
    if head == "ratio":
        return float(Decimal(repr(value)) * _HUNDRED)
    money = _money_unit(head)
    if money is None:
        return value
    return float(Decimal(repr(value)) * UNIT_FACTORS[money[1]] / UNIT_FACTORS[_table_unit(*money, language)])


class _Parts(msgspec.Struct, frozen=True):
    """A figure taken apart: currency before it, digits, unit behind it."""

    before: str
    figure: str
    behind: str


def _parts(number: Decimal, head: str, language: Language, *, alone: bool = False) -> _Parts:
    """Take a figure apart; one that stands alone is counted by its own size, others in one unit for all."""
    if head == "year":
        return _Parts("", f"{number:.0f}", "년" if language == "ko" else "")
    if head in {"ratio", "%"}:
        return _Parts("", _digits(number * (_HUNDRED if head == "ratio" else 1)), " %")
    if head in _POINTS:
        return _Parts("", _digits(number), _POINTS[head][language])
    money = _money_unit(head)
    if money is not None:
        unit = _table_unit(*money, language)
        if alone:
            unit = fitting_unit(*money, language, number * UNIT_FACTORS[money[1]])
        return _money(number, money, unit, language)
    if head == "years":
        number = round(number, 2)
    close = not head or (language == "ko" and head in _KOREAN_COUNTS)
    counted = _counted(head, language)
    if language == "en" and number == 1 and head in _PLURALS:
        counted = head.removesuffix("s")
    return _Parts("", _digits(number), f"{'' if close else ' '}{counted}")


def _counted(head: str, language: Language) -> str:
    return _KOREAN_COUNTS.get(head, head) if language == "ko" else head


def _money_unit(head: str) -> tuple[str, Unit] | None:
    """Currency and multiple of a unit of money; None for anything else."""
    if head in UNIT_FACTORS and head.endswith("원"):
        return "KRW", next(unit for unit in UNIT_FACTORS if unit == head)
    words = head.split()
    codes = [word for word in words if re.fullmatch("[A-Z]{3}", word)]
    if len(codes) != 1:
        return None
    return codes[0], next((_WORDS[word.lower()] for word in words if word.lower() in _WORDS), "1")


def _table_unit(currency: str, unit: Unit, language: Language) -> Unit:
    """The unit of figures whose unit stands elsewhere: small cases, those in 만원, keep their digits in English."""
    return "thousand" if language == "en" and unit == "만원" else reader_unit(currency, unit, language)


def _money(number: Decimal, money: tuple[str, Unit], unit: Unit, language: Language) -> _Parts:
    currency, stated = money
    factor = Decimal(UNIT_FACTORS[unit]) / UNIT_FACTORS[stated]
    # rounded as in the case's own unit, so that both languages show the same figure
    text = _digits(number / factor, factor)
    if language == "ko" and currency == "KRW":
        return _Parts("", text, unit)
    return _Parts(f"{currency} ", text, unit_label(currency, unit, language).removeprefix(currency))


def _digits(number: Decimal, factor: Decimal = Decimal(1)) -> str:
    """Four digits that count, all of them before the point; grouped.

    Args:
        number: not negative.
        factor: to the unit whose digits count.
    """
    own = number * factor
    if own >= _GROUPED_FROM:
        rounded = own.quantize(Decimal(1))
    else:
        places = _SIGNIFICANT - 1 - (own.adjusted() if own else 0)
        rounded = round(own, places)
    text = f"{rounded / factor:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
