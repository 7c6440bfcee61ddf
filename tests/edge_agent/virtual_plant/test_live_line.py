"""What the live line sends and writes, against a publisher that keeps everything."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import msgspec
import pytest

from edge_agent.events import Energy, MachineState, PartIdentity, Production
from edge_agent.virtual_plant import plant_topics as topics
from edge_agent.virtual_plant.good_phase import Pace
from edge_agent.virtual_plant.live_line import LiveLine, LiveSettings, run_paced
from edge_agent.virtual_plant.truth_file import TruthReader

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2025, 3, 1, 0, 0, tzinfo=UTC)


class KeptMessages:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, datetime, dict[str, object]]] = []

    def publish(self, topic: str, at: datetime, fields: dict[str, object]) -> None:
        self.messages.append((topic, at, fields))

    def bodies(self, topic: str) -> list[dict[str, object]]:
        return [fields for name, _, fields in self.messages if name == topic]


def _run(folder: Path, clock_s: float, **changes: object) -> tuple[KeptMessages, LiveLine]:
    settings = LiveSettings(images=folder / "images", truth=folder / "truth.jsonl", **changes)  # type: ignore[arg-type] # a test's own settings
    kept = KeptMessages()
    line = LiveLine(settings, kept, START)
    period_s = settings.pace.sample_period_s
    for number in range(int(clock_s / period_s)):
        line.step(START + timedelta(seconds=number * period_s))
    line.close()
    return kept, line


def test_facts_fit_the_event_contract(tmp_path: Path) -> None:
    kept, _ = _run(tmp_path, 32.0)
    for topic, body in (
        (topics.MACHINE_STATE, MachineState),
        (topics.PRODUCTION, Production),
        (topics.PART, PartIdentity),
        (topics.ENERGY, Energy),
    ):
        bodies = kept.bodies(topic)
        assert bodies
        for fields in bodies:
            tag = body.__struct_config__.tag
            assert isinstance(msgspec.convert({"kind": tag, **fields}, body, strict=False), body)


def test_a_part_a_second_while_producing_and_none_in_a_stop(tmp_path: Path) -> None:
    # 32 s at 60-fold speed are 1,920 plant seconds; the set-up from 1,500 to 1,680 lasts 3 clock seconds
    kept, line = _run(tmp_path, 32.0)
    states = [(at, fields["state"]) for topic, at, fields in kept.messages if topic == topics.MACHINE_STATE]
    assert [state for _, state in states] == ["producing", "setup", "producing"]
    parts = [at for topic, at, _ in kept.messages if topic == topics.PART]
    assert len(parts) == line.parts
    assert 28 <= line.parts <= 30
    assert not [at for at in parts if states[1][0] <= at < states[2][0]]


def test_pictures_parts_and_truths_belong_together(tmp_path: Path) -> None:
    kept, _ = _run(tmp_path, 12.0, defect_share=0.5)
    named = [str(fields["part_id"]) for fields in kept.bodies(topics.PART)]
    files = sorted(path.stem for path in (tmp_path / "images").iterdir())
    assert sorted(named) == files
    truths = TruthReader(tmp_path / "truth.jsonl")
    found = [truths.find(part_id) for part_id in named]
    assert None not in found
    assert {truth.defective for truth in found if truth} == {True, False}
    picture = cv2.imread(str(tmp_path / "images" / f"{named[0]}.png"))
    assert picture is not None
    assert picture.shape == (240, 320, 3)


def test_nothing_published_or_named_tells_the_truth(tmp_path: Path) -> None:
    kept, _ = _run(tmp_path, 5.0, defect_share=1.0)
    sent = repr(kept.messages) + repr(sorted((tmp_path / "images").iterdir()))
    assert not [word for word in ("scratch", "dent", "burr", "stain", "crack", "severity", "defect") if word in sent]


def test_production_counts_add_up_to_the_parts(tmp_path: Path) -> None:
    kept, line = _run(tmp_path, 30.5)
    produced = [int(str(fields["produced"])) for fields in kept.bodies(topics.PRODUCTION)]
    assert len(produced) == 3
    assert sum(produced) == line.parts
    busy_s = [float(str(fields["planned_busy_s"])) for fields in kept.bodies(topics.PRODUCTION)]
    assert busy_s == [10.0, 10.0, 7.0]  # the third period holds the set-up of 180 plant seconds


def test_the_paced_run_ends_at_once_when_told() -> None:
    stop, moments = threading.Event(), []

    def step(now: datetime) -> None:
        moments.append(now)
        if len(moments) == 3:
            stop.set()

    run_paced(step, 0.01, stop)
    assert len(moments) == 3
    assert all(moment.tzinfo is UTC for moment in moments)


def test_pace_multiplies() -> None:
    assert Pace(0.5, 60.0).step_s == pytest.approx(30.0)
