"""A business case as a workbook, for people who live in Excel: written from a case, read back without loss.

One sheet a list (assumptions, capex, benefits, ...), one row an item; `case` holds the single values, key beside value.
Column heads are the keys of the case file, dotted; `value.1`, `value.2` are one number a year.
"""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import xlsxwriter
from openpyxl.utils import get_column_letter
from pydantic import ValidationError

from roi_tracker.adapters.xlsx_guide import GUIDE, help_columns, help_key, write_guide
from roi_tracker.adapters.xlsx_package import open_workbook
from roi_tracker.business_case import BusinessCase
from roi_tracker.case.fault_words import in_words
from roi_tracker.case.formula_check import broken_formula, located
from roi_tracker.case.reading import hint_for
from roi_tracker.case.section import FROM_FILE
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_ROWS, MAX_COLUMNS = 5_000, 600
MAX_LEVELS = 8
_DIGITS = 15
"""Significant digits of a spreadsheet's number."""
_CASE = "case"
_KEYED = ("assumptions", "calculations")
_LISTS = (
    "capex", "opex_per_year", "benefits", "correlations", "alternatives", "benchmarks", "stage_gates", "data_sources",
    "stated", "costs_actual",
)  # fmt: skip
_NUMBERS = frozenset(
    {"value", "low", "high", "growth", "coefficient", "company", "industry", "leader", "flows", "ramp_up", "salvage",
     "declining_factor", "share", "horizon_years", "life_years", "technology_life_years", "base_year", "finance_rate",
     "reinvestment_rate", "analysis_years"}
)  # fmt: skip
_COST = ("id", "name.ko", "name.en", "category", "amount.value", "amount.unit", "amount.source", "amount.owner")
_USUAL: dict[str, tuple[str, ...]] = {
    "assumptions": ("id", "value", "unit", "low", "high", "distribution", "source", "owner", "name.ko", "name.en"),
    "calculations": ("id", "formula", "unit", "name.ko", "name.en"),
    "capex": _COST,
    "opex_per_year": (*_COST, "growth"),
    "benefits": ("id", "name.ko", "name.en", "class", "axis", "measure", "kpi", "formula", "ramp_up.1"),
    "correlations": ("between.1", "between.2", "coefficient", "source"),
    "stated": ("id", "value", "unit", "label", "where"),
    "benchmarks": ("id", "name.ko", "name.en", "unit", "company", "industry", "leader", "figure", "source"),
}
"""Columns that stand in a sheet even where the case leaves them empty, for people to fill in."""
_Path = tuple[str, ...]


class _Place:
    """A cell for messages: `assumptions!C5`."""

    def __init__(self, sheet: str, row: int, column: int) -> None:
        self.text = f"{sheet}!{get_column_letter(column)}{row}"


def write_xlsx_case(case: BusinessCase) -> bytes:
    """The workbook of a case.

    Raises:
        CaseError: a number has more digits than a spreadsheet holds.
    """
    tree = case.model_dump(by_alias=True, exclude_defaults=True)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1})
    looks: dict[str, Any] = {}

    def put(sheet: Any, row: int, column: int, value: object) -> None:  # noqa: ANN401 - the library has no types
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, Decimal | int):
            look = _number_format(Decimal(value))
            sheet.write_number(row, column, float(value), looks.setdefault(look, book.add_format({"num_format": look})))
        elif isinstance(value, date):
            look = "yyyy-mm-dd"
            moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a spreadsheet's day has no zone
            sheet.write_datetime(row, column, moment, looks.setdefault(look, book.add_format({"num_format": look})))
        else:
            sheet.write_string(row, column, value.isoformat() if isinstance(value, time) else str(value))

    single = {key: value for key, value in tree.items() if key not in (*_KEYED, *_LISTS)}
    write_guide(book)
    sheet = book.add_worksheet(_CASE)
    sheet.set_column(0, 1, 40)
    sheet.write_row(0, 0, ["key", "value"], head)
    for row, (path, value) in enumerate(_flat(single), 1):
        sheet.write_string(row, 0, ".".join(path))
        put(sheet, row, 1, value)
        help_key(sheet, row, ".".join(path))
    sheet.freeze_panes(1, 1)
    for name in (*_KEYED, *_LISTS):
        found = tree.get(name, {} if name in _KEYED else ())
        items = [({"id": key} | value) for key, value in found.items()] if name in _KEYED else list(found)
        flat = [dict(_flat(item)) for item in items]
        usual = (tuple(head.split(".")) for head in _USUAL.get(name, ("id",)))
        columns = list(dict.fromkeys((*(path for item in flat for path in item), *usual)))
        sheet = book.add_worksheet(name)
        sheet.set_column(0, len(columns), 18)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, [".".join(path) for path in columns], head)
        help_columns(sheet, [".".join(path) for path in columns])
        for row, item in enumerate(flat, 1):
            for path, value in item.items():
                put(sheet, row, columns.index(path), value)
    book.close()
    return target.getvalue()


def _flat(value: object, path: _Path = ()) -> Iterator[tuple[_Path, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value, 1):
            yield from _flat(inner, (*path, str(index)))
    elif value is not None:
        yield path, value


def _number_format(value: Decimal) -> str:
    """A format that shows the digits as printed: 21.0 stays 21.0."""
    _, digits, exponent = value.as_tuple()
    if len(str(int("".join(map(str, digits)) or "0")).rstrip("0")) > _DIGITS:
        raise CaseError(
            f"{value} has more than {_DIGITS} digits, which a spreadsheet cannot hold", field="value", hint="round it"
        )
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return "0." + "0" * places if places else "0"


def read_xlsx_case(content: bytes) -> BusinessCase:
    """Read a case back.

    Raises:
        CaseError: not such a workbook, too large once unpacked, or a cell is wrong; the message names sheet and cell.
    """
    shown, written = open_workbook(content)
    tree: dict[str, Any] = {}
    places: dict[_Path, _Place] = {}
    for name in shown.sheetnames:
        if name == GUIDE:
            continue
        if name not in {_CASE, *_KEYED, *_LISTS}:
            known = ", ".join((_CASE, *_KEYED, *_LISTS))
            raise CaseError(f"unknown sheet {name!r}", field="sheet", value=name, hint=f"sheets are {known}")
        sheet = _Cells(name, shown[name], written[name])
        if name == _CASE:
            _read_single(sheet, tree, places)
        else:
            _read_items(sheet, name, tree, places)
    try:
        case = BusinessCase.model_validate(_lists(tree), context=FROM_FILE)
    except ValidationError as error:
        raise _explained(error, places) from error
    broken = broken_formula(case)
    if broken is not None:
        path, fault = broken
        raise located(fault, _place_of(path, places) or "workbook") from fault
    return case


class _Cells:
    """A sheet's values; a formula counts with what it last gave."""

    def __init__(self, name: str, shown: Any, written: Any) -> None:  # noqa: ANN401 - the library has no types
        self.name = name
        self._shown, self._written = shown, written
        self.rows, self.columns = shown.max_row or 0, shown.max_column or 0
        if self.rows > MAX_ROWS or self.columns > MAX_COLUMNS:
            raise CaseError(
                f"sheet {name} has {self.rows} rows and {self.columns} columns",
                field=name, hint=f"at most {MAX_ROWS} rows and {MAX_COLUMNS} columns; delete what lies outside",
            )  # fmt: skip

    def value(self, row: int, column: int, path: _Path) -> object:
        """The value of a cell: decimals with the digits they show, days as dates."""
        cell = self._shown.cell(row, column)
        place = _Place(self.name, row, column).text
        if self._written.cell(row, column).data_type == "f" and cell.value is None:
            raise CaseError(
                f"{place} is a formula without a value", field=place, value=self._written.cell(row, column).value,
                hint="open the workbook in Excel or LibreOffice and save it, or write the number",
            )  # fmt: skip
        value = cell.value
        if cell.data_type == "e":
            raise CaseError(f"{place} holds an error", field=place, value=value, hint="write a number")
        leaf = path[-1] if not path[-1].isdigit() else path[max(0, len(path) - 2)]
        if isinstance(value, str) and leaf in _NUMBERS:
            raise CaseError(
                f"{place} holds text where a number belongs", field=".".join(path), value=value,
                hint="write the number alone, its unit into the column unit",
            )  # fmt: skip
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _decimal(value, str(cell.number_format))
        return value.date() if isinstance(value, datetime) else value


def _decimal(value: float, number_format: str) -> Decimal:
    number = Decimal(repr(value))
    if not number.is_finite() or number.adjusted() > _DIGITS:
        return number  # refused by the schema, with its cell
    match = re.fullmatch(r"[#,]*0(?:\.(0+))?", number_format)
    if match is not None and match.group(1):
        shown = number.quantize(Decimal(1).scaleb(-len(match.group(1))))
        return shown if shown == number else number
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _read_single(sheet: _Cells, tree: dict[str, Any], places: dict[_Path, _Place]) -> None:
    for row in range(2, sheet.rows + 1):
        key = sheet.value(row, 1, ("key",))
        if key is None:
            continue
        path = tuple(str(key).split("."))
        value = sheet.value(row, 2, path)
        if value is not None:
            _put(tree, path, value, _Place(sheet.name, row, 2))
            places[path] = _Place(sheet.name, row, 2)


def _read_items(sheet: _Cells, name: str, tree: dict[str, Any], places: dict[_Path, _Place]) -> None:
    heads = [sheet.value(1, column, ("head",)) for column in range(1, sheet.columns + 1)]
    items: list[dict[str, Any]] = []
    keyed: dict[str, Any] = {}
    for row in range(2, sheet.rows + 1):
        item: dict[str, Any] = {}
        start: _Path = (name, str(len(items) + 1))
        here: dict[_Path, _Place] = {}
        for column, head in enumerate(heads, 1):
            path = tuple(str(head).split(".")) if head is not None else ("",)
            value = sheet.value(row, column, path)
            if value is not None and head is not None:
                _put(item, path, value, _Place(sheet.name, row, column))
                here[path] = _Place(sheet.name, row, column)
        if not item:
            continue
        if name in _KEYED:
            key = str(item.pop("id", ""))
            if not key or key in keyed:
                raise CaseError(f"{sheet.name}!A{row}: {'repeated' if key else 'missing'} id", field="id", value=key)
            keyed[key], start = item, (name, key)
        else:
            items.append(item)
        places[start] = _Place(sheet.name, row, 1)
        places.update({(*start, *path): place for path, place in here.items()})
    if keyed or items:
        tree[name] = keyed if name in _KEYED else {str(index): item for index, item in enumerate(items, 1)}


def _put(tree: dict[str, Any], path: _Path, value: object, place: _Place) -> None:
    hint = "keys are those of docs/reference/business_case.md, each once"
    if len(path) > MAX_LEVELS:
        raise CaseError(f"{place.text} has a key of {len(path)} levels", field=place.text, value=path[0], hint=hint)
    for key in path[:-1]:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            raise CaseError(f"{place.text} repeats {'.'.join(path)}", field=place.text, value=str(value), hint=hint)
        tree = inner
    if path[-1] in tree:
        raise CaseError(f"{place.text} repeats {'.'.join(path)}", field=place.text, value=str(value), hint=hint)
    tree[path[-1]] = value


def _lists(value: object) -> object:
    """Keys 1, 2, 3 become a list; the place of a gap is kept by the order."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isascii() and key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}


def _explained(error: ValidationError, places: Mapping[_Path, _Place]) -> CaseError:
    first = error.errors(include_url=False)[0]
    path = tuple(
        part for part in (*first["loc"], *first.get("ctx", {}).get("path", ())) if part not in {"number", "years"}
    )
    place = _place_of(path, places)
    message = in_words(first)
    if first["type"] == "missing":
        message = f"{path[-1]!r} is missing"
    if first["type"] == "extra_forbidden":
        message = f"unknown column or key {path[-1]!r}"
    return CaseError(
        f"the case cannot be used: {place + ': ' if place else ''}{message}",
        field=".".join(str(part) for part in path) or _CASE,
        value="as written" if isinstance(first["input"], dict | list) else first["input"],
        hint=hint_for(first["type"]),
    )


def _place_of(path: tuple[str | int, ...], places: Mapping[_Path, _Place]) -> str:
    """The cell of a key, or of the nearest one around it; positions in lists count from 0 there and from 1 here."""
    known = tuple(str(part + 1) if isinstance(part, int) else part for part in path)
    inside = next((one for one in places if known and one[: len(known)] == known), None)
    if inside is not None and known not in places:
        return places[inside].text
    while known and known not in places:
        known = known[:-1]
    return places[known].text if known else ""
