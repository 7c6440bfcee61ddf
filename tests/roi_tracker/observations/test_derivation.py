from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from roi_tracker.business_case import Plant
from roi_tracker.observations import facts as f
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.rows import AssetHealth, AuditSample, Challenge, Inspector, RepeatReviews, Stratum
from roi_tracker.observations.shifts import ShiftCalendar

SEOUL = ZoneInfo("Asia/Seoul")
CALENDAR = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
SIX = datetime(2025, 3, 1, 6, tzinfo=SEOUL)


def production(key: str, start: datetime, product: str = "a", *, busy: float | None = 7.5 * 3600) -> f.ProductionFact:
    return f.ProductionFact(
        key=key,
        line="l",
        at=start,
        origin="measured",
        end=start + timedelta(hours=8),
        product=product,
        shift="",
        produced=100,
        inspected=100,
        rejected=4,
        planned_busy_s=busy,
    )


def stop(key: str, start: datetime, minutes: float, *, planned: bool = False) -> f.StopFact:
    end = start + timedelta(minutes=minutes)
    return f.StopFact(key=key, line="l", at=start, origin="simulated", asset="press", end=end, planned=planned)


def test_a_stop_is_cut_at_the_shift_border_and_counted_where_it_began() -> None:
    found = derive(
        [
            production("p1", SIX),
            production("p2", SIX + timedelta(hours=8)),
            stop("s1", SIX + timedelta(hours=7, minutes=50), 25),
        ],
        CALENDAR,
    )
    assert [(r.shift, r.unplanned_stop_s, r.unplanned_stops, r.planned_stop_s) for r in found.line_shifts] == [
        ("day", 600.0, 1, 0.0),
        ("evening", 900.0, 0, 0.0),
    ]
    assert found.line_shifts[0].origin == "simulated"


def test_overlapping_stops_count_once_and_are_reported() -> None:
    found = derive(
        [production("p", SIX), stop("s1", SIX, 30), stop("s2", SIX + timedelta(minutes=20), 30)],
        CALENDAR,
    )
    assert found.line_shifts[0].unplanned_stop_s == 50 * 60
    assert [x.name for x in found.findings] == ["overlapping_stops"]


def test_without_anybody_watching_stops_are_unknown_not_zero() -> None:
    alone = derive([production("p", SIX)], CALENDAR)
    assert alone.line_shifts[0].unplanned_stop_s is None
    later = SIX + timedelta(days=8)
    far = derive([production("p", SIX), production("q", later), stop("s", later, 5)], CALENDAR)
    assert [row.unplanned_stop_s for row in far.line_shifts] == [None, 300.0]


def test_products_that_share_the_time_share_the_planned_busy_time() -> None:
    half = timedelta(hours=4)
    shared = derive([production("p", SIX, "a"), production("q", SIX, "b")], CALENDAR)
    assert shared.line_shifts[0].planned_busy_s == 7.5 * 3600
    first = f.ProductionFact(
        key="r", line="l", at=SIX, origin="measured", end=SIX + half, product="a", shift="", produced=1,
        planned_busy_s=3600.0,
    )  # fmt: skip
    second = f.ProductionFact(
        key="s", line="l", at=SIX + half, origin="measured", end=SIX + 2 * half, product="b", shift="", produced=1,
        planned_busy_s=1800.0,
    )  # fmt: skip
    assert derive([first, second], CALENDAR).line_shifts[0].planned_busy_s == 5400.0
    assert derive([first, production("t", SIX + half, busy=None)], CALENDAR).line_shifts[0].planned_busy_s is None


def part(key: str, verdict: str, mode: str = "live") -> f.InspectedPart:
    return f.InspectedPart(
        key=key, line="l", at=SIX, origin="measured", product="a", verdict=verdict, mode=mode  # type: ignore[arg-type]  # plain words read better in a table
    )  # fmt: skip


def judged(key: str, of: str, stratum: str, *, defective: bool, minute: int = 0, blind: bool = True) -> f.JudgedPart:
    return f.JudgedPart(
        key=key, line="l", at=SIX + timedelta(minutes=minute), origin="measured", inspection_key=of,
        defective=defective, blind=blind, stratum=stratum,  # type: ignore[arg-type]  # plain words read better in a table
    )  # fmt: skip


def test_single_parts_are_counted_and_the_last_judgement_holds() -> None:
    found = derive(
        [
            part("1", "PASS"), part("2", "PASS"), part("3", "FAIL"), part("4", "REVIEW"), part("5", "REVIEW"),
            part("6", "NO_VERDICT"), part("7", "FAIL", "shadow"),
            judged("j1", "1", "audit_pass", defective=True),
            judged("j2", "1", "audit_pass", defective=False, minute=5),
            judged("j3", "3", "audit_fail", defective=True),
            judged("j4", "4", "review", defective=True),
        ],
        CALENDAR,
    )  # fmt: skip
    row = found.products[0]
    assert (row.inspected, row.rejected, row.reviewed, row.review_defects) == (4, 1, 1, 1)
    assert row.audits == (AuditSample("ai", "FAIL", 1, 1), AuditSample("ai", "PASS", 1, 0))


def test_a_part_that_somebody_chose_to_look_at_is_no_audit_sample() -> None:
    chosen = judged("j", "1", "audit_pass", defective=True, blind=False)
    assert derive([part("1", "PASS"), chosen], CALENDAR).products[0].audits == ()


def test_what_cannot_be_is_left_out_and_reported() -> None:
    bad = production("p", SIX)
    bad = f.ProductionFact(**{name: getattr(bad, name) for name in bad.__struct_fields__} | {"rejected": 200})
    found = derive([bad], CALENDAR)
    assert found.products[0].inspected is None
    assert [x.name for x in found.findings] == ["impossible_count"]


def test_the_same_period_twice_is_reported_and_not_added_up() -> None:
    found = derive([production("p", SIX), production("q", SIX)], CALENDAR)
    assert found.products[0].produced == 100
    assert [x.name for x in found.findings] == ["duplicate_production"]


def test_quantities_are_shared_among_shifts_by_time() -> None:
    energy = f.EnergyFact(
        key="e", line="l", at=SIX + timedelta(hours=6), origin="measured", end=SIX + timedelta(hours=10),
        carrier="electricity", kwh=8.0,
    )  # fmt: skip
    found = derive([energy], CALENDAR)
    assert [(row.shift, row.energy_kwh, row.labour_hours) for row in found.line_shifts] == [
        ("day", 4.0, None),
        ("evening", 4.0, None),
    ]


def test_the_inspection_in_force_follows_the_mode() -> None:
    live = f.ModeFact(key="m", line="l", at=SIX + timedelta(hours=5), origin="measured", station="s", mode="live")
    found = derive([production("p", SIX), production("q", SIX + timedelta(hours=8)), live], CALENDAR)
    assert [row.inspector for row in found.products] == ["previous", "ai"]
    assert found.line_shifts[0].live_s == 3 * 3600
    assert found.line_shifts[0].day == date(2025, 3, 1)


def again(key: str, of: str, part_key: str, *, defective: bool, blind: bool = True, minute: int = 9) -> f.JudgedPart:
    """A repeat of judgement `of`."""
    first = judged(key, part_key, "audit_pass", defective=defective, minute=minute, blind=blind)
    return f.JudgedPart(**{name: getattr(first, name) for name in first.__struct_fields__} | {"repeat_of": of})


def test_repeated_reviews_tell_of_reviewers_and_replace_nothing() -> None:
    found = derive(
        [
            part("1", "PASS"), part("2", "PASS"), part("3", "FAIL"), part("4", "PASS"),
            judged("j1", "1", "audit_pass", defective=False), again("r1", "j1", "1", defective=True),
            judged("j2", "2", "audit_pass", defective=False), again("r2", "j2", "2", defective=False),
            judged("j3", "3", "audit_fail", defective=True), again("r3", "j3", "3", defective=True),
            judged("j4", "4", "audit_pass", defective=True), again("r4", "j4", "4", defective=True, blind=False),
        ],
        CALENDAR,
    )  # fmt: skip
    row = found.products[0]
    assert row.audits == (AuditSample("ai", "FAIL", 1, 1), AuditSample("ai", "PASS", 3, 1))
    assert row.repeats == (RepeatReviews("FAIL", 1, 0, 0), RepeatReviews("PASS", 0, 1, 1))


def test_challenges_add_up_by_inspector() -> None:
    def shown(key: str, caught: int) -> f.ChallengeFact:
        return f.ChallengeFact(
            key=key, line="l", at=SIX, origin="imported", product="a", inspector="ai", defective=10, caught=caught,
            good=20, rejected=1,
        )  # fmt: skip

    found = derive([shown("c1", 9), shown("c2", 8)], CALENDAR).products[0]
    assert found.challenges == (Challenge("ai", 20, 17, 40, 2),)
    assert found.inspected is None  # parts of known truth are no production


def test_stops_and_alarms_machine_by_machine() -> None:
    """Planned stops and those the system caused are not what a failure of the machine takes."""

    def of(asset: str, key: str, minutes: int, *, planned: bool = False, reason: str = "") -> f.StopFact:
        base = stop(key, SIX + timedelta(hours=int(key)), minutes)
        fields = {name: getattr(base, name) for name in base.__struct_fields__}
        return f.StopFact(**fields | {"asset": asset, "planned": planned, "reason": reason})

    alarm = f.AlarmFact(key="a1", line="l", at=SIX, origin="measured", asset="press", alarm="bearing")
    answer = f.AlarmOutcomeFact(
        key="o1", line="l", at=SIX, origin="measured", asset="press", alarm_key="a1", outcome="confirmed", acted=True,
        avoided_stop_h=4.0,
    )  # fmt: skip
    facts: list[f.Fact] = [
        of("press", "1", 30), of("press", "2", 15), of("saw", "3", 5), of("press", "4", 60, planned=True),
        of("saw", "5", 10, reason="lineproof_gate"), alarm, answer,
    ]  # fmt: skip
    row = derive(facts, CALENDAR).line_shifts[0]
    assert row.assets == (
        AssetHealth("press", 2, 45 * 60.0, confirmed=1, acted=1, estimated=1, avoided_stop_h=4.0),
        AssetHealth("saw", 1, 5 * 60.0),
    )


def audit(stratum: Stratum, audited: int, inspector: Inspector = "previous") -> f.AuditFact:
    return f.AuditFact(
        key=f"a-{inspector}-{stratum}-{audited}", line="l", at=SIX, origin="imported", product="a", shift="",
        inspector=inspector, stratum=stratum, audited=audited, defects_found=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("audited", "evidence"),
    [
        (audit("PASS", 100_000, "ai"), "a: audited 100000 (ai) > 100 parts"),
        (audit("PASS", 97), "a: audited 97 (previous PASS) > 96 parts of that verdict"),
        (audit("FAIL", 5), "a: audited 5 (previous FAIL) > 4 parts of that verdict"),
    ],
)
def test_more_audited_than_there_were_is_impossible(audited: f.AuditFact, evidence: str) -> None:
    found = derive([production("p", SIX), audited], CALENDAR)
    assert [(one.name, one.evidence) for one in found.findings] == [("impossible_count", evidence)]
    assert (found.products[0].inspected, found.products[0].audits) == (None, ())


def test_a_census_of_audits_is_possible_and_an_ai_in_shadow_has_verdicts_of_its_own() -> None:
    shadow = [audit("FAIL", 9, "ai"), audit("PASS", 91, "ai")]
    found = derive([production("p", SIX), audit("PASS", 96), audit("FAIL", 4), *shadow], CALENDAR)
    assert found.findings == ()
    assert sum(one.audited for one in found.products[0].audits) == 200
