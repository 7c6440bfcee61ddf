"""What people work through, each made of the store's events: parts to look at, stops, alarms; and evidence pins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.status.alarm_ledger import AlarmLedger
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.review_desk import ReviewDesk
from edge_agent.status.stop_ledger import StopLedger

if TYPE_CHECKING:
    from edge_agent.status.context import StatusContext


@dataclass(frozen=True, slots=True)
class Desks:
    """The four pictures of one store."""

    review: ReviewDesk
    stops: StopLedger
    alarms: AlarmLedger
    pins: PinLedger


def desks_of(context: StatusContext) -> Desks:
    """The pictures over a context's store; they read it at their first use."""
    reader = context.reader
    pins = context.pins or PinLedger(reader)
    return Desks(ReviewDesk(reader, context.asked.audits), StopLedger(reader), AlarmLedger(reader), pins)
