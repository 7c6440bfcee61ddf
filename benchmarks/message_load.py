"""A steady stream of QoS 1 sensor messages at a set rate, made beforehand, so that sending them costs next to nothing.

    python -m benchmarks.message_load PORT RATE SECONDS

prints `ready` when all messages are made, begins at a line on standard input, and ends with what it sent and how late.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from datetime import UTC, datetime, timedelta

from benchmarks.waiting_messages import HOST

TOPICS = 20
TOPIC = "plant/press-1/ram/temp-{number}"
_BURST_S = 0.01
_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04load"


def packet(topic: str, payload: bytes) -> bytes:
    """A PUBLISH of QoS 1 with packet id 1, MQTT 3.1.1.

    >>> packet("a", b"b").hex()
    '3206000161000162'
    >>> packet("a", bytes(200))[:4].hex()
    '32cd0100'
    """
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + b"\x00\x01" + payload
    length, head = len(body), bytearray(b"\x32")
    while True:
        head.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(head) + body


def bursts(rate: int, seconds: float) -> list[bytes]:
    """All messages, a hundredth of a second at a time, stamped with the time they are about to be sent."""
    per_burst = round(rate * _BURST_S)
    start = datetime.now(UTC)
    step = timedelta(seconds=1 / rate)
    made = []
    for first in range(0, round(rate * seconds), per_burst):
        some = []
        for number in range(first, first + per_burst):
            stamp = (start + number * step).isoformat(timespec="microseconds")
            payload = f'{{"ts":"{stamp}","value":{20 + number % 1_000 / 10}}}'.encode()
            some.append(packet(TOPIC.format(number=number % TOPICS), payload))
        made.append(b"".join(some))
    return made


def send(port: int, rate: int, seconds: float) -> dict[str, float]:
    """Send at the rate; what the broker cannot take is sent as soon as it can."""
    made = bursts(rate, seconds)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    latest_s = 0.0
    with socket.create_connection((HOST, port)) as link:
        link.sendall(_CONNECT)
        link.recv(4)
        began_s = time.monotonic()
        for number, burst in enumerate(made):
            due_s = began_s + number * _BURST_S
            now_s = time.monotonic()
            latest_s = max(latest_s, now_s - due_s)
            if now_s < due_s:
                time.sleep(due_s - now_s)
            link.sendall(burst)
            link.setblocking(False)
            try:
                while link.recv(65_536):  # acknowledgements, which nobody waits for
                    pass
            except BlockingIOError:
                pass
            link.setblocking(True)
        took_s = time.monotonic() - began_s
        link.sendall(b"\xe0\x00")
    sent = len(made) * round(rate * _BURST_S)
    return {"sent": sent, "per_second": sent / took_s, "latest_s": latest_s}


if __name__ == "__main__":
    print(json.dumps(send(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
