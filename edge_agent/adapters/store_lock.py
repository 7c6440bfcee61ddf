"""Keeps two agents from writing one store."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_agent.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def folder_errors(path: Path) -> Iterator[None]:
    """Turn the folder's errors into the store's."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the folder of store {path.name} cannot be used: {error}",
            field="store.path",
            value=str(path),
            hint="check the folder, its permissions and the free space",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_lock(path: Path) -> int:
    """Take the store's lock file and return its descriptor; the kernel lets go when the process ends, however it ends.

    Raises:
        StoreBusyError: another agent has the store open.
        StoreError: the folder cannot be used.
    """
    with folder_errors(path):
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreBusyError(
            f"store {path.name} is open in another agent",
            field="store.path",
            value=str(path),
            hint="stop the other agent, or give this one its own store",
        ) from error
    return descriptor
