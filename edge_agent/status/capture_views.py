"""What the pages of stops, alarms and audits say, ready to print (pure)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_agent.status.words import reason_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from edge_agent.machines.stop_revising import Stop
    from edge_agent.settings.capture import StopReasonSettings
    from edge_agent.status.alarm_ledger import MissedFailure, RaisedAlarm
    from edge_agent.status.snapshot import MachineNow
    from edge_agent.status.words import Words
    from edge_agent.workers.inspecting import StationAudit

_STOP_NEAR = timedelta(hours=24)


class Option(msgspec.Struct, frozen=True):
    """One choice of a list: what is sent, and what is read."""

    value: str
    word: str
    chosen: bool = False


class StopRow(msgspec.Struct, frozen=True):
    """A stop that counts; the three `split_` times bound and propose a split, local, as a browser's field has them."""

    key: str
    asset: str
    time: str
    lasted: str
    reason: str
    kind: str
    planned: bool
    revised: str
    split_from: str
    split_to: str
    split_middle: str
    simulated: bool


class OpenStop(msgspec.Struct, frozen=True):
    """A stop that goes on."""

    asset: str
    since: str
    kind: str
    reason: str


class StopsView(msgspec.Struct, frozen=True):
    """The page of stops: those that go on, those that count, and the reasons to choose from."""

    open: tuple[OpenStop, ...]
    rows: tuple[StopRow, ...]
    unplanned: tuple[Option, ...]
    planned: tuple[Option, ...]


class AlarmRow(msgspec.Struct, frozen=True):
    """A raised alarm; `found` is what was stated of it, empty while it waits."""

    key: str
    name: str
    asset: str
    time: str
    values: str
    todo: str
    found: str
    detail: str
    stops: tuple[Option, ...]
    simulated: bool


class MissedRow(msgspec.Struct, frozen=True):
    """A failure that no alarm announced; `failed_at` as it is sent back to withdraw it."""

    asset: str
    time: str
    detail: str
    failed_at: str


class AlarmsView(msgspec.Struct, frozen=True):
    """The page of alarms: those that wait for an outcome, those that have one, missed failures."""

    waiting: tuple[AlarmRow, ...]
    stated: tuple[AlarmRow, ...]
    missed: tuple[MissedRow, ...]
    assets: tuple[str, ...]
    stops: tuple[Option, ...]
    latest: str


class AuditRow(msgspec.Struct, frozen=True):
    """How parts of a station are drawn, in words."""

    station: str
    passed: str
    failed: str
    repeats: str
    capped: bool


class NotedAudit(msgspec.Struct, frozen=True):
    """An audit of the previous inspection that was noted."""

    time: str
    text: str


class AuditView(msgspec.Struct, frozen=True):
    """The page of audits."""

    stations: tuple[AuditRow, ...]
    waiting: str
    noted: tuple[NotedAudit, ...]
    shifts: tuple[str, ...]
    today: str


def stops_view(
    stops: Sequence[Stop], standing: Sequence[MachineNow], reasons: Sequence[StopReasonSettings], words: Words
) -> StopsView:
    """Build the page of stops, newest first."""
    return StopsView(
        open=tuple(
            OpenStop(
                machine.body.asset,
                words("field.since", time=words.full(machine.since)),
                words(f"machine.{machine.body.state}"),
                reason_word(machine.body.reason, reasons, words),
            )
            for machine in standing
        ),
        rows=tuple(_stop_row(stop, reasons, words) for stop in stops),
        unplanned=tuple(_option(reason, words) for reason in reasons if not reason.planned),
        planned=tuple(_option(reason, words) for reason in reasons if reason.planned),
    )


def _option(reason: StopReasonSettings, words: Words) -> Option:
    return Option(reason.code, reason.ko if words.language == "ko" else reason.en)


def _stop_row(stop: Stop, reasons: Sequence[StopReasonSettings], words: Words) -> StopRow:
    return StopRow(
        key=stop.key,
        asset=stop.asset,
        time=words("stops.span", start=words.full(stop.started), end=words.clock(stop.ended)),
        lasted=words.lasted(stop.duration_s),
        reason=reason_word(stop.reason, reasons, words),
        kind=words("field.planned" if stop.planned else "field.unplanned"),
        planned=stop.planned,
        revised=words("stops.revised_by", reviewer=stop.revised_by) if stop.revised_by else "",
        split_from=words.field(stop.started),
        split_to=words.field(stop.ended),
        split_middle=words.field(stop.started + (stop.ended - stop.started) / 2),
        simulated=stop.origin == "simulated",
    )


def alarms_view(
    raised: Sequence[RaisedAlarm],
    missed: Sequence[MissedFailure],
    stops: Sequence[Stop],
    assets: tuple[str, ...],
    words: Words,
    now: datetime,
) -> AlarmsView:
    """Build the page of alarms; those that wait come first, the oldest of them on top."""
    rows = [(alarm, _alarm_row(alarm, stops, words)) for alarm in raised]
    return AlarmsView(
        waiting=tuple(row for alarm, row in reversed(rows) if alarm.stated is None),
        stated=tuple(row for alarm, row in rows if alarm.stated is not None),
        missed=tuple(
            MissedRow(
                entry.asset,
                words.full(entry.failed_at),
                _detail(entry.stated.body.action, entry.stated.body.note, entry.stated.body.reviewer),
                entry.failed_at.isoformat(),
            )
            for entry in missed
        ),
        assets=assets,
        stops=tuple(_stop_option(stop, words) for stop in stops),
        latest=words.field(now),
    )


def _alarm_row(alarm: RaisedAlarm, stops: Sequence[Stop], words: Words) -> AlarmRow:
    near = [stop for stop in stops if abs(stop.started - alarm.at) <= _STOP_NEAR]
    found, detail = "", ""
    if alarm.stated is not None:
        said = alarm.stated.body
        found = words(f"alarms.{said.outcome}")
        acted = words("alarms.acted" if said.acted else "alarms.not_acted")
        detail = _detail(acted, said.action, said.note, said.reviewer)
    return AlarmRow(
        key=alarm.key,
        name=alarm.body.alarm,
        asset=alarm.body.asset,
        time=words.full(alarm.at),
        values=words(
            "field.value_and_limit", value=words.measure(alarm.body.value), limit=words.measure(alarm.body.limit)
        ),
        todo=alarm.body.action,
        found=found,
        detail=detail,
        stops=tuple(_stop_option(stop, words) for stop in near),
        simulated=alarm.origin == "simulated",
    )


def _stop_option(stop: Stop, words: Words) -> Option:
    return Option(stop.key, f"{words.full(stop.started)} · {stop.asset} · {words.lasted(stop.duration_s)}")


def _detail(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def audit_rows(audits: Mapping[str, StationAudit], stations: Sequence[str], words: Words) -> tuple[AuditRow, ...]:
    """How parts of these stations are drawn."""

    def told(rate: float, half_width: float) -> str:
        return words("audit.rate", one_in=words.measure(1 / rate), width=f"{100 * half_width:.2g}")

    return tuple(
        AuditRow(
            station=name,
            passed=told(audit.rates.pass_rate, audit.rates.for_half_width),
            failed=told(audit.rates.fail_rate, audit.rates.ppv_half_width),
            repeats=f"{100 * audit.rates.repeat_rate:.3g} %",
            capped=audit.rates.capped,
        )
        for name, audit in audits.items()
        if name in stations
    )
