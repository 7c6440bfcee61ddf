"""Forecast to the end of the analysis: the measured effect goes on, with its error; no season and no growth invented.

A proven line's money a working day is carried on, in step with the plan's ramp-up. Its error has two parts: that of the
measured rate, the same on every day to come, and the noise of those days. Bounds of lines are added. Cost to come is
the plan's; harm by the system goes on as it was. Lines that are not proven bring nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.business_case import BenefitLine
from roi_tracker.realization.flows import Flow, Payback, discount, payback, present_value
from roi_tracker.realization.intervals import MoneyInterval, bounds_added
from roi_tracker.realization.projection import month_ends, year_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.proof.proving import Realized
    from roi_tracker.realization.projection import Projection

_ONE_SIDED = NormalDist().inv_cdf(0.95)
FULL_YEAR_DAYS = 365
Caveat = Literal["less_than_a_year", "unit_value_expires", "some_lines_not_proven", "ramp_up_is_the_plans"]


class LineForecast(msgspec.Struct, frozen=True):
    """A proven line to the end, undiscounted.

    Attributes:
        to_date: as it counts so far.
        to_come: from the day after the last measured one.
        per_day: money a working day at full effect.
    """

    benefit_id: str
    to_date: MoneyInterval
    to_come: MoneyInterval
    per_day: MoneyInterval


class Forecast(msgspec.Struct, frozen=True):
    """The programme at the end of the analysis, as far as it is measured today.

    Attributes:
        until: last day.
        npv: at completion, with a 90 % interval.
        npv_without_ramp_up: the same if the effect never grew beyond what was measured.
        benefit: undiscounted, to date and to come.
        cost: undiscounted, to date and to come, harm included.
        probability_npv_positive: normal approximation of the NPV's error.
        payback: expected; `payback_at_low` where every line does as its lower bound.
    """

    until: date
    npv: MoneyInterval
    npv_without_ramp_up: Decimal
    benefit: MoneyInterval
    cost: Decimal
    probability_npv_positive: float
    payback: Payback
    payback_at_low: Payback
    lines: tuple[LineForecast, ...]
    caveats: tuple[Caveat, ...]


class CountedLine(msgspec.Struct, frozen=True):
    """What the forecast takes of a proven, counted line.

    Attributes:
        shared: money that counts over the measured days.
        flows: its month-end increments: point, lower and upper.
        noise: standard deviation of the money of one day.
    """

    line: BenefitLine
    shared: MoneyInterval
    flows: tuple[tuple[date, MoneyInterval], ...]
    noise: Decimal


class _Ahead(msgspec.Struct, frozen=True):
    """A month to come: its last working day, weight of its days by ramp-up, and their number."""

    day: date
    weight: Decimal
    days: int


def counted_line(
    line: BenefitLine, proof: Realized, shared: MoneyInterval, flows: Sequence[tuple[date, MoneyInterval]]
) -> CountedLine:
    """A line as the forecast takes it; the noise of a day shrinks with what the line may count of its measurement."""
    found = proof.estimate
    per_unit = abs(shared.value / Decimal(repr(found.avoided))) if found.avoided else line.unit_value.amount
    daily = Decimal(repr(found.reporting_error)) / Decimal(max(found.days, 1)).sqrt()
    return CountedLine(line, shared, tuple(flows), daily * per_unit)


def forecast(
    projection: Projection,
    measured: Sequence[date],
    lines: Sequence[CountedLine],
    costs: Sequence[Flow],
    harm_to_date: Decimal,
) -> Forecast | None:
    """Carry the measured effect to the end; None where nothing is proven.

    Args:
        projection: the plan and its calendar.
        measured: working days measured, in order.
        lines: proven lines that count.
        costs: cost to date as negative flows, harm included.
        harm_to_date: of these, harm by the system itself.
    """
    if not measured or not lines:
        return None
    case, as_of, end = projection.case, measured[-1], max(projection.end, measured[-1])
    ahead = projection.working_days(as_of + timedelta(days=1), end)
    to_come = [Flow(cost.day, -cost.amount) for cost in projection.costs(end) if cost.day > as_of]
    share = Decimal(len(ahead)) / len(measured)
    if harm_to_date and ahead:
        to_come += [Flow(ahead[place], -harm_to_date * share * count / len(ahead)) for place, count in _months(ahead)]
    every_cost = [*costs, *to_come]
    forecasts, npvs, low_flows, flows, flat = [], [], list(every_cost), list(every_cost), Decimal(0)
    for one in lines:
        made = _line(projection, one, measured, ahead)
        forecasts.append(made.forecast)
        npvs.append(made.npv)
        flat += made.npv_flat
        flows += made.flows
        low_flows += made.low_flows
    cost_npv = present_value(case, every_cost)
    benefit = bounds_added(npvs)
    npv = MoneyInterval(benefit.value + cost_npv, benefit.low + cost_npv, benefit.high + cost_npv)
    return Forecast(
        until=end,
        npv=npv,
        npv_without_ramp_up=flat + cost_npv,
        benefit=bounds_added(bounds_added((one.to_date, one.to_come)) for one in forecasts),
        cost=-sum((flow.amount for flow in every_cost), Decimal(0)),
        probability_npv_positive=_probability(npv),
        payback=payback(flows, "never"),
        payback_at_low=payback(low_flows, "never"),
        lines=tuple(forecasts),
        caveats=_caveats(projection, measured, lines, end),
    )


class _Made(msgspec.Struct, frozen=True):
    forecast: LineForecast
    npv: MoneyInterval
    npv_flat: Decimal
    flows: list[Flow]
    low_flows: list[Flow]


def _line(projection: Projection, one: CountedLine, measured: Sequence[date], ahead: Sequence[date]) -> _Made:
    case, go_live = projection.case, projection.case.go_live
    weight = sum((one.line.ramp(year_of(day, go_live)) for day in measured), Decimal(0))
    reached = weight / len(measured)
    weight = weight or Decimal(len(measured))
    months = [
        _Ahead(
            ahead[place],
            sum((one.line.ramp(year_of(day, go_live)) for day in ahead[place + 1 - count : place + 1]), Decimal(0)),
            count,
        )
        for place, count in _months(ahead)
    ]
    rate = MoneyInterval(one.shared.value / weight, one.shared.low / weight, one.shared.high / weight)
    discounts = [discount(case, month.day) for month in months]
    discounted = sum((factor * month.weight for factor, month in zip(discounts, months, strict=True)), Decimal(0))
    noise = one.noise * sum((f**2 * m.days for f, m in zip(discounts, months, strict=True)), Decimal(0)).sqrt()
    plain = sum((month.weight for month in months), Decimal(0))
    days = Decimal(sum(month.days for month in months))
    come = _spread(rate, plain, one.noise * days.sqrt())
    come_npv = _spread(rate, discounted, noise)
    date_npv = MoneyInterval(
        *(
            sum((discount(case, day) * getattr(step, bound) for day, step in one.flows), Decimal(0))
            for bound in ("value", "low", "high")
        )
    )
    flat_rate = rate.value * reached
    flat = sum((f * m.days * flat_rate for f, m in zip(discounts, months, strict=True)), Decimal(0))
    return _Made(
        forecast=LineForecast(one.line.id, one.shared, come, rate),
        npv=bounds_added((date_npv, come_npv)),
        npv_flat=date_npv.value + flat,
        flows=[Flow(day, step.value) for day, step in one.flows]
        + [Flow(month.day, rate.value * month.weight) for month in months],
        low_flows=[Flow(day, step.low) for day, step in one.flows]
        + [Flow(month.day, rate.low * month.weight) for month in months],
    )


def _months(ahead: Sequence[date]) -> list[tuple[int, int]]:
    """Place of the last day of each month, and how many days it has."""
    ends = month_ends(ahead)
    return [(end, end - before) for before, end in zip([-1, *ends], ends, strict=False)]


def _spread(rate: MoneyInterval, weight: Decimal, noise: Decimal) -> MoneyInterval:
    """A rate over weighted days: the rate's error grows with the days, their own noise is independent of it."""
    value = rate.value * weight
    margin = noise * Decimal(repr(_ONE_SIDED))
    below = (((rate.value - rate.low) * weight) ** 2 + margin**2).sqrt()
    above = (((rate.high - rate.value) * weight) ** 2 + margin**2).sqrt()
    return MoneyInterval(value, value - below, value + above)


def _probability(npv: MoneyInterval) -> float:
    margin = npv.value - npv.low if npv.value > 0 else npv.high - npv.value
    if margin <= 0:
        return 1.0 if npv.value > 0 else 0.0
    return NormalDist().cdf(float(npv.value / margin) * _ONE_SIDED)


def _caveats(
    projection: Projection, measured: Sequence[date], lines: Sequence[CountedLine], end: date
) -> tuple[Caveat, ...]:
    go_live = projection.case.go_live
    counted = {one.line.id for one in lines}
    years = (year_of(measured[-1], go_live), year_of(end, go_live))
    found: dict[Caveat, bool] = {
        "less_than_a_year": (measured[-1] - measured[0]).days + 1 < FULL_YEAR_DAYS,
        "unit_value_expires": any(one.line.unit_value.valid_to < end for one in lines),
        "some_lines_not_proven": any(line.id not in counted for line in projection.case.benefits),
        "ramp_up_is_the_plans": any(one.line.ramp(years[0]) != one.line.ramp(years[1]) for one in lines),
    }
    return tuple(name for name, holds in found.items() if holds)
