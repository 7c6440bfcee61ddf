"""Sparkplug B topics: `spBv1.0/<group>/<type>/<node>[/<device>]` (Sparkplug 3.0, chapter 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from edge_agent.errors import PoisonMessageError

if TYPE_CHECKING:
    from edge_agent.settings.mqtt import SparkplugDevice

NAMESPACE = "spBv1.0"
MessageType = Literal["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"]
_TYPES = frozenset(get_args(MessageType))
_NODE_LEVELS = 4
_DEVICE_LEVELS = 5


class SparkplugTopic(msgspec.Struct, frozen=True):
    """Who says what: `device` is None for an edge node's own messages."""

    group: str
    type: MessageType
    node: str
    device: str | None


def parse_topic(topic: str) -> SparkplugTopic:
    """Read a topic.

    Raises:
        PoisonMessageError: `bad_topic`.

    >>> parse_topic("spBv1.0/plant/DDATA/cell-1/press")
    SparkplugTopic(group='plant', type='DDATA', node='cell-1', device='press')
    """
    levels = topic.split("/")
    if levels[0] == NAMESPACE and len(levels) in {_NODE_LEVELS, _DEVICE_LEVELS} and levels[2] in _TYPES:
        device = levels[4] if len(levels) == _DEVICE_LEVELS else None
        if (levels[2][0] == "D") == (device is not None):
            return msgspec.convert(
                {"group": levels[1], "type": levels[2], "node": levels[3], "device": device}, SparkplugTopic
            )
    raise PoisonMessageError("bad_topic", "no topic of a Sparkplug birth, death or data", field="topic", value=topic)


def filters_of(devices: tuple[SparkplugDevice, ...]) -> tuple[str, ...]:
    """Topic filters of the nodes that the devices belong to.

    All devices of a node are heard, for they share one sequence; commands are not, for we send them ourselves.
    """
    nodes = dict.fromkeys((device.group, device.node) for device in devices)
    filters = []
    for group, node in nodes:
        filters += [f"{NAMESPACE}/{group}/{kind}/{node}" for kind in ("NBIRTH", "NDATA", "NDEATH")]
        filters += [f"{NAMESPACE}/{group}/{kind}/{node}/+" for kind in ("DBIRTH", "DDATA", "DDEATH")]
    return tuple(filters)


def command_topic(group: str, node: str) -> str:
    """Where commands to an edge node go."""
    return f"{NAMESPACE}/{group}/NCMD/{node}"


def state_topic(host_id: str) -> str:
    """Where a host application says whether it is there (retained)."""
    return f"{NAMESPACE}/STATE/{host_id}"
