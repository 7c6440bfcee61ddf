"""Facts the tracker keeps: what it needs of the agent's events, in its own terms. `intake` translates into them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from roi_tracker.observations.rows import Inspector, Origin, Stratum


class _Fact(msgspec.Struct, frozen=True, tag_field="fact", kw_only=True):
    """Base of all facts.

    Attributes:
        key: names the effect; the same key is the same fact and is stored once.
        at: when it happened or began, aware UTC.
    """

    key: str
    line: str
    at: datetime
    origin: Origin


class ProductionFact(_Fact, frozen=True, tag="production", kw_only=True):
    """Counts of one product in the period from `at` to `end`; None means not measured."""

    end: datetime
    product: str
    shift: str
    produced: int
    inspected: int | None = None
    rejected: int | None = None
    scrap: int | None = None
    rework: int | None = None
    planned_busy_s: float | None = None


class AuditFact(_Fact, frozen=True, tag="audit", kw_only=True):
    """A shift's random audit of one verdict stratum."""

    product: str
    shift: str
    inspector: Inspector
    stratum: Stratum
    audited: int
    defects_found: int


class InspectedPart(_Fact, frozen=True, tag="inspected", kw_only=True):
    """One part judged by an AI inspection."""

    product: str
    verdict: Literal["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
    mode: Literal["off", "shadow", "live"]


class JudgedPart(_Fact, frozen=True, tag="judged", kw_only=True):
    """A person's judgement of an inspected part; the last one of a part holds.

    Attributes:
        blind: the verdict was hidden until the judgement, as it is for a part of the random audit; a PASS or FAIL
            part that somebody chose to look at is not part of any sample.
    """

    inspection_key: str
    defective: bool
    stratum: Literal["review", "audit_pass", "audit_fail"]
    blind: bool = False


class EscapeFact(_Fact, frozen=True, tag="escape", kw_only=True):
    """Defective parts found after they had passed."""

    product: str
    count: int


class StopFact(_Fact, frozen=True, tag="stop", kw_only=True):
    """A stop that has ended."""

    asset: str
    end: datetime
    planned: bool
    reason: str = ""


class MachineWatched(_Fact, frozen=True, tag="watched", kw_only=True):
    """A machine reported its state: proof that its stops are being recorded."""

    asset: str


class EnergyFact(_Fact, frozen=True, tag="energy", kw_only=True):
    """Energy used from `at` to `end`."""

    end: datetime
    carrier: str
    kwh: float


class LabourFact(_Fact, frozen=True, tag="labour", kw_only=True):
    """Hours worked from `at` to `end`."""

    end: datetime
    role: str
    hours: float


class ModeFact(_Fact, frozen=True, tag="mode", kw_only=True):
    """An inspection station's AI went between off, shadow and live."""

    station: str
    mode: Literal["off", "shadow", "live"]


Fact = (
    ProductionFact
    | AuditFact
    | InspectedPart
    | JudgedPart
    | EscapeFact
    | StopFact
    | MachineWatched
    | EnergyFact
    | LabourFact
    | ModeFact
)
