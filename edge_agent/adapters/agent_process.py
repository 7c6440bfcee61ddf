"""Which process runs the agent of a data folder, and what it answered to its newest reload.

The file `agent.pid` is locked for as long as the process lives, however it ends, so that no other process is ever taken
for the agent. The answer lies in `reload.json` beside it, replaced whole.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import ConfigError, UnreachableError
from edge_agent.system_state import ReloadState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PID_FILE, ANSWER_FILE = "agent.pid", "reload.json"
_LOOK_S = 0.05
_LOCK_S = 1.0


class Answer(msgspec.Struct, frozen=True):
    """What a process answered to a reload."""

    pid: int
    reload: ReloadState


class AgentProcess:
    """This process, as the agent of a data folder; made by `hold`."""

    def __init__(self, data: Path) -> None:
        self._data = data

    @classmethod
    @contextmanager
    def hold(cls, data: Path) -> Iterator[AgentProcess]:
        """Name this process in the folder until the context ends.

        Raises:
            ConfigError: the folder cannot be used.
        """
        try:
            data.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(data / PID_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigError(
                f"the data folder cannot be used: {error.strerror}",
                field="agent.data_dir",
                value=str(data),
                hint="make the folder, writable by the agent",
            ) from error
        try:
            if _locked(descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield cls(data)  # where another agent has the folder, its store says so better
        finally:
            os.close(descriptor)

    def answer(self, reload: ReloadState) -> None:
        """Leave what became of a reload."""
        draft = self._data / f"{ANSWER_FILE}.tmp"
        draft.write_bytes(msgspec.json.encode(Answer(os.getpid(), reload)))
        draft.replace(self._data / ANSWER_FILE)


def ask_reload(data: Path, timeout_s: float) -> ReloadState:
    """Have the agent of a data folder reload, and wait for its answer.

    Raises:
        UnreachableError: no agent runs there, it is another user's, or it does not answer in time.
    """
    pid = running_pid(data)
    if pid is None:
        raise UnreachableError(
            f"no agent runs with its data in {data}",
            hint="start it; a change of agent.data_dir needs a restart: name the old folder with --data-dir",
        )
    before = _answer(data, pid)
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError as error:
        raise UnreachableError(
            f"the agent (process {pid}) is another user's", hint="run the command as the agent's user, or as root"
        ) from error
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        answer = _answer(data, pid)
        if answer is not None and (before is None or answer.reload.number > before.reload.number):
            return answer.reload
        if running_pid(data) != pid:
            raise UnreachableError("the agent ended during the reload", hint="see its log")
        time.sleep(_LOOK_S)
    raise UnreachableError(
        f"the agent (process {pid}) has not answered within {timeout_s:g} s",
        hint="it may still load models: see its page and log, or wait longer with --timeout",
    )


def running_pid(data: Path) -> int | None:
    """The process that runs the agent of a data folder, None when there is none."""
    try:
        descriptor = os.open(data / PID_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock; a command that looks whether somebody has it holds it for an instant."""
    until_s = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until_s:
                return False
            time.sleep(_LOOK_S)
        else:
            return True


def _answer(data: Path, pid: int) -> Answer | None:
    """The newest answer of this process; that of an earlier one is none."""
    try:
        answer = msgspec.json.decode((data / ANSWER_FILE).read_bytes(), type=Answer)
    except (OSError, msgspec.DecodeError):
        return None
    return answer if answer.pid == pid else None
