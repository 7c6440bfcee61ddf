from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.errors import ContractError, TeachingError
from models.export import check_parity
from models.inference import HealthModel
from models.manifest import ChannelContract
from models.model_folder import read_model
from models.scoring import assess_table
from models.trainers.machine_health import HealthTeaching, fit_health, teach_health, time_blocks, windows_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.readings_table import ReadingsTable


def test_windows_slide_by_one_row() -> None:
    windows = windows_of(np.arange(8.0).reshape(4, 2), 3)
    assert windows.tolist() == [[[0, 1], [2, 3], [4, 5]], [[2, 3], [4, 5], [6, 7]]]


def test_blocks_share_no_row_and_short_stretches_are_left_out() -> None:
    rows = np.arange(400.0)[:, None]
    blocks = time_blocks([rows, np.zeros((5, 1)), rows], 20)
    assert [len(block) for block in blocks] == [134, 133, 133, 134, 133, 133]
    assert np.concatenate(blocks[:3]).ravel().tolist() == rows.ravel().tolist()


def test_too_few_rows_say_how_many_are_needed() -> None:
    with pytest.raises(TeachingError, match="too few") as caught:
        time_blocks([np.zeros((124, 1))], 20)
    assert "125 rows" in caught.value.hint


def test_healthy_readings_stay_inside_and_a_fault_is_named(
    health_model: Path, make_readings: Callable[..., ReadingsTable]
) -> None:
    model = HealthModel(read_model(health_model))
    healthy = list(assess_table(model, make_readings(3)))
    assert len(healthy) == 400 - 20 + 1
    assert np.mean([row.statistic < 1 for row in healthy]) > 0.9
    assert np.median([row.health for row in healthy]) > 80
    faulty = list(assess_table(model, make_readings(3, fault_from=200)))
    late = [row for row in faulty if row.row >= 230]
    assert min(row.statistic for row in late) > 1
    assert max(row.health for row in late) < 50
    # the current moved without the temperature: both break their tie, the door has no part in it
    shares = np.mean([row.contributions for row in late], axis=0)
    assert shares[2] < 0.01
    assert shares.argmax() == 1
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_channel_that_never_moved_is_watched_all_the_same(
    health_model: Path, make_readings: Callable[..., ReadingsTable]
) -> None:
    model = HealthModel(read_model(health_model))
    table = make_readings(4)
    table.values[300:, 2] = 0.0
    late = [row for row in assess_table(model, table) if row.row >= 320]
    assert min(row.statistic for row in late) > 1
    assert all(np.argmax(row.contributions) == 2 for row in late)


def test_the_graph_is_the_trainers_arithmetic(health_model: Path, make_readings: Callable[..., ReadingsTable]) -> None:
    table = make_readings(1)
    blocks = time_blocks([table.values, make_readings(2).values], 20)
    taught = fit_health(blocks, 20, 0.99)
    model = HealthModel(read_model(health_model))
    windows = windows_of(make_readings(5, fault_from=100).values, 20)[::40].astype(np.float32)
    value, health, shares = taught.assess(windows.astype(np.float64))
    for index, window in enumerate(windows):
        got = model.assess(window)
        assert got[0] == pytest.approx(value[index], rel=2e-3)
        assert got[1] == pytest.approx(health[index], abs=0.1)
        np.testing.assert_allclose(got[2], shares[index], atol=2e-3)


def test_not_a_number_comes_out_as_not_a_number(health_model: Path) -> None:
    model = HealthModel(read_model(health_model))
    window = np.tile(np.array([60, 8, 1], dtype=np.float32), (20, 1))
    window[3, 0] = np.nan
    assert np.isnan(model.assess(window)[0])


def test_the_contract_holds_channels_units_period_and_limit(
    make_readings: Callable[..., ReadingsTable], tmp_path: Path
) -> None:
    channels = (ChannelContract("current", "A"), ChannelContract("temperature", "Cel"))
    teaching = HealthTeaching(name="press", channels=channels, window_rows=10, period_s=2.0, limit_quantile=0.95)
    contract = teach_health([make_readings(1)], teaching, tmp_path / "m").manifest.health
    assert contract is not None
    assert (contract.channels, contract.period_s, contract.window_rows) == (channels, 2.0, 10)
    # 200 grid points in five blocks of 40, 31 windows each
    assert (contract.limit_quantile, contract.n_held_out) == (0.95, 155)


def test_the_same_readings_teach_the_same_bytes(
    health_model: Path, make_readings: Callable[..., ReadingsTable], tmp_path: Path
) -> None:
    teaching = HealthTeaching(name="press", window_rows=20)
    again = teach_health([make_readings(1), make_readings(2)], teaching, tmp_path / "m")
    assert again.contents == read_model(health_model).contents


def test_parity_refuses_a_difference_and_not_a_number() -> None:
    check_parity("x", np.array([1.0, 100.1]), np.array([1.0, 100.0]))
    for wrong in (101.0, np.nan):
        with pytest.raises(ContractError, match="disagree on x"):
            check_parity("x", np.array([1.0, wrong]), np.array([1.0, 100.0]))
