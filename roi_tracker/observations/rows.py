"""Observations at line x shift x product, and line x shift for what no product can own (time, energy, hours).

None means not measured; it is never replaced by 0.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.observations import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.observations.tables import LineTable, ProductTable

Origin = Literal["measured", "imported", "simulated"]
Inspector = Literal["previous", "ai"]
Stratum = Literal["PASS", "FAIL"]
_TRUST: tuple[Origin, ...] = ("measured", "imported", "simulated")


def weakest_origin(origins: Iterable[Origin]) -> Origin:
    """The origin a figure made of several facts must carry: simulated before imported before measured.

    >>> weakest_origin(["measured", "simulated"])
    'simulated'
    """
    return max(origins, key=_TRUST.index, default="measured")


class AuditSample(msgspec.Struct, frozen=True, gc=False):
    """Parts of one verdict, drawn at random and re-inspected by a person.

    Attributes:
        inspector: who had judged them.
        stratum: the verdict they had.
        audited: parts drawn.
        defects_found: of those, defective.
    """

    inspector: Inspector
    stratum: Stratum
    audited: int
    defects_found: int


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A named quantity: energy by carrier, hours by role, a covariate's mean."""

    name: str
    value: float


class KpiCount(msgspec.Struct, frozen=True, gc=False):
    """An indicator's numerator and denominator as the plant's files state them."""

    name: str
    numerator: float
    denominator: float


class RepeatReviews(msgspec.Struct, frozen=True, gc=False):
    """Audited parts of one verdict that were reviewed a second time, blind: what reviewers' errors are learned from.

    Attributes:
        stratum: the verdict the parts had.
        both, split, neither: parts that two, one or none of the two reviews called defective.
    """

    stratum: Stratum
    both: int
    split: int
    neither: int


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """Parts of known truth that were put before an inspection, apart from production.

    Attributes:
        inspector: who judged them.
        defective, caught: defective parts shown, and those of them that were rejected.
        good, rejected: good parts shown, and those of them that were rejected.
    """

    inspector: Inspector
    defective: int
    caught: int
    good: int
    rejected: int


class AssetHealth(msgspec.Struct, frozen=True, gc=False):
    """What happened to one machine in a shift; only machines that reported a state, stopped, alarmed or failed have
    one. One without a name and without a stop says that the whole line was watched.

    Attributes:
        stops, stop_s: unplanned stops that began in the shift, and seconds stopped in it, those caused by the system
            itself left out.
        confirmed, not_found, missed, open, acted, estimated, avoided_stop_h: as in `AlarmCount`.
    """

    asset: str
    stops: int = 0
    stop_s: float = 0.0
    confirmed: int = 0
    not_found: int = 0
    missed: int = 0
    open: int = 0
    acted: int = 0
    estimated: int = 0
    avoided_stop_h: float = 0.0


class AlarmCount(msgspec.Struct, frozen=True, gc=False):
    """Alarms of machine health that were raised in a shift, by what was found.

    Attributes:
        confirmed: an action was taken and a fault was found.
        not_found: somebody looked and found nothing.
        missed: failures that no alarm announced.
        open: nobody has said yet.
        acted: of the confirmed, those that somebody acted on before the machine failed.
        estimated: of those, the ones whose avoided stop the repair history gives.
        avoided_stop_h: hours of stop that history gives for them, together.
    """

    confirmed: int = 0
    not_found: int = 0
    missed: int = 0
    open: int = 0
    acted: int = 0
    estimated: int = 0
    avoided_stop_h: float = 0.0


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One product on one line in one shift.

    Attributes:
        day: local date on which the shift starts.
        origin: weakest origin of the facts it is made of.
        inspector: the inspection in force for most of the shift; None where the line never reported a mode.
        inspected: parts judged by the inspection in force.
        rejected: of those, failed; parts a person decided after REVIEW are apart.
        reviewed, review_defects: REVIEW parts a person has decided, and how many were defective (a census, no sample).
        escapes: defective parts found later, by the day they were found.
        audits: random audit samples.
        no_verdict: parts that passed the AI's station uninspected (camera down, no trustworthy verdict, station off).
        late_rejects: FAIL verdicts that did not reach the reject gate in time: they count as escapes.
        overruled: live verdicts that a person reversed.
        coverage: share of the shift's data that arrived, 0 to 1; None where nothing says.
        repeats: audited parts that were reviewed twice.
        challenges: parts of known truth put before the inspection.
    """

    line: str
    day: date
    shift: str
    product: str
    origin: Origin
    inspector: Inspector | None
    produced: int | None = None
    inspected: int | None = None
    rejected: int | None = None
    reviewed: int = 0
    review_defects: int = 0
    scrap: int | None = None
    rework: int | None = None
    planned_busy_s: float | None = None
    escapes: int | None = None
    audits: tuple[AuditSample, ...] = ()
    no_verdict: int | None = None
    late_rejects: int = 0
    overruled: int = 0
    coverage: float | None = None
    kpis: tuple[KpiCount, ...] = ()
    repeats: tuple[RepeatReviews, ...] = ()
    challenges: tuple[Challenge, ...] = ()

    @property
    def shift_key(self) -> tuple[str, date, str]:
        """Line, day and shift."""
        return (self.line, self.day, self.shift)


class LineShift(msgspec.Struct, frozen=True, gc=False):
    """One line in one shift: the facts that belong to no single product.

    Attributes:
        planned_busy_s: planned busy time in seconds (ISO 22400-2 PBT), periods that overlap counted once.
        unplanned_stop_s, planned_stop_s: seconds stopped within the shift, overlapping stops counted once;
            None while nothing watched the machine.
        unplanned_stops, planned_stops: stops that began in the shift.
        energy_kwh, labour_hours: all carriers and roles together.
        shadow_s, live_s: seconds an AI inspection ran beside or instead of the previous one.
        off_s: seconds the AI was off in a line that has one.
        system_stop_s: of the unplanned stop time, what the system itself caused (its reason codes begin `lineproof`).
        energy, labour: the totals by carrier and by role.
        covariates: means of numeric covariates over the shift.
        kpis: indicators that belong to no single product.
        alarms: machine-health alarms raised in the shift and failures that none announced; None for neither.
        assets: stops and alarms machine by machine.
    """

    line: str
    day: date
    shift: str
    origin: Origin
    planned_busy_s: float | None = None
    unplanned_stop_s: float | None = None
    unplanned_stops: int | None = None
    planned_stop_s: float | None = None
    planned_stops: int | None = None
    energy_kwh: float | None = None
    labour_hours: float | None = None
    shadow_s: float | None = None
    live_s: float | None = None
    off_s: float | None = None
    system_stop_s: float | None = None
    energy: tuple[Amount, ...] = ()
    labour: tuple[Amount, ...] = ()
    covariates: tuple[Amount, ...] = ()
    kpis: tuple[KpiCount, ...] = ()
    alarms: AlarmCount | None = None
    assets: tuple[AssetHealth, ...] = ()

    @property
    def shift_key(self) -> tuple[str, date, str]:
        """Line, day and shift."""
        return (self.line, self.day, self.shift)


FindingName = Literal[
    "duplicate_production",
    "impossible_count",
    "overlapping_stops",
    "outside_shifts",
    "duplicate_period",
    "mixed_time_zones",
    "clock_jump",
    "gap",
    "stuck_values",
    "impossible_rate",
    "unit_switch",
]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """Something wrong with the data, kept with its evidence."""

    name: FindingName
    line: str
    day: date
    evidence: str


class Observations(msgspec.Struct, frozen=True, dict=True):
    """All observations derived from the events of a store, in time order, with what was wrong on the way."""

    products: tuple[Observation, ...]
    line_shifts: tuple[LineShift, ...]
    findings: tuple[Finding, ...]

    def until(self, day: date) -> Observations:
        """What had happened by the end of a day; itself where nothing came after."""
        last_days = [
            *(row.day for row in self.products[-1:]),
            *(row.day for row in self.line_shifts[-1:]),
            *(found.day for found in self.findings),
        ]
        if all(last <= day for last in last_days):
            return self
        return Observations(
            tuple(row for row in self.products if row.day <= day),
            tuple(row for row in self.line_shifts if row.day <= day),
            tuple(found for found in self.findings if found.day <= day),
        )

    @cached_property
    def product_table(self) -> ProductTable:
        """`products` as columns, made once."""
        return tables.product_table(self.products)

    @cached_property
    def line_table(self) -> LineTable:
        """`line_shifts` as columns, made once."""
        return tables.line_table(self.line_shifts)
