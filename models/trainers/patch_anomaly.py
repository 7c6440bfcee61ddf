"""Teaches an image model from good images only, on the spot: features, Gaussians, held-out limits, one ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from models.datasets import EncodedImage, ImageBytes, data_digest, decode, encode_png
from models.errors import TeachingError
from models.evaluation import average_precision, bootstrap_auroc, escape_at_overkill
from models.export import check_parity, write_model
from models.golden import TOLERANCE, GoldenSet, ImageGolden, encode_golden
from models.image_graph import FEATURE_CHANNELS, anomaly_graph, backbone_bytes, feature_graph
from models.inference import CPU, open_graph
from models.manifest import (
    GOLDEN_NAME,
    SCHEMA_VERSION,
    ImageEvaluation,
    InputContract,
    Lineage,
    Manifest,
    Output,
    Setting,
    digest_of,
)
from models.preprocessing import ImagePreprocessing
from models.thresholds import limits_from_good
from models.trainers.held_out import FOLDS, folds, lookalikes
from models.trainers.patch_gaussian import DEFAULT_DIMENSIONS, PatchGaussian, fit, score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from models.inference import Session
    from models.model_folder import ModelFolder

    Progress = Callable[[str, int, int], None]

Features = NDArray[np.float32]

TRAINER = "patch_anomaly/1"
LICENCE = "backbone weights: Apache-2.0; the rest as the owner of the taught images decides"
MIN_IMAGES = 10
# Features of so many images stay within about 0.5 GB at 256 pixels; more are thinned out evenly.
MAX_IMAGES = 2500
GOLDEN_SIDE = 512
_GOLDEN_RANKS = (0.1, 0.5, 0.9)


class ImageTeaching(msgspec.Struct, frozen=True):
    """What to teach.

    Attributes:
        name, version, product: identity of the model.
        preprocessing: image size and exposure.
        expected_overkill: share of good parts that may FAIL.
        expected_review: share of good parts in the REVIEW band below.
        dimensions: directions kept per patch.
        threads: processor threads for the feature extractor.
    """

    name: str
    version: int = 1
    product: str = ""
    preprocessing: ImagePreprocessing = ImagePreprocessing()
    expected_overkill: float = 0.01
    expected_review: float = 0.05
    dimensions: int = DEFAULT_DIMENSIONS
    threads: int = 2


class _Extracted(msgspec.Struct, frozen=True):
    """Features (n, positions, channels) of images that differ, with the images and their digests."""

    images: tuple[EncodedImage, ...]
    digests: tuple[str, ...]
    features: NDArray[np.float32]
    duplicates: int


def teach_images(
    good: Sequence[EncodedImage],
    teaching: ImageTeaching,
    out: Path,
    *,
    bad: Sequence[EncodedImage] = (),
    overwrite: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> ModelFolder:
    """Teach from good images and write the model folder; bad images only measure it.

    Args:
        good: images of good parts, neighbours in the list being neighbours in production.
        teaching: what to teach.
        out: folder to make.
        bad: images of defective parts; they change neither the model nor its threshold.
        overwrite: replace a model at `out`.
        progress: called with a stage's name, steps done and steps in all.

    Raises:
        TeachingError: too few different images.
        DatasetError: an image cannot be decoded.
    """
    chosen = _thinned(good, MAX_IMAGES)
    session = open_graph(feature_graph(teaching.preprocessing), CPU, threads=teaching.threads)

    def extract(images: Sequence[EncodedImage], stage: str) -> _Extracted:
        return _extract(images, lambda pixels: session.run(["features"], {"image": pixels[None]})[0], stage, progress)

    extracted = extract(chosen, "good images")
    if len(extracted.images) < MIN_IMAGES:
        raise TeachingError(
            "too few different good images",
            field="good",
            value=len(extracted.images),
            hint=f"give {MIN_IMAGES} at the very least; 100 and more make the threshold trustworthy",
        )
    groups = lookalikes(extracted.features)
    held_out = _held_out_scores(extracted.features, groups, teaching.dimensions, progress)
    decision = limits_from_good(
        held_out, expected_overkill=teaching.expected_overkill, expected_review=teaching.expected_review
    )
    progress("model", 0, 1)
    gaussian = fit(extracted.features, teaching.dimensions)
    graph = anomaly_graph(teaching.preprocessing, gaussian)
    progress("model", 1, 1)
    evaluation = None
    if bad:
        scored_bad, _maps = score(gaussian, extract(_thinned(bad, MAX_IMAGES), "bad images").features)
        evaluation = _evaluate(held_out, scored_bad)
    settings = {
        "image size": f"{teaching.preprocessing.size} px",
        "exposure": teaching.preprocessing.exposure,
        "dimensions": str(teaching.dimensions),
        "held-out folds": f"{FOLDS}, images of the same part together",
        "different parts": str(int(groups.max()) + 1),
        "images given": str(len(good)),
        "duplicates left out": str(extracted.duplicates),
    }
    manifest = Manifest(
        schema=SCHEMA_VERSION,
        name=teaching.name,
        version=teaching.version,
        task="anomaly",
        product=teaching.product,
        licence=LICENCE,
        input=InputContract(
            name="image", dtype="uint8", layout="NHWC", colour="RGB", side_px=teaching.preprocessing.size
        ),
        outputs=(
            Output(name="score", dtype="float32", meaning="anomaly score of the image, higher is more abnormal"),
            Output(
                name="anomaly_map", dtype="float32", meaning="(1, h, w) over the whole image, higher is more abnormal"
            ),
        ),
        lineage=Lineage(
            trainer=TRAINER,
            n_samples=len(extracted.images),
            data_digest=data_digest(extracted.digests),
            backbone_sha256=digest_of(backbone_bytes()),
            settings=tuple(Setting(name=name, value=value) for name, value in settings.items()),
        ),
        files=(),
        decision=decision,
        evaluation=evaluation,
    )
    ranked = np.argsort(held_out, kind="stable")
    golden_images = [extracted.images[ranked[int(rank * (len(ranked) - 1))]] for rank in _GOLDEN_RANKS]
    golden = _golden(graph, golden_images, gaussian, session)
    return write_model(out, manifest, graph, golden, overwrite=overwrite)


def _thinned(images: Sequence[EncodedImage], most: int) -> Sequence[EncodedImage]:
    if len(images) <= most:
        return images
    return [images[index] for index in np.linspace(0, len(images) - 1, most).round().astype(int)]


def _extract(
    images: Sequence[EncodedImage],
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    stage: str,
    progress: Progress,
) -> _Extracted:
    kept: dict[str, EncodedImage] = {}
    features = []
    for index, image in enumerate(images):
        progress(stage, index, len(images))
        content = image.read()
        digest = digest_of(content)
        if digest in kept:
            # the same picture twice would be held out and taught at once
            continue
        kept[digest] = image
        maps = run(decode(ImageBytes(image.name, content)))
        features.append(maps.reshape(FEATURE_CHANNELS, -1).T)
    progress(stage, len(images), len(images))
    return _Extracted(
        images=tuple(kept.values()),
        digests=tuple(kept),
        features=np.stack(features) if features else np.empty((0, 0, FEATURE_CHANNELS), dtype=np.float32),
        duplicates=len(images) - len(kept),
    )


def _held_out_scores(
    features: Features, groups: NDArray[np.int64], dimensions: int, progress: Progress
) -> NDArray[np.float64]:
    fold_of = folds(groups)
    scores = np.empty(len(features))
    for fold in range(FOLDS):
        progress("threshold", fold, FOLDS)
        out = fold_of == fold
        scores[out], _maps = score(fit(features[~out], dimensions), features[out])
    progress("threshold", FOLDS, FOLDS)
    return scores


def _evaluate(good: NDArray[np.float64], bad: NDArray[np.float64]) -> ImageEvaluation:
    ranking = bootstrap_auroc(good, bad)
    return ImageEvaluation(
        n_good=good.size,
        n_bad=bad.size,
        image_auroc=ranking.value,
        image_auroc_low=ranking.low,
        image_auroc_high=ranking.high,
        aupr=average_precision(good, bad),
        escape_at_overkill_1pct=escape_at_overkill(good, bad, 0.01),
        escape_at_overkill_5pct=escape_at_overkill(good, bad, 0.05),
    )


def _golden(
    graph: bytes,
    images: Sequence[EncodedImage],
    gaussian: PatchGaussian,
    extractor: Session,
) -> dict[str, bytes]:
    """The golden files, after a parity check of the whole graph against the trainer's arithmetic on them."""
    session = open_graph(graph, CPU)
    files: dict[str, bytes] = {}
    entries = []
    for index, image in enumerate(images, start=1):
        pixels = _shrunk(decode(image))
        path = f"golden/{index}.png"
        files[path] = encode_png(pixels)
        value, anomaly_map = session.run(["score", "anomaly_map"], {"image": pixels[None]})
        maps = extractor.run(["features"], {"image": pixels[None]})[0]
        want, want_map = score(gaussian, maps.reshape(1, FEATURE_CHANNELS, -1).transpose(0, 2, 1))
        check_parity("score", value, want)
        check_parity("anomaly map", anomaly_map, want_map)
        entries.append(
            ImageGolden(
                file=path,
                score=float(value[0]),
                map_mean=float(anomaly_map.mean()),
                map_max=float(anomaly_map.max()),
            )
        )
    files[GOLDEN_NAME] = encode_golden(GoldenSet(tolerance=TOLERANCE, images=tuple(entries)))
    return files


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Golden images need not be large: the model is the same at any size."""
    height, width = pixels.shape[:2]
    share = GOLDEN_SIDE / max(height, width)
    if share >= 1:
        return pixels
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
