"""Random business cases, one a seed. Imports nothing of the engine."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tests.roi_tracker.oracles.case_numbers import (
    Benefit,
    CaseNumbers,
    Demand,
    Option,
    Renewal,
    Running,
    Shape,
    Stated,
    TaxRule,
    Way,
)

SHAPES: tuple[Shape, ...] = ("product", "drop", "floor", "stock", "delayed", "squared", "by_ratio", "by_quantity")
_CLASSES = ("cashable", "redeployed", "released", "indirect")
_MONEY_UNITS = {
    "KRW": (("원", 1.0), ("만원", 1e4), ("억원", 1e8)),
    "USD": (("USD", 1.0), ("thousand USD", 1e3), ("million USD", 1e6)),
}


def random_case(seed: int) -> CaseNumbers:
    """The case of a seed."""
    return _Draw(seed).case()


class _Draw:
    """Draws the parts of one case."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = rng = random.Random(seed)
        self.monthly = rng.random() < 0.25
        self.years = rng.randint(1, 4) if self.monthly else rng.randint(1, 12)
        self.currency = rng.choice(("KRW", "KRW", "USD"))
        self.periods = self.years * (12 if self.monthly else 1)

    def case(self) -> CaseNumbers:
        rng = self.rng
        tax = self._tax() if rng.random() < 0.6 else None
        way = self._way(taxed=tax is not None)
        needs_inflation = (way.prices, way.discount_basis) in {("constant", "nominal"), ("current", "real")}
        start = date(rng.randint(2023, 2028), 1, 1) + timedelta(days=rng.randrange(365))
        phasing, paid_on = self._phasing(way.capital, start)
        scale = rng.randint(200, 9_000)
        return CaseNumbers(
            seed=self.seed,
            currency=self.currency,
            display_unit=rng.choice(
                ("원", "만원", "백만원", "억원") if self.currency == "KRW" else ("1", "thousand", "million")
            ),
            rate=self._ratio(0, 20),
            start=start,
            years=self.years,
            monthly=self.monthly,
            way=way,
            inflation=self._ratio(0, 6) if needs_inflation or rng.random() < 0.4 else None,
            finance_rate=rng.choice((None, 0.05, 0.1)),
            reinvestment_rate=rng.choice((None, 0.03, 0.12)),
            tax=tax,
            renewal=self._renewal() if rng.random() < 0.45 else None,
            bias=(-rng.randint(0, 40) / 100, rng.randint(0, 60) / 100, rng.randint(0, 40) / 100)
            if rng.random() < 0.3
            else None,
            capital=tuple(self._money(rng.randint(1, scale)) for _ in range(rng.randint(1, 3))),
            contingency=(rng.randint(1, 30), rng.choice((True, False, None))) if rng.random() < 0.5 else None,
            phasing=phasing,
            paid_on=paid_on,
            running=tuple(self._running(number, scale) for number in range(rng.randint(0, 3))),
            benefits=tuple(self._benefit(number, scale) for number in range(rng.randint(1, 5))),
            scenarios={
                "conservative": (rng.randint(50, 80) / 100, 1.0),
                "realistic": (1.0, 1.0),
                "optimistic": (rng.randint(110, 150) / 100, rng.randint(80, 100) / 100),
                "worst": (rng.randint(0, 50) / 100, rng.randint(100, 140) / 100),
            },
            options=tuple(self._option(number, scale) for number in range(rng.randint(0, 3))),
            rule=tuple(self._demand() for _ in range(rng.randint(0, 5))),
        )

    def _way(self, *, taxed: bool) -> Way:
        rng = self.rng
        dated = rng.random() < 0.2
        return Way(
            capital="dated" if dated else rng.choice(("t0", "t0", "start_of_period", "mid_period", "end_of_period")),
            operations="dated" if dated else rng.choice(("year_end", "year_end", "mid_year")),
            counted=tuple(rng.sample(_CLASSES, rng.randint(1, 4))),
            headline="after_tax" if taxed and rng.random() < 0.8 else "before_tax",
            prices=rng.choice(("constant", "current")),
            discount_basis=rng.choice(("real", "nominal", None)),
        )

    def _phasing(self, capital: str, start: date) -> tuple[tuple[float, ...], tuple[date, ...]]:
        rng = self.rng
        if capital == "dated":
            days = sorted(rng.sample(range(1, 365 * self.years), rng.randint(0, 2)))
            on = (start, *(start + timedelta(days=day) for day in days))
            return tuple(float(rng.randint(1, 60)) for _ in on), on
        if capital == "t0" and rng.random() < 0.5:
            return (), ()
        shares = [float(rng.choice((0, 1, 2, 3, 5))) for _ in range(rng.randint(1, min(4, self.periods)))]
        return (shares[0] + 1, *shares[1:]), ()

    def _tax(self) -> TaxRule:
        rng = self.rng
        return TaxRule(
            rate=self._ratio(5, 35),
            depreciation=rng.choice(("straight_line", "declining_balance", "sum_of_years")),
            life_years=rng.randint(1, 8),
            declining_factor=rng.choice((1.5, 2.0, 2.5)),
            salvage=rng.choice((0.0, 0.1, 0.25)),
            losses=rng.choice(("carried_forward", "set_off")),
        )

    def _renewal(self) -> Renewal:
        rng = self.rng
        return Renewal(rng.randint(1, 6), rng.randint(20, 150) / 100, rng.choice(("straight_line", "none")))

    def _ratio(self, low: int, high: int) -> Stated:
        tenths = self.rng.randint(low * 10, high * 10)
        return self.rng.choice((Stated((tenths / 10,), "%", 0.01), Stated((tenths / 1000,), "ratio", 1.0)))

    def _money(self, thousands: float, shape: int = 1) -> Stated:
        """About `thousands` thousand of the currency's small unit (만원 in KRW), in any unit."""
        unit, factor = self.rng.choice(_MONEY_UNITS[self.currency])
        base = thousands * (1e4 if self.currency == "KRW" else 1e3)
        values = tuple(
            round(base / factor * (1 if shape == 1 else self.rng.randint(40, 160) / 100), 6) for _ in range(shape)
        )
        return Stated(values, f"{unit}/year" if shape > 1 else unit, factor)

    def _quantity(self, low: int, high: int) -> Stated:
        rng = self.rng
        length = rng.choice((1, self.years, self.periods))
        return Stated(tuple(float(rng.randint(low, high)) for _ in range(length)), "parts/year", 1.0)

    def _running(self, number: int, scale: int) -> Running:
        rng = self.rng
        amount = self._money(rng.randint(1, scale // 4), rng.choice((1, self.years, self.periods)))
        share = self._ratio(1, 40) if rng.random() < 0.3 else None
        return Running(f"run_{number}", amount, share, rng.choice((0.0, 0.03, -0.05, 0.12)))

    def _benefit(self, number: int, scale: int) -> Benefit:
        rng = self.rng
        shape = rng.choice(SHAPES)
        worth = rng.randint(1, scale)  # of the whole line a year, about
        units = self._quantity(100, 900)
        price = self._money(worth / 500 / (self.periods if shape == "stock" else 1))
        growth = rng.randint(80, 120) / 100
        parts = {
            "product": {"units": units, "price": price},
            "drop": {
                "before": Stated((rng.randint(30, 60) / 10,), "%", 0.01),
                "after": Stated((rng.randint(1, 29) / 1000,), "ratio", 1.0),
                "volume": self._quantity(9_000, 30_000),
                "price": price,
            },
            "floor": {"gain": self._money(worth, self.years), "loss": self._money(worth / 2)},
            "stock": {"units": units, "price": price},
            "delayed": {"units": units, "price": price, "base": self._money(worth / 3)},
            "squared": {"units": units, "price": price, "index": Stated((growth,), "ratio", 1.0)},
            "by_ratio": {
                "baseline": Stated((float(rng.randint(1_000, 9_000)),), "defect/year", 1.0),
                "ratio": self._ratio(1, 90),
                "worth": Stated((float(rng.randint(1, worth + 1)),), self.currency, 1.0),
            },
            "by_quantity": {
                "quantity": Stated((float(rng.randint(100, 900)),), "defect/year", 1.0),
                "worth": Stated((float(rng.randint(1, 10 * worth)),), self.currency, 1.0),
            },
        }[shape]
        ramp = tuple(rng.choice((0.0, 0.25, 0.5, 0.8, 1.0, 1.1)) for _ in range(rng.randint(1, 3)))
        return Benefit(f"line_{number}", shape, rng.choice(_CLASSES), ramp, parts)

    def _option(self, number: int, scale: int) -> Option:
        rng = self.rng
        kind = rng.choice(("flows", "amounts", "nothing"))
        if kind == "flows":
            unit, factor = self.rng.choice(_MONEY_UNITS[self.currency])
            values = (-float(rng.randint(1, scale)), *(float(rng.randint(-30, scale)) for _ in range(self.years)))
            return Option(f"option-{number}", Stated(values, unit, factor), None)
        if kind == "amounts":
            sizes = (scale, max(2, scale // 9), scale)
            capital, running, benefit = (self._money(rng.randint(1, size)) for size in sizes)
            return Option(f"option-{number}", None, (capital, running, benefit))
        return Option(f"option-{number}", None, None)

    def _demand(self) -> Demand:
        rng = self.rng
        figure, limit = rng.choice(
            (
                ("npv", 0.0),
                ("irr", 0.15),
                ("mirr", 0.1),
                ("payback_years", 2.0),
                ("discounted_payback_years", 3.0),
                ("roi", 0.2),
                ("profitability_index", 1.0),
            )
        )
        scenario = rng.choice(("conservative", "realistic", "optimistic", "worst"))
        return Demand(figure, rng.choice((">", ">=", "<", "<=")), limit, scenario)
