"""A camera for tests: RTSP 1.0 over TCP with interleaved RTP (RFC 2326, RFC 2435), whose stream can be made to fail."""

from __future__ import annotations

import base64
import contextlib
import random
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

from tests.edge_agent.cameras.numbered_pictures import HEIGHT, WIDTH, jpeg, number_at, rtp_payloads

if TYPE_CHECKING:
    from types import TracebackType

_CLOCK_HZ = 90_000


class RtspCamera:
    """Serves numbered pictures to anyone; attributes may be changed while it runs.

    Attributes:
        silent: no frames are sent, the connection stays.
        repeating: the time stamp stands still, frames go on.
        cut_mid_frame: the next frame is sent by half, then the connection is cut.
        rate_hz: frames a second; a camera set slower than configured trickles.
        down: connections are refused.
        account: user and password that are wanted, None for none.
    """

    def __init__(self, rate_hz: float = 20.0, account: tuple[str, str] | None = None) -> None:
        self.rate_hz = rate_hz
        self.numbered_hz = rate_hz
        self.account = account
        self.silent = False
        self.repeating = False
        self.cut_mid_frame = False
        self.connections = 0
        self.asked: list[str] = []
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self.come_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.go_down()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/line"

    def come_up(self) -> None:
        """Listen, on the port that was taken first."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def go_down(self) -> None:
        """Refuse connections and cut those that are there."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for connection in list(self._open):
            _cut(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                while True:
                    request = _request(lines.readline, lines.read)
                    if request is None:
                        return
                    self._answer(connection, *request)
        except OSError:
            return
        finally:
            self._open.discard(connection)

    def _answer(self, connection: socket.socket, line: str, headers: dict[str, str]) -> None:
        method = line.split(" ", 1)[0]
        self.asked.append(method)
        given = headers.get("authorization", "")
        if self.account is not None and method != "OPTIONS":
            wanted = "Basic " + base64.b64encode(":".join(self.account).encode()).decode()
            if given != wanted:
                _send(connection, 401, headers, {"WWW-Authenticate": 'Basic realm="camera"'})
                return
        if method == "DESCRIBE":
            sdp = "\r\n".join(
                ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=line", "t=0 0", "a=control:*", "m=video 0 RTP/AVP 26",
                 "c=IN IP4 0.0.0.0", "a=control:track0", f"a=framerate:{self.rate_hz:g}", ""]
            )  # fmt: skip
            _send(
                connection, 200, headers, {"Content-Type": "application/sdp", "Content-Base": f"{self.address}/"}, sdp
            )
        elif method == "SETUP":
            transport = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": "1"}
            _send(connection, 200, headers, transport)
        elif method == "PLAY":
            _send(connection, 200, headers, {"Session": "1"})
            threading.Thread(target=self._stream, args=(connection,), daemon=True).start()
        else:
            _send(connection, 200, headers, {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN", "Session": "1"})

    def _stream(self, connection: socket.socket) -> None:
        chance = random.Random()
        sequence, clock = chance.randrange(1 << 16), chance.randrange(1 << 31)
        stamp = clock
        began_ns = time.monotonic_ns()
        while not self._stopping.wait(1 / self.rate_hz):
            now_ns = time.monotonic_ns()
            if not self.repeating:
                stamp = (clock + (now_ns - began_ns) * _CLOCK_HZ // 1_000_000_000) & 0xFFFFFFFF
            if self.silent:
                continue
            payloads = rtp_payloads(jpeg(number_at(now_ns, self.numbered_hz)))
            packets = b""
            for place, payload in enumerate(payloads):
                sequence = (sequence + 1) & 0xFFFF
                marker = 0x80 if place == len(payloads) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, 26 | marker, sequence, stamp, 7) + payload
                packets += struct.pack(">cBH", b"$", 0, len(packet)) + packet
            try:
                if self.cut_mid_frame:
                    self.cut_mid_frame = False
                    connection.sendall(packets[: len(packets) // 2])
                    _cut(connection)
                    return
                connection.sendall(packets)
            except OSError:
                return


def _request(readline: object, read: object) -> tuple[str, dict[str, str]] | None:
    assert callable(readline)
    assert callable(read)
    while True:
        line = readline()
        if not line:
            return None
        if line[:1] == b"$":  # interleaved RTCP of the client; its length may hold a line feed
            head = line[1:4] if len(line) >= 4 else line[1:] + read(4 - len(line))
            length = int.from_bytes(head[1:3], "big")
            rest = line[4:]
            if len(rest) < length:
                read(length - len(rest))
            continue
        if line.strip():
            break
    headers: dict[str, str] = {}
    while (field := readline().strip()) != b"":
        name, _, value = field.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return line.decode("latin-1").strip(), headers


def _send(
    connection: socket.socket, status: int, asked: dict[str, str], fields: dict[str, str], body: str = ""
) -> None:
    words = {200: "OK", 401: "Unauthorized"}[status]
    lines = [f"RTSP/1.0 {status} {words}", f"CSeq: {asked.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


assert WIDTH % 8 == HEIGHT % 8 == 0
