"""Which committed facts leave the agent, on which topic, with which deadline (pure; the pipeline queues the result).

Topics, under the configured prefix:

    <prefix>/<line>/<station>/verdict   every verdict; `at` is the capture, from which `deadline_ms` runs
    <prefix>/<line>/<station>/reject    live mode only: what must not pass (FAIL: `reject`; REVIEW, NO_VERDICT: `hold`)
    <prefix>/<line>/<asset>/alarm/<name>  alarms raised and cleared, with the required action, retained
    <prefix>/<line>/interlock           run, stop or divert, retained; its absence means stop
    <prefix>/agent/<name>/state         online, or offline by last will, retained
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from edge_agent.events import Alarm, Inspection
from edge_agent.ports import OutboxMessage

if TYPE_CHECKING:
    from edge_agent.events import Event
    from edge_agent.system_state import Interlock


class StationPolicy(msgspec.Struct, frozen=True):
    """How one station's verdicts are delivered: the time they have, and what is raised when it is not enough."""

    deadline_ms: float
    on_late: Literal["none", "stop", "divert"]


_encoder = msgspec.json.Encoder()


def messages_for(
    event: Event, *, prefix: str, policies: dict[str, StationPolicy], now_us: int, captured_us: int | None = None
) -> list[OutboxMessage]:
    """The messages that tell of an event; empty for events that stay inside.

    Args:
        event: what happened.
        prefix: first topic level.
        policies: by station name.
        now_us: time of making, microseconds UTC.
        captured_us: when the image was taken, from which a verdict's deadline runs; `now_us` when not known.
    """
    if isinstance(event.body, Inspection):
        return _verdict(event, event.body, prefix, policies, captured_us if captured_us is not None else now_us)
    if isinstance(event.body, Alarm):
        alarm = event.body
        payload = {
            "key": event.key,
            "line": event.line,
            "at": event.occurred_at,
            "alarm": alarm.alarm,
            "asset": alarm.asset,
            "state": alarm.state,
            "value": alarm.value,
            "limit": alarm.limit,
            "action": alarm.action,
            "since": alarm.since,
        }
        return [
            OutboxMessage(
                key=f"{event.key}/message",
                subject_key=event.key,
                topic=f"{prefix}/{event.line}/{alarm.asset}/alarm/{alarm.alarm}",
                payload=_encoder.encode(payload),
                created_us=now_us,
                line=event.line,
                retain=True,
            )
        ]
    return []


def interlock_topic(prefix: str, line: str) -> str:
    """Where a line's interlock is announced."""
    return f"{prefix}/{line}/interlock"


def interlock_payload(interlock: Interlock, *, at_us: int, heartbeat_s: float) -> bytes:
    """The interlock as a controller reads it; `heartbeat_s` tells it how long silence may last."""
    return _encoder.encode(
        {
            "line": interlock.line,
            "state": interlock.state,
            "reason": interlock.reason,
            "at_us": at_us,
            "heartbeat_s": heartbeat_s,
        }
    )


def agent_state_topic(prefix: str, agent: str) -> str:
    """Where the agent's own state is kept, with its last will."""
    return f"{prefix}/agent/{agent}/state"


def _verdict(
    event: Event, inspection: Inspection, prefix: str, policies: dict[str, StationPolicy], created_us: int
) -> list[OutboxMessage]:
    policy = policies[inspection.station]
    root = f"{prefix}/{event.line}/{inspection.station}"
    told = {
        "key": event.key,
        "line": event.line,
        "station": inspection.station,
        "at": event.occurred_at,
        "part_id": inspection.part_id,
        "product": inspection.product,
        "verdict": inspection.verdict,
        "reason": inspection.reason,
        "score": inspection.score,
        "threshold": inspection.threshold,
        "mode": inspection.mode,
        "model": inspection.model,
        "deadline_ms": policy.deadline_ms if inspection.mode == "live" else None,
    }
    messages = [
        OutboxMessage(
            key=f"{event.key}/verdict",
            subject_key=event.key,
            topic=f"{root}/verdict",
            payload=_encoder.encode(told),
            created_us=created_us,
            line=event.line,
            deadline_ms=policy.deadline_ms if inspection.mode == "live" else None,
        )
    ]
    if inspection.mode == "live" and inspection.verdict != "PASS":
        gate = "reject" if inspection.verdict == "FAIL" else "hold"
        messages.insert(
            0,
            OutboxMessage(
                key=f"{event.key}/reject",
                subject_key=event.key,
                topic=f"{root}/reject",
                payload=_encoder.encode({**told, "gate": gate}),
                created_us=created_us,
                line=event.line,
                deadline_ms=policy.deadline_ms,
                on_late=policy.on_late,
            ),
        )
    return messages
