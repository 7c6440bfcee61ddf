"""No restart, reboot or crash hides a jump of the clock from removal by age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from edge_agent.adapters.file_clock_notes import CLOCK_NOTE, FileClockNotes
from edge_agent.adapters.sqlite_days import DAY_US
from edge_agent.events import Event, Inspection, VerdictName
from edge_agent.instant import from_us
from tests.edge_agent.workers.kept_plant import IMAGE_BYTES, NOW_US, Plant, S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _images_may_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.adapters.file_evidence.JUST_PUT_S", 0.0)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.index.close()
    plant.store.close()


HOUR_US = 3_600_000_000


def five_of_seventeen(plant: Plant) -> list[str]:
    """So few that no share notices when they go; returns the images of the PASS parts, half a day young."""
    names: list[tuple[str, VerdictName]] = [(f"f-{n}", "FAIL") for n in range(12)]
    names += [(f"p-{n}", "PASS") for n in range(5)]
    images = [plant.evidence.put(name.encode().ljust(IMAGE_BYTES, b".")) for name, _ in names]
    bodies = [
        Inspection("cam-1", name, "bracket", verdict, "score", "shadow", threshold=1.0, image=image)
        for (name, verdict), image in zip(names, images, strict=True)
    ]
    plant.commit(*(Event(body.part_id, "press-1", from_us(NOW_US - DAY_US // 2), body) for body in bodies))
    return images[12:]


def boot(plant: Plant, off_s: float) -> None:
    plant.clock.utc_us += round(off_s * 1e6)
    plant.clock.mono_ns, plant.clock.boot_id = 5 * S, f"{plant.clock.boot_id}+"


@pytest.mark.parametrize("ending", ["stopped", "killed"])
@pytest.mark.parametrize("jump_us", [10 * DAY_US, 13 * HOUR_US], ids=["+10d", "+13h"])
@pytest.mark.parametrize("booted", [False, True], ids=["restart", "reboot"])
@pytest.mark.parametrize("parts_after", [0, 1, 3])
def test_no_restart_hides_a_jump(plant: Plant, ending: str, jump_us: int, booted: bool, parts_after: int) -> None:  # noqa: FBT001 - a parameter of the test
    digests = five_of_seventeen(plant)
    plant.keeper.look()
    plant.clock.pass_s(100, jump_us=jump_us)
    plant.keeper.look()
    for part in range(parts_after):
        plant.clock.pass_s(1)
        plant.inspect(f"after-{part}", "PASS", 0)
    if ending == "stopped":
        plant.keeper.stop()
        plant.open()
    if booted:
        boot(plant, 60)
    keeper = plant.new_keeper()
    keeper.look()
    assert plant.gauge("lineproof_purge_held", reason="clock") == 1
    plant.clock.pass_s(3_400)
    keeper.look()
    assert plant.kept(digests) == [True] * 5
    plant.clock.pass_s(201)
    keeper.look()
    assert plant.gauge("lineproof_purge_held", reason="clock") == 0
    assert plant.kept(digests) == [False] * 5  # it ran evenly for long enough: this is the time


@pytest.mark.parametrize("noted", [True, False], ids=["looked before", "never looked"])
@pytest.mark.parametrize("booted", [False, True], ids=["restart", "reboot"])
def test_a_kill_between_a_jump_and_the_next_look_hides_nothing(plant: Plant, noted: bool, booted: bool) -> None:  # noqa: FBT001 - parameters of the test
    digests = five_of_seventeen(plant)
    if noted:
        plant.keeper.look()
    plant.clock.pass_s(1, jump_us=13 * HOUR_US)
    plant.inspect("after", "PASS", 0)  # committed, and here the power goes
    if booted:
        boot(plant, 60)
    plant.new_keeper().look()
    assert plant.gauge("lineproof_purge_held", reason="clock") == 1
    assert plant.kept(digests) == [True] * 5


@pytest.mark.parametrize(("off_us", "held"), [(3 * DAY_US - S // 1_000, 0), (3 * DAY_US + S // 1_000, 1)])
def test_a_reboot_far_ahead_waits_for_the_clock_to_settle(plant: Plant, off_us: int, held: int) -> None:
    five_of_seventeen(plant)
    plant.keeper.look()
    boot(plant, off_us / 1e6)
    plant.new_keeper().look()
    assert plant.gauge("lineproof_purge_held", reason="clock") == held


def test_an_even_clock_goes_on_over_restarts_and_notes_itself(plant: Plant) -> None:
    digests = five_of_seventeen(plant)
    for _ in range(5):
        plant.clock.pass_s(12 * 900)
        plant.inspect(f"at-{plant.clock.mono_ns}", "FAIL", 0)
        plant.new_keeper().look()
    assert plant.kept(digests) == [False] * 5
    note = FileClockNotes(plant.folder).read()
    assert note is not None
    assert (note.last, note.held_ns) == (plant.clock.now(), 0)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"last": 1}'])
def test_a_note_that_cannot_be_read_holds(plant: Plant, content: bytes) -> None:
    digests = five_of_seventeen(plant)
    plant.clock.pass_s(13 * 3_600)
    (plant.folder / CLOCK_NOTE).write_bytes(content)
    plant.new_keeper().look()
    assert plant.kept(digests) == [True] * 5
    assert plant.gauge("lineproof_purge_held", reason="clock") == 1


def test_the_operator_may_say_that_the_clock_is_right(plant: Plant) -> None:
    digests = five_of_seventeen(plant)
    plant.keeper.look()
    plant.clock.pass_s(1, jump_us=10 * DAY_US)
    plant.keeper.look()
    plant.rules = structs.replace(plant.rules, settle_ns=0)
    plant.new_keeper().look()
    assert plant.kept(digests) == [False] * 5
