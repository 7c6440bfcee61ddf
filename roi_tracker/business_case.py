"""A business case as a controller writes it: the door to its schema in `roi_tracker.case`.

The file is YAML or TOML text; unknown keys are refused. Nothing here opens files or computes results.
"""

from __future__ import annotations

from decimal import Decimal

from roi_tracker.case.assumptions import Assumption, Calculation, Correlation
from roi_tracker.case.benefits import PHYSICAL_UNITS, Axis, BenefitLine, Measure, UnitValue
from roi_tracker.case.conventions import BenefitClass, Conventions, OptimismBias, Reinvestment, Tax
from roi_tracker.case.costs import FULL_COST, Contingency, CostCategory, CostLine, Phasing
from roi_tracker.case.evaluation import (
    Alternative,
    Benchmark,
    Condition,
    DataSource,
    DecisionRule,
    Financials,
    Qualitative,
    Scenario,
    ScenarioName,
    Scenarios,
    StageGate,
)
from roi_tracker.case.measuring import (
    KpiDefinition,
    KpiTarget,
    LabourEvidence,
    MeasurementPlan,
    Pilot,
    QualityCosts,
    SharedClaim,
)
from roi_tracker.case.plan import BusinessCase
from roi_tracker.case.plant import CostEntry, Period, Periods, Plant, Shift
from roi_tracker.case.reading import parse_case
from roi_tracker.case.section import Identifier, Name
from roi_tracker.case.stated import StatedFigure, split_address
from roi_tracker.case.units import UnitMeaning, unit_meaning

COUNTED_CLASSES: frozenset[BenefitClass] = frozenset({"cashable", "redeployed"})
"""Classes whose realized money counts in the headline; released time and indirect benefits are shown beside it."""

DAYS_PER_YEAR = Decimal("365.25")

__all__ = [
    "COUNTED_CLASSES",
    "DAYS_PER_YEAR",
    "FULL_COST",
    "PHYSICAL_UNITS",
    "Alternative",
    "Assumption",
    "Axis",
    "Benchmark",
    "BenefitClass",
    "BenefitLine",
    "BusinessCase",
    "Calculation",
    "Condition",
    "Contingency",
    "Conventions",
    "Correlation",
    "CostCategory",
    "CostEntry",
    "CostLine",
    "DataSource",
    "DecisionRule",
    "Financials",
    "Identifier",
    "KpiDefinition",
    "KpiTarget",
    "LabourEvidence",
    "Measure",
    "MeasurementPlan",
    "Name",
    "OptimismBias",
    "Period",
    "Periods",
    "Phasing",
    "Pilot",
    "Plant",
    "Qualitative",
    "QualityCosts",
    "Reinvestment",
    "Scenario",
    "ScenarioName",
    "Scenarios",
    "SharedClaim",
    "Shift",
    "StageGate",
    "StatedFigure",
    "Tax",
    "UnitMeaning",
    "UnitValue",
    "parse_case",
    "split_address",
    "unit_meaning",
]
