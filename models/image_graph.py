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
from onnx import numpy_helper

from models.errors import ContractError
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
_STEM = {"auto_pad": b"SAME_UPPER", "group": 1, "kernel_shape": [3, 3], "strides": [2, 2]}
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
    backbone = onnx.load_from_string(backbone_bytes())
    if preprocessing.exposure == "none":
        fold_normalisation(backbone)
        # what the first convolution pads with must be what normalises to zero, so it is padded here, while it is bytes
        border = builder.constant(np.array(int(PIXEL_MEAN), dtype=np.uint8))
        resized = builder.node("Pad", resized, builder.integers(0, 0, 0, 0, 0, 1, 1, 0), border, mode="constant")
        network_input = builder.node("Cast", builder.node("Transpose", resized, perm=[0, 3, 1, 2]), to=FLOAT)
    else:
        pixels = builder.node("Cast", builder.node("Transpose", resized, perm=[0, 3, 1, 2]), to=FLOAT)
        axes = builder.integers(1, 2, 3)
        centred = builder.node("Sub", pixels, builder.node("ReduceMean", pixels, axes, keepdims=1))
        variance = builder.node("ReduceMean", builder.node("Mul", centred, centred), axes, keepdims=1)
        floored = builder.node("Add", builder.node("Sqrt", variance), builder.floats(EXPOSURE_FLOOR))
        gain = builder.node("Div", builder.floats(EXPOSURE_SPREAD / PIXEL_SCALE), floored)
        network_input = builder.node("Mul", centred, gain)
    maps = builder.graft(backbone, {"pixels": network_input}, BACKBONE_PREFIX)
    fine = builder.node("AveragePool", maps["s8"], kernel_shape=[2, 2], strides=[2, 2])
    return builder.node("Concat", fine, maps["s16"], axis=1)


def fold_normalisation(backbone: onnx.ModelProto) -> None:
    """Let the first convolution take grey values of 0 to 255, already padded, instead of (value - mean) / scale.

    w * (x - mean) / scale + b  =  (w / scale) * x  +  (b - sum(w) * mean / scale)

    The convolution pads one row and column at the end (SAME_UPPER, stride 2, even side) with zeros, which are the mean
    before normalisation: the caller pads with the mean, and the convolution no more.

    Raises:
        ContractError: the backbone does not begin with the convolution that this is written for.
    """
    graph = backbone.graph
    stem = next(node for node in graph.node if "pixels" in node.input)
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in stem.attribute}
    if stem.op_type != "Conv" or attributes != _STEM:
        raise ContractError("the backbone begins otherwise than known", field="backbone", value=stem.op_type)
    weights = {weight.name: weight for weight in graph.initializer}
    kernel, bias = (numpy_helper.to_array(weights[name]).astype(np.float64) for name in stem.input[1:])
    folded = {
        stem.input[1]: kernel / PIXEL_SCALE,
        stem.input[2]: bias - kernel.sum(axis=(1, 2, 3)) * PIXEL_MEAN / PIXEL_SCALE,
    }
    for name, values in folded.items():
        weights[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))
    for item in stem.attribute:
        if item.name == "auto_pad":
            item.s = b"VALID"
