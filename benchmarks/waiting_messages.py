"""A Mosquitto with messages waiting in durable sessions, and the C client that reads them: the ground of `ingest`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.results import CANNOT_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
FILTER = "plant/press-1/#"
TOPICS = 20
UNDER_WAY = 2_000
"""Messages under way to a client: the agent's default Receive Maximum, and what the shipped Mosquitto allows."""
PUBLISHED_AT_ONCE = 500

CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages {under_way}
persistence false
log_type error
"""


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A Mosquitto of our own; yields its port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("mosquitto_sub") is None:
        sys.stderr.write("this benchmark needs Mosquitto: apt-get install mosquitto mosquitto-clients\n")
        sys.exit(CANNOT_RUN)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    text = CONFIGURATION.format(port=port, under_way=UNDER_WAY) + ("user root\n" if os.geteuid() == 0 else "")
    (folder / "mosquitto.conf").write_text(text)
    with (folder / "mosquitto.log").open("w") as log:
        running = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=log)
    try:
        until_s = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            if time.monotonic() > until_s:
                sys.exit(f"mosquitto does not listen: {(folder / 'mosquitto.log').read_text()}")
            time.sleep(0.01)
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


def payloads(count: int) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of every message; no two readings of one channel have the same time."""
    start = datetime.now(UTC) - timedelta(hours=1)
    for number in range(count):
        stamp = (start + timedelta(microseconds=100 * number)).isoformat(timespec="microseconds")
        value = 20 + number % 1_000 / 10
        yield f"plant/press-1/ram/temp-{number % TOPICS}", json.dumps({"ts": stamp, "value": value}).encode()


def publish(port: int, count: int) -> None:
    """Publish at QoS 1 and wait until the broker has everything."""
    with socket.create_connection((HOST, port)) as link:
        link.settimeout(60)
        link.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05bench")
        _read(link, 4)
        packets = [_publish_packet(topic, payload) for topic, payload in payloads(count)]
        for first in range(0, count, PUBLISHED_AT_ONCE):
            some = packets[first : first + PUBLISHED_AT_ONCE]
            link.sendall(b"".join(some))
            _read(link, 4 * len(some))  # a PUBACK has four bytes
        link.sendall(b"\xe0\x00")


def _publish_packet(topic: str, payload: bytes) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + b"\x00\x01" + payload
    length = len(body)
    head = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
    return b"\x32" + head + body


def _read(link: socket.socket, count: int) -> None:
    while count:
        piece = link.recv(count)
        if not piece:
            sys.exit("the broker closed the publisher's connection")
        count -= len(piece)


def c_client(port: int, client_id: str, *more: str) -> list[str]:
    """Command line of `mosquitto_sub` with a durable session and our window."""
    window = ("-V", "mqttv5", "-D", "connect", "receive-maximum", str(UNDER_WAY), "-x", "3600")
    return [
        "mosquitto_sub", "-h", HOST, "-p", str(port), "-q", "1", "-c", "-i", client_id, "-t", FILTER, *window, *more
    ]  # fmt: skip
