"""What waits for the writer: bounded, in order, put and taken many at once so that one lock serves many messages."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")


class WriterQueue(Generic[Item]):
    """A bounded queue of items that have a weight. Any thread may put, one takes.

    Args:
        most: a put waits while this many items or more are there; it is never split, so that it may overshoot once.
        weigh: weight of an item, as `take` counts it.
        count: how many an item counts for, where it stands for several.

    >>> waiting = WriterQueue[str](most=10, weigh=len)
    >>> waiting.put(["a", "bcd", "e"], timeout_s=0)
    True
    >>> waiting.take(most=5, weight=3, timeout_s=0), len(waiting)
    (['a', 'bcd'], 1)
    """

    def __init__(self, most: int, weigh: Callable[[Item], int], count: Callable[[Item], int] | None = None) -> None:
        self._most = most
        self._weigh = weigh
        self._count = count or _one
        self._waiting = 0
        self._items: deque[Item] = deque()
        lock = threading.Lock()
        self._not_full = threading.Condition(lock)
        self._not_empty = threading.Condition(lock)

    def __len__(self) -> int:
        return self._waiting

    def put(self, items: Sequence[Item], timeout_s: float) -> bool:
        """Add items, all or none; False when there was no room in time."""
        with self._not_full:
            if not self._not_full.wait_for(self._has_room, timeout_s):
                return False
            self._items.extend(items)
            self._waiting += sum(map(self._count, items))
            self._not_empty.notify()
        return True

    def take(self, most: int, weight: int, timeout_s: float) -> list[Item]:
        """Take the first items: none after `most` or `weight` is reached; empty when nothing came in time."""
        taken: list[Item] = []
        with self._not_empty:
            if not self._not_empty.wait_for(self._items.__len__, timeout_s):
                return taken
            counted = carried = 0
            while self._items and counted < most and carried < weight:
                item = self._items.popleft()
                counted += self._count(item)
                carried += self._weigh(item)
                taken.append(item)
            self._waiting -= counted
            if self._has_room():
                self._not_full.notify_all()
        return taken

    def _has_room(self) -> bool:
        return self._waiting < self._most


def _one(_: object) -> int:
    return 1
