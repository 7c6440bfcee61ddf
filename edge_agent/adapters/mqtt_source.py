"""Messages from the broker, acknowledged only after their commit.

Three threads meet here. The network thread receives into a queue and never waits for the pipeline, so that the
keepalive goes on while the pipeline is full. The pump thread decodes and delivers, one message after the other, and may
be held back. The writer thread acknowledges; the network thread sends its acknowledgements in receive order.

What bounds the queue: a broker has at most Receive Maximum QoS 1 messages unacknowledged (65,535 by the size of a
packet identifier, should it ignore the limit). QoS 0 messages have no such bound; past `QOS_0_WAITING` they are dropped
and counted, as QoS 0 allows. A lost connection loses nothing: what was not acknowledged comes again and is recognised
by its key. A reading without a time stamp has no such key, so that it may be recorded twice, at two receive times.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import structlog

from edge_agent.adapters.mqtt_arrivals import (
    EVIDENCE_BYTES,
    Arrival,
    ArrivalReader,
    ArrivalRun,
    MqttToken,
    MqttTokens,
    arrival,
    digest_of,
)
from edge_agent.adapters.mqtt_client import Session
from edge_agent.adapters.mqtt_connection import LONGEST_SLEEP_S, Backoff, MqttConnection
from edge_agent.adapters.mqtt_fast_client import FastClient
from edge_agent.adapters.mqtt_subscriptions import Subscriptions, TopicChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt import client as mqtt
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.adapters.mqtt_client import PlantClient
    from edge_agent.adapters.mqtt_fast_client import PublishRun
    from edge_agent.instant import Instant
    from edge_agent.ports import Clock, Codec, Delivery, LinkHealth
    from edge_agent.settings.config import BrokerSettings

QOS_0_WAITING = 10_000
CLOSE_US = 10_000  # a clock that is further back was set back, and is believed
HELD_BACK_S = 5.0  # a delivery that waits this long is worth telling people
PAUSE_WAIT_S = 5.0

_log = structlog.get_logger(__name__)


class SourceCounts(msgspec.Struct, frozen=True):
    """What a source did since its start.

    Attributes:
        received: messages received, redeliveries included.
        acknowledged: acknowledgements handed to the network.
        stale_acknowledgements: acknowledgements of a lost connection, dropped; their messages come again.
        dropped_qos0: QoS 0 messages dropped because too many waited.
        connections: times the broker accepted us.
        sessions_lost: times a broker had forgotten our session, and with it the messages it held for us.
        quarantined: messages quarantined, by reason.
    """

    received: int
    acknowledged: int
    stale_acknowledgements: int
    dropped_qos0: int
    connections: int
    sessions_lost: int
    quarantined: dict[str, int]


class MqttSource:
    """Implements `ports.Source` over MQTT 5.

    Args:
        broker: where and how.
        client_id: identity of the persistent session; keep it the same over restarts, unique among all clients.
        filters: topic filters, subscribed at QoS 1.
        codec: turns payloads into readings and facts.
        clock: receive times.
        max_payload_bytes: larger payloads are quarantined.
        backoff: waits between attempts to connect.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """

    def __init__(  # noqa: PLR0913 - six settings of the source, and the back-off that tests replace
        self,
        broker: BrokerSettings,
        client_id: str,
        filters: Sequence[str],
        codec: Codec,
        clock: Clock,
        max_payload_bytes: int,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = f"mqtt:{client_id}"
        self._subscriptions = Subscriptions(filters, self._turn_over)
        self._reader = ArrivalReader(self.name, codec)
        self._clock = clock
        self._max_payload_bytes = max_payload_bytes
        self._connection = MqttConnection(broker, Session(client_id, keep=True), self, clock, backoff)
        self._connection.client.on_message = self._on_message
        if self._reader.reads_runs and isinstance(self._connection.client, FastClient):
            self._connection.client.on_run = self._on_run
        self._connection.client.on_subscribe = self._on_subscribe
        self._connection.client.on_unsubscribe = self._on_unsubscribe
        self._received: list[Arrival | ArrivalRun] = []  # of this turn of the network thread
        self._newest_us = 0
        self._arrived_count = self._taken_count = 0  # each written by one thread; their difference waits
        self._arrivals: queue.SimpleQueue[list[Arrival | ArrivalRun] | TopicChange | None] = queue.SimpleQueue()
        self._acknowledgements: deque[MqttToken | MqttTokens] = deque()
        self._unacknowledged: dict[int, int] = {}  # packet identifier to serial; of the present connection only
        self._deliver: Callable[[Delivery], None] | None = None
        self._deliver_batch: Callable[[Sequence[Delivery]], None] = self._deliver_each
        self._pump = threading.Thread(target=self._pump_arrivals, name=f"mqtt-pump-{client_id}", daemon=True)
        self._pausing = threading.Event()
        self._delivering_since_s: float | None = None
        self._serial = 0
        self._abandoned = 0  # serials up to here come again by themselves
        self._acknowledged = self._stale = self._dropped_qos0 = self._sessions_lost = 0

    # ---- port ---------------------------------------------------------------------------------------------------

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        """Begin connecting and delivering; returns at once."""
        self._deliver = deliver
        self._pump.start()
        self._connection.start()

    def start_batches(self, deliver: Callable[[Sequence[Delivery]], None]) -> None:
        """As `start`; what one look at the network brought is delivered at once (port `BatchSource`)."""
        self._deliver_batch = deliver
        self._pump.start()
        self._connection.start()

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Queue acknowledgements, in the order given; never blocks."""
        self._acknowledgements.extend(token for token in tokens if isinstance(token, MqttToken | MqttTokens))
        self._connection.wake()

    def change(self, filters: Sequence[str], codec: Codec, timeout_s: float) -> bool:
        """Read other topics, or the same in another way; the connection stays. False where that takes longer than
        `timeout_s`; it is made all the same.
        """
        change = TopicChange(filters, codec)
        self._subscriptions.ask(change, connected=self._connection.is_connected)
        self._connection.wake()
        return change.done.wait(timeout_s)

    def health(self) -> LinkHealth:
        """Alive when both threads run, the broker answers, and it accepted every subscription."""
        health = self._connection.health(self.name)
        since_s = self._delivering_since_s
        if self._pausing.is_set():
            return msgspec.structs.replace(health, alive=False, detail="paused, the agent ends")
        if not self._pump.is_alive():
            return msgspec.structs.replace(health, alive=False, detail="its delivering thread does not run")
        if health.alive and not self._subscriptions.confirmed:
            return msgspec.structs.replace(health, alive=False, detail="the broker has not confirmed our subscriptions")
        if health.alive and self._subscriptions.refused:
            refused = ", ".join(self._subscriptions.refused)
            return msgspec.structs.replace(
                health, alive=False, detail=f"the broker refused to subscribe us to {refused}"
            )
        if since_s is not None and (held_s := time.monotonic() - since_s) > HELD_BACK_S:
            detail = f"held back by the pipeline for {held_s:.0f} s, {self._waiting} messages wait"
            return msgspec.structs.replace(health, detail="; ".join(filter(None, (health.detail, detail))))
        return health

    def pause(self) -> None:
        """Deliver nothing more; the connection stays, and acknowledgements go on. Waits for the delivery in hand."""
        self._pausing.set()
        self._arrivals.put(None)
        if self._pump.is_alive() and threading.current_thread() is not self._pump:
            self._pump.join(PAUSE_WAIT_S)
            if self._pump.is_alive():
                _log.warning("a delivery still waits for the pipeline", source=self.name)

    def stop(self) -> None:
        """Stop delivering, send the acknowledgements that were asked for, and disconnect; the session stays."""
        if not self._pausing.is_set():
            self.pause()
        self._connection.stop()

    @property
    def counts(self) -> SourceCounts:
        """What happened since the start; any thread."""
        return SourceCounts(
            received=self._serial,
            acknowledged=self._acknowledged,
            stale_acknowledgements=self._stale,
            dropped_qos0=self._dropped_qos0,
            connections=self._connection.connections,
            sessions_lost=self._sessions_lost,
            quarantined=dict(self._reader.quarantined),
        )

    # ---- network thread -----------------------------------------------------------------------------------------

    def connected(self, client: PlantClient, *, session_present: bool, receive_maximum: int) -> None:  # noqa: ARG002 - how much we may send does not concern a source
        """Subscribe, and tell when the broker has forgotten us."""
        if not session_present and self._connection.connections > 1:
            self._sessions_lost += 1
            _log.warning("broker lost the session", source=self.name, hint="does the broker persist its sessions?")
        self._subscriptions.connected(client)

    def lost(self) -> None:
        """Forget the packet identifiers; late acknowledgements find nothing and are dropped."""
        self._pass_on()
        self._subscriptions.lost()
        self._unacknowledged.clear()

    def turn(self, client: PlantClient) -> float:
        """Hand what was received to the pump, and send the acknowledgements that the writer asked for."""
        self._pass_on()
        self._subscriptions.turn(client)
        mids: list[int] = []
        while self._acknowledgements:
            token = self._acknowledgements.popleft()
            if isinstance(token, MqttTokens):
                mids += self._still_known(token)
                continue
            if token.qos == 0:
                continue
            if self._unacknowledged.get(token.mid) != token.serial:
                self._stale += 1
                continue
            del self._unacknowledged[token.mid]
            self._acknowledged += 1
            if token.qos == 1:
                mids.append(token.mid)
            else:
                client.ack(token.mid, token.qos)
        client.puback(mids)
        return LONGEST_SLEEP_S

    def _still_known(self, tokens: MqttTokens) -> list[int]:
        """Packet identifiers of a run that this connection has not acknowledged yet."""
        known = self._unacknowledged
        mids = [mid for mid, serial in zip(tokens.mids, itertools.count(tokens.serial)) if known.get(mid) == serial]
        for mid in mids:
            del known[mid]
        self._acknowledged += len(mids)
        self._stale += len(tokens.mids) - len(mids)
        return mids

    def closing(self, client: PlantClient) -> None:
        """Acknowledge what was committed before the goodbye."""
        self.turn(client)

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _given: Properties | None
    ) -> None:
        self._subscriptions.subscribed(reasons)

    def _on_unsubscribe(self, *_: object) -> None:
        self._pass_on()
        self._subscriptions.unsubscribed(self._connection.client)

    def _turn_over(self, change: TopicChange) -> None:
        """From here on the pump reads in the new way."""
        self._arrivals.put(change)

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        received = self._moment()
        self._serial += 1
        token = MqttToken(self._serial, message.mid, message.qos)
        if token.qos == 0 and self._waiting >= QOS_0_WAITING:
            self._dropped_qos0 += 1
            return
        if token.qos > 0:
            self._unacknowledged[token.mid] = token.serial
        # paho's own decoding of the topic raises; ours tells it as a problem of this message
        arrived = arrival(token, message._topic, bytes(message.payload), received, retained=bool(message.retain))  # noqa: SLF001 - the topic's bytes, of paho and of ours
        self._receive(self._within_bounds(arrived))

    def _on_run(self, run: PublishRun) -> None:
        if max(map(len, run.payloads)) > self._max_payload_bytes:
            self._on_large_run(run)
            return
        count = len(run.mids)
        received = self._moment(count)
        first = self._serial + 1
        self._serial += count
        self._unacknowledged.update(zip(run.mids, itertools.count(first)))
        self._receive(ArrivalRun(first, received, run.topics, run.payloads, run.mids))

    def _on_large_run(self, run: PublishRun) -> None:
        for topic, payload, mid in zip(run.topics, run.payloads, run.mids, strict=True):
            self._serial += 1
            self._unacknowledged[mid] = self._serial
            token = MqttToken(self._serial, mid, 1)
            arrived = arrival(token, topic, payload, self._moment(), retained=False)
            self._receive(self._within_bounds(arrived))

    def _receive(self, arrived: Arrival | ArrivalRun) -> None:
        self._received.append(arrived)
        self._arrived_count += len(arrived)

    def _within_bounds(self, arrived: Arrival) -> Arrival:
        """An arrival, cut where its payload is too large, so that giants do not pile up in the queue."""
        size = len(arrived.payload)
        if size <= self._max_payload_bytes:
            return arrived
        return msgspec.structs.replace(
            arrived,
            problem=("too_large", f"{size} bytes; mqtt.max_payload_bytes is {self._max_payload_bytes}"),
            digest=digest_of(arrived.topic, arrived.payload),
            payload=arrived.payload[:EVIDENCE_BYTES],
        )

    def _moment(self, messages: int = 1) -> Instant:
        """The time of receipt, never that of the message before: a reading without a stamp is known by it. Of several
        messages it is that of the first, and each later one came a microsecond after.
        """
        now = self._clock.now()
        if 0 <= self._newest_us - now.utc_us < CLOSE_US:
            now = msgspec.structs.replace(now, utc_us=self._newest_us + 1)
        self._newest_us = now.utc_us + messages - 1
        return now

    def _pass_on(self) -> None:
        if self._received:
            self._arrivals.put(self._received)
            self._received = []

    @property
    def _waiting(self) -> int:
        return self._arrived_count - self._taken_count

    # ---- pump thread --------------------------------------------------------------------------------------------

    def _pump_arrivals(self) -> None:
        while True:
            arrivals = self._arrivals.get()
            if arrivals is None or self._pausing.is_set():
                return
            if isinstance(arrivals, TopicChange):
                self._reader.use(arrivals.codec)
                arrivals.done.set()
                continue
            self._taken_count += sum(map(len, arrivals))
            if any(arrived.last_serial <= self._abandoned for arrived in arrivals):
                arrivals = [
                    arrived
                    for arrived in arrivals
                    if arrived.last_serial > self._abandoned or (isinstance(arrived, Arrival) and not arrived.token.qos)
                ]
            self._delivering_since_s = time.monotonic()
            try:
                self._deliver_batch([delivery for arrived in arrivals for delivery in self._reader.read(arrived)])
            except Exception as error:  # noqa: BLE001 - supervised boundary: one failed delivery must not end the thread
                _log.exception("delivery failed", source=self.name)
                if self._pausing.is_set():
                    return  # acknowledgements still use this connection; the message comes again to the next one
                self._abandoned = self._serial
                self._connection.break_connection(
                    f"delivering failed ({type(error).__name__}: {error}); the broker will deliver again"
                )
            self._delivering_since_s = None

    def _deliver_each(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if self._pausing.is_set():
                return
            if self._deliver is not None:
                self._delivering_since_s = time.monotonic()
                self._deliver(delivery)
