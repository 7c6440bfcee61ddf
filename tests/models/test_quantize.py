"""An INT8 model judges as the model it was made from, or is not written."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
import onnx
import pytest

from models.__main__ import app
from models.console import entry_point
from models.datasets import ImageBytes, encode_png, list_images
from models.errors import ContractError, ManifestError, TeachingError
from models.inference import CPU, ImageModel, open_graph
from models.model_folder import read_model
from models.preprocessing import ImagePreprocessing
from models.quantize import Gate, Labelled, Quantising, in_turns, quantise_graph, quantise_model
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from models.model_folder import ModelFolder
    from models.quantize import Comparison

    Make = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def make_part() -> Make:
    """A ring on a rough plate: parts that differ as much as real ones do; with a defect, a dark scratch across it."""

    def make(seed: int, *, defect: bool = False) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[0:96, 0:96]
        radius = np.hypot(rows - 48 + rng.normal(0, 2), columns - 48 + rng.normal(0, 2))
        rough = cv2.GaussianBlur(rng.normal(0, 60, (96, 96)), (0, 0), 2) + rng.normal(0, 12, (96, 96))
        grey = 110 + 60 * ((radius > 18) & (radius < 28)) + rough
        if defect:
            grey[34:44, 20:70] = 20
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)

    return make


@pytest.fixture(scope="module")
def image_model(make_part: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fp32") / "ring"
    teaching = ImageTeaching(name="ring", preprocessing=ImagePreprocessing(size=64))
    teach_images(parts(make_part, range(40)), teaching, out)
    return out


def parts(make: Make, seeds: range, *, defect: bool = False) -> tuple[ImageBytes, ...]:
    return tuple(ImageBytes(f"{seed}.png", encode_png(make(seed, defect=defect))) for seed in seeds)


@pytest.fixture(scope="module", name="made")
def _made(
    image_model: Path, make_part: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ModelFolder, Comparison]:
    out = tmp_path_factory.mktemp("int8") / "ring"
    labelled = Labelled(good=parts(make_part, range(200, 210)), bad=parts(make_part, range(300, 310), defect=True))
    images = parts(make_part, range(100, 140))
    return out, *quantise_model(read_model(image_model), images, out, Quantising(version=2), labelled=labelled)


def test_the_int8_model_is_a_model_of_its_own(made: tuple[Path, ModelFolder, Comparison], image_model: Path) -> None:
    out, folder, compared = made
    manifest, source = read_model(out).manifest, read_model(image_model)
    assert (manifest.label, manifest.precision, source.manifest.precision) == ("ring@2", "int8", "fp32")
    settings = {setting.name: setting.value for setting in manifest.lineage.settings}
    assert settings["made from"] == f"ring@1, digest {source.digest}"
    assert settings["quantisation"] == "INT8 static, a scale a channel, 20 calibration images"
    assert (compared.n_calibration, compared.n_compared) == (20, 20)
    assert ImageModel(folder).opened.provider == CPU  # its golden set passes
    assert len(folder.graph) < 0.8 * len(source.graph)
    assert manifest.evaluation is not None
    assert (manifest.evaluation.n_good, manifest.evaluation.n_bad) == (10, 10)


def test_only_the_backbone_is_quantised(made: tuple[Path, ModelFolder, Comparison]) -> None:
    graph = onnx.load_from_string(made[1].graph).graph
    ours = {node.name for node in graph.node if node.op_type == "Conv" and not node.name.startswith("backbone.")}
    assert ours  # projection and smoothing
    weights = {w.name: w for w in graph.initializer}
    for node in graph.node:
        if node.name in ours:
            assert weights[node.input[1]].data_type == onnx.TensorProto.FLOAT
    quantised = [weights[node.input[0]] for node in graph.node if node.op_type == "DequantizeLinear"
                 and node.input[0] in weights]  # fmt: skip
    assert sum(weight.data_type == onnx.TensorProto.INT8 for weight in quantised) == 33  # every one of the backbone's


def test_it_judges_as_before_and_its_limits_follow_its_scores(
    made: tuple[Path, ModelFolder, Comparison], image_model: Path, make_part: Make
) -> None:
    _, folder, compared = made
    before, after = ImageModel(read_model(image_model)), ImageModel(folder)
    assert after.limits.threshold == pytest.approx(before.limits.threshold * (1 + compared.score_shift))
    assert after.limits.review_from == pytest.approx(before.limits.review_from * (1 + compared.score_shift))
    # every score is the old one, moved by the shift, within what was reported (95 %) and a margin for the rest
    for seed in range(400, 410):
        pixels = make_part(seed)
        ratio = after.score(pixels)[0] / before.score(pixels)[0] / (1 + compared.score_shift)
        assert abs(ratio - 1) < 2 * max(compared.score_change, 0.01)
    assert after.score(make_part(500, defect=True))[0] > after.limits.threshold
    assert compared.fp32_auroc is not None
    assert compared.int8_auroc is not None
    assert compared.fp32_auroc.value == compared.int8_auroc.value == 1.0


@pytest.mark.parametrize(
    ("gate", "field"),
    [(Gate(score_change=1e-6), "score_change"), (Gate(score_shift=0.0), "score_shift"),
     (Gate(auroc_drop=-0.5), "auroc_drop")],
)  # fmt: skip
def test_what_judges_differently_is_not_written(
    image_model: Path, make_part: Make, tmp_path: Path, gate: Gate, field: str
) -> None:
    quantising = Quantising(version=2, gate=gate)
    labelled = Labelled(good=parts(make_part, range(200, 205)), bad=parts(make_part, range(300, 305), defect=True))
    with pytest.raises(ContractError, match="judges differently") as caught:
        quantise_model(
            read_model(image_model), parts(make_part, range(100, 120)), tmp_path / "m", quantising, labelled=labelled
        )
    assert caught.value.field == field
    assert not (tmp_path / "m").exists()


def test_parts_too_alike_for_int8_are_found_out(tmp_path: Path) -> None:
    # parts that hardly differ leave the Gaussians so narrow that rounding to 8 bits looks abnormal
    plain = np.full((96, 96, 3), 120, dtype=np.uint8)

    def alike(seeds: range) -> tuple[ImageBytes, ...]:
        noise = [np.random.default_rng(seed).integers(-2, 3, plain.shape) for seed in seeds]
        return tuple(
            ImageBytes(f"{i}.png", encode_png(np.clip(plain + n, 0, 255).astype(np.uint8))) for i, n in enumerate(noise)
        )

    teaching = ImageTeaching(name="plate", preprocessing=ImagePreprocessing(size=64))
    model = teach_images(alike(range(20)), teaching, tmp_path / "plate")
    with pytest.raises(ContractError, match="judges differently"):
        quantise_model(model, alike(range(100, 120)), tmp_path / "m", Quantising(version=2))
    assert not (tmp_path / "m").exists()


def test_a_model_that_cannot_be_quantised_says_why(
    image_model: Path, health_model: Path, made: tuple[Path, ModelFolder, Comparison], make_part: Make, tmp_path: Path
) -> None:
    images = parts(make_part, range(100, 120))
    refusals = [
        (read_model(health_model), images, 2, ManifestError, "only image models"),
        (made[1], images, 3, ManifestError, "quantised already"),
        (read_model(image_model), images, 1, ManifestError, "versions of a name only grow"),
        (read_model(image_model), images[:19], 2, TeachingError, "too few images"),
    ]
    for folder, given, version, kind, message in refusals:
        with pytest.raises(kind, match=message):
            quantise_model(folder, given, tmp_path / "m", Quantising(version=version))
    foreign = onnx.load_from_string(read_model(image_model).graph)
    for node in foreign.graph.node:
        node.name = f"other.{node.name}"
    with pytest.raises(ContractError, match="no backbone"):
        quantise_graph(foreign.SerializeToString(), [make_part(0)])


def test_two_models_are_timed_in_turns(image_model: Path, make_part: Make) -> None:
    session = open_graph(read_model(image_model).graph, CPU)
    first, second = in_turns(session, session, make_part(0), 5)
    assert (len(first), len(second)) == (5, 5)
    assert min(*first, *second) > 0


def test_the_command_measures_and_refuses(
    image_model: Path,
    make_part: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, seeds, defect in (("cal", range(100, 120), False), ("bad", range(300, 304), True)):
        (tmp_path / name).mkdir()
        for part in parts(make_part, seeds, defect=defect):
            (tmp_path / name / part.name).write_bytes(part.content)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edge-model", "quantize", str(image_model), *map(str, arguments)])
        try:
            code = entry_point(app)
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    common = ("--calibration", tmp_path / "cal", "--out", tmp_path / "m")
    code, output, errors = run(*common, "--json")
    assert code == 0, errors
    document = json.loads(output)
    assert (document["model"], document["n_compared"], document["int8_auroc"]) == ("ring@2", 10, None)
    assert {"fp32_ms", "int8_ms", "speedup", "score_shift", "score_change", "verdicts_changed"} <= set(document)
    code, output, _ = run(*common, "--overwrite", "--good", tmp_path / "cal", "--bad", tmp_path / "bad")
    assert code == 0
    assert "times as fast" in output
    assert "AUROC INT8 1.0000" in output
    assert run(*common)[0] == 1  # the folder is there
    code, _, errors = run(*common, "--overwrite", "--max-change", "0.000001")
    assert (code, "score_change" in errors) == (1, True)
    code, _, errors = run(*common, "--overwrite", "--bad", tmp_path / "bad")
    assert (code, "good and defective parts" in errors) == (2, True)


def test_more_images_than_needed_are_thinned_out_evenly(image_model: Path, make_part: Make, tmp_path: Path) -> None:
    model, images = read_model(image_model), [*parts(make_part, range(100, 124))] * 10
    _, compared = quantise_model(model, images, tmp_path / "q", Quantising(version=2))
    assert (compared.n_calibration, compared.n_compared) == (48, 100)
    assert msgspec.json.encode(compared)
    assert len(list_images(tmp_path / "q" / "golden")) == 3
