"""How fast is an INT8 model on this machine, what does it cost in accuracy on real parts, and does the uint8 graph pay?

    python -m benchmarks.int8 [--data FOLDER] [--images N] [--runs N] [--json]

For each of two real sets (magnetic tiles, solar cells) a model is taught from good parts alone, quantised by the same
code as `edge-model quantize`, and both score parts that neither saw. `fp32 / int8` is the time of one score, single
thread, in turns within a run. `separate / graph` compares our graph, which takes the decoded picture as it is, with the
usual way: resize by OpenCV, normalise by numpy, then a float graph of the same network, cut behind the preprocessing.

`edge-model quantize` refuses a model that is over its gate; here it is measured all the same, and told to be refused.
The AUROC lost may be at most 0.01 (exit 1). What INT8 gains depends on the processor and is told, not judged.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx

from benchmarks import results
from models.datasets import ImageFile, decode, list_images
from models.image_graph import BACKBONE_PREFIX
from models.inference import CPU, open_graph
from models.preprocessing import ImagePreprocessing, normalise
from models.quantize import Gate, Labelled, Quantising, in_turns, quantise_model, refusals
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from models.inference import Session

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = {
    "magnetic_tile": ("blowhole", "break", "crack", "fray", "uneven"),
    "elpv_mono": ("defective",),
}
MOST_AUROC_LOST = 0.01
TURNS = 15
CAMERA = (480, 640)
"""Rows and columns of the picture that the two ways of preprocessing are compared on."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one set showed.

    Attributes:
        auroc_fp32, auroc_int8: on parts that neither model saw.
        changed: 95 % quantile of what one score changed by, beyond the common shift.
        refused: why `edge-model quantize` would not write this model at its own limits; empty where it writes it.
        speedup: fp32 / int8 of each run.
        separate: separate preprocessing / uint8 graph of each run.
    """

    name: str
    n_good: int
    n_bad: int
    auroc_fp32: float
    auroc_int8: float
    changed: float
    refused: list[str]
    fp32_ms: float
    int8_ms: float
    speedup: list[float]
    separate: list[float]


def every(images: list[ImageFile], most: int) -> tuple[ImageFile, ...]:
    """At most so many, evenly."""
    picked = np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int)
    return tuple(images[index] for index in picked)


def measure(name: str, data: Path, images: int, runs: int) -> Found:
    """Teach, quantise and compare on one set."""
    root = data / name
    good = every(list_images(root / "train" / "good"), images)
    bad = [image for kind in SETS[name] for image in list_images(root / "test" / kind)]
    labelled = Labelled(good=every(list_images(root / "test" / "good"), images), bad=every(bad, images))
    with tempfile.TemporaryDirectory(prefix="lineproof-int8-") as folder:
        model = teach_images(good, ImageTeaching(name="fp32"), Path(folder) / "fp32")
        # all is to be seen here, so nothing is refused; what the product's own gate says of it is told beside
        quantising = Quantising(version=2, gate=Gate(score_shift=1.0, score_change=1.0, auroc_drop=1.0))
        made, compared = quantise_model(model, good, Path(folder) / "int8", quantising, labelled=labelled)
    if compared.fp32_auroc is None or compared.int8_auroc is None:
        sys.exit("labelled images were given and no AUROC came back")
    fp32, int8 = open_graph(model.graph, CPU), open_graph(made.graph, CPU)
    pixels = decode(labelled.good[0])
    speedup, took = [], ([0.0], [0.0])
    for _ in range(runs):
        took = in_turns(fp32, int8, pixels, TURNS)
        speedup.append(statistics.median(took[0]) / statistics.median(took[1]))
    return Found(
        name=name,
        n_good=len(labelled.good),
        n_bad=len(labelled.bad),
        auroc_fp32=compared.fp32_auroc.value,
        auroc_int8=compared.int8_auroc.value,
        changed=compared.score_change,
        refused=[f"{one.field} {one.value:.1%}, allowed {one.most:.0%}" for one in refusals(compared, Gate())],
        fp32_ms=1e3 * statistics.median(took[0]),
        int8_ms=1e3 * statistics.median(took[1]),
        speedup=speedup,
        separate=separate_ratios(model.graph, fp32, pixels, runs),
    )


def float_graph(graph: bytes) -> bytes:
    """The same network behind its preprocessing: takes `pixels`, float32 (1, 3, size, size), normalised."""
    model = onnx.load_from_string(graph)
    size = ImagePreprocessing().size
    stem = next(node for node in model.graph.node if node.name.startswith(BACKBONE_PREFIX))
    fed = stem.input[0]
    del model.graph.input[:]
    model.graph.input.append(onnx.helper.make_tensor_value_info(fed, onnx.TensorProto.FLOAT, [1, 3, size, size]))
    producers = {output: node for node in model.graph.node for output in node.output}
    needed: list[str] = []
    pending = [output.name for output in model.graph.output]
    while pending:
        name = pending.pop()
        node = producers.get(name)
        if name == fed or node is None or node.name in needed:
            continue
        needed.append(node.name)
        pending.extend(node.input)
    kept = [node for node in model.graph.node if node.name in needed]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    for node in model.graph.node:
        node.input[:] = ["pixels" if name == fed else name for name in node.input]
    model.graph.input[0].name = "pixels"
    content: bytes = model.SerializeToString()
    return content


def separate_ratios(graph: bytes, whole: Session, part: NDArray[np.uint8], runs: int) -> list[float]:
    """Time of separate preprocessing and a float graph over that of the uint8 graph, in turns."""
    preprocessing = ImagePreprocessing()
    tail = open_graph(float_graph(graph), CPU)
    picture = np.asarray(cv2.resize(part, CAMERA[::-1], interpolation=cv2.INTER_CUBIC), dtype=np.uint8)

    def separately() -> float:
        resized = cv2.resize(picture, (preprocessing.size,) * 2, interpolation=cv2.INTER_AREA)
        pixels = normalise(resized.transpose(2, 0, 1)[None].astype(np.float32), preprocessing)
        return float(tail.run(["score"], {"pixels": np.ascontiguousarray(pixels)})[0][0])

    def in_graph() -> float:
        return float(whole.run(["score"], {"image": picture[None]})[0][0])

    if abs(separately() / in_graph() - 1) > 0.1:
        sys.exit("the two ways do not compute the same: they must not be compared")
    ratios = []
    for _ in range(runs):
        took: dict[Callable[[], float], list[float]] = {separately: [], in_graph: []}
        for _ in range(TURNS):
            for way, seconds in took.items():
                began_s = time.perf_counter()
                way()
                seconds.append(time.perf_counter() - began_s)
        ratios.append(statistics.median(took[separately]) / statistics.median(took[in_graph]))
    return ratios


def outcomes(found: Found) -> list[results.Outcome]:
    """What a set showed, for the summary."""
    lost = found.auroc_fp32 - found.auroc_int8
    parts = f"{found.n_good} good and {found.n_bad} bad parts"
    return [
        results.Outcome(
            f"int8.speedup[{found.name}]",
            "time of one score by fp32, to INT8, one thread",
            found.speedup,
            better="more",
        ),
        results.Outcome(
            f"int8.auroc_lost[{found.name}]", f"AUROC of fp32 less INT8 on {parts}", [lost], MOST_AUROC_LOST
        ),
        results.Outcome(
            f"int8.score_changed[{found.name}]",
            f"95 % of scores change by less, beyond the shift; the gate of `edge-model quantize`: {verdict(found)}",
            [found.changed],
        ),
        results.Outcome(
            f"int8.separate_preprocessing[{found.name}]",
            "resize by OpenCV, normalise by numpy, float graph, to the uint8 graph",
            found.separate,
            better="more",
        ),
    ]


def text(found: Found) -> str:
    """One set, in words."""
    return (
        f"{found.name}: AUROC fp32 {found.auroc_fp32:.4f}, INT8 {found.auroc_int8:.4f} on {found.n_good} good and "
        f"{found.n_bad} bad parts; a score changes by up to {found.changed:.1%} (95 %)\n"
        f"  gate of `edge-model quantize`: {verdict(found)}\n"
        f"  fp32 {found.fp32_ms:.1f} ms, INT8 {found.int8_ms:.1f} ms; fp32 / int8 {spread(found.speedup)}; "
        f"separate preprocessing / uint8 graph {spread(found.separate)}"
    )


def verdict(found: Found) -> str:
    """What the product's own gate says."""
    return f"refused, not written ({'; '.join(found.refused)})" if found.refused else "accepted"


def spread(values: list[float]) -> str:
    """Median with the least and the greatest value."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> int:
    """Print the figures; 1 when accuracy is lost, 3 when the real parts are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with magnetic_tile and elpv_mono")
    parser.add_argument("--images", type=int, default=120, help="images taught from, and of each kind scored, at most")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    results.add_option(parser)
    arguments = parser.parse_args()
    missing = [name for name in SETS if not (arguments.data / name).is_dir()]
    if missing:
        sys.stderr.write(f"needs the real image sets {', '.join(missing)} in {arguments.data.name}/\n")
        return results.CANNOT_RUN
    measured = [measure(name, arguments.data, arguments.images, arguments.runs) for name in SETS]
    print(json.dumps([asdict(found) for found in measured]) if arguments.json else "\n".join(map(text, measured)))
    results.write(arguments.outcomes, [outcome for found in measured for outcome in outcomes(found)])
    return int(any(found.auroc_fp32 - found.auroc_int8 > MOST_AUROC_LOST for found in measured))


if __name__ == "__main__":
    sys.exit(main())
