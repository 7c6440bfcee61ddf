"""GET, POST and DELETE /api/evidence-pins: a claim that cites evidence has it kept for as long as it cites it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edge_agent.events import AuditDraw, Disposition, Event, EvidencePin, Inspection
from edge_agent.status import forms
from edge_agent.status.following import Following
from edge_agent.status.problems import RequestProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import StoreReader
    from edge_agent.status.context import StatusContext

PINS_AT_ONCE = 100
LONGEST_LIST = 1_000
Claim = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]


class Pinning(BaseModel):
    """What a client sends: the claim, and the keys of the events that it cites (or cites no longer).

    Attributes:
        claim: name of the claim.
        keys: event keys from the feed; leaving them out releases everything the claim cites.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: Claim
    keys: Annotated[list[forms.EventKey], Field(min_length=1, max_length=PINS_AT_ONCE)] | None = None


class Pin(msgspec.Struct, frozen=True):
    """One event that a claim cites, with the sha256 of its images that must be kept."""

    claim: str
    key: str
    line: str
    digests: tuple[str, ...]


class PinList(msgspec.Struct, frozen=True):
    """Pins in the order of claim and key; `total` counts all that match."""

    pins: tuple[Pin, ...]
    total: int


class PinsChanged(msgspec.Struct, frozen=True):
    """What a request did.

    Attributes:
        changed: pins made or released.
        unchanged: those that were so already.
        without_image: keys of cited events of which no image is kept.
    """

    changed: int
    unchanged: int
    without_image: tuple[str, ...] = ()


class PinLedger(Following):
    """Pins that hold. Every method is called inside `current()`."""

    def __init__(self, reader: StoreReader) -> None:
        super().__init__(reader, frozenset({"evidence_pin"}))
        self._pins: dict[tuple[str, str], Pin] = {}

    def pins(self, claim: str | None = None) -> Sequence[Pin]:
        """The pins of a claim, or all, in order."""
        return [pin for name, pin in sorted(self._pins.items()) if claim is None or name[0] == claim]

    def digests(self) -> frozenset[str]:
        """Images that no purge may remove."""
        return frozenset(digest for pin in self._pins.values() for digest in pin.digests)

    def holds(self, claim: str, key: str) -> bool:
        """Whether a claim pins an event."""
        return (claim, key) in self._pins

    def _apply(self, recorded: RecordedEvent) -> None:
        body = recorded.event.body
        if not isinstance(body, EvidencePin):
            return
        if body.state == "pinned":
            pin = Pin(body.claim, body.subject_key, recorded.event.line, body.digests)
            self._pins[(body.claim, body.subject_key)] = pin
        else:
            self._pins.pop((body.claim, body.subject_key), None)


def router(context: StatusContext, ledger: PinLedger) -> APIRouter:
    """The routes, over `context`."""
    routes = APIRouter(prefix="/api/evidence-pins")

    @routes.get("")
    def pins(
        claim: Annotated[str | None, Query(max_length=128, description="Only this claim's.")] = None,
        start: Annotated[int, Query(ge=0, description="Leave so many out.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_LIST, description="At most this many.")] = LONGEST_LIST,
    ) -> Response:
        """What is pinned, by claim and key."""
        with ledger.current():
            found = ledger.pins(claim)
        told = PinList(tuple(found[start : start + limit]), len(found))
        return Response(msgspec.json.encode(told), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.post("")
    async def pin(request: Request) -> Response:
        """Pin the events that a claim cites: all of them or none; pinned again they stay pinned once."""
        sent = await forms.read(request, Pinning)
        if sent.keys is None:
            raise RequestProblemError(422, "invalid_input", "keys: needed to pin.", "Give the keys that are cited.")
        return _answer(await run_in_threadpool(change, context, ledger, sent, "pinned"))

    @routes.delete("")
    async def release(request: Request) -> Response:
        """Release events that a claim cites no longer; without keys, all of the claim's."""
        sent = await forms.read(request, Pinning)
        return _answer(await run_in_threadpool(change, context, ledger, sent, "released"))

    return routes


def change(
    context: StatusContext, ledger: PinLedger, sent: Pinning, state: Literal["pinned", "released"]
) -> PinsChanged:
    """Make pins or their release durable.

    Raises:
        RequestProblemError: a key that shall be pinned names no event; nothing was pinned.
        StoreError: not all is durable; the same request again finishes it.
    """
    with ledger.current():
        keys = [pin.key for pin in ledger.pins(sent.claim)] if sent.keys is None else list(dict.fromkeys(sent.keys))
        wanted = [key for key in keys if ledger.holds(sent.claim, key) != (state == "pinned")]
        cited = {key: _cited(context, key, missing_ok=state == "released") for key in keys}
        images = {key: _digests(context, found) for key, found in cited.items()} if state == "pinned" else {}
        now = context.clock.now()
        for key in wanted:
            found = cited[key]
            line = found.event.line if found is not None else ""
            name = f"evidence_pin/{sent.claim}/{forms.derived_id(key)}/{state}/{now.utc_us}"
            body = EvidencePin(sent.claim, state, key, images.get(key, ()))
            context.recorder.record(Event(name, line, now.utc, body), timeout_s=forms.RECORD_TIMEOUT_S)
        bare = tuple(key for key, digests in images.items() if not digests)
        return PinsChanged(len(wanted), len(keys) - len(wanted), bare)


def _cited(context: StatusContext, key: str, *, missing_ok: bool) -> RecordedEvent | None:
    found = context.reader.event(key)
    if found is None and not missing_ok:
        raise RequestProblemError(
            404,
            "no_such_event",
            f"No event has the key {key[:80]!r}; nothing was pinned.",
            "Take keys from /api/events.",
        )
    return found


def _digests(context: StatusContext, found: RecordedEvent | None) -> tuple[str, ...]:
    """Images of an inspection, or of the inspection that a judgement or a draw speaks of."""
    body = found.event.body if found is not None else None
    if isinstance(body, Disposition | AuditDraw):
        inspected = context.reader.event(body.inspection_key)
        body = inspected.event.body if inspected is not None else None
    if not isinstance(body, Inspection):
        return ()
    return tuple(digest for digest in (body.image, body.anomaly_map) if digest is not None)


def _answer(told: PinsChanged) -> Response:
    status = 201 if told.changed else 200
    return Response(msgspec.json.encode(told), status, media_type="application/json")
