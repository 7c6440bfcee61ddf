"""The good phase of the line, recorded to teach models from: pictures of good parts, sensor rows without faults."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from edge_agent.virtual_plant.line import VirtualLine
from edge_agent.virtual_plant.parts import PartCamera
from edge_agent.virtual_plant.picture_folder import put_picture
from edge_agent.virtual_plant.schedule import healthy_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from edge_agent.virtual_plant.part_geometry import Product

Machine = Literal["press", "conveyor"]
MACHINES: tuple[Machine, ...] = ("press", "conveyor")
# Every so many parts one is kept, so that a few dozen pictures see much of the light's drift.
PARTS_BETWEEN = 12


class Pace(msgspec.Struct, frozen=True):
    """How plant time and clock time relate.

    Attributes:
        sample_period_s: clock seconds between two sensor rows.
        speed: plant seconds that pass in one clock second; stamps are clock time.
    """

    sample_period_s: float = 0.5
    speed: float = 60.0

    @property
    def step_s(self) -> float:
        """Plant seconds between two sensor rows."""
        return self.sample_period_s * self.speed


def record_good_pictures(folder: Path, product: Product, count: int, seed: int) -> None:
    """Write pictures of good parts into a folder, made when absent."""
    folder.mkdir(parents=True, exist_ok=True)
    camera = PartCamera(product, seed)
    for number in range(count):
        camera.wait(PARTS_BETWEEN)
        put_picture(folder, f"good-{number:04d}", camera.take().pixels)


def record_good_readings(folder: Path, pace: Pace, since: datetime, rows: int, seed: int) -> dict[Machine, Path]:
    """Write one CSV a machine (time column and one column a sensor) of a line without faults, and say where.

    Breaks and set-ups are part of it: a standing press is as normal as a running one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    line = VirtualLine(healthy_schedule(), seed)
    ticks = [line.step(pace.step_s) for _ in range(rows)]
    tables: dict[Machine, Sequence[msgspec.Struct]] = {
        "press": [tick.press for tick in ticks],
        "conveyor": [tick.conveyor for tick in ticks],
    }
    paths = {}
    for machine, table in tables.items():
        paths[machine] = folder / f"{machine}.csv"
        with paths[machine].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", *table[0].__struct_fields__])
            for number, signals in enumerate(table):
                at = since + timedelta(seconds=number * pace.sample_period_s)
                writer.writerow([at.isoformat(), *msgspec.structs.astuple(signals)])
    return paths
