"""One block of a waveform into readings: what the machine signals of `[[signals]]` say about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.readings import Quality, Reading
from edge_agent.settings.signals import ACCELERATIONS, VELOCITIES
from edge_agent.signals.amplitude import amplitudes
from edge_agent.signals.bearings import FAULTS
from edge_agent.signals.envelopes import squared_envelope_spectrum
from edge_agent.signals.harmonics import Search, find_harmonics, orders_found
from edge_agent.signals.severity import zone_numbers
from edge_agent.signals.spectra import band_rms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.readings import Waveform
    from edge_agent.settings.signals import BearingSettings, SignalSettings
    from edge_agent.signals.bearings import FaultName
    from edge_agent.signals.harmonics import Harmonic

SECONDS_PER_MINUTE = 60
MM_PER_M = 1e3


class Figure(msgspec.Struct, frozen=True):
    """One derived value; NaN when this block does not give it."""

    name: str
    value: float
    unit: str = "1"


class TooShortError(ValueError):
    """A block that is too short for what is wanted of it; says what would be enough."""


def block_readings(waveform: Waveform, signal: SignalSettings) -> list[Reading]:
    """Readings of one block, at the time of its last sample.

    A figure that the block does not give (a crest factor of a sensor that stands still, a fault frequency between two
    bins) is a BAD reading: it is stored, and no alarm and no model looks at it.

    Raises:
        TooShortError: the block is too short for the bands of the settings.
    """
    length_us = round(len(waveform.samples) / waveform.rate_hz * MICROSECONDS_PER_SECOND)
    end_us = waveform.start_us + length_us
    readings = []
    for figure in _figures(waveform, signal):
        known = math.isfinite(figure.value)
        channel = msgspec.structs.replace(waveform.channel, name=f"{signal.channel}_{figure.name}", unit=figure.unit)
        quality = Quality.GOOD if known else Quality.BAD
        readings.append(Reading(channel, end_us, figure.value if known else 0.0, quality))
    return readings


def _figures(waveform: Waveform, signal: SignalSettings) -> Iterator[Figure]:
    shape = amplitudes(waveform.samples)
    yield Figure("crest", float(shape.crest))
    yield Figure("kurtosis", float(shape.kurtosis))
    yield from _severity(waveform, signal)
    if signal.bearing is not None and signal.speed_rpm is not None:
        # of a sensor that stands still, whitening would raise roundings to a signal
        moves = math.isfinite(float(shape.crest))
        lines = _fault_lines(waveform, signal, signal.bearing, signal.speed_rpm / SECONDS_PER_MINUTE) if moves else {}
        for fault in FAULTS:
            found = lines.get(fault, ())
            prominences = [line.prominence_db for line in found]
            yield Figure(fault, float(np.mean(prominences)) if found else math.nan, "dB")
            yield Figure(f"{fault}_harmonics", float(len(orders_found(found))) if found else math.nan)


def _severity(waveform: Waveform, signal: SignalSettings) -> Iterator[Figure]:
    unit = waveform.channel.unit
    if unit in ACCELERATIONS:
        integrations, factor = 1, MM_PER_M * ACCELERATIONS[unit]
    elif unit in VELOCITIES:
        integrations, factor = 0, VELOCITIES[unit]
    else:
        return
    try:
        measured = band_rms(waveform.samples, waveform.rate_hz, signal.severity_band, integrations=integrations)
    except ValueError as error:
        raise TooShortError(str(error)) from error
    velocity_mm_s = factor * float(measured)
    yield Figure("velocity_rms", velocity_mm_s, "mm/s")
    if signal.zone_limits is not None:
        yield Figure("zone", float(zone_numbers(np.array([velocity_mm_s]), signal.zone_limits)[0]))


def _fault_lines(
    waveform: Waveform, signal: SignalSettings, bearing: BearingSettings, shaft_hz: float
) -> dict[FaultName, tuple[Harmonic, ...]]:
    """What stands at the harmonics of each fault frequency."""
    band = signal.envelope_band(waveform.rate_hz)
    try:
        spectrum = squared_envelope_spectrum(waveform.samples, waveform.rate_hz, band, whiten=signal.whiten)
    except ValueError as error:
        raise TooShortError(str(error)) from error
    search = Search(signal.harmonics, signal.tolerance_ratio, shaft_hz)
    orders = bearing.orders()
    return {fault: find_harmonics(spectrum, shaft_hz * orders.heard(fault), search) for fault in FAULTS}
