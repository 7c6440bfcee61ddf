"""What must hold between the sections of a case; each fault with the key at which it is mended."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.case.plan import BusinessCase

Path = tuple[str | int, ...]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where: keys and list positions from the top of the case."""

    message: str
    path: Path


def incoherence(case: BusinessCase) -> Fault | None:
    """The first fault, or None."""
    for check in (_rates, _periods, _ids, _lengths, _capital, _stated):
        found = next(check(case), None)
        if found is not None:
            return found
    return None


def _rates(case: BusinessCase) -> Iterator[Fault]:
    rates = {("discount_rate",): case.discount_rate, ("conventions", "inflation"): case.conventions.inflation}
    for path, rate in rates.items():
        if rate is None:
            continue
        name = path[-1]
        if rate.unit not in {"ratio", "%"}:
            yield Fault(f"{name} has the unit {rate.unit!r}; write ratio or %", (*path, "unit"))
        elif not -1 < rate.amount * (Decimal("0.01") if rate.unit == "%" else 1) < 1:
            yield Fault(f"{name} {rate.amount} is not a ratio (8 % is 0.08)", (*path, "value"))
        elif isinstance(rate.value, tuple):
            yield Fault(f"{name} is one number for all years", (*path, "value"))
    if case.discount_rate.amount < 0:
        yield Fault(f"discount_rate {case.discount_rate.amount} is negative", ("discount_rate", "value"))


def _periods(case: BusinessCase) -> Iterator[Fault]:
    go_live, periods = case.planned_go_live, case.measured_periods
    if periods is not None and go_live != periods.reporting.first:
        message = f"go_live {go_live} is not the first day of reporting {periods.reporting.first}"
        yield Fault(message, ("go_live",) if go_live else ("periods",))
    if case.analysis_years and len(case.analysis_years) != case.horizon_years:
        message = f"{len(case.analysis_years)} analysis_years for a horizon of {case.horizon_years} years"
        yield Fault(message, ("analysis_years",))


def _ids(case: BusinessCase) -> Iterator[Fault]:
    places: list[tuple[str, Path]] = [(name, ("assumptions", name)) for name in case.assumptions]
    places += [(name, ("calculations", name)) for name in case.calculations]
    for group in ("capex", "opex_per_year", "benefits"):
        places += [(line.id, (group, index, "id")) for index, line in enumerate(getattr(case, group))]
    count = Counter(name for name, _ in places)
    twice = sorted(name for name, times in count.items() if times > 1)
    if twice:
        last = next(path for name, path in reversed(places) if name == twice[0])
        yield Fault(f"ids used twice: {', '.join(twice)}", last)


def _lengths(case: BusinessCase) -> Iterator[Fault]:
    allowed = {case.horizon_years, case.period_count}
    given = [(name, one, ("assumptions", name, "value")) for name, one in case.assumptions.items()]
    costs = [
        (f"opex {line.id}", line.planned, ("opex_per_year", index, "amount", "value"))
        for index, line in enumerate(case.opex_per_year)
        if line.planned is not None
    ]
    for name, assumption, path in (*given, *costs):
        if isinstance(assumption.value, tuple) and len(assumption.value) not in allowed:
            yield Fault(f"{name} has {len(assumption.value)} values for {case.horizon_years} years", path)


def _capital(case: BusinessCase) -> Iterator[Fault]:
    for index, line in enumerate(case.capex):
        if line.planned is not None and isinstance(line.planned.value, tuple):
            message = f"capital {line.id!r} is one amount; say when it is spent in capex_phasing"
            yield Fault(message, ("capex", index, "amount", "value"))
    phasing = case.capex_phasing
    if phasing is not None and not phasing.dates and len(phasing.value) > case.period_count:
        message = f"capex_phasing has {len(phasing.value)} values for {case.period_count} periods"
        yield Fault(message, ("capex_phasing", "value"))
    if case.conventions.capital == "dated" and phasing is not None and not phasing.dates:
        yield Fault("dated capital needs capex_phasing with dates", ("capex_phasing",))


def _stated(case: BusinessCase) -> Iterator[Fault]:
    for index, figure in enumerate(case.stated):
        try:
            tuple(figure.by_year(case.years))
        except ValueError as error:
            yield Fault(str(error), ("stated", index, "value"))
