"""Appraisal of a plan: statements in exact decimals, simulation in floats; see docs/reference/business_case.md."""

from __future__ import annotations

from roi_tracker.appraisal.indicators import mirr, npv, payback, payback_reason, present_values
from roi_tracker.appraisal.model import Change, Model
from roi_tracker.appraisal.rates import Irr, irr
from roi_tracker.appraisal.scenarios import Appraisal, appraise, scenario_table, variants

__all__ = [
    "Appraisal",
    "Change",
    "Irr",
    "Model",
    "appraise",
    "irr",
    "mirr",
    "npv",
    "payback",
    "payback_reason",
    "present_values",
    "scenario_table",
    "variants",
]
