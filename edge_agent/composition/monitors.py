"""Makes what watches machines: health and alarms of each asset, stops of each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import ConfigError
from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.machines.alarms import AlarmRule
from edge_agent.machines.downtime import DowntimeTracker
from edge_agent.recovery import resume_stops, warm_monitor
from edge_agent.workers.monitoring import AssetMonitor, WatchPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.composition.ground import Ground
    from edge_agent.ports import StoreReader
    from edge_agent.settings.capture import DowntimeSettings
    from edge_agent.settings.config import AlarmSettings, AssetSettings, Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """What watches the machines.

    Attributes:
        monitors: by `line/asset`.
        stops: by line.
        new_monitors, new_stops: those that have to live through the stored past first.
    """

    monitors: dict[str, AssetMonitor]
    stops: dict[str, DowntimeTracker]
    new_monitors: tuple[str, ...]
    new_stops: tuple[str, ...]

    def warm(self, store: StoreReader) -> None:
        """Bring what is new to where the store's past leaves it; nothing may be committed meanwhile."""
        for key in self.new_monitors:
            fed = warm_monitor(store, self.monitors[key])
            log.info("asset monitor ready", asset=key, readings_from_store=fed)
        for line in self.new_stops:
            resume_stops(store, self.stops[line])


def machine_watch(
    settings: Settings, ground: Ground, before: Settings | None = None, running: Watch | None = None
) -> Watch:
    """What watches the machines by these settings; what the settings `before` say alike goes on as it is.

    Raises:
        AgentError: a health model cannot be used, or needs channels that no topic carries.
    """
    monitors: dict[str, AssetMonitor] = {}
    for key in _watched(settings):
        known = running.monitors.get(key) if running is not None else None
        if known is not None and before is not None and _asked(settings, key) == _asked(before, key):
            model = known.scorer
            asset = _asset(settings, key)
            if model is None or asset is None or ground.catalog.digest(asset.model) == model.identity.digest:
                monitors[key] = known
                continue
        monitors[key] = _monitor(settings, key, ground)
    stops: dict[str, DowntimeTracker] = {}
    for entry in settings.downtime:
        tracker = running.stops.get(entry.line) if running is not None else None
        if tracker is None or before is None or entry not in before.downtime:
            tracker = _tracker(entry)
        stops[entry.line] = tracker
    old_monitors = list(running.monitors.values()) if running is not None else []
    old_stops = list(running.stops.values()) if running is not None else []
    return Watch(
        monitors,
        stops,
        tuple(key for key, monitor in monitors.items() if all(monitor is not old for old in old_monitors)),
        tuple(line for line, tracker in stops.items() if all(tracker is not old for old in old_stops)),
    )


def _watched(settings: Settings) -> list[str]:
    assets = [f"{asset.line}/{asset.name}" for asset in settings.assets]
    return list(dict.fromkeys([*assets, *(f"{alarm.line}/{alarm.asset}" for alarm in settings.alarms)]))


def _asset(settings: Settings, key: str) -> AssetSettings | None:
    return next((asset for asset in settings.assets if f"{asset.line}/{asset.name}" == key), None)


def _alarms(settings: Settings, key: str) -> tuple[AlarmSettings, ...]:
    return tuple(alarm for alarm in settings.alarms if f"{alarm.line}/{alarm.asset}" == key)


def _asked(settings: Settings, key: str) -> object:
    """All that decides how an asset is watched."""
    return _asset(settings, key), _alarms(settings, key)


def _monitor(settings: Settings, key: str, ground: Ground) -> AssetMonitor:
    asset = _asset(settings, key)
    scorer = ground.catalog.health_scorer(asset.model) if asset is not None else None
    if scorer is not None:
        _refuse_foreign_channels(settings, key, scorer.channels)
    return AssetMonitor(_watch_plan(key, asset), scorer, [_rule(alarm) for alarm in _alarms(settings, key)])


def _tracker(entry: DowntimeSettings) -> DowntimeTracker:
    return DowntimeTracker(entry.line, entry.asset, minimum_s=entry.minimum_s)


def _refuse_foreign_channels(settings: Settings, key: str, wanted: Sequence[str]) -> None:
    """A health model whose channels no topic carries would fill its window for ever."""
    carried = settings.channels_of.get(key, frozenset())
    missing = [name for name in wanted if name not in carried]
    if missing:
        raise ConfigError(
            f"the health model of {key} needs channels that no [[mqtt.readings]] entry of this asset carries",
            field="assets.model",
            value=", ".join(missing),
            hint=f"map them (carried now: {', '.join(sorted(carried)) or 'none'}), or teach a model on these channels",
        )


def _watch_plan(key: str, asset: AssetSettings | None) -> WatchPlan:
    line, name = key.split("/", 1)
    if asset is None:
        return WatchPlan(line, name, stale_us=0, record_every_us=0)
    return WatchPlan(
        line,
        name,
        stale_us=round(asset.stale_after_s * MICROSECONDS_PER_SECOND),
        record_every_us=round(asset.record_every_s * MICROSECONDS_PER_SECOND),
        origin=asset.origin,
    )


def _rule(alarm: AlarmSettings) -> AlarmRule:
    return AlarmRule(
        name=alarm.name,
        line=alarm.line,
        asset=alarm.asset,
        signal=alarm.signal,
        limit=alarm.above if alarm.above is not None else alarm.below if alarm.below is not None else 0.0,
        direction="above" if alarm.above is not None else "below",
        deadband=alarm.deadband,
        on_delay_us=round(alarm.on_delay_s * MICROSECONDS_PER_SECOND),
        off_delay_us=round(alarm.off_delay_s * MICROSECONDS_PER_SECOND),
        action=alarm.action,
    )
