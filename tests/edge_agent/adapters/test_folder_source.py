from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.folder_listing import IMAGE_SUFFIXES, Version, list_images, move_aside
from edge_agent.adapters.folder_source import FolderSource, effect_key
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.inspection.products import ProductLog
from edge_agent.settings.config import FolderSourceSettings, ImageLimits, StationSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_agent.ports import Delivery

DEADLINE_S = 10.0
RUNS_AS_ROOT = os.geteuid() == 0


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.005)


def station(
    folder: Path, *, settle_ms: int = 0, done: Path | None = None, max_bytes: int = 1_024, poll_ms: int = 20
) -> StationSettings:
    return StationSettings(
        name="cam-1",
        line="press-1",
        product="bracket-a",
        model="unused",
        folder=FolderSourceSettings(
            path=str(folder),
            poll_ms=poll_ms,
            settle_ms=settle_ms,
            after="move" if done else "keep",
            done_path=str(done) if done else None,
        ),
        limits=ImageLimits(max_bytes=max_bytes),
    )


class Line:
    """Takes deliveries as the pipeline would, and lets tests hold it back."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.known: set[str] = set()
        self.open = threading.Event()
        self.open.set()

    def deliver(self, delivery: Delivery) -> None:
        assert self.open.wait(DEADLINE_S)
        self.taken.append(delivery)

    @property
    def names(self) -> list[str]:
        return [delivery.frames[0].name for delivery in self.taken]

    def commit(self, source: FolderSource) -> None:
        self.known |= {delivery.frames[0].key for delivery in self.taken}
        source.acknowledge([delivery.token for delivery in self.taken])


@contextmanager
def watching(line: Line, settings: StationSettings) -> Iterator[FolderSource]:
    source = FolderSource(settings, SystemClock(), line.known.__contains__)
    source.start(line.deliver)
    try:
        yield source
    finally:
        line.open.set()
        source.stop()


def looks(source: FolderSource, count: int = 3) -> None:
    """Wait until the folder has been looked at `count` more times."""
    for _ in range(count):
        last = source.health().last_activity_mono_ns

        def looked(last: int | None = last) -> bool:
            return source.health().last_activity_mono_ns != last

        until(looked, "another look")


def put(path: Path, content: bytes, *, age_s: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name("." + path.name)
    hidden.write_bytes(content)
    stamp = time.time() - age_s
    os.utime(hidden, (stamp, stamp))
    hidden.rename(path)


def test_images_come_oldest_first_with_all_that_is_known_of_them(tmp_path: Path) -> None:
    put(tmp_path / "b.png", b"second", age_s=10)
    put(tmp_path / "lot 7" / "부품-1.jpg", b"first", age_s=20)
    put(tmp_path / "a.BMP", b"third", age_s=5)
    line = Line()
    with watching(line, station(tmp_path)) as source:
        until(lambda: len(line.taken) == 3, "three deliveries")
        assert source.name == "folder:cam-1"
        assert source.health().alive
        assert source.health().detail == ""
    assert line.names == ["lot 7/부품-1.jpg", "b.png", "a.BMP"]
    frame = line.taken[0].frames[0]
    assert (frame.line, frame.station, frame.product) == ("press-1", "cam-1", "bracket-a")
    assert (frame.part_id, frame.encoded) == ("부품-1", b"first")
    assert frame.key.startswith("press-1/cam-1/image/")
    assert abs(frame.captured.utc_us / 1e6 - time.time()) < 60
    assert line.taken[0].source == "folder:cam-1"
    assert line.taken[0].received_mono_ns == frame.captured.mono_ns


def test_equal_times_go_by_name(tmp_path: Path) -> None:
    for name in ("c.png", "a.png", "b.png"):
        put(tmp_path / name, b"x")
        os.utime(tmp_path / name, ns=(10**18, 10**18))
    line = Line()
    with watching(line, station(tmp_path)):
        until(lambda: len(line.taken) == 3, "three deliveries")
    assert line.names == ["a.png", "b.png", "c.png"]


def test_a_growing_file_waits_until_it_has_settled(tmp_path: Path) -> None:
    line = Line()
    with watching(line, station(tmp_path, settle_ms=200)) as source, (tmp_path / "slow.png").open("wb") as file:
        for _ in range(8):
            file.write(b"part")
            file.flush()
            looks(source, 2)
        written_ns = time.monotonic_ns()
        assert line.taken == []
        until(lambda: line.taken, "the settled file")
        assert time.monotonic_ns() - written_ns > 100_000_000
    assert line.taken[0].frames[0].encoded == b"part" * 8


def test_only_finished_images_are_taken_and_the_rest_is_told_once(tmp_path: Path) -> None:
    for name in (".hidden.png", "a.png.tmp", "b.part", "c.png~", "notes.txt", "Thumbs.db", "d.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    put(tmp_path / ".cache" / "e.png", b"x")
    outside = tmp_path.parent / "outside"
    outside.mkdir()
    put(outside / "f.png", b"x")
    (tmp_path / "link.png").symlink_to(outside / "f.png")
    (tmp_path / "linked").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    line = Line()
    with watching(line, station(tmp_path)) as source:
        until(lambda: line.taken, "the one image")
        looks(source)
        assert source.health().detail == "2 files are no images, such as Thumbs.db"
        assert source.health().alive
    assert line.names == ["d.png"]


def test_the_folder_is_the_queue_while_the_station_is_busy(tmp_path: Path) -> None:
    line = Line()
    line.open.clear()
    with watching(line, station(tmp_path)) as source:
        for number in range(5):
            put(tmp_path / f"{number}.png", b"%d" % number, age_s=10 - number)
        until(lambda: source.counts.delivered == 1, "the first is offered")
        assert source.health().alive
        line.open.set()
        until(lambda: len(line.taken) == 5, "all of them")
    assert sorted(line.names) == [f"{number}.png" for number in range(5)]


def test_an_overwritten_file_is_a_new_image_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    line = Line()
    put(tmp_path / "a.png", b"one", age_s=10)
    with watching(line, station(tmp_path)) as source:
        until(lambda: line.taken, "the first content")
        line.commit(source)
        looks(source)
        assert len(line.taken) == 1
        put(tmp_path / "a.png", b"two", age_s=5)
        until(lambda: len(line.taken) == 2, "the second content")
    assert line.taken[1].frames[0].encoded == b"two"
    assert line.taken[0].frames[0].key != line.taken[1].frames[0].key


def test_after_a_restart_judged_files_are_recognised_unread_and_others_come_again_with_the_same_key(
    tmp_path: Path,
) -> None:
    put(tmp_path / "judged.png", b"1", age_s=10)
    first = Line()
    with watching(first, station(tmp_path)) as source:
        until(lambda: first.taken, "the first file")
        first.commit(source)
        put(tmp_path / "lost.png", b"2", age_s=5)
        until(lambda: len(first.taken) == 2, "the second file, never committed")
    second = Line()
    second.known = first.known
    (tmp_path / "judged.png").chmod(0)
    with watching(second, station(tmp_path)) as source:
        until(lambda: second.taken, "the uncommitted file")
        looks(source)
        assert source.counts.recognised == 1
    assert second.names == ["lost.png"]
    assert second.taken[0].frames[0].key == first.taken[1].frames[0].key


def test_a_too_large_file_reaches_the_station_cut_off_and_is_quarantined(tmp_path: Path) -> None:
    put(tmp_path / "huge.png", bytes(10_000))
    line = Line()
    with watching(line, station(tmp_path, max_bytes=8_000)):
        until(lambda: line.taken, "the delivery")
    frame, poison = line.taken[0].frames[0], line.taken[0].quarantined[0]
    assert len(frame.encoded) == 8_001  # one more than allowed, so that the decoder refuses it
    assert (poison.key, poison.reason, poison.topic) == (frame.key, "image_too_large", "huge.png")
    assert "10000 bytes" in poison.detail
    assert len(poison.payload) == 4_096


def test_an_empty_file_is_delivered_so_that_its_part_gets_no_verdict(tmp_path: Path) -> None:
    put(tmp_path / "empty.png", b"")
    line = Line()
    with watching(line, station(tmp_path)):
        until(lambda: line.taken, "the delivery")
    assert line.taken[0].frames[0].encoded == b""


def test_a_missing_folder_is_told_and_the_watch_goes_on_when_it_is_back(tmp_path: Path) -> None:
    share = tmp_path / "share"
    line = Line()
    with watching(line, station(share)) as source:
        until(lambda: not source.health().alive, "the missing folder is told")
        assert source.health().detail == f"folder {share} cannot be read: No such file or directory"
        put(share / "a.png", b"x")
        until(lambda: line.taken, "the image after the folder came")
        until(lambda: source.health().alive, "alive again")
        share.rename(tmp_path / "unmounted")
        until(lambda: not source.health().alive, "the folder is gone again")
        (tmp_path / "unmounted").rename(share)
        until(lambda: source.health().alive, "alive again")
        put(share / "b.png", b"y")
        until(lambda: "b.png" in line.names, "the image after the folder came back")


@pytest.mark.skipif(RUNS_AS_ROOT, reason="root reads everything; run as a user")
def test_a_file_without_permission_waits_and_is_told(tmp_path: Path) -> None:
    put(tmp_path / "locked.png", b"x")
    (tmp_path / "locked.png").chmod(0)
    line = Line()
    with watching(line, station(tmp_path)) as source:
        until(lambda: "locked.png: Permission denied" in source.health().detail, "the file is named")
        assert source.health().alive
        (tmp_path / "locked.png").chmod(0o600)
        until(lambda: line.taken, "the file once it may be read")


def test_a_file_that_cannot_be_read_waits_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "sick.png", b"x")
    put(tmp_path / "well.png", b"y")
    sick = threading.Event()
    sick.set()
    opened = os.open

    def failing(path: bytes, flags: int) -> int:
        if sick.is_set() and path.endswith(b"sick.png"):
            raise OSError(5, "Input/output error")
        return opened(path, flags)

    monkeypatch.setattr("edge_agent.adapters.folder_source.os.open", failing)
    line = Line()
    with watching(line, station(tmp_path)) as source:
        until(lambda: "sick.png: Input/output error" in source.health().detail, "the file is named")
        assert line.names == ["well.png"]
        assert source.health().alive
        sick.clear()
        until(lambda: "sick.png" in line.names, "the file once it can be read")
        until(lambda: source.health().detail == "", "nothing to tell any more")


def test_an_error_of_the_store_does_not_end_the_watch(tmp_path: Path) -> None:
    put(tmp_path / "a.png", b"x")
    line = Line()
    broken = threading.Event()
    broken.set()

    def known(_key: str) -> bool:
        if broken.is_set():
            raise RuntimeError("store away")
        return False

    source = FolderSource(station(tmp_path), SystemClock(), known)
    source.start(line.deliver)
    try:
        until(lambda: "store away" in source.health().detail, "the failure is told")
        broken.clear()
        until(lambda: line.taken, "the image")
        until(lambda: source.health().alive, "alive again")
    finally:
        source.stop()
    assert source.health().detail == "its thread does not run"


def test_acknowledged_files_are_moved_and_overwrite_nothing(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "lot" / "a.png", b"one", age_s=10)
    put(done / "lot" / "a.png", b"older")
    line = Line()
    with watching(line, station(watched, done=done)) as source:
        until(lambda: line.taken, "the delivery")
        looks(source)
        assert (watched / "lot" / "a.png").exists()  # not before its verdict is durable
        line.commit(source)
        until(lambda: source.counts.moved == 1, "the move")
    assert not (watched / "lot" / "a.png").exists()
    assert (done / "lot" / "a.png").read_bytes() == b"older"
    moved = [path for path in (done / "lot").iterdir() if path.name != "a.png"]
    assert [path.read_bytes() for path in moved] == [b"one"]
    assert moved[0].suffix == ".png"


def test_a_verdict_from_before_the_restart_moves_the_file_now(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "a.png", b"one")
    settings = station(watched, done=done)
    line = Line()
    line.known = {effect_key(settings, version) for version in list_images(watched).images}
    with watching(line, settings):
        until((done / "a.png").exists, "the move")
    assert line.taken == []


def test_a_file_overwritten_before_its_move_stays_and_is_judged(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "a.png", b"one", age_s=10)
    line = Line()
    with watching(line, station(watched, done=done)) as source:
        until(lambda: line.taken, "the first content")
        put(watched / "a.png", b"second", age_s=5)
        until(lambda: len(line.taken) == 2, "the second content")
        source.acknowledge([line.taken[0].token])
        looks(source)
        assert (watched / "a.png").read_bytes() == b"second"
        source.acknowledge([line.taken[1].token])
        until((done / "a.png").exists, "the move")
    assert (done / "a.png").read_bytes() == b"second"


def test_a_move_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "a.png", b"one")
    done.write_bytes(b"a file where the folder belongs")
    line = Line()
    with watching(line, station(watched, done=done)) as source:
        until(lambda: line.taken, "the delivery")
        line.commit(source)
        until(lambda: "moves cannot be handled" in source.health().detail, "the failure is told")
        done.unlink()
        until((done / "a.png").exists, "the move")
        until(lambda: source.health().detail == "", "nothing to tell any more")
    assert len(line.taken) == 1


def test_after_a_pause_nothing_is_delivered_and_what_is_acknowledged_is_moved(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "a.png", b"one", age_s=10)
    line = Line()
    line.open.clear()
    with watching(line, station(watched, done=done)) as source:
        put(watched / "b.png", b"two", age_s=5)
        until(lambda: source.counts.delivered == 1, "the first is offered")
        pausing = threading.Thread(target=source.pause)
        pausing.start()
        until(source._pausing.is_set, "the pause begins")
        assert line.taken == []
        line.open.set()
        pausing.join()
        assert line.names == ["a.png"]  # the image in hand was waited for
        assert source.health().alive
        line.commit(source)
        until(lambda: source.counts.moved == 1, "the move")
    assert (done / "a.png").read_bytes() == b"one"
    assert (watched / "b.png").exists()
    assert line.names == ["a.png"]


def test_an_image_acknowledged_just_before_the_stop_is_moved(tmp_path: Path) -> None:
    watched, done = tmp_path / "in", tmp_path / "done"
    put(watched / "a.png", b"one")
    line = Line()
    with watching(line, station(watched, done=done)) as source:
        until(lambda: line.taken, "the delivery")
        source.pause()
        line.commit(source)
    assert (done / "a.png").exists()


def test_a_name_that_is_no_utf_8_is_delivered(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"part\xff\x0a7.png")).write_bytes(b"x")
    line = Line()
    with watching(line, station(tmp_path)):
        until(lambda: line.taken, "the delivery")
    assert line.taken[0].frames[0].part_id == "part��7"


def test_moving_what_is_gone_or_changed_moves_nothing(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.png", b"one")
    version = list_images(tmp_path / "in").images[0]
    changed = Version(version.name, version.size + 1, version.mtime_ns)
    assert not move_aside(changed, tmp_path / "in", tmp_path / "done")
    (tmp_path / "in" / "a.png").unlink()
    assert not move_aside(version, tmp_path / "in", tmp_path / "done")
    assert not (tmp_path / "done").exists()


def test_every_format_of_the_decoder_is_watched_for() -> None:
    assert {b".png", b".jpg", b".jpeg", b".bmp", b".tif", b".tiff", b".webp"} == IMAGE_SUFFIXES


def test_a_change_between_a_file_and_the_next_look_is_not_the_files(tmp_path: Path) -> None:
    """The product of a part is the one before the station when its picture was written, not when it was looked at."""
    line, clock, products = Line(), SystemClock(), ProductLog()
    probe = tmp_path.parent / "probe"
    wanted: dict[str, str] = {}
    with watching(line, station(tmp_path, poll_ms=150)) as source:
        looks(source, 1)
        for number in range(6):
            before, after = ("bracket-a", "bracket-b") if number % 2 == 0 else ("bracket-b", "bracket-a")
            put(tmp_path / f"{number}.png", b"%d" % number)
            wanted[f"{number}.png"] = before
            changed = clock.now()
            products.hear("cam-1", after, changed)

            def later(changed_us: int = changed.utc_us) -> bool:
                probe.write_bytes(b"")  # the file system's clock is coarser than ours
                return probe.stat().st_mtime_ns // 1_000 > changed_us

            until(later, "a file time after the change")
        until(lambda: len(line.taken) == 6, "all of them")
    told = {}
    for delivery in line.taken:
        (frame,) = delivery.frames
        assert frame.written is not None
        told[frame.name] = products.at("cam-1", frame.written, "bracket-a")
    assert told == wanted


def test_a_file_with_a_copied_or_a_coming_time_is_told_by_when_it_got_its_name(tmp_path: Path) -> None:
    line = Line()
    with watching(line, station(tmp_path, poll_ms=150)) as source:
        looks(source, 1)
        put(tmp_path / "copied.png", b"1", age_s=3_600)
        put(tmp_path / "coming.png", b"2", age_s=-3_600)
        named = (tmp_path / "coming.png").stat().st_ctime_ns
        until(lambda: len(line.taken) == 2, "both")
    for delivery in line.taken:
        written = delivery.frames[0].written
        assert written is not None
        assert abs(written.utc_us - named // 1_000) < 100_000


def test_a_file_of_the_first_look_is_told_by_the_stored_changes(tmp_path: Path) -> None:
    put(tmp_path / "before.png", b"1", age_s=60)
    line = Line()
    with watching(line, station(tmp_path)):
        until(lambda: line.taken, "the file")
    assert line.taken[0].frames[0].written is None
