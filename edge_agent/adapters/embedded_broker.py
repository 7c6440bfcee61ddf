"""An MQTT 5 broker for the demo and for tests: rumqttd, as the `iotcore` wheel carries it, in a child process.

Not for production: it keeps sessions while it runs and forgets them when it ends, ignores a client's Receive Maximum
(it has at most 100 messages unacknowledged, and answers no ping while it has), and redelivers without the DUP flag. It
listens on this machine only.

    python -m edge_agent.adapters.embedded_broker --port 1883 --data-dir /tmp/broker

prints one JSON line when it is ready and ends on SIGTERM, SIGINT or the end of its standard input.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from edge_agent.errors import ConfigError, UnreachableError

if TYPE_CHECKING:
    from types import FrameType

LOOPBACK = "127.0.0.1"
MAX_PAYLOAD_BYTES = 1_048_576
PORT_ATTEMPTS = 5  # between finding a free port and using it another process may take it

# max_outgoing_packet_count bounds what one connection may lag behind before the router waits for it; a segment is what
# the log of a topic keeps in memory: 10 of 10 MiB, so that a demo fits a small machine.
CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {max_payload_bytes}
max_inflight_count = 100
dynamic_filters = true
"""


class EmbeddedBroker:
    """A running broker; make it with `start`, end it with `stop`. It also ends when this process does."""

    def __init__(self, process: Any, host: str, port: int) -> None:  # noqa: ANN401 - iotcore's Broker carries no types
        self._process = process
        self.host = host
        self.port = port

    @classmethod
    def start(cls, port: int = 0, host: str = LOOPBACK, *, data_dir: Path) -> EmbeddedBroker:
        """Start a broker and wait until it accepts connections.

        Args:
            port: 0 picks a free one.
            host: an address of this machine's loopback.
            data_dir: folder for its configuration file; made when absent.

        Raises:
            ConfigError: iotcore is not installed, or `host` is not loopback.
            UnreachableError: the port is taken, or the broker does not come up.
        """
        if not host.startswith("127."):
            raise ConfigError(
                "the embedded broker has no access control and stays on this machine",
                field="host",
                value=host,
                hint=f"use {LOOPBACK}, or a real broker with deploy/mosquitto",
            )
        try:
            from iotcore import Broker  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise ConfigError(
                "the embedded broker is not installed", field="iotcore", hint='pip install "lineproof[demo]"'
            ) from error
        data_dir.mkdir(parents=True, exist_ok=True)
        problem: Exception | None = None
        for _ in range(1 if port else PORT_ATTEMPTS):
            chosen = port or _free_port(host)
            path = data_dir / f"rumqttd-{chosen}.toml"
            path.write_text(CONFIG.format(host=host, port=chosen, max_payload_bytes=MAX_PAYLOAD_BYTES))
            try:
                return cls(Broker(config_path=str(path)).start(), host, chosen)
            except (OSError, RuntimeError) as error:
                problem = error
        raise UnreachableError(
            f"the embedded broker does not start: {problem}",
            field="port",
            value=port,
            hint="choose another port, or 0 for a free one",
        )

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return bool(self._process.is_running)

    @property
    def pid(self) -> int | None:
        """Process id of the broker itself, None once stopped."""
        process = self._process._process  # noqa: SLF001 - iotcore offers no other way to its child
        return None if process is None else int(process.pid)

    def stop(self) -> None:
        """End the broker and free its port; safe to call twice."""
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run a broker until told to stop; the exit status is 3 when it cannot start."""
    parser = argparse.ArgumentParser(description="An MQTT 5 broker on this machine only, for demonstrations and tests.")
    parser.add_argument("--port", type=int, default=0, help="port; 0 picks a free one")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder for its configuration file")
    options = parser.parse_args()
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        broker = EmbeddedBroker.start(options.port, data_dir=options.data_dir)
    except (ConfigError, UnreachableError) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    with broker:
        sys.stdout.write(json.dumps({"host": broker.host, "port": broker.port, "pid": broker.pid}) + "\n")
        sys.stdout.flush()
        threading.Thread(target=_wait_for_end_of_input, args=(ended,), daemon=True).start()
        while broker.is_running and not ended.wait(1.0):
            pass
    return 0


def _wait_for_end_of_input(ended: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
