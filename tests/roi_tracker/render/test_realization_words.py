"""Every code of ledger, realization and board has words in both languages."""

from __future__ import annotations

from typing import get_args

import pytest

from roi_tracker.case.evaluation import Score
from roi_tracker.ledger import claims, costs, entries, losses
from roi_tracker.realization import board, bridge, flows, forecast, gates, indicators, trend
from roi_tracker.render.catalogue import catalogue

CODES = {
    "factor": bridge.Factor,
    "merged": bridge.MergeReason,
    "harm": costs.HarmCause,
    "not_valued": costs.NotValuedReason,
    "payback": flows.PaybackReason,
    "gate": gates.GateState,
    "gate_reason": gates.GateReason,
    "gate_answer": entries.GateAnswer,
    "caveat": forecast.Caveat,
    "likely_cause": losses.LikelyCause,
    "overlap": claims.Overlap,
    "share_rule": claims.Rule,
    "axis": board.BoardAxis,
    "kpi_state": board.KpiState,
    "kpi_basis": indicators.IndicatorBasis,
    "trend": trend.Trend,
    "review": board.Movement,
    "score": Score,
}


@pytest.mark.parametrize("section", sorted(CODES))
def test_every_code_has_words(section: str) -> None:
    wanted = {f"{section}.{code}" for code in get_args(CODES[section])}
    for language in ("ko", "en"):
        assert wanted <= catalogue("ko" if language == "ko" else "en").keys
