"""The fast lane: whole PUBLISH packets are read from what one `recv` brought; every other packet is paho's own.

Parsing a message costs paho 30 us and more, most of it for objects that nobody looks at. Here a PUBLISH of QoS 0 or 1
that lies whole in the receive buffer and bears no properties is cut out of it and handed to `on_message`, or, where
`on_run` is set, those of QoS 1 that follow one another all at once to that; `puback` (of `PlantClient`) sends the
acknowledgements of a commit as one write. Everything else goes through paho's
`_packet_read`, which reads from the same buffer: connect, keepalive, QoS 2, properties, packets that are not complete
yet or longer than 16 KiB, and whatever is malformed, so that it is refused exactly as paho refuses it.

Known to work with the versions of `KNOWN_PAHO`, whose source was read; with another one the plain client serves.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import paho.mqtt
import structlog
from paho.mqtt import client as mqtt
from paho.mqtt.enums import LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters.mqtt_client import PACKETS_A_TURN, READ_BYTES, PlantClient

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN_PAHO: Final = frozenset({"2.2.0"})

SHORTEST = 4  # bytes of a PUBLISH: header, remaining length, the topic's length
PUBLISH_MASK, PUBLISH_BITS = 0b1111_0100, 0b0011_0000  # type 3 and QoS below 2; MQTT 5 sections 2.1.2 and 3.3.1
DUP, QOS_1, RETAIN = 0b1000, 0b0010, 0b0001
AT_LEAST_ONCE = 0b0011_1010  # head of a PUBLISH of QoS 1 that is not retained, DUP or not: `head | DUP`
LENGTH_BYTES = 2  # of a topic's length, and of a packet identifier
MORE = 0x80  # of a variable byte integer: another byte follows; MQTT 5 section 1.5.5

_log = structlog.get_logger(__name__)


class PublishedMessage(mqtt.MQTTMessage):
    """A received message; what is seldom looked at is made when it is."""

    __slots__ = ("_info", "_overhead", "_properties")

    def __init__(self, topic: bytes, payload: bytes, mid: int, head: int, overhead: int) -> None:
        # not super().__init__: it makes a lock and a condition for each message, meant for those that we publish
        self._topic = topic
        self.payload = payload
        self.mid = mid
        self.dup = head & DUP != 0
        self.qos = (head & QOS_1) >> 1
        self.retain = head & RETAIN != 0
        self.state = mqtt.mqtt_ms_invalid
        self._overhead = overhead
        self._properties: Properties | None = None
        self._info: mqtt.MQTTMessageInfo | None = None

    @property
    def properties(self) -> Properties | None:  # type: ignore[override] # a slot of paho's class, whose value we make late
        """No property, as an object where the protocol has them."""
        if self._properties is None and self._overhead:
            self._properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
        return self._properties

    @property
    def info(self) -> mqtt.MQTTMessageInfo:  # type: ignore[override] # as above
        """Of no use for a received message; there because paho's has it."""
        if self._info is None:
            self._info = mqtt.MQTTMessageInfo(self.mid)
        return self._info


@dataclass(frozen=True, slots=True)
class PublishRun:
    """Plain messages of QoS 1, not retained, that followed one another.

    Attributes:
        topics, payloads, mids: of each message in turn; mids are packet identifiers.
    """

    topics: list[bytes]
    payloads: list[bytes]
    mids: list[int]


class FastClient(PlantClient):
    """`PlantClient` that cuts plain PUBLISH packets out of its receive buffer itself.

    Uses of paho-mqtt 2.2.0, besides what `PlantClient` uses: `_in_packet`, `_in_callback_mutex`, `_msgtime_mutex`,
    `_last_bytes_received`, `_on_message`, `_on_log`, `_logger`, `_manual_ack`, `_protocol`, `_sock`.
    """

    _has_filtered_callbacks = False
    on_run: Callable[[PublishRun], None] | None = None
    """Called with plain messages of QoS 1 instead of `on_message`, under the same rules."""

    def message_callback_add(self, sub: str, callback: Callable[[mqtt.Client, object, mqtt.MQTTMessage], None]) -> None:
        """From here on paho reads every message, because it knows which callback is meant."""
        self._has_filtered_callbacks = True
        super().message_callback_add(sub, callback)

    def loop_read(self, max_packets: int = PACKETS_A_TURN) -> MQTTErrorCode:
        """Handle the packets that are there, at most `max_packets`."""
        left = max_packets
        while left > 0:
            if self._sock is None:
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            if self._in_packet["command"] == 0:  # between two packets
                if not self.has_unparsed:
                    rc = self._fill()
                    if rc == MQTTErrorCode.MQTT_ERR_AGAIN:
                        break
                    if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        return self._loop_rc_handle(rc)
                taken = self._take_publishes(left)
                left -= taken
                if taken:
                    continue
            rc = self._packet_read()
            left -= 1
            if rc == MQTTErrorCode.MQTT_ERR_AGAIN:
                break
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return self._loop_rc_handle(rc)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _fill(self) -> MQTTErrorCode:
        """Receive into the empty buffer, with the results of paho's `_packet_read`."""
        try:
            received = mqtt.Client._sock_recv(self, READ_BYTES)  # noqa: SLF001 - past the buffer, which is empty
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError as error:
            self._easy_log(LogLevel.MQTT_LOG_ERR, "failed to receive on socket: %s", error)
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not received:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._received, self._position = received, 0
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _take_publishes(self, most: int) -> int:
        """Hand over the plain messages at the front of the buffer, at most `most`; returns how many there were."""
        if self._has_filtered_callbacks or not self._manual_ack or self._on_log is not None or self._logger is not None:
            return 0
        data, at = self._received, self._position
        overhead, sock = self._protocol == MQTTProtocolVersion.MQTTv5, self._sock
        now_s = time.monotonic()
        if self.on_run is not None:
            taken = self._take_run(self.on_run, most)
            if taken:
                with self._msgtime_mutex:
                    self._last_bytes_received = now_s
                return taken
            most = 1  # one that is no part of a run, and then a look for the next run
        taken = 0
        while taken < most and (cut := _cut(data, at, overhead)) is not None:
            message, stop = cut
            message.timestamp = now_s
            self._position = stop
            self._tell(message, at)
            taken += 1
            at = stop
            if self._sock is not sock or self._received is not data:
                break  # the callback ended the connection
        if taken:
            with self._msgtime_mutex:
                self._last_bytes_received = now_s
        return taken

    def _take_run(self, callback: Callable[[PublishRun], None], most: int) -> int:
        """Hand over the messages of QoS 1 at the front of the buffer; returns how many there were."""
        packet_at = self._position
        run, self._position = _cut_run(self._received, packet_at, self._protocol == MQTTProtocolVersion.MQTTv5, most)
        if run.mids:
            with self._in_callback_mutex:
                try:
                    callback(run)
                except Exception as error:
                    self._easy_log(LogLevel.MQTT_LOG_ERR, "Caught exception in on_run: %s", error)
                    if not self.suppress_exceptions:
                        self._position = packet_at
                        raise
        return len(run.mids)

    def _tell(self, message: PublishedMessage, packet_at: int) -> None:
        """Call `on_message` under paho's rules; a callback that fails gets the same packet again, as paho does it."""
        callback = self._on_message
        if callback is None:
            return
        with self._in_callback_mutex:
            try:
                callback(self, self._userdata, cast("mqtt.MQTTMessage", message))
            except Exception as error:
                self._easy_log(LogLevel.MQTT_LOG_ERR, "Caught exception in on_message: %s", error)
                if not self.suppress_exceptions:
                    self._position = packet_at
                    raise


def _cut(data: bytes, at: int, overhead: int) -> tuple[PublishedMessage, int] | None:
    """The plain PUBLISH that begins at a place, and where it ends; None for whatever else lies there."""
    # ---- fixed header
    end = len(data)
    if end - at < SHORTEST or data[at] & PUBLISH_MASK != PUBLISH_BITS:
        return None
    head, remaining, begin = data[at], data[at + 1], at + 2
    if remaining & MORE:
        if data[begin] & MORE:
            return None
        remaining, begin = remaining & ~MORE | data[begin] << 7, begin + 1
    stop = begin + remaining
    if stop > end or remaining < LENGTH_BYTES:
        return None
    # ---- variable header
    topic = begin + LENGTH_BYTES
    mid = topic + (data[begin] << 8 | data[begin + 1])
    body = mid + (head & QOS_1) + overhead  # QoS 1 is a bit of value 2, as many as the bytes of a packet identifier
    if body > stop or (data[body - 1] if overhead else mid == topic):
        return None  # too short; or it has properties; or, before MQTT 5, no topic
    number = data[mid] << 8 | data[mid + 1] if head & QOS_1 else 0
    return PublishedMessage(data[topic:mid], data[body:stop], number, head, overhead), stop


def _cut_run(data: bytes, at: int, overhead: int, most: int) -> tuple[PublishRun, int]:
    """The messages of QoS 1 that `_cut` would cut one after the other from a place, and where the last of them ends."""
    # every step that is a call or an object here is paid by each message
    topics: list[bytes] = []
    payloads: list[bytes] = []
    mids: list[int] = []
    end = len(data)
    while len(mids) < most and end - at >= SHORTEST and data[at] | DUP == AT_LEAST_ONCE:
        remaining, begin = data[at + 1], at + 2
        if remaining & MORE:
            if data[begin] & MORE:
                break
            remaining, begin = remaining & ~MORE | data[begin] << 7, begin + 1
        stop = begin + remaining
        if stop > end or remaining < LENGTH_BYTES:
            break
        topic = begin + LENGTH_BYTES
        mid = topic + (data[begin] << 8 | data[begin + 1])
        body = mid + LENGTH_BYTES + overhead
        if body > stop or (data[body - 1] if overhead else mid == topic):
            break
        topics.append(data[topic:mid])
        payloads.append(data[body:stop])
        mids.append(data[mid] << 8 | data[mid + 1])
        at = stop
    return PublishRun(topics, payloads, mids), at


def fast_lane_open(version: str = paho.mqtt.__version__) -> bool:
    """True where the fast client may be used: the installed paho is one whose source was read."""
    return version in KNOWN_PAHO


def client_type(version: str = paho.mqtt.__version__) -> type[PlantClient]:
    """The client that sources and sinks use; the plain one, with a warning, where paho's version is not known."""
    if fast_lane_open(version):
        return FastClient
    _log.warning(
        "paho-mqtt of an unknown version: messages are read by the plain client, which is slower and as safe",
        version=version,
        known=sorted(KNOWN_PAHO),
        hint="install a version that is known, or a newer lineproof",
    )
    return PlantClient
