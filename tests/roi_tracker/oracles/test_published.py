"""Figures that others have published, as they printed them; each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
import pyxirr

from roi_tracker.appraisal import irr, mirr, npv

_NUMPY = "numpy-financial, tests/test_financial.py"
_EXCEL = "Microsoft, documentation of the Excel function"
_CALC = "LibreOffice, help of Calc's financial functions"


def _decimals(*flows: float) -> list[Decimal]:
    return [Decimal(repr(flow)) for flow in flows]


@dataclass(frozen=True)
class Published:
    """Flows at equal steps and the rate that somebody printed, to `digits` decimals."""

    flows: tuple[float, ...]
    rate: float
    digits: int
    source: str


IRRS = (
    Published((-150000, 15000, 25000, 35000, 45000, 60000), 0.0524, 4, _NUMPY),
    Published((-100, 0, 0, 74), -0.0955, 4, _NUMPY),
    Published((-100, 39, 59, 55, 20), 0.28095, 5, _NUMPY),
    Published((-100, 100, 0, 7), 0.06206, 5, _NUMPY),
    Published((-1678.87, 771.96, 1814.05, 3520.30, 3552.95, 3584.99, 4789.91), 1.00426, 4, f"{_NUMPY}, issue 44"),
    Published((-70000, 12000, 15000, 18000, 21000), -0.021, 3, f"{_EXCEL} IRR, four years"),
    Published((-70000, 12000, 15000, 18000, 21000, 26000), 0.087, 3, f"{_EXCEL} IRR, five years"),
    Published((-70000, 12000, 15000), -0.444, 3, f"{_EXCEL} IRR, two years"),
)


@pytest.mark.parametrize("case", IRRS, ids=lambda case: case.source)
def test_irr(case: Published) -> None:
    found = irr(_decimals(*case.flows))
    assert found.value is not None
    assert found.value == pytest.approx(case.rate, abs=0.51 * 10**-case.digits)


SEVERAL = (
    Published((-100, 100, 0, -7), -0.0833, 4, _NUMPY),
    Published((-5, 10.5, 1, -8, 1), 0.0886, 4, _NUMPY),
    Published((-5, 10.5, 1, -8, 1, 0, 0, 0), 0.0886, 4, f"{_NUMPY}, trailing zeros"),
    Published(
        (-1678.87, 771.96, 1814.05, 3520.30, 3552.95, 3584.99, 4789.91, -1), 1.00426, 4, f"{_NUMPY}, issue 44, whole"
    ),
)


@pytest.mark.parametrize("case", SEVERAL, ids=lambda case: case.source)
def test_where_others_print_one_of_several_roots_all_are_listed(case: Published) -> None:
    found = irr(_decimals(*case.flows))
    assert found.value is None
    assert found.reason == "several_roots"
    assert any(root == pytest.approx(case.rate, abs=0.51 * 10**-case.digits) for root in found.roots)


def test_falling_flows_that_turn_negative_have_a_second_root() -> None:
    """Source: numpy-financial, issue 39: two outlays, then income falling by 7,336.84 a year; 12 % is printed."""
    falling = [108466.80462450592 - 7336.84023144530 * year for year in range(25)]
    found = irr(_decimals(-217500.0, -217500.0, *falling))
    assert found.reason == "several_roots"
    assert any(root == pytest.approx(0.12, abs=1e-7) for root in found.roots)


def test_income_that_fades_to_nothing() -> None:
    """Source: numpy-financial, issue 15: 3,000 against 2.4e-7 and ever less; about -0.9999999990596069 is printed."""
    fading = (
        2.3926932267015667e-07,
        4.1672087103345505e-16,
        5.3965110036378706e-25,
        5.1962551071806174e-34,
        3.7202955645436402e-43,
        1.9804961711632469e-52,
        7.8393517651814181e-62,
        2.3072565113911438e-71,
        5.0491839233308912e-81,
        8.2159177668499263e-91,
        9.9403244366963527e-101,
        8.942410813633967e-111,
        5.9816122646481191e-121,
        2.9750309031844241e-131,
        1.1002067043497954e-141,
        3.0252876563518021e-152,
    )
    found = irr(_decimals(-3000.0, *fading))
    assert found.value is not None
    assert 1 + found.value == pytest.approx(1 - 0.9999999990596069, rel=1e-6)


@pytest.mark.parametrize("flows", [(1, 2, 3), (-1, -2, -3), (40000, 5000, 8000, 12000, 30000)])
def test_no_sign_change_no_rate(flows: tuple[float, ...]) -> None:
    """Source: numpy-financial, issue 6744 and its errors for flows of one sign."""
    assert irr(_decimals(*flows)).reason == "no_sign_change"
    assert mirr(_decimals(*flows), (Decimal("0.1"), Decimal("0.12"))) is None


@pytest.mark.parametrize(
    ("flows", "finance", "reinvestment", "rate", "digits"),
    [
        ((-4500, -800, 800, 800, 600, 600, 800, 800, 700, 3000), "0.08", "0.055", "0.066597175031553548874239618", 24),
        ((-120000, 39000, 30000, 21000, 37000, 46000), "0.10", "0.12", "0.126094130365905145828421880", 24),
        ((100, 200, -50, 300, -200), "0.05", "0.06", "0.342823387842176663647819868", 24),
        ((-120000, 39000, 30000, 21000), "0.10", "0.12", "-0.048", 3),
        ((-120000, 39000, 30000, 21000, 37000, 46000), "0.10", "0.14", "0.13476", 5),
    ],
)
def test_mirr(flows: tuple[float, ...], finance: str, reinvestment: str, rate: str, digits: int) -> None:
    """Sources: the first three numpy-financial, in decimals; the others Microsoft, documentation of MIRR."""
    found = mirr(_decimals(*flows), (Decimal(finance), Decimal(reinvestment)))
    assert found is not None
    assert abs(found - Decimal(rate)) < Decimal(1).scaleb(-digits)


def test_npv_from_t0() -> None:
    """Sources: numpy-financial (the last in decimals) and Microsoft, documentation of NPV, its second example."""
    assert float(npv(_decimals(-40000, 5000, 8000, 12000, 30000), Decimal("0.08"))) == pytest.approx(3065.22267)
    shop = _decimals(-40000, 8000, 9200, 10000, 12000, 14500)
    assert float(npv(shop, Decimal("0.08"))) == pytest.approx(1922.06, abs=0.005)
    assert float(npv([*shop, Decimal(-9000)], Decimal("0.08"))) == pytest.approx(-3749.47, abs=0.005)
    exact = npv(_decimals(-15000, 1500, 2500, 3500, 4500, 6000), Decimal("0.05"))
    assert abs(exact - Decimal("122.894854950942692161628715")) < Decimal("1e-20")


def test_excels_npv_discounts_its_first_flow() -> None:
    """Source: Microsoft, documentation of NPV, first example: -10,000 at the end of year 1, 10 %, 1,188.44."""
    flows = _decimals(-10000, 3000, 4200, 6800)
    times = [Decimal(year) for year in range(1, 5)]
    assert float(npv(flows, Decimal("0.1"), times)) == pytest.approx(1188.44, abs=0.005)
    assert float(npv(flows, Decimal("0.1"))) == pytest.approx(1188.44 * 1.1, abs=0.01)


@dataclass(frozen=True)
class Dated:
    """Dated flows with a printed XIRR."""

    days: tuple[date, ...]
    flows: tuple[float, ...]
    rate: float
    within: float
    source: str


DATED = (
    Dated(
        (date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15), date(2009, 4, 1)),
        (-10000, 2750, 4250, 3250, 2750),
        0.373362535,
        1e-8,
        f"{_EXCEL} XIRR",
    ),
    Dated(
        (date(1992, 1, 1), date(1992, 3, 1), date(1992, 10, 30), date(1993, 2, 15), date(1993, 4, 1)),
        (-10000, 2750, 4250, 3250, 2750),
        0.373363,
        1e-6,
        "Microsoft, article Q116041: the example of 1992, also a leap year",
    ),
    Dated(
        (date(2001, 1, 1), date(2001, 2, 1), date(2001, 3, 15), date(2001, 5, 12), date(2001, 8, 10)),
        (-10000, 2000, 2500, 5000, 1000),
        0.1828,
        5e-5,
        f"{_CALC}, XIRR",
    ),
    Dated(
        (date(2008, 2, 5), date(2008, 7, 5), date(2009, 1, 5)),
        (-2750, 1000, 2000),
        0.124,
        5e-4,
        "OpenOffice wiki, Calc: XIRR function",
    ),
    Dated(
        (date(1991, 2, 1), date(1991, 5, 1), date(1991, 10, 1), date(1992, 2, 1), date(1992, 4, 1)),
        (-12000, 2800, 3250, 4460, 5000),
        0.3632,
        5e-5,
        "SS spreadsheet, user guide, XIRR",
    ),
    Dated(
        (date(2010, 12, 29), date(2012, 1, 25), date(2012, 3, 8)),
        (-10000, 20, 10100),
        0.01006126516492058,
        1e-9,
        "xlcalculator, tests of XIRR: its guess of -0.99 leads to the only root",
    ),
)


def _years(days: tuple[date, ...]) -> list[Decimal]:
    return [Decimal((day - days[0]).days) / 365 for day in days]


@pytest.mark.parametrize("case", DATED, ids=lambda case: case.source)
def test_xirr(case: Dated) -> None:
    found = irr(_decimals(*case.flows), _years(case.days))
    assert found.value is not None
    assert found.value == pytest.approx(case.rate, abs=case.within)
    assert found.value == pytest.approx(pyxirr.xirr(case.days, case.flows), abs=1e-9)


@pytest.mark.parametrize(
    ("case", "rate", "value", "within"),
    [(DATED[0], "0.09", 2086.647602, 1e-6), (DATED[2], "0.06", 323.02, 5e-3)],
    ids=["Excel XNPV", "LibreOffice XNPV"],
)
def test_xnpv(case: Dated, rate: str, value: float, within: float) -> None:
    assert float(npv(_decimals(*case.flows), Decimal(rate), _years(case.days))) == pytest.approx(value, abs=within)


def test_payments_in_any_order() -> None:
    """Excel: after the first, dates may occur in any order."""
    case = DATED[0]
    turned = irr(_decimals(*reversed(case.flows)), list(reversed(_years(case.days))))
    assert turned == irr(_decimals(*case.flows), _years(case.days))


def test_a_zero_at_the_start_changes_nothing() -> None:
    """Excel's XIRR fails on a zero as its first value; here a zero flow is none."""
    case = DATED[0]
    zero = irr([Decimal(0), *_decimals(*case.flows)], [Decimal(-1), *_years(case.days)])
    assert zero.value == pytest.approx(case.rate, abs=1e-8)


def test_almost_everything_lost_has_two_rates() -> None:
    """Source: pyxirr, sample minus_0_993: it prints -99.3 %; a later payment of 3 makes a second rate, -99.96 %."""
    days = (date(2021, 6, 8), date(2022, 6, 29), date(2023, 6, 8))
    found = irr(_decimals(-1000000, 5000, -3), _years(days))
    assert found.reason == "several_roots"
    assert found.roots == pytest.approx((-0.9995965225, -0.9937850499), abs=1e-9)
    for root in found.roots:
        values = [flow * (1 + root) ** -float(at) for flow, at in zip((-1e6, 5e3, -3.0), _years(days), strict=True)]
        assert abs(sum(values)) < 1e-6 * max(map(abs, values))
