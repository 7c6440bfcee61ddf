"""Page 1 and the line's page say what the ledger changed of a figure, and what it may not change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.baseline.adjustments import AdjustedCounterfactual, AdjustmentLine, NonRoutine
from roi_tracker.ledger.books import SignedValue
from roi_tracker.ledger.entries import UnitValueLocked
from roi_tracker.realization.prices import UnitPrice, ValueRefused
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_ledger import changed_by_ledger, unit_value_says
from roi_tracker.render.report_wording import ReportWording

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.report.model import LineSection, Report
    from tests.roi_tracker.report.conftest import Plant

ON = date(2026, 1, 5)
DAY = date(2025, 8, 1)


@pytest.fixture(scope="module")
def report(plant: Plant) -> Report:
    return plant.reporting().report(ON)


def value(amount: int) -> SignedValue:
    body = UnitValueLocked(
        subject="fewer-defects", amount=Decimal(amount), per="defect", valid_from=DAY, valid_to=ON,
        source="sheet of today", owner="controller", approver="boss",
    )  # fmt: skip
    return SignedValue(body, ON, "clerk", "ab" * 32)


def altered(report: Report) -> Report:
    """The proven line with an adjustment of 100 units, another beyond what was expected, and two unit values."""
    found: list[LineSection] = []
    for line in report.lines:
        estimate = line.result.proof.estimate
        if line not in report.realized or estimate is None:
            found.append(line)
            continue
        note = NonRoutine("die", DAY, ON, Decimal(100), Decimal(1), "wear", ("x",), "clerk", "boss")
        lines = (AdjustmentLine(note, 30, 100.0), AdjustmentLine(note, 30, 0.0, refused=1e9))
        before = estimate.expected
        changed = AdjustedCounterfactual("a", "f", before, lines, before + 100.0, estimate.observed)
        lower, higher = value(1200), ValueRefused(value(9000), "raised_after_go_live")
        price = UnitPrice(Decimal(1200), Decimal(1500), "sheet of today", lower, (higher,))
        result = msgspec.structs.replace(
            line.result, adjusted_units=Decimal(100), adjustment=changed, price=price, unit_value=Decimal(1200)
        )
        found.append(msgspec.structs.replace(line, result=result, unit_value_source="sheet of today"))
    return msgspec.structs.replace(report, lines=tuple(found))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_page_one_shows_both_quantities_and_the_other_unit_value(report: Report, language: Language) -> None:
    made = altered(report)
    w = ReportWording(made, language)
    line = made.realized[0]
    estimate = line.result.proof.estimate
    assert estimate is not None
    adjusted, beyond, price, refused = changed_by_ledger(w, line)
    assert w.quantity(estimate.low) in adjusted
    assert w.quantity(estimate.low + 100) in adjusted
    assert "1" in beyond
    assert w.exact(Decimal(1200)) in price
    assert w.exact(Decimal(1500)) in price
    assert "1" in refused
    front = next(one for one in report_content(made, language).sections if one.id == "lines")
    assert adjusted in front.tables[0].details[made.lines.index(line)]
    (as_signed,) = changed_by_ledger(ReportWording(report, language), report.realized[0])
    assert "\N{MINUS SIGN}40.0" in as_signed  # what the plant's own ledger has


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_unit_value_says_who_changed_it_from_what(report: Report, language: Language) -> None:
    w = ReportWording(altered(report), language)
    says = unit_value_says(w, altered(report).realized[0])
    for part in ("sheet of today", "clerk", "boss", "abababababab", str(ON), w.exact(Decimal(1500))):
        assert part in says
    assert w.exact(Decimal(9000)) in says
    assert w.t("value_refused.raised_after_go_live") in says
