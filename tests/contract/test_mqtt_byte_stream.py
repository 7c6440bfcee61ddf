"""Any stream of MQTT packets, cut anywhere: our clients call back, answer and fail exactly as plain paho does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters import mqtt_fast_client
from edge_agent.adapters.mqtt_client import PlantClient
from edge_agent.adapters.mqtt_fast_client import FastClient, PublishRun, client_type, fast_lane_open

if TYPE_CHECKING:
    from collections.abc import Callable

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
OURS = [PlantClient, FastClient]


class CutStream:
    """A socket that gives out a stream in the pieces it was cut into, then ends as it is told."""

    def __init__(self, pieces: list[bytes], ending: str) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._ending = ending

    def recv(self, size: int) -> bytes:
        if not self._pieces:
            if self._ending == "reset":
                raise ConnectionResetError
            if self._ending == "closed":
                return b""
            raise BlockingIOError
        piece = self._pieces[0]
        if not piece:  # what one look at the network brought has been read
            del self._pieces[0]
            raise BlockingIOError
        self._pieces[0] = piece[size:]
        return piece[:size]

    @property
    def exhausted(self) -> bool:
        return not self._pieces and not self._ending

    def send(self, data: bytes) -> int:
        raise AssertionError(data)

    def close(self) -> None:
        pass

    def fileno(self) -> int:
        return -1


def plain_paho(protocol: MQTTProtocolVersion) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id="c", protocol=protocol, reconnect_on_failure=False, manual_ack=True
    )
    client.on_socket_register_write = lambda *_: None
    client.max_inflight_messages_set(0)
    return client


def ours(kind: type[PlantClient], protocol: MQTTProtocolVersion) -> mqtt.Client:
    return kind("c", protocol)


def replay(client: Any, pieces: list[bytes], ending: str, fails_at: int, *, suppress: bool = False) -> list[Any]:
    """Everything that a client does with a stream: callbacks, answers, and how it ends."""
    done: list[Any] = []
    calls = 0

    def on_message(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        nonlocal calls
        calls += 1
        given: Any = message.properties
        properties = None if given is None else given.json()
        try:
            topic: object = message.topic
        except UnicodeDecodeError:
            topic = bytes(message._topic)
        fields = (topic, message.payload, type(message.payload), message.qos, message.mid, message.dup, message.retain)
        done.append(("message", *fields, properties, message.info.mid, message.state, message.timestamp > 0))
        if calls == fails_at:
            raise RuntimeError
        if message.qos:
            client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.on_disconnect = lambda *given: done.append(("disconnect", str(given[3])))
    client.suppress_exceptions = suppress
    client._sock = CutStream(pieces, ending)
    client._state = type(client._state).MQTT_CS_CONNECTED
    rc = MQTTErrorCode.MQTT_ERR_SUCCESS
    while rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
        sock = client._sock
        try:
            rc = client.loop_read()
        except RuntimeError:
            done.append("failed")
            continue
        if sock.exhausted and not getattr(client, "has_unparsed", False):
            break
    done.append(("answers", b"".join(packet["packet"] for packet in client._out_packet)))
    done.append(("end", rc, client._sock is None, client._in_packet["command"], bytes(client._in_packet["packet"])))
    return done


# ---- packets ------------------------------------------------------------------------------------------------------


def variable_integer(value: int, extra: int = 0) -> bytes:
    """A variable byte integer, with bytes more than it needs."""
    out = bytearray()
    while value >= 128:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(extra):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def packet(head: int, body: bytes, extra: int = 0) -> bytes:
    return bytes([head]) + variable_integer(len(body), extra) + body


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


@st.composite
def packed_properties(draw: st.DrawFn) -> bytes:
    """What a broker may send with a PUBLISH, none most of the time."""
    if draw(st.integers(0, 2)):
        return b"\x00"
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    for name, value in draw(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=200)), max_size=4)):
        properties.UserProperty = (name.replace("\0", "").encode("utf-8", "ignore").decode(), "v" * len(value))
    if draw(st.booleans()):
        properties.TopicAlias = draw(st.integers(1, 65_535))
    if draw(st.booleans()):
        properties.SubscriptionIdentifier = draw(st.integers(1, 268_435_455))
    if draw(st.booleans()):
        properties.MessageExpiryInterval = draw(st.integers(0, 2**32 - 1))
    if draw(st.booleans()):
        properties.CorrelationData = draw(st.binary(max_size=20))
    packed: bytes = properties.pack()
    return packed


TOPICS = st.one_of(st.sampled_from([b"a", b"plant/press-1/temp", b"", "공장/프레스".encode()]), st.binary(max_size=6))
SIZES = st.one_of(
    st.binary(max_size=40), st.sampled_from([90, 115, 116, 130, 16_370, 16_400, 65_536, 70_000]).map(bytes)
)


@st.composite
def publish(draw: st.DrawFn, protocol: MQTTProtocolVersion) -> bytes:
    qos = draw(st.sampled_from([0, 1, 1, 1, 2, 3]))
    head = 0x30 | qos << 1 | draw(st.booleans()) << 3 | draw(st.booleans())
    mid = draw(st.integers(0, 4) | st.integers(0, 65_535)).to_bytes(2, "big") if qos else b""
    properties = draw(packed_properties()) if protocol == V5 else b""
    body = text(draw(TOPICS)) + mid + properties + draw(SIZES)
    return packet(head, body, draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3])))


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Packets that no broker may send."""
    return draw(
        st.one_of(
            st.tuples(st.integers(0x30, 0x3F), st.binary(max_size=7)).map(lambda given: packet(*given)),
            st.tuples(st.integers(0x30, 0x3F), st.just(b"\xff\xff\xff\xff\x7f")).map(lambda g: bytes([g[0]]) + g[1]),
            st.sampled_from([packet(0xF0, b""), packet(0x00, b"x"), packet(0x62, b"\x00"), packet(0x33, b"\x00\x09a")]),
            st.binary(min_size=1, max_size=12),
        )
    )


def others() -> st.SearchStrategy[bytes]:
    """Packets that are paho's own."""
    return st.one_of(
        st.just(packet(0xD0, b"")),
        st.integers(0, 4).map(lambda mid: packet(0x62, mid.to_bytes(2, "big"))),
        st.integers(0, 4).map(lambda mid: packet(0x40, mid.to_bytes(2, "big"))),
    )


@st.composite
def streams(draw: st.DrawFn) -> tuple[MQTTProtocolVersion, list[bytes]]:
    """A protocol, and a stream in the pieces in which it arrives."""
    protocol = draw(st.sampled_from([V5, V311]))
    good = st.one_of(publish(protocol), publish(protocol), publish(protocol), others())
    packets = draw(st.lists(good, max_size=12))
    if draw(st.integers(0, 2)) == 0:
        packets.insert(draw(st.integers(0, len(packets))), draw(broken()))
    stream = b"".join(packets)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return protocol, [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


PLAIN = packet(0x32, text(b"a") + b"\x00\x01" + b"\x00" + b"21.5")


@pytest.mark.parametrize("kind", OURS)
@given(
    case=streams(),
    ending=st.sampled_from(["", "", "closed", "reset"]),
    fails_at=st.integers(0, 6),
    suppress=st.booleans(),
)
@example(case=(V5, [PLAIN[:1], PLAIN[1:3], PLAIN[3:] + PLAIN]), ending="", fails_at=0, suppress=False)
@example(case=(V5, [PLAIN * 3]), ending="closed", fails_at=2, suppress=False)
@example(case=(V5, [packet(0x32, b"\x00\x01a\x00")]), ending="", fails_at=0, suppress=False)
@example(case=(V311, [packet(0x30, text(b"") + b"1")]), ending="", fails_at=0, suppress=False)
@example(case=(V311, [packet(0x30, text(b"t"))]), ending="reset", fails_at=1, suppress=True)
@settings(max_examples=400, deadline=None)
def test_a_stream_is_read_exactly_as_plain_paho_reads_it(
    kind: type[PlantClient],
    case: tuple[MQTTProtocolVersion, list[bytes]],
    ending: str,
    fails_at: int,
    *,
    suppress: bool,
) -> None:
    protocol, pieces = case
    expected = replay(plain_paho(protocol), pieces, ending, fails_at, suppress=suppress)
    assert replay(ours(kind, protocol), pieces, ending, fails_at, suppress=suppress) == expected


def replay_runs(client: Any, pieces: list[bytes], ending: str, fails_at: int) -> list[Any]:
    """As `replay`, where messages may come in runs; a run that fails has told nothing."""
    done: list[Any] = []
    runs = 0

    def on_run(run: PublishRun) -> None:
        nonlocal runs
        runs += 1
        if runs == fails_at:
            raise RuntimeError
        done.extend(zip(run.topics, run.payloads, run.mids, strict=True))
        client.puback(run.mids)

    def on_message(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        done.append((bytes(message._topic), bytes(message.payload), message.mid))
        if message.qos:
            client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.on_disconnect = lambda *given: done.append(("disconnect", str(given[3])))
    if isinstance(client, FastClient):
        client.on_run = on_run
    client._sock = CutStream(pieces, ending)
    client._state = type(client._state).MQTT_CS_CONNECTED
    rc = MQTTErrorCode.MQTT_ERR_SUCCESS
    while rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
        sock = client._sock
        try:
            rc = client.loop_read()
        except RuntimeError:
            continue
        if sock.exhausted and not getattr(client, "has_unparsed", False):
            break
    done.append(("answers", b"".join(packet["packet"] for packet in client._out_packet)))
    done.append(("end", rc, client._sock is None, client._in_packet["command"], bytes(client._in_packet["packet"])))
    return done


@given(case=streams(), ending=st.sampled_from(["", "", "closed", "reset"]), fails_at=st.integers(0, 3))
@example(case=(V5, [PLAIN[:1], PLAIN[1:3], PLAIN[3:] + PLAIN * 2]), ending="", fails_at=1)
@example(case=(V5, [packet(0x32, b"\x00\x01a\x00")]), ending="", fails_at=0)
@example(case=(V311, [packet(0x32, text(b"") + b"\x00\x011")]), ending="", fails_at=0)
@settings(max_examples=400, deadline=None)
def test_runs_hold_what_plain_paho_would_have_told_message_by_message(
    case: tuple[MQTTProtocolVersion, list[bytes]], ending: str, fails_at: int
) -> None:
    protocol, pieces = case
    expected = replay_runs(plain_paho(protocol), pieces, ending, 0)
    assert replay_runs(FastClient("c", protocol), pieces, ending, fails_at) == expected


def test_messages_that_follow_one_another_are_one_run() -> None:
    client: Any = FastClient("c")
    runs: list[PublishRun] = []
    client.on_run = runs.append
    singles: list[bool] = []
    client.on_message = lambda *given: singles.append(given[2].retain)
    again, retained = bytes([PLAIN[0] | 0x08]) + PLAIN[1:], bytes([PLAIN[0] | 0x01]) + PLAIN[1:]
    client._sock = CutStream([PLAIN * 20 + again + retained + PLAIN * 5], "")
    assert client.loop_read(30) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [len(run.mids) for run in runs] == [21, 5]
    assert singles == [True]
    assert (runs[0].topics[0], runs[0].payloads[0], runs[0].mids[0]) == (b"a", b"21.5", 1)


def test_a_plain_publish_takes_the_fast_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the property above would hold for a client that is not fast at all."""
    client = FastClient("c")

    def slow() -> MQTTErrorCode:
        raise AssertionError

    monkeypatch.setattr(client, "_handle_publish", slow)
    done = replay(client, [PLAIN * 700], "", 0)
    assert sum(entry[0] == "message" for entry in done) == 700
    assert done[-2] == ("answers", packet(0x40, b"\x00\x01") * 700)


@pytest.mark.parametrize(
    "set_up",
    [
        lambda client: client.message_callback_add("a", lambda *_: None),
        lambda client: client.manual_ack_set(False),
        lambda client: setattr(client, "on_log", lambda *_: None),
        lambda client: client.enable_logger(),
    ],
    ids=["filtered callback", "automatic acknowledgement", "on_log", "logger"],
)
def test_what_only_paho_knows_how_to_do_is_left_to_paho(set_up: Callable[[Any], None]) -> None:
    expected, found = plain_paho(V5), FastClient("c")
    set_up(expected)
    set_up(found)
    assert replay(found, [PLAIN * 3], "", 0) == replay(expected, [PLAIN * 3], "", 0)


def test_a_callback_that_ends_the_connection_gets_nothing_more() -> None:
    client: Any = FastClient("c")
    heard: list[int] = []

    def on_message(_client: Any, _userdata: object, message: mqtt.MQTTMessage) -> None:
        heard.append(message.mid)
        client._sock_close()

    client.on_message = on_message
    client._sock = CutStream([PLAIN * 3], "")
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN
    assert heard == [1]


def test_at_most_so_many_packets_a_turn() -> None:
    client: Any = FastClient("c")
    heard: list[int] = []
    client.on_message = lambda *given: heard.append(given[2].mid)
    client._sock = CutStream([PLAIN * 10], "")
    assert client.loop_read(4) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert (len(heard), client.has_unparsed) == (4, True)
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert (len(heard), client.has_unparsed) == (10, False)


def test_the_installed_paho_is_known_and_another_falls_back() -> None:
    assert fast_lane_open()
    assert client_type() is FastClient
    assert not fast_lane_open("9.9.9")
    assert client_type("9.9.9") is PlantClient
    assert frozenset({"2.2.0"}) == mqtt_fast_client.KNOWN_PAHO
