"""What runs a model here is found by trying, and what answers otherwise is not used."""

from __future__ import annotations

import json
import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from models import providers as matrix
from models.__main__ import app
from models.console import entry_point
from models.golden import decode_golden, encode_golden, image_difference
from models.inference import CPU, ImageModel, golden_pixels
from models.manifest import GOLDEN_NAME, FileEntry, digest_of, encode_manifest
from models.model_folder import read_model
from models.providers import provider_matrix

if TYPE_CHECKING:
    from pathlib import Path

CUDA = "CUDAExecutionProvider"


def with_golden(source: Path, folder: Path, factor: float) -> Path:
    """The model with golden scores as if it had been made on a machine that answers `factor` as much."""
    shutil.copytree(source, folder)
    model = read_model(source)
    golden = decode_golden(model.contents)
    images = tuple(msgspec.structs.replace(image, score=image.score * factor) for image in golden.images)
    content = encode_golden(msgspec.structs.replace(golden, images=images))
    (folder / GOLDEN_NAME).write_bytes(content)
    files = tuple(
        FileEntry(GOLDEN_NAME, digest_of(content), len(content)) if entry.path == GOLDEN_NAME else entry
        for entry in model.manifest.files
    )
    (folder / "manifest.toml").write_bytes(encode_manifest(msgspec.structs.replace(model.manifest, files=files)))
    return folder


def test_every_provider_is_tried_on_images_and_windows(image_model: Path, health_model: Path) -> None:
    for folder in (image_model, health_model):
        cpu, cuda, *others = provider_matrix(read_model(folder), (CUDA,))
        assert (cpu.provider, cpu.state, cpu.detail) == (CPU, "ok", "")
        assert cpu.difference is not None
        assert cpu.difference < 1e-4
        assert cpu.answer_ms is not None
        assert cpu.answer_ms > 0
        assert (cuda.provider, cuda.state, cuda.answer_ms) == (CUDA, "not_installed", None)
        assert all(row.provider != "AzureExecutionProvider" for row in others)  # it is not on this machine


def test_answers_that_differ_are_told_with_their_size(image_model: Path, tmp_path: Path) -> None:
    (row, *_) = provider_matrix(read_model(with_golden(image_model, tmp_path / "m", 1.25)))
    assert row.state == "differs"
    assert row.difference == pytest.approx(0.2, abs=1e-3)
    assert "20.0" in row.detail
    assert row.answer_ms is None
    (row, *_) = provider_matrix(read_model(with_golden(image_model, tmp_path / "n", 1.005)))
    assert row.state == "ok"
    assert row.difference == pytest.approx(0.005 / 1.005, rel=1e-2)


def test_an_answer_that_is_no_number_differs(image_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "score_image", lambda *_: (math.nan, np.zeros((2, 2), np.float32)))
    (row, *_) = provider_matrix(read_model(image_model))
    assert (row.state, row.difference, row.detail) == ("differs", None, "a golden answer is no number")


def test_a_provider_that_hands_all_to_the_cpu_is_refused(image_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [CUDA, CPU])
    with pytest.warns(UserWarning, match="not in available provider names"):
        rows = {row.provider: row for row in provider_matrix(read_model(image_model))}
    assert rows[CPU].state == "ok"
    # the runtime knows the name, has not got the provider, and would take the CPU without a word
    assert rows[CUDA].state == "refused"
    assert rows[CUDA].detail


def test_the_difference_is_the_greatest_of_all_answers(image_model: Path) -> None:
    folder = read_model(image_model)
    golden, model = decode_golden(folder.contents), ImageModel(folder)
    last = golden.images[-1].file
    seen: list[str] = []

    def pixels(file: str) -> Any:
        seen.append(file)
        return golden_pixels(folder, file)

    def score(image: Any) -> Any:
        value, anomaly_map = model.score(image)
        return (value * 1.5 if seen[-1] == last else value), anomaly_map

    assert image_difference(golden, pixels, score) == pytest.approx(1 / 3, rel=1e-4)


def test_the_command_shows_the_matrix(
    image_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["edge-model", "providers", *map(str, arguments)])
        try:
            code = entry_point(app)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().out

    code, output = run(image_model, "--provider", CPU, "--json")
    rows = {row["provider"]: row for row in json.loads(output)["providers"]}
    assert (code, rows[CPU]["state"]) == (0, "ok")
    code, output = run(image_model, "--provider", CUDA)
    assert code == 1
    assert "not_installed" in output
    code, output = run(with_golden(image_model, tmp_path / "m", 2.0), "--provider", CPU)
    assert (code, "differ by 50.0" in output) == (1, True)
