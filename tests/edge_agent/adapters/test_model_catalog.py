from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.adapters.model_catalog import ModelCatalog
from edge_agent.errors import ModelRefusedError
from models.readings_table import ReadingsTable
from models.registry import Registry
from models.trainers.machine_health import HealthTeaching, teach_health

if TYPE_CHECKING:
    from pathlib import Path

CPU = ("CPUExecutionProvider",)


def _teach(out: Path, version: int) -> Path:
    values = np.random.default_rng(version).normal(0, 1, (300, 2))
    table = ReadingsTable("h.csv", f"{version:064x}", ("a", "b"), np.arange(300.0), values)
    teach_health([table], HealthTeaching(name="press", version=version, window_rows=10), out)
    return out


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("taught")
    return _teach(root / "v1", 1), _teach(root / "v2", 2)


def test_a_path_opens_the_folder_itself(taught: tuple[Path, Path], tmp_path: Path) -> None:
    scorer = ModelCatalog(tmp_path, CPU).health_scorer(str(taught[1]))
    assert scorer.identity.label == "press@2"


def test_a_name_opens_the_version_in_force(taught: tuple[Path, Path], tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for folder in taught:
        registry.install(folder, lambda _model: None)
    catalog = ModelCatalog(tmp_path, CPU)
    assert catalog.health_scorer("press").identity.label == "press@1"
    registry.promote("press", 2)
    assert catalog.health_scorer("press").identity.label == "press@2"


def test_a_name_opens_a_plain_model_folder_too(taught: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(taught[0], tmp_path / "press")
    assert ModelCatalog(tmp_path, CPU).health_scorer("press").identity.label == "press@1"


@pytest.mark.parametrize("model", ["press", "no/such/folder", "../press", "..", "."])
def test_what_is_not_there_is_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelRefusedError):
        ModelCatalog(tmp_path, CPU).health_scorer(model)


def test_a_health_model_is_no_image_model(taught: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="no image model") as caught:
        ModelCatalog(tmp_path, CPU).image_scorer(str(taught[0]))
    assert caught.value.value == "health"


def test_a_changed_file_is_refused_with_its_name(taught: tuple[Path, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(taught[0], tmp_path / "press")
    (folder / "card.md").write_text("changed", encoding="utf-8")
    with pytest.raises(ModelRefusedError, match="not the one in the manifest") as caught:
        ModelCatalog(tmp_path, CPU).health_scorer("press")
    assert caught.value.field == "card.md"
