"""However long the broker is away, memory holds so many messages and the store the rest; all go out once, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.errors import StoreBusyError
from edge_agent.instant import Instant
from edge_agent.ports import Batch, LinkHealth, OutboxMessage
from edge_agent.workers.deliveries import DeliveryWatch
from edge_agent.workers.outbox_feed import OutboxFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = Instant(1_800_000_000_000_000, 0, "boot-1")
IN_HAND, URGENT = 10, 14


class HandSink:
    """A broker that takes messages when the test says so."""

    name = "sink"

    def __init__(self) -> None:
        self.sent: list[str] = []

    def start(self, settled: Callable[[str], None]) -> None:
        raise NotImplementedError

    def send(self, message: OutboxMessage) -> None:
        self.sent.append(message.key)

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        raise NotImplementedError

    def health(self) -> LinkHealth:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class Bench:
    """A real store and watch, and a feed of a few messages."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore.open(folder / "lineproof.sqlite")
        self.sink, self.watch = HandSink(), DeliveryWatch()
        self.feed = self.new_feed()

    def new_feed(self) -> OutboxFeed:
        return OutboxFeed(self.store, self.sink, self.watch, in_hand=IN_HAND, urgent_in_hand=URGENT)

    def commit(self, *keys: str, deadline_ms: float | None = None) -> None:
        messages = [OutboxMessage(key, "", "t", b"p", NOW.utc_us, "l", deadline_ms=deadline_ms) for key in keys]
        self.feed.offer(self.store.commit(Batch(NOW, outbox=messages)).outbox, NOW)
        self.feed.top_up(NOW)

    def settle(self, count: int) -> None:
        waiting = [key for key in self.sink.sent if key in self.watch][:count]
        for key in waiting:
            self.watch.settled(key, NOW)
        self.store.commit(Batch(NOW, settled=waiting))
        self.feed.top_up(NOW)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def test_what_waits_longer_waits_in_the_store_and_goes_out_once_in_order(bench: Bench) -> None:
    keys = [f"m-{n:02}" for n in range(57)]
    for first in range(0, 57, 3):
        bench.commit(*keys[first : first + 3])
        assert bench.watch.pending <= IN_HAND
    assert bench.sink.sent == keys[:IN_HAND]
    assert bench.store.totals().outbox_pending == 57
    while bench.watch.pending:
        bench.settle(3)
        assert bench.watch.pending <= IN_HAND
    assert bench.sink.sent == keys
    assert not bench.feed.behind
    bench.commit("later")
    assert bench.sink.sent[-1] == "later"


def test_one_with_a_deadline_does_not_wait_behind_those_without(bench: Bench) -> None:
    bench.commit(*(f"m-{n:02}" for n in range(30)))
    bench.commit(*(f"reject-{n}" for n in range(6)), deadline_ms=2_000.0)
    assert bench.sink.sent[IN_HAND:] == ["reject-0", "reject-1", "reject-2", "reject-3"]
    assert bench.watch.pending == URGENT
    while bench.watch.pending:
        bench.settle(4)
    assert sorted(bench.sink.sent) == sorted({*(f"m-{n:02}" for n in range(30)), *(f"reject-{n}" for n in range(6))})
    assert bench.store.pending_outbox() == []


def test_messages_of_the_last_run_go_out_first(bench: Bench) -> None:
    bench.commit(*(f"m-{n:02}" for n in range(25)))
    bench.sink.sent.clear()
    bench.watch = DeliveryWatch()
    bench.feed = bench.new_feed()
    bench.feed.look_again()
    bench.feed.top_up(NOW)
    bench.commit("new")
    while bench.watch.pending:
        bench.settle(IN_HAND)
    assert bench.sink.sent == [*(f"m-{n:02}" for n in range(25)), "new"]


def test_an_outbox_that_cannot_be_read_now_is_read_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.commit(*(f"m-{n:02}" for n in range(12)))

    def busy(limit: int | None = None) -> list[OutboxMessage]:
        raise StoreBusyError(f"not {limit} now", hint="again")

    with monkeypatch.context() as cut:
        cut.setattr(bench.store, "pending_outbox", busy)
        bench.settle(IN_HAND)
    assert len(bench.sink.sent) == IN_HAND
    bench.feed.top_up(NOW)
    assert bench.sink.sent == [f"m-{n:02}" for n in range(12)]
