"""The command `edge-model`: teach, evaluate, score, verify, install, list, promote."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.console import NO, JsonOption, entry_point, out, print_json, progress_bars
from models.datasets import ImageFile, decode, list_images
from models.errors import DatasetError
from models.evaluate_command import ModelArgument, evaluate
from models.inference import CPU, HealthModel, ImageModel
from models.model_folder import read_model
from models.providers_command import providers
from models.quantize_command import quantize
from models.readings_table import read_table
from models.registry import InstalledModel, Registry
from models.scoring import assess_table
from models.teach_command import teach_app
from models.thresholds import verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.model_folder import ModelFolder

app = typer.Typer(
    name="edge-model",
    help="Teaches, evaluates, verifies and installs models. Everything runs on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(teach_app, name="teach")
app.command(epilog="Example: edge-model evaluate models/bracket --good more-good/ --bad known-bad/")(evaluate)
app.command(epilog="Example: edge-model providers models/bracket --provider CUDAExecutionProvider")(providers)
app.command(epilog="Example: edge-model quantize models/bracket --calibration good/ --out models/bracket-int8")(
    quantize
)

RegistryOption = Annotated[
    Path, typer.Option("--into", "--in", envvar="LINEPROOF_MODELS", help="Folder of installed models.")
]


@app.command(epilog="Example: edge-model score models/bracket pictures/*.png")
def score(
    model: ModelArgument,
    paths: Annotated[list[Path], typer.Argument(help="Images or folders of them; CSV files for a health model.")],
    *,
    provider: Annotated[str, typer.Option(help="ONNX Runtime execution provider.")] = CPU,
) -> None:
    """Score files: one JSON line an image, or a row of readings. Exit 1 when any input has no verdict."""
    folder = read_model(model)
    lines = (
        _score_rows(folder, paths, provider)
        if folder.manifest.task == "health"
        else _score_images(folder, paths, provider)
    )
    unjudged = 0
    for line in lines:
        unjudged += line["verdict"] == "NO_VERDICT"
        print_json(line, compact=True)
    if unjudged:
        raise typer.Exit(NO)


@app.command(epilog="Example: edge-model verify models/bracket")
def verify(model: ModelArgument, *, as_json: JsonOption = False) -> None:
    """Check every file against the manifest and run the golden set. It does not say who made the model."""
    folder = read_model(model)
    run_golden(folder)
    manifest = folder.manifest
    if as_json:
        print_json(
            {
                "model": manifest.label,
                "task": manifest.task,
                "digest": folder.digest,
                "files": len(manifest.files),
                "golden": "passed",
                "signature": "not checked",
            }
        )
    else:
        out.print(f"{manifest.label} ({manifest.task}) is sound: {len(manifest.files)} files, golden set passed")
        out.print(f"digest {folder.digest}; signature not checked")


@app.command(epilog="Example: edge-model install models/bracket --into /var/lib/lineproof/models")
def install(model: ModelArgument, into: RegistryOption, *, as_json: JsonOption = False) -> None:
    """Verify a model, run its golden set, and copy it in. The first version of a name is put in force at once."""
    installed = Registry(into).install(model, run_golden)
    if as_json:
        print_json(_row(installed))
    else:
        state = (
            "in force"
            if installed.active
            else f"installed; put in force with: promote {installed.name} {installed.version}"
        )
        out.print(f"{installed.name}@{installed.version} {state}", soft_wrap=True)


@app.command("list", epilog="Example: edge-model list --in /var/lib/lineproof/models")
def list_models(into: RegistryOption, *, as_json: JsonOption = False) -> None:
    """Installed models; * is in force."""
    rows = [_row(item) for item in Registry(into).list()]
    if as_json:
        print_json({"models": rows})
        return
    for row in rows:
        out.print(
            f"{'*' if row['active'] else ' '} {row['name']}@{row['version']}  {row['task']}  {row['digest'][:12]}"
        )
    if not rows:
        out.print(f"no models in {into}")


@app.command(epilog="Example: edge-model promote bracket 2 --in /var/lib/lineproof/models")
def promote(
    name: Annotated[str, typer.Argument(help="Model name.")],
    version: Annotated[int, typer.Argument(help="Installed version.")],
    into: RegistryOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Put an installed version in force; a running agent takes it up at its next start."""
    chosen = Registry(into).promote(name, version)
    if as_json:
        print_json(_row(chosen))
    else:
        out.print(f"{chosen.name}@{chosen.version} in force")


def run_golden(folder: ModelFolder) -> None:
    """Open a model, which runs its golden set."""
    if folder.manifest.task == "health":
        HealthModel(folder)
    else:
        ImageModel(folder)


def _score_images(folder: ModelFolder, paths: list[Path], provider: str) -> Iterator[dict[str, Any]]:
    model = ImageModel(folder, (provider,))
    images = [image for path in paths for image in (list_images(path) if path.is_dir() else [ImageFile(path)])]
    with progress_bars() as progress:
        for index, image in enumerate(images):
            progress("scoring", index, len(images))
            try:
                value, _map = model.score(decode(image))
            except DatasetError as error:
                yield {"input": str(image.path), "score": None, "verdict": "NO_VERDICT", "reason": str(error)}
                continue
            known = math.isfinite(value)
            yield {
                "input": str(image.path),
                "score": value if known else None,
                "verdict": verdict_of(value, model.limits),
                "threshold": model.limits.threshold,
                "review_from": model.limits.review_from,
                "model": folder.manifest.label,
            }


def _score_rows(folder: ModelFolder, paths: list[Path], provider: str) -> Iterator[dict[str, Any]]:
    model = HealthModel(folder, (provider,))
    for path in paths:
        for row in assess_table(model, read_table(path)):
            known = math.isfinite(row.statistic) and math.isfinite(row.health)
            ranked = sorted(zip(model.channels, row.contributions, strict=True), key=lambda pair: -pair[1])
            yield {
                "input": str(path),
                "row": row.row,
                "score": row.statistic if known else None,
                "health": row.health if known else None,
                "verdict": ("ABOVE_LIMIT" if row.statistic >= 1 else "OK") if known else "NO_VERDICT",
                "contributions": dict(ranked) if known else {},
                "model": folder.manifest.label,
            }


def _row(item: InstalledModel) -> dict[str, Any]:
    return {
        "name": item.name,
        "version": item.version,
        "task": item.task,
        "digest": item.digest,
        "active": item.active,
        "path": str(item.path),
    }


def main() -> None:
    """Entry point: errors end with a message and an exit code, never with a traceback."""
    sys.exit(entry_point(app))


if __name__ == "__main__":
    main()
