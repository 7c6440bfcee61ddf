"""Makes an INT8 model of an image model, compares the two on images, and refuses what judges differently.

Only the backbone is quantised (convolutions, their clipping and additions): nearly all of the time is spent there,
while the preprocessing and the distance from the Gaussians need the precision. Weights are int8 with a scale a channel,
activations uint8 with the range that the calibration images reach (MinMax; percentile and entropy calibration take
five times as long and were no better on real parts, decision 0123). Static, as QDQ: the runtime makes integer kernels
of it.

Quantised features lie a little off the Gaussians' means, so that all scores shift by a percent or so. The limits move
by the median shift; what differs beyond that is gated.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from models.datasets import EncodedImage, ImageBytes, decode
from models.errors import ContractError, ManifestError, TeachingError
from models.evaluation import Interval, average_precision, bootstrap_auroc, escape_at_overkill
from models.export import write_model
from models.golden import GoldenSet, ImageGolden, decode_golden, encode_golden
from models.image_graph import BACKBONE_PREFIX
from models.inference import CPU, open_graph
from models.manifest import GOLDEN_NAME, ImageEvaluation, Setting
from models.thresholds import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.inference import Session
    from models.model_folder import ModelFolder

    Pixels = NDArray[np.uint8]
    Scores = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

MIN_IMAGES = 10
MOST_CALIBRATION = 48
"""More images widen the ranges by outliers and cost time; twice as many moved no score by a tenth of a percent."""
MOST_COMPARED = 100
TIMED_RUNS = 30
_OPERATORS = ["Add", "Clip", "Conv"]


class Gate(msgspec.Struct, frozen=True):
    """What the INT8 model may differ by, else it is not written.

    Attributes:
        score_shift: of the median score of good parts, share; the limits move with it.
        score_change: of one score beyond that shift, share, at 95 % of the images.
        auroc_drop: of the AUROC on labelled images, where given.
    """

    score_shift: float = 0.05
    score_change: float = 0.05
    auroc_drop: float = 0.01


class Refusal(msgspec.Struct, frozen=True):
    """A limit of the gate that a model does not keep: the field of `Gate`, what was found, and the most allowed."""

    field: str
    value: float
    most: float


class Labelled(msgspec.Struct, frozen=True):
    """Images that say how well defects are still found; none of them was used to calibrate."""

    good: tuple[EncodedImage, ...]
    bad: tuple[EncodedImage, ...]


class Comparison(msgspec.Struct, frozen=True):
    """The INT8 model beside the one it was made from.

    Attributes:
        n_calibration: images that set the ranges.
        n_compared: other images that both scored.
        score_shift: median of int8 / fp32, less 1; the limits were moved by it.
        score_change: 95 % quantile of |int8 / fp32 / (1 + score_shift) - 1|.
        verdicts_changed: of the compared images, each model at its own limits.
        fp32_ms, int8_ms: median time of one score on this machine, one thread, measured in turns.
        speedup: median of fp32 / int8 in the same turn.
        fp32_auroc, int8_auroc: on labelled images, where given.
    """

    n_calibration: int
    n_compared: int
    score_shift: float
    score_change: float
    verdicts_changed: int
    fp32_ms: float
    int8_ms: float
    speedup: float
    fp32_auroc: Interval | None = None
    int8_auroc: Interval | None = None


class Quantising(msgspec.Struct, frozen=True):
    """What to make: version of the new model, its gate, and whether it may replace a folder."""

    version: int
    gate: Gate = Gate()
    overwrite: bool = False


def quantise_model(
    model: ModelFolder,
    images: Sequence[EncodedImage],
    out: Path,
    quantising: Quantising,
    *,
    labelled: Labelled | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> tuple[ModelFolder, Comparison]:
    """Write the INT8 model of `model` to `out`.

    Args:
        model: an image model in fp32.
        images: images of good parts; every other one calibrates, the rest compares.
        out: folder to make.
        quantising: version, gate.
        labelled: images to measure both on.
        progress: called with a stage's name, steps done and steps in all.

    Raises:
        TeachingError: too few images.
        ManifestError: no image model, or INT8 already.
        ContractError: the INT8 model judges differently than the gate allows; nothing is written.
    """
    manifest = model.manifest
    if manifest.task != "anomaly" or manifest.decision is None:
        raise ManifestError("only image models are quantised", field="task", value=manifest.task)
    if manifest.precision != "fp32":
        raise ManifestError("the model is quantised already", field="precision", value=manifest.precision)
    if quantising.version <= manifest.version:
        raise ManifestError("versions of a name only grow", field="version", value=quantising.version)
    if len(images) < 2 * MIN_IMAGES:
        raise TeachingError(
            "too few images to calibrate and compare",
            field="calibration",
            value=len(images),
            hint=f"give {2 * MIN_IMAGES} images of good parts or more",
        )
    calibration = [decode(image) for image in _spread(images[::2], MOST_CALIBRATION)]
    progress("calibration", 0, 1)
    graph = quantise_graph(model.graph, calibration)
    progress("calibration", 1, 1)
    before, after = open_graph(model.graph, CPU), open_graph(graph, CPU)
    others = [decode(image) for image in _spread(images[1::2], MOST_COMPARED)]
    old, new = _scores(before, others, "fp32", progress), _scores(after, others, "int8", progress)
    shift = float(np.median(new / old) - 1)
    limits = manifest.decision
    moved = msgspec.structs.replace(
        limits, threshold=limits.threshold * (1 + shift), review_from=limits.review_from * (1 + shift)
    )
    changed = sum(verdict_of(float(a), limits) != verdict_of(float(b), moved) for a, b in zip(old, new, strict=True))
    fp32_s, int8_s = in_turns(before, after, others[0], TIMED_RUNS)
    comparison = Comparison(
        n_calibration=len(calibration),
        n_compared=len(others),
        score_shift=shift,
        score_change=float(np.quantile(np.abs(new / old / (1 + shift) - 1), 0.95)),
        verdicts_changed=changed,
        fp32_ms=1e3 * statistics.median(fp32_s),
        int8_ms=1e3 * statistics.median(int8_s),
        speedup=statistics.median(a / b for a, b in zip(fp32_s, int8_s, strict=True)),
    )
    evaluation: ImageEvaluation | None = None
    if labelled is not None:
        comparison, evaluation = _measured(comparison, before, after, labelled, progress)
    _pass_gate(comparison, quantising.gate)
    settings = (
        *manifest.lineage.settings,
        Setting(name="made from", value=f"{manifest.label}, digest {model.digest}"),
        Setting(name="quantisation", value=f"INT8 static, a scale a channel, {len(calibration)} calibration images"),
        Setting(name="limits", value=f"moved by {shift:+.4f}, the median shift of {len(others)} other images' scores"),
    )
    draft = msgspec.structs.replace(
        manifest,
        version=quantising.version,
        precision="int8",
        decision=moved,
        evaluation=evaluation,
        lineage=msgspec.structs.replace(manifest.lineage, settings=settings),
        files=(),
    )
    golden = _golden(model, after)
    return write_model(out, draft, graph, golden, overwrite=quantising.overwrite), comparison


def quantise_graph(graph: bytes, calibration: Sequence[Pixels]) -> bytes:
    """The graph with an INT8 backbone, its ranges from images uint8 (height, width, 3) RGB."""
    nodes = [
        node.name
        for node in onnx.load_from_string(graph).graph.node
        if node.name.startswith(BACKBONE_PREFIX) and node.op_type in _OPERATORS
    ]
    if not nodes:
        raise ContractError("the graph has no backbone of ours to quantise", field="graph", value="model.onnx")
    with tempfile.TemporaryDirectory(prefix="lineproof-int8-") as folder, _quiet():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(graph)
        quantize_static(
            str(source),
            str(target),
            _Reader(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_OPERATORS,
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return target.read_bytes()


def in_turns(first: Session, second: Session, pixels: Pixels, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of one score by each of two models, run by run in turns, after two runs unmeasured."""
    feed = {"image": np.ascontiguousarray(pixels)[None]}
    took: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 2):
        for session, seconds in zip((first, second), took, strict=True):
            began_s = time.perf_counter()
            session.run(["score"], feed)
            if run >= 2:  # noqa: PLR2004 - the first runs reserve memory
                seconds.append(time.perf_counter() - began_s)
    return took


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands images to the calibration, one by one: they may differ in size."""

    def __init__(self, images: Sequence[Pixels]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, Pixels] | None:
        """The next input, None at the end."""
        pixels = next(self._images, None)
        return None if pixels is None else {"image": np.ascontiguousarray(pixels)[None]}


class _quiet:  # noqa: N801 - a context manager, named as what it makes of the block
    """The library logs advice at the root logger that does not apply here (it wants shapes inferred)."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)


def _spread(images: Sequence[EncodedImage], most: int) -> list[EncodedImage]:
    if len(images) <= most:
        return list(images)
    return [images[index] for index in np.linspace(0, len(images) - 1, most).round().astype(int)]


def _scores(session: Session, images: Sequence[Pixels], stage: str, progress: Progress) -> Scores:
    values = np.empty(len(images))
    for index, pixels in enumerate(images):
        progress(stage, index, len(images))
        values[index] = session.run(["score"], {"image": np.ascontiguousarray(pixels)[None]})[0][0]
    progress(stage, len(images), len(images))
    return values


def _measured(
    comparison: Comparison, before: Session, after: Session, labelled: Labelled, progress: Progress
) -> tuple[Comparison, ImageEvaluation]:
    good, bad = [decode(image) for image in labelled.good], [decode(image) for image in labelled.bad]
    ranked = []
    for session, stage in ((before, "fp32"), (after, "int8")):
        good_scores = _scores(session, good, f"{stage}, good parts", progress)
        bad_scores = _scores(session, bad, f"{stage}, bad parts", progress)
        ranked.append((bootstrap_auroc(good_scores, bad_scores), good_scores, bad_scores))
    interval, good_scores, bad_scores = ranked[1]
    evaluation = ImageEvaluation(
        n_good=len(good),
        n_bad=len(bad),
        image_auroc=interval.value,
        image_auroc_low=interval.low,
        image_auroc_high=interval.high,
        aupr=average_precision(good_scores, bad_scores),
        escape_at_overkill_1pct=escape_at_overkill(good_scores, bad_scores, 0.01),
        escape_at_overkill_5pct=escape_at_overkill(good_scores, bad_scores, 0.05),
    )
    return msgspec.structs.replace(comparison, fp32_auroc=ranked[0][0], int8_auroc=interval), evaluation


def refusals(comparison: Comparison, gate: Gate) -> tuple[Refusal, ...]:
    """What the gate refuses a model for; empty where it is accepted.

    >>> found = Comparison(48, 60, 0.01, 0.06, 0, 20.0, 10.0, 2.0)
    >>> [(refusal.field, refusal.value, refusal.most) for refusal in refusals(found, Gate())]
    [('score_change', 0.06, 0.05)]
    """
    drop = 0.0
    if comparison.fp32_auroc is not None and comparison.int8_auroc is not None:
        drop = comparison.fp32_auroc.value - comparison.int8_auroc.value
    found = (
        Refusal("score_shift", abs(comparison.score_shift), gate.score_shift),
        Refusal("score_change", comparison.score_change, gate.score_change),
        Refusal("auroc_drop", drop, gate.auroc_drop),
    )
    return tuple(one for one in found if not one.value <= one.most)


def _pass_gate(comparison: Comparison, gate: Gate) -> None:
    for refusal in refusals(comparison, gate):
        raise ContractError(
            "the INT8 model judges differently, so it is not written",
            field=refusal.field,
            value=f"{refusal.value:.4f}, allowed {refusal.most:g}",
            hint="calibrate with more and more varied good parts, stay with the fp32 model, or, where --good"
            " and --bad show that it finds the same defects, allow more with --max-change",
        )


def _golden(model: ModelFolder, session: Session) -> dict[str, bytes]:
    """The same golden images with what the INT8 graph answers."""
    known = decode_golden(model.contents)
    files: dict[str, bytes] = {}
    entries = []
    for item in known.images:
        files[item.file] = model.contents[item.file]
        pixels = decode(ImageBytes(item.file, files[item.file]))
        value, anomaly_map = session.run(["score", "anomaly_map"], {"image": pixels[None]})
        entries.append(ImageGolden(item.file, float(value[0]), float(anomaly_map.mean()), float(anomaly_map.max())))
    files[GOLDEN_NAME] = encode_golden(GoldenSet(tolerance=known.tolerance, images=tuple(entries)))
    return files
