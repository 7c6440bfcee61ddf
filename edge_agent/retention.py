"""What may be removed, and when: by age, by room, never what is held, and nothing on a clock that may be wrong.

Only removal by age asks the clock. It is guarded three times. A jump of the clock against the monotonic one suspends it
(`ClockWatch`). Facts are taken in the order of their commits and only from the old end of it, so that one fact with a
wrong time neither goes early nor keeps later ones from going (`aged`). And a pass that would take more than a set share
of everything is refused as a whole (`too_many`). Removal for want of room follows the order of commits and needs no
clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import VerdictName
from edge_agent.instant import MICROSECONDS_PER_SECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_agent.ports.keeping import DayOfReadings, ImageUse
    from edge_agent.settings.retention import RetentionSettings

PURGE_ORDER: tuple[VerdictName, ...] = ("PASS", "NO_VERDICT", "REVIEW", "FAIL")
"""Which images go first when there is no room."""
EARLIEST_CLOCK_US = 1_767_225_600 * MICROSECONDS_PER_SECOND
"""2026-01-01: a clock that shows less was never set, and an age reckoned from it means nothing."""
_GB = 10**9
_DAY_US = 86_400 * MICROSECONDS_PER_SECOND
_HOUR_US = 3_600 * MICROSECONDS_PER_SECOND
_HOUR_NS = 3_600 * 10**9
_TOLERANCE_NS = 10 * 10**9
_DRIFT_RATIO = 0.001  # NTP corrects by at most 500 ppm without a step


class RetentionRules(msgspec.Struct, frozen=True):
    """How long and how much; fields as in `RetentionSettings`, in microseconds and bytes, None for no limit."""

    images_us: dict[VerdictName, int]
    images_bytes: int | None
    readings_us: int
    readings_bytes: int | None
    readings_least_days: int
    min_free_bytes: int
    stop_images_bytes: int
    max_share: float
    settle_ns: int
    gap_us: int


def retention_rules(settings: RetentionSettings) -> RetentionRules:
    """The settings in the units that rules are reckoned in."""
    return RetentionRules(
        images_us={
            "PASS": round(settings.pass_days * _DAY_US),
            "NO_VERDICT": round(settings.no_verdict_days * _DAY_US),
            "REVIEW": round(settings.review_days * _DAY_US),
            "FAIL": round(settings.fail_days * _DAY_US),
        },
        images_bytes=_gigabytes(settings.images_max_gb),
        readings_us=settings.readings_days * _DAY_US,
        readings_bytes=_gigabytes(settings.readings_max_gb),
        readings_least_days=settings.readings_least_days,
        min_free_bytes=round(settings.min_free_gb * _GB),
        stop_images_bytes=round(settings.stop_images_free_gb * _GB),
        max_share=settings.max_share_ratio,
        settle_ns=round(settings.clock_settle_h * _HOUR_NS),
        gap_us=round(settings.clock_gap_h * _HOUR_US),
    )


class ClockWatch:
    """Whether ages may be reckoned by the wall clock now: not after it jumped, until it ran evenly for a while.

    Within one boot the monotonic clock shows a jump. Over a reboot nothing does: there the clock may not go back, and
    only as far ahead as the machine may well have been off.

    Args:
        settle_ns: how long, nanoseconds of the monotonic clock.
        gap_us: how long the machine may have been off between two boots.
        anchor: a moment that an earlier run noted, None for none.
        held_ns: what was left of the hold at that moment.

    >>> watch = ClockWatch(60 * 10**9, 86_400 * 10**6, Instant(1_800_000_000_000_000, 0, "boot"))
    >>> watch.is_steady(Instant(1_800_000_005_000_000, 5 * 10**9, "boot"))
    True
    >>> watch.is_steady(Instant(1_800_003_606_000_000, 6 * 10**9, "boot"))  # one hour ahead
    False
    """

    def __init__(self, settle_ns: int, gap_us: int, anchor: Instant | None = None, held_ns: int = 0) -> None:
        self._settle_ns = settle_ns
        self._gap_us = gap_us
        self._anchor = anchor
        self._held_ns = min(held_ns, settle_ns)

    @property
    def held_ns(self) -> int:
        """What is left of the hold, nanoseconds of the monotonic clock."""
        return self._held_ns

    def is_steady(self, now: Instant) -> bool:
        """Look at the clock, at least once between two jumps that shall be seen."""
        anchor, self._anchor = self._anchor, now
        if anchor is not None and anchor.boot_id == now.boot_id:
            passed_ns = now.mono_ns - anchor.mono_ns
            off_ns = abs((now.utc_us - anchor.utc_us) * 1_000 - passed_ns)
            if passed_ns < 0:
                self._anchor = anchor  # what was noted since: looked at, but no time of the hold
            self._held_ns = max(0, self._held_ns - max(0, passed_ns))
            if off_ns > _TOLERANCE_NS + abs(passed_ns) * _DRIFT_RATIO:
                self._held_ns = self._settle_ns
        elif anchor is not None and not 0 <= now.utc_us - anchor.utc_us <= self._gap_us:
            self._held_ns = self._settle_ns
        return self._held_ns == 0 and now.utc_us >= EARLIEST_CLOCK_US


def aged(uses: Iterable[ImageUse], limit_us: int, now_us: int) -> Iterator[ImageUse]:
    """The references of one verdict class that are past their age.

    Args:
        uses: in feed order, oldest first.
        limit_us: age at which they go.
        now_us: wall clock.

    Yields:
        References from the old end of the feed. The first that is young ends it; one from the future, whose clock was
        wrong, is passed over and kept.
    """
    for use in uses:
        if use.at_us > now_us:
            continue
        if now_us - use.at_us < limit_us:
            return
        yield use


def free_to_go(
    digests: Iterable[str], uses: Sequence[ImageUse], gone: frozenset[tuple[str, int]], held: frozenset[str]
) -> list[str]:
    """Which images may be removed: those whose every reference goes, and that nothing holds.

    Args:
        digests: images looked at, in order.
        uses: every reference to them.
        gone: references that go, as (digest, seq).
        held: images that must stay.
    """
    staying = {use.digest for use in uses if (use.digest, use.seq) not in gone}
    return [digest for digest in dict.fromkeys(digests) if digest not in staying and digest not in held]


def too_many(due: int, total: int, share: float) -> bool:
    """Whether a pass by age would take more than its share.

    >>> too_many(5, 10, 0.5), too_many(6, 10, 0.5)
    (False, True)
    """
    return due > share * total


def days_past_age(days: Sequence[DayOfReadings], rules: RetentionRules, now_us: int) -> list[DayOfReadings]:
    """Days that ended, and were written to last, longer ago than readings are kept; oldest first.

    A day that was written by a clock that was never set has no age.
    """
    before_us = now_us - rules.readings_us
    return [day for day in days if day.end_us <= before_us and EARLIEST_CLOCK_US <= day.written_us <= before_us]


def days_for_room(days: Sequence[DayOfReadings], rules: RetentionRules, wanted_bytes: int) -> list[DayOfReadings]:
    """The oldest days that together give so much room, the newest `readings_least_days` never among them."""
    found: list[DayOfReadings] = []
    given = 0
    for day in days[: max(0, len(days) - rules.readings_least_days)]:
        if given >= wanted_bytes:
            break
        found.append(day)
        given += day.size_bytes
    return found


def over(limit_bytes: int | None, size_bytes: int) -> int:
    """Bytes above a limit, 0 when within it or where there is none.

    >>> over(10, 12), over(10, 8), over(None, 8)
    (2, 0, 0)
    """
    return 0 if limit_bytes is None else max(0, size_bytes - limit_bytes)


def _gigabytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else round(gigabytes * _GB)
