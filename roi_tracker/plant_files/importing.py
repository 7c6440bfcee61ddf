"""Import of one sheet: all of it or nothing; the same file again adds nothing; a changed row is a correction."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from roi_tracker.errors import FactsChangedError, IntakeError, RowError
from roi_tracker.observations.facts import Fact
from roi_tracker.plant_files.bad_row import BadRow
from roi_tracker.plant_files.fault_words import cell_fault, file_fault
from roi_tracker.plant_files.kinds import Kind
from roi_tracker.plant_files.mapping import bind
from roi_tracker.plant_files.translating import CostRow, Translator
from roi_tracker.plant_files.values import AmbiguousSign, Cells, decimal_sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roi_tracker.observations.facts import FactChange
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.plant_files.mapping import Mapping
    from roi_tracker.plant_files.sheet import Sheet
    from roi_tracker.plant_files.values import DecimalSign
    from roi_tracker.ports import Imported, OnChange, TrackerStore

MAX_ROW_ERRORS = 20
"""Errors told in one refusal."""
_SAMPLE_ROWS = 200
_NUMERIC = frozenset({"count", "number", "amount", "hours", "energy"})


@dataclass(frozen=True)
class Plant:
    """What a case says of the plant that rows need, calendar and zone None without one, and what time it is.

    Attributes:
        now: reads the clock; without it no row is held to be of the future.
    """

    calendar: ShiftCalendar | None = None
    time_zone: str | None = None
    now: Callable[[], datetime] | None = None


class ReadColumn(msgspec.Struct, frozen=True):
    """How a column is read."""

    field: str
    header: str
    unit: str


class Preview(msgspec.Struct, frozen=True):
    """How a file would be read; nothing was stored.

    Attributes:
        unused: headers that no field takes.
        first: the first rows as facts or costs.
        rows: rows that would be imported.
        skipped: numbers of rows of totals, the first of them.
        errors: rows that cannot be used, the first of them.
        wrong: how many rows cannot be used.
    """

    source: str
    kind: Kind
    columns: tuple[ReadColumn, ...]
    unused: tuple[str, ...]
    encoding: str
    delimiter: str
    decimal: str
    time_zone: str | None
    first: tuple[Fact | CostRow, ...]
    rows: int
    skipped: tuple[int, ...]
    errors: tuple[RowError, ...]
    wrong: int


class SheetReader:
    """Reads one sheet, once.

    Raises:
        IntakeError: the file as a whole cannot be read as any kind.
    """

    def __init__(self, sheet: Sheet, mapping: Mapping, plant: Plant) -> None:
        self.source = sheet.source
        self.binding = bind(sheet.headers, mapping, sheet.source)
        sample = list(islice(sheet.rows, _SAMPLE_ROWS))
        self._rows = chain(sample, sheet.rows)
        self.decimal = mapping.decimal or self._decimal(sample, sheet.delimiter)
        self.time_zone = mapping.time_zone or plant.time_zone
        cells = Cells(mapping, self.time_zone, self.decimal, epoch_1904=sheet.epoch_1904)
        try:
            latest = plant.now() if plant.now else None
            self._translator = Translator(self.binding, mapping, cells, plant.calendar, latest)
        except BadRow as error:
            row = error.error(sheet.source, 0)
            raise IntakeError(
                f"{sheet.source}: {row.message}",
                hint=row.fix,
                message_ko=f"{sheet.source}: {row.message_ko}",
                hint_ko=row.fix_ko,
            ) from error
        self.errors: list[RowError] = []
        self.wrong = 0
        self.skipped: list[int] = []
        self.numbers = array("I")

    def _decimal(self, sample: Sequence[tuple[int, Sequence[object]]], delimiter: str) -> DecimalSign:
        numeric = [column.index for column in self.binding.columns if column.field.type in _NUMERIC]
        words = (
            str(cells[index])
            for _, cells in sample
            for index in numeric
            if 0 <= index < len(cells) and isinstance(cells[index], str)
        )
        try:
            return decimal_sign(words, delimiter)
        except AmbiguousSign as error:
            raise file_fault("ambiguous_sign", source=self.source) from error

    def read(self) -> Iterator[Fact | CostRow]:
        """Facts or costs, row by row; errors are gathered. `numbers` tells the row of each."""
        for number, cells in self._rows:
            try:
                found = self._translator.row(cells)
            except BadRow as error:
                self.wrong += 1
                if len(self.errors) < MAX_ROW_ERRORS:
                    self.errors.append(error.error(self.source, number))
                continue
            if found is None:
                self.skipped.extend([number] if len(self.skipped) < MAX_ROW_ERRORS else ())
                continue
            self.numbers.append(number)
            yield found

    def refuse_errors(self) -> None:
        """Refuse the whole file when any row cannot be used.

        Raises:
            IntakeError: names the first rows.
        """
        if self.wrong:
            raise file_fault("rows_wrong", rows=tuple(self.errors), wrong=self.wrong, source=self.source)


def preview(sheet: Sheet, mapping: Mapping, plant: Plant, rows: int = 5) -> Preview:
    """How a file would be read, its first rows and all that is wrong."""
    reader = SheetReader(sheet, mapping, plant)
    first: list[Fact | CostRow] = []
    count = 0
    for found in reader.read():
        count += 1
        if len(first) < rows:
            first.append(found)
    return Preview(
        source=sheet.source,
        kind=reader.binding.spec.kind,
        columns=tuple(ReadColumn(c.field.name, c.header, c.unit) for c in reader.binding.columns),
        unused=reader.binding.unused,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        decimal=reader.decimal,
        time_zone=reader.time_zone,
        first=tuple(first),
        rows=count,
        skipped=tuple(reader.skipped),
        errors=tuple(reader.errors),
        wrong=reader.wrong,
    )


def kind_of(sheet: Sheet, mapping: Mapping) -> Kind:
    """What the rows of a sheet are; none of them is read.

    Raises:
        IntakeError: the headers do not tell.
    """
    return bind(sheet.headers, mapping, sheet.source).spec.kind


def read_costs(sheet: Sheet, mapping: Mapping, plant: Plant) -> tuple[CostRow, ...]:
    """The costs of a file; empty for a file of another kind.

    Raises:
        IntakeError: a row cannot be used.
    """
    reader = SheetReader(sheet, mapping, plant)
    if reader.binding.spec.kind != "costs":
        return ()
    costs = tuple(found for found in reader.read() if isinstance(found, CostRow))
    reader.refuse_errors()
    return costs


def import_sheet(
    sheet: Sheet, mapping: Mapping, plant: Plant, store: TrackerStore, *, replace: bool = False
) -> Imported:
    """Import a file's facts in one transaction.

    Raises:
        IntakeError: a row cannot be used, contradicts another row or what is stored (without `replace`), or the file
            holds costs; nothing was stored.
    """
    reader = SheetReader(sheet, mapping, plant)
    if reader.binding.spec.kind == "costs":
        raise file_fault("holds_costs", source=sheet.source)

    def facts() -> Iterator[Fact]:
        for found in reader.read():
            if not isinstance(found, CostRow):
                yield found
        reader.refuse_errors()

    on_change: OnChange = "replace" if replace else "refuse"
    try:
        return store.add_facts(facts(), source=sheet.source, on_change=on_change)
    except FactsChangedError as error:
        rows = tuple(_contradicting(change, reader) for change in error.changes)
        raise file_fault("contradiction", rows=rows, wrong=error.count, source=sheet.source) from error


def _contradicting(change: FactChange, reader: SheetReader) -> RowError:
    """Which fields of a row differ from what is known, and how; times as the file's people write them."""
    stored, given, zone = change.stored, change.given, ZoneInfo(reader.time_zone or "UTC")
    names = [name for name in given.__struct_fields__ if getattr(stored, name, None) != getattr(given, name)]
    known, before = ("in another row", "다른 행의 값") if change.same_import else ("is stored", "저장된 값")
    english, korean = [], []
    for name in names:
        old, new = getattr(stored, name, None), getattr(given, name)
        english.append(f"{name} {_said(old, zone) or 'nothing'} {known}, {_said(new, zone) or 'nothing'} given")
        korean.append(f"{name}: {before} {_said(old, zone) or '없음'}, 파일의 값 {_said(new, zone) or '없음'}")
    fault = cell_fault("same_twice" if change.same_import else "stored_otherwise")
    subject = f"{given.line} {_said(given.at, zone)} {zone.key}"
    return RowError(
        reader.source,
        reader.numbers[change.position],
        f"{subject}: {', '.join(english)}",
        fix=fault.fix_en,
        message_ko=f"{subject}: {', '.join(korean)}",
        fix_ko=fault.fix_ko,
    )


def _said(value: object, zone: ZoneInfo) -> str:
    """A value of a fact as people write it; empty for none."""
    if value is None or value == ():
        return ""
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
