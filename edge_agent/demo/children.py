"""The demo's child processes: started in groups of their own, watched, and all ended with the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_S = 10.0
LAST_LINES = 15
POLL_S = 0.05
DONE = frozenset({0})


class ChildDiedError(AgentError):
    """A child process ended when it should not have, or with a fault; the message carries its last log lines."""


class Child(msgspec.Struct, frozen=True):
    """A running process with its log; stdout is `log` too, unless it was started for its answer."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """Starts processes and ends them all, newest first; only processes started here are ever signalled.

    Every child has a process group of its own, so that Ctrl-C in the terminal reaches the demo alone, which then ends
    them in order. Its stdin is a pipe from the demo: should the demo be killed, those that watch their stdin end too.

    Args:
        logs: folder for one log file a child.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []

    def start(self, name: str, command: Sequence[str], *, answers: bool = False) -> Child:
        """Start a process that runs until it is stopped; with `answers` its stdout is a pipe to read from."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if answers else file,
                stderr=file,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._running.append(child)
        return child

    def first_line(self, child: Child) -> bytes:
        """The first line a child started with `answers` prints.

        Raises:
            ChildDiedError: it ended without a line.
        """
        line = child.process.stdout.readline() if child.process.stdout else b""
        if not line.strip():
            child.process.wait(STOP_S)
            raise self._died(child)
        return line

    def finish(
        self, child: Child, deadline_s: float, *, accepted: frozenset[int] = DONE, beside: Sequence[Child] = ()
    ) -> int:
        """Wait until a child has done its work; returns its exit status.

        Meanwhile no other child may end, except that those `beside` it may have done their own work.

        Raises:
            ChildDiedError: it ended with a status that is not accepted, or not in time, or another child died.
        """
        until = time.monotonic() + deadline_s
        while (status := child.process.poll()) is None:
            if time.monotonic() > until:
                raise ChildDiedError(f"{child.name} is not done after {deadline_s:.0f} s", hint=_hint(child))
            self.check(ending=(child, *beside))
            time.sleep(POLL_S)
        self._running.remove(child)
        _close(child)
        if status not in accepted:
            raise self._died(child)
        return status

    def check(self, ending: Sequence[Child] = ()) -> None:
        """Look after all children but those that are meant to end.

        Raises:
            ChildDiedError: one that should run has ended.
        """
        for child in self._running:
            if child not in ending and child.process.poll() is not None:
                raise self._died(child)

    def stop_all(self) -> None:
        """End every child: SIGTERM to its group, newest first, and SIGKILL to what is left after ten seconds."""
        until = time.monotonic() + STOP_S
        for child in reversed(self._running):
            _signal_group(child, signal.SIGTERM)
        for child in reversed(self._running):
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.process.wait()
            _close(child)
        self._running.clear()

    def stop(self, child: Child) -> None:
        """End one child."""
        _signal_group(child, signal.SIGTERM)
        try:
            child.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
        _close(child)
        self._running.remove(child)

    def _died(self, child: Child) -> ChildDiedError:
        lines = child.log.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:]
        said = "\n".join(f"    {line}" for line in lines) or "    (it logged nothing)"
        return ChildDiedError(
            f"{child.name} ended with status {child.process.returncode}. Its last lines:\n{said}\n", hint=_hint(child)
        )


def _hint(child: Child) -> str:
    return f"the whole log is {child.log}"


def _signal_group(child: Child, number: signal.Signals) -> None:
    if child.process.poll() is None:  # not reaped, so the id still belongs to our child
        os.killpg(child.process.pid, number)


def _close(child: Child) -> None:
    for stream in (child.process.stdin, child.process.stdout):
        if stream is not None:
            stream.close()
