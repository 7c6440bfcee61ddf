"""What stands behind a figure is told in words of both languages, for every measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from roi_tracker.measurement.estimation import Estimate
from roi_tracker.measurement.measures.details import MeasureDetail
from roi_tracker.measurement.measures.downtime import DowntimeDetail, StopChange
from roi_tracker.measurement.measures.energy import EnergyDetail, EnergyFit
from roi_tracker.measurement.measures.inspection import QualityChange
from roi_tracker.measurement.measures.kpi import KpiDetail
from roi_tracker.measurement.measures.labour import LabourDetail
from roi_tracker.measurement.measures.maintenance import MachineRecord, MaintenanceDetail
from roi_tracker.measurement.measures.quality import ProductQuality, QualityDetail, ShareEstimate
from roi_tracker.measurement.measures.reviewers import ReviewErrors
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_details import detail_tables
from roi_tracker.render.report_outputs import render_report
from roi_tracker.render.report_wording import ReportWording
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.report.model import Report
    from tests.roi_tracker.report.conftest import Plant


def share(value: float) -> ShareEstimate:
    return ShareEstimate(value, value / 2, (1 + value) / 2)


def estimate(avoided: float) -> Estimate:
    return Estimate(
        avoided=avoided,
        low=avoided - 10,
        high=avoided + 10,
        expected=200.0,
        observed=200.0 - avoided,
        standard_error=5.0,
        baseline_error=3.0,
        reporting_error=4.0,
        dof=100.0,
        inflation=1.0,
        minimum_detectable=15.0,
        days=120,
    )


DETAILS: tuple[MeasureDetail, ...] = (
    QualityDetail(
        products=(
            ProductQuality(
                product="bracket-a",
                parts=12_000.0,
                ruler="audits",
                defect_rate_before=share(0.02),
                defect_rate=share(0.016),
                sensitivity_before=share(0.6),
                sensitivity=share(0.95),
                specificity_before=share(0.98),
                specificity=share(0.9954),
                change=QualityChange(former=5_000_000.0, before=4_000_000.0, after=1_500_000.0),
            ),
        ),
        inspection=2_500_000.0,
        process=1_000_000.0,
        uninspected=31,
        late=7,
        reviewers=ReviewErrors(0.01, 0.05),
        reviewers_known=True,
    ),
    MaintenanceDetail(
        machines=(MachineRecord("press-1", "press", 9, 8, 3, 2, 5, 1, 14.5, 3.25, 11),),
        gross_h=17.0,
        answering_h=2.5,
        recall=0.9,
        precision=0.75,
        by_history=4,
        without_history=1,
        overlaps=("less-downtime",),
    ),
    DowntimeDetail(
        unplanned=estimate(60.0),
        all_stops=estimate(40.0),
        counted="all_stops",
        change=StopChange(17.5, 22.5, 50.0, 40.0, 2.0, 1.5),
        hour_value="repair_and_overtime",
    ),
    EnergyDetail(EnergyFit(365, 5, 1_200.0, 0.081, 0.0003, 0.4), 9_000.0, 0.052, 0.21, "daily"),
    LabourDetail(saved_h=320.0, released_h=0.0, became="cashed", hours_per_unit_expected=0.05, hours_per_unit=0.041),
    KpiDetail(gained=True, level_expected=0.81, level=0.86, unit="unit"),
)
SAID: tuple[tuple[type, str], ...] = (
    (QualityDetail, "KRW 2,500,000, at the same true defect rate"),
    (QualityDetail, "KRW 1,000,000: no merit of the inspection"),
    (QualityDetail, "99.54 %"),
    (QualityDetail, "caught 60 % (30 % to 80 %) before"),
    (MaintenanceDetail, "press-1 / press"),
    (MaintenanceDetail, "3.25 h (11 stops)"),
    (DowntimeDetail, "40.0 h avoided (90 % interval 30.0 to 50.0): expected 200, observed 160"),
    (DowntimeDetail, "a stop moved into the plan is no saving"),
    (DowntimeDetail, "17.5 h: 50.0 stops expected, 40.0 observed"),
    (EnergyDetail, "9,000 kWh, 5.2 % of what was expected"),
    (EnergyDetail, "± 21 % of the savings"),
    (EnergyDetail, "0.40 at lag one: worth 156 independent readings"),
    (LabourDetail, "a budget line fell: cashable"),
    (KpiDetail, "0.81 expected, 0.86 observed"),
)


@pytest.fixture(scope="module")
def report(plant: Plant) -> Report:
    return plant.reporting().report(ON)


def words(w: ReportWording, detail: MeasureDetail) -> str:
    tables = detail_tables(w, detail)
    return "\n".join(
        text for table in tables for part in (*table.rows, table.details, (table.caption,)) for text in part
    )


def test_every_measure_has_a_detail_here() -> None:
    assert {type(one) for one in DETAILS} == set(get_args(MeasureDetail))
    assert {kind for kind, _ in SAID} == set(get_args(MeasureDetail))


@pytest.mark.parametrize(("kind", "text"), SAID)
def test_the_figures_are_said(report: Report, kind: type, text: str) -> None:
    detail = next(one for one in DETAILS if isinstance(one, kind))
    assert text in words(ReportWording(report, "en"), detail)


@pytest.mark.parametrize("detail", DETAILS, ids=lambda one: type(one).__name__)
def test_both_languages_and_what_is_not_known(report: Report, detail: MeasureDetail) -> None:
    for language in ("ko", "en"):
        said = words(ReportWording(report, "ko" if language == "ko" else "en"), detail)
        assert "{" not in said
        assert "_" not in said
    bare: dict[type, MeasureDetail] = {
        QualityDetail: msgspec.structs.replace(DETAILS[0], reviewers_known=False),
        MaintenanceDetail: msgspec.structs.replace(DETAILS[1], recall=None, precision=None, overlaps=()),
        DowntimeDetail: msgspec.structs.replace(DETAILS[2], all_stops=None, change=None, counted="unplanned"),
        EnergyDetail: msgspec.structs.replace(DETAILS[3], uncertainty=None, period="billing"),
        LabourDetail: msgspec.structs.replace(DETAILS[4], became="not_shown", reference="BUD-7"),
        KpiDetail: msgspec.structs.replace(DETAILS[5], gained=False),
    }
    less = words(ReportWording(report, "en"), bare[type(detail)])
    assert less != words(ReportWording(report, "en"), detail)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_line_with_its_detail_is_written_in_every_format(plant: Plant, report: Report, language: Language) -> None:
    programme = plant.reporting()
    line = report.lines[0]
    proof = line.result.proof
    assert proof.basis is not None
    changed = msgspec.structs.replace(proof, basis=msgspec.structs.replace(proof.basis, detail=DETAILS[0]))
    result = msgspec.structs.replace(line.result, proof=changed)
    made = msgspec.structs.replace(report, lines=(msgspec.structs.replace(line, result=result), *report.lines[1:]))
    section = next(one for one in report_content(made, language).sections if one.id == f"line-{line.result.benefit_id}")
    captions = [table.caption for table in section.tables]
    assert ReportWording(made, language).t("behind.quality") in captions
    assert b"99.54 %" in render_report(made, "html", language, programme)
    for output in ("pdf", "xlsx", "json", "csv"):
        assert render_report(made, output, language, programme)
