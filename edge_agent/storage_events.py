"""Event bodies about what the agent keeps. They belong to the contract in `events.py`, which names them again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from edge_agent.human_events import EventBody

PurgedWhat = Literal["images", "readings"]
PurgeReason = Literal["age", "size", "disk", "unreferenced"]


class Purge(EventBody, frozen=True, tag="purge"):
    """The agent removed what it keeps for a time only. Its event has no line.

    Attributes:
        what: evidence images, or readings of one day.
        reason: past its age, more than may be kept, no room on the disk, or an image that no inspection refers to.
        count: images, or days.
        size_bytes: room given back.
        verdict: the class of the images, of several the one kept longest; empty for readings.
        oldest, newest: first and last capture of the images, None where not known.
        day: the day (UTC) of the readings, empty for images.
        digests: sha256 of the images, which are kept no more.
        until_seq: inspections up to this place in the feed refer to them no more.
    """

    what: PurgedWhat
    reason: PurgeReason
    count: int
    size_bytes: int
    verdict: str = ""
    oldest: datetime | None = None
    newest: datetime | None = None
    day: str = ""
    digests: tuple[str, ...] = ()
    until_seq: int = 0
