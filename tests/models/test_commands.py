from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.console import entry_point
from models.datasets import ImageBytes, encode_png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.readings_table import ReadingsTable


class _Commands:
    """Runs the command line in this process, as the installed command does."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["edge-model", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            code = entry_point(app)
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *arguments: object) -> dict[str, Any]:
        code, output, errors = self(*arguments, "--json")
        assert code == 0, errors
        document: dict[str, Any] = json.loads(output)
        return document


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> _Commands:
    return _Commands(capsys, monkeypatch)


@pytest.fixture(scope="module")
def pictures(
    tmp_path_factory: pytest.TempPathFactory, good_parts: list[ImageBytes], make_part: Callable[..., Any]
) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for name in ("good", "new", "bad", "masks"):
        (root / name).mkdir()
    for part in good_parts:
        (root / "good" / part.name).write_bytes(part.content)
    for seed in range(8):
        (root / "new" / f"{seed}.png").write_bytes(encode_png(make_part(200 + seed)))
        (root / "bad" / f"{seed}.png").write_bytes(encode_png(make_part(300 + seed, defect=True)))
        mask = make_part(0)[:, :, 0] * 0
        mask[34:40, 20:70] = 255
        (root / "masks" / f"{seed}.png").write_bytes(encode_png(mask))
    return root


def _write_csv(path: Path, table: ReadingsTable, fault_from: int | None) -> Path:
    lines = ["time;temperature;current;door;anomaly"]
    for index, (t, row) in enumerate(zip(table.times_s, table.values, strict=True)):
        label = int(fault_from is not None and index >= fault_from)
        lines.append(";".join(str(value) for value in (t, *row, label)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_images_are_taught_measured_scored_and_verified(run: _Commands, pictures: Path, tmp_path: Path) -> None:
    model = tmp_path / "ring"
    taught = run.json(
        "teach", "images", "--good", pictures / "good", "--bad", pictures / "bad", "--out", model, "--size", 64
    )
    assert (taught["model"], taught["lineage"]["n_samples"], taught["evaluation"]["n_bad"]) == ("ring@1", 24, 8)

    figures = run.json(
        "evaluate", model, "--good", pictures / "new", "--bad", pictures / "bad", "--masks", pictures / "masks"
    )
    assert {
        "image_auroc", "aupr", "escape_at_overkill_1pct", "escape_at_overkill_5pct", "pixel_auroc", "pro", "latency_ms",
        "n_good", "n_bad",
    } <= set(figures)  # fmt: skip
    assert (figures["image_auroc"]["value"], figures["n_good"], figures["n_bad"]) == (1.0, 8, 8)
    assert figures["pixel_auroc"] > 0.8
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert figures["at_limits"]["bad"]["FAIL"] == 1.0

    code, output, _errors = run("score", model, pictures / "bad", pictures / "new" / "0.png")
    lines = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [line["verdict"] for line in lines[:8]] == ["FAIL"] * 8
    assert lines[8]["input"] == str(pictures / "new" / "0.png")
    assert lines[8]["score"] < lines[0]["score"]

    sound = run.json("verify", model)
    assert (sound["digest"], sound["golden"], sound["signature"]) == (taught["digest"], "passed", "not checked")


def test_a_file_that_is_no_image_gets_no_verdict_and_exit_1(run: _Commands, image_model: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    code, output, _errors = run("score", image_model, tmp_path / "torn.png", tmp_path / "gone.png")
    lines = [json.loads(line) for line in output.splitlines()]
    assert code == 1
    assert [(line["verdict"], line["score"]) for line in lines] == [("NO_VERDICT", None)] * 2
    assert "not an image" in lines[0]["reason"]


def test_health_is_taught_measured_and_scored(
    run: _Commands, make_readings: Callable[..., ReadingsTable], tmp_path: Path
) -> None:
    healthy = _write_csv(tmp_path / "healthy.csv", make_readings(1), None)
    faulty = _write_csv(tmp_path / "faulty.csv", make_readings(2, fault_from=250), 250)
    model = tmp_path / "press"
    taught = run.json(
        *("teach", "health", "--readings", healthy, "--readings", faulty, "--rows", "0:240", "--out", model),
        *("--window", 20, "--unit", "temperature=Cel"),
    )
    assert [channel["name"] for channel in taught["health"]["channels"]] == ["temperature", "current", "door"]
    assert taught["health"]["channels"][0]["unit"] == "Cel"
    assert taught["lineage"]["n_samples"] == 480

    figures = run.json("evaluate", model, "--readings", faulty, "--on-delay", 10, "--off-delay", 10)
    assert (figures["events"], figures["events_found"], figures["runs"]) == (1, 1, 1)
    assert figures["delay_s"] < 30
    assert figures["all_ones_f1"] == pytest.approx(2 * 150 / (381 + 150))

    code, output, _errors = run("score", model, faulty)
    lines = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert (len(lines), lines[0]["row"], lines[-1]["row"]) == (381, 19, 399)
    assert (lines[-1]["verdict"], next(iter(lines[-1]["contributions"]))) == ("ABOVE_LIMIT", "current")


def test_models_are_installed_listed_and_promoted(run: _Commands, image_model: Path, tmp_path: Path) -> None:
    registry = tmp_path / "models"
    installed = run.json("install", image_model, "--into", registry)
    assert (installed["name"], installed["version"], installed["active"]) == ("ring", 1, True)
    assert run.json("list", "--in", registry)["models"] == [installed]
    assert run.json("promote", "ring", 1, "--in", registry) == installed
    assert run("list", "--in", registry)[1].startswith("* ring@1  anomaly  ")
    assert run("promote", "ring", 2, "--in", registry)[0] == 2


def test_exit_codes_and_messages(run: _Commands, image_model: Path, health_model: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(image_model, tmp_path / "broken")
    (broken / "card.md").write_text("changed", encoding="utf-8")
    code, output, errors = run("verify", broken)
    assert (code, output) == (1, "")
    assert "refused: a file is not the one in the manifest" in errors
    assert run("verify", tmp_path / "none")[0] == 1
    assert run("evaluate", image_model)[0] == 2
    assert run("evaluate", health_model)[0] == 2
    assert run("teach", "images", "--good", tmp_path / "none", "--out", tmp_path / "m")[0] == 2
    assert run("teach", "images", "--out", tmp_path / "m")[0] == 2
    assert run("teach", "images", "--good", tmp_path, "--out", tmp_path / "m", "--exposure", "night")[0] == 2
    assert run("teach", "images", "--good", tmp_path, "--out", tmp_path / "Not a name")[0] == 2
    code, _output, errors = run("score", image_model, tmp_path / "x.png", "--provider", "NoSuchProvider")
    assert code == 1
    assert "no execution provider" in errors


@pytest.mark.parametrize(
    "option", [("--rows", "0-400"), ("--unit", "Cel"), ("--ignore", "gone"), ("--limit-quantile", "2")]
)
def test_options_that_make_no_sense_are_named(
    run: _Commands, make_readings: Callable[..., ReadingsTable], tmp_path: Path, option: tuple[str, str]
) -> None:
    readings = _write_csv(tmp_path / "r.csv", make_readings(1), None)
    code, _output, errors = run("teach", "health", "--readings", readings, "--out", tmp_path / "m", *option)
    assert code == 2
    assert option[0].removeprefix("--").split("-")[0] in errors or "columns" in errors
    assert not (tmp_path / "m").exists()


def test_every_command_helps_with_an_example() -> None:
    runner = CliRunner()
    for command in ("score", "verify", "install", "list", "promote", "evaluate", "teach images", "teach health"):
        result = runner.invoke(app, [*command.split(), "--help"])
        assert result.exit_code == 0
        assert re.search(rf"Example:\s+edge-model\s+{command}", result.output)


def test_a_model_runs_where_onnx_is_not_installed(image_model: Path, health_model: Path) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from models.__main__ import run_golden\n"
        "from models.model_folder import read_model\n"
        "from pathlib import Path\n"
        "import models.registry, models.features, models.preprocessing\n"
        "[run_golden(read_model(Path(path))) for path in sys.argv[1:]]\n"
        "assert not any(name.startswith('models.trainers') for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, image_model, health_model], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
