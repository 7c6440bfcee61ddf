from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.errors import MoneyError
from roi_tracker.money import Money, format_money, parse_money


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1억 2,345만원", 123_450_000),
        ("3.5억원", 350_000_000),
        ("5천만원", 50_000_000),
        ("1조 2억원", 1_000_200_000_000),
        ("만원", None),
        ("₩1,000", 1_000),
        ("-120만원", -1_200_000),
        ("△120만원", -1_200_000),
        ("(1,000원)", -1_000),
        ("KRW 3.5 million", 3_500_000),
        ("1,23원", None),
        ("2만 1억원", None),
        ("abc원", None),
        ("", None),
    ],
)
def test_parse(text: str, amount: int | None) -> None:
    if amount is None:
        with pytest.raises(MoneyError):
            parse_money(text, "KRW")
    else:
        assert parse_money(text, "KRW") == Money(Decimal(amount), "KRW")


def test_a_currency_is_needed_and_must_agree() -> None:
    with pytest.raises(MoneyError, match="without a currency"):
        parse_money("1,000")
    with pytest.raises(MoneyError, match="USD where KRW"):
        parse_money("$5", "KRW")
    with pytest.raises(MoneyError, match="cannot combine"):
        _ = Money(Decimal(1), "KRW") + Money(Decimal(1), "USD")


def test_formats_as_each_reader_expects() -> None:
    money = Money(Decimal("123454999.5"), "KRW")
    assert format_money(money, "ko") == "123,455,000원"
    assert format_money(money, "ko", "만원") == "12,345만원"
    assert format_money(money, "ko", "억원") == "1.2억원"
    assert format_money(money, "en", "억원") == "KRW 123.5 million"
    assert format_money(Money(Decimal("0.005"), "USD"), "en") == "USD 0.01"


@given(st.integers(-(10**14), 10**14))
def test_what_is_written_in_won_is_read_back(amount: int) -> None:
    money = Money(Decimal(amount), "KRW")
    assert parse_money(format_money(money, "ko")) == money
