from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks import readings_store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_both_stores_give_the_same_values_and_the_bytes_are_those_of_the_files(tmp_path: Path) -> None:
    figures = readings_store.measure(6, 3, 2, tmp_path)

    assert figures.agree
    assert figures.readings == 6 * 3_600 * 8
    blocks = sum(file.stat().st_size for file in (tmp_path / "lineproof.readings").glob("*.sqlite"))
    assert np.isclose((figures.bytes_a_reading + figures.rollup_bytes_a_reading) * figures.readings, blocks)
    assert 0 < figures.rollup_bytes_a_reading <= readings_store.MOST_ROLLUP_BYTES
    assert figures.bytes_a_reading <= readings_store.MOST_BYTES
    assert len(figures.read_ms) == len(figures.row_read_ms) == 2


def test_without_the_real_pump_it_measures_simulated_sensors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(readings_store, "SKAB", tmp_path / "absent.csv")
    source, values = readings_store.signals(100)

    assert source == "random walks of two decimals"
    assert values.shape == (100, 8)
    assert np.array_equal(values, np.round(values, 2))
