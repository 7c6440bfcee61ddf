"""From an image's score to a verdict a line can act on, and from a person's look to a disposition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from edge_agent.events import VerdictName
from edge_agent.instant import Instant

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.events import Judgement


class Frame(msgspec.Struct, frozen=True):
    """One image of one part, still encoded, as it came from its source.

    Attributes:
        key: effect key of the inspection it will become; the same image delivered twice has the same key.
        line: production line.
        station: inspection station.
        part_id: the part, or the image's own name where parts carry none.
        product: product or recipe, empty when unknown.
        captured: when the image was taken, or first seen where the source does not say.
        encoded: the file's bytes (PNG, JPEG, BMP, TIFF, WebP); never trusted before the decoder's header check.
        name: what people know the image by; shown, never used as a path.
        refused: reason code why this part has no image to judge, empty when it has; it gets NO_VERDICT.
        fresh_for_ms: judged later than this after its capture it gets NO_VERDICT; None for an image that keeps.
        written: when the image was written, where its source knows that better than `captured`; the product of that
            moment judges it.
    """

    key: str
    line: str
    station: str
    part_id: str
    product: str
    captured: Instant
    encoded: bytes
    name: str = ""
    refused: str = ""
    fresh_for_ms: float | None = None
    written: Instant | None = None


class Score:
    """What a model says about one image.

    Attributes:
        value: anomaly score, higher is more abnormal.
        anomaly_map: float32 (h, w), higher is more abnormal, covering the whole image at lower resolution; or None.
    """

    __slots__ = ("anomaly_map", "value")

    def __init__(self, value: float, anomaly_map: NDArray[np.float32] | None) -> None:
        self.value = value
        self.anomaly_map = anomaly_map


class Limits(msgspec.Struct, frozen=True):
    """Scores that separate PASS, REVIEW and FAIL; they come from the model's manifest.

    Attributes:
        threshold: at or above: FAIL.
        review_from: at or above, below `threshold`: REVIEW. Equal to `threshold` when there is no REVIEW band.
    """

    threshold: float
    review_from: float


class Decision(msgspec.Struct, frozen=True):
    """A verdict with its reason (a stable snake_case code)."""

    verdict: VerdictName
    reason: str


def decide(score: float, limits: Limits) -> Decision:
    """Turn a score into a verdict; a score that is not finite says nothing and passes nothing.

    >>> decide(0.2, Limits(threshold=1.0, review_from=0.8)).verdict
    'PASS'
    >>> decide(0.8, Limits(threshold=1.0, review_from=0.8)).verdict
    'REVIEW'
    >>> decide(1.0, Limits(threshold=1.0, review_from=0.8)).verdict
    'FAIL'
    >>> decide(float("nan"), Limits(threshold=1.0, review_from=0.8)).reason
    'score_not_finite'
    """
    if not math.isfinite(score):
        return Decision("NO_VERDICT", "score_not_finite")
    if score >= limits.threshold:
        return Decision("FAIL", "score_above_threshold")
    if score >= limits.review_from:
        return Decision("REVIEW", "score_in_review_band")
    return Decision("PASS", "score_below_review")


def agreement(verdict: VerdictName, judgement: Judgement) -> bool | None:
    """Whether a person's judgement confirms the verdict; None where there was nothing to confirm.

    >>> agreement("FAIL", "defect"), agreement("PASS", "defect"), agreement("REVIEW", "good")
    (True, False, None)
    """
    confirmed: dict[str, Literal["good", "defect"]] = {"PASS": "good", "FAIL": "defect"}
    return confirmed[verdict] == judgement if verdict in confirmed else None
