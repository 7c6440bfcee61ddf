"""Judges a station's JPEGs from a smaller decode, once its own images have shown that the scores are the same.

A JPEG can be decoded at a half, a quarter or an eighth of its size for a fraction of the time, and a model that looks
at 256 pixels sees next to no difference. How little depends on the parts, so it is measured and not assumed: the
station's first images are judged in full, and tried in small afterwards. From then on the small view decides where it
is far enough from a limit for the difference not to matter; near a limit the picture is decoded in full and that score
holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.inspection.inspections import Limits, Score
    from edge_agent.ports import ImageScorer, ReducingDecoder

log = structlog.get_logger(__name__)

TRIAL_IMAGES = 30
"""Images compared before the small view decides anything."""

MOST_DIFFERENCE = 0.05
"""Greatest share that two scores of one image may differ by; measured on real parts: 0.4 % at the median, 3.5 % at most
(decision 0122). A score within this share of a limit is computed in full."""

_LEAST_SCORE = 1e-9

State = Literal["trial", "trusted", "withdrawn"]


def near_a_limit(score: float, limits: Limits) -> bool:
    """Whether a score lies so near a limit that the full picture must decide; what is not finite always does.

    >>> from edge_agent.inspection.inspections import Limits
    >>> [near_a_limit(score, Limits(threshold=10.0, review_from=8.0)) for score in (7.5, 7.7, 9.0, 9.6, 10.6)]
    [False, True, False, True, False]
    """
    if not math.isfinite(score):
        return True
    return any(abs(score - limit) <= MOST_DIFFERENCE * abs(limit) for limit in (limits.threshold, limits.review_from))


@dataclass(slots=True)
class Trial:
    """How one model does with small pictures of a station.

    Attributes:
        state: `trial` while images are compared, then `trusted`, or `withdrawn` until the agent starts again.
        compared: images compared.
        greatest: greatest difference seen, as a share of the full score.
    """

    state: State = "trial"
    compared: int = 0
    greatest: float = 0.0

    def compare(self, full: float, reduced: float) -> None:
        """Take in both scores of one image; what is not finite in both is no verdict either way."""
        self.compared += 1
        if math.isfinite(full) or math.isfinite(reduced):
            difference = abs(full - reduced) / max(abs(full), _LEAST_SCORE)
            self.greatest = max(self.greatest, difference)
            if not difference <= MOST_DIFFERENCE:
                self.withdraw(f"a score differs by {difference:.1%}")
        if self.state == "trial" and self.compared >= TRIAL_IMAGES:
            self.state = "trusted"
            log.info("reduced decode trusted", images=self.compared, greatest_difference=round(self.greatest, 4))

    def withdraw(self, why: str) -> None:
        """Decode in full from now on."""
        self.state = "withdrawn"
        log.warning("reduced decode not used: images are decoded in full", reason=why, compared=self.compared)


@dataclass(slots=True)
class ReducedView:
    """One station's small view of its images; used by the station's thread alone.

    Attributes:
        decoder: decodes in full and in small.
        side_of: side in pixels that a model resizes images to, 0 where it does not say; a smaller picture is never
            decoded.
        trials: one a model, by its digest: each must show by itself that it does not mind.
    """

    decoder: ReducingDecoder
    side_of: Callable[[ImageScorer], int]
    trials: dict[str, Trial] = field(default_factory=dict)
    _kept: tuple[bytes, float, ImageScorer] | None = field(default=None, repr=False)

    def trial(self, scorer: ImageScorer) -> Trial:
        """How a model does."""
        return self.trials.setdefault(scorer.identity.digest, Trial())

    def decode(self, encoded: bytes, scorer: ImageScorer) -> NDArray[np.uint8] | None:
        """The small picture, where it may decide and the image has one.

        Raises:
            ImageRefusedError: as the full decoder would.
        """
        trusted = self.trial(scorer).state == "trusted"
        return self.decoder.decode_reduced(encoded, self.side_of(scorer)) if trusted else None

    def settle(self, frame: bytes, score: Score, scorer: ImageScorer, limits: Limits, *, reduced: bool) -> Score:
        """The score that holds: that of the small view, or of the full picture where the small one is near a limit.

        Args:
            frame: the encoded image.
            score: what the model said.
            scorer: the model that said it.
            limits: the limits that decide.
            reduced: whether it saw the small picture.

        Raises:
            ImageRefusedError: the full picture cannot be decoded.
            ModelRefusedError: the model broke its contract.
        """
        if not reduced:
            self._kept = (frame, score.value, scorer)
            return score
        if not near_a_limit(score.value, limits):
            return score
        full = scorer.score(self.decoder.decode(frame))
        self.trial(scorer).compare(full.value, score.value)
        return full

    def try_kept(self) -> None:
        """On trial: look at the image judged last in small too. To be called when its verdict is on its way."""
        kept, self._kept = self._kept, None
        if kept is None or self.trial(kept[2]).state != "trial":
            return
        encoded, full, scorer = kept
        side_px = self.side_of(scorer)
        try:
            # None: the model does not say how large it looks, or the image is no JPEG, or too small to be halved
            pixels = self.decoder.decode_reduced(encoded, side_px) if side_px else None
            if pixels is not None:
                self.trial(scorer).compare(full, scorer.score(pixels).value)
        except Exception as error:  # noqa: BLE001 - the trial's boundary: whatever fails here must cost the trial only
            self.trial(scorer).withdraw(f"the small view fails: {error}")
