"""Whether a drift that was there before the programme would explain what is claimed for it.

A short baseline cannot tell a slow drift from a run of good days: a rate that falls by itself 0.3 % a day passes the
rule against drifts in nine baselines of 90 days out of ten, and 0.3 % a day for three months is what a programme is
bought for. So a drift in the programme's favour that is more than chance at one in ten is carried on for as long as it
was seen, and where that alone would make up half of the claim, nothing is claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import trend_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from roi_tracker.measurement.estimation import Contrast

_SUSPECT = 0.90
"""One-sided: one honest baseline in ten drifts as much in the programme's favour."""
_SHARE = 0.5
_FEWEST_DAYS = 5


class Drift(msgspec.Struct, frozen=True):
    """A straight line through the baseline's residuals, carried on.

    Attributes:
        t: its t statistic, positive where the outcome fell by itself.
        limit: from which on it is suspected.
        avoided: what it alone would have avoided, carried on for as long as the baseline lasted, standing still after.
        claimed: what was measured.
    """

    t: float
    limit: float
    avoided: float
    claimed: float

    @property
    def explains(self) -> bool:
        """Whether it is suspected and would make up half of the claim."""
        return self.claimed > 0 and self.t > self.limit and self.avoided > _SHARE * self.claimed


def drift_of(contrast: Contrast, baseline_days: Sequence[date], dof: float) -> Drift:
    """Carry the baseline's own drift on into the reporting days.

    Args:
        contrast: the measurement; its baseline noise is one figure for each of the baseline days.
        baseline_days: in order.
        dof: degrees of freedom of the long-run variance.
    """
    limit = student_quantile(_SUSPECT, dof)
    claimed = float(contrast.expected.sum() - contrast.observed.sum())
    noise = contrast.baseline_noise
    if len(noise) < _FEWEST_DAYS or len(noise) != len(baseline_days) or not contrast.days:
        # Days that are no longer those of the fit fail the rule on an unchanged baseline.
        return Drift(0.0, limit, 0.0, claimed)
    before = np.array([day.toordinal() for day in baseline_days], dtype=np.float64)
    centre = float(before.mean())
    slope = float((before - centre) @ noise) / float((before - centre) @ (before - centre))
    after = np.array([day.toordinal() for day in contrast.days], dtype=np.float64)
    carried = np.minimum(after - centre, before[-1] - before[0] + 1)
    scale = contrast.expected / contrast.baseline_level if not contrast.linear and contrast.baseline_level > 0 else 1.0
    return Drift(-trend_of(noise), limit, -slope * float((carried * scale).sum()), claimed)
