"""The report as one tidy CSV: a row a benefit line and month, then programme, costs and inputs; plain numbers."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from roi_tracker.proof.proving import NotProven

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from roi_tracker.report.model import LineSection, Report

HEADS = (
    "section",
    "id",
    "name_ko",
    "name_en",
    "day",
    "figure",
    "unit",
    "projected",
    "low",
    "value",
    "high",
    "state",
    "grade",
    "source",
)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def render_report_csv(report: Report) -> str:
    """All figures, UTF-8 with a byte order mark so that spreadsheets read Korean; texts never turn into formulas."""
    target = io.StringIO()
    writer = csv.DictWriter(target, HEADS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow(row)
    return "\ufeff" + target.getvalue()


def safe_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> safe_text("=1+1"), safe_text("press-1")
    ("'=1+1", 'press-1')
    """
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _number(value: Decimal | float | None) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else f"{value:f}"


def _rows(report: Report) -> Iterator[dict[str, str]]:
    real, money = report.realization, report.currency
    day = "" if real.as_of is None else real.as_of.isoformat()
    for name in ("benefit", "cost", "net", "npv", "roi"):
        done, plan = getattr(real.realized, name), getattr(real.projected, name)
        unit = "ratio" if name == "roi" else money
        yield {"section": "programme", "id": report.case_id, "day": day, "figure": f"{name}_to_date", "unit": unit} | {
            "projected": _number(plan),
            "low": _number(done),
        }
    for line in report.lines:
        yield from _line(report, line)
    for cost in real.costs.paid:
        yield {"section": "cost", "name_ko": safe_text(cost.name_ko), "name_en": safe_text(cost.name_en)} | {
            "day": cost.day.isoformat(),
            "figure": cost.kind,
            "unit": money,
            "value": _number(cost.amount),
            "source": safe_text(cost.source),
        }
    for harm in real.costs.harm:
        yield {"section": "harm", "id": harm.line, "day": harm.day.isoformat(), "figure": harm.cause, "unit": money} | {
            "value": _number(harm.amount),
            "state": "booked" if harm.counted else f"measured by {harm.covered_by}",
            "source": safe_text(harm.formula),
        }
    if real.bridge is not None:
        for effect in real.bridge.effects:
            yield {"section": "bridge", "day": day, "figure": effect.factor, "unit": money} | {
                "value": _number(effect.amount)
            }
    for gate in real.gates:
        yield {"section": "gate", "name_ko": safe_text(gate.name_ko), "name_en": safe_text(gate.name_en)} | {
            "day": "" if gate.due is None else gate.due.isoformat(),
            "state": gate.state,
        }
    for baseline in report.inputs.baselines:
        yield {"section": "input", "id": baseline.benefit_id, "figure": "baseline", "source": baseline.sha256}
    yield {"section": "input", "figure": "case", "source": report.inputs.case_sha256}
    yield {"section": "input", "figure": "facts", "value": str(report.inputs.fact_watermark)}
    yield {"section": "input", "figure": "facts_head", "source": report.inputs.facts_head}
    yield {"section": "input", "figure": "ledger_head", "source": report.inputs.ledger_head}


def _line(report: Report, line: LineSection) -> Iterator[dict[str, str]]:
    result, proof = line.result, line.result.proof
    named = {
        "section": "line",
        "id": result.benefit_id,
        "name_ko": safe_text(line.name.ko),
        "name_en": safe_text(line.name.en),
        "state": proof.reason if isinstance(proof, NotProven) else "realized",
        "grade": proof.basis.grade if proof.basis is not None else "",
    }
    found = proof.estimate
    if found is not None and proof.basis is not None:
        yield named | {
            "day": proof.basis.last.isoformat(),
            "figure": "quantity_avoided",
            "unit": line.unit,
            "projected": _number(result.projected_units),
            "low": _number(found.low),
            "value": _number(found.avoided),
            "high": _number(found.high),
            "source": proof.basis.baseline_sha256,
        }
    for month in result.months:
        held = month.shared or month.measured
        yield named | {
            "day": month.day.isoformat(),
            "figure": "benefit_cumulative",
            "unit": report.currency,
            "projected": _number(month.projected),
            "low": _number(None if held is None else held.low),
            "value": _number(None if held is None else held.value),
            "high": _number(None if held is None else held.high),
        }
