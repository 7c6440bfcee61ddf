"""Raw waveforms: little-endian float32 samples without a header, as vibration and current monitors publish them.

The rate and the channel come from the settings, the time from the receipt: the last sample was taken just now. Of every
block two readings are kept, `<channel>_rms` and `<channel>_peak`; the samples themselves go to whoever works on them.
A waveform carries no identity, so a block that is delivered twice is recorded at both times of receipt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge_agent.errors import PoisonMessageError
from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.payloads.topic_entries import ReadingsPlan
from edge_agent.payloads.values import PayloadReader
from edge_agent.ports import Decoded
from edge_agent.readings import Quality, Reading, Waveform
from edge_agent.settings.mqtt import WAVEFORM_CHANNELS

if TYPE_CHECKING:
    from edge_agent.instant import Instant
    from edge_agent.settings.mqtt import MqttSourceSettings

SAMPLE = np.dtype("<f4")


class Float32Codec:
    """Implements `ports.Codec` for header-less float32.

    Raises:
        ConfigError: a topic filter is malformed.
    """

    def __init__(self, settings: MqttSourceSettings) -> None:
        self._reader = PayloadReader(settings, "float32")

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of what it decodes."""
        return self._reader.entries.filters

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one block.

        Raises:
            PoisonMessageError: `odd_length`, `not_finite`, `empty`, `too_large`, `retained_without_ts` or
                `unmapped_topic`.
        """
        plan = self._reader.entries.find(topic)
        if not isinstance(plan, ReadingsPlan) or plan.form.rate_hz is None:
            raise PoisonMessageError("unmapped_topic", "no waveform is configured here", field="topic", value=topic)
        _check(payload, self._reader.max_bytes)
        if retained:
            raise PoisonMessageError("retained_without_ts", "a retained waveform does not say when it was taken")
        samples = np.frombuffer(payload, dtype=SAMPLE).astype(np.float32, copy=False)
        finite = np.isfinite(samples)
        if not finite.all():
            position = int(finite.argmin())
            raise PoisonMessageError("not_finite", f"sample {position} is NaN or Infinity", field=f"$[{position}]")
        channel = plan.channels["value"]
        length_us = round(len(samples) / plan.form.rate_hz * MICROSECONDS_PER_SECOND)
        end_us = received.utc_us
        waveform = Waveform(channel, end_us - length_us, plan.form.rate_hz, samples)
        low, high = float(samples.min()), float(samples.max())
        impossible = (plan.form.minimum is not None and low < plan.form.minimum) or (
            plan.form.maximum is not None and high > plan.form.maximum
        )
        quality = Quality.BAD if impossible else Quality.GOOD
        values = (float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), max(abs(low), abs(high)))
        readings = tuple(
            Reading(msgspec.structs.replace(channel, name=f"{channel.name}_{derived}"), end_us, value, quality)
            for derived, value in zip(WAVEFORM_CHANNELS, values, strict=True)
        )
        return Decoded(readings=readings, waveforms=(waveform,))


def _check(payload: bytes, max_bytes: int) -> None:
    if not payload:
        raise PoisonMessageError("empty", "the payload is empty")
    if len(payload) > max_bytes:
        raise PoisonMessageError("too_large", f"{len(payload)} bytes; at most {max_bytes} are allowed")
    if len(payload) % SAMPLE.itemsize:
        raise PoisonMessageError("odd_length", f"{len(payload)} bytes are no whole number of float32 samples")
