"""A simulated year with a ledger, and a case that has everything a report can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import roi_tracker
from edge_agent.virtual_plant.history import simulated_year
from roi_tracker.adapters.export_file import read_export
from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.intake import import_lines
from roi_tracker.ledger import entries as e
from roi_tracker.observations import facts as f
from roi_tracker.report.case_text import CaseText
from roi_tracker.reporting import Reporting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.business_case import BusinessCase

EXAMPLE = Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
ON = date(2026, 1, 5)
FOLLOWED = """
pilot: {weeks: 8, max_bypass_ratio: 0.1}
stage_gates:
  - name: {ko: 1차 관문, en: First gate}
    when: 8 weeks after start
    condition: {ko: 불량 10 % 감소, en: 10 % fewer defects}
    conditions: [{figure: reduction, benefit: fewer-defects, operator: ">=", value: 0.1}]
  - name: {ko: 확대 관문, en: Expansion gate}
    when: end of 2026
    condition: {ko: 회수, en: Paid back}
kpi_board:
  - id: defect-rate
    name: {ko: 불량률, en: Defect rate}
    axis: cost
    source: defects
    unit: "%"
    target: 1.6
    owner: quality manager
    action: {ko: 조명 교체, en: New lighting}
    hypothesis: {ko: 반사가 흠을 가린다, en: Glare hides scratches}
data_sources:
  - {id: mes, what: {ko: 생산 수량, en: Counts}, where: MES prod_shift, owner: IT, quality: high, gaps: none known}
benchmarks:
  - {id: scrap, name: {ko: 불량률, en: Scrap rate}, unit: "%", company: 2.4, industry: 1.8, source: "KOSIS 2024"}
qualitative:
  technical: {score: high, reason: {ko: 검증된 카메라, en: Proven camera}, by: maintenance lead}
"""


@dataclass(frozen=True)
class Plant:
    """A store with a ledger, and the case measured on it."""

    path: Path
    text: CaseText

    @property
    def case(self) -> BusinessCase:
        return self.text.case()

    def open(self) -> tuple[SqliteStore, SqliteLedger]:
        return SqliteStore(self.path), SqliteLedger(self.path)

    def reporting(self) -> Reporting:
        store, ledger = self.open()
        return Reporting(self.case, store, ledger, text=self.text)


def _late_facts() -> Iterator[f.Fact]:
    """A part with its image, what a person said of it, and a stop that the system itself caused."""
    at = datetime(2025, 10, 1, 1, 0, tzinfo=UTC)
    yield f.InspectedPart(
        key="part/1",
        line="press-1",
        at=at,
        origin="simulated",
        product="bracket-a",
        verdict="FAIL",
        mode="live",
        part="p1",
        image="ab" * 32,
    )
    yield f.JudgedPart(
        key="judged/1",
        line="press-1",
        at=at,
        origin="simulated",
        inspection_key="part/1",
        defective=True,
        stratum="audit_fail",
    )
    yield f.StopFact(
        key="system-stop/1",
        line="press-1",
        at=at,
        origin="simulated",
        asset="press",
        end=at + timedelta(hours=1),
        planned=False,
        reason="lineproof_station",
    )


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    folder = tmp_path_factory.mktemp("report")
    made = Plant(folder / "roi.sqlite", CaseText(EXAMPLE.read_text(encoding="utf-8") + FOLLOWED, "yaml"))
    simulated_year(2025, folder / "year.jsonl")
    store, ledger = made.open()
    import_lines(read_export(folder / "year.jsonl"), "year", store)
    store.add_facts(_late_facts(), source="late")
    programme = Reporting(made.case, store, ledger, text=made.text)
    programme.freeze(datetime(2025, 7, 2, tzinfo=UTC))
    entries: list[e.Body] = [
        e.UnitValueLocked(
            subject="system_stop",
            amount=Decimal(120_000),
            per="h",
            valid_from=date(2025, 1, 1),
            valid_to=date(2026, 12, 31),
            source="repair and overtime",
            owner="controller",
        ),
        e.Adjustment(
            benefit_id="fewer-defects",
            first=date(2025, 9, 1),
            last=date(2025, 9, 30),
            quantity=Decimal(-40),
            reason="new steel supplier in September",
            approver="controller",
            event="supplier changed",
        ),
        e.Claim(
            benefit_id="fewer-defects",
            first=date(2025, 10, 1),
            last=date(2025, 10, 1),
            evidence=("part/1",),
            statement="=a scratch that the former inspection let pass",
        ),
        e.GateDecision(gate="First gate", answer="go_on", reason="enough fewer defects", decided_by="steering group"),
    ]
    ledger.append([e.Draft(made.case.id, datetime(2025, 10, 2, tzinfo=UTC), "engineer", body) for body in entries])
    store.close()
    ledger.close()
    return made
