"""The only reader of the agent's events: from its feed or an export, validated line by line, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_agent import events as agent
from roi_tracker.errors import IntakeError, RowError
from roi_tracker.observations import facts as f
from roi_tracker.plant_files.fault_words import cell_fault, file_fault
from roi_tracker.ports import Imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from roi_tracker.ports import EventFeed, TrackerStore

MAX_ROW_ERRORS = 20
"""Errors told in one refusal; a file in the wrong format has one on every line."""

_GATE_TOPIC = "/reject"
"""Ends the topic of what the reject gate must do; the part's verdict message, late too, is no second one."""


class Batch(msgspec.Struct, frozen=True):
    """Facts read from a source.

    Attributes:
        ignored: events of kinds the tracker does not use.
        last_seq: greatest feed number seen, 0 for none.
    """

    facts: tuple[f.Fact, ...]
    ignored: int
    last_seq: int


def to_fact(event: agent.Event) -> f.Fact | None:  # noqa: C901, PLR0911, PLR0912 - one branch an event kind reads best
    """Translate an event; None for kinds the tracker does not use.

    Raises:
        ValueError: the event contradicts itself (a period that ends before it starts, a negative quantity), or
            a time has no zone.
    """
    key, line, at, origin = event.key, event.line, event.occurred_at, event.origin
    if at.tzinfo is None:
        message = f"occurred_at {at.isoformat()} has no time zone"
        raise ValueError(message)
    body = event.body
    match body:
        case agent.Production():
            _ordered(at, body.ended_at)
            counts = msgspec.structs.asdict(body)
            end = counts.pop("ended_at")
            _not_negative(counts)
            return f.ProductionFact(key=key, line=line, at=at, origin=origin, end=end, **counts)
        case agent.AuditCount():
            _not_negative({"audited": body.audited, "defects_found": body.defects_found})
            return f.AuditFact(
                key=key,
                line=line,
                at=at,
                origin=origin,
                product=body.product,
                shift=body.shift,
                inspector=body.inspector,
                stratum=body.stratum,
                audited=body.audited,
                defects_found=body.defects_found,
            )
        case agent.Inspection():
            return f.InspectedPart(
                key=key,
                line=line,
                at=at,
                origin=origin,
                product=body.product,
                verdict=body.verdict,
                mode=body.mode,
                part=body.part_id,
                image=body.image or "",
            )
        case agent.Disposition():
            return f.JudgedPart(
                key=key,
                line=line,
                at=at,
                origin=origin,
                inspection_key=body.inspection_key,
                defective=body.judgement == "defect",
                stratum=body.stratum,
                blind=body.blind,
                reviewer=body.reviewer,
                repeat_of=body.repeat_of,
            )
        case agent.Downtime():
            _ordered(at, body.ended_at)
            return f.StopFact(
                key=key,
                line=line,
                at=at,
                origin=origin,
                asset=body.asset,
                end=body.ended_at,
                planned=body.planned,
                reason=body.reason,
            )
        case agent.MachineState():
            return f.MachineWatched(key=key, line=line, at=at, origin=origin, asset=body.asset)
        case agent.Energy():
            _ordered(at, body.ended_at)
            _not_negative({"kwh": body.kwh})
            return f.EnergyFact(
                key=key, line=line, at=at, origin=origin, end=body.ended_at, carrier=body.carrier, kwh=body.kwh
            )
        case agent.Labour():
            _ordered(at, body.ended_at)
            _not_negative({"hours": body.hours})
            return f.LabourFact(
                key=key, line=line, at=at, origin=origin, end=body.ended_at, role=body.role, hours=body.hours
            )
        case agent.Escape():
            _not_negative({"count": body.count})
            return f.EscapeFact(key=key, line=line, at=at, origin=origin, product=body.product, count=body.count)
        case agent.ModeChange():
            return f.ModeFact(key=key, line=line, at=at, origin=origin, station=body.station, mode=body.mode)
        case agent.StopRevision():
            return f.StopRevisionFact(
                key=key,
                line=line,
                at=at,
                origin=origin,
                replaces=body.replaces,
                stops=tuple(_revised_stop(stop, event) for stop in body.stops),
            )
        case agent.Alarm(state="raised"):
            return f.AlarmFact(key=key, line=line, at=at, origin=origin, asset=body.asset, alarm=body.alarm)
        case agent.AlarmOutcome():
            return _alarm_outcome(event, body)
        case agent.Undelivered() if body.topic.endswith(_GATE_TOPIC):
            return f.LateRejectFact(key=key, line=line, at=at, origin=origin, inspection_key=body.subject_key)
        case _:
            return None


def _revised_stop(stop: agent.RevisedStop, revision: agent.Event) -> f.StopFact:
    _ordered(stop.started_at, stop.ended_at)
    return f.StopFact(
        key=stop.key,
        line=revision.line,
        at=stop.started_at,
        origin=revision.origin,
        asset=stop.asset,
        end=stop.ended_at,
        planned=stop.planned,
        reason=stop.reason,
    )


def _alarm_outcome(event: agent.Event, body: agent.AlarmOutcome) -> f.AlarmOutcomeFact:
    """A missed failure lies at its own time, which names it; every other outcome when it was stated."""
    _not_negative({"avoided_stop_h": body.avoided_stop_h})
    missed = body.outcome == "missed"
    if missed and body.failed_at is None:
        message = "a missed failure has no failed_at"
        raise ValueError(message)
    return f.AlarmOutcomeFact(
        key=event.key,
        line=event.line,
        at=body.failed_at if missed and body.failed_at is not None else event.occurred_at,
        origin=event.origin,
        asset=body.asset,
        alarm_key=body.alarm_key,
        outcome=body.outcome,
        acted=body.acted,
        avoided_stop_h=body.avoided_stop_h,
        stated_at=event.occurred_at,
        withdrawn=body.withdrawn,
    )


def _ordered(start: object, end: object) -> None:
    if end <= start:  # type: ignore[operator]  # both are datetimes by the event contract
        message = f"the period ends {end} and starts {start}"
        raise ValueError(message)


def _not_negative(quantities: dict[str, object]) -> None:
    for name, value in quantities.items():
        if isinstance(value, int | float) and value < 0:
            message = f"{name} is {value}; a count or quantity cannot be negative"
            raise ValueError(message)


def read_lines(lines: Iterable[bytes], source: str) -> Batch:
    """Read an export or a page of the feed, one `RecordedEvent` a line; empty lines are allowed.

    Raises:
        IntakeError: at least one line cannot be used; every such line is named (up to `MAX_ROW_ERRORS`).
    """
    facts: list[f.Fact] = []
    errors: list[RowError] = []
    ignored = last_seq = 0
    wrong = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            recorded = agent.decode_recorded(line)
            fact = to_fact(recorded.event)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            wrong += 1
            if len(errors) < MAX_ROW_ERRORS:
                errors.append(_unusable(source, number, error))
            continue
        last_seq = max(last_seq, recorded.seq)
        if fact is None:
            ignored += 1
        else:
            facts.append(fact)
    if errors:
        raise file_fault("lines_wrong", rows=tuple(errors), wrong=wrong, source=source)
    return Batch(tuple(facts), ignored, last_seq)


def _unusable(source: str, number: int, error: Exception) -> RowError:
    fault = cell_fault("event_line", why=error)
    return RowError(source, number, str(error), fix=fault.fix_en, message_ko=fault.ko, fix_ko=fault.fix_ko)


def import_lines(lines: Iterable[bytes], source: str, store: TrackerStore) -> Imported:
    """Import an export: all of it or nothing; importing it again adds nothing.

    Raises:
        IntakeError: a line cannot be used.
    """
    batch = read_lines(lines, source)
    return store.add_facts(batch.facts, source=source, ignored=batch.ignored)


def follow_feed(feed: EventFeed, store: TrackerStore, progress: Callable[[int], None] = lambda _: None) -> Imported:
    """Read a feed from where the last import stopped until it has nothing more; each page is one transaction.

    Args:
        feed: the agent's feed.
        store: where facts and the position go.
        progress: called with the number of facts stored so far.

    Raises:
        IntakeError: a page cannot be used, or the feed does not move on; earlier pages stay.
        UnreachableError: no answer; earlier pages stay.
    """
    added = duplicates = ignored = 0
    while True:
        after = store.reached(feed.address)
        page: Sequence[bytes] = feed.page(after)
        if not any(line.strip() for line in page):
            return Imported(added, duplicates, ignored)
        batch = read_lines(page, feed.address)
        if batch.last_seq <= after:
            raise IntakeError(
                f"the feed {feed.address} answered with events up to {batch.last_seq} after {after}",
                hint="the agent's store was replaced; import its export, or use a fresh tracker store",
            )
        done = store.add_facts(batch.facts, source=feed.address, ignored=batch.ignored, reached=batch.last_seq)
        added, duplicates, ignored = added + done.added, duplicates + done.duplicates, ignored + done.ignored
        progress(added)
