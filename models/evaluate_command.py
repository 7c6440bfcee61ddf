"""`edge-model evaluate`: figures of a model on labelled images or readings it was not taught from."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
import typer

from models.alarm_evaluation import Delays, Monitored, evaluate_alarms
from models.console import JsonOption, out, print_json, progress_bars
from models.datasets import ImageFile, decode, list_images, read_mask
from models.errors import DatasetError
from models.evaluation import average_precision, bootstrap_auroc, escape_at_overkill, pixel_figures
from models.inference import CPU, HealthModel, ImageModel
from models.model_folder import read_model
from models.readings_table import read_table
from models.scoring import assess_table
from models.teach_command import row_range
from models.thresholds import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


ModelArgument = Annotated[Path, typer.Argument(help="Model folder.")]


class _Scored(msgspec.Struct, frozen=True):
    """Scores, maps and inference times (ms) of some images, in order."""

    scores: Any
    maps: list[Any]
    latency_ms: list[float]


def evaluate(  # noqa: PLR0913 - one parameter an option of the command line
    model: ModelArgument,
    *,
    good: Annotated[Path | None, typer.Option(help="Folder of good parts the model has not seen.")] = None,
    bad: Annotated[
        list[Path] | None, typer.Option(help="Folder of defective parts; may be given several times.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of masks: same stems, in subfolders as in --bad, or named as the --bad folders."),
    ] = None,
    readings: Annotated[list[Path] | None, typer.Option(help="CSV to run through a health model.")] = None,
    labels: Annotated[str, typer.Option(help="Column that is above 0 where the machine is abnormal.")] = "anomaly",
    rows: Annotated[str, typer.Option(help="Rows of each file to use, as FIRST:LAST.")] = ":",
    on_delay: Annotated[float, typer.Option(min=0, help="An alarm needs the limit passed so long, seconds.")] = 30.0,
    off_delay: Annotated[float, typer.Option(min=0, help="It ends after so long below, seconds.")] = 30.0,
    provider: Annotated[str, typer.Option(help="ONNX Runtime execution provider.")] = CPU,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on labelled data; intervals are 95 % bootstrap."""
    folder = read_model(model)
    if folder.manifest.task == "health":
        if not readings:
            raise DatasetError("a health model is evaluated on readings", field="readings", hint="give --readings FILE")
        figures = _evaluate_readings(
            HealthModel(folder, (provider,)), readings, labels, rows, Delays(on_delay, off_delay)
        )
    else:
        if good is None or not bad:
            raise DatasetError("give good and defective parts", field="good", hint="--good DIR --bad DIR")
        figures = _evaluate_images(ImageModel(folder, (provider,)), good, bad, masks)
    if as_json:
        print_json({"model": folder.manifest.label, "digest": folder.digest, **figures})
        return
    for name, value in figures.items():
        out.print(f"{name:28} {_shown(value)}", markup=False)


def _evaluate_images(
    model: ImageModel, good_folder: Path, bad_folders: Sequence[Path], masks: Path | None
) -> dict[str, Any]:
    bad_images = [(image, folder) for folder in bad_folders for image in list_images(folder)]
    truths: list[NDArray[np.bool_] | None] = []
    if masks is not None:
        truths = [_mask_of(image, folder, masks) for image, folder in bad_images]
    with progress_bars() as progress:
        good = _score(model, list_images(good_folder), "good", progress)
        bad = _score(model, [image for image, _folder in bad_images], "bad", progress)
    ranking = bootstrap_auroc(good.scores, bad.scores)
    pixels = None
    if masks is not None:
        pixels = pixel_figures([*bad.maps, *good.maps], [*truths, *[None] * len(good.maps)])
    verdicts = {
        kind: [verdict_of(float(value), model.limits) for value in scored.scores]
        for kind, scored in (("good", good), ("bad", bad))
    }
    latency = np.quantile(good.latency_ms + bad.latency_ms, [0.5, 0.99])
    return {
        "image_auroc": msgspec.to_builtins(ranking),
        "aupr": average_precision(good.scores, bad.scores),
        "escape_at_overkill_1pct": escape_at_overkill(good.scores, bad.scores, 0.01),
        "escape_at_overkill_5pct": escape_at_overkill(good.scores, bad.scores, 0.05),
        "pixel_auroc": pixels.pixel_auroc if pixels else None,
        "pro": pixels.pro if pixels else None,
        "latency_ms": {"p50": float(latency[0]), "p99": float(latency[1])},
        "n_good": len(good.maps),
        "n_bad": len(bad.maps),
        "at_limits": {
            kind: {verdict: given.count(verdict) / len(given) for verdict in ("PASS", "REVIEW", "FAIL")}
            for kind, given in verdicts.items()
        },
        "provider": model.opened.provider,
    }


def _score(
    model: ImageModel, images: Sequence[ImageFile], stage: str, progress: Callable[[str, int, int], None]
) -> _Scored:
    scores, maps, latency = [], [], []
    for index, image in enumerate(images):
        progress(stage, index, len(images))
        pixels = decode(image)
        began = time.perf_counter()
        value, anomaly_map = model.score(pixels)
        latency.append(1000 * (time.perf_counter() - began))
        scores.append(value)
        maps.append(anomaly_map)
    return _Scored(scores=np.array(scores), maps=maps, latency_ms=latency)


def _mask_of(image: ImageFile, bad: Path, masks: Path) -> NDArray[np.bool_]:
    inside = image.path.relative_to(bad).parent
    found = [
        path
        for place in (masks / inside, masks / bad.resolve().name / inside)
        for pattern in (f"{image.path.stem}.*", f"{image.path.stem}_mask.*")
        for path in sorted(place.glob(pattern))
    ]
    if not found:
        raise DatasetError("an image has no mask", field="masks", value=image.name, hint="same stem, same subfolder")
    return read_mask(found[0])


def _evaluate_readings(
    model: HealthModel, files: Sequence[Path], labels: str, rows: str, delays: Delays
) -> dict[str, Any]:
    start, stop = row_range(rows)
    runs = []
    with progress_bars() as progress:
        for index, path in enumerate(files):
            progress("runs", index, len(files))
            table = read_table(path).rows(start, stop)
            truth = table.select([labels])[:, 0] > 0
            answers = list(assess_table(model, table))
            if not answers:
                raise DatasetError(
                    f"{path.name} has no full window", field="rows", value=len(table.times_s), hint="give more rows"
                )
            runs.append(
                Monitored(
                    statistic=np.array([answer.statistic for answer in answers]),
                    abnormal=truth[[answer.row for answer in answers]],
                    period_s=model.contract.period_s,
                )
            )
    figures = msgspec.to_builtins(evaluate_alarms(runs, delays))
    return {**figures, "runs": len(runs), "on_delay_s": delays.on_s, "off_delay_s": delays.off_s}


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
