"""The virtual line, live: sensors and facts over MQTT, pictures into the watched folder, truth into a file of its own.

Run as `python -m edge_agent.virtual_plant.live_line --broker-port N --images DIR --truth FILE`; ends on SIGTERM or when
its stdin closes, and then prints one JSON line of counts. Time may be lapsed: with `--speed 60` a plant minute passes a
second, while stamps stay clock time.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from edge_agent.virtual_plant import plant_topics as topics
from edge_agent.virtual_plant.child_process import ended_by_parent
from edge_agent.virtual_plant.good_phase import Pace
from edge_agent.virtual_plant.line import LineTick, VirtualLine
from edge_agent.virtual_plant.parts import PartCamera, draw_defect
from edge_agent.virtual_plant.picture_folder import put_picture
from edge_agent.virtual_plant.plant_publisher import PlantPublisher
from edge_agent.virtual_plant.schedule import eventful_schedule
from edge_agent.virtual_plant.truth_file import PartTruth, TruthWriter

if TYPE_CHECKING:
    from collections.abc import Callable


ZONE = ZoneInfo("Asia/Seoul")
SHIFT_HOURS = ((6, "day"), (14, "evening"), (22, "night"))
DRAIN_S = 5.0


class Publisher(Protocol):
    """Where the line's messages go."""

    def publish(self, topic: str, at: datetime, fields: dict[str, object]) -> None:
        """Send one message; never blocks."""
        ...


class LiveSettings(msgspec.Struct, frozen=True):
    """How the live line runs.

    Attributes:
        images: the agent's watched folder.
        truth: file of planted truths, outside that folder.
        pace: sampling and time lapse.
        part_every_s: clock seconds from part to part while the line produces.
        defect_share: share of defective parts; well above a real line's, so that a short demo shows some.
        report_every_s: clock seconds between production and energy facts.
        seed: of all randomness.
    """

    images: Path
    truth: Path
    pace: Pace = Pace()
    part_every_s: float = 1.0
    defect_share: float = 0.12
    report_every_s: float = 10.0
    seed: int = 1


class LiveLine:
    """Moves the virtual line one sample at a time and tells what happened, as sensors, controllers and cameras would.

    Args:
        settings: how it runs.
        publisher: where messages go.
        started: clock time of the start; also names the parts, so that a second run makes new ones.
    """

    def __init__(self, settings: LiveSettings, publisher: Publisher, started: datetime) -> None:
        self._settings, self._publisher, self._started = settings, publisher, started
        self._line = VirtualLine(eventful_schedule(), settings.seed)
        self._camera = PartCamera(topics.PRODUCT, settings.seed)
        self._rng = np.random.default_rng([settings.seed, 4])
        settings.images.mkdir(parents=True, exist_ok=True)
        self._truths = TruthWriter(settings.truth)
        self._state = ("", "")
        self._next_part = started
        self._report_from = started
        self._made = 0
        self._planned_s = 0.0
        self._energy_kwh = 0.0
        self.parts = 0

    def step(self, now: datetime) -> LineTick:
        """One sample period has passed."""
        pace = self._settings.pace
        tick = self._line.step(pace.step_s)
        self._publisher.publish(topics.PRESS_SIGNALS, now, msgspec.structs.asdict(tick.press))
        self._publisher.publish(topics.CONVEYOR_SIGNALS, now, msgspec.structs.asdict(tick.conveyor))
        if (tick.state, tick.reason) != self._state:
            self._state = (tick.state, tick.reason)
            fields: dict[str, object] = {"asset": "press", "state": tick.state, "reason": tick.reason}
            self._publisher.publish(topics.MACHINE_STATE, now, fields)
        if tick.state == "producing":
            self._part_if_due(now)
        else:
            self._next_part = now
            self._planned_s += pace.sample_period_s if tick.state in {"planned_stop", "setup"} else 0.0
        self._energy_kwh += tick.energy_kwh / pace.speed
        if (now - self._report_from).total_seconds() >= self._settings.report_every_s:
            self._report(now)
        return tick

    def close(self) -> None:
        """Release the truth file."""
        self._truths.close()

    def _part_if_due(self, now: datetime) -> None:
        if now < self._next_part:
            return
        self._next_part = max(self._next_part, now - timedelta(seconds=self._settings.part_every_s))
        self._next_part += timedelta(seconds=self._settings.part_every_s)
        defect = draw_defect(self._rng) if self._rng.random() < self._settings.defect_share else None
        self.parts += 1
        self._made += 1
        part_id = f"{topics.PRODUCT}-{self._started:%Y%m%dT%H%M%S}-{self.parts:06d}"
        self._truths.add(PartTruth(part_id, defect.kind, defect.severity) if defect else PartTruth(part_id))
        fields: dict[str, object] = {"station": topics.STATION, "part_id": part_id, "product": topics.PRODUCT}
        self._publisher.publish(topics.PART, now, fields)
        put_picture(self._settings.images, part_id, self._camera.take(defect).pixels)

    def _report(self, now: datetime) -> None:
        period_s = (now - self._report_from).total_seconds()
        since, until = self._report_from.isoformat(), now.isoformat()
        self._publisher.publish(
            topics.PRODUCTION,
            self._report_from,
            {
                "product": topics.PRODUCT,
                "shift": shift_of(self._report_from),
                "ended_at": until,
                "produced": self._made,
                "planned_busy_s": round(max(0.0, period_s - self._planned_s), 3),
            },
        )
        energy: dict[str, object] = {"carrier": "electricity", "ended_at": until, "kwh": round(self._energy_kwh, 6)}
        self._publisher.publish(topics.ENERGY, datetime.fromisoformat(since), energy)
        self._report_from, self._made, self._planned_s, self._energy_kwh = now, 0, 0.0, 0.0


def shift_of(moment: datetime) -> str:
    """The shift a moment belongs to, by the plant's clock.

    >>> shift_of(datetime(2025, 1, 1, 21, 30, tzinfo=UTC)), shift_of(datetime(2025, 1, 1, 20, 59, tzinfo=UTC))
    ('day', 'night')
    """
    hour = moment.astimezone(ZONE).hour
    return next((name for start, name in reversed(SHIFT_HOURS) if hour >= start), "night")


def run_paced(step: Callable[[datetime], object], period_s: float, stop: threading.Event) -> None:
    """Call `step` once a period until `stop`; a late step is not made up for by a burst."""
    due = time.monotonic()
    while not stop.is_set():
        step(datetime.now(UTC))
        due = max(due + period_s, time.monotonic() - period_s)
        stop.wait(max(0.0, due - time.monotonic()))


def main() -> None:
    """Run until told to end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--broker-port", type=int, required=True, help="MQTT 5 broker on 127.0.0.1")
    parser.add_argument("--images", type=Path, required=True, help="folder the agent watches")
    parser.add_argument("--truth", type=Path, required=True, help="file for the planted truth, outside that folder")
    parser.add_argument("--speed", type=float, default=60.0, help="plant seconds a clock second")
    parser.add_argument("--sample-period", type=float, default=0.5, help="clock seconds between two samples")
    parser.add_argument("--part-every", type=float, default=1.0, help="clock seconds from part to part")
    parser.add_argument("--defect-share", type=float, default=0.12, help="share of defective parts")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    settings = LiveSettings(
        images=arguments.images,
        truth=arguments.truth,
        pace=Pace(arguments.sample_period, arguments.speed),
        part_every_s=arguments.part_every,
        defect_share=arguments.defect_share,
        seed=arguments.seed,
    )
    stop = threading.Event()
    ended_by_parent(stop)
    started = datetime.now(UTC)
    publisher = PlantPublisher(arguments.broker_port, f"virtual-plant-{topics.LINE}", f"{started:%Y%m%dT%H%M%S%f}")
    line = LiveLine(settings, publisher, started)
    try:
        run_paced(line.step, settings.pace.sample_period_s, stop)
    finally:
        line.close()
        complete = publisher.close(DRAIN_S)
    counts = {"published": publisher.published, "acknowledged": publisher.acknowledged, "parts": line.parts}
    print(json.dumps({**counts, "complete": complete}), flush=True)  # noqa: T201 - the process' one result


if __name__ == "__main__":
    main()
