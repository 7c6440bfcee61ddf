"""The business case of the demo: the tracker's example of one press line, with a weekly KPI board."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BOARD = """
# Added by `edge-agent demo`: the weekly KPI board of the simulated line.
kpi_board:
  - id: true-defects
    name: {ko: 참 불량률, en: True defect rate}
    axis: cost
    source: defects
    unit: "%"
    target: 2.0
    owner: quality manager
    action: {ko: 불량 부품 주간 검토, en: Weekly review of failed parts}
    hypothesis: {ko: 즉시 알면 같은 불량이 이어지지 않음, en: A defect known at once is not repeated}
  - id: overkill
    name: {ko: 과검률, en: Overkill}
    axis: productivity
    source: overkill
    unit: "%"
    target: 1.5
    owner: quality manager
  - id: escapes
    name: {ko: 유출률, en: Escapes}
    axis: risk
    source: escape
    unit: ppm
    target: 1000
    owner: quality manager
  - id: downtime
    name: {ko: 비계획 정지, en: Unplanned downtime}
    axis: productivity
    source: downtime
    unit: h
    target: 6
    owner: maintenance lead
    action: {ko: 금형 냉각 점검, en: Check of the die cooling}
  - id: energy-per-part
    name: {ko: 개당 전력, en: Energy a part}
    axis: cost
    source: energy
    unit: kWh/part
    target: 0.11
    owner: utilities
"""


def write_demo_case(example: Path, out: Path) -> None:
    """Write the example with the board added.

    Args:
        example: a case without a `kpi_board`.
        out: file to write.
    """
    out.write_text(example.read_text("utf-8") + BOARD, "utf-8")
