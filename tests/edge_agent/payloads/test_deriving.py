"""Machine signals of waveforms: settings, readings of a block, and the whole agent."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from edge_agent.adapters.float32_codec import Float32Codec
from edge_agent.adapters.toml_config import load
from edge_agent.app import Agent
from edge_agent.instant import Instant
from edge_agent.payloads.deriving import SignalCodec
from edge_agent.readings import Quality
from edge_agent.settings.config import Settings
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings
from edge_agent.settings.signals import SignalSettings
from tests.brokers import PlantPeer, start_broker, wait_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.readings import Reading

CWRU = Path(__file__).parents[4] / "shared" / "data" / "cwru"
NOW = Instant(1_735_689_600_000_000, 0, "boot")
RATE = 12_000.0
SKF_6205 = {"elements": 9, "element_diameter_mm": 7.94, "pitch_diameter_mm": 39.04}
TOPIC = {"filter": "v", "line": "l", "asset": "motor", "channel": "vib", "format": "float32", "rate_hz": RATE}
SIGNAL = {
    "line": "l",
    "asset": "motor",
    "channel": "vib",
    "machine": "medium_rigid",
    "speed_rpm": 1797.0,
    "bearing": SKF_6205,
}


def _settings(signal: dict[str, Any] = {}, topic: dict[str, Any] = {}, **more: Any) -> Settings:  # noqa: B006 - read only
    return Settings.model_validate(
        {
            "agent": {"name": "a", "data_dir": "d"},
            "mqtt": {"readings": [TOPIC | {"unit": "[g]"} | topic]},
            "signals": [SIGNAL | signal],
            **more,
        }
    )


def _decode(samples: NDArray[np.floating[Any]], settings: Settings) -> tuple[dict[str, Reading], str]:
    codec = SignalCodec(Float32Codec(settings.mqtt), settings.signals)
    decoded = codec.decode("v", samples.astype("<f4").tobytes(), NOW, retained=False)
    assert {reading.t_us for reading in decoded.readings} == {NOW.utc_us}
    return {
        reading.channel.name: reading for reading in decoded.readings
    }, decoded.refused.reason if decoded.refused else ""


def _sine(amplitude: float, hz: float = 100.0, seconds: float = 1.0) -> NDArray[np.float64]:
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE))


def test_a_sine_of_half_a_g_by_hand() -> None:
    found, refused = _decode(_sine(0.5), _settings({"bearing": None}))
    assert refused == ""
    # 0.5 g at 100 Hz: 4903 mm/s2 / 628.3 rad/s / sqrt 2 = 5.518 mm/s, above 4.5: zone D
    assert found["vib_velocity_rms"].value == pytest.approx(5.518, rel=1e-3)
    assert found["vib_velocity_rms"].channel.unit == "mm/s"
    assert found["vib_zone"].value == 4.0
    assert found["vib_crest"].value == pytest.approx(2**0.5, rel=1e-3)
    assert found["vib_kurtosis"].value == pytest.approx(1.5, rel=1e-3)
    assert found["vib_rms"].value == pytest.approx(0.5 / 2**0.5, rel=1e-3)


@pytest.mark.parametrize(("unit", "factor"), [("m/s2", 1.0), ("mm/s2", 1e-3), ("[g]", 9.80665)])
def test_units_of_acceleration(unit: str, factor: float) -> None:
    found, _ = _decode(_sine(1.0), _settings({"bearing": None}, {"unit": unit}))
    assert found["vib_velocity_rms"].value == pytest.approx(factor / (2 * np.pi * 100) / 2**0.5 * 1e3, rel=1e-3)


@pytest.mark.parametrize(("unit", "factor"), [("mm/s", 1.0), ("m/s", 1e3)])
def test_a_velocity_is_not_integrated(unit: str, factor: float) -> None:
    found, _ = _decode(_sine(1.0), _settings({"bearing": None}, {"unit": unit}))
    assert found["vib_velocity_rms"].value == pytest.approx(factor / 2**0.5, rel=1e-3)


def test_another_quantity_has_shape_and_envelope_only() -> None:
    settings = _settings({"machine": None}, {"unit": "A"})
    found, _ = _decode(np.random.default_rng(1).standard_normal(12_000), settings)
    assert set(found) == {"vib_rms", "vib_peak"} | settings.channels_of["l/motor"]
    assert not {"vib_velocity_rms", "vib_zone"} & set(found)


def test_the_channels_that_the_settings_promise_are_those_that_come() -> None:
    settings = _settings()
    found, _ = _decode(np.random.default_rng(1).standard_normal(12_000), settings)
    assert set(found) == settings.channels_of["l/motor"]
    assert len(found) == 2 + 4 + 8


def test_hits_at_the_rate_of_the_inner_ring_are_counted_there_and_nowhere_else() -> None:
    generator = np.random.default_rng(2)
    period_s = 1 / (5.4152 * 1797 / 60)
    hits_s = np.cumsum(period_s * (1 + 0.01 * generator.standard_normal(int(1.99 / period_s))))  # balls slip
    train = np.zeros(24_000)
    train[(hits_s * RATE).astype(int)] = 1.0
    decay_s = np.arange(120) / RATE
    ringing = np.convolve(train, np.exp(-decay_s * 800) * np.sin(2 * np.pi * 3_000 * decay_s))[:24_000]
    found, _ = _decode(ringing + 0.05 * generator.standard_normal(24_000), _settings())
    assert found["vib_bpfi_harmonics"].value == 3.0
    assert found["vib_bpfi"].value > 20.0
    assert [found[f"vib_{fault}_harmonics"].value for fault in ("bpfo", "bsf", "ftf")] == [0.0, 0.0, 0.0]


def test_a_sensor_that_stands_still_has_bad_shape_figures_and_no_vibration() -> None:
    found, refused = _decode(np.full(12_000, 0.1), _settings())
    assert refused == ""
    assert found["vib_velocity_rms"].value == pytest.approx(0.0, abs=1e-4)
    assert {name for name, reading in found.items() if reading.quality == Quality.BAD} == {
        "vib_crest",
        "vib_kurtosis",
        *(f"vib_{fault}{kind}" for fault in ("bpfo", "bpfi", "bsf", "ftf") for kind in ("", "_harmonics")),
    }


def test_an_impossible_sample_makes_every_figure_bad() -> None:
    found, _ = _decode(_sine(30.0), _settings(topic={"maximum": 16.0}))
    assert {reading.quality for reading in found.values()} == {Quality.BAD}


def test_a_block_too_short_keeps_rms_and_peak_and_says_so() -> None:
    found, refused = _decode(_sine(1.0, seconds=0.3), _settings())
    assert set(found) == {"vib_rms", "vib_peak"}
    assert refused == "waveform_too_short"


def test_other_waveforms_pass_through_untouched() -> None:
    settings = MqttSourceSettings(readings=(ChannelTopic.model_validate(TOPIC),))
    inner = Float32Codec(settings)
    payload = _sine(1.0).astype("<f4").tobytes()
    decoded = SignalCodec(inner, ()).decode("v", payload, NOW, retained=False)
    assert decoded.readings == inner.decode("v", payload, NOW, retained=False).readings


@pytest.mark.parametrize(
    ("signal", "topic", "words"),
    [
        ({"channel": "other"}, {}, "no topic carries the waveform 'l/motor/other'"),
        ({}, {"unit": "A"}, "zones need an acceleration or a velocity, and the unit is A"),
        ({}, {"rate_hz": 1_500.0}, "cannot show high_hz, 1000 Hz"),
        ({"envelope_high_hz": 6_000.0}, {}, "does not lie below 6000 Hz"),
        ({"speed_rpm": None}, {}, "speed_rpm is not written"),
        ({"zone_limits_mm_s": [1, 2, 3]}, {}, "zone_limits_mm_s stand beside machine"),
        ({"machine": None, "zone_limits_mm_s": [1, 3, 2]}, {}, "not three rising limits"),
        ({"low_hz": 1_000.0}, {}, "low_hz is not below high_hz"),
        ({"envelope_low_hz": 3_000.0, "envelope_high_hz": 2_000.0}, {}, "envelope_low_hz is not below"),
        ({"bearing": SKF_6205 | {"element_diameter_mm": 50}}, {}, "element_diameter_mm is at least"),
        ({"machine": "small"}, {}, "large_rigid"),
    ],
)
def test_contradictions_are_refused_with_their_reason(
    signal: dict[str, Any], topic: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        _settings(signal, topic)


def test_one_waveform_has_one_entry() -> None:
    with pytest.raises(ValidationError, match="is given twice"):
        _settings(signals=[SIGNAL, SIGNAL])


def test_own_limits_of_zones() -> None:
    signal = SignalSettings.model_validate(SIGNAL | {"machine": None, "zone_limits_mm_s": [6.0, 7.0, 8.0]})
    found, _ = _decode(_sine(0.5), _settings().model_copy(update={"signals": (signal,)}))
    assert found["vib_zone"].value == 1.0


CONFIG = """
[agent]
name = "signals-test"
data_dir = "data"
[broker]
port = {broker}
[[mqtt.readings]]
filter = "plant/motor/vibration"
line = "press-1"
asset = "motor"
channel = "vibration"
unit = "[g]"
format = "float32"
rate_hz = 12000.0
[[signals]]
line = "press-1"
asset = "motor"
channel = "vibration"
machine = "class_1"
speed_rpm = 1797.0
bearing = {{ elements = 9, element_diameter_mm = 7.94, pitch_diameter_mm = 39.04 }}
[[alarms]]
name = "inner-ring"
line = "press-1"
asset = "motor"
signal = "vibration_bpfi_harmonics"
above = 1.5
action = "Listen to the drive-end bearing and order one."
[sink]
heartbeat_s = 0.2
[status]
port = 0
"""


@pytest.mark.broker
@pytest.mark.data
def test_a_damaged_inner_ring_raises_the_alarm_of_a_running_agent(tmp_path: Path) -> None:
    if not CWRU.is_dir():
        pytest.skip("the CWRU recordings are not beside the checkout")
    broker = start_broker("iotcore", tmp_path)
    (tmp_path / "lineproof.toml").write_text(CONFIG.format(broker=broker.port))
    agent = Agent(load(tmp_path / "lineproof.toml"))
    pages: list[str] = []
    thread = threading.Thread(target=agent.run, args=(pages.append,), daemon=True)
    thread.start()
    try:
        wait_for(lambda: pages, "the agent is ready", 40)
        peer = PlantPeer(broker.plant_settings())
        with np.load(CWRU / "1797_IR_7_DE12.npz") as arrays:
            samples = np.asarray(arrays["DE"], dtype="<f4").ravel()
        peer.publish_all("plant/motor/vibration", [samples[:2_400].tobytes()])  # too short
        peer.publish_all("plant/motor/vibration", [samples[start : start + 12_000].tobytes() for start in (0, 12_000)])
        peer.close()
        with httpx.Client(base_url=pages[0], timeout=20) as page:
            wait_for(
                lambda: '"inner-ring"' in page.get("/api/events", params={"after": 0, "kind": "alarm"}).text,
                "the alarm",
            )
            text = page.get("/metrics").text
        figures = {
            line.split('channel="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith("lineproof_signal{")
        }
        assert figures["vibration_bpfi_harmonics"] == 3.0
        assert figures["vibration_bpfo_harmonics"] == 0.0
        assert figures["vibration_kurtosis"] > 4.0
        assert figures["vibration_zone"] in {1.0, 2.0, 3.0, 4.0}
        assert 'lineproof_quarantined_total{reason="waveform_too_short"} 1.0' in text
    finally:
        agent.stop()
        thread.join(timeout=40)
        broker.close()
    assert not thread.is_alive()
