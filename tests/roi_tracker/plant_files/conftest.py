from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from roi_tracker.adapters.plant_file import open_plant_file
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.business_case import Plant as PlantSection
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.plant_files.importing import Plant, import_sheet, preview
from roi_tracker.plant_files.mapping import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roi_tracker.plant_files.importing import Preview
    from roi_tracker.ports import Imported

SEOUL = Plant(ShiftCalendar(PlantSection(time_zone="Asia/Seoul")), "Asia/Seoul")


class Desk:
    """A folder, a store, and files laid on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteStore(folder / "roi.sqlite")
        self.plant = SEOUL

    def lay(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    def load(self, path: Path, *, replace: bool = False, **mapping: Any) -> Imported:
        stated = Mapping(**mapping)
        with open_plant_file(path, stated) as sheet:
            return import_sheet(sheet, stated, self.plant, self.store, replace=replace)

    def preview(self, path: Path, **mapping: Any) -> Preview:
        stated = Mapping(**mapping)
        with open_plant_file(path, stated) as sheet:
            return preview(sheet, stated, self.plant)

    def facts(self) -> list[Any]:
        return list(self.store.facts())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()
