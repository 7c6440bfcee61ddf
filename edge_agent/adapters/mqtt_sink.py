"""Committed facts to the broker at QoS 1: settled by its acknowledgement, kept in order while it is away.

The store's outbox is the durable copy; what waits here is only the part of it that is being sent. So the connection
needs no session: after a loss everything unacknowledged is sent anew, in its order, and consumers recognise a repeated
message by its key. The broker tells others whether the agent lives: a retained birth message, a retained last will.
"""

from __future__ import annotations

import heapq
import json
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import structlog
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters.mqtt_client import Session, Will
from edge_agent.adapters.mqtt_connection import LONGEST_SLEEP_S, Backoff, MqttConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt import client as mqtt
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.adapters.mqtt_client import PlantClient
    from edge_agent.ports import Clock, LinkHealth, OutboxMessage
    from edge_agent.settings.config import BrokerSettings

IN_FLIGHT = 200  # enough to fill a plant network's round trip; the broker's Receive Maximum may be less
REFUSED_RETRY_S = 1.0
REFUSED_RETRY_CAP_S = 60.0

_log = structlog.get_logger(__name__)


class _Hold:
    """A topic whose later messages wait for an earlier one, so that they do not overtake it.

    `retry_at_s` is set after a refusal; None while the earlier message is on its way.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[int, OutboxMessage]] = []  # heap
        self.retry_at_s: float | None = None
        self.reason = ""
        self.backoff = Backoff(REFUSED_RETRY_S, REFUSED_RETRY_CAP_S)


class OutboundQueue:
    """Which message may be sent next: in order of arrival, except behind a held topic. Not thread-safe.

    A topic is held while one of its retained messages is in flight, because the newest must be the one that stays, and
    while the broker refuses it. Messages without retain are sent without waiting for each other; those already in
    flight when an earlier one is refused may overtake it.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, OutboxMessage]] = []  # heap by order of arrival
        self._in_flight: dict[int, tuple[int, OutboxMessage]] = {}
        self._holds: dict[str, _Hold] = {}
        self._keys: set[str] = set()
        self._arrivals = 0

    def __len__(self) -> int:
        """Messages not settled."""
        return len(self._keys)

    @property
    def in_flight(self) -> int:
        """Messages sent and not answered."""
        return len(self._in_flight)

    @property
    def refusals(self) -> dict[str, str]:
        """Refused topics with the broker's reason."""
        return {topic: hold.reason for topic, hold in self._holds.items() if hold.reason}

    def add(self, message: OutboxMessage) -> bool:
        """Queue a message; False when its key waits already."""
        if message.key in self._keys:
            return False
        self._keys.add(message.key)
        self._arrivals += 1
        heapq.heappush(self._waiting, (self._arrivals, message))
        return True

    def take(self, now_s: float) -> tuple[int, OutboxMessage] | None:
        """The next message to send and its place in the order; None when nothing may be sent now."""
        for hold in self._holds.values():
            if hold.retry_at_s is not None and hold.retry_at_s <= now_s and hold.waiting:
                hold.retry_at_s = None
                return heapq.heappop(hold.waiting)
        while self._waiting:
            entry = heapq.heappop(self._waiting)
            message = entry[1]
            hold_or_none = self._holds.get(message.topic)
            if hold_or_none is not None:
                heapq.heappush(hold_or_none.waiting, entry)
                continue
            if message.retain:
                self._holds[message.topic] = _Hold()
            return entry
        return None

    def sent(self, mid: int, entry: tuple[int, OutboxMessage]) -> None:
        """Note that a taken message is in flight as packet `mid`."""
        self._in_flight[mid] = entry

    def accepted(self, mid: int) -> str | None:
        """The broker took packet `mid`: its key, and its topic is free again; None for a packet not ours."""
        entry = self._in_flight.pop(mid, None)
        if entry is None:
            return None
        message = entry[1]
        self._keys.discard(message.key)
        hold = self._holds.get(message.topic)
        # A refused topic is free once its oldest message is through, not when one that overtook it is.
        if hold is not None and hold.retry_at_s is None:
            del self._holds[message.topic]
            for waiting in hold.waiting:
                heapq.heappush(self._waiting, waiting)
        return message.key

    def refused(self, entry: tuple[int, OutboxMessage], reason: str, now_s: float) -> None:
        """The broker, or the protocol, refuses a message: it and its topic wait."""
        hold = self._holds.setdefault(entry[1].topic, _Hold())
        heapq.heappush(hold.waiting, entry)
        if hold.retry_at_s is None:
            hold.retry_at_s = now_s + max(hold.backoff.next_s(), REFUSED_RETRY_S / 2)
        hold.reason = reason

    def answered_badly(self, mid: int, reason: str, now_s: float) -> bool:
        """The broker refused packet `mid`; False for a packet not ours."""
        entry = self._in_flight.pop(mid, None)
        if entry is not None:
            self.refused(entry, reason, now_s)
        return entry is not None

    def reconnect(self) -> None:
        """Everything unsettled goes back to its place in the order."""
        entries = list(self._in_flight.values())
        for hold in self._holds.values():
            entries += hold.waiting
        self._in_flight.clear()
        self._holds.clear()
        for entry in entries:
            heapq.heappush(self._waiting, entry)

    def next_retry_s(self) -> float | None:
        """Monotonic time of the earliest retry, None for none."""
        return min((hold.retry_at_s for hold in self._holds.values() if hold.retry_at_s is not None), default=None)


class MqttSink:
    """Implements `ports.Sink` over MQTT 5.

    Args:
        broker: where and how.
        client_id: unique among all clients of the broker.
        clock: time of the last sign of life.
        state_topic: retained topic that says whether the agent is online.
        agent: name of the agent, in the state message.
        backoff: waits between attempts to connect.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        clock: Clock,
        state_topic: str,
        agent: str,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = f"mqtt:{client_id}"
        self._state_topic = state_topic
        self._agent = agent
        will = Will(state_topic, self._state("offline", "connection lost"))
        self._connection = MqttConnection(broker, Session(client_id, keep=False, will=will), self, clock, backoff)
        self._connection.client.on_publish = self._on_publish
        self._queue = OutboundQueue()
        self._announcements: dict[str, tuple[bytes, Properties | None]] = {}
        self._lock = threading.Lock()  # guards the queue and the announcements
        self._other_mids: dict[int, str] = {}  # birth and announcements in flight, by topic
        self._other_problem = ""
        self._receive_maximum = IN_FLIGHT
        self._settlements: deque[str] = deque()
        self._settled: Callable[[str], None] | None = None

    # ---- port ---------------------------------------------------------------------------------------------------

    def start(self, settled: Callable[[str], None]) -> None:
        """Begin connecting; returns at once. `settled` must be quick: it runs on the thread that keeps us alive."""
        self._settled = settled
        self._connection.start()

    def send(self, message: OutboxMessage) -> None:
        """Queue a message; one whose key waits already is not queued twice. Never blocks on the network."""
        with self._lock:
            self._queue.add(message)
        self._connection.wake()

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        """Publish a retained state of which only the newest matters; dropped while the broker is away.

        Args:
            topic: where.
            payload: what.
            expiry_s: the broker forgets it after this long (MQTT 5 Message Expiry Interval, whole seconds, rounded up),
                so that nobody who comes later takes a dead agent's word; None to keep it.
        """
        if not self._connection.is_connected:
            return
        with self._lock:
            self._announcements[topic] = (payload, _expiring(expiry_s))
        self._connection.wake()

    def health(self) -> LinkHealth:
        """Alive when the thread runs and the broker answers; `detail` names the topics it refuses."""
        health = self._connection.health(self.name)
        with self._lock:
            refusals = [f"{topic}: {reason}" for topic, reason in self._queue.refusals.items()]
        if self._other_problem:
            refusals.append(self._other_problem)
        if not refusals:
            return health
        detail = f"the broker refuses {'; '.join(refusals)} (messages are kept and tried again)"
        return msgspec.structs.replace(health, detail="; ".join(filter(None, (health.detail, detail))))

    def stop(self) -> None:
        """Publish that we are offline and disconnect; what is not settled stays in the store's outbox."""
        self._connection.stop()

    @property
    def waiting(self) -> int:
        """Messages handed over and not settled."""
        with self._lock:
            return len(self._queue)

    # ---- network thread -----------------------------------------------------------------------------------------

    def connected(self, client: PlantClient, *, session_present: bool, receive_maximum: int) -> None:  # noqa: ARG002 - a sink keeps no session
        """Say that we are online."""
        self._receive_maximum = receive_maximum
        self._other_problem = ""
        self._publish_state(client, self._state("online", ""))

    def lost(self) -> None:
        """Put everything unanswered back; paho shall not resend it beside us."""
        self._connection.client.drop_out_messages()
        self._other_mids.clear()
        with self._lock:
            self._announcements.clear()
            self._queue.reconnect()
        self._settle()

    def turn(self, client: PlantClient) -> float:
        """Settle what was acknowledged, then send what may be sent."""
        self._settle()
        with self._lock:
            announcements, self._announcements = self._announcements, {}
        for topic, (payload, properties) in announcements.items():
            info = client.publish(topic, payload, qos=1, retain=True, properties=properties)
            self._other_mids[info.mid] = topic
        with self._lock:
            now_s = time.monotonic()
            while self._queue.in_flight + len(self._other_mids) < min(IN_FLIGHT, self._receive_maximum):
                entry = self._queue.take(now_s)
                if entry is None:
                    break
                message = entry[1]
                try:
                    info = client.publish(message.topic, message.payload, qos=1, retain=message.retain)
                except ValueError as error:  # a topic or payload the protocol cannot carry
                    self._queue.refused(entry, str(error), now_s)
                    continue
                if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
                    self._queue.refused(entry, "its packet identifier is still in use", now_s)
                    continue
                self._queue.sent(info.mid, entry)
            retry_s = self._queue.next_retry_s()
        return LONGEST_SLEEP_S if retry_s is None else max(retry_s - now_s, 0.0)

    def closing(self, client: PlantClient) -> None:
        """An orderly end sends no last will, so say it ourselves."""
        self._settle()
        self._publish_state(client, self._state("offline", "stopped"))

    def _on_publish(
        self, _client: mqtt.Client, _userdata: object, mid: int, reason: ReasonCode, _given: Properties
    ) -> None:
        # paho holds its own locks here: only note the answer, and settle in the next turn.
        topic = self._other_mids.pop(mid, None)
        if topic is not None:
            self._other_problem = f"{topic}: {reason}" if reason.is_failure else self._other_problem
            return
        with self._lock:
            if reason.is_failure:
                if self._queue.answered_badly(mid, str(reason), time.monotonic()):
                    _log.warning("broker refused a message", sink=self.name, reason=str(reason))
                return
            key = self._queue.accepted(mid)
        if key is not None:
            self._settlements.append(key)

    def _settle(self) -> None:
        while self._settlements:
            if self._settled is not None:
                self._settled(self._settlements[0])
            self._settlements.popleft()

    def _publish_state(self, client: PlantClient, payload: bytes) -> None:
        self._other_mids[client.publish(self._state_topic, payload, qos=1, retain=True).mid] = self._state_topic

    def _state(self, state: str, reason: str) -> bytes:
        body = {"state": state, "agent": self._agent} | ({"reason": reason} if reason else {})
        return json.dumps(body).encode()


def _expiring(expiry_s: float | None) -> Properties | None:
    if expiry_s is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves this one untyped
    properties.MessageExpiryInterval = max(1, math.ceil(expiry_s))
    return properties
