"""The agent's own condition at one moment, as the status page and `/readyz` show it."""

from __future__ import annotations

from typing import Literal

import msgspec

from edge_agent.events import Mode
from edge_agent.ports import LinkHealth, StoreTotals

InterlockName = Literal["run", "stop", "divert"]


_SEVERITY: dict[InterlockName, int] = {"run": 0, "divert": 1, "stop": 2}


def severest(*states: InterlockName) -> InterlockName:
    """The state that asks most of the controller.

    >>> severest("run", "stop", "divert")
    'stop'
    """
    return max(states, key=lambda state: _SEVERITY[state])


class RecipeState(msgspec.Struct, frozen=True):
    """What judges a product at a station now.

    Attributes:
        product: empty for the station's own recipe.
        threshold, review_from: the limits in force, None where the model cannot be used.
        escape, overkill: what wrong verdicts cost a part, in `currency`; None where the settings do not say.
    """

    product: str
    model: str
    threshold: float | None
    review_from: float | None
    escape: float | None = None
    overkill: float | None = None
    currency: str = ""


class StationState(msgspec.Struct, frozen=True):
    """One inspection station: what judges its images, and whether that is in order.

    Attributes:
        waiting: images waiting for the model.
        problem: one snake_case code, empty when all is well (`provider_fallback`, `folder_unreachable`, ...).
        product: the product before it, empty when not known.
        recipes: what judges each product; the station's own first.
    """

    name: str
    line: str
    mode: Mode
    model: str
    provider: str
    waiting: int
    problem: str = ""
    product: str = ""
    recipes: tuple[RecipeState, ...] = ()


class AssetState(msgspec.Struct, frozen=True):
    """One watched machine and the model that watches it.

    Attributes:
        stale_after_s: a health index recorded longer ago than this is no longer known.
    """

    name: str
    line: str
    model: str
    provider: str
    stale_after_s: float


class Interlock(msgspec.Struct, frozen=True):
    """What the agent tells a line's controller: run, stop or divert, and why."""

    line: str
    state: InterlockName
    reason: str = ""


class ReloadState(msgspec.Struct, frozen=True):
    """What became of the newest reload of the settings.

    Attributes:
        number: reloads since the start of the process, refused ones included; 0 before the first.
        at_us: when, microseconds UTC.
        refused: why the file cannot be used, in words: the settings before it hold. Empty when it was taken up.
        waiting: dotted names of changed settings that hold only after a restart.
        changed: what was taken up, one short sentence each.
        unusable: models that stations cannot use now, one sentence each; their parts get NO_VERDICT.
    """

    number: int = 0
    at_us: int = 0
    refused: str = ""
    waiting: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()


NO_RELOAD = ReloadState()


class SystemState(msgspec.Struct, frozen=True):
    """Everything about the agent itself.

    Attributes:
        started_us: start of the process, microseconds UTC.
        uptime_s: seconds since then by the monotonic clock.
        links: sources and sinks.
        waiting_messages: messages waiting for the writer.
        last_message_age_s: seconds since the last message from the broker, None before the first.
        last_commit_ms: duration of the last commit, None before the first.
        problem: why commits fail at present, in words; empty when they succeed.
        reload: what became of the newest reload.
    """

    agent: str
    version: str
    started_us: int
    uptime_s: float
    links: tuple[LinkHealth, ...]
    stations: tuple[StationState, ...]
    assets: tuple[AssetState, ...]
    interlocks: tuple[Interlock, ...]
    store: StoreTotals
    waiting_messages: int
    last_message_age_s: float | None
    last_commit_ms: float | None
    problem: str = ""
    reload: ReloadState = NO_RELOAD
