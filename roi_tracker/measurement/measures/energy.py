"""Fractional savings uncertainty of ASHRAE Guideline 14, as CalTRACK 4.3.2.4 uses it.

    dE / E0 = t (a M^2 + b M + d) CV(RMSE) sqrt(n / n' (1 + 2 / n') / m),   n' = n (1 - rho) / (1 + rho)

E0 is the energy the baseline's model expects of the reporting period, n and m the readings of baseline and reporting,
M the reporting months, rho the lag-one autocorrelation of the baseline's residuals, t Student's with n - p degrees of
freedom. The polynomial in M (Sun and Baltazar, 2013) stands where the Guideline has 1.26, and was fitted to a year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.measurement.longrun import lag_one_autocorrelation
from roi_tracker.measurement.quantiles import student_quantile

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from roi_tracker.measurement.estimation import CumulativePoint, Estimate, IntervalKind, Measurement

ReadingPeriod = Literal["daily", "billing"]
DAYS_PER_MONTH = 30.0
LARGEST_CV_RMSE = 0.25
"""After the whole-building path of ASHRAE Guideline 14; a worse fit is told, and its uncertainty is what refuses."""
LARGEST_NMBE = 0.005
"""Net determination bias beyond half a percent says that a model misses the very energy it was fitted to."""
_COEFFICIENTS: dict[ReadingPeriod, tuple[float, float, float]] = {
    "daily": (-0.00024, 0.03535, 1.00286),
    "billing": (-0.00022, 0.03306, 0.94054),
}
_NEAR_ONE = 0.99


class EnergyFit(msgspec.Struct, frozen=True):
    """How well a model describes the baseline's energy.

    Attributes:
        readings, parameters: n and p.
        mean: kWh a reading.
        cv_rmse: root mean square residual, by n - p, over the mean.
        nmbe: mean residual, by n - p, over the mean.
        autocorrelation: of the residuals at lag one, 0 or more.
    """

    readings: int
    parameters: int
    mean: float
    cv_rmse: float
    nmbe: float
    autocorrelation: float

    @property
    def independent_readings(self) -> float:
        """How many independent readings carry the same information: n' above."""
        rho = min(self.autocorrelation, _NEAR_ONE)
        return self.readings * (1.0 - rho) / (1.0 + rho)


class EnergyDetail(msgspec.Struct, frozen=True, tag="energy"):
    """What stands behind an energy benefit.

    Attributes:
        fit: of the baseline.
        savings: kWh.
        fractional_savings: of what was expected.
        uncertainty: of the savings at 90 % two-sided, as a share of them (ASHRAE 14); None for savings of 0.
        period: how meters are read.
    """

    fit: EnergyFit
    savings: float
    fractional_savings: float
    uncertainty: float | None
    period: ReadingPeriod


def fit_of(observed: NDArray[np.float64], expected: NDArray[np.float64], parameters: int) -> EnergyFit:
    """Describe a fit by its (readings,) residuals, in time order."""
    residual = observed - expected
    left, mean = max(1, len(observed) - parameters), float(observed.mean())
    return EnergyFit(
        readings=len(observed),
        parameters=parameters,
        mean=mean,
        cv_rmse=float((residual @ residual / left) ** 0.5) / mean,
        nmbe=float(residual.sum()) / left / mean,
        autocorrelation=max(0.0, lag_one_autocorrelation(residual)),
    )


def savings_error(
    fit: EnergyFit, expected: float, readings: int, confidence: float, period: ReadingPeriod = "daily"
) -> float:
    """Half width in kWh of the interval of the savings.

    Args:
        fit: of the baseline.
        expected: kWh the model expects of the reporting period.
        readings: of the reporting period; months for billing.
        confidence: one-sided; 0.95 gives both ends of a 90 % interval.
        period: which coefficients.
    """
    a, b, d = _COEFFICIENTS[period]
    months = readings if period == "billing" else readings / DAYS_PER_MONTH
    independent = fit.independent_readings
    t = student_quantile(confidence, max(1, fit.readings - fit.parameters))
    shrinks = fit.readings / independent * (1.0 + 2.0 / independent) / readings
    return expected * t * (a * months**2 + b * months + d) * fit.cv_rmse * float(shrinks**0.5)


class WidenedByGuideline:
    """A measurement whose interval is never narrower than the Guideline's."""

    def __init__(self, measurement: Measurement, fit: EnergyFit, confidence: float) -> None:
        self._measurement, self._fit, self._confidence = measurement, fit, confidence

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        return self._widened(self._measurement.whole(interval))

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """The running total."""
        found: list[CumulativePoint] = []
        for point in self._measurement.points(closing_days):
            estimate = self._widened(self._measurement.up_to(point.days, point.interval))
            found.append(msgspec.structs.replace(point, low=estimate.low, high=estimate.high))
        return tuple(found)

    def _widened(self, found: Estimate) -> Estimate:
        error = savings_error(self._fit, found.expected, found.days, self._confidence)
        detectable = max(found.minimum_detectable, error)
        return msgspec.structs.replace(
            found,
            low=min(found.low, found.avoided - error),
            high=max(found.high, found.avoided + error),
            minimum_detectable=detectable,
        )
