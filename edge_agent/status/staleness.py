"""Takes back a health index that nobody has renewed (pure).

Health is made of readings: where all channels of a machine fall silent, no reading comes that could say so, and the
last event would stand for ever. An agent that watches records health at least every `record_every_s`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from edge_agent.status.snapshot import AssetHealth, LineSnapshot
    from edge_agent.system_state import SystemState


def without_stale_health(line: LineSnapshot, system: SystemState, now: datetime) -> LineSnapshot:
    """The line at `now`, health that was recorded too long ago shown as not known.

    Args:
        line: the line's committed facts.
        system: the watched machines and how long their health holds.
        now: present time by this machine's clock, aware.
    """
    limits_s = {asset.name: asset.stale_after_s for asset in system.assets if asset.line == line.line}
    if not any(_is_stale(health, limits_s, now) for health in line.health):
        return line
    health = tuple(_unknown(health) if _is_stale(health, limits_s, now) else health for health in line.health)
    return msgspec.structs.replace(line, health=health)


def _is_stale(health: AssetHealth, limits_s: dict[str, float], now: datetime) -> bool:
    limit_s = limits_s.get(health.body.asset)
    return limit_s is not None and (now - health.recorded_at).total_seconds() > limit_s


def _unknown(health: AssetHealth) -> AssetHealth:
    body = msgspec.structs.replace(health.body, health=None, reason="stale_channel", statistic=None, contributions={})
    return msgspec.structs.replace(health, body=body)
