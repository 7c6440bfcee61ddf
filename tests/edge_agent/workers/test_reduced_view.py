"""The small view of JPEGs decides only where it has shown that it may."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.errors import ImageRefusedError
from edge_agent.inspection.inspections import Limits, Score
from edge_agent.ports import ModelIdentity
from edge_agent.workers.reduced_view import MOST_DIFFERENCE, TRIAL_IMAGES, ReducedView, near_a_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMITS = Limits(threshold=100.0, review_from=80.0)


class HalvingDecoder:
    """Bytes are pixels; the small picture is the first half. `!` cannot be decoded small, `?` not at all."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        if encoded.startswith(b"?"):
            raise ImageRefusedError("image_truncated", "cut off")
        return np.frombuffer(encoded, dtype=np.uint8)

    def decode_reduced(self, encoded: bytes, least_side_px: int) -> NDArray[np.uint8] | None:
        self.asked.append(least_side_px)
        if encoded.startswith(b"!"):
            raise RuntimeError("a fault nobody thought of")
        pixels = self.decode(encoded)
        return pixels[: len(pixels) // 2] if len(pixels) >= 2 * least_side_px else None


class MeanScorer:
    """Scores a picture by its mean; 255 at the front is NaN."""

    limits = LIMITS
    provider = "test"

    def __init__(self, digest: str = "d") -> None:
        self.identity = ModelIdentity("mean@1", digest)
        self.looks = 0

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        self.looks += 1
        return Score(math.nan if pixels[0] == 255 else float(pixels.mean()), None)


SCORER = MeanScorer()


def view() -> ReducedView:
    return ReducedView(HalvingDecoder(), lambda _: 2)


def judge(seen: ReducedView, encoded: bytes, scorer: MeanScorer = SCORER) -> tuple[float, bool]:
    """What a station's worker does with an image: score that holds, and whether the small view decided."""
    small = seen.decode(encoded, scorer)
    first = scorer.score(seen.decoder.decode(encoded) if small is None else small)
    held = seen.settle(encoded, first, scorer, LIMITS, reduced=small is not None)
    seen.try_kept()
    return held.value, small is not None and held is first


def trusted() -> ReducedView:
    seen = view()
    for number in range(TRIAL_IMAGES):
        assert judge(seen, bytes([64 + number] * 4)) == (64.0 + number, False)
    assert seen.trial(SCORER).state == "trusted"
    return seen


def test_the_first_images_are_judged_in_full_and_tried_in_small() -> None:
    seen = trusted()
    assert seen.trial(SCORER).compared == TRIAL_IMAGES
    assert seen.trial(SCORER).greatest == 0.0
    assert judge(seen, bytes([50, 50, 52, 52])) == (50.0, True)  # the full mean is 51


def test_near_a_limit_the_full_picture_decides() -> None:
    seen = trusted()
    assert judge(seen, bytes([99, 99, 101, 101])) == (100.0, False)
    assert judge(seen, bytes([80, 80, 82, 82])) == (81.0, False)
    assert judge(seen, bytes([90] * 4)) == (90.0, True)
    assert seen.trial(SCORER).greatest == pytest.approx(1 / 81)


def test_one_score_too_different_ends_the_trial_for_good() -> None:
    seen = view()
    assert judge(seen, bytes([50, 50, 60, 60])) == (55.0, False)  # 5 of 55 is 9 %
    assert seen.trial(SCORER).state == "withdrawn"
    for _ in range(TRIAL_IMAGES + 1):
        assert judge(seen, bytes([50] * 4)) == (50.0, False)


def test_a_difference_found_later_withdraws_the_trust() -> None:
    seen = trusted()
    assert judge(seen, bytes([100, 100, 120, 120])) == (110.0, False)
    assert seen.trial(SCORER).state == "withdrawn"
    assert judge(seen, bytes([50] * 4)) == (50.0, False)


def test_what_has_no_small_picture_is_judged_in_full_and_does_not_count() -> None:
    seen = view()
    for _ in range(TRIAL_IMAGES):
        assert judge(seen, b"\x32\x32\x32") == (50.0, False)
    assert seen.trial(SCORER).state == "trial"
    assert judge(trusted(), b"\x32\x32\x32") == (50.0, False)


def test_a_model_that_does_not_say_how_large_it_looks_gets_no_small_view() -> None:
    decoder = HalvingDecoder()
    seen = ReducedView(decoder, lambda _: 0)
    for _ in range(TRIAL_IMAGES + 1):
        assert judge(seen, bytes([50] * 4)) == (50.0, False)
    assert decoder.asked == []


def test_a_trial_that_fails_costs_the_trial_only() -> None:
    seen = view()
    assert judge(seen, b"!!!!") == (33.0, False)
    assert seen.trial(SCORER).state == "withdrawn"


def test_each_model_must_show_it_by_itself() -> None:
    seen, other = trusted(), MeanScorer("e")
    assert judge(seen, bytes([50, 50, 60, 60]), other) == (55.0, False)
    assert seen.trial(other).state == "withdrawn"
    assert judge(seen, bytes([50] * 4)) == (50.0, True)


def test_a_refused_image_is_refused_in_the_small_view_too() -> None:
    seen = trusted()
    with pytest.raises(ImageRefusedError):
        judge(seen, b"????")


def test_no_score_is_no_reason_for_or_against() -> None:
    seen = trusted()
    value, small = judge(seen, bytes([255] * 4))
    assert math.isnan(value)
    assert not small
    assert seen.trial(SCORER).state == "trusted"
    compared = view().trial(SCORER)
    compared.compare(math.nan, 5.0)
    assert compared.state == "withdrawn"


@pytest.mark.parametrize("limit", [LIMITS.threshold, LIMITS.review_from])
def test_the_band_covers_what_a_trusted_view_may_be_off_by(limit: float) -> None:
    low, high = limit * (1 - MOST_DIFFERENCE), limit * (1 + MOST_DIFFERENCE)
    assert near_a_limit(low + 0.01, LIMITS)
    assert near_a_limit(high - 0.01, LIMITS)
    assert not near_a_limit(low - 0.01, LIMITS)
    assert not near_a_limit(high + 0.01, LIMITS)
