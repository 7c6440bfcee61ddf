"""Cash-flow sheet: for each scenario the flows of every moment, and each indicator as a live formula of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.appraisal.cash_flows import CashFlows, cash_flows
from roi_tracker.appraisal.taxation import depreciation, loss_kept, taxes
from roi_tracker.case.units import unit_meaning
from roi_tracker.render.workbook_cells import MONEY, NUMBER, RATIO, YEARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.appraisal.model import Model
    from roi_tracker.appraisal.scenarios import Appraisal
    from roi_tracker.render.appraisal_wording import AppraisalWording
    from roi_tracker.render.appraisal_workbook_inputs import Inputs
    from roi_tracker.render.workbook_cells import Book

_HALF = Decimal("0.5")
_NEAR_TOTAL_LOSS = -0.99
_NOTHING_LEFT = -1 + 1e-6
"""Below this a cell cannot hold the rate closely enough to put it back into the flows."""
NONE = "\N{EN DASH}"
"""Stands where a figure does not exist."""
_EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheet dates."""


class Indicators(msgspec.Struct, frozen=True):
    """Where a scenario stands: references to its indicators by name, and to its rows.

    Attributes:
        times, flows, totals: net flows and their running total.
        capital_times, capital: payments of capital.
        periods: times of operations; with `prices` of each, `benefits` and `opex`.
        factors: cells of the scenario's factor of benefits and of costs.
        depreciation, tax: by period; empty where the flows are before tax.
        capital_paid: payments of capital as computed.
    """

    cells: dict[str, str]
    times: str
    flows: str
    totals: str
    capital_times: str
    capital: str
    periods: str
    prices: str
    benefits: str
    opex: str
    factors: tuple[str, str]
    depreciation: str = ""
    tax: str = ""
    capital_paid: tuple[float, ...] = ()


class FlowSheet:
    """Writes one block a scenario, below one another."""

    def __init__(self, book: Book, w: AppraisalWording, model: Model, inputs: Inputs) -> None:
        self._w, self._model, self._case, self._inputs = w, model, model.case, inputs
        self._unit = w.factor
        self.sheet = book.sheet(w.t("sheet.flows"))
        self._next = 0

    def scenario(self, name: str, found: Appraisal, factors: tuple[str, str]) -> Indicators:
        """Write a scenario.

        Args:
            name: of the scenario.
            found: its figures, the cached values.
            factors: cells that hold the factor of benefits and of costs.
        """
        case, own = self._case, self._case.conventions
        flows = cash_flows(case, self._model.exact(), getattr(case.scenarios, name), own)
        if self._next:
            self.sheet.break_before(self._next)
        self.sheet.text(self._next, 0, self._w.t(f"scenario.{name}"), strong=True)
        self._next += 1
        capital = self._capital(flows, factors[1])
        operating = self._operating(flows, factors, capital)
        return self._merged(found, flows, (capital, factors), operating)

    def _row(
        self, label: str, values: Sequence[Decimal | float | str], formulas: Sequence[str], look: str = MONEY
    ) -> int:
        row = self._next
        self._next += 1
        self.sheet.text(row, 0, label)
        for index, (value, formula) in enumerate(zip(values, formulas, strict=True)):
            self.sheet.formula(row, 1 + index, formula, value, look)
        return row

    def _fixed(self, label: str, values: Sequence[Decimal], look: str = NUMBER) -> int:
        row = self._next
        self._next += 1
        self.sheet.text(row, 0, label)
        for index, value in enumerate(values):
            self.sheet.fixed(row, 1 + index, value, look)
        return row

    def _at(self, row: int, index: int) -> str:
        return self.sheet.at(row, 1 + index).rpartition("!")[2]

    def _range(self, row: int, count: int) -> str:
        return self.sheet.across(row, 1, count).rpartition("!")[2]

    def _price(self, row: int, times: Sequence[Decimal], label: str) -> int:
        own = self._case.conventions
        power = {("constant", "nominal"): "", ("current", "real"): "-"}.get((own.prices, own.discount_basis or ""))
        if power is None or own.inflation is None:
            return self._fixed(label, [Decimal(1) for _ in times])
        growth = 1 + self._case.money(own.inflation)
        values = [growth ** (-time if power else time) for time in times]
        formulas = [f"(1+inflation)^({power}{self._at(row, index)})" for index in range(len(times))]
        return self._row(label, values, formulas, NUMBER)

    def _capital(self, flows: CashFlows, factor: str) -> tuple[int, int]:
        """Rows of the payments' times and amounts."""
        t, slots = self._w.t, flows.schedule.capital
        times = self._fixed(f"{t('sheet.capital')}: {t('sheet.time')}", [slot.time for slot in slots])
        shares = self._fixed(t("sheet.share"), [slot.share for slot in slots])
        prices = self._price(times, [slot.time for slot in slots], t("sheet.price"))
        formulas = [
            f"capital*{self._at(shares, index)}*{self._at(prices, index)}*{factor}" for index in range(len(slots))
        ]
        amounts = self._row(t("cost.capex"), [money / self._unit for money in flows.capital], formulas)
        return times, amounts

    def _operating(self, flows: CashFlows, factors: tuple[str, str], capital: tuple[int, int]) -> dict[str, int]:
        t, own, count = self._w.t, self._case.conventions, self._case.period_count
        self.sheet.heads(self._next, ["", *self._inputs.labels], repeat=False)
        self._next += 1
        rows = {"times": self._fixed(t("sheet.time"), flows.schedule.operations)}
        prices = rows["prices"] = self._price(rows["times"], flows.schedule.operations, t("sheet.price"))
        span = range(count)
        rows["benefits"] = self._row(
            t("benefit.title"),
            [money / self._unit for money in flows.benefits],
            [f"({self._inputs.counted(own.counted, p)})*{self._at(prices, p)}*{factors[0]}" for p in span],
        )
        rows["opex"] = self._row(
            t("cost.opex"),
            [money / self._unit for money in flows.opex],
            [f"{self._inputs.opex(p)}*{self._at(prices, p)}*{factors[1]}" for p in span],
        )
        rows["net"] = rows["operating"] = self._row(
            t("sheet.operating"),
            [money / self._unit for money in flows.operating],
            [f"{self._at(rows['benefits'], p)}-{self._at(rows['opex'], p)}" for p in span],
        )
        if own.headline == "after_tax" and own.tax is not None:
            self._tax(flows, capital, rows)
        return rows

    def _tax(self, flows: CashFlows, capital: tuple[int, int], rows: dict[str, int]) -> None:
        t, own, count = self._w.t, self._case.conventions, self._case.period_count
        tax = own.tax
        if tax is None:
            return
        slots = len(flows.schedule.capital)
        weights = []
        for slot in range(slots):
            one = np.array([Decimal(int(index == slot)) for index in range(slots)])
            written = depreciation(self._case, replace(flows, capital=one), own, Decimal)
            weights.append(self._fixed(f"{t('sheet.weights')} {slot + 1}", list(written)))
        written = depreciation(self._case, flows, own, Decimal) / self._unit
        terms = [
            "+".join(f"{self._at(w, p)}*{self._at(capital[1], s)}" for s, w in enumerate(weights)) for p in range(count)
        ]
        down = rows["depreciation"] = self._row(t("account.depreciation"), list(written), terms)
        taxable = self._row(
            t("sheet.taxable"),
            list(flows.operating / self._unit - written),
            [f"{self._at(rows['operating'], p)}-{self._at(down, p)}" for p in range(count)],
        )
        ratio = tax.rate.amount * unit_meaning(tax.rate.unit, self._case.currency).factor
        rate_row = self._next
        self._next += 1
        self.sheet.text(rate_row, 0, t("conv.tax"))
        self.sheet.number(rate_row, 1, ratio, RATIO)
        rate = self._at(rate_row, 0)
        due = [money / self._unit for money in taxes(self._case, flows, own, Decimal)]
        if tax.losses == "set_off":
            formulas = [f"{self._at(taxable, p)}*{rate}" for p in range(count)]
        else:
            kept, carried = loss_kept(self._case, own, flows.schedule.operations), [Decimal(0)]
            for result, left in zip(flows.operating / self._unit - written, kept, strict=True):
                carried.append(min(carried[-1] * left + result, Decimal(0)))
            here, when = self._next, rows["times"]
            before = ["0", *(self._at(here, p) for p in range(count - 1))]
            if set(kept) != {Decimal(1)}:
                steps = (f"({self._at(when, p)}-{self._at(when, p + 1)})" for p in range(count - 1))
                before[1:] = [f"{loss}*(1+inflation)^{step}" for loss, step in zip(before[1:], steps, strict=True)]
            self._row(
                t("sheet.carried"), carried[1:], [f"MIN({self._at(taxable, p)}+{before[p]},0)" for p in range(count)]
            )
            formulas = [f"MAX({self._at(taxable, p)}+{before[p]},0)*{rate}" for p in range(count)]
        rows["tax"] = self._row(t("account.tax"), due, formulas)
        net = [money / self._unit - paid for money, paid in zip(flows.operating, due, strict=True)]
        rows["net"] = self._row(
            t("account.operating_cash_flow"),
            net,
            [f"{self._at(rows['operating'], p)}-{self._at(rows['tax'], p)}" for p in range(count)],
        )

    def _merged(
        self,
        found: Appraisal,
        flows: CashFlows,
        spent: tuple[tuple[int, int], tuple[str, str]],
        rows: dict[str, int],
    ) -> Indicators:
        capital, factors = spent
        t, count, case = self._w.t, len(found.times), self._case
        slots, periods = len(flows.schedule.capital), case.period_count
        times = self._fixed(t("sheet.time"), found.times)
        net = [flow / self._unit for flow in found.flows]
        paid_at = [slot.time for slot in flows.schedule.capital]
        earned_at = list(flows.schedule.operations)
        joined: list[str] = []
        for time in found.times:  # which payments meet at a moment is a matter of dates, not of amounts
            paid = [f"-{self._at(capital[1], i)}" for i, one in enumerate(paid_at) if one == time]
            earned = [f"+{self._at(rows['net'], i)}" for i, one in enumerate(earned_at) if one == time]
            joined.append("".join((*paid, *earned)) or "0")
        flow = self._row(t("flow.net"), net, joined)
        total = self._running(t("flow.cumulative"), net, flow)
        present = [value / (1 + case.rate) ** time for value, time in zip(net, found.times, strict=True)]
        pv = self._row(
            t("sheet.pv"), present, [f"{self._at(flow, i)}/(1+rate)^{self._at(times, i)}" for i in range(count)]
        )
        discounted = self._running(t("sheet.discounted"), present, pv)
        crossings = [
            self._crossings(f"{t('sheet.crossing')} {number}", values, (times, row, source), found.times)
            for number, (values, row, source) in enumerate(((net, total, flow), (present, discounted, pv)), 1)
        ]
        span_flow, span_time = self._range(flow, count), self._range(times, count)
        paid_out = f"(SUM({self._range(capital[1], slots)})+SUM({self._range(rows['opex'], periods)})"
        paid_out += f"+SUM({self._range(rows['tax'], periods)}))" if "tax" in rows else ")"
        capital_pv = f"SUMPRODUCT({self._range(capital[1], slots)}/(1+rate)^{self._range(capital[0], slots)})"
        never, no_outlay = (self._w.years(None, reason) for reason in ("never", "no_outlay"))
        cells = {
            "npv": self._indicator("NPV", self._npv(found, flow, times), found.npv / self._unit, MONEY),
            "irr": self._irr(found, net, flow, times),
            "mirr": self._indicator("MIRR", _mirr(span_flow, span_time), _cached(found.mirr), RATIO),
        }
        labels = (t("head.payback"), t("scenario.discounted"))
        values = (
            (found.payback_years, found.payback_reason),
            (found.discounted_payback_years, found.discounted_payback_reason),
        )
        for key, label, (value, reason), row, crossing in zip(
            ("payback", "discounted"), labels, values, (total, discounted), crossings, strict=True
        ):
            reached = f'IF({self._at(row, count - 1)}<0,"{never}",MAX({self._range(crossing, count)}))'
            formula = f'IF(MIN({self._range(row, count)})>=0,"{no_outlay}",{reached})'
            cells[key] = self._indicator(label, formula, self._w.years(None, reason) if value is None else value, YEARS)
        cells["roi"] = self._indicator("ROI", f"SUM({span_flow})/{paid_out}", _cached(found.roi), RATIO)
        npv = cells["npv"].rpartition("!")[2]
        pi = self._indicator(t("scenario.pi"), f"1+{npv}/{capital_pv}", _cached(found.profitability_index), YEARS)
        cells["pi"] = pi
        self._next += 1
        return Indicators(
            cells,
            self.sheet.across(times, 1, count),
            self.sheet.across(flow, 1, count),
            self.sheet.across(total, 1, count),
            capital_times=self.sheet.across(capital[0], 1, slots),
            capital=self.sheet.across(capital[1], 1, slots),
            periods=self.sheet.across(rows["times"], 1, periods),
            prices=self.sheet.across(rows["prices"], 1, periods),
            benefits=self.sheet.across(rows["benefits"], 1, periods),
            opex=self.sheet.across(rows["opex"], 1, periods),
            factors=factors,
            depreciation=self.sheet.across(rows["depreciation"], 1, periods) if "depreciation" in rows else "",
            tax=self.sheet.across(rows["tax"], 1, periods) if "tax" in rows else "",
            capital_paid=tuple(float(money / self._unit) for money in flows.capital),
        )

    def _running(self, label: str, values: Sequence[Decimal], source: int) -> int:
        here = self._next
        formulas = [
            self._at(source, i) if i == 0 else f"{self._at(here, i - 1)}+{self._at(source, i)}"
            for i in range(len(values))
        ]
        return self._row(label, list(accumulate(values)), formulas)

    def _crossings(
        self, label: str, values: Sequence[Decimal], rows: tuple[int, int, int], times: Sequence[Decimal]
    ) -> int:
        """Moments at which the running total turns non-negative; the last one is the payback."""
        time, total, source = rows
        sums = list(accumulate(values))
        cached: list[Decimal | str] = [""]
        formulas = ['""']
        for i in range(1, len(values)):
            turned = sums[i - 1] < 0 <= sums[i]
            cached.append(times[i - 1] + (times[i] - times[i - 1]) * -sums[i - 1] / values[i] if turned else "")
            before, after = self._at(total, i - 1), self._at(total, i)
            step = f"({self._at(time, i)}-{self._at(time, i - 1)})*(0-{before})/{self._at(source, i)}"
            formulas.append(f'IF(AND({before}<0,{after}>=0),{self._at(time, i - 1)}+{step},"")')
        return self._row(label, cached, formulas, YEARS)

    def _npv(self, found: Appraisal, flow: int, times: int) -> str:
        count = len(found.times)
        yearly = [Decimal(year) for year in range(count + 1)]
        if list(found.times) == yearly[:count] and count > 1:  # Excel's NPV discounts its first flow by one period
            rest = self.sheet.across(flow, 2, count).rpartition("!")[2]
            return f"{self._at(flow, 0)}+NPV(rate,{rest})"
        if list(found.times) == yearly[1:]:
            return f"NPV(rate,{self._range(flow, count)})"
        return f"SUMPRODUCT({self._range(flow, count)}/(1+rate)^{self._range(times, count)})"

    def _irr(self, found: Appraisal, net: Sequence[Decimal], flow: int, times: int) -> str:
        value, count = found.irr.value, len(found.times)
        if value is None:
            row = self._next
            self._next += 1
            self.sheet.text(row, 0, "IRR")
            self.sheet.text(row, 1, self._w.irr(found.irr))
            self.sheet.note(row, self._w.irr_note(found.irr), 2)
            return self.sheet.at(row, 1)
        steps = {later - earlier for earlier, later in zip(found.times, found.times[1:], strict=False)}
        if len({round(step, 12) for step in steps}) == 1:
            step = f"{float(steps.pop()):.15g}"
            guess = _guess((1 + value) ** float(step) - 1)
            formula = f"(1+IRR({self._range(flow, count)},{guess}))^(1/{step})-1"
            return self._indicator("IRR", formula, value, RATIO)
        if all(time % _HALF == 0 for time in found.times):
            return self._irr_on_grid(found, net, flow, value)
        if self._case.conventions.operations == "dated":
            start = self._case.start_date
            days = [start + timedelta(days=round(time * 365)) for time in found.times]
            row = self._fixed("XIRR", [Decimal((day - _EPOCH).days) for day in days], "yyyy-mm-dd")
            formula = f"XIRR({self._range(flow, count)},{self._range(row, count)},{_guess(value)})"
            return self._indicator("IRR", formula, value, RATIO)
        row = self._next
        self._next += 1
        self.sheet.text(row, 0, "IRR")
        self.sheet.fixed(row, 1, value, RATIO)
        self.sheet.note(row, self._w.t("sheet.static"), 2)
        span = self._range(flow, count)
        if value > _NOTHING_LEFT:
            factors = f"(1+{self._at(row, 0)})^{self._range(times, count)}"
            at_rate, whole = (f"SUMPRODUCT({part}/{factors})" for part in (span, f"ABS({span})"))
            self.sheet.formula(row, 3, f"ROUND({at_rate}/{whole},6)", 0.0, NUMBER)  # the rate makes the flows zero
        return self.sheet.at(row, 1)

    def _irr_on_grid(self, found: Appraisal, net: Sequence[Decimal], flow: int, value: float) -> str:
        """Flows at whole and half years, laid on half-year steps, because IRR takes equal steps only."""
        first = found.times[0]
        cells = int((found.times[-1] - first) / _HALF) + 1
        places = {int((time - first) / _HALF): index for index, time in enumerate(found.times)}
        formulas = [self._at(flow, places[step]) if step in places else "0" for step in range(cells)]
        values = [net[places[step]] if step in places else Decimal(0) for step in range(cells)]
        row = self._row(self._w.t("sheet.grid"), values, formulas)
        formula = f"(1+IRR({self._range(row, cells)},{_guess((1 + value) ** 0.5 - 1)}))^2-1"
        return self._indicator("IRR", formula, value, RATIO)

    def _indicator(self, label: str, formula: str, cached: Decimal | float | str, look: str) -> str:
        row = self._next
        self._next += 1
        self.sheet.text(row, 0, label, strong=True)
        if cached == NONE:
            self.sheet.text(row, 1, NONE)
        else:
            self.sheet.formula(row, 1, formula, cached, look)
        return self.sheet.at(row, 1)


def _guess(rate: float) -> str:
    """Where IRR and XIRR begin to look: near the rate, and never at -100 %, where they fail."""
    return f"{rate:.4f}" if rate > _NEAR_TOTAL_LOSS else f"{rate:.15g}"


def _cached(value: Decimal | None) -> Decimal | str:
    return NONE if value is None else value


def _mirr(flows: str, times: str) -> str:
    spent = f"SUMPRODUCT(({flows}<0)*{flows}/(1+finance_rate)^{times})"
    earned = f"SUMPRODUCT(({flows}>0)*{flows}*(1+reinvestment_rate)^(MAX({times})-{times}))"
    return f"({earned}/(0-{spent}))^(1/MAX({times}))-1"
