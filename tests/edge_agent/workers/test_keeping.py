"""The keeper over a real store, real images and real pins; disk and clock are in the test's hand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.sqlite_days import DAY_US
from edge_agent.errors import StoreError
from edge_agent.events import AuditDraw, Disposition, Event, EvidencePin, Inspection, VerdictName
from edge_agent.instant import Instant, from_us
from edge_agent.ports import Batch
from edge_agent.readings import Channel, Reading
from edge_agent.workers.keeping import CRITICAL_BYTES
from tests.edge_agent.workers.kept_plant import FREE, IMAGE_BYTES, NOW_US, Plant

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


# ---- by age ---------------------------------------------------------------------------------------------------


def test_each_class_goes_at_its_age_and_the_removal_is_an_event(plant: Plant) -> None:
    old = [plant.inspect("old-pass", "PASS", 1.1), plant.inspect("old-none", "NO_VERDICT", 2.1)]
    classes: list[VerdictName] = ["NO_VERDICT", "REVIEW", "FAIL"]
    young = [plant.inspect(f"new-{verdict}", verdict, 1.1) for verdict in classes]
    plant.keeper.look()
    assert plant.kept([*old, *young]) == [False, False, True, True, True]
    first, second = plant.purges()
    assert (first.what, first.reason, first.verdict, first.count, first.size_bytes) == (
        "images",
        "age",
        "PASS",
        1,
        IMAGE_BYTES,
    )
    assert (first.digests, second.digests) == ((old[0],), (old[1],))
    assert first.oldest == first.newest == from_us(NOW_US - round(1.1 * DAY_US))
    assert plant.gauge("lineproof_purged_total", what="images", reason="age") == 2
    assert plant.index.images() == 3
    plant.clock.pass_s(60)
    plant.keeper.look()
    assert len(plant.purges()) == 2


def test_nothing_pinned_goes_until_it_is_released(plant: Plant) -> None:
    digests = [plant.inspect(f"i-{n}", "PASS", 2) for n in range(2)]
    others = [plant.inspect(f"f-{n}", "FAIL", 2) for n in range(4)]
    plant.commit(Event("pin", "press-1", from_us(NOW_US), EvidencePin("claim", "pinned", "i-0", (digests[0],))))
    plant.keeper.look()
    assert plant.kept([*digests, *others]) == [True, False, *[True] * 4]
    plant.disk.free = 0  # no want of room changes that
    plant.disk.has_ballast = False
    plant.keeper.look()
    assert plant.kept([*digests, *others]) == [True, False, *[False] * 4]
    plant.disk.free = FREE
    plant.keeper.look()
    plant.commit(Event("unpin", "press-1", from_us(NOW_US), EvidencePin("claim", "released", "i-0")))
    plant.inspect("f-9", "FAIL", 2)  # else this one image would be more than its share
    plant.clock.pass_s(60)
    plant.keeper.look()
    assert plant.kept(digests) == [False, False]


def test_nothing_drawn_for_the_audit_goes_before_it_is_judged(plant: Plant) -> None:
    drawn = plant.inspect("i-0", "PASS", 50)
    [plant.inspect(f"f-{n}", "FAIL", 2) for n in range(2)]
    draw = AuditDraw("i-0", "cam-1", "bracket", "PASS", 0.01, "seed", 0.5)
    plant.commit(Event("audit_draw/i-0", "press-1", from_us(NOW_US), draw))
    plant.keeper.look()
    plant.purger.images_for_room(500, "disk", plant.clock.now())
    assert plant.kept([drawn]) == [True]
    judged = Disposition("i-0", "good", True, "kim", stratum="audit_pass", blind=True)
    plant.commit(Event("d-0", "press-1", from_us(NOW_US), judged))
    plant.clock.pass_s(60)
    plant.keeper.look()
    assert plant.kept([drawn]) == [False]


def test_an_image_of_two_parts_stays_as_long_as_the_later_one(plant: Plant) -> None:
    same = b"the same picture" * 100
    digest = plant.inspect("old", "PASS", 3, same)
    assert plant.inspect("young", "FAIL", 1, same) == digest
    plant.purger.images_by_age(plant.clock.now())
    assert plant.kept([digest]) == [True]


def test_an_image_put_just_now_is_not_removed(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.adapters.file_evidence.JUST_PUT_S", 900.0)
    digest = plant.inspect("old", "PASS", 3)
    plant.inspect("young", "FAIL", 1)
    plant.keeper.look()
    assert plant.kept([digest]) == [True]
    assert plant.purges() == []


def test_a_file_that_no_inspection_refers_to_goes_after_a_day(plant: Plant, tmp_path: Path) -> None:
    referred = plant.inspect("i-0", "FAIL", 1)
    lost = plant.evidence.put(b"of a verdict that never became durable")
    for digest in (referred, lost):
        os.utime(tmp_path / "evidence" / digest[:2] / digest, (1_000_000_000, 1_000_000_000))
    plant.keeper.look()
    assert plant.kept([referred, lost]) == [True, False]
    assert [(purge.reason, purge.digests) for purge in plant.purges()] == [("unreferenced", (lost,))]


# ---- the clock ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "jump_us",
    [3_600_000_000, -3_600_000_000, -NOW_US, 2_082_758_400_000_000 - NOW_US],
    ids=["+1h", "-1h", "1970", "2036"],
)
def test_after_a_jump_of_the_clock_nothing_goes_by_age(plant: Plant, jump_us: int) -> None:
    digests = [plant.inspect(f"i-{n}", "PASS", 0.999 - n / 25) for n in range(5)]
    plant.keeper.look()
    plant.clock.pass_s(60, jump_us=jump_us)
    plant.keeper.look()
    assert plant.gauge("lineproof_purge_held", reason="clock") == 1
    plant.clock.pass_s(60, jump_us=-jump_us)  # set right again
    for _ in range(3):
        plant.keeper.look()
        plant.clock.pass_s(600)
    assert plant.kept(digests) == [True] * 5
    plant.clock.pass_s(3_600)
    plant.keeper.look()  # steady for long enough: what is old goes, and no more
    assert plant.gauge("lineproof_purge_held", reason="clock") == 0
    assert plant.kept(digests) == [False, False, *[True] * 3]


def test_a_clock_that_is_wrong_from_the_start_takes_no_more_than_its_share(plant: Plant) -> None:
    digests = [plant.inspect(f"i-{n}", "FAIL", n / 10) for n in range(9, -1, -1)]
    plant.clock.utc_us = 2_082_758_400_000_000
    plant.keeper.look()
    assert plant.kept(digests) == [True] * 10
    assert "10 images" in plant.purger.refused
    assert plant.gauge("lineproof_purge_held", reason="share") == 1


# ---- room -----------------------------------------------------------------------------------------------------


def test_images_go_by_class_from_the_old_end_until_they_fit(tmp_path: Path) -> None:
    plant = Plant(tmp_path, images_bytes=3 * IMAGE_BYTES)
    classes: list[VerdictName] = ["FAIL", "PASS", "REVIEW", "PASS", "NO_VERDICT", "FAIL"]
    digests = [plant.inspect(f"i-{n}", verdict, 0.1) for n, verdict in enumerate(classes)]
    plant.keeper.look()
    assert plant.kept(digests) == [True, False, True, False, False, True]
    assert plant.evidence.size_bytes() == 3 * IMAGE_BYTES
    assert {purge.reason for purge in plant.purges()} == {"size"}
    plant.index.close()
    plant.store.close()


def test_a_full_disk_takes_images_then_old_days_then_stops_images_and_gives_up_the_ballast(plant: Plant) -> None:
    digests = [plant.inspect(f"i-{n}", "FAIL", 0.1) for n in range(3)]
    channel = Channel("press-1", "pump", "flow")
    days = [NOW_US - n * DAY_US for n in range(4, 0, -1)]
    for start in days:
        plant.store.commit(Batch(plant.clock.now(), readings=[Reading(channel, start, 1.0)]))
        while plant.store.compact(plant.clock.now()):
            pass
    plant.disk.free = 100_000_000 - IMAGE_BYTES
    plant.keeper.look()
    assert plant.kept(digests) == [False, True, True]  # one image gives the 1,000 bytes that were wanted
    plant.disk.free = CRITICAL_BYTES - 1
    plant.keeper.look()
    assert plant.disk.free == CRITICAL_BYTES - 1 + plant.disk.ballast_bytes
    assert plant.gauge("lineproof_ballast") == 0
    assert plant.kept(digests) == [False] * 3
    assert len(plant.store.kept_days()) == 2  # readings_least_days
    assert plant.store.unfinished_days() == []
    assert plant.gauge("lineproof_images_stopped") == 1
    with pytest.raises(StoreError, match="no image is kept: the disk is nearly full"):
        plant.evidence.put(b"one more")
    plant.commit(Event("still", "press-1", from_us(NOW_US), Inspection("c", "p", "x", "PASS", "r", "shadow")))
    plant.disk.free = FREE
    plant.keeper.look()
    assert plant.gauge("lineproof_ballast") == 1
    assert plant.gauge("lineproof_images_stopped") == 0
    plant.evidence.put(b"one more")


# ---- days and recording ---------------------------------------------------------------------------------------


def test_an_old_day_goes_and_what_cannot_be_recorded_now_is_recorded_later(plant: Plant, tmp_path: Path) -> None:
    channel = Channel("press-1", "pump", "flow")
    for age in (20, 2, 1):
        moment = Instant(NOW_US - age * DAY_US + DAY_US // 2, 0, "boot-1")
        plant.store.commit(Batch(moment, readings=[Reading(channel, moment.utc_us, 1.0)]))
        while plant.store.compact(plant.clock.now()):
            pass
    oldest = plant.store.kept_days()[0]
    for file in (tmp_path / "lineproof.readings").glob(f"{oldest.name}*"):
        os.utime(file, (oldest.end_us / 1e6, oldest.end_us / 1e6))
    plant.failing = True
    plant.keeper.look()
    assert len(plant.store.kept_days()) == 2
    assert plant.purges() == []
    assert [left.name for left in plant.store.unfinished_days()] == [oldest.name]
    plant.failing = False
    plant.clock.pass_s(2)
    plant.keeper.look()
    assert [(purge.what, purge.reason, purge.day, purge.count) for purge in plant.purges()] == [
        ("readings", "age", oldest.name, 1)
    ]
    assert plant.store.unfinished_days() == []


def test_a_removal_that_a_crash_interrupted_is_finished_and_told_once(plant: Plant) -> None:
    channel = Channel("press-1", "pump", "flow")
    plant.store.commit(Batch(plant.clock.now(), readings=[Reading(channel, NOW_US - DAY_US, 1.0)]))
    plant.store.compact(plant.clock.now())
    removed = plant.store.remove_day(NOW_US // DAY_US - 1)
    assert removed is not None  # and here the power goes
    for _ in range(2):
        plant.new_keeper().look()
    assert [purge.day for purge in plant.purges()] == [removed.name]
    assert plant.store.unfinished_days() == []


def test_images_removed_before_a_crash_are_told_by_the_next_pass(plant: Plant) -> None:
    digest = plant.inspect("i-0", "PASS", 2)
    plant.inspect("i-1", "FAIL", 2)
    assert plant.evidence.remove(digest) == IMAGE_BYTES  # and here the power goes
    plant.keeper.look()
    assert [(purge.digests, purge.size_bytes) for purge in plant.purges()] == [((digest,), 0)]
    assert plant.index.images() == 1
