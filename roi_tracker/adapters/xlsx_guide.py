"""Help in the workbook of a case: a sheet that says how to fill it in, notes on the heads, lists to choose from."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from roi_tracker.case.assumptions import Distribution
from roi_tracker.case.benefits import Axis, Measure, StatementLine
from roi_tracker.case.conventions import BenefitClass, CapitalTiming, OperatingTiming
from roi_tracker.case.costs import CostCategory

if TYPE_CHECKING:
    from collections.abc import Sequence

GUIDE = "안내 Read me"
"""Name of the sheet; it is not read."""
_LAST_ROW = 500
_CHOICES: dict[str, tuple[str, ...]] = {
    "class": get_args(BenefitClass),
    "axis": get_args(Axis),
    "measure": get_args(Measure),
    "statement": get_args(StatementLine),
    "category": get_args(CostCategory),
    "distribution": get_args(Distribution),
    "risk": ("very_low", "low", "medium", "high", "very_high"),
    "quality": ("very_low", "low", "medium", "high", "very_high"),
    "conventions.capital": get_args(CapitalTiming),
    "conventions.operations": get_args(OperatingTiming),
    "conventions.counted": get_args(BenefitClass),
    "conventions.prices": ("constant", "current"),
    "conventions.discount_basis": ("real", "nominal"),
    "conventions.headline": ("before_tax", "after_tax"),
    "conventions.period": ("year", "month"),
    "conventions.tax.depreciation": ("straight_line", "declining_balance", "sum_of_years"),
    "conventions.tax.losses": ("carried_forward", "set_off"),
    "display_unit": ("원", "천원", "만원", "백만원", "억원", "1", "thousand", "million", "billion"),
}


class _Said(msgspec.Struct, frozen=True):
    """A text in both languages."""

    ko: str
    en: str


class _Texts(msgspec.Struct, frozen=True):
    """Lines of the guide, and notes by head."""

    lines: tuple[_Said, ...]
    notes: dict[str, _Said]


@lru_cache(maxsize=1)
def _texts() -> _Texts:
    found = resources.files("roi_tracker.adapters").joinpath("xlsx_guide.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(found), _Texts)


def write_guide(book: Any) -> None:  # noqa: ANN401 - the library has no types
    """The first sheet, in both languages."""
    sheet = book.add_worksheet(GUIDE)
    title = book.add_format({"bold": True, "font_size": 13})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 1, 62)
    sheet.write_string(0, 0, "사업 계획 작성 안내", title)
    sheet.write_string(0, 1, "How to fill in a business case", title)
    for row, line in enumerate(_texts().lines, 2):
        sheet.set_row(row, 34 if line.ko else 10)
        for column, text in enumerate((line.ko, line.en)):
            sheet.write_string(row, column, text, wrapped)


def help_columns(sheet: Any, heads: Sequence[str]) -> None:  # noqa: ANN401 - the library has no types
    """Notes on the heads of a list, and lists to choose from below them."""
    for column, head in enumerate(heads):
        note = _noted(head)
        if note is not None:
            sheet.write_comment(0, column, f"{note.ko}\n{note.en}", {"x_scale": 2, "y_scale": 0.9})
        choices = _CHOICES.get(head.rsplit(".", maxsplit=1)[-1])
        if choices is not None:
            sheet.data_validation(1, column, _LAST_ROW, column, _list(choices))


def help_key(sheet: Any, row: int, key: str) -> None:  # noqa: ANN401 - the library has no types
    """A list to choose the value of a single key from, where it has one."""
    parts = key.split(".")
    name = ".".join(parts[:-1] if parts[-1].isdigit() else parts)
    choices = _CHOICES.get(name)
    if choices is not None and name in {"display_unit"} | {one for one in _CHOICES if "." in one}:
        sheet.data_validation(row, 1, row, 1, _list(choices))


def _noted(head: str) -> _Said | None:
    parts = head.split(".")
    for name in (head, ".".join(parts[-2:]), parts[-1], parts[-2] if parts[-1].isdigit() and len(parts) > 1 else ""):
        if name in _texts().notes:
            return _texts().notes[name]
    return None


def _list(choices: Sequence[str]) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": list(choices),
        "error_title": "목록 / List",
        "error_message": f"목록에서 고르십시오. Choose one of: {', '.join(choices)}"[:250],
    }
