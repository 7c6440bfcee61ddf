"""When a picture in a watched folder was written, as far as its file can be believed (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.instant import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable


def written_at(times_ns: Iterable[int], seen: Instant, unseen_ns: int) -> Instant | None:
    """The earliest of a file's times that can be true; None when none can.

    A file that was not there at the look before came since then: a time ahead of us, or before that look, is a copied
    one or another machine's clock. Ages are counted back from the first sight, so that a clock set meanwhile moves
    nothing.

    Args:
        times_ns: of the last write and of the last change of the name, nanoseconds UTC.
        seen: the first sight of the file.
        unseen_ns: how far before it the file cannot have been there, nanoseconds.

    >>> seen = Instant(10_000_000, 5_000_000_000, "boot")
    >>> written_at([9_700_000_000, 9_900_000_000], seen, 500_000_000)  # written, then given its name
    Instant(utc_us=9700000, mono_ns=4700000000, boot_id='boot')
    >>> written_at([1_000_000_000, 9_900_000_000], seen, 500_000_000)  # copied with its old time
    Instant(utc_us=9900000, mono_ns=4900000000, boot_id='boot')
    >>> written_at([10_000_000_001], seen, 500_000_000) is None  # ahead of us
    True
    """
    ages_ns = [seen.utc_us * 1_000 - time_ns for time_ns in times_ns]
    age_ns = max((age_ns for age_ns in ages_ns if 0 <= age_ns <= unseen_ns), default=None)
    if age_ns is None:
        return None
    return Instant(seen.utc_us - age_ns // 1_000, seen.mono_ns - age_ns, seen.boot_id)
