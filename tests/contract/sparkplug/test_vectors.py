"""Payloads made by the npm package `sparkplug-payload` (Eclipse Tahu) decode to the values that it was given.

`vectors.json` is what `make_vectors.js` prints. Where node and the package are there, it is made afresh and compared:

    npm install --no-save --no-package-lock --prefix tests/contract/sparkplug sparkplug-payload@1.0.3
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge_agent.adapters.sparkplug_codec import SparkplugCodec
from edge_agent.adapters.sparkplug_payload import parse
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.sparkplug.values import value_of
from edge_agent.readings import Channel, Quality, Reading, SequenceMark, Silence
from edge_agent.settings.mqtt import MqttSourceSettings, SparkplugDevice, SparkplugSettings

FOLDER = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
MODULES = Path(os.environ.get("LINEPROOF_SPARKPLUG_NODE", FOLDER))  # the folder that has node_modules
BORN_US = 1_767_225_600_000_000
RECEIVED = Instant(BORN_US + 5_000_000, 0, "boot")
SECOND = 1_000_000


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: f"{vector['type']}={vector['expected']}")
def test_every_data_type_decodes_to_the_value_that_was_encoded(vector: dict[str, Any]) -> None:
    payload = parse(bytes.fromhex(vector["hex"]), 10_000)
    (metric,) = payload.metrics
    assert (payload.timestamp_ms, payload.seq, metric.timestamp_ms) == (1_767_225_600_000, 3, 1_767_225_600_001)
    assert metric.datatype is not None
    value = value_of(metric.datatype, metric)
    if vector["type"] in {"Int64", "UInt64", "DateTime"}:
        value = str(value)
    if isinstance(value, bytes):
        value = value.hex()
    assert value == vector["expected"]
    assert type(value) is type(vector["expected"]) or vector["type"] in {"Float", "Double"}


@pytest.mark.parametrize("vector", VECTORS["refusals"], ids=lambda vector: vector["type"])
def test_data_sets_and_templates_are_refused(vector: dict[str, Any]) -> None:
    (metric,) = parse(bytes.fromhex(vector["hex"]), 10_000).metrics
    assert metric.datatype is not None
    with pytest.raises(PoisonMessageError) as refused:
        value_of(metric.datatype, metric)
    assert refused.value.reason == "unsupported_datatype"


def test_a_life_of_an_edge_node_becomes_readings() -> None:
    press = SparkplugDevice(
        group="plant",
        node="cell-1",
        device="press",
        line="press-1",
        asset="press",
        channels={"temperature": "Cel", "pressure": "bar", "Running": "1"},
        metrics={"Inputs/A3": "temperature", "Inputs/A4": "pressure"},
    )
    node = SparkplugDevice(
        group="plant",
        node="cell-1",
        line="press-1",
        asset="cabinet",
        channels={"power": "kW"},
        metrics={"Power": "power"},
    )
    asked: list[tuple[str, str]] = []
    settings = MqttSourceSettings(sparkplug=SparkplugSettings(devices=(press, node)))
    codec = SparkplugCodec(settings, lambda group, name: asked.append((group, name)))
    decoded = [
        codec.decode(step["topic"], bytes.fromhex(step["hex"]), RECEIVED, retained=False)
        for step in VECTORS["conversation"]
    ]

    temperature = Channel("press-1", "press", "temperature", "Cel")
    pressure = Channel("press-1", "press", "pressure", "bar")
    running = Channel("press-1", "press", "Running", "1")
    power = Channel("press-1", "cabinet", "power", "kW")
    later = BORN_US + SECOND
    good = int(Quality.GOOD)
    assert [list(each.readings) for each in decoded] == [
        [Reading(power, BORN_US, 12.5, good)],
        [
            Reading(temperature, BORN_US, 61.25, good),
            Reading(pressure, BORN_US, -12.0, good),
            Reading(running, BORN_US, 1.0, good),
        ],
        [
            Reading(temperature, later, 61.5, good),
            Reading(pressure, later, -13.0, good),
            Reading(running, later, 0.0, good),
        ],
        [Reading(power, later, 13.5, good)],
        [Reading(temperature, BORN_US - 7 * 86_400 * SECOND, 55.5, good)],  # historical; the other metric is null
        [],
        [],
    ]
    epoch = "4.1767225600000"
    numbers = [SequenceMark("sparkplug/plant/cell-1", epoch, number) for number in range(6)]
    assert [each.mark for each in decoded] == [*numbers, None]
    at = RECEIVED.utc_us
    assert [list(each.silent) for each in decoded][5:] == [
        [Silence("press-1", "press", at)],
        [Silence("press-1", "press", at), Silence("press-1", "cabinet", at)],
    ]
    assert [each.refused for each in decoded] == [None] * 7
    assert not asked


def test_the_committed_vectors_are_what_the_package_makes() -> None:
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules" / "sparkplug-payload").is_dir():
        pytest.skip("needs node and sparkplug-payload; the head of this file says how")
    made = subprocess.run(
        [node, str(FOLDER / "make_vectors.js"), str(MODULES)], check=True, capture_output=True, text=True, timeout=60
    )
    assert json.loads(made.stdout) == VECTORS
