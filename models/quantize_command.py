"""`edge-model quantize`: an INT8 model of an image model, with what it costs and gains."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from models.console import JsonOption, out, print_json, progress_bars
from models.datasets import list_images
from models.errors import DatasetError
from models.evaluate_command import ModelArgument  # noqa: TC001 - read by typer
from models.extras import training_module
from models.model_folder import read_model

if TYPE_CHECKING:
    from models.quantize import Comparison


def quantize(  # noqa: PLR0913 - one parameter an option of the command line
    model: ModelArgument,
    calibration: Annotated[Path, typer.Option(help="Folder of images of good parts, 50 or more.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Model folder to make.")],
    *,
    good: Annotated[Path | None, typer.Option(help="Folder of other good parts, to measure both models on.")] = None,
    bad: Annotated[list[Path] | None, typer.Option(help="Folder of defective parts; several allowed.")] = None,
    max_drop: Annotated[float, typer.Option(min=0, max=1, help="AUROC that may be lost on them.")] = 0.01,
    max_change: Annotated[
        float, typer.Option(min=0, max=1, help="Share that one score may change by, beyond the common shift, at 95 %.")
    ] = 0.05,
    version: Annotated[int | None, typer.Option(min=1, help="Version of the new model; default: the next.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model folder that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Quantise an image model to INT8. What judges differently is not written: exit 1."""
    quantiser = training_module("models.quantize")
    if (good is None) != (not bad):
        raise DatasetError("give good and defective parts, or neither", field="good", hint="--good DIR --bad DIR")
    source = read_model(model)
    labelled = None
    if good is not None:
        bad_images = tuple(image for folder in bad or () for image in list_images(folder))
        labelled = quantiser.Labelled(good=tuple(list_images(good)), bad=bad_images)
    quantising = quantiser.Quantising(
        version=version if version is not None else source.manifest.version + 1,
        gate=quantiser.Gate(auroc_drop=max_drop, score_change=max_change),
        overwrite=overwrite,
    )
    with progress_bars() as progress:
        made, comparison = quantiser.quantise_model(
            source, list_images(calibration), out_folder, quantising, labelled=labelled, progress=progress
        )
    if as_json:
        figures = msgspec.to_builtins(comparison)
        print_json({"model": made.manifest.label, "path": str(out_folder), "digest": made.digest, **figures})
        return
    out.print(f"{made.manifest.label} written to {out_folder}", markup=False)
    _report(comparison)


def _report(comparison: Comparison) -> None:
    out.print(
        f"INT8 {comparison.int8_ms:.1f} ms, fp32 {comparison.fp32_ms:.1f} ms a picture on this machine, one thread: "
        f"{comparison.speedup:.2f} times as fast"
    )
    if comparison.speedup < 1:
        out.print("INT8 is no faster on this processor: keep the fp32 model here")
    out.print(
        f"scores of {comparison.n_compared} other images: shifted {comparison.score_shift:+.2%}, and the "
        f"limits with them; beyond that up to {comparison.score_change:.2%} (95 %), "
        f"{comparison.verdicts_changed} verdicts changed"
    )
    for name, auroc in (("fp32", comparison.fp32_auroc), ("INT8", comparison.int8_auroc)):
        if auroc is not None:
            out.print(f"AUROC {name} {auroc.value:.4f} ({auroc.low:.4f} to {auroc.high:.4f})")
