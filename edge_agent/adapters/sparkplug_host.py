"""The agent as a Sparkplug B host application: says that it is there, and asks edge nodes for their births.

Edge nodes watch `spBv1.0/STATE/<host id>` (Sparkplug 3.0, section 6.4.27): a retained birth while we are there, a last
will when we are not, both with the time of one connection, so that an old will never speaks for a new connection. It
keeps a connection of its own: the durable session that receives data must not be what a will ends.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import msgspec
import structlog

from edge_agent.adapters.mqtt_client import Session, Will
from edge_agent.adapters.mqtt_connection import LONGEST_SLEEP_S, Backoff, MqttConnection
from edge_agent.adapters.sparkplug_payload import rebirth_command
from edge_agent.payloads.sparkplug.topics import command_topic, state_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from paho.mqtt import client as mqtt

    from edge_agent.adapters.mqtt_client import PlantClient
    from edge_agent.ports import Clock, Delivery, LinkHealth
    from edge_agent.settings.config import BrokerSettings

_MICROSECONDS_PER_MILLISECOND = 1_000

_log = structlog.get_logger(__name__)


class SparkplugHost:
    """Implements `ports.Source`, though it delivers nothing: it lives and is watched as the sources are.

    Args:
        broker: where and how.
        client_id: unique among all clients of the broker.
        host_id: names the host application to edge nodes.
        nodes: group and node of every edge node that is asked for its births at the start.
        clock: times of the messages.
        asked: told of every request, as `group/node`.
        backoff: waits between attempts to connect.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """

    def __init__(  # noqa: PLR0913 - who it is, whom it asks, and the back-off that tests replace
        self,
        broker: BrokerSettings,
        client_id: str,
        host_id: str,
        nodes: Iterable[tuple[str, str]],
        clock: Clock,
        asked: Callable[[str], None],
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = f"mqtt:{client_id}"
        self._clock = clock
        self._topic = state_topic(host_id)
        self._since_ms = self._now_ms()
        will = Will(self._topic, self._state(online=False))
        self._connection = MqttConnection(broker, Session(client_id, keep=False, will=will), self, clock, backoff)
        self._connection.client.on_message = self._on_message
        self._lock = threading.Lock()
        self._wanted = dict.fromkeys(nodes)  # asked once the broker is there; a dict keeps each node once, in order
        self._tell_asked = asked
        self._stands = False

    # ---- any thread -----------------------------------------------------------------------------------------------

    def ask_rebirth(self, group: str, node: str) -> None:
        """Ask an edge node for its births; never blocks. Kept until the broker is there."""
        with self._lock:
            self._wanted[group, node] = None
        self._connection.wake()

    # ---- port ---------------------------------------------------------------------------------------------------

    def start(self, deliver: Callable[[Delivery], None]) -> None:  # noqa: ARG002 - a host delivers nothing
        """Begin connecting; returns at once."""
        self._connection.start()

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Nothing was delivered, so there is nothing to acknowledge."""

    def health(self) -> LinkHealth:
        """Alive when its thread runs and the broker answers."""
        return self._connection.health(self.name)

    def pause(self) -> None:
        """Nothing is delivered anyway."""

    def stop(self) -> None:
        """Say that we are gone, and disconnect."""
        self._connection.stop()

    # ---- network thread -----------------------------------------------------------------------------------------

    def connected(self, client: PlantClient, *, session_present: bool, receive_maximum: int) -> None:  # noqa: ARG002 - the host keeps no session and sends little
        """Say that we are there, and hear what is said about us."""
        client.subscribe(self._topic, qos=1)
        client.publish(self._topic, self._state(online=True), qos=1, retain=True)
        self._stands = True

    def lost(self) -> None:
        """The next connection has a time of its own, in its will as well."""
        self._stands = False
        self._since_ms = self._now_ms()
        client = self._connection.client
        client.will_set(self._topic, self._state(online=False), qos=1, retain=True)

    def turn(self, client: PlantClient) -> float:
        """Send the requests that were asked for."""
        with self._lock:
            wanted, self._wanted = self._wanted, {}
        for group, node in wanted:
            client.publish(command_topic(group, node), rebirth_command(self._now_ms()), qos=0)
            self._tell_asked(f"{group}/{node}")
            _log.info("rebirth asked", group=group, node=node)
        return LONGEST_SLEEP_S

    def closing(self, client: PlantClient) -> None:
        """An orderly end sends no last will, so say it ourselves."""
        self._stands = False
        client.publish(self._topic, self._state(online=False), qos=1, retain=True)

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        """Someone says that we are gone while we are there (an old will, a broker's failover): say it again."""
        if message.qos:
            client.ack(message.mid, message.qos)
        try:
            state = msgspec.json.decode(bytes(message.payload), type=dict[str, object])
        except msgspec.DecodeError:
            state = {}
        if self._stands and state.get("online") is not True:
            client.publish(self._topic, self._state(online=True), qos=1, retain=True)

    def _state(self, *, online: bool) -> bytes:
        return json.dumps({"online": online, "timestamp": self._since_ms}).encode()

    def _now_ms(self) -> int:
        return self._clock.now().utc_us // _MICROSECONDS_PER_MILLISECOND
