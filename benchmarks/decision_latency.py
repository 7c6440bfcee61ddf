"""How long after its picture arrives is a part decided, beside bare decoding and inference, and under message load?

    python -m benchmarks.decision_latency [--runs N] [--seconds N] [--json]

The running agent gets JPEGs of camera size over MQTT, 20 a second, and judges them with a taught model; its own events
say how long each waited, was decoded, inferred and decided. In every repetition, one after the other:

- beside, bare: the agent judges; between its pictures, half a period later, this process does the bare work:
  `cv2.imdecode` of the same picture at the same reduction and one run of the same graph with the same session options,
  and nothing else. Both see the same moments of the machine.
- idle: the agent judges, and nothing else arrives.
- 5000, 20000: besides, so many QoS 1 sensor readings a second arrive and are made durable.

The decision ends where the verdict is fixed. When it is durable, and what was missed, is told beside it. Ratios are
taken within a repetition. Exit 1 when a limit is missed: p50 of beside at most 1.12 of bare; p99 under 5,000 messages/s
at most 1.3 of idle, under 20,000 at most 2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import results
from benchmarks.message_load import TOPIC, TOPICS
from benchmarks.running_agent import Children, Feed
from benchmarks.waiting_messages import HOST, broker
from edge_agent.adapters.opencv_decoder import reduction
from edge_agent.events import Inspection
from edge_agent.workers.reduced_view import TRIAL_IMAGES
from models.datasets import ImageBytes
from models.inference import CPU, open_graph
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from datetime import datetime

    from models.model_folder import ModelFolder

FRAMES_A_SECOND = 20
CAMERA = (960, 1_280)
LIMITS = {"beside": 1.12, "5000": 1.3, "20000": 2.0}
PICTURES = 16
STAGES = ("queue", "decode", "infer", "decide")

CONFIGURATION = """
[agent]
name = "bench"
data_dir = "{folder}/data"
log_level = "warning"
[broker]
port = {port}
[[mqtt.images]]
pattern = "plant/press-1/cam/{{part}}"
station = "cam"
[[stations]]
name = "cam"
line = "press-1"
model = "{folder}/plate"
keep_evidence = []
[stations.limits]
max_bytes = 4194304
[status]
port = 0
{readings}
"""
READINGS = """[[mqtt.readings]]
filter = "{topic}"
line = "press-1"
asset = "ram"
channel = "temp-{number}"
unit = "Cel"
"""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of one repetition.

    Attributes:
        p50_ms, p99_ms: of the decision latency (bare: of decoding and inference).
        stages_ms: median of each stage.
        durable_p99_ms: from arrival to commit, None for bare.
        frames: decided.
        refused: of them without a verdict.
        messages_a_second: readings made durable.
        waiting: readings sent and not durable when the phase ended.
    """

    p50_ms: float
    p99_ms: float
    durable_p99_ms: float | None
    frames: int
    stages_ms: dict[str, float]
    refused: int = 0
    messages_a_second: float = 0.0
    waiting: int = 0


def picture(seed: int) -> bytes:
    """A rough plate with a ring, as a camera would send it: JPEG of quality 92."""
    rng = np.random.default_rng(seed)
    height, width = CAMERA
    rows, columns = np.mgrid[0:height, 0:width]
    radius = np.hypot(rows - height / 2 + rng.normal(0, 8), columns - width / 2 + rng.normal(0, 8))
    rough = cv2.GaussianBlur(rng.normal(0, 300, CAMERA), (0, 0), 9) + rng.normal(0, 6, CAMERA)
    grey = np.clip(110 + 60 * ((radius > 200) & (radius < 320)) + rough, 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    if not done:
        sys.exit("a picture cannot be written")
    return data.tobytes()


def quantiles(values: list[float]) -> tuple[float, float]:
    """Median and 99 % quantile."""
    p50, p99 = np.quantile(values, [0.5, 0.99])
    return float(p50), float(p99)


class Bare:
    """Decodes and infers, and nothing else."""

    def __init__(self, model: ModelFolder) -> None:
        self._session = open_graph(model.graph, CPU)
        divisor = reduction(min(CAMERA), model.manifest.input.side_px)
        sizes = (0, cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        self._flags = sizes[(1, 2, 4, 8).index(divisor)] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        self.decode_ms: list[float] = []
        self.infer_ms: list[float] = []

    def look(self, encoded: bytes) -> None:
        """Take the time of one picture."""
        began_s = time.perf_counter()
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), self._flags)
        if pixels is None:
            sys.exit("a picture cannot be decoded")
        decoded_s = time.perf_counter()
        self._session.run(["score", "anomaly_map"], {"image": pixels[None]})
        self.decode_ms.append(1e3 * (decoded_s - began_s))
        self.infer_ms.append(1e3 * (time.perf_counter() - decoded_s))

    def phase(self) -> Phase:
        """What it took."""
        took = [decode + infer for decode, infer in zip(self.decode_ms, self.infer_ms, strict=True)]
        stages = {"decode": statistics.median(self.decode_ms), "infer": statistics.median(self.infer_ms)}
        return Phase(*quantiles(took), None, len(took), stages)


def pause(until_s: float) -> None:
    """Sleep until a time of the monotonic clock."""
    left_s = until_s - time.monotonic()
    if left_s > 0:
        time.sleep(left_s)


class Bench:
    """The running agent and what is sent to it."""

    def __init__(self, port: int, feed: Feed, pictures: list[bytes]) -> None:
        self._port = port
        self._feed = feed
        self._pictures = pictures
        self._sent = 0
        self._camera = mqtt.Client(CallbackAPIVersion.VERSION2, "camera", protocol=mqtt.MQTTv5)
        self._camera.connect(HOST, port)
        self._camera.loop_start()

    def judge(self, seconds: float, rate: int, bare: Bare | None = None) -> Phase:
        """Send pictures at the pace, and readings or the bare work beside them; what the agent's events say."""
        load = self._load(rate, seconds + 1) if rate else None
        stored = self._feed.metric("lineproof_store_readings")
        if load is not None and load.stdin is not None:
            load.stdin.write("go\n")
            load.stdin.flush()
            time.sleep(0.5)  # the pictures meet a stream that runs
        first = self._sent
        began_s = time.monotonic()
        for number in range(round(FRAMES_A_SECOND * seconds)):
            pause(began_s + number / FRAMES_A_SECOND)
            content = self._pictures[number % len(self._pictures)]
            self._camera.publish(f"plant/press-1/cam/{self._sent:07}", content, qos=1)
            self._sent += 1
            if bare is not None:
                pause(began_s + (number + 0.5) / FRAMES_A_SECOND)
                bare.look(content)
        took_s = time.monotonic() - began_s
        sent = json.loads(load.communicate(timeout=120)[0].splitlines()[-1])["sent"] if load is not None else 0
        wanted = {f"{number:07}" for number in range(first, self._sent)}
        self._feed.wait(lambda: wanted <= set(self._decided()), "verdicts")
        durable = self._feed.metric("lineproof_store_readings") - stored
        judged = [self._decided()[part] for part in sorted(wanted)]
        stages = [[getattr(body.latency_ms, stage) for stage in STAGES] for body, _, _ in judged]
        committed = [(recorded - taken).total_seconds() * 1e3 for _, taken, recorded in judged]
        return Phase(
            *quantiles([sum(each) for each in stages]),
            quantiles(committed)[1],
            len(judged),
            {stage: statistics.median(column) for stage, column in zip(STAGES, zip(*stages, strict=True), strict=True)},
            sum(body.verdict == "NO_VERDICT" for body, _, _ in judged),
            durable / (took_s + 1) if rate else 0.0,
            max(0, round(sent - durable)),
        )

    def settle(self) -> None:
        """Wait until every reading that was sent is durable, so that a phase does not pay for the one before."""
        before = -1.0
        while (now := self._feed.metric("lineproof_store_readings")) != before:
            before = now
            time.sleep(0.5)

    def close(self) -> None:
        """End the camera."""
        self._camera.disconnect()
        self._camera.loop_stop()

    def _decided(self) -> dict[str, tuple[Inspection, datetime, datetime]]:
        return {
            recorded.event.body.part_id: (recorded.event.body, recorded.event.occurred_at, recorded.recorded_at)
            for recorded in self._feed.events
            if isinstance(recorded.event.body, Inspection)
        }

    def _load(self, rate: int, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmarks.message_load", str(self._port), str(rate), str(seconds)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if child.stdout is None or child.stdout.readline() != "ready\n":
            sys.exit("the message load did not start")
        return child


def measure(work: Path, port: int, runs: int, seconds: float) -> list[dict[str, Phase]]:
    """All phases, repetition by repetition."""
    pictures = [picture(seed) for seed in range(PICTURES)]
    taught = [ImageBytes(f"{seed}.jpg", picture(1_000 + seed)) for seed in range(24)]
    model = teach_images(taught, ImageTeaching(name="plate"), work / "plate")
    readings = "".join(READINGS.format(topic=TOPIC.format(number=n), number=n) for n in range(TOPICS))
    (work / "lineproof.toml").write_text(CONFIGURATION.format(folder=work, port=port, readings=readings))
    children = Children(work)
    try:
        page = children.start("agent", "edge_agent", "run", "--config", str(work / "lineproof.toml"), "--json")["page"]
        bench = Bench(port, Feed(page), pictures)
        bench.judge((TRIAL_IMAGES + 10) / FRAMES_A_SECOND, 0)  # the reduced decode's trial, and a warm cache
        measured = []
        for _ in range(runs):
            bare = Bare(model)
            beside = bench.judge(seconds, 0, bare)
            phases = {"bare": bare.phase(), "beside": beside, "idle": bench.judge(seconds, 0)}
            for rate in ("5000", "20000"):
                phases[rate] = bench.judge(seconds, int(rate))
                bench.settle()
            measured.append(phases)
        bench.close()
        return measured
    finally:
        children.stop()


def ratios(measured: list[dict[str, Phase]]) -> dict[str, list[float]]:
    """Every limit's ratio within each repetition."""
    return {
        "beside": [phases["beside"].p50_ms / phases["bare"].p50_ms for phases in measured],
        "5000": [phases["5000"].p99_ms / phases["idle"].p99_ms for phases in measured],
        "20000": [phases["20000"].p99_ms / phases["idle"].p99_ms for phases in measured],
    }


SENTENCES = {
    "beside": "p50 of a decision in the running agent, to bare decoding and inference, 20 frames/s",
    "5000": "p99 of a decision with 5,000 durable messages/s beside it, to an idle agent",
    "20000": "p99 of a decision with 20,000 durable messages/s beside it, to an idle agent",
}


def spread(values: list[float]) -> str:
    """Median with the least and the greatest value."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def text(measured: list[dict[str, Phase]]) -> str:
    """The phases and the ratios, in words."""
    lines = [f"{'phase':8} {'p50 ms':>22} {'p99 ms':>24} {'durable p99 ms':>26} {'messages/s':>12} {'waiting':>8}"]
    for name in measured[0]:
        phases = [each[name] for each in measured]
        durable = [each.durable_p99_ms for each in phases if each.durable_p99_ms is not None]
        lines.append(
            f"{name:8} {spread([each.p50_ms for each in phases]):>22} {spread([each.p99_ms for each in phases]):>24} "
            f"{spread(durable) if durable else '':>26} "
            f"{statistics.median(each.messages_a_second for each in phases):12,.0f} "
            f"{max(each.waiting for each in phases):8,}"
        )
        found = {stage: [each.stages_ms[stage] for each in phases] for stage in phases[0].stages_ms}
        lines.append("         " + ", ".join(f"{stage} {spread(values)}" for stage, values in found.items()))
    lines += [f"{SENTENCES[name]}: {spread(found)}, at most {LIMITS[name]}" for name, found in ratios(measured).items()]
    return "\n".join(lines)


def main() -> int:
    """Print the figures; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15.0, help="length of a phase")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    results.add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineproof-latency-") as name, broker(Path(name)) as port:
        measured = measure(Path(name), port, arguments.runs, arguments.seconds)
    found = ratios(measured)
    if arguments.json:
        phases = [{name: asdict(phase) for name, phase in each.items()} for each in measured]
        print(json.dumps({"repetitions": phases, "ratios": found}))
    else:
        print(text(measured))
    results.write(
        arguments.outcomes,
        [
            results.Outcome(f"decision_latency.{name}", SENTENCES[name], samples, LIMITS[name])
            for name, samples in found.items()
        ]
        + [
            results.Outcome(
                "decision_latency.frame",
                "one picture from its arrival to its verdict, p50, in an agent that has nothing else to do",
                [phases["idle"].p50_ms for phases in measured],
                unit="ms",
            )
        ],
    )
    return int(any(statistics.median(samples) > LIMITS[name] for name, samples in found.items()))


if __name__ == "__main__":
    sys.exit(main())
