"""Raw float32 waveforms."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.float32_codec import Float32Codec
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.readings import Channel, Quality, Reading
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings

NOW = Instant(1_735_689_600_000_000, 0, "boot")
TOPIC = ChannelTopic(
    filter="vib", line="l", asset="ram", channel="acc", unit="m/s2", format="float32", rate_hz=4.0, maximum=100.0
)
CODEC = Float32Codec(MqttSourceSettings(readings=(TOPIC,), max_payload_bytes=4_000))


def test_a_block_is_a_waveform_that_ends_now_and_two_readings() -> None:
    decoded = CODEC.decode("vib", struct.pack("<4f", 3.0, -4.0, 0.0, 0.0), NOW, retained=False)
    (waveform,) = decoded.waveforms
    assert (waveform.channel, waveform.start_us, waveform.rate_hz) == (
        Channel("l", "ram", "acc", "m/s2"),
        NOW.utc_us - 1_000_000,
        4.0,
    )
    assert waveform.samples.dtype == np.float32
    assert waveform.samples.tolist() == [3.0, -4.0, 0.0, 0.0]
    assert list(decoded.readings) == [
        Reading(Channel("l", "ram", "acc_rms", "m/s2"), NOW.utc_us, 2.5),  # sqrt((9 + 16) / 4)
        Reading(Channel("l", "ram", "acc_peak", "m/s2"), NOW.utc_us, 4.0),
    ]


def test_an_impossible_sample_makes_the_block_bad() -> None:
    decoded = CODEC.decode("vib", struct.pack("<2f", 3.0, 101.0), NOW, retained=False)
    assert [reading.quality for reading in decoded.readings] == [Quality.BAD, Quality.BAD]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "empty"),
        (b"\0\0\0", "odd_length"),
        (b"\0" * 4_004, "too_large"),
        (struct.pack("<3f", 1.0, float("nan"), 1.0), "not_finite"),
        (struct.pack("<1f", float("inf")), "not_finite"),
    ],
)
def test_poison_has_its_reason(payload: bytes, expected: str) -> None:
    with pytest.raises(PoisonMessageError) as refused:
        CODEC.decode("vib", payload, NOW, retained=False)
    assert refused.value.reason == expected


def test_a_retained_block_and_a_foreign_topic_are_poison() -> None:
    for topic, retained, expected in (("vib", True, "retained_without_ts"), ("x", False, "unmapped_topic")):
        with pytest.raises(PoisonMessageError) as refused:
            CODEC.decode(topic, b"\0\0\0\0", NOW, retained=retained)
        assert refused.value.reason == expected


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
def test_samples_come_through_unchanged(samples: list[float]) -> None:
    decoded = CODEC.decode("vib", struct.pack(f"<{len(samples)}f", *samples), NOW, retained=False)
    assert decoded.waveforms[0].samples.tolist() == samples
    rms, peak = (reading.value for reading in decoded.readings)
    assert peak == max(map(abs, samples))
    assert 0.0 <= rms <= peak * (1 + 1e-12)
