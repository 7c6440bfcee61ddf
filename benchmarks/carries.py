"""What the figures mean for a plant: the sentences of `docs/operate/what-a-machine-carries.md`, out of a summary.

    python -m benchmarks.carries            write both pages anew from the newest summary

The arithmetic stands in the sentences. A test holds the pages against the newest summary, so that they cannot drift.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.summary import newest, number, read_summary

if TYPE_CHECKING:
    from benchmarks.results import Outcome
    from benchmarks.summary import Summary

Language = Literal["en", "ko"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "summaries"
SENTENCES = ROOT / "benchmarks" / "carries.toml"
PAGES: dict[Language, Path] = {
    "en": ROOT / "docs" / "operate" / "what-a-machine-carries.md",
    "ko": ROOT / "docs" / "operate" / "what-a-machine-carries.ko.md",
}
BEGIN, END = "<!-- made by benchmarks.carries -->", "<!-- end -->"

USED = 0.5
"""Share of what was measured that a plan may use: the rest is for peaks, catching up and people looking."""
YEAR_S = 31_536_000
SENSORS_A_LINE, SENSOR_HZ, CAMERAS_A_LINE, FRAMES_HZ = 50, 1.0, 2, 1.0
"""The line of the example."""

MESSAGES, CPU = "ingest.messages", "ingest.cpu"
FRAME = "decision_latency.frame"
READING, ROLLUP = "readings_store.bytes", "readings_store.rollup_bytes"


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences of one language; what stands in braces is computed."""

    measured: str
    quick: str
    sensors: str
    core: str
    cameras: str
    disk: str
    lines: str
    missing: str
    names: dict[str, str]


def wording(language: Language) -> Wording:
    """The sentences of a language."""
    return Wording(**tomllib.loads(SENTENCES.read_text(encoding="utf-8"))[language])


def sentences(summary: Summary, language: Language) -> str:
    """The made part of a page: what each figure means, and which figures are missing."""
    say = wording(language)
    machine = summary.machine
    cores = machine.cores
    found = {name: summary.find(name) for name in (MESSAGES, CPU, FRAME, READING, ROLLUP)}
    lines = [
        say.measured.format(
            date=summary.date, cpu=machine.cpu, cores=cores, memory=f"{machine.memory_gib:g}", load=f"{machine.load:g}"
        )
    ]
    if summary.quick:
        lines.append(say.quick)
    lines.append("")
    messages, cpu, frame = found[MESSAGES], found[CPU], found[FRAME]
    if messages is not None:
        half = messages.median * USED
        lines.append(
            say.sensors.format(
                messages=whole(messages.median),
                low=whole(min(messages.samples)),
                high=whole(max(messages.samples)),
                used=USED,
                half=whole(half),
                at_10=whole(half / 10),
                at_100=whole(half / 100),
            )
        )
    if cpu is not None:
        lines.append(say.core.format(cpu_us=number(cpu.median), core_pct=number(cpu.median * 10_000 / 1e6 * 100)))
    if frame is not None:
        frames_hz = USED * 1_000 / frame.median
        lines.append(
            say.cameras.format(
                frame_ms=number(frame.median),
                used=USED,
                frames_hz=number(frames_hz),
                cores=cores,
                frames=f"{FRAMES_HZ:g}",
                cameras=whole(frames_hz * cores / FRAMES_HZ),
            )
        )
    lines += _disk(say, found[READING], found[ROLLUP])
    if cpu is not None:
        lines.append(_lines(say, cpu, frame, cores))
    missing = [say.names[name] for name, outcome in found.items() if outcome is None]
    if missing:
        lines.append(say.missing.format(what=", ".join(missing)))
    return "\n".join(lines)


def _disk(say: Wording, reading: Outcome | None, rollup: Outcome | None) -> list[str]:
    if reading is None or rollup is None:
        return []
    sensor_bytes = YEAR_S * (reading.median + rollup.median)
    return [
        say.disk.format(
            reading_bytes=number(reading.median),
            rollup_bytes=number(rollup.median),
            year=YEAR_S,
            sensor_mb=number(sensor_bytes / 1e6),
            thousand_gb=number(sensor_bytes * 1_000 / 1e9),
        )
    ]


def _lines(say: Wording, cpu: Outcome, frame: Outcome | None, cores: int) -> str:
    line_ms = SENSORS_A_LINE * SENSOR_HZ * cpu.median / 1e3
    cameras = say.names["without_cameras"]
    if frame is not None:
        line_ms += CAMERAS_A_LINE * FRAMES_HZ * frame.median
        cameras = say.names["with_cameras"].format(count=CAMERAS_A_LINE)
    return say.lines.format(
        sensors=SENSORS_A_LINE,
        with_cameras=cameras,
        line_ms=number(line_ms),
        cores=cores,
        used=USED,
        lines=whole(cores * USED * 1_000 / line_ms),
    )


def whole(value: float) -> str:
    """Rounded down to two digits that matter: a plan is not made on the last hundred.

    >>> whole(82_650.0), whole(413.9), whole(7.9)
    ('82,000', '410', '7')
    """
    step = 1
    while value / step >= 100:
        step *= 10
    return f"{int(value / step) * step:,}"


def page(text: str, made: str) -> str:
    """A page with the made part put anew between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        message = f"the page needs {BEGIN} and {END}"
        raise ValueError(message)
    return f"{head}{BEGIN}\n\n{made}\n\n{END}{tail}"


def write_pages(summary: Summary) -> None:
    """Write the made part of both pages anew."""
    for language, path in PAGES.items():
        text = path.read_text(encoding="utf-8")
        path.write_text(page(text, sentences(summary, language)), encoding="utf-8")


def main() -> int:
    """Write both pages from the newest summary."""
    write_pages(read_summary(newest(RESULTS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
