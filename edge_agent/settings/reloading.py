"""Which settings a running agent can take up, and which need a restart (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.settings.config import Settings, StationSettings

LIVE_SECTIONS = frozenset(
    {
        "stations",
        "assets",
        "alarms",
        "signals",
        "downtime",
        "oee",
        "stop_reasons",
        "mqtt",
    }
)
"""Taken up at a reload; every other section holds from the start of the process to its end."""

FIXED_MQTT = ("max_payload_bytes",)
FIXED_SPARKPLUG = ("host_id",)
REPLACING = ("line", "folder", "camera", "limits")
"""Settings of a station whose change ends its source and its worker, and begins new ones; all others are swapped."""


def in_force(wanted: Settings, running: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings that hold after a reload, and the dotted names of those that wait for a restart."""
    waiting = list(_waiting(wanted, running))
    fixed: dict[str, object] = {
        name: getattr(running, name) for name in type(wanted).model_fields if name not in LIVE_SECTIONS
    }
    sparkplug = wanted.mqtt.sparkplug.model_copy(
        update={name: getattr(running.mqtt.sparkplug, name) for name in FIXED_SPARKPLUG}
    )
    mqtt = {name: getattr(running.mqtt, name) for name in FIXED_MQTT}
    fixed["mqtt"] = wanted.mqtt.model_copy(update={**mqtt, "sparkplug": sparkplug})
    return wanted.model_copy(update=fixed), tuple(waiting)


def is_replaced(wanted: StationSettings, running: StationSettings) -> bool:
    """Whether a station must begin anew for what was changed."""
    return any(getattr(wanted, name) != getattr(running, name) for name in REPLACING)


def _waiting(wanted: Settings, running: Settings) -> Iterator[str]:
    for section in type(wanted).model_fields:
        if section not in LIVE_SECTIONS:
            yield from _changed(section, getattr(wanted, section), getattr(running, section))
    yield from (f"mqtt.{name}" for name in FIXED_MQTT if getattr(wanted.mqtt, name) != getattr(running.mqtt, name))
    for name in FIXED_SPARKPLUG:
        if getattr(wanted.mqtt.sparkplug, name) != getattr(running.mqtt.sparkplug, name):
            yield f"mqtt.sparkplug.{name}"


def _changed(path: str, wanted: object, running: object) -> Iterator[str]:
    if wanted == running:
        return
    if isinstance(wanted, BaseModel) and type(wanted) is type(running):
        for name in type(wanted).model_fields:
            yield from _changed(f"{path}.{name}", getattr(wanted, name), getattr(running, name))
    else:
        yield path
