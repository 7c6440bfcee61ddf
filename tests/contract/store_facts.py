"""Facts that store tests commit, and the child process that commits them until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.events import Disposition, Event, Inspection, VerdictName
from edge_agent.instant import Instant, from_us
from edge_agent.ports import Batch, OutboxMessage, Quarantined
from edge_agent.readings import Channel, Reading, SequenceMark

T0 = 1_700_000_400_000_000  # start of a minute and of a 600-second block
SECOND = 1_000_000
CHANNEL = Channel("press-1", "pump", "temperature", "Cel")
EVENTS_A_BATCH = 20


def at(seconds: float = 0.0) -> Instant:
    return Instant(T0 + round(seconds * SECOND), 5_000 + round(seconds * 1e9), "boot-1")


def inspection(key: str, verdict: VerdictName = "PASS", line: str = "press-1", second: float = 0.0) -> Event:
    body = Inspection(
        "cam-1", f"part-{key}", "bracket", verdict, "score_below_review", "live", score=0.25, threshold=1.0
    )
    return Event(key, line, from_us(T0 + round(second * SECOND)), body)


def disposition(key: str, inspection_key: str, line: str = "press-1") -> Event:
    return Event(key, line, from_us(T0), Disposition(inspection_key, "good", None, "kim"))


def reading(second: float, value: float = 1.0, quality: int = 0, channel: Channel = CHANNEL) -> Reading:
    return Reading(channel, T0 + round(second * SECOND), value, quality)


def message(key: str, subject_key: str = "") -> OutboxMessage:
    return OutboxMessage(
        key, subject_key, "plant/press-1/verdict", b"\x00{}", T0, "press-1", deadline_ms=250.0, on_late="divert"
    )


def poison(key: str) -> Quarantined:
    return Quarantined(key, "plant-mqtt", "plant/press-1/temperature", "not_json", "expected a value", b"\xff\x00")


def mark(number: int, source: str = "plc-1", epoch: str = "e1") -> SequenceMark:
    return SequenceMark(source, epoch, number)


def numbered_batch(number: int) -> Batch:
    """Everything a batch can hold, recognisable by its number; its outbox message settles the one before."""
    events = [inspection(f"b{number}-{index}") for index in range(EVENTS_A_BATCH)]
    return Batch(
        at(number),
        events=events,
        readings=[reading(number + index / 10, float(index)) for index in range(10)],
        marks=[mark(number)],
        outbox=[message(f"out-{number}", events[0].key)],
        settled=[f"out-{number - 1}"],
        quarantined=[poison(f"bad-{number}")],
    )


def main() -> None:
    """Commit numbered batches to a store for ever, printing each number once its commit has returned."""
    path, first = Path(sys.argv[1]), int(sys.argv[2])
    store = SqliteStore.open(path)
    number = first
    while True:
        store.commit(numbered_batch(number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        store.compact(at(number))
        number += 1


if __name__ == "__main__":
    main()
