"""A running agent for benchmarks: its processes, its commands, and its event feed as any other reader sees it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.events import RecordedEvent, decode_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

ROOT = Path(__file__).parents[1]
READY_S = 120.0
STILL_S = 180.0  # no new event for this long while some are missing: something is wrong


class Children:
    """Processes of ours, ended with us, the last one first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[subprocess.Popen[str]] = []

    def start(self, name: str, *arguments: str) -> dict[str, Any]:
        """Start `python -m ...` and return the JSON line it prints when it is ready."""
        log = (self._logs / f"{name}.log").open("w")
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        log.close()
        self._running.append(child)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_pass_on, args=(child, lines), daemon=True).start()
        deadline_s = time.monotonic() + READY_S
        while time.monotonic() < deadline_s and child.poll() is None:
            with contextlib.suppress(queue.Empty):
                ready: dict[str, Any] = json.loads(lines.get(timeout=0.5))
                return ready
        sys.exit(f"{name} did not get ready; the end of its log:\n{self.tail(name)}")

    def tail(self, name: str) -> str:
        """The last lines of a child's log."""
        return "\n".join((self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """End all, in reverse order of their start."""
        for child in reversed(self._running):
            child.terminate()
            try:
                child.wait(timeout=40)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _pass_on(child: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    for line in child.stdout or ():
        lines.put(line)


def command(*arguments: str) -> tuple[dict[str, Any], float]:
    """Run a command of ours to its end; returns its JSON document and its duration in seconds."""
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *arguments, "--json"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document, time.monotonic() - began_s


class Feed:
    """The agent's event feed, read as any other reader would."""

    def __init__(self, page: str) -> None:
        self._url = page + "api/events"
        self._metrics_url = page + "metrics"
        self._after = 0
        self.events: list[RecordedEvent] = []

    def read(self) -> int:
        """Read what is new; returns how many events."""
        before = len(self.events)
        while True:
            with urllib.request.urlopen(f"{self._url}?after={self._after}&limit=5000", timeout=30) as answer:  # noqa: S310
                lines = answer.read().splitlines()
                self._after = int(answer.headers["Lineproof-Next-After"])
            self.events += [decode_recorded(line) for line in lines if line]
            if not lines:
                return len(self.events) - before

    def metric(self, name: str) -> float:
        """A metric without labels, as Prometheus would read it now."""
        with urllib.request.urlopen(self._metrics_url, timeout=30) as answer:  # noqa: S310 - our own agent's page
            lines: list[str] = answer.read().decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    def wait(self, complete: Callable[[], bool], what: str) -> None:
        """Read until `complete`, as long as events keep coming."""
        moved_s = time.monotonic()
        while not complete():
            if self.read():
                moved_s = time.monotonic()
            elif time.monotonic() - moved_s > STILL_S:
                sys.exit(f"{what}: no new event for {STILL_S:.0f} s")
            else:
                time.sleep(0.2)

    def bodies(self, kind: type) -> Iterator[tuple[datetime, Any]]:
        """Time and body of every event of a kind, in feed order."""
        for recorded in self.events:
            if isinstance(recorded.event.body, kind):
                yield recorded.event.occurred_at, recorded.event.body
