"""How a benefit line will be measured: registered with the baseline before go-live, and part of its hash."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from roi_tracker.case.section import Identifier, Name, Section

Assignment = Literal["chosen", "chosen_because_bad", "randomised"]
KpiKind = Literal["ratio", "rate", "mean"]


class QualityCosts(Section):
    """What the outcomes of an inspection cost, money per part; locked with the line's unit value.

    Attributes:
        escape: a defective part that passed.
        overkill: a good part that was rejected.
        internal: a defective part that was caught.
        appraisal: inspecting one part with the programme.
        appraisal_before: inspecting one part with the inspection that was there before.
    """

    escape: Annotated[Decimal, Field(ge=0)]
    overkill: Annotated[Decimal, Field(ge=0)]
    internal: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    appraisal: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    appraisal_before: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class KpiDefinition(Section):
    """An indicator that the plant's own files bring, as a numerator and a denominator.

    Attributes:
        id: name of the indicator in imported rows.
        kind: `ratio` (numerator out of denominator, 0 to 1), `rate` (events per exposure), `mean` (sum over count).
        better: which direction is an improvement.
        unit: what one avoided unit of the numerator is.
    """

    id: Identifier
    kind: KpiKind
    better: Literal["lower", "higher"] = "lower"
    unit: str = "unit"


class EndedStream(Section):
    """A role, energy carrier, machine or shift that really ended, stated by whoever answers for it.

    Attributes:
        stream: its name in the imported rows.
        line: production line; every line of the benefit where left out.
        last_day: last day on which it was recorded.
        reference: document that shows it: a roster change, a meter's removal, a machine taken out of service.
        owner: role that answers for the statement.
    """

    stream: str = Field(min_length=1)
    line: str = ""
    last_day: date
    reference: str = Field(min_length=1)
    owner: str = Field(min_length=1)

    def covers(self, line: str, stream: str, last: date) -> bool:
        """Whether a record that fell silent after `last` is this one; it may not have gone on longer than stated."""
        return self.stream == stream and self.line in {"", line} and last <= self.last_day


class MeasurementPlan(Section):
    """The registered analysis of one benefit line.

    Attributes:
        control_lines: lines without the programme that live through the same seasons.
        go_live_by_line: first day with the programme of lines that did not all start together.
        treated_shifts: shifts that run with the programme while the others do not (a trial by shift).
        assignment: how lines, order or shifts were chosen; `chosen_because_bad` must expect regression to the mean.
        randomisation: where the drawing by lot is recorded; needed for `randomised`.
        closing_dates: days on which the ordinary interval may be read; on other days the anytime-valid one holds.
        covariates: names of numeric covariates to adjust for, as imported (`degree_days`, `speed`).
        bottleneck: an hour of this line is worth its contribution margin, because it limits the plant and demand is
            there; otherwise an hour is worth avoided repair and overtime.
        carriers: energy carriers that count; all where left out.
        roles: labour roles that count; all where left out.
        quality_costs: for the measure `inspection`.
        kpi: for the measure `kpi`.
        intervention_h: hours of stop that answering one alarm costs, for the measure `maintenance`.
        energy_readings: how meters are read; a `billing` period is a month, whose energy is known as a whole.
        ended_streams: what the baseline counted and is no longer recorded, because it ended; outside the hash of the
            frozen baseline, and printed beside the figure.
    """

    control_lines: tuple[str, ...] = ()
    go_live_by_line: dict[str, date] = Field(default_factory=dict)
    treated_shifts: tuple[Identifier, ...] = ()
    assignment: Assignment = "chosen"
    randomisation: str | None = None
    closing_dates: tuple[date, ...] = ()
    covariates: tuple[Identifier, ...] = ()
    bottleneck: bool | None = None
    carriers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    quality_costs: QualityCosts | None = None
    kpi: KpiDefinition | None = None
    intervention_h: Annotated[Decimal, Field(ge=0)] | None = None
    energy_readings: Literal["daily", "billing"] = "daily"
    ended_streams: tuple[EndedStream, ...] = ()

    @model_validator(mode="after")
    def _recorded(self) -> Self:
        if self.assignment == "randomised" and not self.randomisation:
            message = "a randomised assignment says where the drawing is recorded (randomisation)"
            raise ValueError(message)
        if tuple(sorted(set(self.closing_dates))) != self.closing_dates:
            message = "closing_dates are in order, each once"
            raise ValueError(message)
        return self


class LabourEvidence(Section):
    """What became of the hours that a labour line saved. Hours alone are released time, and no money.

    Attributes:
        reference: booking, budget paper or roster that shows it.
        budget_line: account whose budget fell, for a `cashable` line.
        redeployed_to: named role that the people took over, for a `redeployed` line.
        since: day from which on it holds; hours count from that day on, and without it not at all.
    """

    reference: str = Field(min_length=1)
    budget_line: str | None = None
    redeployed_to: Name | None = None
    since: date | None = None


class SharedClaim(Section):
    """Benefit lines that lay claim to one measured change; together they never get more than was measured.

    Attributes:
        benefits: ids of the lines, in the order in which a single cause would be named.
        reason: why they overlap.
        rule: how they share: by projection whatever the order, or each takes what the ones before leave.
    """

    id: Identifier
    benefits: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    reason: str = Field(min_length=1)
    rule: Literal["proportional", "order_of_cause"] = "proportional"


class KpiTarget(Section):
    """A headline indicator of the weekly board.

    Attributes:
        source: a measure (`defects`, `downtime`, ...), `availability`, `bypass`, or the id of an imported indicator.
        target: level to reach, in `unit`.
        hypothesis: what is believed to move it; reviewed every four weeks beside action and evidence.
    """

    id: Identifier
    name: Name
    axis: Literal["cost", "productivity", "revenue", "risk"]
    source: Identifier
    unit: str
    target: Decimal
    better: Literal["lower", "higher"] = "lower"
    lines: tuple[str, ...] = ()
    owner: str = Field(min_length=1)
    action: Name | None = None
    hypothesis: Name | None = None


class Pilot(Section):
    """A pilot of 4 to 8 weeks and what decides it.

    Attributes:
        weeks: length of the reporting part.
        start_when: conditions that must hold before it starts; those the tool knows by name are checked by it.
        stop_when: conditions that end it early.
    """

    weeks: Annotated[int, Field(ge=4, le=8)]
    start_when: tuple[
        Literal["baseline_frozen", "effect_detectable", "audits_sufficient", "unit_values_locked", "feed_complete"], ...
    ] = ("baseline_frozen", "effect_detectable", "unit_values_locked")
    max_overkill_ratio: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    max_escape_ratio: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    max_bypass_ratio: Annotated[Decimal, Field(ge=0, le=1)] | None = None
