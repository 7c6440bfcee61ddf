"""Which stops stand after people have split, merged and re-labelled them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roi_tracker.observations.facts import StopFact, StopRevisionFact


class _Standing:
    """Revisions in force, by the key of every stop they replace."""

    def __init__(self) -> None:
        self.by_stop: dict[str, StopRevisionFact] = {}

    def void(self, revision: StopRevisionFact | None) -> None:
        """Take a revision back, and with it every revision of the stops it had made."""
        if revision is None:
            return
        for key in revision.replaces:
            if self.by_stop.get(key) is revision:
                del self.by_stop[key]
        for stop in revision.stops:
            self.void(self.by_stop.get(stop.key))


def standing_stops(stops: Sequence[StopFact], revisions: Iterable[StopRevisionFact]) -> list[StopFact]:
    """Recorded stops and those that revisions made, less what revisions replaced; the newest revision of a stop holds,
    and an older one of the same stop is void as a whole.
    """
    standing = _Standing()
    for revision in sorted(revisions, key=lambda item: (item.at, item.key)):
        for key in revision.replaces:
            standing.void(standing.by_stop.get(key))
        for key in revision.replaces:
            standing.by_stop[key] = revision
    in_force = {revision.key: revision for revision in standing.by_stop.values()}
    made = [stop for key in sorted(in_force) for stop in in_force[key].stops]
    return [stop for stop in (*stops, *made) if stop.key not in standing.by_stop]


def related(keys: Iterable[str], revisions: Iterable[StopRevisionFact]) -> set[str]:
    """Keys of all stops whose standing may change when a revision of these keys comes or goes."""
    found = set(keys)
    waiting = [{*revision.replaces, *(stop.key for stop in revision.stops)} for revision in revisions]
    while touching := [names for names in waiting if names & found]:
        waiting = [names for names in waiting if not names & found]
        found = found.union(*touching)
    return found
