"""The ONNX graph of a machine-health model: raw window in; statistic, health and contributions out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.features import FEATURE_NAMES
from models.graph import FLOAT, GraphBuilder, Tensor
from models.trainers.component_monitor import root_of_index

if TYPE_CHECKING:
    from models.trainers.machine_health import TaughtHealth

_TINY = 1e-30


def health_graph(taught: TaughtHealth, window_rows: int) -> bytes:
    """Window float32 (1, rows, channels) in physical units to three outputs.

    `statistic` (1,): 1.0 at the limit. `health` (1,): 0 to 100. `contributions` (1, channels): shares of the
    statistic's square by channel, summing to 1.
    """
    builder = GraphBuilder()
    channels = len(taught.centre)
    monitor = taught.monitor
    centred = builder.node("Sub", "window", _float32(builder, taught.centre))
    scaled = builder.node("Div", centred, _float32(builder, taught.scale))
    rows = builder.integers(1)
    level = builder.node("ReduceMean", scaled, rows, keepdims=1)
    offset = builder.node("Sub", scaled, level)
    variance = builder.node("ReduceMean", builder.node("Mul", offset, offset), rows, keepdims=0)
    spread = builder.node("Sqrt", variance)
    features = builder.node("Concat", builder.node("Squeeze", level, rows), spread, axis=1)
    moved = builder.node("Sub", features, _float32(builder, monitor.components.mean))
    standard = builder.node("Div", moved, _float32(builder, monitor.components.spread))
    root = builder.node("MatMul", standard, _float32(builder, root_of_index(monitor)))
    parts = builder.node("Mul", root, root)
    by_channel = builder.node("Reshape", parts, builder.integers(1, len(FEATURE_NAMES), channels))
    shares = builder.node("ReduceSum", by_channel, rows, keepdims=0)
    total = builder.node("ReduceSum", shares, rows, keepdims=1)
    floor = builder.node("Add", total, builder.floats(_TINY))
    builder.name_output(builder.node("Div", shares, floor), "contributions")
    statistic = builder.node("Sqrt", builder.node("Squeeze", total, rows))
    builder.name_output(statistic, "statistic")
    beyond = builder.node("Sub", statistic, builder.floats(monitor.typical))
    steps = builder.node("Relu", builder.node("Mul", beyond, builder.floats(1 / (1 - monitor.typical))))
    decayed = builder.node("Exp", builder.node("Mul", steps, builder.floats(-float(np.log(2)))))
    builder.name_output(builder.node("Mul", decayed, builder.floats(100.0)), "health")
    return builder.finish(
        "machine_health",
        [Tensor("window", FLOAT, (1, window_rows, channels))],
        [
            Tensor("statistic", FLOAT, (1,)),
            Tensor("health", FLOAT, (1,)),
            Tensor("contributions", FLOAT, (1, channels)),
        ],
    )


def _float32(builder: GraphBuilder, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return builder.constant(values.astype(np.float32))
