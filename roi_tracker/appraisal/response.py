"""NPV in floats as a function of what changes, for one change or for a hundred thousand at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from roi_tracker.appraisal.cash_flows import cash_flows
from roi_tracker.appraisal.taxation import taxes

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Change, Model

Floats = npt.NDArray[np.float64]


def npv_response(model: Model, change: Change) -> Floats:
    """NPV of the realistic scenario in the currency, under the case's own conventions.

    Args:
        model: the case compiled.
        change: its arrays have a leading axis of draws; `rate` has the shape (draws,).

    Returns:
        One value a draw, also where the change reaches no counted flow; a single one when nothing has draws.
    """
    case, conventions = model.case, model.case.conventions
    flows = cash_flows(case, model.floats(change), case.scenarios.realistic, conventions, float)
    operating = flows.operating
    if conventions.headline == "after_tax":
        operating = operating - taxes(case, flows, conventions, float)
    rate = np.asarray(float(case.rate) if change.rate is None else change.rate, dtype=np.float64)[..., np.newaxis]
    at = np.array([float(time) for time in flows.schedule.operations])
    capital_at = np.array([float(slot.time) for slot in flows.schedule.capital])
    earned = (operating * (1 + rate) ** -at).sum(axis=-1)
    spent = (flows.capital * (1 + rate) ** -capital_at).sum(axis=-1)
    value = np.asarray(earned - spent, dtype=np.float64)
    arrays = [np.asarray(one)[..., 0] for one in (*change.factors.values(), *change.values.values()) if np.ndim(one)]
    draws = np.broadcast_shapes(value.shape, *(one.shape for one in arrays))
    return np.atleast_1d(np.broadcast_to(value, draws))
