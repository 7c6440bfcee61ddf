"""The demo's configuration is a valid one, and its ports are free."""

from __future__ import annotations

import socket
import tomllib
from pathlib import Path

import pytest

from edge_agent.demo.ports import free_port
from edge_agent.demo.settings import DemoPlaces, demo_settings
from edge_agent.errors import ConfigError
from edge_agent.settings.config import Settings
from edge_agent.virtual_plant import conveyor, press
from edge_agent.virtual_plant.schedule import eventful_schedule, healthy_schedule

PLACES = DemoPlaces(
    data_dir=Path('/data/a "quoted" folder'),
    images=Path("/data/images"),
    image_model=Path("/models/camera"),
    health_models={"press": Path("/models/press"), "conveyor": Path("/models/conveyor")},
    broker_port=1884,
    status_port=8081,
)


def test_the_written_settings_are_valid_and_complete() -> None:
    settings = Settings.model_validate(tomllib.loads(demo_settings(PLACES)))
    assert settings.agent.data_dir == '/data/a "quoted" folder'
    assert settings.broker.port == 1884
    assert settings.status.port == 8081
    assert settings.lines == ("press-1",)
    assert {topic.asset: topic.channels for topic in settings.mqtt.readings} == {
        "press": press.UNITS,
        "conveyor": conveyor.UNITS,
    }
    assert [(station.mode, station.on_late) for station in settings.stations] == [("live", "stop")]
    assert {asset.name for asset in settings.assets} == {"press", "conveyor"}
    # what is made of simulated pictures and readings must never count as measured
    assert {station.origin for station in settings.stations} == {"simulated"}
    assert {asset.origin for asset in settings.assets} == {"simulated"}
    assert all(alarm.action for alarm in settings.alarms)
    assert settings.stations[0].audit is not None


def test_every_reason_of_the_simulated_press_has_words_in_both_languages() -> None:
    settings = Settings.model_validate(tomllib.loads(demo_settings(PLACES)))
    named = {reason.code: reason for reason in settings.stop_reasons}
    for stop in (*eventful_schedule().stops, *healthy_schedule().stops):
        assert named[stop.reason].planned is (stop.state != "unplanned_stop")
    assert not any("_" in text for reason in named.values() for text in (reason.ko, reason.en))


def test_a_port_in_use_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = free_port(port)
        assert found > port
    assert free_port(port) == port


def test_no_free_port_is_said() -> None:
    with pytest.raises(ConfigError, match="no free port"):
        free_port(65_536)
