"""The secret seed of the random audit, in a file of its own that only the agent may read."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from edge_agent.errors import ConfigError
from edge_agent.inspection.sampling import SEED_BYTES

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY = 0o600


def read_or_make_seed(path: Path) -> bytes:
    """The seed in a file; made there, durably, when there is none yet.

    It is written under another name and linked into place, so that a power cut leaves a whole seed or none, and of two
    agents that start at once one wins and both read the same.

    Raises:
        ConfigError: the file cannot be read or written, holds something else, or is open to others.
    """
    try:
        try:
            return _read(path)
        except FileNotFoundError:
            _make(path)
            return _read(path)
    except OSError as error:
        raise ConfigError(
            f"the audit's seed cannot be kept: {error.strerror or error}",
            field="agent.data_dir",
            value=str(path),
            hint="make the data folder writable for the agent",
        ) from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        open_to_others = os.fstat(file.fileno()).st_mode & 0o077
        seed = file.read(SEED_BYTES + 1)
    if len(seed) != SEED_BYTES:
        raise ConfigError(
            f"{path.name} holds {len(seed)} bytes and not a seed of {SEED_BYTES}",
            field="agent.data_dir",
            value=str(path),
            hint="restore it from a backup; without one, remove it, and later draws are made with a new seed",
        )
    if open_to_others:
        raise ConfigError(
            f"{path.name} can be read by others, who could tell which parts will be audited",
            field="agent.data_dir",
            value=str(path),
            hint=f"chmod 600 {path}",
        )
    return seed


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SEED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
