"""What a model is: identity, input contract, outputs, decision limits and where they came from, lineage, files.

The manifest is `manifest.toml` in the model's folder. The sha256 of its bytes is the model's digest; it names the
sha256 of every other file, so the digest fixes the whole folder. Nothing here vouches for who made the model.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from typing import Annotated, Literal

import msgspec

from models.errors import ManifestError
from models.toml_text import write_toml

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.toml"
MODEL_NAME = "model.onnx"
CARD_NAME = "card.md"
GOLDEN_NAME = "golden/expected.json"
# Reserved for a signature over the manifest's bytes; until one is checked its presence proves nothing.
SIGNATURE_NAME = "SIGNATURE"

Task = Literal["anomaly", "health", "classify", "detect", "segment", "remaining_life"]
RUNNABLE_TASKS: frozenset[str] = frozenset({"anomaly", "health"})

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
_SHA256_PATTERN = r"^[0-9a-f]{64}$"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MAX_DEPTH = 3

Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
Sha256 = Annotated[str, msgspec.Meta(pattern=_SHA256_PATTERN)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all manifest tables: unknown keys are refused, not ignored."""


class InputContract(_Table, frozen=True):
    """The tensor the graph takes.

    Attributes:
        name: input name in the graph.
        dtype: element type.
        layout: `NHWC` for one image (1, h, w, 3) of any size, `NTC` for one window (1, rows, channels).
        colour: channel order of an image; `none` for windows.
        side_px: shorter side that an image is resized to inside the graph, 0 where it is not known: a smaller picture
            would tell the model less.
    """

    name: str
    dtype: Literal["uint8", "float32"]
    layout: Literal["NHWC", "NTC"]
    colour: Literal["RGB", "none"] = "none"
    side_px: Annotated[int, msgspec.Meta(ge=0)] = 0


class Output(_Table, frozen=True):
    """One tensor the graph returns, and what it says (range, direction, unit)."""

    name: str
    dtype: Literal["float32"]
    meaning: str


class DecisionLimits(_Table, frozen=True):
    """Scores that separate PASS, REVIEW and FAIL, and how they were chosen.

    Attributes:
        threshold: at or above: FAIL.
        review_from: at or above, below `threshold`: REVIEW.
        origin: `held_out_good_quantile`: a quantile of the scores of good parts the model had not seen.
        expected_overkill: share of good parts expected to FAIL.
        expected_review: share of good parts expected in the REVIEW band.
        n_held_out: good parts the quantiles were taken from.
    """

    threshold: float
    review_from: float
    origin: Literal["held_out_good_quantile"]
    expected_overkill: Share
    expected_review: Share
    n_held_out: int


class ChannelContract(_Table, frozen=True):
    """One column of a window: signal name and UCUM unit (`1` for none)."""

    name: str
    unit: str = "1"


class HealthContract(_Table, frozen=True):
    """What a health model needs and how its limit was found.

    Attributes:
        channels: column order of the window.
        period_s: seconds between two rows; the newest value is held.
        window_rows: rows of a window.
        limit_quantile: share of held-out healthy windows inside the limit; the statistic is 1.0 at the limit.
        limit_origin: how the limit was found.
        n_held_out: windows the limit was taken from.
    """

    channels: tuple[ChannelContract, ...]
    period_s: float
    window_rows: int
    limit_quantile: Share
    limit_origin: Literal["held_out_blocks_quantile"]
    n_held_out: int


class ImageEvaluation(_Table, frozen=True):
    """Figures on labelled images that the model had not seen at teaching."""

    n_good: int
    n_bad: int
    image_auroc: float
    image_auroc_low: float
    image_auroc_high: float
    aupr: float
    escape_at_overkill_1pct: float
    escape_at_overkill_5pct: float


class Setting(_Table, frozen=True):
    """One choice of the trainer, as text, so that a model says how it was made."""

    name: str
    value: str


class Lineage(_Table, frozen=True):
    """Where the model comes from.

    Attributes:
        trainer: name of the trainer.
        n_samples: images, or rows of readings, it was taught from.
        data_digest: sha256 over the sorted sha256 digests of the training files.
        backbone_sha256: digest of the feature extractor, empty where there is none.
        settings: the trainer's choices.
    """

    trainer: str
    n_samples: int
    data_digest: Sha256
    backbone_sha256: str = ""
    settings: tuple[Setting, ...] = ()


class FileEntry(_Table, frozen=True):
    """One file of the folder, by relative POSIX path."""

    path: str
    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=0)]


class Manifest(_Table, frozen=True):
    """The whole manifest; see the attributes' types.

    Attributes:
        version: grows with every release of the same name.
        product: product or recipe the model is meant for, empty for any.
        precision: of the arithmetic inside the graph; a quantised model is another model with a version of its own.
        licence: terms of the weights inside the model.
        decision: present for `anomaly`.
        health: present for `health`.
        evaluation: present where labelled images were given at teaching.
    """

    schema: int
    name: Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    task: Task
    licence: str
    input: InputContract
    outputs: tuple[Output, ...]
    lineage: Lineage
    files: tuple[FileEntry, ...]
    product: str = ""
    precision: Literal["fp32", "int8"] = "fp32"
    decision: DecisionLimits | None = None
    health: HealthContract | None = None
    evaluation: ImageEvaluation | None = None

    @property
    def label(self) -> str:
        """`name@version`, as people know the model."""
        return f"{self.name}@{self.version}"


def digest_of(content: bytes) -> str:
    """The sha256 of some bytes as 64 hex digits.

    >>> digest_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as TOML bytes; the same manifest gives the same bytes.

    Raises:
        ManifestError: the manifest contradicts itself.
    """
    check_manifest(manifest)
    return write_toml(msgspec.to_builtins(manifest)).encode()


def decode_manifest(content: bytes) -> Manifest:
    """Read a manifest and check that it is complete and consistent.

    Raises:
        ManifestError: not TOML, an unknown or missing key, a value out of range, or a task this version cannot run.
    """
    try:
        raw = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{MANIFEST_NAME} is not TOML: {error}", hint="teach or import the model again") from error
    schema = raw.get("schema")
    if schema != SCHEMA_VERSION:
        raise ManifestError(
            f"{MANIFEST_NAME} has another schema",
            field="schema",
            value=schema,
            hint=f"this version reads {SCHEMA_VERSION}",
        )
    try:
        manifest = msgspec.convert(raw, Manifest, strict=True)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{MANIFEST_NAME}: {error}", hint="teach or import the model again") from error
    check_manifest(manifest)
    return manifest


def check_manifest(manifest: Manifest) -> None:
    """Check what types cannot say: which tables a task needs, finite limits in order, safe and unique paths.

    Raises:
        ManifestError: with the field at fault.
    """
    if manifest.task not in RUNNABLE_TASKS:
        raise ManifestError(
            "this version cannot run models of this task",
            field="task",
            value=manifest.task,
            hint=f"use one of {', '.join(sorted(RUNNABLE_TASKS))}",
        )
    if manifest.task == "anomaly":
        _check_decision(manifest.decision)
    else:
        _check_health(manifest.health)
    seen: set[str] = set()
    for entry in manifest.files:
        if not is_safe_path(entry.path) or entry.path in {MANIFEST_NAME, SIGNATURE_NAME}:
            raise ManifestError("a file path is not allowed", field="files.path", value=entry.path)
        if entry.path in seen:
            raise ManifestError("a file is listed twice", field="files.path", value=entry.path)
        seen.add(entry.path)
    for needed in (MODEL_NAME, GOLDEN_NAME):
        if needed not in seen:
            raise ManifestError("a required file is not listed", field="files", value=needed)


def is_safe_path(path: str) -> bool:
    """Whether a relative POSIX path stays inside the folder and has plain names only.

    >>> is_safe_path("golden/1.png"), is_safe_path("../x"), is_safe_path("/etc/passwd"), is_safe_path("a//b")
    (True, False, False, False)
    """
    parts = path.split("/")
    return len(parts) <= _MAX_DEPTH and all(_PART.fullmatch(part) for part in parts)


def _check_decision(decision: DecisionLimits | None) -> None:
    if decision is None:
        raise ManifestError("an anomaly model needs its decision limits", field="decision", value=None)
    if not (math.isfinite(decision.threshold) and math.isfinite(decision.review_from)):
        raise ManifestError("a decision limit is not finite", field="decision.threshold", value=decision.threshold)
    if decision.review_from > decision.threshold:
        raise ManifestError(
            "the REVIEW band must lie below the threshold", field="decision.review_from", value=decision.review_from
        )


def _check_health(health: HealthContract | None) -> None:
    if health is None:
        raise ManifestError("a health model needs its channels and window", field="health", value=None)
    names = [channel.name for channel in health.channels]
    if not names or len(set(names)) != len(names):
        raise ManifestError("channel names must be unique, one at least", field="health.channels", value=names)
    if not (math.isfinite(health.period_s) and health.period_s > 0):
        raise ManifestError("the period must be positive", field="health.period_s", value=health.period_s)
    if health.window_rows < 2:  # noqa: PLR2004 - a spread needs two rows
        raise ManifestError("a window needs two rows", field="health.window_rows", value=health.window_rows)
