"""Cells as people write them, read strictly: numbers with either decimal sign, days and times in many spellings."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from roi_tracker.observations import limits
from roi_tracker.plant_files.fault_words import cell_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.plant_files.mapping import Mapping

DecimalSign = Literal[".", ","]
_GROUPED = {",": re.compile(r"[+-]?\d{1,3}(,\d{3})+$"), ".": re.compile(r"[+-]?\d{1,3}(\.\d{3})+$")}
_DAY = re.compile(r"(\d{4})\s*[-/.년]\s*(\d{1,2})\s*[-/.월]\s*(\d{1,2})\s*[.일]?(?:\s*\([^)]*\))?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})$")
_CLOCK = re.compile(r"[T\s]*(오전|오후|am|pm)?\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(am|pm)?$", re.IGNORECASE)
_EITHER_WAY = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_SERIAL_DAYS = (20_000, 80_000)
"""Days 1954 to 2119 as a spreadsheet counts them; other numbers are no dates."""
_HALF_DAY = 12
_SHORT = 9
"""Digits of a count that is below every limit."""
_TRUE = frozenset({"1", "y", "yes", "true", "t", "o", "예", "계획", "planned", "ja", "계획정지"})
_FALSE = frozenset({"0", "n", "no", "false", "f", "x", "아니오", "아니요", "비계획", "unplanned", "nein", "돌발"})
_MONEY_SIGNS = str.maketrans("", "", "₩￦원 ")


class BadCell(ValueError):  # noqa: N818 - a cell, told as a row's error
    """A cell that cannot be read: what is wrong and how to put it right."""

    def __init__(self, name: str, **places: object) -> None:
        self.fault = cell_fault(name, **places)
        super().__init__(self.fault.en)


class AmbiguousSign(ValueError):  # noqa: N818 - told as an error of the file
    """All numbers could be read with either decimal sign."""


def decimal_sign(cells: Iterable[str], delimiter: str) -> DecimalSign:
    """The decimal sign of a file's numbers.

    >>> decimal_sign(["1.234,5", "3"], ";"), decimal_sign(["1,234"], ","), decimal_sign(["0.5"], ";")
    (',', '.', '.')

    Raises:
        AmbiguousSign: with semicolons between columns, `1,234` may be a thousand or a little more than one.
    """
    doubtful = False
    for cell in cells:
        text = cell.strip()
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            return "," if comma > point else "."
        for sign, at in ((",", comma), (".", point)):
            if at < 0:
                continue
            if _GROUPED[sign].match(text) is None:
                return "," if sign == "," else "."
            doubtful = True
    if doubtful and delimiter == ";":
        raise AmbiguousSign
    return "."


class Cells:
    """Reads the cells of one file. Times without an offset are in `zone`."""

    def __init__(self, mapping: Mapping, zone: str | None, sign: DecimalSign, *, epoch_1904: bool = False) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(zone) if zone else None
        self._group = "." if sign == "," else ","
        self._sign = sign
        self._epoch = datetime(1904, 1, 1) if epoch_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - no zone yet
        self._moments: dict[str, datetime] = {}
        self._with_offset: bool | None = None

    def number(self, cell: object, most: float = limits.MOST_VALUE) -> float:
        """A finite number no further from nought than `most`."""
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return self._possible(float(cell), most)
        text = str(cell).strip()
        if self._group in text:
            if _GROUPED[self._group].match(text.partition(self._sign)[0]) is None:
                raise BadCell("decimal_sign", sign=self._sign)
            text = text.replace(self._group, "")
        try:
            value = float(text.replace(self._sign, "."))
        except ValueError as error:
            raise BadCell("number") from error
        return self._possible(value, most)

    @staticmethod
    def _possible(value: float, most: float) -> float:
        if value - value != 0:
            raise BadCell("finite")
        if not -most <= value <= most:
            raise BadCell("beyond", most=f"{most:,.0f}")
        return value

    def quantity(self, cell: object, most: float = limits.MOST_VALUE) -> float:
        """A number that is not negative."""
        value = self.number(cell, most)
        if value < 0:
            raise BadCell("negative")
        return value

    def count(self, cell: object) -> int:
        """A whole number that is not negative."""
        if type(cell) is str and len(cell) <= _SHORT and cell.isdecimal():
            return int(cell)
        value = self.quantity(cell, limits.MOST_PARTS)
        if value != int(value):
            raise BadCell("whole")
        return int(value)

    def amount(self, cell: object) -> Decimal:
        """Money, exact; negative for a credit note."""
        text = str(cell).translate(_MONEY_SIGNS).replace(self._group, "").replace(self._sign, ".")
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise BadCell("amount") from error
        if not value.is_finite():
            raise BadCell("amount")
        if abs(value) > limits.MOST_VALUE:
            raise BadCell("beyond", most=f"{limits.MOST_VALUE:,.0f}")
        return value

    def flag(self, cell: object) -> bool:
        """Yes or no."""
        text = str(cell).strip().casefold()
        if cell is True or text in _TRUE:
            return True
        if cell is False or text in _FALSE:
            return False
        raise BadCell("flag")

    def day(self, cell: object) -> date:
        """A local day."""
        return self._local(cell).date()

    def moment(self, cell: object) -> datetime:
        """A moment in UTC."""
        if type(cell) is str:
            known = self._moments.get(cell)
            if known is not None:
                return known
        local = self._local(cell)
        offset = local.tzinfo is not None
        if self._with_offset is not None and self._with_offset != offset:
            raise BadCell("offset" if offset else "no_offset")
        self._with_offset = offset
        moment = local.astimezone(UTC) if offset else self.at_plant(local)
        if type(cell) is str:
            self._moments[cell] = moment
        return moment

    def at_plant(self, local: datetime) -> datetime:
        """A plant's local time in UTC; hours that the clock skips are refused, and those that come twice unless the
        mapping says which.
        """
        if self._zone is None:
            raise BadCell("zone")
        first, second = local.replace(tzinfo=self._zone), local.replace(tzinfo=self._zone, fold=1)
        if first.utcoffset() != second.utcoffset():
            skipped = first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != local
            if skipped:
                raise BadCell("skipped_hour")
            if self._mapping.ambiguous_hour == "refuse":
                raise BadCell("twice_hour")
            return (first if self._mapping.ambiguous_hour == "first" else second).astimezone(UTC)
        return first.astimezone(UTC)

    def _local(self, cell: object) -> datetime:
        if isinstance(cell, datetime):
            return cell
        if isinstance(cell, date):
            return datetime.combine(cell, time())
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return self._serial(float(cell))
        text = str(cell).strip()
        if self._mapping.date_format:
            if self._mapping.date_format == "serial":
                return self._serial(self.number(text))
            try:
                return datetime.strptime(text, self._mapping.date_format)  # noqa: DTZ007 - the zone is applied after
            except ValueError as error:
                raise BadCell("date_format", format=self._mapping.date_format) from error
        return _written(text)

    def _serial(self, days: float) -> datetime:
        if not _SERIAL_DAYS[0] <= days <= _SERIAL_DAYS[1]:
            raise BadCell("date")
        return self._epoch + timedelta(seconds=round(days * 86_400))


def _written(text: str) -> datetime:
    """A day or time in ISO 8601 or one of the usual Korean spellings.

    >>> str(_written("2025. 3. 1. 오후 2:05")), str(_written("20250301")), str(_written("2025-03-01T06:00:00+09:00"))
    ('2025-03-01 14:05:00', '2025-03-01 00:00:00', '2025-03-01 06:00:00+09:00')
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    found = _COMPACT.match(text) or _DAY.match(text)
    if found is None:
        raise BadCell("date_either_way" if _EITHER_WAY.match(text) else "date")
    rest = text[found.end() :]
    clock = _CLOCK.match(rest)
    if rest.strip() and clock is None:
        raise BadCell("time")
    hour = minute = second = 0
    if clock is not None:
        hour, minute, second = int(clock[2]), int(clock[3]), int(clock[4] or 0)
        half = (clock[1] or clock[5] or "").casefold()
        if half:
            hour = hour % _HALF_DAY + (_HALF_DAY if half in {"오후", "pm"} else 0)
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3]), hour, minute, second)  # noqa: DTZ001 - no zone yet
    except ValueError as error:
        raise BadCell("no_such_date") from error
