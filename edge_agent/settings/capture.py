"""Settings of what people are asked for: the random audit of a station, whose stops count, and for which reasons."""

from __future__ import annotations

from pydantic import Field

from edge_agent.settings.section import Name, Section


class AuditSettings(Section):
    """The random, blind audit of PASS and FAIL parts: how sure its answer shall be, and how much work that may be.

    From these the agent works out the share of parts that is drawn. Where the cap allows fewer than the wanted widths
    need, it draws what the cap allows and says which widths that gives.
    """

    ppv_half_width: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="Wanted half-width of the 90 % interval of the share of true defects among FAIL parts (ratio).",
    )
    for_half_width: float = Field(
        default=0.01,
        gt=0,
        lt=0.5,
        description="Wanted half-width of the 90 % interval of the share of true defects among PASS parts (ratio).",
    )
    parts_per_shift: int = Field(ge=1, description="Parts of one product that a shift is expected to judge.")
    fail_ratio: float = Field(default=0.03, gt=0, lt=1, description="Share of parts expected to be FAIL (ratio).")
    expected_ppv: float = Field(
        default=0.8, gt=0, lt=1, description="Expected share of true defects among FAIL; 0.5 when nothing is known."
    )
    expected_for: float = Field(
        default=0.005, gt=0, lt=1, description="Expected share of true defects among PASS; be generous (ratio)."
    )
    shifts: int = Field(default=60, ge=1, le=5_000, description="Shifts over which the widths shall be reached.")
    reviews_per_shift: int = Field(
        default=40, ge=1, description="Parts a shift that people can look at for the audit, repeat reviews included."
    )
    repeat_ratio: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of judged parts shown again, blind, to find reviewers' errors."
    )


class DowntimeSettings(Section):
    """Which machine's states make the line's stops."""

    line: Name = Field(description="Production line.")
    asset: Name = Field(description="The machine whose stop stops the line.")
    minimum_s: float = Field(default=0.0, ge=0, description="Shorter stops are not recorded, seconds.")


class StopReasonSettings(Section):
    """One reason for a stop that people choose from, in both languages."""

    code: Name = Field(description="Stable code, written into the events.")
    ko: str = Field(min_length=1, max_length=60, description="The reason in Korean.")
    en: str = Field(min_length=1, max_length=60, description="The reason in English.")
    planned: bool = Field(description="Whether a stop of this reason was planned.")


def _reason(code: str, ko: str, en: str, *, planned: bool) -> StopReasonSettings:
    return StopReasonSettings(code=code, ko=ko, en=en, planned=planned)


USUAL_REASONS = (
    _reason("breakdown", "설비 고장", "Breakdown", planned=False),
    _reason("jam", "걸림·막힘", "Jam", planned=False),
    _reason("no_material", "자재 없음", "No material", planned=False),
    _reason("quality", "품질 문제", "Quality problem", planned=False),
    _reason("false_stop", "시스템이 일으킨 정지", "Stopped by this system", planned=False),
    _reason("other_unplanned", "기타 (비계획)", "Other, not planned", planned=False),
    _reason("changeover", "품목 교체", "Changeover", planned=True),
    _reason("maintenance", "계획 보전", "Planned maintenance", planned=True),
    _reason("break", "휴식", "Break", planned=True),
    _reason("no_order", "주문 없음", "No order", planned=True),
    _reason("other_planned", "기타 (계획)", "Other, planned", planned=True),
)
"""Reasons of a plant that lists none of its own."""
