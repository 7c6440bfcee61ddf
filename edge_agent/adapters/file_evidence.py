"""Evidence images as files named by the sha256 of their bytes (`ab/abcdef...`), synced before `put` returns."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_INCOMING = "incoming"  # unfinished files; never two letters long, so no digest leads here

JUST_PUT_S = 900.0
"""An image that was put so recently may belong to an inspection that is not committed yet, and is not removed."""

_log = structlog.get_logger(__name__)


class FileEvidence:
    """ports.EvidenceStore in a folder. Thread-safe; one process owns the folder.

    Args:
        folder: made when absent; files that a crash left unfinished are removed.
        damaged: told the digest of a file whose bytes no longer match it; the file stays where it is.

    Raises:
        StoreError: the folder cannot be used.
    """

    def __init__(self, folder: Path, *, damaged: Callable[[str], None] | None = None) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING
        self._damaged = damaged
        self._lock = threading.Lock()  # a removal and a put of the same bytes come one after the other
        self._just_put: dict[str, float] = {}  # monotonic time, oldest first
        self._size_bytes: int | None = None
        self._halted = ""
        with self._disk_errors("opening the folder"):
            self._incoming.mkdir(parents=True, exist_ok=True)
            for left in self._incoming.iterdir():
                left.unlink()
            for number in range(256):  # all at once, so that a put has no folder of its own to make durable
                (folder / f"{number:02x}").mkdir(exist_ok=True)
            _sync_folder(folder)
            _sync_folder(folder.parent)

    def put(self, content: bytes) -> str:
        """Keep bytes durably and return their digest; the same bytes are kept once, a damaged copy is replaced.

        Raises:
            StoreError: the disk is full or failed; nothing is kept under the digest that was not there before.
        """
        if self._halted:
            raise StoreError(f"no image is kept: {self._halted}", hint="free disk space; images are kept again then")
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        self._note_put(digest)
        with self._disk_errors("keeping an image"):
            if _read(path) != content:
                before = _size(path)
                self._write(path, content)
                self._grow(len(content) - before)
            # Synced for the copy that was there too: its writer may be a thread that has not come this far.
            _sync_folder(path.parent)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None when they are not (or no longer) kept, or not what the digest says.

        Anything but 64 lower-case hex digits names nothing and never becomes a path.

        Raises:
            StoreError: the disk failed.
        """
        if _DIGEST.match(digest) is None:
            return None
        with self._disk_errors("reading an image"):
            content = _read(self._path(digest))
        if content is not None and hashlib.sha256(content).hexdigest() != digest:
            _log.error("evidence is damaged", digest=digest)
            if self._damaged is not None:
                self._damaged(digest)
            return None
        return content

    # ---- keeping ------------------------------------------------------------------------------------------------

    def halt(self, why: str) -> None:
        """Take no more images, and say why; an empty reason takes them again."""
        self._halted = why

    def size(self, digest: str) -> int:
        """Bytes on disk, 0 when it is not kept."""
        with self._disk_errors("looking at an image"):
            return _size(self._path(digest))

    def remove(self, digest: str) -> int | None:
        """Remove an image; returns the bytes given back, None where it was put again just now and stays."""
        with self._lock, self._disk_errors("removing an image"):
            if digest in self._just_put and time.monotonic() - self._just_put[digest] < JUST_PUT_S:
                return None
            path = self._path(digest)
            size = _size(path)
            path.unlink(missing_ok=True)
        self._grow(-size)
        return size

    def size_bytes(self) -> int:
        """Bytes of all images; the first call looks at every file."""
        if self._size_bytes is None:
            with self._lock:
                self._size_bytes = 0  # what is put while we look counts from now on
            seen = sum(entry.stat().st_size for entry in self._files())
            self._grow(seen)
        return self._size_bytes

    def unattended(self, older_than_s: float) -> Sequence[str]:
        """Digests of files not touched for so long by the wall clock."""
        before_s = time.time() - older_than_s
        return [entry.name for entry in self._files() if entry.stat().st_mtime < before_s]

    def _files(self) -> Iterator[os.DirEntry[str]]:
        with self._disk_errors("looking through the images"):
            for number in range(256):
                with os.scandir(self._folder / f"{number:02x}") as entries:
                    yield from (entry for entry in entries if _DIGEST.match(entry.name))

    def _note_put(self, digest: str) -> None:
        now_s = time.monotonic()
        with self._lock:
            self._just_put.pop(digest, None)
            self._just_put[digest] = now_s
            while now_s - next(iter(self._just_put.values())) > JUST_PUT_S:
                del self._just_put[next(iter(self._just_put))]

    def _grow(self, added_bytes: int) -> None:
        with self._lock:
            if self._size_bytes is not None:
                self._size_bytes += added_bytes

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _write(self, path: Path, content: bytes) -> None:
        unfinished = self._incoming / f"{path.name}.{os.urandom(8).hex()}"
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    @contextmanager
    def _disk_errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"evidence folder failed while {doing}: {error.strerror or error}",
                field="evidence.folder",
                value=str(self._folder),
                hint="check the folder, its permissions and the free space",
            ) from error


def _read(path: Path) -> bytes | None:
    """The file's bytes, None when there is none; a link is refused, so that no name leads out of the folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
