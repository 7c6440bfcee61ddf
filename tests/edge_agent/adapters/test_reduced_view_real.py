"""Real pictures of circuit boards, judged small and in full: the verdicts are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.adapters.onnx_scorer import OnnxImageScorer
from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.inspection.inspections import decide
from edge_agent.settings.config import ImageLimits
from edge_agent.workers.reduced_view import MOST_DIFFERENCE, TRIAL_IMAGES, ReducedView
from models.datasets import ImageFile
from models.trainers.patch_anomaly import ImageTeaching, teach_images

BOARDS = Path(__file__).resolve().parents[4] / "shared" / "data" / "deep_pcb"
CPU = ("CPUExecutionProvider",)

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> OnnxImageScorer:
    if not BOARDS.is_dir():
        pytest.skip("the real data sets are not beside the checkout")
    good = [ImageFile(path) for path in sorted(BOARDS.rglob("*_temp.jpg"))[:24]]
    folder = teach_images(good, ImageTeaching(name="board"), tmp_path_factory.mktemp("m") / "board")
    return OnnxImageScorer(folder, CPU)


def test_boards_are_judged_small_as_in_full(scorer: OnnxImageScorer) -> None:
    assert scorer.input_side_px == 256
    decoder = OpencvDecoder(ImageLimits())
    view = ReducedView(decoder, lambda _: scorer.input_side_px)
    pictures = [path.read_bytes() for path in sorted(BOARDS.rglob("*.jpg"))[20:]]
    small = 0
    for encoded in pictures:
        full = scorer.score(decoder.decode(encoded))
        pixels = view.decode(encoded, scorer)
        first = scorer.score(decoder.decode(encoded) if pixels is None else pixels)
        held = view.settle(encoded, first, scorer, scorer.limits, reduced=pixels is not None)
        view.try_kept()
        assert decide(held.value, scorer.limits) == decide(full.value, scorer.limits)
        if pixels is not None and held is first:
            assert pixels.shape == (320, 320, 3)
            assert abs(held.value / full.value - 1) <= MOST_DIFFERENCE
            small += 1
    trial = view.trial(scorer)
    assert trial.state == "trusted"
    assert 0 < trial.greatest <= MOST_DIFFERENCE
    # all after the trial but those near a limit
    assert small >= 0.6 * (len(pictures) - TRIAL_IMAGES)
