"""That every record the baseline counted goes on: a role, an energy carrier, a machine's stop log.

A feed that ends as a whole is not measured. A part of one that ends reads as zero beside the parts that go on: hours
nobody works, energy nobody uses, a machine that never stops. So each part is asked by its own rhythm in the baseline
whether its silence in the reporting period is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.baseline.rules import Check, check
from roi_tracker.observations.rhythm import bearable_silence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from roi_tracker.case.measuring import EndedStream
    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.tables import LineTable

    Flags = NDArray[np.bool_]

PARTED = frozenset({"labour", "energy", "downtime", "maintenance"})
"""Measures that add up parts, each with a feed of its own. Of the others, a part that ends takes its exposure along."""
ROLE_LEAVE_DAYS = 10.0
"""Working days for which a role may be off the roster whatever its rhythm: two weeks of leave."""
METER_OUTAGE_DAYS = 3.0
"""Working days for which a meter may be unread."""
STOP_MARGIN = 4.0
"""A programme makes stops rarer, and so a log's silences longer: one that takes away three stops in four is borne."""
_REGULAR = 0.9
"""Share of the baseline's days above which a meter is read every day."""
_KEPT = 0.95
"""Share of its regular days on which such a meter must still be read: the days without it read as saved energy."""
_TOLD = 12


@dataclass(frozen=True)
class _Stream:
    """One record of one line.

    Attributes:
        here: (rows,) rows of the line table on which it would speak.
        spoke: (rows,) rows on which it did.
        floor, margin: working days borne whatever the rhythm, and times the rhythm that is borne.
        regular: it has no reason to speak less often.
    """

    name: str
    line: str
    here: Flags
    spoke: Flags
    floor: float = 0.0
    margin: float = 1.0
    regular: bool = False


def streams_continue(
    observations: Observations, scope: Scope, baseline: Period, reporting: Period, ended: Sequence[EndedStream] = ()
) -> Check:
    """Every part that the baseline counted speaks in the reporting period, or is stated to have ended.

    Args:
        observations: everything derived.
        scope: measure and lines, those compared with included.
        baseline: what it counted must go on.
        reporting: as far as it has come.
        ended: what the case states to have ended.
    """
    table = observations.line_table
    silent: list[str] = []
    stated: list[str] = []
    asked = 0
    for stream in _streams(observations, table, scope):
        asked += 1
        since = _silent_since(stream, table.day, baseline, reporting)
        if since is None:
            continue
        told = f"{stream.line} {stream.name} {date.fromordinal(since).isoformat()}"
        said = next((one for one in ended if one.covers(stream.line, stream.name, date.fromordinal(since))), None)
        if said is None:
            silent.append(told)
        else:
            stated.append(f"{told} ({said.reference}, {said.owner})")
    more = f" +{len(silent) - _TOLD}" if len(silent) > _TOLD else ""
    return check(
        "streams_continue",
        "reporting",
        passed=not silent,
        streams=asked,
        silent="; ".join(silent[:_TOLD]) + more or "-",
        stated="; ".join(stated) or "-",
    )


def _streams(observations: Observations, table: LineTable, scope: Scope) -> Iterator[_Stream]:
    for code, line in enumerate(table.lines):
        if line not in scope.lines:
            continue
        mine: Flags = table.line == code
        if scope.measure == "labour":
            here = mine & np.isfinite(table.labour_hours)
            for column in table.labour:
                if not scope.roles or column.name in scope.roles:
                    yield _Stream(column.name, line, here, here & np.isfinite(column.values), ROLE_LEAVE_DAYS)
        elif scope.measure == "energy":
            here = mine & np.isfinite(table.energy_kwh)
            for column in table.energy:
                if not scope.carriers or column.name in scope.carriers:
                    spoke = here & np.isfinite(column.values)
                    yield _Stream(column.name, line, here, spoke, METER_OUTAGE_DAYS, regular=True)
        elif scope.measure in {"downtime", "maintenance"}:
            yield from _stop_logs(observations, table, line, mine & np.isfinite(table.unplanned_stop_s))


def _stop_logs(observations: Observations, table: LineTable, line: str, here: Flags) -> Iterator[_Stream]:
    """The log of each machine that ever stopped and of each shift; a machine that reports a state or raises an alarm
    speaks, and so does every one where the line is stated as watched.
    """
    logs: dict[str, list[int]] = {}
    stopping: set[str] = set()
    everywhere: list[int] = []
    for row in np.flatnonzero(here).tolist():
        for one in observations.line_shifts[row].assets:
            if one.asset or one.stops or one.stop_s:
                logs.setdefault(one.asset, []).append(row)
                stopping.update([one.asset] if one.stops or one.stop_s else ())
            else:
                everywhere.append(row)
    for asset in sorted(stopping):
        spoke = np.zeros(len(table), dtype=np.bool_)
        spoke[[*logs[asset], *everywhere]] = True
        yield _Stream(asset or "-", line, here, spoke, margin=STOP_MARGIN)
    spoke = np.nan_to_num(table.unplanned_stop_s) > 0
    spoke[[*everywhere, *(row for rows in logs.values() for row in rows)]] = True
    for code, shift in enumerate(table.shifts):
        own: Flags = here & (table.shift == code)
        yield _Stream(shift, line, own, own & spoke, margin=STOP_MARGIN)


def _silent_since(stream: _Stream, day: NDArray[np.int32], baseline: Period, reporting: Period) -> int | None:
    """Last day (ordinal) on which the stream spoke before a silence that is no chance; None without such a silence."""
    before, spoke_before = _days(stream, day, baseline)
    after, spoke_after = _days(stream, day, reporting)
    entries = np.flatnonzero(spoke_before)
    if not len(entries) or not len(after):
        return None
    spoken = np.flatnonzero(np.concatenate(([True], spoke_after, [True])))
    runs = np.diff(spoken) - 1
    longest = int(runs.argmax())
    borne = max(stream.floor, stream.margin * bearable_silence(entries.tolist(), len(before)))
    share = len(entries) / len(before)
    thinned = stream.regular and share >= _REGULAR and spoke_after.mean() < _KEPT * share
    if runs[longest] <= borne and not (thinned and runs[longest]):
        return None
    if longest:
        return int(after[spoken[longest] - 1])
    return int(day[stream.spoke & (day < after[0])].max())  # in the baseline, or between the periods


def _days(stream: _Stream, day: NDArray[np.int32], period: Period) -> tuple[NDArray[np.int64], Flags]:
    """Days of a period on which the stream would speak, and whether it did."""
    inside = stream.here & (day >= period.first.toordinal()) & (day <= period.last.toordinal())
    days, index = np.unique(day[inside].astype(np.int64), return_inverse=True)
    spoke: Flags = np.bincount(index, weights=stream.spoke[inside], minlength=len(days)) > 0
    return days, spoke
