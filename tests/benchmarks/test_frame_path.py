"""The benchmarks of the frame path compare what they say they compare."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import decision_latency, int8, message_load
from benchmarks.decision_latency import Bare, Phase, picture, quantiles, ratios
from benchmarks.waiting_messages import HOST, broker
from models.datasets import ImageBytes, decode
from models.inference import CPU, open_graph
from models.preprocessing import ImagePreprocessing, normalise
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from pathlib import Path

    from models.model_folder import ModelFolder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    taught = [ImageBytes(f"{seed}.jpg", picture(seed)) for seed in range(10)]
    return teach_images(taught, ImageTeaching(name="plate"), tmp_path_factory.mktemp("m") / "plate")


def test_the_float_graph_is_the_same_network_behind_its_preprocessing(model: ModelFolder) -> None:
    whole, tail = open_graph(model.graph, CPU), open_graph(int8.float_graph(model.graph), CPU)
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)  # at this size nothing is resized
    prepared = normalise(pixels.transpose(2, 0, 1)[None].astype(np.float32), ImagePreprocessing())
    want = whole.run(["score"], {"image": pixels[None]})[0]
    np.testing.assert_allclose(tail.run(["score"], {"pixels": prepared})[0], want, rtol=1e-4)
    found = int8.separate_ratios(model.graph, whole, decode(ImageBytes("a.jpg", picture(3))), 1)
    assert len(found) == 1
    assert found[0] > 0


def test_the_bare_work_decodes_small_and_infers(model: ModelFolder) -> None:
    bare = Bare(model)
    for seed in range(3):
        bare.look(picture(seed))
    phase = bare.phase()
    assert (phase.frames, phase.durable_p99_ms) == (3, None)
    assert set(phase.stages_ms) == {"decode", "infer"}
    assert 0 < phase.p50_ms <= phase.p99_ms


def test_ratios_are_taken_within_a_repetition() -> None:
    def phase(p50: float, p99: float) -> Phase:
        return Phase(p50, p99, None, 1, {})

    repetition = {
        "bare": phase(10, 12), "beside": phase(11, 20), "idle": phase(12, 16), "5000": phase(12, 20),
        "20000": phase(15, 32),
    }  # fmt: skip
    assert ratios([repetition]) == {"beside": [1.1], "5000": [1.25], "20000": [2.0]}
    assert set(decision_latency.SENTENCES) == set(decision_latency.LIMITS) == set(ratios([repetition]))
    assert quantiles([float(n) for n in range(101)]) == (50.0, 99.0)


def test_messages_are_made_at_their_rate_with_times_of_their_own() -> None:
    made = message_load.bursts(2_000, 0.5)
    assert len(made) == 50
    payloads = [piece[: piece.index(b"}") + 1] for piece in b"".join(made).split(b"\x00\x01")[1:]]
    stamps = [json.loads(payload)["ts"] for payload in payloads]
    assert len(stamps) == len(set(stamps)) == 1_000
    assert stamps == sorted(stamps)


@pytest.mark.broker
def test_the_load_arrives_at_a_real_broker(tmp_path: Path) -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None or not shutil.which(
        "mosquitto_sub"
    ):
        pytest.skip("Mosquitto is not installed")
    heard: set[bytes] = set()
    all_heard, subscribed = threading.Event(), threading.Event()

    def on_message(_client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        heard.add(bytes(message.payload))
        if len(heard) == 1_000:
            all_heard.set()

    with broker(tmp_path) as port:
        client = paho.Client(CallbackAPIVersion.VERSION2, "ear", protocol=paho.MQTTv5)
        client.on_message = on_message
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect(HOST, port)
        client.loop_start()
        client.subscribe("plant/press-1/ram/+", qos=1)
        assert subscribed.wait(20)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.message_load", str(port), "1000", "1"],
            input="go\n", capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        ready, told = done.stdout.splitlines()
        assert (ready, json.loads(told)["sent"]) == ("ready", 1_000)
        assert all_heard.wait(20), len(heard)
        client.disconnect()
        client.loop_stop()
