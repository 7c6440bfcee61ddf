"""Unified-Namespace topics, patterns with named levels, and the routing of forms."""

from __future__ import annotations

import struct

import pytest
from pydantic import ValidationError

from edge_agent.composition.mqtt_sources import message_codec
from edge_agent.errors import ConfigError, PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.topic_map import TopicPattern
from edge_agent.readings import Channel, Reading
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings, UnifiedTopics

NOW = Instant(1_735_689_600_000_000, 0, "boot")
UNIFIED = UnifiedTopics(
    pattern="acme/{site}/{line}/{asset}/{channel}",
    lines=("press-1", "press-2"),
    assets=("ram", "die"),
    channels={"temp": "Cel", "current": "A"},
    names={"Press 01": "press-1"},
)
CELLS = UnifiedTopics(
    pattern="acme/{line}/cell/#", lines=("press-1",), assets=("cell",), channels={"power": "kW"}, format="msgpack"
)
WAVES = UnifiedTopics(
    pattern="waves/{line}/{asset}/{channel}", lines=("press-1",), assets=("ram",), channels={"acc": "m/s2"},
    format="float32", rate_hz=1_000.0,
)  # fmt: skip
EXACT = ChannelTopic(
    filter="acme/ulsan/press-2/die/temp", line="press-2", asset="die", channel="t", format="csv", columns=("value",)
)
SETTINGS = MqttSourceSettings(readings=(EXACT,), unified=(UNIFIED, CELLS, WAVES))
CODEC = message_codec(SETTINGS)


def reading(topic: str, payload: bytes) -> Reading:
    (only,) = CODEC.decode(topic, payload, NOW, retained=False).readings
    return only


def test_levels_say_line_asset_and_channel() -> None:
    assert reading("acme/ulsan/Press 01/ram/temp", b"21.5").channel == Channel("press-1", "ram", "temp", "Cel")
    assert reading("acme/busan/press-2/die/current", b'{"value": 3}').channel == Channel(
        "press-2", "die", "current", "A"
    )


def test_without_a_channel_in_the_pattern_the_fields_are_channels() -> None:
    assert reading("acme/press-1/cell/state/7", b"\x81\xa5power\x05") == Reading(
        Channel("press-1", "cell", "power", "kW"), NOW.utc_us, 5.0
    )


def test_the_most_exact_filter_decides_which_form_is_read() -> None:
    assert reading("acme/ulsan/press-2/die/temp", b"value\n1\n").channel.name == "t"
    with pytest.raises(PoisonMessageError) as refused:
        CODEC.decode("elsewhere", b"1", NOW, retained=False)
    assert refused.value.reason == "unmapped_topic"


def test_waveforms_have_unified_topics_too() -> None:
    decoded = CODEC.decode("waves/press-1/ram/acc", struct.pack("<2f", 1.0, -1.0), NOW, retained=False)
    assert [each.channel.key for each in decoded.readings] == ["press-1/ram/acc_rms", "press-1/ram/acc_peak"]


@pytest.mark.parametrize("topic", ["acme/u/press-9/ram/temp", "acme/u/press-1/x/temp", "acme/u/press-1/ram/x"])
def test_what_no_list_names_is_poison(topic: str) -> None:
    with pytest.raises(PoisonMessageError) as refused:
        CODEC.decode(topic, b"1", NOW, retained=False)
    assert refused.value.reason == "unknown_name"


def test_what_the_settings_carry() -> None:
    assert SETTINGS.lines == ("press-2", "press-1")
    assert SETTINGS.channels_of == {
        "press-1/ram": {"temp", "current", "acc_rms", "acc_peak"},
        "press-1/die": {"temp", "current"},
        "press-1/cell": {"power"},
        "press-2/ram": {"temp", "current"},
        "press-2/die": {"temp", "current", "t"},
    }
    assert CODEC.filters == (
        "acme/+/+/+/+",
        "acme/+/cell/#",
        "acme/ulsan/press-2/die/temp",
        "waves/+/+/+",
    )


@pytest.mark.parametrize("pattern", ["a/{line}/{line}", "a/x{line}", "a/{Line}", "a/{}", "a/{line", "a/{line}/#/b"])
def test_malformed_patterns_are_refused(pattern: str) -> None:
    unified = UnifiedTopics(pattern=pattern, lines=("l",), assets=("a",), channels={"c": "1"})
    with pytest.raises(ConfigError, match="malformed"):
        message_codec(MqttSourceSettings(unified=(unified,)))


def test_a_pattern_without_names_is_a_filter() -> None:
    pattern = TopicPattern("a/+/b/#")
    assert (pattern.filter, pattern.parts("a/x/b/c")) == ("a/+/b/#", {})


@pytest.mark.parametrize(
    "given",
    [
        {"pattern": "a/{asset}", "lines": ("l", "m")},
        {"pattern": "a/{line}", "assets": ("a", "b")},
        {"format": "csv"},
        {"format": "csv", "columns": ("ts", "other")},
        {"format": "csv", "columns": ("c", "c")},
        {"columns": ("c",)},
        {"format": "float32"},
        {"format": "float32", "rate_hz": 100.0},
        {"rate_hz": 100.0},
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, object]) -> None:
    usual = {"pattern": "a/{line}/{asset}", "lines": ("l",), "assets": ("a",), "channels": {"c": "1"}}
    UnifiedTopics.model_validate(usual)
    with pytest.raises(ValidationError):
        UnifiedTopics.model_validate(usual | given)
