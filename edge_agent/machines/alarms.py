"""Alarm states with on and off delay and deadband, in event time (after IEC 62682's basic alarm states)."""

from __future__ import annotations

import math
from typing import Literal

import msgspec


class AlarmRule(msgspec.Struct, frozen=True):
    """When an alarm is raised and cleared.

    Attributes:
        name: unique within the line.
        line, asset, signal: what is watched.
        limit: value at which the condition begins.
        direction: `above` or `below` the limit.
        deadband: the condition ends only this far on the good side of the limit.
        on_delay_us, off_delay_us: how long the condition must hold, or be gone, microseconds.
        action: what the operator shall do.
    """

    name: str
    line: str
    asset: str
    signal: str
    limit: float
    direction: Literal["above", "below"]
    deadband: float
    on_delay_us: int
    off_delay_us: int
    action: str


class Transition(msgspec.Struct, frozen=True):
    """An alarm changed state at `at_us`; the condition had begun or ended at `since_us`."""

    raised: bool
    at_us: int
    since_us: int
    value: float


class AlarmTracker:
    """One alarm's state machine. An unknown value (NaN) proves nothing: it neither raises nor clears.

    Args:
        rule: when it is raised and cleared.
        active: its state at the start.

    >>> rule = AlarmRule("hot", "l", "a", "t", 80.0, "above", 5.0, 2_000_000, 0, "Check cooling")
    >>> tracker = AlarmTracker(rule)
    >>> [tracker.update(second * 1_000_000, 81.0) is not None for second in range(3)]
    [False, False, True]
    >>> tracker.update(3_000_000, 76.0) is None  # inside the deadband: still raised
    True
    >>> tracker.update(4_000_000, 74.0).raised
    False
    """

    def __init__(self, rule: AlarmRule, *, active: bool = False) -> None:
        self.rule = rule
        self.active = active
        self._since_us: int | None = None
        self._newest_us: int | None = None

    def update(self, t_us: int, value: float) -> Transition | None:
        """Take the value at `t_us`; returns a transition when the state changes.

        A value that is not newer than the newest one changes nothing: a redelivery must not drive the state again.
        """
        if self._newest_us is not None and t_us <= self._newest_us:
            return None
        self._newest_us = t_us
        self._lean(t_us, value)
        if self._since_us is None or not math.isfinite(value):
            return None
        delay_us = self.rule.off_delay_us if self.active else self.rule.on_delay_us
        if t_us - self._since_us < delay_us:
            return None
        since_us, self._since_us = self._since_us, None
        self.active = not self.active
        return Transition(raised=self.active, at_us=t_us, since_us=since_us, value=value)

    def relive(self, t_us: int, value: float, *, changed: bool) -> None:
        """Take a value of the stored past, of which it is known whether the state changed at it (see `change`).

        Deciding it again could go wrong, because the past that is fed begins somewhere in the middle of a delay.
        """
        self._newest_us = t_us
        if not changed:
            self._lean(t_us, value)

    def change(self, *, active: bool) -> None:
        """Take over a state that was recorded in the past."""
        self.active = active
        self._since_us = None

    def _lean(self, t_us: int, value: float) -> None:
        """Note since when the values have spoken for leaving the present state, if they do."""
        if not math.isfinite(value):
            self._since_us = self._since_us if self.active else None
        elif not self._leads_away(value):
            self._since_us = None
        elif self._since_us is None:
            self._since_us = t_us

    def _leads_away(self, value: float) -> bool:
        """Whether the value speaks for leaving the present state."""
        sign = 1.0 if self.rule.direction == "above" else -1.0
        excess = sign * (value - self.rule.limit)
        return excess < -self.rule.deadband if self.active else excess > 0
