"""Adds to what a codec decodes the readings that machine signals derive of its waveforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.machines.signal_blocks import TooShortError, block_readings
from edge_agent.ports.intake import RunCodec, Stretch
from edge_agent.readings import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import Codec, Decoded
    from edge_agent.readings import Reading
    from edge_agent.settings.signals import SignalSettings


class SignalCodec:
    """Implements `ports.Codec` around another one; runs in the source's thread, so that the writer never waits for it.

    A block that is too short for the wanted bands keeps what the codec itself made of it; the message is quarantined
    beside that as `waveform_too_short`, so that the fault is seen.

    Args:
        codec: decodes.
        signals: what is derived, of which waveform.
    """

    def __init__(self, codec: Codec, signals: Sequence[SignalSettings]) -> None:
        self._codec = codec
        self._signals = {signal.key: signal for signal in signals}

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message and derive.

        Raises:
            PoisonMessageError: as the codec within.
        """
        decoded = self._codec.decode(topic, payload, received, retained=retained)
        derived: list[Reading] = []
        refused = decoded.refused
        # a sample out of bounds spoils every figure of its block
        bad = any(reading.quality >= Quality.BAD for reading in decoded.readings)
        for waveform in decoded.waveforms:
            signal = self._signals.get(waveform.channel.key)
            if signal is None:
                continue
            try:
                found = block_readings(waveform, signal)
            except TooShortError as error:
                refused = refused or PoisonMessageError("waveform_too_short", str(error), field="$")
                continue
            derived += [msgspec.structs.replace(reading, quality=Quality.BAD) for reading in found] if bad else found
        if not derived and refused is decoded.refused:
            return decoded
        return msgspec.structs.replace(decoded, readings=(*decoded.readings, *derived), refused=refused)

    def decode_run(self, topics: Sequence[bytes], payloads: Sequence[bytes], received_us: int) -> Sequence[Stretch]:
        """As the codec within; what comes in runs holds no waveform, so that nothing is derived."""
        if isinstance(self._codec, RunCodec):
            return self._codec.decode_run(topics, payloads, received_us)
        return [Stretch(0, len(topics), None)]
