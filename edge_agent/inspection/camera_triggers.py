"""Triggers of a camera: each announces a part, and each ends as exactly one frame or one reason why there is none."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import PartIdentity
from edge_agent.inspection.frame_matching import can_get_nearer, nearest
from edge_agent.instant import to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.events import Event
    from edge_agent.instant import Instant
    from edge_agent.settings.camera import CameraTriggerSettings
    from edge_agent.settings.config import StationSettings

MOST_PICTURES = 32
"""Chosen frames waiting for the station at most; at 2 megapixels 200 MB. Parts beyond get NO_VERDICT."""


class Trigger(msgspec.Struct, frozen=True):
    """A part before the camera.

    Attributes:
        key: effect key of its inspection.
        part_id, product: the part.
        at_ns: when it is before the camera, monotonic.
    """

    key: str
    part_id: str
    product: str
    at_ns: int


class Shot(msgspec.Struct, frozen=True):
    """What became of a trigger: a picture (encoded), or the reason code why there is none."""

    trigger: Trigger
    captured_ns: int
    content: bytes
    refused: str = ""


def inspection_key(event: Event) -> str:
    """Key of the inspection that a `part` fact asks for; the same fact asks for the same inspection."""
    station = event.body.station if isinstance(event.body, PartIdentity) else ""
    return f"{event.line}/{station}/triggered/{event.key}"


def trigger_of(event: Event, station: StationSettings, now: Instant) -> Trigger:
    """A `part` fact as a trigger.

    Raises:
        TypeError: another kind of fact.
    """
    if not isinstance(event.body, PartIdentity):
        message = f"{event.kind} is no part"
        raise TypeError(message)
    trigger = station.camera.trigger if station.camera is not None else None
    offset_ns = round((trigger.offset_ms if trigger is not None else 0.0) * 1e6)
    age_us = now.utc_us - to_us(event.occurred_at)
    product = event.body.product or station.product
    return Trigger(inspection_key(event), event.body.part_id, product, now.mono_ns - age_us * 1_000 + offset_ns)


class Triggers:
    """Triggers from announcement to shot, in order; one thread at a time.

    Args:
        settings: tolerance.
        longest_way_ns: how long after its capture a usable frame can arrive.
    """

    def __init__(self, settings: CameraTriggerSettings, longest_way_ns: int) -> None:
        self._tolerance_ns = round(settings.tolerance_ms * 1e6)
        self._patience_ns = self._tolerance_ns + longest_way_ns
        self._waiting: deque[Trigger] = deque()
        self._ready: deque[Shot] = deque()
        self._pictures = 0

    @property
    def ready(self) -> bool:
        """Whether a shot waits for the station."""
        return bool(self._ready)

    def add(self, trigger: Trigger) -> None:
        """A part is announced."""
        self._waiting.append(trigger)

    def match(self, captured_ns: Sequence[int], now_ns: int, *, last: bool = False) -> list[tuple[Trigger, int]]:
        """Frames that are certain: trigger and index; triggers that no frame can match any more are given up.

        Args:
            captured_ns: moments of the frames at hand, ascending.
            now_ns: the present.
            last: no frame will follow these; what matches now is taken, the rest goes on waiting.
        """
        chosen: list[tuple[Trigger, int]] = []
        for _ in range(len(self._waiting)):
            trigger = self._waiting.popleft()
            open_end = can_get_nearer(captured_ns, trigger.at_ns, now_ns, self._patience_ns)
            index = nearest(captured_ns, trigger.at_ns, self._tolerance_ns) if not open_end or last else None
            if index is not None:
                chosen.append((trigger, index))
            elif open_end:
                self._waiting.append(trigger)
            else:
                self.give_up(trigger, "no_frame_near_trigger")
        return chosen

    def take(self, shot: Shot) -> None:
        """A frame was chosen; its picture waits for the station."""
        if self._pictures >= MOST_PICTURES:
            self.give_up(shot.trigger, "station_overrun")
            return
        self._pictures += 1
        self._ready.append(shot)

    def give_up(self, trigger: Trigger, reason: str) -> None:
        """The part gets NO_VERDICT."""
        self._ready.append(Shot(trigger, trigger.at_ns, b"", reason))

    def next_shot(self) -> Shot | None:
        """The oldest shot, which leaves."""
        if not self._ready:
            return None
        shot = self._ready.popleft()
        self._pictures -= bool(shot.content)
        return shot
