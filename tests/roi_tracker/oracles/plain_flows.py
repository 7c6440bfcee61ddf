"""What a case's flows are, by plain loops over its numbers: a second reading of the definitions, not of the code.

Tax is computed as the law does, on nominal amounts, and turned back into the prices of the flows.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.roi_tracker.oracles.case_numbers import Benefit, CaseNumbers, TaxRule, Way

Flows = dict[Fraction, float]
"""Net flow of each moment, in years after t0."""


@dataclass(frozen=True)
class Payment:
    """Capital at a moment; `share` of the first capital, negative for a residual value."""

    time: Fraction
    share: Fraction


@dataclass(frozen=True)
class Factors:
    """What all benefits, capital and running costs are multiplied with."""

    benefits: float = 1.0
    capital: float = 1.0
    running: float = 1.0


def net_flows(case: CaseNumbers, way: Way, factors: Factors) -> Flows:
    """Net flows of a case counted one way."""
    times = operating_times(case, way)
    found: Flows = {}
    for payment in payments(case, way):
        _add(found, payment.time, -_paid(case, way, payment, factors))
    benefits, running = _benefits(case, way), _running(case)
    net = [
        (benefits[p] * factors.benefits - running[p] * factors.running) * _index(case, way, times[p])
        for p in range(case.periods)
    ]
    due = _tax(case, way, factors, net) if way.headline == "after_tax" and case.tax is not None else [0.0] * len(net)
    for time, value, tax in zip(times, net, due, strict=True):
        _add(found, time, value - tax)
    return dict(sorted(found.items()))


def option_flows(case: CaseNumbers, index: int) -> Flows | None:
    """Flows of an alternative; None where the case states nothing."""
    one = case.options[index]
    if one.flows is not None:
        return {Fraction(year): value * one.flows.factor for year, value in enumerate(one.flows.values)}
    if one.amounts is None:
        return None
    capital, running, benefit = (stated.values[0] * stated.factor for stated in one.amounts)
    found = {Fraction(0): -capital}
    for time in operating_times(case, case.way):
        found[time] = (benefit - running) / case.per_year * _index(case, case.way, time)
    return found


def operating_times(case: CaseNumbers, way: Way) -> list[Fraction]:
    """When benefits and running costs fall."""
    if way.operations == "dated":
        return [Fraction((_later(case.start, months) - case.start).days, 365) for months in _month_ends(case)]
    back = Fraction(1, 2) if way.operations == "mid_year" else Fraction(0)
    return [(period + 1 - back) / case.per_year for period in range(case.periods)]


def payments(case: CaseNumbers, way: Way) -> list[Payment]:
    """First capital, renewals and residual values."""
    first: list[Payment] = []
    whole = Fraction(sum(case.phasing) or 1)
    if way.capital == "t0" or not case.phasing:
        first.append(Payment(Fraction(0), Fraction(1)))
    elif way.capital == "dated":
        for day, part in zip(case.paid_on, case.phasing, strict=True):
            first.append(Payment(Fraction((day - case.start).days, 365), Fraction(part) / whole))
    else:
        into = {"start_of_period": Fraction(0), "mid_period": Fraction(1, 2), "end_of_period": Fraction(1)}[way.capital]
        for period, part in enumerate(case.phasing):
            if part:
                first.append(Payment((period + into) / case.per_year, Fraction(part) / whole))
    found = list(first)
    rule = case.renewal
    for one in first if rule is not None else []:
        assert rule is not None
        time = one.time + rule.life_years
        while time < case.years:
            share = one.share * Fraction(str(rule.share))
            found.append(Payment(time, share))
            ends = time + rule.life_years
            if ends > case.years and rule.residual == "straight_line":
                found.append(Payment(Fraction(case.years), -share * (ends - case.years) / rule.life_years))
            time = ends
    return found


def _month_ends(case: CaseNumbers) -> list[int]:
    step = 1 if case.monthly else 12
    return [step * (period + 1) for period in range(case.periods)]


def _later(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def _add(found: Flows, time: Fraction, amount: float) -> None:
    found[time] = found.get(time, 0.0) + amount


def _inflation(case: CaseNumbers) -> float:
    return case.inflation.values[0] * case.inflation.factor if case.inflation is not None else 0.0


def _index(case: CaseNumbers, way: Way, time: Fraction) -> float:
    """From the file's prices to those of the flows."""
    grown: float = (1 + _inflation(case)) ** float(time)
    if (way.prices, way.discount_basis) == ("constant", "nominal"):
        return grown
    return 1 / grown if (way.prices, way.discount_basis) == ("current", "real") else 1.0


def _nominal(case: CaseNumbers, way: Way, time: Fraction) -> float:
    """From the prices of the flows to money of the day."""
    real = way.discount_basis == "real" or (way.discount_basis is None and way.prices == "constant")
    grown: float = (1 + _inflation(case)) ** float(time)
    return grown if real else 1.0


def _paid(case: CaseNumbers, way: Way, payment: Payment, factors: Factors) -> float:
    total = sum(one.values[0] * one.factor for one in case.capital)
    if case.contingency is not None and case.contingency[1] is False:
        total *= 1 + case.contingency[0] / 100
    return total * float(payment.share) * _index(case, way, payment.time) * factors.capital


def _running(case: CaseNumbers) -> list[float]:
    found = [0.0] * case.periods
    for one in case.running:
        for period in range(case.periods):
            amount = one.amount.at(period, case.per_year, case.periods)
            if one.share is not None:
                amount *= one.share.at(period, case.per_year, case.periods)
            found[period] += amount * (1 + one.growth) ** (period // case.per_year) / case.per_year
    return found


def _benefits(case: CaseNumbers, way: Way) -> list[float]:
    found = [0.0] * case.periods
    for one in case.benefits:
        if one.benefit_class not in way.counted:
            continue
        for period in range(case.periods):
            year = period // case.per_year
            reached = one.ramp[year] if year < len(one.ramp) else one.ramp[-1]
            found[period] += _yearly(case, one, period) * reached / case.per_year
    return found


def _yearly(case: CaseNumbers, one: Benefit, period: int) -> float:
    def at(part: str, when: int = period) -> float:
        return one.parts[part].at(when, case.per_year, case.periods)

    found = 0.0
    match one.shape:
        case "product":
            found = at("units") * at("price")
        case "drop":
            found = (at("before") - at("after")) * at("volume") * at("price")
        case "floor":
            gain, loss = at("gain"), at("loss")
            found = (gain - loss if gain > loss else 0.0) + min(gain, loss) / 2
        case "stock":
            found = sum(at("units", earlier) for earlier in range(period + 1)) * at("price")
        case "delayed":
            found = (at("units", period - 2) if period >= 2 else 0.0) * at("price") + at("base")
        case "squared":
            found = at("units") * at("price") * at("index") * at("index")
        case "by_ratio":
            found = at("baseline") * at("ratio") * at("worth")
        case "by_quantity":
            found = at("quantity") * at("worth")
    return found


def _tax(case: CaseNumbers, way: Way, factors: Factors, net: list[float]) -> list[float]:
    rule = case.tax
    assert rule is not None
    times = operating_times(case, way)
    written = [0.0] * case.periods
    shares = written_off(rule)
    for payment in payments(case, way):
        if payment.share < 0:
            continue  # a disposal at book value
        nominal = _paid(case, way, payment, factors) * _nominal(case, way, payment.time)
        begins = -(-payment.time * case.per_year // 1)
        for period in range(int(begins), case.periods):
            age = (period - int(begins)) // case.per_year
            if age < rule.life_years:
                written[period] += nominal * shares[age] / case.per_year
    rate = rule.rate.values[0] * rule.rate.factor
    due: list[float] = []
    losses = 0.0
    for period, time in enumerate(times):
        result = net[period] * _nominal(case, way, time) - written[period]
        if rule.losses == "set_off":
            due.append(result * rate / _nominal(case, way, time))
            continue
        used = result - losses
        losses = -used if used < 0 else 0.0
        due.append((used * rate if used > 0 else 0.0) / _nominal(case, way, time))
    return due


def written_off(rule: TaxRule) -> list[float]:
    """Share of capital written off in each year of its life."""
    life, found = rule.life_years, list[float]()
    left = 1.0
    for year in range(life):
        if rule.depreciation == "straight_line":
            found.append((1 - rule.salvage) / life)
        elif rule.depreciation == "sum_of_years":
            found.append((1 - rule.salvage) * (life - year) / sum(range(1, life + 1)))
        else:
            falling, even = left * rule.declining_factor / life, (left - rule.salvage) / (life - year)
            found.append(min(max(falling, even), left - rule.salvage))
            left -= found[-1]
    return found
