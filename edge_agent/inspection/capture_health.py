"""Whether a camera's frames are new, judged by how they are delivered (arrival, presentation time), never by pixels:
a part that stands still looks the same in every picture, and a frozen camera must not.

Presentation times (PTS) are the camera's own clock. The smallest difference between arrival and PTS seen so far is what
a frame takes that waited nowhere; a frame whose difference is greater has waited that much longer on its way. The
smallest difference may rise slowly, because a camera's crystal is not ours.

At the start nothing is known yet: frames may come out of a queue. On a line that is too thin the difference grows, from
a queue that empties it shrinks, and where frames are thrown away their times have holes. So frames count only after a
stretch without holes in which the difference stood still. What no rule can find is a camera that puts new times on old
pictures.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from random import Random

Fate = Literal["usable", "starting", "late", "repeated"]

CAMERA_FAULTS: dict[str, str] = {
    "camera_unreachable": "the camera cannot be opened: is it on, is the address right, are user and password right?",
    "camera_ended": "the camera ended the stream",
    "camera_silent": "the camera opened and showed no usable frame in time",
    "camera_stalled": "no frame has come for longer than stall_after_s",
    "camera_trickling": "far fewer frames come than rate_hz says",
    "camera_late": "frames come late: network, camera or this machine cannot keep up",
    "camera_repeating": "the same frame comes again and again",
    "camera_refused": "the pictures' size changed, or is beyond [stations.limits]",
    "camera_failed": "the camera's process ended; see the agent's log",
    "camera_starting": "the camera is being opened",
}
"""What can be wrong with a camera, by its reason code, in words."""

_DRIFT_RATIO = 200e-6
"""How fast a camera's clock may run away from ours: twice the worst of common crystals (100 ppm)."""
_STRETCH_FRAMES = 10
_STRETCH_NS = 400_000_000
"""The stretch at the start is so many frames, and at least so long."""
_STILL_FRAMES = 0.25
_STILL_NS = 5_000_000
"""How far the difference may move from one half of the stretch to the other: of a frame's time, or for fast cameras."""
_HOLE_FRAMES = 1.6
_WINDOW_FRAMES = 10
_WINDOW_STALLS = 2
"""The rate is counted over so many frames' time, and over twice the longest pause that is no stall."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A frame's delivery: when it arrived (monotonic), and its presentation time, both nanoseconds."""

    arrived_ns: int
    pts_ns: int


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """What a delivery says about a frame.

    Attributes:
        fate: only a usable frame may be judged.
        captured_ns: when it left the camera, monotonic, without the way that every frame takes.
    """

    fate: Fate
    captured_ns: int


class CaptureRules(msgspec.Struct, frozen=True):
    """What is expected of a camera.

    Attributes:
        rate_hz: frames a second.
        least_rate_ratio: below this share of it the camera trickles.
        stall_after_ns: longest time without a usable frame.
        stale_after_ns: longest delay of a usable frame.
        open_timeout_ns: longest time from the start of opening to the first usable frame.
        fault_limit_ns: a fault lasting this long asks for a new connection.
    """

    rate_hz: float
    least_rate_ratio: float
    stall_after_ns: int
    stale_after_ns: int
    open_timeout_ns: int
    fault_limit_ns: int


class CaptureHealth:
    """Follows one connection to a camera, from opening to its end.

    Args:
        rules: what is expected.
        began_ns: when opening began, monotonic.

    >>> rules = CaptureRules(10.0, 0.5, 10**9, 5 * 10**8, 5 * 10**9, 3 * 10**9)
    >>> health = CaptureHealth(rules, 0)
    >>> [health.arrived(Arrival(n * 10**8, n * 10**8)).fate for n in range(1, 12)][-3:]
    ['starting', 'usable', 'usable']
    >>> health.arrived(Arrival(12 * 10**8, 11 * 10**8)).fate
    'repeated'
    >>> health.fault(11 * 10**8), health.fault(23 * 10**8)
    ('', 'camera_stalled')
    """

    def __init__(self, rules: CaptureRules, began_ns: int) -> None:
        self._rules = rules
        self._began_ns = began_ns
        self._last: Arrival | None = None
        self._seen_ns = began_ns
        self._best_ns = 0
        self._ways: deque[int] | None = deque(maxlen=max(_STRETCH_FRAMES, round(_STRETCH_NS * rules.rate_hz / 1e9)))
        self._last_fate: Fate = "starting"
        self._usable_ns: int | None = None
        self._usable_since_ns: int | None = None
        self._recent: deque[int] = deque(maxlen=10_000)
        self._fault = "camera_starting"
        self._fault_since_ns = began_ns

    @property
    def usable_since_ns(self) -> int | None:
        """When the first usable frame came, None before it."""
        return self._usable_since_ns

    def arrived(self, arrival: Arrival) -> Delivered:
        """Judge one delivery; call for every frame, in order."""
        last = self._last
        self._seen_ns = arrival.arrived_ns
        if last is not None and arrival.pts_ns <= last.pts_ns:
            self._last_fate = "repeated"
            return Delivered("repeated", arrival.arrived_ns)
        way_ns = arrival.arrived_ns - arrival.pts_ns
        step_ns = arrival.pts_ns - last.pts_ns if last is not None else 0
        self._best_ns = min(way_ns, self._best_ns + round(_DRIFT_RATIO * step_ns)) if last is not None else way_ns
        self._last = arrival
        captured_ns = arrival.pts_ns + self._best_ns
        fate: Fate = "usable"
        if self._ways is not None:
            self._ways = self._begun(self._ways, way_ns, step_ns)
        if self._ways is not None:
            fate = "starting"
        elif arrival.arrived_ns - captured_ns > self._rules.stale_after_ns:
            fate = "late"
        self._last_fate = fate
        if fate == "usable":
            self._usable_ns = arrival.arrived_ns
            self._usable_since_ns = self._usable_since_ns or arrival.arrived_ns
            self._recent.append(arrival.arrived_ns)
        return Delivered(fate, captured_ns)

    def _begun(self, ways: deque[int], way_ns: int, step_ns: int) -> deque[int] | None:
        """Look at the start of the stream; None once a whole stretch came straight from the camera."""
        frame_ns = 1e9 / self._rules.rate_hz
        if step_ns > _HOLE_FRAMES * frame_ns:
            ways.clear()
        ways.append(way_ns)
        if len(ways) < (ways.maxlen or 0):
            return ways
        seen = list(ways)
        half = len(seen) // 2
        # smallest values, because single frames may be held up without any queue
        moved_ns = abs(min(seen[half:]) - min(seen[:half]))
        return ways if moved_ns > max(_STILL_NS, _STILL_FRAMES * frame_ns) else None

    def fault(self, now_ns: int) -> str:
        """What is wrong now, a key of `CAMERA_FAULTS`; empty when frames are new, in time and enough."""
        found = self._found(now_ns)
        if found != self._fault:
            self._fault, self._fault_since_ns = found, now_ns
        return found

    def lost(self, now_ns: int) -> bool:
        """Whether the connection should be given up and made anew."""
        fault = self.fault(now_ns)
        if fault in {"", "camera_starting"}:
            return False
        if fault in {"camera_stalled", "camera_silent"}:
            return True
        return now_ns - self._fault_since_ns >= self._rules.fault_limit_ns

    def _found(self, now_ns: int) -> str:
        rules = self._rules
        if self._usable_ns is None:
            return "camera_silent" if now_ns - self._began_ns > rules.open_timeout_ns else "camera_starting"
        if now_ns - self._usable_ns > rules.stall_after_ns:
            return self._why_nothing_usable(now_ns)
        return "camera_trickling" if self._trickles(now_ns) else ""

    def _why_nothing_usable(self, now_ns: int) -> str:
        """Frames that come and cannot be used have a name of their own; else nothing comes."""
        if now_ns - self._seen_ns > self._rules.stall_after_ns:
            return "camera_stalled"
        return "camera_repeating" if self._last_fate == "repeated" else "camera_late"

    def _trickles(self, now_ns: int) -> bool:
        rules = self._rules
        window_ns = max(_WINDOW_STALLS * rules.stall_after_ns, round(_WINDOW_FRAMES / rules.rate_hz * 1e9))
        while self._recent and self._recent[0] < now_ns - window_ns:
            self._recent.popleft()
        if self._usable_since_ns is None or now_ns - self._usable_since_ns < window_ns:
            return False
        return len(self._recent) < rules.least_rate_ratio * rules.rate_hz * window_ns / 1e9


class Backoff:
    """Waits between tries that double up to a limit, each by chance between half and all of it, so that many cameras
    behind one switch do not come back at the same moment.

    >>> import random
    >>> backoff = Backoff(1.0, 4.0, random.Random(1))
    >>> [0.5 * whole <= backoff.next_s() <= whole for whole in (1, 2, 4, 4)]
    [True, True, True, True]
    """

    def __init__(self, least_s: float, most_s: float, chance: Random) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._chance = chance
        self._tries = 0

    def next_s(self) -> float:
        """The wait before the next try, seconds."""
        whole_s = min(self._most_s, self._least_s * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return whole_s * self._chance.uniform(0.5, 1.0)

    def reset(self) -> None:
        """The connection held: begin again with the shortest wait."""
        self._tries = 0
