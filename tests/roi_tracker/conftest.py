"""A small plant with known truth, for statistics: one line, two products, three shifts, autocorrelated conditions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import roi_tracker
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.observations.rows import AuditSample, Inspector, LineShift, Observation, Observations

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
SHIFTS = ("day", "evening", "night")
PRODUCTS = ("bracket-a", "bracket-b")


@dataclass(frozen=True)
class Truth:
    """What the simulated programme really does, and how noisy the plant is."""

    defect_factor: float = 1.0
    stop_factor: float = 1.0
    autocorrelation: float = 0.0
    sensitivity_before: float = 0.75
    sensitivity_after: float = 0.97
    audited: int = 12
    baseline_days: int = 181
    seed: int = 1


@dataclass(frozen=True)
class Simulated:
    """A simulated year: what is observed, and the defects and stop hours that the programme really avoided."""

    observations: Observations
    avoided_defects: float
    avoided_stop_hours: float


def _conditions(rng: np.random.Generator, days: int, rho: float, scale: float) -> np.ndarray:
    shocks = rng.normal(0.0, scale * np.sqrt(1 - rho**2), days)
    latent = np.empty(days)
    latent[0] = rng.normal(0.0, scale)
    for day in range(1, days):
        latent[day] = rho * latent[day - 1] + shocks[day]
    return np.exp(latent - scale**2 / 2)


def _stops(rng: np.random.Generator, mean_hours: float) -> float:
    count = rng.poisson(mean_hours / 0.5)
    return float(min(8.0, rng.gamma(1.5, 0.5 / 1.5, count).sum())) if count else 0.0


def simulate(truth: Truth) -> Simulated:
    """Draw a year from 2025-01-01; nothing here is known to the tracker but the observations."""
    rng = np.random.default_rng(truth.seed)
    start, days = date(2025, 1, 1), 365
    go_live = date(2025, 7, 15)
    first = date(2025, 6, 30) - timedelta(days=truth.baseline_days - 1)
    quality = _conditions(rng, days, truth.autocorrelation, 0.25)
    reliability = _conditions(rng, days, truth.autocorrelation, 0.35)
    products: list[Observation] = []
    lines: list[LineShift] = []
    avoided_defects = avoided_hours = 0.0
    for index in range(days):
        day = start + timedelta(days=index)
        if day < first:
            continue
        live = day >= go_live
        for s, shift in enumerate(SHIFTS):
            for p, product in enumerate(PRODUCTS):
                made = int(rng.poisson(600 - 150 * p))
                base = 0.024 * (1 + 0.3 * p) * (1 + 0.15 * s) * quality[index]
                factor = truth.defect_factor if live else 1.0
                defects = int(rng.binomial(made, min(1.0, base * factor)))
                avoided_defects += made * base * (1 - factor)
                sensitivity = truth.sensitivity_after if live else truth.sensitivity_before
                caught = int(rng.binomial(defects, sensitivity))
                false = int(rng.binomial(made - defects, 0.004))
                failed, missed = caught + false, defects - caught
                seen_fail, seen_pass = min(failed, truth.audited), min(made - failed, 3 * truth.audited)
                inspector: Inspector = "ai" if live else "previous"
                products.append(
                    Observation(
                        "press-1",
                        day,
                        shift,
                        product,
                        "simulated",
                        inspector,
                        produced=made,
                        inspected=made,
                        rejected=failed,
                        planned_busy_s=4 * 3600.0,
                        audits=(
                            AuditSample(
                                inspector, "FAIL", seen_fail, int(rng.hypergeometric(caught, false, seen_fail))
                            ),
                            AuditSample(
                                inspector,
                                "PASS",
                                seen_pass,
                                int(rng.hypergeometric(missed, made - failed - missed, seen_pass)),
                            ),
                        ),
                    )
                )
            mean = 0.36 * (1 + 0.2 * s) * reliability[index]
            factor = truth.stop_factor if live else 1.0
            avoided_hours += mean * (1 - factor)
            lines.append(
                LineShift(
                    "press-1",
                    day,
                    shift,
                    "simulated",
                    planned_busy_s=8 * 3600.0,
                    unplanned_stop_s=_stops(rng, mean * factor) * 3600,
                    unplanned_stops=0,
                    labour_hours=24.0 + float(rng.normal(0.0, 1.0)),
                    live_s=8 * 3600.0 if live else 0.0,
                    shadow_s=0.0,
                )
            )
    return Simulated(Observations(tuple(products), tuple(lines), ()), avoided_defects, avoided_hours)


@pytest.fixture(name="simulate", scope="session")
def _simulate() -> Callable[[Truth], Simulated]:
    return simulate


@pytest.fixture(scope="session")
def truth() -> type[Truth]:
    return Truth


@pytest.fixture
def case() -> BusinessCase:
    return parse_case(EXAMPLE.read_text(encoding="utf-8"), "yaml")
