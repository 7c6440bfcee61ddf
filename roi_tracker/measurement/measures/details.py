"""What stands behind a figure, by measure; each is told apart by its `type` in JSON."""

from __future__ import annotations

from roi_tracker.measurement.measures.downtime import DowntimeDetail
from roi_tracker.measurement.measures.energy import EnergyDetail
from roi_tracker.measurement.measures.kpi import KpiDetail
from roi_tracker.measurement.measures.labour import LabourDetail
from roi_tracker.measurement.measures.maintenance import MaintenanceDetail
from roi_tracker.measurement.measures.quality import QualityDetail

MeasureDetail = QualityDetail | DowntimeDetail | MaintenanceDetail | EnergyDetail | LabourDetail | KpiDetail
