"""One MQTT 5 connection on its own thread: connect, reconnect with back-off, keep alive, tell the truth about health.

`mqtt_source` and `mqtt_sink` build on it. All calls into paho come from the one network thread, so that no other
thread can tear a packet or meet a socket that is being replaced; other threads leave work in their own queues and
`wake` it.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Protocol

import structlog
from paho.mqtt.enums import MQTTErrorCode

from edge_agent.adapters.mqtt_client import READ_BYTES, make_client
from edge_agent.adapters.mqtt_fast_client import client_type
from edge_agent.errors import UnreachableError
from edge_agent.ports import LinkHealth

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt import client as mqtt
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.adapters.mqtt_client import PlantClient, Session
    from edge_agent.ports import Clock
    from edge_agent.settings.config import BrokerSettings

LONGEST_SLEEP_S = 1.0
CONNACK_WAIT_S = 10.0
STABLE_S = 10.0  # a connection that lived this long starts the back-off afresh
SILENCE_KEEPALIVES = 1.5  # a broker silent for longer does not answer its ping
STUCK_S = 15.0  # longer than any one call of the network thread may take
FAREWELL_S = 2.0

_log = structlog.get_logger(__name__)


class Backoff:
    """Exponential back-off with full jitter: each wait is uniform between 0 and a doubling, capped ceiling.

    Source: M. Brooker, "Exponential Backoff and Jitter" (2015).

    >>> waits = Backoff(base_s=0.5, cap_s=2.0, jitter=lambda: 1.0)
    >>> [waits.next_s() for _ in range(4)]
    [0.5, 1.0, 2.0, 2.0]
    """

    def __init__(self, base_s: float = 0.5, cap_s: float = 30.0, jitter: Callable[[], float] = random.random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._jitter = jitter
        self._ceiling_s = base_s

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        ceiling_s = min(self._ceiling_s, self._cap_s)
        self._ceiling_s = min(self._ceiling_s * 2, self._cap_s)
        return ceiling_s * self._jitter()

    def reset(self) -> None:
        """Forget earlier failures."""
        self._ceiling_s = self._base_s


class Peer(Protocol):
    """What a source or sink does on the connection; every call comes from the network thread and must be quick."""

    def connected(self, client: PlantClient, *, session_present: bool, receive_maximum: int) -> None:
        """The broker accepted us; it takes at most `receive_maximum` unacknowledged messages."""
        ...

    def lost(self) -> None:
        """The connection, or the attempt to make one, is over; packet identifiers mean nothing any more."""
        ...

    def turn(self, client: PlantClient) -> float:
        """Do what other threads asked for; returns seconds until there is something to do by itself."""
        ...

    def closing(self, client: PlantClient) -> None:
        """Queue the last packets before an orderly goodbye."""
        ...


class MqttConnection:
    """Keeps one client connected until `stop`.

    Args:
        settings: the broker and how to prove who we are.
        session: who we are.
        peer: what is done on the connection.
        clock: time, for the sign of life shown to people.
        backoff: waits between attempts.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """

    def __init__(
        self, settings: BrokerSettings, session: Session, peer: Peer, clock: Clock, backoff: Backoff | None = None
    ) -> None:
        self._settings = settings
        self._session = session
        self._peer = peer
        self._clock = clock
        self._backoff = backoff or Backoff()
        self.client = make_client(settings, session, client_type())
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self._stopping = threading.Event()
        self._wake_in: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._connected = False
        self._problem = "not connected yet"
        self._to_break = threading.Event()
        self._break_reason = ""
        self._last_turn_s = time.monotonic()
        self._last_read_s = 0.0
        self._last_activity_mono_ns: int | None = None
        self.connections = 0
        self.crashes = 0

    @property
    def is_connected(self) -> bool:
        """True between the broker's acceptance and the loss; says nothing about the broker answering now."""
        return self._connected

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._wake_in, wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        wake_out.setblocking(False)
        self._thread = threading.Thread(
            target=self._run, args=(wake_out,), name=f"mqtt-{self._session.client_id}", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Let the network thread look at its peer's queues now; any thread, never blocks."""
        if self._wake_in is not None:
            with contextlib.suppress(OSError):  # full: it is awake already; closed: it has ended
                self._wake_in.send(b"\0")

    def break_connection(self, reason: str) -> None:
        """Drop the connection and make a new one after the back-off, so that the broker redelivers."""
        self._break_reason = reason
        self._to_break.set()
        self.wake()

    def health(self, name: str) -> LinkHealth:
        """Judge by the thread's own turns and by what the broker sent; never blocks."""
        now_s = time.monotonic()
        problem = self._problem
        silence_s = now_s - self._last_read_s
        if self._thread is None or not self._thread.is_alive():
            problem = "its network thread does not run"
        elif now_s - self._last_turn_s > STUCK_S:
            problem = f"its network thread has not moved for {now_s - self._last_turn_s:.0f} s"
        elif not self._connected:
            problem = problem or "not connected"
        elif silence_s > self._settings.keepalive_s * SILENCE_KEEPALIVES + LONGEST_SLEEP_S:
            problem = f"the broker has not answered for {silence_s:.0f} s"
        else:
            problem = ""
        return LinkHealth(name, not problem, self._last_activity_mono_ns, problem)

    def stop(self) -> None:
        """Say goodbye (no last will) and end the thread; blocks for at most a few seconds."""
        self._stopping.set()
        self.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(FAREWELL_S + CONNACK_WAIT_S)
        if self._wake_in is not None:
            self._wake_in.close()

    def _on_connect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        given: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._problem = f"the broker refused us: {reason}"
            return
        self._connected = True
        self._problem = ""
        self.connections += 1
        receive_maximum = int(getattr(given, "ReceiveMaximum", 65_535))
        _log.info("broker connected", client_id=self._session.client_id, session_present=flags.session_present)
        self._peer.connected(self.client, session_present=flags.session_present, receive_maximum=receive_maximum)

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _given: Properties | None,
    ) -> None:
        if self._stopping.is_set():
            return
        if flags.is_disconnect_packet_from_server:
            self._problem = f"the broker closed the connection: {reason}"
            if reason.getName() == "Session taken over":
                self._problem += f"; another client uses the client id {self._session.client_id!r}"
        elif not self._problem:
            self._problem = f"the connection was lost: {reason}"

    # ---- network thread -----------------------------------------------------------------------------------------

    def _run(self, wake_out: socket.socket) -> None:
        with wake_out:
            self._keep_connected(wake_out)

    def _keep_connected(self, wake_out: socket.socket) -> None:
        while not self._stopping.is_set():
            began_s = time.monotonic()
            self._last_turn_s = began_s
            connections = self.connections
            try:
                try:
                    self._serve_one_connection(wake_out)
                finally:
                    self._connected = False
                    self._close_socket()
                    self._peer.lost()
            except (OSError, UnreachableError) as error:
                self._problem = f"cannot reach {self._settings.host}:{self._settings.port}: {error}"
            except Exception as error:  # noqa: BLE001 - supervised boundary: the thread must outlive any message
                self.crashes += 1
                self._problem = f"network thread failed and starts again: {type(error).__name__}: {error}"
                _log.exception("mqtt thread failed", client_id=self._session.client_id)
            if self._stopping.is_set():
                break
            if self.connections > connections and time.monotonic() - began_s >= STABLE_S:
                self._backoff.reset()
            wait_s = self._backoff.next_s()
            _log.warning("broker away", client_id=self._session.client_id, problem=self._problem, retry_in_s=wait_s)
            self._sleep(wait_s)

    def _sleep(self, wait_s: float) -> None:
        until_s = time.monotonic() + wait_s
        while not self._stopping.is_set() and (left_s := until_s - time.monotonic()) > 0:
            self._last_turn_s = time.monotonic()
            self._stopping.wait(min(left_s, LONGEST_SLEEP_S))

    def _serve_one_connection(self, wake_out: socket.socket) -> None:
        client = self.client
        self._to_break.clear()
        client.reconnect()
        opened_s = time.monotonic()
        sock = client.socket()
        if sock is None:
            raise UnreachableError("the connection closed at once")
        poller = select.poll()
        poller.register(wake_out, select.POLLIN)
        poller.register(sock, select.POLLIN)
        while not self._stopping.is_set():
            if self._to_break.is_set():
                self._problem = self._break_reason
                return
            if not self._turn(sock, poller, wake_out):
                return
            if not self._connected and time.monotonic() - opened_s > CONNACK_WAIT_S:
                raise UnreachableError(f"no answer to CONNECT within {CONNACK_WAIT_S:.0f} s")
        self._say_goodbye()

    def _turn(self, sock: mqtt.SocketLike, poller: select.poll, wake_out: socket.socket) -> bool:
        """One round of work; False when the connection is over."""
        client = self.client
        self._last_turn_s = time.monotonic()
        sleep_s = min(self._peer.turn(client), LONGEST_SLEEP_S) if self._connected else LONGEST_SLEEP_S
        if client.want_write() and client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        if client.socket() is not sock:
            return False
        if client.has_unparsed or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            sleep_s = 0.0
        poller.modify(sock, select.POLLIN | select.POLLOUT if client.want_write() else select.POLLIN)
        ready = dict(poller.poll(max(sleep_s, 0.0) * 1000))
        if ready.pop(wake_out.fileno(), 0):
            with contextlib.suppress(BlockingIOError):
                wake_out.recv(READ_BYTES)
        if ready or not sleep_s:
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or client.socket() is not sock:
                return False
            if any(event & ~select.POLLOUT for event in ready.values()):
                self._last_read_s = time.monotonic()
                self._last_activity_mono_ns = self._clock.now().mono_ns
        return client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS and client.socket() is sock

    def _say_goodbye(self) -> None:
        client = self.client
        if not self._connected:
            return
        sock = client.socket()
        if sock is None:
            return
        # paho closes its socket once DISCONNECT is written, and a close with unread messages in it resets the
        # connection: acknowledgements that the broker has not read yet would be lost. So we keep it open beside paho.
        with socket.socket(fileno=os.dup(sock.fileno())) as held:
            self._write_farewell()
            _await_end(held, time.monotonic() + FAREWELL_S)

    def _write_farewell(self) -> None:
        client = self.client
        self._peer.closing(client)
        client.disconnect()
        until_s = time.monotonic() + FAREWELL_S
        while client.want_write() and time.monotonic() < until_s:
            sock = client.socket()
            if sock is None or client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.want_write():
                select.select([], [sock], [], LONGEST_SLEEP_S)

    def _close_socket(self) -> None:
        sock = self.client.socket()
        if sock is not None:
            sock.close()


def _await_end(held: socket.socket, until_s: float) -> None:
    """Read until the broker closes, as it does once it has read our DISCONNECT, or until the time is up."""
    held.setblocking(False)
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            if select.select([held], [], [], left_s)[0] and not held.recv(READ_BYTES):
                return
        except BlockingIOError:
            continue
        except OSError:
            return  # reset by the broker: it is closed as well
