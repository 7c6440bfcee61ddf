"""Which bearing fault does the envelope spectrum name in the CWRU recordings, by load, and which does it miss?

    python -m benchmarks.cwru [--data DIR] [--json]

Drive-end accelerometer, 12 kHz, bearing SKF 6205-2RS, faults of 7, 14 and 21 mil (0.18, 0.36, 0.53 mm) in the inner
ring (IR), a ball (B) and the outer ring at six o'clock (OR@6), at 0 hp (1797 rpm) and 1 hp (1772 rpm). The speed is the
nominal one of the file's name, and nothing is tuned to a file: band, harmonics and tolerance are the defaults of
`[[signals]]`. The normal recording is taken at 48 kHz, as Smith and Randall say (Mech. Syst. Signal Process. 64-65
(2015) 100-131); its mains line at 120.0 Hz and shaft orders at 29.91 Hz fit no other rate.

A rate stands out when its fundamental and at least one more of three harmonics exceed what noise reaches once in a
thousand searches; the fault named is the one with the greatest mean prominence of those that stand out. `whitened` is
what the agent does, `plain` the same without whitening. `blocks` is what a plant sees: the share of one-second blocks
that name the true fault, and any other. Exit 1 when a healthy recording or its blocks name a fault.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import results
from edge_agent.settings.signals import SignalSettings
from edge_agent.signals.bearings import FAULTS, BearingGeometry, FaultName, fault_frequencies
from edge_agent.signals.envelopes import squared_envelope_spectrum
from edge_agent.signals.harmonics import Search, find_harmonics, orders_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_agent.signals.harmonics import Harmonic

DATA = Path(__file__).parents[2] / "shared" / "data" / "cwru"
SKF_6205 = BearingGeometry(elements=9, element_diameter=0.3126, pitch_diameter=1.537)
LOAD_HP = {1797: 0, 1772: 1, 1750: 2, 1730: 3}
RATE_HZ, NORMAL_RATE_HZ = 12_000.0, 48_000.0
LEAST_ORDERS = 2
FILE = re.compile(r"(?P<rpm>\d+)_(?:(?P<part>IR|B|OR)(?:@6)?_(?P<mil>\d+)_DE12|(?P<normal>Normal))")
FAULT_OF: Final[dict[str, FaultName]] = {"IR": "bpfi", "B": "bsf", "OR": "bpfo"}
DEFAULTS = SignalSettings(line="cwru", asset="motor", channel="acceleration", speed_rpm=1797.0)


@dataclass(frozen=True)
class Recording:
    """One file: what it holds, and what is true of it (`fault` is None for the healthy one)."""

    name: str
    rpm: int
    part: str
    mil: int
    fault: FaultName | None
    rate_hz: float
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Finding:
    """What one spectrum says.

    Attributes:
        prominence_db: mean of the first three harmonics, by fault.
        orders: harmonics that stand out, by fault.
        named: the fault that is named, None for none.
    """

    prominence_db: dict[FaultName, float]
    orders: dict[FaultName, tuple[int, ...]]
    named: FaultName | None


@dataclass(frozen=True)
class Row:
    """One recording's line of the table."""

    recording: str
    load_hp: int
    rpm: int
    part: str
    mil: int
    fault: FaultName | None
    whitened: Finding
    plain: Finding
    blocks: int
    blocks_right: int
    blocks_wrong: int

    @property
    def outcome(self) -> str:
        """`found`, `missed`, `mistaken` for another; of a healthy recording `quiet` or `false`."""
        if self.fault is None:
            return "quiet" if self.whitened.named is None else "false"
        return {self.fault: "found", None: "missed"}.get(self.whitened.named, "mistaken")


def recordings(folder: Path) -> list[Recording]:
    """Every file, by load, part and size of the fault."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        match = FILE.fullmatch(path.stem)
        if match is None:
            continue
        with np.load(path) as arrays:  # plain arrays: nothing is unpickled
            samples = np.asarray(arrays["DE"], dtype=np.float32).ravel()
        part = match["part"] or "normal"
        fault = FAULT_OF.get(part)
        rate_hz = NORMAL_RATE_HZ if fault is None else RATE_HZ
        found.append(Recording(path.stem, int(match["rpm"]), part, int(match["mil"] or 0), fault, rate_hz, samples))
    return sorted(found, key=lambda each: (LOAD_HP.get(each.rpm, 9), each.part, each.mil))


def look(samples: NDArray[np.float32], recording: Recording, *, whiten: bool) -> Finding:
    """Search one stretch of samples for every fault."""
    # one band for all: the normal recording's higher rate must not show more of it
    spectrum = squared_envelope_spectrum(samples, recording.rate_hz, DEFAULTS.envelope_band(RATE_HZ), whiten=whiten)
    shaft_hz = recording.rpm / 60
    rates = fault_frequencies(SKF_6205, shaft_hz)
    search = Search(DEFAULTS.harmonics, DEFAULTS.tolerance_ratio, shaft_hz)
    lines: dict[FaultName, Sequence[Harmonic]] = {
        fault: find_harmonics(spectrum, rates.heard(fault), search) for fault in FAULTS
    }
    prominence = {
        fault: float(np.mean([line.prominence_db for line in found])) if found else -np.inf
        for fault, found in lines.items()
    }
    orders = {fault: orders_found(found) for fault, found in lines.items()}
    # the cage's rate tells of no part that was damaged here
    standing: list[FaultName] = [fault for fault in FAULT_OF.values() if len(orders[fault]) >= LEAST_ORDERS]
    standing.sort(key=lambda fault: -prominence[fault])
    return Finding(prominence, orders, standing[0] if standing else None)


def row(recording: Recording) -> Row:
    """One recording, whole and in blocks of a second."""
    second = int(recording.rate_hz)
    named = [
        look(recording.samples[start : start + second], recording, whiten=True).named
        for start in range(0, len(recording.samples) - second + 1, second)
    ]
    return Row(
        recording=recording.name,
        load_hp=LOAD_HP[recording.rpm],
        rpm=recording.rpm,
        part=recording.part,
        mil=recording.mil,
        fault=recording.fault,
        whitened=look(recording.samples, recording, whiten=True),
        plain=look(recording.samples, recording, whiten=False),
        blocks=len(named),
        blocks_right=sum(name == recording.fault for name in named if name is not None),
        blocks_wrong=sum(name not in {None, recording.fault} for name in named),
    )


def _cell(finding: Finding, fault: FaultName) -> str:
    orders = "".join(str(order) for order in finding.orders[fault]) or "-"
    return f"{finding.prominence_db[fault]:6.1f} {orders:<4}"


def table(rows: Sequence[Row]) -> str:
    """The table, and what it comes to."""
    head = (
        "load part    mil | whitened: mean prominence dB, harmonics found     | outcome  | plain   | blocks of 1 s\n"
        "  hp             |     BPFO        BPFI      2 BSF         FTF       |          | named   | right wrong of"
    )
    lines = [head, "-" * len(head.splitlines()[1])]
    for each in rows:
        cells = " ".join(_cell(each.whitened, fault) for fault in FAULTS)
        lines.append(
            f"{each.load_hp:>4} {each.part:<7} {each.mil or '':>3} | {cells} | {each.outcome:<8} "
            f"| {each.plain.named or 'none':<7} | {each.blocks_right:>5} {each.blocks_wrong:>5} {each.blocks:>2}"
        )
    for load in sorted({each.load_hp for each in rows}):
        of_load = [each for each in rows if each.load_hp == load and each.fault is not None]
        parts = []
        for part in dict.fromkeys(each.part for each in of_load):
            of_part = [each for each in of_load if each.part == part]
            parts.append(f"{part} {sum(each.outcome == 'found' for each in of_part)} of {len(of_part)}")
        mistaken = sum(each.outcome == "mistaken" for each in of_load)
        plain = sum(each.plain.named == each.fault for each in of_load)
        plain_mistaken = sum(each.plain.named not in {None, each.fault} for each in of_load)
        lines.append(
            f"{load} hp: {', '.join(parts)}; mistaken {mistaken}. Without whitening: "
            f"{plain} of {len(of_load)} found, {plain_mistaken} mistaken."
        )
    return "\n".join(lines)


def main() -> int:
    """Print the table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the .npz files")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    results.add_option(parser)
    arguments = parser.parse_args()
    rows = [row(recording) for recording in recordings(arguments.data)]
    if not rows:
        sys.stderr.write(f"no recordings in {arguments.data}; give --data the folder of the CWRU .npz files\n")
        return results.CANNOT_RUN
    print(json.dumps([asdict(each) | {"outcome": each.outcome} for each in rows]) if arguments.json else table(rows))
    healthy = [each for each in rows if each.fault is None]
    faulty = [each for each in rows if each.fault is not None]
    results.write(
        arguments.outcomes,
        [
            results.Outcome(
                "cwru.false_findings",
                f"faults named in {len(healthy)} healthy recordings, and blocks of them",
                [float(sum((each.outcome == "false") + each.blocks_wrong for each in healthy))],
                0,
            ),
            *(
                results.Outcome(
                    f"cwru.found[{load} hp]",
                    "share of the recordings with a fault whose fault is named, by load",
                    [sum(each.outcome == "found" for each in faulty if each.load_hp == load) / count],
                    better="more",
                )
                for load in sorted({each.load_hp for each in faulty})
                if (count := sum(each.load_hp == load for each in faulty))
            ),
        ],
    )
    return int(any(each.outcome == "false" or each.blocks_wrong for each in healthy))


if __name__ == "__main__":
    sys.exit(main())
