"""Panels made by hand, one row a day and line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from roi_tracker.measurement.panels.panel import Covariates, Factor, Family, Panel

FIRST = date(2025, 1, 1)
MakePanel = Callable[..., Panel]


def panel(family: Family, outcome: Sequence[float], *, first: date = FIRST, two_shifts: bool = False) -> Panel:
    """Line `l`; with two shifts, every second day belongs to the other one."""
    rows = len(outcome)
    codes = np.arange(rows, dtype=np.int64) % (2 if two_shifts else 1)
    line = Factor("line", ("l",), np.zeros(rows, dtype=np.int64))
    shift = Factor("shift", ("day", "night"), codes)
    days = tuple(first + timedelta(days=number) for number in range(rows))
    return Panel(
        family=family,
        days=days,
        day_index=np.arange(rows, dtype=np.int64),
        factors=(line, shift),
        exposure=np.ones(rows),
        outcome=np.array(outcome, dtype=np.float64),
        noise=(),
        ruler=None,
        expected_days=days,
        missing_days=(),
        covariates=Covariates.none(rows),
        line=line,
        shift=shift,
        treated=np.ones(rows, dtype=np.bool_),
    )


@pytest.fixture(name="make_panel", scope="session")
def _make_panel() -> MakePanel:
    return panel
