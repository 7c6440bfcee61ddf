"""Small taught models on synthetic parts and a synthetic machine, made once a test run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.datasets import ImageBytes, encode_png
from models.preprocessing import ImagePreprocessing
from models.trainers.machine_health import HealthTeaching, teach_health
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from models.readings_table import ReadingsTable

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets are not beside the checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def make_part() -> Callable[..., NDArray[np.uint8]]:
    """A ring on a plate under a little noise and light; with a defect, a dark scratch across it."""

    def make(seed: int, *, defect: bool = False, width: int = 96, height: int = 80) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[0:height, 0:width]
        radius = np.hypot(rows - height / 2, columns - width / 2)
        grey = 110 + 60 * ((radius > 18) & (radius < 28)) + 10 * rng.normal()
        grey = grey + rng.normal(0, 4, grey.shape)
        if defect:
            grey[34:40, 20:70] = 20
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)

    return make


@pytest.fixture(scope="session")
def good_parts(make_part: Callable[..., NDArray[np.uint8]]) -> list[ImageBytes]:
    return [ImageBytes(f"{index:03}.png", encode_png(make_part(index))) for index in range(24)]


@pytest.fixture(scope="session")
def image_model(tmp_path_factory: pytest.TempPathFactory, good_parts: list[ImageBytes]) -> Path:
    out = tmp_path_factory.mktemp("taught") / "ring"
    teach_images(good_parts, ImageTeaching(name="ring", preprocessing=ImagePreprocessing(size=64)), out)
    return out


@pytest.fixture(scope="session")
def make_readings() -> Callable[..., ReadingsTable]:
    """Three channels of a machine: temperature, current tied to it, and a switch that never moves."""

    def make(seed: int, rows: int = 400, *, fault_from: int | None = None) -> ReadingsTable:
        from models.readings_table import ReadingsTable

        rng = np.random.default_rng(seed)
        load = np.convolve(rng.normal(0, 1, rows + 9), np.ones(10) / 10, mode="valid")
        temperature = 60 + 2 * load + rng.normal(0, 0.1, rows)
        current = 8 + 0.5 * load + rng.normal(0, 0.02, rows)
        if fault_from is not None:
            current[fault_from:] += 2.0
        values = np.stack([temperature, current, np.full(rows, 1.0)], axis=1)
        return ReadingsTable(
            name=f"{seed}.csv",
            digest=f"{seed:064x}",
            columns=("temperature", "current", "door"),
            times_s=np.arange(rows, dtype=np.float64),
            values=values,
        )

    return make


@pytest.fixture(scope="session")
def health_model(tmp_path_factory: pytest.TempPathFactory, make_readings: Callable[..., ReadingsTable]) -> Path:
    out = tmp_path_factory.mktemp("taught") / "press"
    teach_health([make_readings(1), make_readings(2)], HealthTeaching(name="press", window_rows=20), out)
    return out
