"""Which of a publisher's message numbers have arrived, as an interval set that says what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_RANGES = 256  # a ledger of one publisher stays under about 8 KB as text, however bad the network


class NumberRange(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Message numbers from `first` to `last`, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


class SequenceLedger(msgspec.Struct, frozen=True):
    """The numbers received from one publisher within one epoch.

    The lowest number received starts the ledger: nothing is missing before it. A hole is what lies between two
    ranges. Ledgers of the same numbers are equal in whatever order and however often the numbers arrived, as long
    as fewer than `MAX_RANGES` ranges are open; beyond that the oldest hole is given up.

    Attributes:
        ranges: in rising order, never touching.
        written_off: numbers in holes that were given up to keep the ledger small; they stay counted as missing,
            and one that arrives after all is taken as a duplicate.
    """

    ranges: tuple[NumberRange, ...] = ()
    written_off: int = 0

    def holes(self) -> tuple[NumberRange, ...]:
        """The open holes, in rising order."""
        pairs = zip(self.ranges, self.ranges[1:], strict=False)
        return tuple(NumberRange(below.last + 1, above.first - 1) for below, above in pairs)

    @property
    def missing(self) -> int:
        """How many numbers are missing now."""
        if len(self.ranges) < 2:  # noqa: PLR2004 - two ranges make the first hole
            return self.written_off
        span = self.ranges[-1].last - self.ranges[0].first + 1
        return self.written_off + span - sum(map(len, self.ranges))


class Receipt(msgspec.Struct, frozen=True):
    """What numbers did to a ledger.

    Attributes:
        ledger: the ledger after them.
        opened: holes that did not exist before, in rising order. A late number that fills or splits a known hole
            opens nothing.
    """

    ledger: SequenceLedger
    opened: tuple[NumberRange, ...]


def receive(ledger: SequenceLedger, numbers: Iterable[int], *, max_ranges: int = MAX_RANGES) -> Receipt:
    """Enter numbers that arrived together; their order does not matter, so a swap within them is no hole.

    >>> first = receive(SequenceLedger(), [7, 8, 11])
    >>> first.opened, first.ledger.missing
    ((NumberRange(first=9, last=10),), 2)
    >>> late = receive(first.ledger, [9])
    >>> late.opened, late.ledger.missing
    ((), 1)
    """
    before = ledger.ranges
    ranges = _merged(before, [NumberRange(number, number) for number in set(numbers)])
    opened: tuple[NumberRange, ...] = ()
    if ranges != before:
        holes = SequenceLedger(ranges).holes()
        # Both ends of the old span were received, so a hole lies wholly inside it (known) or wholly outside (new).
        opened = tuple(h for h in holes if not before or h.first > before[-1].last or h.last < before[0].first)
    surplus = len(ranges) - max_ranges
    if surplus <= 0:
        return Receipt(SequenceLedger(ranges, ledger.written_off), opened)
    given_up = sum(map(len, SequenceLedger(ranges[: surplus + 1]).holes()))
    oldest = NumberRange(ranges[0].first, ranges[surplus].last)
    return Receipt(SequenceLedger((oldest, *ranges[surplus + 1 :]), ledger.written_off + given_up), opened)


def _merged(known: tuple[NumberRange, ...], arrived: list[NumberRange]) -> tuple[NumberRange, ...]:
    merged: list[NumberRange] = []
    for item in sorted([*known, *arrived]):
        if merged and item.first <= merged[-1].last + 1:
            if item.last > merged[-1].last:
                merged[-1] = NumberRange(merged[-1].first, item.last)
        else:
            merged.append(item)
    return tuple(merged)
