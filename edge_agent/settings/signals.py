"""Settings of what is derived of waveforms, and what contradicts the topics that carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from pydantic import Field, model_validator

from edge_agent.settings.section import Name, Section
from edge_agent.signals.bearings import FAULTS, BearingGeometry, FaultFrequencies, fault_frequencies
from edge_agent.signals.severity import ZONE_LIMITS, MachineGroup, ZoneLimits
from edge_agent.signals.spectra import Band

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_agent.settings.mqtt import MqttSourceSettings

ACCELERATIONS: Final = {"m/s2": 1.0, "mm/s2": 1e-3, "[g]": 9.80665}
"""UCUM unit to m/s2."""
VELOCITIES: Final = {"mm/s": 1.0, "m/s": 1e3}
"""UCUM unit to mm/s."""
NYQUIST_SHARE = 0.45
"""Anti-aliasing filters let little through beyond this share of the rate."""
_ZONES = 3


class BearingSettings(Section):
    """A rolling bearing, as its maker's data sheet gives it; its inner ring turns with the shaft."""

    elements: int = Field(ge=3, le=200, description="Balls or rollers.")
    element_diameter_mm: float = Field(gt=0, description="Diameter of a ball or roller, mm.")
    pitch_diameter_mm: float = Field(gt=0, description="Diameter of the circle of their centres, mm.")
    contact_angle_deg: float = Field(default=0.0, ge=0, lt=90, description="Contact angle, degrees; 0 for deep groove.")

    @model_validator(mode="after")
    def _elements_fit(self) -> BearingSettings:
        if self.element_diameter_mm >= self.pitch_diameter_mm:
            message = "element_diameter_mm is at least pitch_diameter_mm. Fix: give the diameter of one ball or roller"
            raise ValueError(message)
        return self

    def orders(self) -> FaultFrequencies:
        """Fault frequencies in multiples of the shaft's speed."""
        geometry = BearingGeometry(
            self.elements, self.element_diameter_mm, self.pitch_diameter_mm, self.contact_angle_deg
        )
        return fault_frequencies(geometry, 1.0)


class SignalSettings(Section):
    """One waveform from which machine signals are derived, once a block."""

    line: Name = Field(description="Production line.")
    asset: Name = Field(description="Machine.")
    channel: Name = Field(description='Channel of a topic with format = "float32".')
    machine: MachineGroup | None = Field(
        default=None, description="Group of the machine by ISO 20816-3 (large, medium) or ISO 10816-1 (class)."
    )
    zone_limits_mm_s: tuple[float, ...] = Field(
        default=(), description="Upper ends of zones A, B and C, mm/s RMS, instead of those of a group."
    )
    low_hz: float = Field(default=10.0, gt=0, description="Lower end of the RMS velocity, Hz; 2 below 600 rpm.")
    high_hz: float = Field(default=1_000.0, gt=0, description="Upper end of the RMS velocity, Hz.")
    speed_rpm: float | None = Field(default=None, gt=0, description="Speed of the shaft, revolutions a minute.")
    bearing: BearingSettings | None = Field(
        default=None, description="Set to look for the bearing's fault frequencies."
    )
    envelope_low_hz: float = Field(default=1_000.0, gt=0, description="Lower end of the demodulated band, Hz.")
    envelope_high_hz: float | None = Field(
        default=None, gt=0, description="Upper end of the demodulated band, Hz; 0.45 of the sampling rate if unset."
    )
    whiten: bool = Field(
        default=True, description="Give all frequencies of the band one strength, so that a loud line hides no hits."
    )
    harmonics: int = Field(default=3, ge=1, le=10, description="Harmonics looked for of each fault frequency.")
    tolerance_ratio: float = Field(
        default=0.01,
        gt=0,
        le=0.05,
        description="How far beside its frequency a harmonic may lie: slip, uncertain speed.",
    )

    @property
    def key(self) -> str:
        """`line/asset/channel` of the waveform."""
        return f"{self.line}/{self.asset}/{self.channel}"

    @property
    def severity_band(self) -> Band:
        """Band of the RMS velocity."""
        return Band(self.low_hz, self.high_hz)

    @property
    def zone_limits(self) -> ZoneLimits | None:
        """Limits of the zones; None where none are wanted."""
        if self.zone_limits_mm_s:
            return ZoneLimits(*self.zone_limits_mm_s)
        return ZONE_LIMITS[self.machine] if self.machine is not None else None

    def envelope_band(self, rate_hz: float) -> Band:
        """Band that is demodulated."""
        return Band(self.envelope_low_hz, self.envelope_high_hz or NYQUIST_SHARE * rate_hz)

    def derived(self, unit: str) -> tuple[str, ...]:
        """Names of the channels that a waveform in this unit gives."""
        names = ["crest", "kurtosis"]
        if unit in ACCELERATIONS or unit in VELOCITIES:
            names.append("velocity_rms")
            names += ["zone"] if self.zone_limits is not None else []
        if self.bearing is not None:
            names += [name for fault in FAULTS for name in (fault, f"{fault}_harmonics")]
        return tuple(f"{self.channel}_{name}" for name in names)

    @model_validator(mode="after")
    def _is_complete(self) -> SignalSettings:
        problems = []
        if self.zone_limits_mm_s:
            rising = list(self.zone_limits_mm_s) == sorted(set(self.zone_limits_mm_s))
            if len(self.zone_limits_mm_s) != _ZONES or not rising or self.zone_limits_mm_s[0] <= 0:
                problems.append(
                    "zone_limits_mm_s are not three rising limits above 0. Fix: write the ends of A, B and C"
                )
            if self.machine is not None:
                problems.append("zone_limits_mm_s stand beside machine, which has limits of its own. Fix: remove one")
        if self.bearing is not None and self.speed_rpm is None:
            problems.append("speed_rpm is not written, and a bearing's frequencies follow from it. Fix: add speed_rpm")
        if self.low_hz >= self.high_hz:
            problems.append("low_hz is not below high_hz. Fix: 10 and 1000 are usual")
        if self.envelope_high_hz is not None and self.envelope_low_hz >= self.envelope_high_hz:
            problems.append("envelope_low_hz is not below envelope_high_hz. Fix: name a band around a resonance")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class WaveformTopic(msgspec.Struct, frozen=True):
    """What the topics say about one waveform."""

    unit: str
    rate_hz: float


def waveform_topics(mqtt: MqttSourceSettings) -> dict[str, WaveformTopic]:
    """Waveforms that some topic carries, by `line/asset/channel`."""
    found: dict[str, WaveformTopic] = {}
    for topic in mqtt.readings:
        if topic.rate_hz is not None and topic.channel is not None:
            found[f"{topic.line}/{topic.asset}/{topic.channel}"] = WaveformTopic(topic.unit, topic.rate_hz)
    for topics in mqtt.unified:
        if topics.rate_hz is not None:
            for key in (f"{line}/{asset}" for line in topics.lines for asset in topics.assets):
                for name, unit in topics.channels.items():
                    found[f"{key}/{name}"] = WaveformTopic(unit, topics.rate_hz)
    return found


def signal_channels(signals: Sequence[SignalSettings], mqtt: MqttSourceSettings) -> dict[str, frozenset[str]]:
    """Names of derived channels by `line/asset`."""
    topics = waveform_topics(mqtt)
    found: dict[str, frozenset[str]] = {}
    for signal in signals:
        if signal.key in topics:
            asset = f"{signal.line}/{signal.asset}"
            found[asset] = found.get(asset, frozenset()) | set(signal.derived(topics[signal.key].unit))
    return found


def signal_problems(signals: Sequence[SignalSettings], mqtt: MqttSourceSettings) -> list[str]:
    """What contradicts the topics, one sentence each."""
    topics = waveform_topics(mqtt)
    keys = [signal.key for signal in signals]
    problems = [f"signals: {key!r} is given twice" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    for signal in signals:
        topic = topics.get(signal.key)
        if topic is None:
            known = ", ".join(sorted(topics)) or "none"
            problems.append(
                f"signals: no topic carries the waveform {signal.key!r} (waveforms: {known}). "
                'Fix: map it with format = "float32" and rate_hz'
            )
        else:
            problems += [f"signals: {signal.channel!r}: {problem}" for problem in _of_topic(signal, topic)]
    return problems


def _of_topic(signal: SignalSettings, topic: WaveformTopic) -> Iterator[str]:
    half = topic.rate_hz / 2
    moves = topic.unit in ACCELERATIONS or topic.unit in VELOCITIES
    if moves and signal.high_hz >= half:
        yield f"a rate of {topic.rate_hz:g} Hz cannot show high_hz, {signal.high_hz:g} Hz. Fix: at most {0.9 * half:g}"
    if not moves and signal.zone_limits is not None:
        yield (
            f"zones need an acceleration or a velocity, and the unit is {topic.unit}. "
            f"Fix: one of {', '.join([*ACCELERATIONS, *VELOCITIES])}"
        )
    if signal.bearing is not None:
        band = signal.envelope_band(topic.rate_hz)
        if not band.low_hz < band.high_hz < half:
            yield (
                f"the band from {band.low_hz:g} to {band.high_hz:g} Hz does not lie below {half:g} Hz. "
                "Fix: lower envelope_low_hz and envelope_high_hz"
            )
