"""Rows of a plant file as facts or costs. A row that cannot be used says which cell, what is wrong, and the way out."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from roi_tracker.observations import facts as f
from roi_tracker.observations.gathering import EVERY_LINE
from roi_tracker.plant_files.bad_row import BadRow
from roi_tracker.plant_files.fault_words import cell_fault
from roi_tracker.plant_files.kinds import HOURS, KILOWATT_HOURS, MONEY
from roi_tracker.plant_files.row_limits import RowLimits
from roi_tracker.plant_files.sheet import NotCalculated
from roi_tracker.plant_files.values import BadCell, Cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.plant_files.mapping import Binding, BoundColumn, Mapping

_TOTAL = re.compile(r"(누계|소계|합계|총계|총합계|계|sub-?total|grand total|totals?|sum|summe)\s*:?", re.IGNORECASE)
_VERDICTS = {
    "pass": "PASS", "ok": "PASS", "good": "PASS", "양품": "PASS", "합격": "PASS",
    "fail": "FAIL", "ng": "FAIL", "bad": "FAIL", "불량": "FAIL", "불합격": "FAIL",
}  # fmt: skip
_INSPECTORS = {"previous": "previous", "기존": "previous", "사람": "previous", "육안": "previous", "ai": "ai"}
_COST_KINDS = {"capital": "capital", "capex": "capital", "투자": "capital", "자본": "capital", "투자비": "capital",
               "running": "running", "opex": "running", "운영": "running", "운영비": "running"}  # fmt: skip
_ONE_DAY = timedelta(days=1)


class CostRow(msgspec.Struct, frozen=True):
    """Money really spent, as a plant's file states it; the ledger books it.

    Attributes:
        amount: negative for a credit note.
        reference: invoice or booking number.
        line: production line, empty for the whole programme.
    """

    day: date
    name: str
    amount: Decimal
    kind: Literal["capital", "running"]
    reference: str
    line: str = ""


class Translator:
    """Turns the rows of one file into facts.

    Args:
        binding: kind and columns.
        mapping: renamings of values.
        cells: reads single cells.
        calendar: the plant's shifts, for rows that name a day and a shift; None without a case.
        now: what is a day later is of the future; None takes any.
    """

    def __init__(
        self,
        binding: Binding,
        mapping: Mapping,
        cells: Cells,
        calendar: ShiftCalendar | None,
        now: datetime | None = None,
    ) -> None:
        self._kind = binding.spec.kind
        self._cells = cells
        self._calendar = calendar
        self._renamed = mapping.values
        self._plan = [(column, self._reader(column)) for column in binding.columns]
        self._headers = {column.field.name: column.header for column in binding.columns}
        self._limits = RowLimits(self._headers, now)
        self._make: Callable[[dict[str, Any]], f.Fact | CostRow] = getattr(self, f"_{self._kind}")
        self._days: dict[date, tuple[datetime, datetime]] = {}

    def _reader(self, column: BoundColumn) -> Callable[[object], Any]:
        cells, kind, unit = self._cells, column.field.type, column.unit
        match kind:
            case "hours":
                return _scaled(cells.quantity, HOURS, column)
            case "energy":
                return _scaled(cells.quantity, KILOWATT_HOURS, column)
            case "amount":
                factor = MONEY.get(unit)
                if factor is None:
                    raise BadRow(column.header, unit, cell_fault("money_unit", known=", ".join(MONEY)))
                return lambda cell: cells.amount(cell) * factor
            case "verdict":
                return lambda cell: _word(cell, _VERDICTS)
            case "text":
                renamed = self._renamed.get(column.field.name, {})
                return lambda cell: renamed.get(text := str(cell).strip(), text)
            case _:
                readers: dict[str, Callable[[object], Any]] = {
                    "count": cells.count, "number": cells.number, "moment": cells.moment, "day": cells.day,
                    "flag": cells.flag,
                }  # fmt: skip
                return readers[kind]

    def row(self, cells: Sequence[object]) -> f.Fact | CostRow | None:
        """What a row says; None for a row of totals, which repeats others, and for an empty one.

        Raises:
            BadRow: a cell or the row as a whole cannot be used.
        """
        found: dict[str, Any] = {}
        for column, read in self._plan:
            cell = column.constant if column.index < 0 else cells[column.index] if column.index < len(cells) else None
            if cell is None or cell == "":
                continue
            if isinstance(cell, NotCalculated):
                raise BadRow(column.header, "", cell_fault("not_calculated"))
            try:
                found[column.field.name] = read(cell)
            except BadCell as error:
                if _is_total(cells):
                    return None
                raise BadRow(column.header, cell, error.fault) from error
            except OverflowError as error:
                raise BadRow(column.header, cell, cell_fault("large")) from error
        if _is_total(cells) or not any(str(cell or "").strip() for cell in cells):
            return None
        for column, _ in self._plan:
            if column.field.required and found.get(column.field.name) in (None, ""):
                raise BadRow(column.header, "", cell_fault("empty"))
        self._limits.times(found)
        return self._make(found)

    # ---- time ----

    def _period(self, row: dict[str, Any]) -> tuple[datetime, datetime]:
        """From `start` and `end`, or the shift or whole production day that the row names."""
        start, end = row.get("start"), row.get("end")
        if start is not None and end is None and "duration" in row:
            end = start + timedelta(hours=row["duration"])
        if start is not None and end is not None:
            told = self._headers.get("end", self._headers.get("duration", "end"))
            if end <= start:
                raise BadRow(told, end, cell_fault("end_before_start"))
            self._limits.length(told, end, end - start, stop=self._kind == "stops")
            return start, end
        day: date | None = row.get("day")
        if day is None:
            raise BadRow("", None, cell_fault("no_time"))
        shift = row.get("shift", "")
        if not shift:
            return self._whole_day(day)
        if self._calendar is None:
            raise BadRow(self._headers["shift"], shift, cell_fault("shift_calendar"))
        for instance in self._calendar.of_day(day):
            if instance.label == shift:
                return instance.start, instance.end
        raise BadRow(self._headers["shift"], shift, cell_fault("shift", known=", ".join(self._calendar.labels)))

    def _whole_day(self, day: date) -> tuple[datetime, datetime]:
        known = self._days.get(day)
        if known is None:
            if self._calendar is not None:
                shifts = self._calendar.of_day(day)
                known = (min(i.start for i in shifts), max(i.end for i in shifts))
            else:
                first = datetime.combine(day, datetime.min.time())
                try:
                    known = (self._cells.at_plant(first), self._cells.at_plant(first + _ONE_DAY))
                except BadCell as error:
                    raise BadRow(self._headers["day"], day, error.fault) from error
            self._days[day] = known
        return known

    def _base(self, row: dict[str, Any], start: datetime, *identity: str) -> dict[str, Any]:
        """What all facts have. The key is made of what the row is about, so that a file imported again adds nothing."""
        line = row.get("line", "")
        key = "/".join(("file", self._kind, line, f"{start:%Y-%m-%dT%H:%M:%SZ}", *identity))
        return {"key": key, "line": line, "at": start, "origin": "imported"}

    # ---- kinds ----

    def _counts(self, row: dict[str, Any]) -> f.Fact:
        start, end = self._period(row)
        produced, inspected, rejected = row["produced"], row.get("inspected"), row.get("rejected")
        if rejected is not None and inspected is None:
            inspected = produced  # a plant that counts its rejects and no inspections inspects every part
        if inspected is not None and rejected is not None and rejected > inspected:
            raise BadRow(self._headers["rejected"], rejected, cell_fault("above_inspected", most=inspected))
        self._limits.counts(row, end - start)
        busy = row.get("planned_busy")
        return f.ProductionFact(
            **self._base(row, start, _until(start, end), row.get("product", "")),
            end=end,
            product=row.get("product", ""),
            shift=row.get("shift", "") if self._calendar is not None else "",
            produced=produced,
            inspected=inspected,
            rejected=rejected,
            scrap=row.get("scrap"),
            rework=row.get("rework"),
            planned_busy_s=None if busy is None else busy * 3600,
        )

    def _at(self, row: dict[str, Any]) -> datetime:
        start: datetime | None = row.get("start")
        return start if start is not None else self._period(row)[0]

    def _audits(self, row: dict[str, Any]) -> f.Fact:
        at, product, stratum = self._at(row), row.get("product", ""), row["stratum"]
        who = _known(row.get("inspector", "previous"), _INSPECTORS, self._headers.get("inspector", "inspector"))
        if row["found"] > row["audited"]:
            raise BadRow(self._headers["found"], row["found"], cell_fault("above_audited", most=row["audited"]))
        return f.AuditFact(
            **self._base(row, at, product, who, stratum),
            product=product,
            shift=row.get("shift", "") if self._calendar is not None else "",
            inspector="ai" if who == "ai" else "previous",
            stratum=stratum,
            audited=row["audited"],
            defects_found=row["found"],
        )

    def _challenges(self, row: dict[str, Any]) -> f.Fact:
        at, product = self._at(row), row.get("product", "")
        who = _known(row.get("inspector", "previous"), _INSPECTORS, self._headers.get("inspector", "inspector"))
        for part, whole in (("caught", "defective"), ("rejected", "good")):
            if row[part] > row[whole]:
                raise BadRow(self._headers[part], row[part], cell_fault("above_shown", most=row[whole]))
        return f.ChallengeFact(
            **self._base(row, at, product, who),
            product=product,
            inspector="ai" if who == "ai" else "previous",
            defective=row["defective"],
            caught=row["caught"],
            good=row["good"],
            rejected=row["rejected"],
        )

    def _escapes(self, row: dict[str, Any]) -> f.Fact:
        at, product = self._at(row), row.get("product", "")
        return f.EscapeFact(**self._base(row, at, product), product=product, count=row["escapes"])

    def _stops(self, row: dict[str, Any]) -> f.Fact:
        if row.get("start") is None and row.get("duration") == 0 and row.get("day") is not None:
            at, asset = self._period(row)[0], row.get("asset", "")
            return f.MachineWatched(**self._base(row, at, asset, "watched"), asset=asset)
        if row.get("start") is None:
            raise BadRow(self._headers.get("start", "start"), None, cell_fault("stop_start"))
        start, end = self._period(row)
        asset = row.get("asset", "")
        return f.StopFact(
            **self._base(row, start, asset),
            asset=asset,
            end=end,
            planned=row.get("planned", False),
            reason=row.get("reason", ""),
        )

    def _energy(self, row: dict[str, Any]) -> f.Fact:
        start, end = self._period(row)
        self._limits.energy(row, end - start)
        carrier = row.get("carrier", "electricity")
        base = self._base(row, start, _until(start, end), carrier)
        return f.EnergyFact(**base, end=end, carrier=carrier, kwh=row["energy"])

    def _labour(self, row: dict[str, Any]) -> f.Fact:
        start, end = self._period(row)
        self._limits.labour(row, end - start)
        base = self._base(row, start, _until(start, end), row["role"], row.get("person", ""))
        return f.LabourFact(**base, end=end, role=row["role"], hours=row["hours"])

    def _kpis(self, row: dict[str, Any]) -> f.Fact:
        start, end = self._period(row)
        product = row.get("product", "")
        base = self._base(row, start, _until(start, end), row["name"], product)
        below = row.get("denominator", 1.0)
        return f.KpiFact(
            **base, end=end, name=row["name"], numerator=row["numerator"], denominator=below, product=product
        )

    def _covariates(self, row: dict[str, Any]) -> f.Fact:
        start, end = self._period(row)
        base = self._base({"line": EVERY_LINE} | row, start, _until(start, end), row["name"])
        return f.CovariateFact(**base, end=end, name=row["name"], value=row["value"])

    def _costs(self, row: dict[str, Any]) -> CostRow:
        day = row.get("day")
        if day is None:
            raise BadRow(self._headers.get("day", "day"), None, cell_fault("cost_day"))
        kind = _known(row["cost_kind"], _COST_KINDS, self._headers["cost_kind"])
        line = row.get("line", "")
        return CostRow(
            day, row["name"], row["amount"], "capital" if kind == "capital" else "running", row["reference"], line
        )


def _until(start: datetime, end: datetime) -> str:
    return f"{(end - start).total_seconds():.0f}s"


def _scaled(
    read: Callable[[object], float], factors: dict[str, float], column: BoundColumn
) -> Callable[[object], float]:
    factor = factors.get(column.unit)
    if factor is None:
        raise BadRow(column.header, column.unit, cell_fault("unit", known=", ".join(factors)))
    return read if factor == 1 else lambda cell: read(cell) * factor


def _word(cell: object, words: dict[str, str]) -> str:
    found = words.get(str(cell).strip().casefold())
    if found is None:
        raise BadCell("word", known=", ".join(words))
    return found


def _known(value: str, words: dict[str, str], header: str) -> str:
    try:
        return _word(value, words)
    except BadCell as error:
        raise BadRow(header, value, error.fault) from error


def _is_total(cells: Sequence[object]) -> bool:
    """A row whose first words say that it adds up the others."""
    return any(isinstance(cell, str) and _TOTAL.fullmatch(cell.strip()) is not None for cell in cells)
