from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.errors import DatasetError
from models.readings_table import ReadingsTable, on_grid, read_table

if TYPE_CHECKING:
    from pathlib import Path


def _table(times: list[float], *columns: list[float]) -> ReadingsTable:
    values = np.array(columns, dtype=np.float64).T
    return ReadingsTable("t", "0" * 64, tuple("abc"[: len(columns)]), np.array(times, dtype=np.float64), values)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_delimiter_and_the_time_column_are_found(tmp_path: Path, delimiter: str) -> None:
    rows = [["temp", "when", "amp"], ["1.25", "2024-01-01 00:00:00", "2.5"], ["", "2024-01-01T00:00:01.500", "3"]]
    (tmp_path / "r.csv").write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    table = read_table(tmp_path / "r.csv")
    assert table.columns == ("temp", "amp")
    assert np.diff(table.times_s).tolist() == [1.5]
    assert table.values[0].tolist() == [1.25, 2.5]
    assert np.isnan(table.values[1, 0])


def test_seconds_serve_as_time_where_there_is_no_date(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("t,a\n0,1\n0.5,2\n1.0,3\n", encoding="utf-8")
    table = read_table(tmp_path / "r.csv")
    assert (table.columns, table.times_s.tolist(), table.period_s()) == (("a",), [0.0, 0.5, 1.0], 0.5)


def test_rows_come_in_time_order_and_the_last_of_equal_times_holds(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("t,a\n2,20\n1,10\n2,21\n", encoding="utf-8")
    table = read_table(tmp_path / "r.csv")
    assert (table.times_s.tolist(), table.values[:, 0].tolist()) == ([1.0, 2.0], [10.0, 21.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,a\n", "no rows"),
        ("t,a\n1,2\n2\n", "line 3 has 1 cells"),
        ("x,a\nred,blue\nred,blue\n", "no time column"),
        ("t,a\n2024-01-01,1\nlater,2\n", "line 3: the time"),
        ("t,a\n2024-01-01,1\n2024-01-02,high\n", "line 3: a cell is no number"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_table(tmp_path / "r.csv")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "r.csv").write_bytes(b"t,a\n\xff\xfe,1\n1,2\n")
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_table(tmp_path / "r.csv")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DatasetError, match="lacks columns") as caught:
        _table([0, 1], [1, 2]).select(["a", "z"])
    assert caught.value.value == ["z"]


def test_the_grid_holds_the_newest_value_and_never_the_next() -> None:
    [stretch] = on_grid(_table([0, 1, 2.6, 4], [10, 11, 12, 13]), ["a"], 1.0)
    assert stretch.values[:, 0].tolist() == [10, 11, 11, 12, 13]
    assert stretch.rows.tolist() == [0, 1, 1, 2, 3]


def test_the_grid_waits_for_every_column_and_holds_over_empty_cells() -> None:
    nan = float("nan")
    [stretch] = on_grid(_table([0, 1, 2, 3], [1, 2, nan, 4], [nan, 5, 6, nan]), ["a", "b"], 1.0)
    assert stretch.values.tolist() == [[2, 5], [2, 6], [4, 6]]
    assert stretch.rows.tolist() == [1, 2, 3]


def test_a_long_gap_splits_the_grid() -> None:
    first, second = on_grid(_table([0, 1, 12, 13], [1, 2, 3, 4]), ["a"], 1.0)
    assert (first.values[:, 0].tolist(), second.values[:, 0].tolist()) == ([1, 2], [3, 4])
    [bridged] = on_grid(_table([0, 1, 11], [1, 2, 3]), ["a"], 1.0)
    assert len(bridged.rows) == 12


def test_no_value_at_all_gives_no_grid() -> None:
    assert on_grid(_table([0, 1], [float("nan")] * 2), ["a"], 1.0) == []


def test_tenths_of_a_second_lose_no_point() -> None:
    times = [round(index * 0.1, 1) for index in range(100)]
    [stretch] = on_grid(_table(times, list(range(100))), ["a"], 0.1)
    assert stretch.rows.tolist() == list(range(100))
