"""Teaches a machine-health model from healthy readings: grid, windows, features, PCA limits, one ONNX graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.datasets import data_digest
from models.errors import TeachingError
from models.export import check_parity, write_model
from models.features import window_features
from models.golden import TOLERANCE, GoldenSet, HealthGolden, encode_golden
from models.health_graph import health_graph
from models.inference import CPU, open_graph
from models.manifest import (
    GOLDEN_NAME,
    SCHEMA_VERSION,
    ChannelContract,
    HealthContract,
    InputContract,
    Lineage,
    Manifest,
    Output,
    Setting,
)
from models.readings_table import on_grid
from models.trainers.component_monitor import VARIANCE_KEPT, HealthMonitor, calibrate, health, statistic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.model_folder import ModelFolder
    from models.readings_table import ReadingsTable

Rows = NDArray[np.float64]

TRAINER = "machine_health/1"
LICENCE = "as the owner of the readings decides"
DEFAULT_WINDOW_ROWS = 60
LIMIT_QUANTILE = 0.99
BLOCKS = 5
# A block must hold this many windows beyond its first, or its limits are noise.
MIN_BLOCK_WINDOWS = 5
# A channel that never moves in healthy data: this share of its level counts as one unit of change.
CONSTANT_SHARE = 0.01
_GOLDEN = 3
_PARITY_WINDOWS = 64


class HealthTeaching(msgspec.Struct, frozen=True):
    """What to teach.

    Attributes:
        name, version, product: identity of the model.
        channels: columns to use and their units; empty for all columns of the first file.
        window_rows: rows of a window.
        period_s: grid spacing, seconds; None for the usual step of the files.
        limit_quantile: share of held-out healthy windows inside the limit.
    """

    name: str
    version: int = 1
    product: str = ""
    channels: tuple[ChannelContract, ...] = ()
    window_rows: int = DEFAULT_WINDOW_ROWS
    period_s: float | None = None
    limit_quantile: float = LIMIT_QUANTILE


class TaughtHealth(msgspec.Struct, frozen=True):
    """A health model before export.

    Attributes:
        centre, scale: (channels,), in physical units; the graph works on (value - centre) / scale.
        monitor: PCA with limits on the features of scaled windows.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    monitor: HealthMonitor

    def assess(self, windows: NDArray[np.float64]) -> tuple[Rows, Rows, Rows]:
        """Statistic (n,), health (n,), contributions (n, channels) of windows (n, rows, channels)."""
        value, parts = statistic(self.monitor, window_features((windows - self.centre) / self.scale))
        shares = parts.reshape(len(parts), -1, len(self.centre)).sum(axis=1)
        total = np.maximum(shares.sum(axis=1, keepdims=True), 1e-30)
        return value, health(value, self.monitor.typical), shares / total


def teach_health(
    tables: Sequence[ReadingsTable], teaching: HealthTeaching, out: Path, *, overwrite: bool = False
) -> ModelFolder:
    """Teach from healthy readings and write the model folder.

    Args:
        tables: healthy stretches, each with the channels' columns.
        teaching: what to teach.
        out: folder to make.
        overwrite: replace a model at `out`.

    Raises:
        TeachingError: too few rows for blocks of windows.
        DatasetError: a column is missing.
    """
    channels = teaching.channels or tuple(ChannelContract(name=name) for name in tables[0].columns)
    names = [channel.name for channel in channels]
    period_s = teaching.period_s or float(np.median([table.period_s() for table in tables]))
    stretches = [stretch.values for table in tables for stretch in on_grid(table, names, period_s)]
    blocks = time_blocks(stretches, teaching.window_rows)
    taught = fit_health(blocks, teaching.window_rows, teaching.limit_quantile)
    windows = np.concatenate([windows_of(block, teaching.window_rows) for block in blocks])
    graph = health_graph(taught, teaching.window_rows)
    golden = _golden(graph, taught, windows)
    settings = {
        "files": ", ".join(table.name for table in tables),
        "window": f"{teaching.window_rows} rows every {period_s:g} s",
        "variance kept": f"{VARIANCE_KEPT:g}",
        "held-out blocks": str(len(blocks)),
        "components": str(len(taught.monitor.components.variances)),
    }
    manifest = Manifest(
        schema=SCHEMA_VERSION,
        name=teaching.name,
        version=teaching.version,
        task="health",
        product=teaching.product,
        licence=LICENCE,
        input=InputContract(name="window", dtype="float32", layout="NTC"),
        outputs=(
            Output(name="statistic", dtype="float32", meaning="1.0 at the limit, higher is more abnormal"),
            Output(name="health", dtype="float32", meaning="100 as taught, 50 at the limit, towards 0 beyond"),
            Output(name="contributions", dtype="float32", meaning="share of the deviation by channel, sum 1"),
        ),
        lineage=Lineage(
            trainer=TRAINER,
            n_samples=sum(len(table.times_s) for table in tables),
            data_digest=data_digest([table.digest for table in tables]),
            settings=tuple(Setting(name=name, value=value) for name, value in settings.items()),
        ),
        files=(),
        health=HealthContract(
            channels=channels,
            period_s=period_s,
            window_rows=teaching.window_rows,
            limit_quantile=teaching.limit_quantile,
            limit_origin="held_out_blocks_quantile",
            n_held_out=len(windows),
        ),
    )
    return write_model(out, manifest, graph, golden, overwrite=overwrite)


def fit_health(blocks: Sequence[Rows], window_rows: int, limit_quantile: float) -> TaughtHealth:
    """Fit scaler, components and limits on blocks of grid rows (rows, channels)."""
    rows = np.concatenate(list(blocks))
    centre = rows.mean(axis=0)
    spread = rows.std(axis=0)
    # a channel at zero that never moves: one physical unit counts as one
    resting = np.where(centre == 0, 1.0, np.abs(centre) * CONSTANT_SHARE)
    scale = np.where(spread > 1e-9 * np.maximum(np.abs(centre), 1.0), spread, resting)
    features = [window_features((windows_of(block, window_rows) - centre) / scale) for block in blocks]
    return TaughtHealth(centre=centre, scale=scale, monitor=calibrate(features, limit_quantile))


def time_blocks(stretches: Sequence[Rows], window_rows: int) -> list[Rows]:
    """Stretches as five or more blocks of time, none sharing a row, each long enough for windows.

    Long stretches are cut, short ones are left out.

    Raises:
        TeachingError: what is left makes fewer than five blocks.

    >>> [len(block) for block in time_blocks([np.zeros((100, 1))], window_rows=10)]
    [20, 20, 20, 20, 20]
    """
    shortest = window_rows + MIN_BLOCK_WINDOWS
    usable = [stretch for stretch in stretches if len(stretch) >= shortest]
    total = sum(len(stretch) for stretch in usable)
    wanted = max(total // BLOCKS, 1)
    blocks = []
    for stretch in usable:
        pieces = min(math.ceil(len(stretch) / wanted), len(stretch) // shortest)
        blocks.extend(np.array_split(stretch, pieces))
    if len(blocks) < BLOCKS:
        raise TeachingError(
            f"{total} rows of unbroken readings are too few for windows of {window_rows}",
            field="window",
            value=window_rows,
            hint=f"give {BLOCKS * shortest} rows or more, or a shorter window",
        )
    return blocks


def windows_of(rows: Rows, window_rows: int) -> Rows:
    """All windows of consecutive rows: (m, channels) to (m - window_rows + 1, window_rows, channels), a view."""
    return np.lib.stride_tricks.sliding_window_view(rows, window_rows, axis=0).transpose(0, 2, 1)


def _golden(graph: bytes, taught: TaughtHealth, windows: Rows) -> dict[str, bytes]:
    """The golden set, after a parity check of the graph against the trainer's arithmetic."""
    session = open_graph(graph, CPU)
    chosen = windows[np.linspace(0, len(windows) - 1, _PARITY_WINDOWS).astype(int)].copy()
    # far outside as well: one half of the windows is moved by ten scales, each in one channel more than the last
    for index, window in enumerate(chosen[1::2]):
        window[:, : index % len(taught.centre) + 1] += 10 * taught.scale[: index % len(taught.centre) + 1]
    inputs = chosen.astype(np.float32)
    names = ["statistic", "health", "contributions"]
    got = [session.run(names, {"window": window[None]}) for window in inputs]
    want = taught.assess(inputs.astype(np.float64))
    for column, name in enumerate(names):
        check_parity(name, np.concatenate([answer[column] for answer in got]), want[column])
    entries = tuple(
        HealthGolden(
            window=tuple(tuple(float(value) for value in row) for row in inputs[index]),
            statistic=float(got[index][0][0]),
            health=float(got[index][1][0]),
            contributions=tuple(float(share) for share in got[index][2][0]),
        )
        for index in range(_GOLDEN)
    )
    return {GOLDEN_NAME: encode_golden(GoldenSet(tolerance=TOLERANCE, windows=entries))}
