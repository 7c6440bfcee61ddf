"""The virtual plant's MQTT 5 client: numbered, stamped JSON messages at QoS 1 that wait while the broker is away."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from datetime import datetime

    from paho.mqtt.reasoncodes import ReasonCode

SESSION_EXPIRY_S = 3_600
MAX_INFLIGHT = 100


class PlantPublisher:
    """Publishes with `ts`, `seq`, `epoch`, `source` and `origin` in every message; `seq` counts by topic.

    Messages are kept in memory while the broker is away and sent in order when it is back.

    Args:
        port: broker on 127.0.0.1.
        client_id: fixed, so that a session survives reconnects.
        epoch: names this run: numbers start at 0 in it.
    """

    def __init__(self, port: int, client_id: str, epoch: str) -> None:
        self._epoch = epoch
        self._next: Counter[str] = Counter()
        self._condition = threading.Condition()
        self.published = 0
        self.acknowledged = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self._client.max_inflight_messages_set(MAX_INFLIGHT)
        self._client.max_queued_messages_set(0)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_publish = self._on_publish
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves this one untyped
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.connect_async("127.0.0.1", port, keepalive=15, clean_start=False, properties=properties)
        self._client.loop_start()

    def publish(self, topic: str, at: datetime, fields: dict[str, object]) -> None:
        """Send one message, or keep it until the broker is there; never blocks on the network."""
        message = {
            "ts": at.isoformat(),
            "seq": self._next[topic],
            "epoch": self._epoch,
            "source": topic,
            "origin": "simulated",
            **fields,
        }
        self._next[topic] += 1
        with self._condition:
            self.published += 1
        self._client.publish(topic, msgspec.json.encode(message), qos=1)

    def close(self, timeout_s: float) -> bool:
        """Wait until the broker has acknowledged everything, then disconnect; returns whether it has."""
        with self._condition:
            complete = self._condition.wait_for(lambda: self.acknowledged >= self.published, timeout_s)
        self._client.disconnect()
        self._client.loop_stop()
        return complete

    def _on_publish(
        self, _client: mqtt.Client, _userdata: object, _mid: int, _reason: ReasonCode, _properties: Properties
    ) -> None:
        with self._condition:
            self.acknowledged += 1
            self._condition.notify_all()
