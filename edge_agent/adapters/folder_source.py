"""A watched folder of images as a source: polled, so that network shares work, and durable, so that nothing is dropped.

A file is a part's image once its size and time have stayed unchanged for the settling time. Its effect key is made of
its name within the folder, its size and its time, so that a restart recognises what it judged without reading it again,
and a file overwritten with new content is a new image. The folder is the queue: while the station is busy, files wait
where they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from edge_agent.adapters.folder_listing import Listing, Version, list_images, move_aside, shown
from edge_agent.errors import ConfigError
from edge_agent.inspection.inspections import Frame
from edge_agent.inspection.picture_times import written_at
from edge_agent.ports import Delivery, LinkHealth, Quarantined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import Clock
    from edge_agent.settings.config import StationSettings

log = structlog.get_logger(__name__)

_JOIN_S = 15.0
_PAUSE_WAIT_S = 5.0
_SILENT_LOOKS = 10  # looks missed before the folder counts as not answering
_LEAST_SILENCE_S = 10.0
_LOOK_AGAIN_S = 5.0  # a long backlog is interrupted to look at what else has come
_MOVE_AGAIN_S = 2.0
_KEPT_OF_POISON = 4_096


@dataclass(slots=True)
class _Sighting:
    """One version of one file, and how far it has come; `written` is None where its file cannot tell."""

    version: Version
    first_seen: Instant
    written: Instant | None = None
    stage: Literal["settling", "delivered", "done"] = "settling"
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A move that has to be made, and what came of the last attempt."""

    not_before_s: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class FolderCounts:
    """What happened since the start.

    Attributes:
        delivered: images handed to the station.
        recognised: files whose verdict was durable already, from an earlier run.
        moved: files moved to `done_path`.
        vanished: files that went away or changed before they were read.
        failures: looks, reads and moves that failed, each tried again.
    """

    delivered: int = 0
    recognised: int = 0
    moved: int = 0
    vanished: int = 0
    failures: int = 0


class FolderSource:
    """Delivers the images of one station's folder, oldest first (port `Source`).

    Args:
        station: the folder, its line and product, and the limits of an image.
        clock: time of first sight.
        known: whether an effect key is durable already.
        product_of: the product at a time (microseconds UTC), for files that were there before the source began; all
            others bear the station's, and the time of their writing.

    Raises:
        ConfigError: the station watches no folder.
    """

    def __init__(
        self,
        station: StationSettings,
        clock: Clock,
        known: Callable[[str], bool],
        product_of: Callable[[int], str] | None = None,
    ) -> None:
        self._station = station
        if station.folder is None:
            raise ConfigError("the station has no folder", field="stations.folder", value=station.name)
        self._folder = station.folder
        self._root = Path(station.folder.path)
        self._clock = clock
        self._known = known
        self._product_of = product_of
        self._backlog = True  # until the first look is over
        self._looked_ns: int | None = None  # when the newest look that saw the folder began
        self._sightings: dict[bytes, _Sighting] = {}
        self._acknowledged: deque[Version] = deque()
        self._to_move: dict[Version, _Attempt] = {}
        self._listing = Listing()
        self._problems: dict[str, str] = {}
        self._wake = threading.Event()
        self._pausing = threading.Event()
        self._handing = threading.Lock()  # held while a delivery is handed on, so that `pause` can wait for it
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._deliver: Callable[[Delivery], None] | None = None
        self._waiting_since_s: float | None = None
        self._last_look_s = time.monotonic()
        self._last_look_ns: int | None = None
        self.counts = FolderCounts()

    @property
    def name(self) -> str:
        """`folder:<station>`."""
        return f"folder:{self._station.name}"

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        """Begin to look; `deliver` may block, and files wait in the folder meanwhile."""
        self._deliver = deliver
        self._last_look_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Note that verdicts are durable; files are moved, if at all, from the source's own thread."""
        self._acknowledged.extend(token for token in tokens if isinstance(token, Version))
        self._wake.set()

    def health(self) -> LinkHealth:
        """Alive while the thread runs and the folder answers; files that cannot be read are named."""
        now_s = time.monotonic()
        problem = self._problems.get("folder", "")
        poll_s = self._folder.poll_ms / 1e3
        waiting_since_s = self._waiting_since_s
        silent_s = now_s - self._last_look_s
        if self._thread is None or not self._thread.is_alive():
            problem = "its thread does not run"
        elif not problem and waiting_since_s is None and silent_s > max(_LEAST_SILENCE_S, _SILENT_LOOKS * poll_s):
            problem = f"folder {self._root} has not answered for {silent_s:.0f} s"
        notes = [problem, *(text for key, text in tuple(self._problems.items()) if key != "folder")]
        if self._listing.foreign:
            notes.append(f"{len(self._listing.foreign)} files are no images, such as {shown(self._listing.foreign[0])}")
        return LinkHealth(self.name, not problem, self._last_look_ns, "; ".join(filter(None, notes)))

    def pause(self) -> None:
        """Deliver nothing more, and go on moving what is acknowledged. Waits for the image in hand."""
        self._pausing.set()
        if self._handing.acquire(timeout=_PAUSE_WAIT_S):
            self._handing.release()
        else:
            log.warning("an image still waits for the station", source=self.name)

    def stop(self) -> None:
        """End after the image in hand; what is not acknowledged is recognised or delivered again next time."""
        self._pausing.set()
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=_JOIN_S)

    # ---- the source's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._round()
            except Exception as error:
                # the thread's boundary: one file or one call must not end the watch
                self._failed("folder", f"looking at folder {self._root} failed: {error!r}")
                log.exception("folder look failed", source=self.name)
            self._rest()
        try:
            self._settle_acknowledged()
        except Exception:
            # the thread's boundary; the next run recognises what was not moved
            log.exception("moving at the end failed", source=self.name)

    def _rest(self) -> None:
        """Wait for the next look; an acknowledgement is acted upon at once where files are to be moved."""
        until_s = time.monotonic() + self._folder.poll_ms / 1e3
        while not self._stopping.is_set() and (left_s := until_s - time.monotonic()) > 0:
            if not self._wake.wait(left_s):
                return
            self._wake.clear()
            self._settle_acknowledged()

    def _round(self) -> None:
        self._settle_acknowledged()
        if self._pausing.is_set():
            self._last_look_s = time.monotonic()
            return
        began_ns = self._clock.now().mono_ns
        try:
            self._listing = list_images(self._root)
        except OSError as error:
            self._failed("folder", f"folder {self._root} cannot be read: {error.strerror or error}")
            return
        finally:
            self._last_look_s = time.monotonic()
        self._problems.pop("folder", None)
        self._last_look_ns = self._clock.now().mono_ns
        self._note("subfolders", [f"{shown(name)}: {why}" for name, why in self._listing.unreadable])
        ready = self._settled(self._listing.images)
        self._looked_ns = began_ns
        self._deliver_ready(ready)
        self._settle_acknowledged()

    def _settled(self, images: Iterable[Version]) -> list[Version]:
        """Versions that have settled and are not handled yet, oldest first, then by name."""
        now = self._clock.now()
        settle_ns = self._folder.settle_ms * 1_000_000
        present: dict[bytes, _Sighting] = {}
        ready: list[Version] = []
        for version in images:
            sighting = self._sightings.get(version.name)
            if sighting is None or sighting.version != version:
                sighting = _Sighting(version, now, self._written(version, now), backlog=self._backlog)
            present[version.name] = sighting
            if sighting.stage == "settling" and now.mono_ns - sighting.first_seen.mono_ns >= settle_ns:
                ready.append(version)
        self._sightings = present
        self._backlog = False
        return sorted(ready, key=lambda version: (version.mtime_ns, version.name))

    def _written(self, version: Version, seen: Instant) -> Instant | None:
        """When a file that was not there at the look before was written."""
        if self._looked_ns is None:
            return None
        times_ns = [version.mtime_ns]
        with contextlib.suppress(OSError):  # gone since the look, which reading it will find
            times_ns.append(os.lstat(version.path(self._root)).st_ctime_ns)
        return written_at(times_ns, seen, seen.mono_ns - self._looked_ns + self._folder.poll_ms * 1_000_000)

    def _deliver_ready(self, ready: list[Version]) -> None:
        until_s = time.monotonic() + _LOOK_AGAIN_S
        unreadable: list[str] = []
        for version in ready:
            if self._pausing.is_set() or time.monotonic() > until_s:
                return
            sighting = self._sightings[version.name]
            key = effect_key(self._station, version)
            if self._known(key):
                self.counts.recognised += 1
                sighting.stage = "delivered"
                self._acknowledged.append(version)
                continue
            try:
                content = self._read(version)
            except OSError as error:
                self.counts.failures += 1
                unreadable.append(f"{shown(version.name)}: {error.strerror or error}")
                continue
            if content is None:
                self.counts.vanished += 1  # gone or written to since the look; the next look sees what is there
                del self._sightings[version.name]
                continue
            with self._handing:
                if self._pausing.is_set():
                    return
                sighting.stage = "delivered"
                self.counts.delivered += 1
                self._hand_on(self._delivery(key, sighting, content))
        self._note("files", unreadable)

    def _hand_on(self, delivery: Delivery) -> None:
        deliver = self._deliver
        if deliver is None:
            return
        self._waiting_since_s = time.monotonic()
        try:
            deliver(delivery)
        finally:
            self._waiting_since_s = None
            self._last_look_s = time.monotonic()

    def _read(self, version: Version) -> bytes | None:
        """The file's bytes, one more than allowed at most; None when it is not the version that was seen."""
        limit = self._station.limits.max_bytes + 1
        try:
            # neither a link nor a pipe that took the name's place may lead or hold us elsewhere
            handle = os.open(version.path(self._root), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(handle, "rb") as file:
            before = os.fstat(handle)
            content = file.read(limit) if stat.S_ISREG(before.st_mode) else b""
            after = os.fstat(handle)
        same = all(version.is_of(status) for status in (before, after))
        return content if same and len(content) == min(version.size, limit) else None

    def _delivery(self, key: str, sighting: _Sighting, content: bytes) -> Delivery:
        station, version = self._station, sighting.version
        name = shown(version.name)
        product = station.product
        if sighting.backlog and self._product_of is not None:
            product = self._product_of(version.mtime_ns // 1_000)
        frame = Frame(
            key=key,
            line=station.line,
            station=station.name,
            part_id=Path(name).stem,
            product=product,
            captured=sighting.first_seen,
            encoded=content,
            name=name,
            written=sighting.written,
        )
        quarantined: tuple[Quarantined, ...] = ()
        if version.size > station.limits.max_bytes:
            detail = f"{version.size} bytes; the limit is {station.limits.max_bytes} (limits.max_bytes)"
            poison = Quarantined(key, self.name, name, "image_too_large", detail, content[:_KEPT_OF_POISON])
            quarantined = (poison,)
        return Delivery(
            source=self.name,
            token=version,
            received_mono_ns=sighting.first_seen.mono_ns,
            frames=(frame,),
            quarantined=quarantined,
        )

    def _settle_acknowledged(self) -> None:
        """Remember, and move where that is asked for, what is durable."""
        done_path = self._folder.done_path
        while self._acknowledged:
            version = self._acknowledged.popleft()
            sighting = self._sightings.get(version.name)
            if sighting is not None and sighting.version == version:
                sighting.stage = "done"
            if done_path is not None:
                self._to_move[version] = _Attempt()
        if done_path is not None:
            self._move(Path(done_path))

    def _move(self, done: Path) -> None:
        now_s = time.monotonic()
        for version, attempt in list(self._to_move.items()):
            if now_s < attempt.not_before_s:
                continue
            try:
                self.counts.moved += move_aside(version, self._root, done)
            except OSError as error:
                self.counts.failures += not attempt.problem
                self._to_move[version] = _Attempt(now_s + _MOVE_AGAIN_S, error.strerror or str(error))
                continue
            del self._to_move[version]
        self._note("moves", [f"{shown(v.name)}: {tried.problem}" for v, tried in self._to_move.items()])

    def _failed(self, key: str, problem: str) -> None:
        self.counts.failures += 1
        if self._problems.get(key) != problem:
            log.warning("folder problem", source=self.name, problem=problem)
        self._problems[key] = problem

    def _note(self, what: str, problems: list[str]) -> None:
        """Say which things of one kind cannot be handled at present; they are tried again at every look."""
        if not problems:
            self._problems.pop(what, None)
            return
        text = f"{len(problems)} {what} cannot be handled and wait: {problems[0]}"
        if what not in self._problems:
            log.warning("folder problem", source=self.name, problem=text)
        self._problems[what] = text


def effect_key(station: StationSettings, version: Version) -> str:
    """The key of the inspection that a version of a file becomes, the same after every restart."""
    identity = b"%d\0%d\0" % (version.size, version.mtime_ns) + version.name
    return f"{station.line}/{station.name}/image/{hashlib.sha256(identity).hexdigest()[:32]}"
