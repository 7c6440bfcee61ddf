"""`doctor` tries every model on every provider of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.commands import doctor
from edge_agent.settings.config import Settings
from models.readings_table import ReadingsTable
from models.trainers.machine_health import HealthTeaching, teach_health

if TYPE_CHECKING:
    from pathlib import Path

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("taught") / "press"
    values = np.random.default_rng(0).normal(0, 1, (300, 2))
    table = ReadingsTable("h.csv", "0" * 64, ("a", "b"), np.arange(300.0), values)
    teach_health([table], HealthTeaching(name="press", window_rows=10), out)
    return out


def findings(model: str, *providers: str) -> dict[str, doctor.Finding]:
    settings = Settings.model_validate(
        {
            "agent": {"name": "a", "data_dir": "d"},
            "mqtt": {"readings": [{"filter": "p", "line": "l", "asset": "press", "channels": {"a": "1", "b": "1"}}]},
            "assets": [{"name": "press", "line": "l", "model": model}],
            "inference": {"providers": list(providers)},
        }
    )
    return {finding.subject: finding for finding in doctor._models(settings)}


def test_a_model_that_runs_shows_its_parity_and_time(model: Path) -> None:
    found = findings(str(model), CPU)[f"model {model} on {CPU}"]
    assert found.state == "ok"
    assert found.found.startswith("golden set answered, greatest difference 0.00%, ")
    assert found.found.endswith(" ms an answer")


def test_a_wanted_provider_that_is_not_there_is_a_warning_while_another_runs_it(model: Path) -> None:
    found = findings(str(model), CUDA, CPU)
    assert found[f"model {model} on {CPU}"].state == "ok"
    cuda = found[f"model {model} on {CUDA}"]
    assert (cuda.state, cuda.found) == ("warn", "not_installed: this ONNX Runtime does not have it")
    assert "inference.providers" in cuda.todo
    assert findings(str(model), CUDA)[f"model {model} on {CUDA}"].state == "fail"


def test_a_model_that_is_not_there_is_a_failure() -> None:
    assert {finding.state for finding in findings("./none", CPU).values()} == {"fail"}
