"""One benefit line in full: figure, method, exclusions, months, adjustments, every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.proof.proving import NotProven
from roi_tracker.realization.realized import SCENARIO_BANDS
from roi_tracker.render.content_blocks import Column, Fact, Section, Table
from roi_tracker.render.report_details import detail_tables
from roi_tracker.render.report_ledger import unit_value_says
from roi_tracker.render.rule_text import term_words

if TYPE_CHECKING:
    from roi_tracker.measurement.estimation import Estimate
    from roi_tracker.proof.proving import Basis
    from roi_tracker.render.content_blocks import Tone
    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.report.model import LineSection


def line_section(w: ReportWording, line: LineSection, *, portal: bool = False) -> Section:
    """The section of a line."""
    t, result = w.t, line.result
    proof, basis = result.proof, result.proof.basis
    tables: list[Table] = []
    if basis is not None:
        tables.append(_ground(w, line, basis, portal=portal))
        tables += detail_tables(w, basis.detail)
    if result.months:
        tables.append(_months(w, line))
    if result.adjustment is not None:
        tables.append(_adjustments(w, line))
    if basis is not None:
        tables.append(_rules(w, basis))
    notes = () if not isinstance(proof, NotProven) else (f"{t('lines.not_proven')}: {w.why(proof)}",)
    return Section(
        id=f"line-{result.benefit_id}",
        title=w.name(line.name),
        texts=() if proof.estimate is not None or basis is not None else (t("detail.nothing"),),
        facts=() if proof.estimate is None else _facts(w, line, proof.estimate),
        tables=tuple(tables),
        notes=notes,
    )


def _facts(w: ReportWording, line: LineSection, found: Estimate) -> tuple[Fact, ...]:
    t, result = w.t, line.result
    unit = w.physical(line)
    observed = {"expected": w.quantity(found.expected), "observed": w.quantity(found.observed)}
    facts = [
        Fact(
            t("detail.avoided"),
            f"{w.quantity(found.avoided)} {unit}",
            t("detail.avoided_note", unit=unit, **observed),
            how="quantity",
        ),
        Fact(
            t("detail.interval"),
            f"{w.quantity(found.low)} \N{EN DASH} {w.quantity(found.high)}",
            t(f"interval_kind.{found.interval}"),
            how="interval",
        ),
    ]
    if result.realized is not None:
        price, best = w.exact(result.unit_value), w.money(result.realized.value)
        money = t("detail.money_note", value=w.quantity(found.low), unit=unit, price=price, best=best)
        kind = t("detail.counted_note", **{"class": t(f"class.{line.benefit_class}")})
        facts.append(Fact(t("detail.money"), w.money(result.realized.low), money, how="benefit"))
        facts.append(Fact(t("detail.counted"), w.money(result.counted), kind, "lead", how="benefit"))
    else:
        projected = w.quantity(result.projected_units)
        note = t("detail.mde_note", projected=projected, unit=unit)
        facts.append(Fact(t("detail.mde"), f"{w.quantity(found.minimum_detectable)} {unit}", note, how="mde"))
    return tuple(facts)


def _ground(w: ReportWording, line: LineSection, basis: Basis, *, portal: bool) -> Table:
    t, report = w.t, w.report
    found = ", ".join(t(f"finding.{one.name}", count=f"{one.count:,}") for one in report.findings)
    frozen = "-" if line.frozen_at is None else line.frozen_at.date().isoformat()
    rows = [
        (t("detail.method"), t(f"method.{basis.method}")),
        (t("detail.design"), t(f"design.{basis.design}")),
        (t("detail.controls"), ", ".join(basis.controls) or t("detail.no_controls")),
        (t("detail.interval_kind"), t(f"interval_kind.{basis.interval}")),
        (
            t("detail.grade"),
            f"{basis.grade}: {t(f'grade.{basis.grade}')}. "
            + "; ".join(t(f"grade_reason.{x}") for x in basis.grade_reasons),
        ),
        (
            t("detail.period"),
            t(
                "detail.period_says",
                first=basis.first,
                last=basis.last,
                days=basis.measured_days,
                origin=t(f"origin.{basis.origin}"),
            ),
        ),
        (
            t("detail.exclusions"),
            t(
                "detail.exclusions_says",
                first=report.blackout_first,
                last=report.blackout_last,
                findings=found or t("detail.no_findings"),
            ),
        ),
        (t("detail.dropped"), term_words(basis.dropped, w.t) or t("detail.no_controls")),
        (t("detail.looks"), t("detail.looks_says", looks=basis.looks)),
        (
            t("detail.unit_value"),
            unit_value_says(w, line),
        ),
        (t("detail.hash"), t("detail.hash_says", hash=basis.baseline_sha256, at=frozen)),
    ]
    links = [""] * len(rows)
    if portal:
        rows.append((t("doc.observations"), f"roi-tracker report --drill {line.result.benefit_id} --format csv"))
        links.append(f"/lines/{line.result.benefit_id}/observations?lang={w.language}")
    columns = (Column(t("detail.what"), figures=False), Column(t("detail.says"), figures=False))
    return Table(columns, tuple(rows), links=tuple(links))


def _months(w: ReportWording, line: LineSection) -> Table:
    t, counts = w.t, line.result.counts
    low, _, high = SCENARIO_BANDS
    rows = []
    for month in line.result.months:
        held, none = month.shared or month.measured, t("figure.none")
        money = (none,) * 4
        if held is not None:
            counted = w.plain(held.low) if counts else w.plain(held.low * 0)
            money = (w.plain(held.low), w.plain(held.value), w.plain(held.high), counted)
        band = f"{w.plain(month.projected * low)} \N{EN DASH} {w.plain(month.projected * high)}"
        rows.append((month.day.isoformat(), w.plain(month.projected), band, *money))
    heads = {
        "month": "",
        "projected": "band",
        "band": "band",
        "low": "benefit",
        "value": "quantity",
        "high": "interval",
        "counts": "benefit",
    }
    columns = tuple(Column(t(f"detail.{name}"), figures=name != "month", how=how) for name, how in heads.items())
    return Table(columns, tuple(rows), caption=f"{t('detail.months')} · {w.unit}", strong_last=True)


def _adjustments(w: ReportWording, line: LineSection) -> Table:
    t, found = w.t, line.result.adjustment
    if found is None:  # pragma: no cover - asked only where there is one
        return Table((), ())
    rows = [(t("detail.before"), w.quantity(found.expected_before), "")]
    details = [""]
    for one in found.lines:
        note = one.adjustment
        sign = "+" if one.units >= 0 else ""
        days = f"{note.first} \N{EN DASH} {note.last}"
        if one.refused:
            days = f"{days}; {t('detail.adjustment_refused', units=w.quantity(one.refused))}"
        rows.append(
            (f"{note.event or note.reason} ({days})", sign + w.quantity(one.units), f"{note.author}, {note.approver}")
        )
        details.append(f"{note.reason} {', '.join(note.evidence)} {note.entry_sha256[:16]}".strip())
    rows.append((t("detail.after"), w.quantity(found.expected_after), ""))
    details.append("")
    heads = (("adjustment", False), ("units", True), ("signed", False))
    columns = tuple(Column(t(f"detail.{name}"), figures=figures) for name, figures in heads)
    return Table(columns, tuple(rows), details=tuple(details), caption=t("detail.adjustments"), strong_last=True)


def _rules(w: ReportWording, basis: Basis) -> Table:
    t = w.t
    rows, tones = [], []
    for check in basis.checks:
        name = f"{t(f'rule.{check.rule}.name')} ({t(f'period.{check.period}')})"
        rows.append((name, w.rule(check), w.mark(check)))
        tone: Tone = "good" if check.passed else "bad" if check.disqualifies else "warn"
        tones.append(tone)
    passed = sum(check.passed for check in basis.checks)
    columns = tuple(Column(label, figures=False) for label in (t("detail.rule"), t("detail.found"), ""))
    caption = t("detail.rules", passed=passed, total=len(basis.checks))
    return Table(columns, tuple(rows), caption=caption, folded=True, tones=tuple(tones))
