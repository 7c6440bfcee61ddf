"""What a station sees and judges with: decoder, model, evidence, and its small view of JPEGs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.adapters.onnx_scorer import OnnxImageScorer
from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.adapters.opencv_map_codec import encode_map
from edge_agent.workers.inspecting import Eyes
from edge_agent.workers.recipes import TunedScorer
from edge_agent.workers.reduced_view import ReducedView

if TYPE_CHECKING:
    from edge_agent.ports import EvidenceStore, ImageScorer
    from edge_agent.settings.config import StationSettings
    from edge_agent.settings.inference import InferenceSettings


def station_eyes(
    station: StationSettings, scorer: ImageScorer, evidence: EvidenceStore, inference: InferenceSettings
) -> Eyes:
    """The eyes of one station."""
    decoder = OpencvDecoder(station.limits)
    reduced = ReducedView(decoder, _input_side_px) if inference.reduced_decode else None
    return Eyes(decoder, scorer, evidence, encode_map, reduced)


def _input_side_px(scorer: ImageScorer) -> int:
    model = scorer.scorer if isinstance(scorer, TunedScorer) else scorer
    return model.input_side_px if isinstance(model, OnnxImageScorer) else 0
