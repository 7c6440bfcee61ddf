"""Panels made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from roi_tracker.measurement.panels.panel import Covariates, Factor, Family, Panel

FIRST = date(2025, 1, 1)
MakePanel = Callable[..., Panel]


def factor(name: str, labels: Sequence[str]) -> Factor:
    levels = tuple(sorted(set(labels)))
    return Factor(name, levels, np.array([levels.index(label) for label in labels], dtype=np.int64))


def panel(
    family: Family,
    outcome: Sequence[float],
    *,
    exposure: Sequence[float] | None = None,
    day: Sequence[int] | None = None,
    first: date = FIRST,
    labels: Mapping[str, Sequence[str]] | None = None,
    covariates: Mapping[str, Sequence[float]] | None = None,
    treated: Sequence[bool] | None = None,
) -> Panel:
    """One row a day on line `l` unless said otherwise; `day` counts from `first`."""
    rows = len(outcome)
    offsets = np.array(range(rows) if day is None else day, dtype=np.int64)
    numbers, index = np.unique(offsets, return_inverse=True)
    days = tuple(first + timedelta(days=int(number)) for number in numbers)
    named = dict(labels or {})
    line = factor("line", named.pop("line", ["l"] * rows))
    shift = factor("shift", named.pop("shift", ["day"] * rows))
    values: Any = np.array(list((covariates or {}).values()), dtype=np.float64).reshape(-1, rows).T
    return Panel(
        family=family,
        days=days,
        day_index=index.astype(np.int64),
        factors=(line, shift, *(factor(name, found) for name, found in named.items())),
        exposure=np.ones(rows) if exposure is None else np.array(exposure, dtype=np.float64),
        outcome=np.array(outcome, dtype=np.float64),
        noise=(),
        ruler=None,
        expected_days=days,
        missing_days=(),
        covariates=Covariates(tuple(covariates or ()), values),
        line=line,
        shift=shift,
        treated=np.ones(rows, dtype=np.bool_) if treated is None else np.array(treated, dtype=np.bool_),
    )


@pytest.fixture(name="make_panel", scope="session")
def _make_panel() -> MakePanel:
    return panel
