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


class ChallengeFact(_Fact, frozen=True, tag="challenge", kw_only=True):
    """Parts of known truth that were put before an inspection: the only source of sensitivity and specificity that
    Rogan and Gladen's correction may use.

    Attributes:
        inspector: who judged them.
        defective, caught: defective parts shown, and those of them that were rejected.
        good, rejected: good parts shown, and those of them that were rejected.
    """

    product: str
    inspector: Inspector
    defective: int
    caught: int
    good: int
    rejected: int


class InspectedPart(_Fact, frozen=True, tag="inspected", kw_only=True):
    """One part judged by an AI inspection.

    Attributes:
        part: identity of the part, empty where parts carry none; two cameras that fail one part saw one loss.
        image: digest under which the agent keeps its image; empty where it keeps none.
    """

    product: str
    verdict: Literal["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
    mode: Literal["off", "shadow", "live"]
    part: str = ""
    image: str = ""


class JudgedPart(_Fact, frozen=True, tag="judged", kw_only=True):
    """A person's judgement of an inspected part; the last one of a part holds.

    Attributes:
        blind: the verdict was hidden until the judgement, as it is for a part of the random audit; a PASS or FAIL
            part that somebody chose to look at is not part of any sample.
        reviewer: who judged, empty when not known.
        repeat_of: key of the judgement that this one repeats; a repeat tells of the reviewers' errors and never
            replaces the judgement it repeats. Empty for a judgement that is no repeat.
    """

    inspection_key: str
    defective: bool
    stratum: Literal["review", "audit_pass", "audit_fail"]
    blind: bool = False
    reviewer: str = ""
    repeat_of: str = ""


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


class StopRevisionFact(_Fact, frozen=True, tag="stop_revision", kw_only=True):
    """A person split, merged or re-labelled recorded stops; the newest revision of a stop holds.

    Attributes:
        replaces: keys of the stops (or of stops that an earlier revision made) that no longer count.
        stops: what counts instead, each with a key of its own.
    """

    replaces: tuple[str, ...]
    stops: tuple[StopFact, ...]


class AlarmFact(_Fact, frozen=True, tag="alarm", kw_only=True):
    """A machine-health alarm was raised."""

    asset: str
    alarm: str


class AlarmOutcomeFact(_Fact, frozen=True, tag="alarm_outcome", kw_only=True):
    """What was found after an alarm, or a failure that no alarm announced.

    Attributes:
        alarm_key: the alarm; empty for a missed failure.
        outcome: what was found.
        acted: somebody acted on it before the machine failed.
        avoided_stop_h: what the repair history says such a failure costs in hours; None where nobody estimated it.
        stated_at: when it was stated; the newest statement about one alarm, or about one missed failure (line, asset
            and `at`, which is then the time of the failure), holds. None: at `at`.
        withdrawn: the newest statement takes the earlier ones back, and nothing holds.
    """

    asset: str
    alarm_key: str
    outcome: Literal["confirmed", "not_found", "missed"]
    acted: bool = False
    avoided_stop_h: float | None = None
    stated_at: datetime | None = None
    withdrawn: bool = False


class LateRejectFact(_Fact, frozen=True, tag="late_reject", kw_only=True):
    """What the gate had to do did not reach it in time. The inspection tells whether the verdict was FAIL (an escape)
    or a part to be held.
    """

    inspection_key: str


class KpiFact(_Fact, frozen=True, tag="kpi", kw_only=True):
    """An indicator of the plant's own, from `at` to `end`."""

    end: datetime
    name: str
    numerator: float
    denominator: float
    product: str = ""


class CovariateFact(_Fact, frozen=True, tag="covariate", kw_only=True):
    """A condition that explains a part of the outcome (degree days, speed, humidity), from `at` to `end`."""

    end: datetime
    name: str
    value: float


Fact = (
    ProductionFact
    | AuditFact
    | ChallengeFact
    | InspectedPart
    | JudgedPart
    | EscapeFact
    | StopFact
    | MachineWatched
    | EnergyFact
    | LabourFact
    | ModeFact
    | StopRevisionFact
    | AlarmFact
    | AlarmOutcomeFact
    | LateRejectFact
    | KpiFact
    | CovariateFact
)


class FactChange(msgspec.Struct, frozen=True):
    """A fact whose key is known with other content.

    Attributes:
        position: of the fact in the import, from 0.
        given, stored: the new content and the known one.
        same_import: both are in the import at hand, which contradicts itself.
    """

    position: int
    given: Fact
    stored: Fact
    same_import: bool
