"""paho's MQTT 5 client, set up for a plant: who we are, TLS, last will, large reads, joined acknowledgements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterable

    from edge_agent.settings.config import BrokerSettings

READ_BYTES = 65_536
PACKETS_A_TURN = 500  # then acknowledgements and keepalive get their turn
PUBACK_HEAD = b"\x40\x02"  # MQTT 5 section 3.4: with remaining length 2 the reason code is 0, success
HANDSHAKE_S = 10.0
OTHERS_MAY_READ = 0o007


class Will(msgspec.Struct, frozen=True):
    """What the broker publishes, retained at QoS 1, when this client dies without saying goodbye."""

    topic: str
    payload: bytes


class Session(msgspec.Struct, frozen=True):
    """How the broker treats this client.

    Attributes:
        client_id: identity of the session; no two clients may share one.
        keep: True to resume the session of an earlier connection, False to start clean each time.
        will: last will, None for none.
    """

    client_id: str
    keep: bool
    will: Will | None = None


class PlantClient(mqtt.Client):
    """paho's client, reading in large pieces and writing the acknowledgements of one commit together.

    paho keeps its connect, keepalive and packet parsing. This class overrides `reconnect`, `loop_read`, `_sock_recv`
    and `_ssl_wrap_socket` of paho-mqtt 2.x and calls its `_packet_read`, `_packet_queue` and `_loop_rc_handle`; the
    contract tests run against the installed version.
    """

    def __init__(self, client_id: str, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._received = b""
        self._position = 0
        self.max_inflight_messages_set(0)  # a sink keeps its own window; paho shall hold nothing back
        # With this callback set paho only queues packets; the network thread writes them, many at once.
        self.on_socket_register_write = _leave_to_the_loop

    def reconnect(self) -> MQTTErrorCode:
        """Connect afresh; bytes of the old connection are forgotten."""
        self._received, self._position = b"", 0
        return super().reconnect()

    @property
    def has_unparsed(self) -> bool:
        """True when bytes have been received that `loop_read` has not handled: do not wait for the socket then."""
        return self._position < len(self._received)

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho does it, but a failed handshake leaves no open socket, and a silent peer is given up in time."""
        if self._ssl_context is None:
            raise ValueError("TLS is not set up")
        protected = self._ssl_context.wrap_socket(tcp_sock, server_hostname=self.host, do_handshake_on_connect=False)
        try:
            protected.settimeout(HANDSHAKE_S)
            protected.do_handshake()
        except BaseException:
            protected.close()
            raise
        return protected

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.has_unparsed:
            self._received, self._position = super()._sock_recv(max(bufsize, READ_BYTES)), 0
        piece = self._received[self._position : self._position + bufsize]
        self._position += len(piece)
        return piece

    def loop_read(self, max_packets: int = PACKETS_A_TURN) -> MQTTErrorCode:
        """Handle the packets that are there, at most `max_packets`."""
        for _ in range(max_packets):
            if self.socket() is None:
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            rc = self._packet_read()
            if rc == MQTTErrorCode.MQTT_ERR_AGAIN:
                break
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return self._loop_rc_handle(rc)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def puback(self, mids: Iterable[int]) -> None:
        """Acknowledge QoS 1 messages, in the order given, as one piece."""
        packets = b"".join([PUBACK_HEAD + mid.to_bytes(2, "big") for mid in mids])
        if packets:
            self._packet_queue(mqtt.PUBACK, packets, 0, 1)


def make_client(
    settings: BrokerSettings, session: Session, client_type: type[PlantClient] = PlantClient
) -> PlantClient:
    """A client that knows its broker and has not connected yet.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """
    client = client_type(session.client_id)
    if settings.username is not None:
        client.username_pw_set(settings.username, read_password(settings))
    if settings.tls is not None:
        try:
            client.tls_set(settings.tls.ca_file, settings.tls.cert_file, settings.tls.key_file)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the TLS files cannot be used: {error}",
                field="broker.tls",
                hint="check that ca_file, cert_file and key_file are readable PEM files that belong together",
            ) from error
    if session.will is not None:
        client.will_set(session.will.topic, session.will.payload, qos=1, retain=True)
    connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves this one untyped
    connect.ReceiveMaximum = settings.receive_maximum
    connect.SessionExpiryInterval = settings.session_expiry_s if session.keep else 0
    client.connect_async(
        settings.host, settings.port, settings.keepalive_s, clean_start=not session.keep, properties=connect
    )
    return client


def read_password(settings: BrokerSettings) -> str | None:
    """The password, from its setting or its file (a trailing line feed is not part of it).

    Raises:
        ConfigError: the file is missing, empty, or readable by everybody.
    """
    if settings.password is not None:
        return settings.password.get_secret_value()
    if settings.password_file is None:
        return None
    path = Path(settings.password_file)
    field = "broker.password_file"
    try:
        mode = path.stat().st_mode
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the password file cannot be read: {error}", field=field, value=str(path), hint="make it readable to us"
        ) from error
    if mode & OTHERS_MAY_READ:
        raise ConfigError(
            "the password file is open to every user", field=field, value=str(path), hint=f"chmod 640 {path}"
        )
    if not password:
        raise ConfigError("the password file is empty", field=field, value=str(path), hint="write the password into it")
    return password


def _leave_to_the_loop(_client: mqtt.Client, _userdata: object, _sock: object) -> None:
    """Packets stay queued until the network thread writes them."""
