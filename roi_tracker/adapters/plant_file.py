"""Opens a plant file by what it is: CSV or XLSX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.adapters.csv_sheet import open_csv
from roi_tracker.plant_files.fault_words import file_fault

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from roi_tracker.plant_files.mapping import Mapping
    from roi_tracker.plant_files.sheet import Sheet

CSV_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
SUFFIXES = CSV_SUFFIXES | {".xlsx", ".xls", ".xlsm"}


def is_plant_file(name: str) -> bool:
    """True for files of the plant, False for exports of an agent's events."""
    return _suffix(name) in SUFFIXES


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()


def open_plant_file(path: Path, mapping: Mapping) -> AbstractContextManager[Sheet]:
    """A plant file as a sheet.

    Raises:
        IntakeError: the format is not read, or the file cannot be.
    """
    suffix = _suffix(path.name)
    if suffix in CSV_SUFFIXES:
        return open_csv(path, mapping)
    if suffix == ".xlsx":
        from roi_tracker.adapters.xlsx_sheet import open_xlsx  # noqa: PLC0415 - a CSV needs no workbook library

        return open_xlsx(path, mapping)
    raise file_fault("format", source=path.name, suffix=suffix)
