"""What lies in a watched folder, and moving it aside, without following a link out of it."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE_SUFFIXES = frozenset({b".png", b".jpg", b".jpeg", b".bmp", b".tif", b".tiff", b".webp"})
_UNFINISHED_SUFFIXES = (b".tmp", b".part", b".partial", b".crdownload", b".filepart", b"~")
_MAX_DEPTH = 32


class Version(msgspec.Struct, frozen=True):
    """One file as it was at one time.

    Attributes:
        name: path within the folder, as the file system's own bytes with `/` between.
        size: bytes.
        mtime_ns: time of the last change, nanoseconds, by the file system's clock.
    """

    name: bytes
    size: int
    mtime_ns: int

    def path(self, root: Path) -> bytes:
        """Where the file is."""
        return os.path.join(os.fsencode(root), self.name)  # noqa: PTH118 - names are bytes, which Path cannot hold

    def is_of(self, status: os.stat_result) -> bool:
        """Whether a file's status is of this version."""
        return stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


class Listing(msgspec.Struct, frozen=True):
    """One look at the folder.

    Attributes:
        images: files with an image's suffix, unordered.
        foreign: names of other files that are complete, by name; hidden and unfinished files are passed over.
        unreadable: subfolders that could not be listed, with the reason.
    """

    images: tuple[Version, ...] = ()
    foreign: tuple[bytes, ...] = ()
    unreadable: tuple[tuple[bytes, str], ...] = ()


def list_images(root: Path) -> Listing:
    """List a folder and its subfolders. Links are not followed, and pipes and devices are not files.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    images: list[Version] = []
    foreign: list[bytes] = []
    unreadable: list[tuple[bytes, str]] = []
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(_entries(root, folder))
        except OSError as error:
            if not folder:
                raise
            unreadable.append((folder, error.strerror or str(error)))
            continue
        for entry in entries:
            name = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                if name.count(b"/") < _MAX_DEPTH:
                    waiting.append(name + b"/")
            elif entry.is_file(follow_symlinks=False):
                if os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:  # noqa: PTH122 - names are bytes
                    foreign.append(name)
                    continue
                version = _version(entry, name)
                if version is not None:
                    images.append(version)
    return Listing(tuple(images), tuple(sorted(foreign)), tuple(unreadable))


def move_aside(version: Version, root: Path, done: Path) -> bool:
    """Move a version to the same place under `done`, overwriting nothing; False when it is no longer there.

    A taken name gets a mark made of the version. One rename, so the file is always at one of the two places; a file
    that changed at the last moment is put back, because nobody has judged it.

    Raises:
        OSError: it cannot be moved now (another file system, no permission); it is where it was.
    """
    source = version.path(root)
    try:
        if not version.is_of(os.lstat(source)):
            return False
    except FileNotFoundError:
        return False
    target = version.path(done)
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - names are bytes
    if os.path.lexists(target):
        target = _marked(target, version)
    os.rename(source, target)  # noqa: PTH104 - names are bytes
    if version.is_of(os.lstat(target)):
        return True
    os.rename(target, _marked(source, version) if os.path.lexists(source) else source)  # noqa: PTH104 - names are bytes
    return False


def shown(name: bytes) -> str:
    r"""A name for people and for JSON: what is no UTF-8 is replaced, what is no printable character too.

    >>> shown(b"lot 7/part-1.png"), shown(b"x\xff\n.png")
    ('lot 7/part-1.png', 'x��.png')
    """
    text = name.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "�" for character in text)


def _entries(root: Path, folder: bytes) -> Iterator[os.DirEntry[bytes]]:
    with os.scandir(os.path.join(os.fsencode(root), folder)) as entries:  # noqa: PTH118 - names are bytes
        for entry in entries:
            if not entry.name.startswith(b".") and not entry.name.lower().endswith(_UNFINISHED_SUFFIXES):
                yield entry


def _version(entry: os.DirEntry[bytes], name: bytes) -> Version | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # gone since the folder was listed
    return Version(name, status.st_size, status.st_mtime_ns)


def _marked(path: bytes, version: Version) -> bytes:
    stem, suffix = os.path.splitext(path)  # noqa: PTH122 - names are bytes
    mark = hashlib.sha256(b"%d\0%d\0" % (version.size, version.mtime_ns) + version.name).hexdigest()[:8]
    return stem + b"." + mark.encode() + suffix
