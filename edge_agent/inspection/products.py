"""Which product was before a station, and when: what chooses the recipe of a frame that does not name its product."""

from __future__ import annotations

import threading
from bisect import bisect_right

import msgspec

from edge_agent.instant import Instant

REMEMBERED_CHANGES = 1_000
REMEMBERED_KEYS = 4_096


class _Change(msgspec.Struct, frozen=True):
    heard: Instant
    product: str


class ProductLog:
    """Product changes by station, in the order they were heard; any thread.

    A frame belongs to the product whose change was heard last before it was captured: by the monotonic clock within
    one boot, by the wall clock for what the store keeps of an earlier one.

    >>> from edge_agent.instant import Instant
    >>> log = ProductLog()
    >>> log.hear("end", "bracket-b", Instant(2_000_000, 2_000, "boot"))
    True
    >>> [log.at("end", Instant(2_000_000, mono_ns, "boot"), "bracket-a") for mono_ns in (1_999, 2_000)]
    ['bracket-a', 'bracket-b']
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, list[_Change]] = {}
        self._keys: dict[str, None] = {}

    def hear(self, station: str, product: str, heard: Instant, key: str = "") -> bool:
        """A change; False where it says nothing new: the product in force, or a `key` that was heard before."""
        with self._lock:
            known = self._changes.get(station, [])
            if (key and key in self._keys) or (known and known[-1].product == product):
                if key:
                    self._remember(key)
                return False
            if key:
                self._remember(key)
            # a new list, so that a reader never sees one that changes
            self._changes[station] = [*known[-REMEMBERED_CHANGES + 1 :], _Change(heard, product)]
            return True

    def at(self, station: str, moment: Instant, before: str) -> str:
        """The product at a moment; `before` holds until the first change."""
        changes = self._changes.get(station, [])
        same_boot = [change for change in changes if change.heard.boot_id == moment.boot_id]
        # messages of one look at the network share the monotonic time, and their wall times keep their order
        places = [(change.heard.mono_ns, change.heard.utc_us) for change in same_boot]
        place = bisect_right(places, (moment.mono_ns, moment.utc_us))
        if place:
            return same_boot[place - 1].product
        earlier = [change for change in changes if change.heard.boot_id != moment.boot_id]
        place = bisect_right([change.heard.utc_us for change in earlier], moment.utc_us)
        return earlier[place - 1].product if place else before

    def at_time(self, station: str, utc_us: int, before: str) -> str:
        """The product at a time of the wall clock, for what was captured before this process began."""
        product = before
        for change in self._changes.get(station, []):
            if change.heard.utc_us <= utc_us:
                product = change.product
        return product

    def newest(self, station: str, before: str) -> str:
        """The product in force."""
        changes = self._changes.get(station)
        return changes[-1].product if changes else before

    def _remember(self, key: str) -> None:
        self._keys[key] = None
        if len(self._keys) > REMEMBERED_KEYS:
            self._keys.pop(next(iter(self._keys)))
