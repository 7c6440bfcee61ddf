"""The scenarios: worlds without any effect and with one, and what each does that a method takes for granted."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.laboratory.plants import World

PLAIN = World(rho=0.5, sd=0.20)
RHOS = (0.0, 0.5, 0.8)


@dataclass(frozen=True)
class Scenario:
    """A world and what is special about it.

    Attributes:
        violates: the assumption of the interrupted time series that does not hold; empty where all do.
        controls_help: control lines live through the same.
        shrinks: lines were chosen because they were bad.
    """

    name: str
    world: World
    violates: str = ""
    controls_help: bool = False
    shrinks: bool = False


SCENARIOS = (
    Scenario("independent days", World()),
    Scenario("overdispersed", World(scatter=0.30)),
    Scenario("autocorrelation 0.5", World(rho=0.5, sd=0.25)),
    Scenario("autocorrelation 0.8", World(rho=0.8, sd=0.25)),
    Scenario("weekly pattern", World(rho=0.5, sd=0.20, week=0.35)),
    Scenario("mix shift", World(rho=0.5, sd=0.20, mix_shift=-0.20)),
    Scenario("volume shift", World(rho=0.5, sd=0.20, volume_shift=0.08)),
    Scenario("missing days", World(rho=0.5, sd=0.20, missing=0.06)),
    Scenario("scrapped batches", World(rho=0.3, sd=0.15, heavy=0.02), "days are alike but for slow noise"),
    Scenario(
        "conditions that last for months",
        World(scatter=0.20, slow=0.15, controls=3),
        "the noise fades within days",
        controls_help=True,
    ),
    Scenario(
        "season, a year known",
        World(rho=0.5, sd=0.20, season=0.25, season_phase=0.1, baseline_days=371, reporting_days=180),
    ),
    Scenario(
        "season, 90 days known",
        World(rho=0.5, sd=0.20, season=0.25, season_phase=0.1, controls=2),
        "the season lies inside the baseline",
        controls_help=True,
    ),
    Scenario(
        "trend before go-live",
        World(rho=0.5, sd=0.20, trend=-0.003, controls=2),
        "nothing drifts",
        controls_help=True,
    ),
    Scenario(
        "treated lines drift alone",
        World(rho=0.5, sd=0.20, own_trend=-0.001, controls=3),
        "lines and controls move alike",
        controls_help=True,
    ),
    Scenario(
        "change on all lines",
        World(rho=0.5, sd=0.20, common_change=-0.20, controls=3),
        "nothing else changes",
        controls_help=True,
    ),
    Scenario(
        "contaminated controls",
        World(rho=0.5, sd=0.20, contamination=0.5, controls=3),
        "control lines are left alone",
        controls_help=True,
    ),
    Scenario(
        "bad spell before go-live",
        World(rho=0.5, sd=0.20, dip=0.40, dip_days=21),
        "the baseline is normal",
    ),
    Scenario(
        "worst 3 of 20 chosen",
        World(rho=0.8, sd=0.30, treated=3, choose_worst_of=20, products=1, baseline_days=56, reporting_days=90),
        "lines were not chosen by their baseline",
        controls_help=True,
        shrinks=True,
    ),
)
EFFECT = 0.25
"""Share of defects that the programme removes where it does something."""
