"""`edge-model teach`: image models from good pictures, health models from healthy readings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from models.console import JsonOption, err, out, print_json, progress_bars
from models.datasets import list_images
from models.errors import TeachingError
from models.extras import training_module
from models.manifest import NAME_PATTERN, ChannelContract
from models.preprocessing import ImagePreprocessing
from models.readings_table import ReadingsTable, read_table

if TYPE_CHECKING:
    from models.model_folder import ModelFolder

teach_app = typer.Typer(no_args_is_help=True, help="Teach a model from healthy data, on this machine.")

_LABEL_COLUMNS = ("anomaly", "changepoint", "label")

OutOption = Annotated[Path, typer.Option("--out", help="Model folder to make.")]
NameOption = Annotated[str | None, typer.Option(help="Model name; default: the folder's name.")]
VersionOption = Annotated[int, typer.Option(min=1, help="Version; grows with every release of a name.")]
ProductOption = Annotated[str, typer.Option(help="Product or recipe the model is for.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a model folder that is there already.")]


@teach_app.command(epilog="Example: edge-model teach images --good good/ --out models/bracket")
def images(  # noqa: PLR0913 - one parameter an option of the command line
    good: Annotated[Path, typer.Option(help="Folder of images of good parts, 100 or more.")],
    out_folder: OutOption,
    *,
    bad: Annotated[
        list[Path] | None, typer.Option(help="Folder of defective parts, only to measure; several allowed.")
    ] = None,
    size: Annotated[int, typer.Option(help="Side the image is resized to, pixels, a multiple of 16.")] = 256,
    exposure: Annotated[
        str, typer.Option(help="image: drifting light does not count as abnormal; none: it does.")
    ] = "image",
    overkill: Annotated[float, typer.Option(help="Share of good parts that may FAIL.")] = 0.01,
    review: Annotated[float, typer.Option(help="Share of good parts in the REVIEW band.")] = 0.05,
    name: NameOption = None,
    version: VersionOption = 1,
    product: ProductOption = "",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Teach an image model from good pictures alone; threshold from pictures held out in turn."""
    trainer = training_module("models.trainers.patch_anomaly")
    teaching = trainer.ImageTeaching(
        name=_name(name, out_folder),
        version=version,
        product=product,
        preprocessing=ImagePreprocessing(size=size, exposure=_exposure(exposure)),
        expected_overkill=overkill,
        expected_review=review,
    )
    with progress_bars() as progress:
        model = trainer.teach_images(
            list_images(good),
            teaching,
            out_folder,
            bad=[image for folder in bad or () for image in list_images(folder)],
            overwrite=overwrite,
            progress=progress,
        )
    _report(model, out_folder, as_json=as_json)


@teach_app.command(epilog="Example: edge-model teach health --readings healthy.csv --out models/press-health")
def health(  # noqa: PLR0913 - one parameter an option of the command line
    readings: Annotated[list[Path], typer.Option(help="CSV of healthy running; may be given several times.")],
    out_folder: OutOption,
    *,
    window: Annotated[int, typer.Option(min=2, help="Rows of a window.")] = 60,
    rows: Annotated[str, typer.Option(help="Rows of each file to use, as FIRST:LAST, counted from 0.")] = ":",
    period: Annotated[float | None, typer.Option(help="Seconds between rows; default: the files' usual step.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out; may be given several times.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Unit of a column, as NAME=UCUM.")] = None,
    limit_quantile: Annotated[float, typer.Option(help="Share of healthy windows inside the limit.")] = 0.99,
    name: NameOption = None,
    version: VersionOption = 1,
    product: ProductOption = "",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Teach a machine-health model from healthy readings; limits from stretches of time held out in turn."""
    if not 0.5 < limit_quantile < 1:  # noqa: PLR2004 - a limit below the median would alarm on half of all windows
        raise TeachingError("the limit's share must be between 0.5 and 1", field="limit-quantile", value=limit_quantile)
    trainer = training_module("models.trainers.machine_health")
    start, stop = row_range(rows)
    tables = [read_table(path).rows(start, stop) for path in readings]
    for table in tables:
        if len(table.times_s) <= window:
            raise TeachingError(f"{table.name} has too few rows", field="rows", value=len(table.times_s))
    teaching = trainer.HealthTeaching(
        name=_name(name, out_folder),
        version=version,
        product=product,
        channels=_channels(tables[0], ignore, unit),
        window_rows=window,
        period_s=period,
        limit_quantile=limit_quantile,
    )
    _report(trainer.teach_health(tables, teaching, out_folder, overwrite=overwrite), out_folder, as_json=as_json)


def row_range(text: str) -> tuple[int, int | None]:
    """First and last (exclusive) row from FIRST:LAST, either left out for the file's own.

    Raises:
        TeachingError: it is no such range.

    >>> row_range("0:400"), row_range(":"), row_range("400:")
    ((0, 400), (0, None), (400, None))
    """
    match = re.fullmatch(r"(\d*):(\d*)", text.strip())
    if match is None:
        raise TeachingError("rows are given as FIRST:LAST", field="rows", value=text, hint="for example 0:400")
    return int(match[1] or 0), int(match[2]) if match[2] else None


def _name(name: str | None, out_folder: Path) -> str:
    chosen = name or out_folder.resolve().name.lower()
    if not re.match(NAME_PATTERN, chosen):
        raise TeachingError(
            "this is no model name", field="name", value=chosen, hint="small letters, digits, dot, dash and underscore"
        )
    return chosen


def _exposure(text: str) -> Literal["image", "none"]:
    if text == "image":
        return "image"
    if text == "none":
        return "none"
    raise TeachingError("unknown exposure", field="exposure", value=text, hint="image or none")


def _channels(table: ReadingsTable, ignore: list[str] | None, units: list[str] | None) -> tuple[ChannelContract, ...]:
    unit_of = dict(_pair(unit) for unit in units or ())
    for column in (*(ignore or ()), *unit_of):
        table.select([column])
    left_out = set(ignore or ())
    for column in _LABEL_COLUMNS:
        if column in table.columns and column not in left_out:
            err.print(f"column {column} looks like a label and is left out", markup=False)
            left_out.add(column)
    kept = [column for column in table.columns if column not in left_out]
    if not kept:
        raise TeachingError("no column is left", field="ignore", value=sorted(left_out))
    return tuple(ChannelContract(name=column, unit=unit_of.get(column, "1")) for column in kept)


def _pair(text: str) -> tuple[str, str]:
    name, equals, unit = text.rpartition("=")
    if not (equals and name and unit):
        raise TeachingError(
            "a unit is given as NAME=UNIT", field="unit", value=text, hint="for example Temperature=Cel"
        )
    return name, unit


def _report(model: ModelFolder, out_folder: Path, *, as_json: bool) -> None:
    manifest = model.manifest
    if as_json:
        print_json(
            {
                "model": manifest.label,
                "path": str(out_folder),
                "digest": model.digest,
                **{
                    part: msgspec.to_builtins(getattr(manifest, part))
                    for part in ("decision", "health", "evaluation", "lineage")
                    if getattr(manifest, part) is not None
                },
            }
        )
        return
    out.print(f"{manifest.label} written to {out_folder}", markup=False)
    if manifest.decision is not None:
        decision = manifest.decision
        out.print(
            f"FAIL from {decision.threshold:.4g}, REVIEW from {decision.review_from:.4g}, set on {decision.n_held_out} "
            f"held-out good images (expected overkill {100 * decision.expected_overkill:.2g} %)"
        )
    if manifest.evaluation is not None:
        figures = manifest.evaluation
        out.print(
            f"AUROC {figures.image_auroc:.3f} ({figures.image_auroc_low:.3f} to {figures.image_auroc_high:.3f}), "
            f"escapes at 1 % overkill {100 * figures.escape_at_overkill_1pct:.1f} %"
        )
    if manifest.health is not None:
        out.print(
            f"{len(manifest.health.channels)} channels, window of {manifest.health.window_rows} rows every "
            f"{manifest.health.period_s:g} s"
        )
