"""What stands behind a benefit line, by its measure: cost of quality, alarms, stops, energy, hours, indicator."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.measurement.measures.downtime import DowntimeDetail
from roi_tracker.measurement.measures.energy import EnergyDetail
from roi_tracker.measurement.measures.kpi import KpiDetail
from roi_tracker.measurement.measures.labour import LabourDetail
from roi_tracker.measurement.measures.maintenance import MaintenanceDetail
from roi_tracker.measurement.measures.quality import QualityDetail
from roi_tracker.render.content_blocks import Column, Table

if TYPE_CHECKING:
    from roi_tracker.measurement.estimation import Estimate
    from roi_tracker.measurement.measures.details import MeasureDetail
    from roi_tracker.measurement.measures.maintenance import MachineRecord
    from roi_tracker.measurement.measures.quality import ProductQuality, ShareEstimate
    from roi_tracker.render.report_wording import ReportWording

_SURE = 1e-9
_NEAR_ONE = 0.99
"""Shares from which one decimal no longer tells two inspections apart."""


def detail_tables(  # noqa: PLR0911 - a return a measure
    w: ReportWording, detail: MeasureDetail | None
) -> tuple[Table, ...]:
    """Tables of a measure's detail; none without one."""
    match detail:
        case None:
            return ()
        case QualityDetail():
            return _quality(detail, w)
        case MaintenanceDetail():
            return _maintenance(detail, w)
        case DowntimeDetail():
            return (_downtime(detail, w),)
        case EnergyDetail():
            return (_energy(detail, w),)
        case LabourDetail():
            return (_labour(detail, w),)
        case KpiDetail():
            return (_kpi(detail, w),)


def _said(w: ReportWording, name: str, rows: list[tuple[str, str]]) -> Table:
    """A table of what and how much."""
    t = w.t
    columns = (Column(t("detail.what"), figures=False), Column(t("detail.found"), figures=False))
    return Table(columns, tuple(rows), caption=t(f"behind.{name}"))


def _avoided(w: ReportWording, found: Estimate, unit: str) -> str:
    return w.t(
        "behind.avoided",
        value=w.quantity(found.avoided),
        low=w.quantity(found.low),
        high=w.quantity(found.high),
        unit=unit,
        expected=w.quantity(found.expected),
        observed=w.quantity(found.observed),
    )


def _quality(detail: QualityDetail, w: ReportWording) -> tuple[Table, ...]:
    t = w.t
    names = ("product", "parts", "caught_before", "caught", "passed_before", "passed", "cost_before", "cost", "saved")
    columns = tuple(Column(t(f"behind.{name}"), figures=name != "product") for name in names)
    products = Table(
        columns,
        tuple(_product(w, one) for one in detail.products),
        details=tuple(_shares(w, one) for one in detail.products),
        caption=t("behind.quality_products"),
    )
    reviewers = detail.reviewers
    errors = t("behind.reviewers_unknown")
    if detail.reviewers_known:
        errors = t("behind.reviewers", false_alarm=_share(reviewers.false_alarm), miss=_share(reviewers.miss))
    rows = [
        (t("behind.by_inspection"), t("behind.by_inspection_says", amount=w.exact(_money(detail.inspection)))),
        (t("behind.by_process"), t("behind.by_process_says", amount=w.exact(_money(detail.process)))),
        (t("behind.uninspected"), t("behind.uninspected_says", count=f"{detail.uninspected:,}")),
        (t("behind.late"), t("behind.late_says", count=f"{detail.late:,}")),
        (t("behind.reviewer_errors"), errors),
    ]
    return products, _said(w, "quality", rows)


def _product(w: ReportWording, one: ProductQuality) -> tuple[str, ...]:
    shares = (one.sensitivity_before, one.sensitivity, one.specificity_before, one.specificity)
    costs = (one.change.before, one.change.after, one.change.inspection)
    return (
        one.product,
        f"{one.parts:,.0f}",
        *(_share(share.value) for share in shares),
        *(w.exact(_money(cost)) for cost in costs),
    )


def _shares(w: ReportWording, one: ProductQuality) -> str:
    """The 90 % limits of every share, and what the true rate is known from."""
    t = w.t
    named = (
        ("rate", one.defect_rate_before, one.defect_rate),
        ("caught_limits", one.sensitivity_before, one.sensitivity),
        ("passed_limits", one.specificity_before, one.specificity),
    )
    parts = [t(f"behind.{name}", before=_limits(w, before), now=_limits(w, now)) for name, before, now in named]
    return "; ".join((*parts, t(f"behind.ruler_{one.ruler}")))


def _limits(w: ReportWording, share: ShareEstimate) -> str:
    return w.t("behind.limits", value=_share(share.value), low=_share(share.low), high=_share(share.high))


def _share(value: float) -> str:
    """A share in per cent, with as many decimals as keep it from looking sure.

    >>> _share(0.5), _share(0.0213), _share(0.99954), _share(1.0)
    ('50 %', '2.1 %', '99.95 %', '100 %')
    """
    if min(value, 1 - value) < _SURE:
        return f"{100 * value:.0f} %"
    digits = 2 if value > _NEAR_ONE or value < 1 - _NEAR_ONE else 1 if min(value, 1 - value) < 1 / 10 else 0
    return f"{100 * value:.{digits}f} %"


def _money(value: float) -> Decimal:
    return Decimal(repr(value))


def _maintenance(detail: MaintenanceDetail, w: ReportWording) -> tuple[Table, ...]:
    t = w.t
    names = ("machine", "confirmed", "acted", "not_found", "missed", "open", "avoided_h", "failure_h")
    columns = tuple(Column(t(f"behind.{name}"), figures=name != "machine") for name in names)
    machines = Table(
        columns, tuple(_machine(w, one) for one in detail.machines), caption=t("behind.maintenance_machines")
    )
    none = t("figure.none")
    rows = [
        (t("behind.gross"), t("behind.hours", value=w.quantity(detail.gross_h))),
        (t("behind.answering"), t("behind.hours", value=w.quantity(detail.answering_h))),
        (t("behind.recall"), none if detail.recall is None else _share(detail.recall)),
        (t("behind.precision"), none if detail.precision is None else _share(detail.precision)),
        (t("behind.by_history"), t("behind.by_history_says", count=f"{detail.by_history:,}")),
        (t("behind.without_history"), t("behind.without_history_says", count=f"{detail.without_history:,}")),
    ]
    if detail.overlaps:
        rows.append((t("behind.overlaps"), ", ".join(w.line(one) for one in detail.overlaps)))
    return machines, _said(w, "maintenance", rows)


def _machine(w: ReportWording, one: MachineRecord) -> tuple[str, ...]:
    counts = (one.confirmed, one.acted, one.not_found, one.missed, one.open)
    failure = w.t("figure.none")
    if one.failure_h is not None:
        failure = w.t("behind.failure_says", hours=f"{one.failure_h:,.2f}", stops=f"{one.baseline_stops:,}")
    return (
        f"{one.line} / {one.asset}",
        *(f"{count:,}" for count in counts),
        w.quantity(one.avoided_stop_h),
        failure,
    )


def _downtime(detail: DowntimeDetail, w: ReportWording) -> Table:
    t, change = w.t, detail.change
    hour = t("unit.h")
    together = t("behind.planned_not_measured")
    if detail.all_stops is not None:
        together = _avoided(w, detail.all_stops, hour)
    rows = [
        (t("behind.unplanned"), _avoided(w, detail.unplanned, hour)),
        (t("behind.all_stops"), together),
        (t("behind.claimed"), t(f"behind.claimed_{detail.counted}")),
    ]
    if change is None:
        rows.append((t("behind.by_rate"), t("behind.stops_not_counted")))
    else:
        rates = {"before": w.quantity(change.stops_expected), "now": w.quantity(change.stops)}
        lengths = {"before": f"{change.hours_per_stop_expected:.2f}", "now": f"{change.hours_per_stop:.2f}"}
        rows += [
            (t("behind.by_rate"), t("behind.by_rate_says", value=w.quantity(change.by_rate), **rates)),
            (t("behind.by_duration"), t("behind.by_duration_says", value=w.quantity(change.by_duration), **lengths)),
        ]
    rows.append((t("behind.hour_value"), t(f"hour_value.{detail.hour_value}")))
    return _said(w, "downtime", rows)


def _energy(detail: EnergyDetail, w: ReportWording) -> Table:
    t, fit = w.t, detail.fit
    uncertainty = t("behind.no_savings")
    if detail.uncertainty is not None:
        uncertainty = t("behind.uncertainty_says", share=f"{100 * detail.uncertainty:.0f}")
    rows = [
        (
            t("behind.savings"),
            t("behind.savings_says", kwh=w.quantity(detail.savings), share=w.percent(detail.fractional_savings)),
        ),
        (t("behind.uncertainty"), uncertainty),
        (
            t("behind.model"),
            t(
                f"behind.model_{detail.period}",
                readings=f"{fit.readings:,}",
                parameters=fit.parameters,
                mean=w.quantity(fit.mean),
            ),
        ),
        (t("behind.cv_rmse"), f"{100 * fit.cv_rmse:.1f} %"),
        (t("behind.nmbe"), f"{100 * fit.nmbe:.2f} %"),
        (
            t("behind.autocorrelation"),
            t(
                "behind.autocorrelation_says",
                rho=f"{fit.autocorrelation:.2f}",
                independent=f"{fit.independent_readings:,.0f}",
            ),
        ),
    ]
    return _said(w, "energy", rows)


def _labour(detail: LabourDetail, w: ReportWording) -> Table:
    t = w.t
    rows = [
        (t("behind.saved_hours"), t("behind.hours", value=w.quantity(detail.saved_h))),
        (t("behind.released"), t("behind.hours", value=w.quantity(detail.released_h))),
        (t("behind.became"), t(f"became.{detail.became}")),
        (
            t("behind.per_unit"),
            t("behind.per_unit_says", before=_level(detail.hours_per_unit_expected), now=_level(detail.hours_per_unit)),
        ),
        (t("behind.reference"), detail.reference or t("figure.none")),
        (t("behind.since"), t("figure.none") if detail.since is None else detail.since.isoformat()),
    ]
    return _said(w, "labour", rows)


def _kpi(detail: KpiDetail, w: ReportWording) -> Table:
    t = w.t
    rows = [
        (t("behind.better"), t("behind.more" if detail.gained else "behind.less")),
        (t("behind.level"), t("behind.level_says", before=_level(detail.level_expected), now=_level(detail.level))),
        (t("behind.one_unit"), detail.unit or t("figure.none")),
    ]
    return _said(w, "kpi", rows)


def _level(value: float) -> str:
    """A level of four digits that count."""
    return f"{value:,.4g}"
