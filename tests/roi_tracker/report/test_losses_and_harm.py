"""One loss told by several events stands on the report once; harm has its interval or the reason why none."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.ledger.costs import HarmCause, HarmRow, Term
from roi_tracker.observations import facts as f
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_wording import ReportWording
from roi_tracker.report.harm_limits import HarmLimits, limits_of
from roi_tracker.reporting import Reporting
from tests.roi_tracker.report.conftest import ON, Plant

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2025, 10, 6, 3, tzinfo=UTC)


def harm(cause: HarmCause, **terms: float) -> HarmRow:
    return HarmRow(
        day=date(2025, 10, 31),
        cause=cause,
        line="press-1",
        quantity=Decimal(20),
        unit_value=Decimal(1_000),
        amount=Decimal(20_000),
        formula="",
        terms=tuple(Term(name, value) for name, value in terms.items()),
        unit_value_source="s",
        first=date(2025, 10, 1),
    )


def test_false_rejects_have_the_exact_limits_of_their_audit() -> None:
    """0 of 59 good: at most 4.95 % (1 - 0.05 ** (1 / 59)); of 1,000 rejected at 1,000 won each."""
    found = limits_of(harm("false_reject", rejected=1_000, audited_fail=59, good_of_audited_fail=0))
    assert found.reason == "audited"
    assert found.low == 0
    assert found.high is not None
    assert float(found.high) == pytest.approx((1 - 0.05 ** (1 / 59)) * 1_000_000, rel=1e-6)


def test_what_was_counted_has_no_interval_and_what_rests_on_a_rate_says_why_none() -> None:
    assert limits_of(harm("system_stop", system_stop_s=72_000)) == HarmLimits(
        Decimal(20_000), Decimal(20_000), "counted"
    )
    assert limits_of(harm("uninspected", no_verdict=1_000, baseline_defect_rate=0.02)) == HarmLimits(
        None, None, "rate_without_interval"
    )


def events() -> list[f.Fact]:
    """An alarm with a failed part ten minutes later, answered; and one part that two cameras fail."""
    own = {"line": "press-1", "origin": "simulated"}
    written = [
        {"fact": "alarm", "key": "alarm/9", "at": AT, "asset": "press", "alarm": "vibration"},
        {"fact": "alarm_outcome", "key": "said/9", "at": AT + timedelta(hours=2), "asset": "press"}
        | {"alarm_key": "alarm/9", "outcome": "confirmed", "acted": True},
        *(
            {"fact": "inspected", "key": key, "at": AT + timedelta(minutes=minutes), "product": "bracket-a"}
            | {"verdict": verdict, "mode": "live", "part": part}
            for key, minutes, verdict, part in (
                ("part/9", 10, "FAIL", "p9"),
                ("part/10", 300, "FAIL", "p10"),
                ("part/11", 301, "FAIL", "p10"),
                ("part/12", 5, "PASS", "p12"),
            )
        ),
    ]
    return [msgspec.convert(one | own, f.Fact) for one in written]


def test_joint_losses_stand_on_the_report_as_of_its_moment(plant: Plant, tmp_path: Path) -> None:
    path = tmp_path / "roi.sqlite"
    shutil.copy(plant.path, path)
    told = Plant(path, plant.text)
    store, ledger = told.open()
    before = Reporting(told.case, store, ledger, text=told.text)
    known = store.fact_watermark()
    store.add_facts(events(), source="later")
    after = Reporting(told.case, store, ledger, text=told.text)
    assert before.report(ON).joint.total == 0
    joint = after.report(ON).joint
    assert (joint.total, joint.events) == (2, 4)
    assert [(one.likely_cause, one.losses) for one in joint.causes] == [("machine_confirmed", 1), ("unknown", 1)]
    assert [one.keys for one in joint.newest] == [("part/10", "part/11"), ("part/9", "alarm/9")]
    for language in ("ko", "en"):
        w = ReportWording(after.report(ON), "ko" if language == "ko" else "en")
        claims = next(one for one in report_content(w.report, w.language).sections if one.id == "claims")
        assert w.t("likely_cause.machine_confirmed") in claims.tables[-1].rows[1]
        costs = next(one for one in report_content(w.report, w.language).sections if one.id == "costs")
        assert any(w.t("harm_limits.counted") in text for table in costs.tables for text in table.details)
    key = "press-1/2025-10-06/day/bracket-a"
    row = next(one for one in after.rows("fewer-defects") if one.key == key)
    ((_, seen),) = after.events((row,))
    ((_, earlier),) = before.events((row,))
    assert {"part/9", "part/12"} <= {fact.key for fact in seen}
    assert not {"part/9", "part/12"} & {fact.key for fact in earlier}
    assert known < store.fact_watermark()
