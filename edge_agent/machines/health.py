"""Machine health: what a health model returns for one window, and what may be concluded from it."""

from __future__ import annotations

import math

import msgspec

MAX_CONTRIBUTORS = 5


class HealthScore(msgspec.Struct, frozen=True):
    """What a health model says about one window.

    Attributes:
        statistic: monitored statistic divided by its limit; 1.0 is the limit, higher is more abnormal.
        health: 0 (failed) to 100 (as taught).
        contributions: share of the deviation by channel, in the model's channel order, each 0 to 1.
    """

    statistic: float
    health: float
    contributions: tuple[float, ...]


class HealthAssessment(msgspec.Struct, frozen=True):
    """A health index that may be shown, or the reason there is none."""

    health: float | None
    statistic: float | None
    reason: str
    contributions: dict[str, float] = {}


def assess(score: HealthScore, channels: tuple[str, ...]) -> HealthAssessment:
    """Name the channels behind a score and refuse one that is not finite.

    >>> assess(HealthScore(2.0, 25.0, (0.75, 0.25)), ("temp", "current")).contributions
    {'temp': 0.75, 'current': 0.25}
    """
    if not (math.isfinite(score.statistic) and math.isfinite(score.health)):
        return HealthAssessment(None, None, "score_not_finite")
    ranked = sorted(zip(channels, score.contributions, strict=True), key=lambda pair: -pair[1])
    return HealthAssessment(
        health=min(100.0, max(0.0, score.health)),
        statistic=score.statistic,
        reason="above_limit" if score.statistic >= 1.0 else "ok",
        contributions={name: share for name, share in ranked[:MAX_CONTRIBUTORS] if share > 0},
    )
