"""The ONNX graph of an image model: preprocessing, backbone, patch Gaussians, map, score, all in one.

The graph for teaching ends at the features; the graph for running goes on from the very same nodes, so that no step
can differ between the two.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import onnx

from models.graph import FLOAT, UINT8, GraphBuilder, Tensor
from models.preprocessing import EXPOSURE_FLOOR, EXPOSURE_SPREAD, PIXEL_MEAN, PIXEL_SCALE
from models.trainers.patch_gaussian import SMOOTHING_RADIUS, smoothing_kernel

if TYPE_CHECKING:
    from models.preprocessing import ImagePreprocessing
    from models.trainers.patch_gaussian import PatchGaussian

BACKBONE_FILE = "efficientnet_lite0_s8_s16.onnx"
BACKBONE_PREFIX = "backbone."
GRID_STRIDE = 16
FEATURE_CHANNELS = 152
_INPUT = Tensor("image", UINT8, (1, "h", "w", 3))


@cache
def backbone_bytes() -> bytes:
    """The feature extractor shipped with this package."""
    return resources.files("models.backbones").joinpath(BACKBONE_FILE).read_bytes()


def feature_graph(preprocessing: ImagePreprocessing) -> bytes:
    """Image to patch features: uint8 (1, h, w, 3) RGB to `features` float32 (1, 152, side, side)."""
    builder = GraphBuilder()
    features = _features(builder, preprocessing)
    builder.name_output(features, "features")
    side = preprocessing.size // GRID_STRIDE
    return builder.finish("patch_features", [_INPUT], [Tensor("features", FLOAT, (1, FEATURE_CHANNELS, side, side))])


def anomaly_graph(preprocessing: ImagePreprocessing, gaussian: PatchGaussian) -> bytes:
    """Image to `score` float32 (1,) and `anomaly_map` float32 (1, side, side), higher is more abnormal."""
    builder = GraphBuilder()
    side = gaussian.side
    features = _features(builder, preprocessing)
    # the projection is a 1x1 convolution: (d, channels, 1, 1)
    kernel = builder.constant(np.ascontiguousarray(gaussian.projection.T)[:, :, None, None])
    projected = builder.node("Conv", features, kernel, builder.constant(gaussian.offset))
    # (1, d, side, side) -> (positions, 1, d), a batch of row vectors for the whitening
    flat = builder.node("Reshape", projected, builder.integers(1, gaussian.projection.shape[1], side * side))
    rows = builder.node("Transpose", flat, perm=[2, 0, 1])
    centred = builder.node("Sub", rows, builder.constant(gaussian.means[:, None, :]))
    whitened = builder.node("MatMul", centred, builder.constant(gaussian.whitening))
    squared = builder.node("ReduceSumSquare", whitened, builder.integers(2), keepdims=0)
    distance = builder.node("Reshape", builder.node("Sqrt", squared), builder.integers(1, 1, side, side))
    radius = SMOOTHING_RADIUS
    pads = builder.integers(0, 0, radius, radius, 0, 0, radius, radius)
    padded = builder.node("Pad", distance, pads, mode="reflect")
    smoothed = builder.node("Conv", padded, builder.constant(smoothing_kernel()[None, None]))
    anomaly_map = builder.node("Squeeze", smoothed, builder.integers(1))
    builder.name_output(anomaly_map, "anomaly_map")
    builder.name_output(builder.node("ReduceMax", anomaly_map, builder.integers(1, 2), keepdims=0), "score")
    outputs = [Tensor("score", FLOAT, (1,)), Tensor("anomaly_map", FLOAT, (1, side, side))]
    return builder.finish("patch_anomaly", [_INPUT], outputs)


def _features(builder: GraphBuilder, preprocessing: ImagePreprocessing) -> str:
    size = preprocessing.size
    resized = builder.node(
        "Resize",
        _INPUT.name,
        "",
        "",
        builder.integers(1, size, size, 3),
        mode="linear",
        antialias=1,
        coordinate_transformation_mode="half_pixel",
    )
    pixels = builder.node("Cast", builder.node("Transpose", resized, perm=[0, 3, 1, 2]), to=FLOAT)
    if preprocessing.exposure == "none":
        centred = builder.node("Sub", pixels, builder.floats(PIXEL_MEAN))
        network_input = builder.node("Mul", centred, builder.floats(1 / PIXEL_SCALE))
    else:
        axes = builder.integers(1, 2, 3)
        centred = builder.node("Sub", pixels, builder.node("ReduceMean", pixels, axes, keepdims=1))
        variance = builder.node("ReduceMean", builder.node("Mul", centred, centred), axes, keepdims=1)
        floored = builder.node("Add", builder.node("Sqrt", variance), builder.floats(EXPOSURE_FLOOR))
        gain = builder.node("Div", builder.floats(EXPOSURE_SPREAD / PIXEL_SCALE), floored)
        network_input = builder.node("Mul", centred, gain)
    backbone = onnx.load_from_string(backbone_bytes())
    maps = builder.graft(backbone, {"pixels": network_input}, BACKBONE_PREFIX)
    fine = builder.node("AveragePool", maps["s8"], kernel_shape=[2, 2], strides=[2, 2])
    return builder.node("Concat", fine, maps["s16"], axis=1)
