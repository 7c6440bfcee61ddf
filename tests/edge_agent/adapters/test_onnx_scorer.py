from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.adapters.onnx_scorer import OnnxHealthScorer, OnnxImageScorer
from edge_agent.errors import ModelRefusedError
from edge_agent.inspection.inspections import decide
from edge_agent.machines.health import assess
from models.datasets import ImageBytes, encode_png
from models.model_folder import ModelFolder, read_model
from models.preprocessing import ImagePreprocessing
from models.readings_table import ReadingsTable
from models.trainers.machine_health import HealthTeaching, teach_health
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.ports import HealthScorer, ImageScorer

CPU = ("CPUExecutionProvider",)


def plate(seed: int, *, hole: bool = False) -> NDArray[np.uint8]:
    """A striped plate with some noise; with a dark hole where it is defective."""
    rng = np.random.default_rng(seed)
    grey = 120 + 40 * (np.arange(64) // 16 % 2)[None, :] + rng.normal(0, 4, (64, 64))
    if hole:
        grey[20:36, 20:36] = 10
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    parts = [ImageBytes(f"{seed}.png", encode_png(plate(seed))) for seed in range(16)]
    teaching = ImageTeaching(name="plate", version=3, preprocessing=ImagePreprocessing(size=64))
    return teach_images(parts, teaching, tmp_path_factory.mktemp("m") / "plate")


@pytest.fixture(scope="module")
def health_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    rng = np.random.default_rng(0)
    values = np.stack([50 + rng.normal(0, 1, 600), 5 + rng.normal(0, 0.1, 600)], axis=1)
    table = ReadingsTable("h.csv", "0" * 64, ("temperature", "current"), np.arange(600, dtype=np.float64) / 2, values)
    return teach_health([table], HealthTeaching(name="press", window_rows=20), tmp_path_factory.mktemp("m") / "press")


def test_an_image_scorer_is_what_the_port_asks_for(image_folder: ModelFolder) -> None:
    scorer: ImageScorer = OnnxImageScorer(image_folder, CPU)
    assert scorer.identity.label == "plate@3"
    assert scorer.identity.digest == image_folder.digest
    assert scorer.provider == "CPUExecutionProvider"
    manifest = image_folder.manifest
    assert manifest.decision is not None
    assert (scorer.limits.threshold, scorer.limits.review_from) == (
        manifest.decision.threshold,
        manifest.decision.review_from,
    )
    score = scorer.score(plate(50, hole=True))
    assert decide(score.value, scorer.limits).verdict == "FAIL"
    assert score.anomaly_map is not None
    assert score.anomaly_map.dtype == np.float32
    assert score.anomaly_map.shape == (4, 4)
    assert score.value == score.anomaly_map.max()
    assert decide(scorer.score(plate(51)).value, scorer.limits).verdict != "FAIL"


def test_a_health_scorer_is_what_the_port_asks_for(health_folder: ModelFolder) -> None:
    scorer: HealthScorer = OnnxHealthScorer(health_folder, CPU)
    assert scorer.identity.label == "press@1"
    assert (scorer.channels, scorer.period_s, scorer.window_rows) == (("temperature", "current"), 0.5, 20)
    assert scorer.provider == "CPUExecutionProvider"
    rng = np.random.default_rng(1)
    window = np.stack([50 + rng.normal(0, 1, 20), 5 + rng.normal(0, 0.1, 20)], axis=1).astype(np.float32)
    healthy = scorer.assess(window)
    assert healthy.statistic < 1
    window[:, 1] += 1.0
    moved = assess(scorer.assess(window), scorer.channels)
    assert moved.reason == "above_limit"
    assert next(iter(moved.contributions)) == "current"
    assert moved.health is not None
    assert moved.health < healthy.health


def test_what_is_not_finite_is_handed_on_for_the_agent_to_judge(health_folder: ModelFolder) -> None:
    scorer = OnnxHealthScorer(health_folder, CPU)
    window = np.full((20, 2), np.nan, dtype=np.float32)
    assert assess(scorer.assess(window), scorer.channels).reason == "score_not_finite"


def test_a_wanted_provider_that_is_not_there_is_told(image_folder: ModelFolder, health_folder: ModelFolder) -> None:
    wanted = ("CUDAExecutionProvider", *CPU)
    for scorer in (OnnxImageScorer(image_folder, wanted), OnnxHealthScorer(health_folder, wanted)):
        assert scorer.provider == "CPUExecutionProvider"
        assert scorer.passed_over == ("CUDAExecutionProvider: not installed",)


def test_the_workshops_errors_become_the_agents_with_their_hints(
    image_folder: ModelFolder, health_folder: ModelFolder
) -> None:
    with pytest.raises(ModelRefusedError, match="no execution provider") as caught:
        OnnxImageScorer(image_folder, ("CUDAExecutionProvider",))
    assert (caught.value.field, caught.value.hint[:3]) == ("providers", "add")
    with pytest.raises(ModelRefusedError, match="no health model"):
        OnnxHealthScorer(image_folder, CPU)
    with pytest.raises(ModelRefusedError, match="must be uint8"):
        OnnxImageScorer(image_folder, CPU).score(np.zeros((4, 4), np.uint8))
    with pytest.raises(ModelRefusedError, match="must be float32"):
        OnnxHealthScorer(health_folder, CPU).assess(np.zeros((1, 2), np.float32))


def test_two_scorers_of_one_model_share_nothing(image_folder: ModelFolder) -> None:
    first, second = OnnxImageScorer(image_folder, CPU), OnnxImageScorer(image_folder, CPU)
    assert first._model.opened.session is not second._model.opened.session
    assert first.score(plate(9)).value == second.score(plate(9)).value


def test_the_answer_does_not_depend_on_the_folder_after_loading(
    image_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("copy") / "plate"
    for path, content in image_folder.contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    model = read_model(folder)
    shutil.rmtree(folder)
    assert OnnxImageScorer(model, CPU).score(plate(9)).value > 0
