"""A small good case, and how a bad one is refused: by file, place and fix, without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from roi_tracker.__main__ import app
from roi_tracker.commands.case_file import load_case
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from pathlib import Path

YAML = """id: t
name: {ko: 시험, en: test}
currency: EUR
display_unit: "1"
start_date: 2025-01-01
horizon_years: 2
discount_rate: {value: 0.10, unit: ratio, source: s, owner: o}
assumptions:
  hours: {value: 40, unit: h/month, source: s, owner: o}
calculations:
  hours.year: {formula: hours * 12, unit: h/year}
capex:
  - {id: machine, name: {ko: 기계, en: machine}, amount: {value: 100.5, unit: EUR, source: s, owner: o}}
benefits:
  - {id: saving, name: {ko: 절감, en: saving}, kpi: cost, class: cashable, axis: cost, formula: hours.year * 2}
"""


def refusal(folder: Path, text: str | bytes, ending: str) -> str:
    """What is said of a file; it must be refused, name the file and a fix, and show no traceback."""
    path = folder / f"plan.{ending}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = CliRunner().invoke(app, ["audit", str(path)])
    assert isinstance(result.exception, CaseError | SystemExit), result.exception
    with pytest.raises(CaseError) as caught:
        load_case(path)
    said = str(caught.value)
    assert said.startswith(f"plan.{ending}: ")
    assert "Fix: " in said
    return said
