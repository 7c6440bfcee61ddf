"""How fast are QoS 1 messages made durable, beside a C client that stores nothing and a plain paho loop that stores?

    python -m benchmarks.ingest [--messages N] [--runs N] [--json]

Every contestant finds the same messages (JSON, one stamped reading each) queued in a session of its own at one
Mosquitto, connects, and is done when the last one is acknowledged:

- agent: our source, pipeline and store with their default settings: decode, SQLite commit with synchronous=FULL, then
  acknowledge. What it stored and what the broker still holds is checked after every run.
- plain: paho's own client and loop with `manual_ack`, the same codec, the same store, the same groups.
- c: `mosquitto_sub -q 1`, libmosquitto in C, which acknowledges at once and stores nothing.
- nodered: Node-RED writing CSV lines, acknowledging at once; only where `--node-red` names its `red.js`.

Repetitions are interleaved, and ratios are taken within one repetition. CPU is that of the contestant's process alone,
by getrusage, without its start (for `c` and `nodered` with it). Exit 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_agent.ports import LinkHealth, OutboxMessage

HOST = "127.0.0.1"
FILTER = "plant/press-1/#"
TOPICS = 20
UNDER_WAY = 2_000
"""Messages under way to a client: the agent's default Receive Maximum, and what the shipped Mosquitto allows."""
PUBLISHED_AT_ONCE = 500
LEAST_OF_C = 0.9
LEAST_OF_PLAIN = 1.8
MOST_CPU_OF_PLAIN = 0.3
LIMIT_S = 300.0
NOTHING_LEFT = 27
"""How `mosquitto_sub -W` says that it waited in vain."""

CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages {under_way}
persistence false
log_type error
"""


@dataclass(frozen=True)
class Drain:
    """One contestant's run."""

    messages: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.messages / self.wall_s

    @property
    def cpu_us(self) -> float:
        """CPU time a message, microseconds."""
        return self.cpu_s / self.messages * 1e6


# ---- the broker and what waits in it ----------------------------------------------------------------------------


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A Mosquitto of our own; yields its port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("mosquitto_sub") is None:
        sys.exit("this benchmark needs Mosquitto: apt-get install mosquitto mosquitto-clients")
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


# ---- contestants in processes of their own ------------------------------------------------------------------------


def used_cpu_s() -> float:
    """CPU time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class NoSink:
    """Readings alone cause no message; a sink that takes none."""

    name = "none"

    def start(self, settled: Callable[[str], None]) -> None:
        """Nothing to settle."""

    def send(self, message: OutboxMessage) -> None:
        """Never called."""
        raise AssertionError(message)

    def health(self) -> LinkHealth:
        """Always well."""
        from edge_agent.ports import LinkHealth  # noqa: PLC0415 - only the contestants load the agent

        return LinkHealth(self.name, True, None, "")

    def stop(self) -> None:
        """Nothing to end."""


def drain_as_agent(port: int, client_id: str, count: int, folder: Path) -> Drain:
    """The agent's own source, pipeline and store."""
    from edge_agent.adapters.mqtt_source import MqttSource  # noqa: PLC0415 - a fresh process loads its own
    from edge_agent.adapters.sqlite_store import SqliteStore  # noqa: PLC0415
    from edge_agent.adapters.system_clock import SystemClock  # noqa: PLC0415
    from edge_agent.config import BrokerSettings, StoreSettings  # noqa: PLC0415
    from edge_agent.metrics import Metrics  # noqa: PLC0415
    from edge_agent.mqtt_sources import message_codec  # noqa: PLC0415
    from edge_agent.pipeline import Line, Pace, Pipeline  # noqa: PLC0415

    clock, settings, store_settings = SystemClock(), topics(), StoreSettings()
    store = SqliteStore.open(folder / "agent.sqlite", staging_s=store_settings.staging_s)
    codec = message_codec(settings)
    link = BrokerSettings(port=port)
    source = MqttSource(link, client_id, codec.filters, codec, clock, settings.max_payload_bytes)
    pace = Pace(store_settings.commit_messages, store_settings.commit_ms / 1e3, store_settings.queue_messages)
    line = Line(
        store=store, clock=clock, metrics=Metrics(), sink=NoSink(), sources=[source], workers={}, monitors={},
        stops={}, policies={}, observers=[], names=("press-1",), prefix="lineproof", pace=pace,
    )  # fmt: skip
    pipeline = Pipeline(line)
    pipeline.start()
    began_s, cpu_s = _go()
    pipeline.open()
    while source.counts.acknowledged < count and time.monotonic() - began_s < LIMIT_S:
        time.sleep(0.001)
    drained = Drain(count, time.monotonic() - began_s, used_cpu_s() - cpu_s)
    pipeline.stop()
    stored = store.totals().readings
    store.close()
    if stored != count or source.counts.acknowledged != count:
        sys.exit(f"stored {stored} and acknowledged {source.counts.acknowledged} of {count}")
    return drained


def drain_as_plain(port: int, client_id: str, count: int, folder: Path) -> Drain:
    """Paho as its documentation shows it, with acknowledgement by hand after the commit of a group."""
    from paho.mqtt import client as mqtt  # noqa: PLC0415 - a fresh process loads its own
    from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415
    from paho.mqtt.properties import Properties  # noqa: PLC0415

    from edge_agent.adapters.sqlite_store import SqliteStore  # noqa: PLC0415
    from edge_agent.adapters.system_clock import SystemClock  # noqa: PLC0415
    from edge_agent.config import StoreSettings  # noqa: PLC0415
    from edge_agent.mqtt_sources import message_codec  # noqa: PLC0415
    from edge_agent.ports import Batch  # noqa: PLC0415

    clock, codec, settings = SystemClock(), message_codec(topics()), StoreSettings()
    store = SqliteStore.open(folder / "plain.sqlite", staging_s=settings.staging_s)
    waiting: list[tuple[int, Any]] = []

    def on_message(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        decoded = codec.decode(message.topic, bytes(message.payload), clock.now(), retained=message.retain)
        waiting.append((message.mid, decoded))

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, manual_ack=True)  # type: ignore[attr-defined] # paho re-exports its enums without saying so
    client.on_message = on_message
    connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves this one untyped
    connect.ReceiveMaximum, connect.SessionExpiryInterval = UNDER_WAY, 3_600
    began_s, cpu_s = _go()
    client.connect(HOST, port, clean_start=False, properties=connect)
    done, since_s = 0, began_s
    while done < count and time.monotonic() - began_s < LIMIT_S:
        client.loop(settings.commit_ms / 1e3)
        if not waiting:
            since_s = time.monotonic()
        elif len(waiting) >= settings.commit_messages or time.monotonic() - since_s >= settings.commit_ms / 1e3:
            store.commit(Batch(at=clock.now(), readings=[each for _, decoded in waiting for each in decoded.readings]))
            for mid, _ in waiting:
                client.ack(mid, 1)
            done += len(waiting)
            waiting.clear()
            since_s = time.monotonic()
    drained = Drain(count, time.monotonic() - began_s, used_cpu_s() - cpu_s)
    client.disconnect()
    stored = store.totals().readings
    store.close()
    if stored != count:
        sys.exit(f"plain stored {stored} of {count}")
    return drained


def topics() -> Any:
    """The same topics for both that decode."""
    from edge_agent.mqtt_settings import ChannelTopic, MqttSourceSettings  # noqa: PLC0415

    names = [f"temp-{number}" for number in range(TOPICS)]
    return MqttSourceSettings(
        readings=tuple(
            ChannelTopic(filter=f"plant/press-1/ram/{name}", line="press-1", asset="ram", channel=name, unit="Cel")
            for name in names
        )
    )


def _go() -> tuple[float, float]:
    """Say that all is loaded, wait for the start; returns wall and CPU time then."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return time.monotonic(), used_cpu_s()


OURS = {"agent": drain_as_agent, "plain": drain_as_plain}


# ---- the contest --------------------------------------------------------------------------------------------------


def run_ours(name: str, port: int, client_id: str, count: int) -> Drain:
    """Run one of our contestants in a fresh process."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest", "--as", name, str(port), client_id, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if child.stdout is None or child.stdout.readline() != "ready\n":
        sys.exit(f"{name} did not start")
    out, _ = child.communicate("go\n", timeout=LIMIT_S)
    if child.returncode:
        sys.exit(f"{name} failed with {child.returncode}: run it by hand with --as")
    return Drain(**json.loads(out.splitlines()[-1]))


def run_c(port: int, client_id: str, count: int) -> Drain:
    """Run `mosquitto_sub` until it has received all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.monotonic()
    done = subprocess.run(
        c_client(port, client_id, "-C", str(count), "-N"), stdout=subprocess.DEVNULL, timeout=LIMIT_S, check=False
    )
    wall_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"mosquitto_sub ended with {done.returncode}")
    return Drain(count, wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run_node_red(red: str, port: int, client_id: str, count: int) -> Drain:
    """Run Node-RED with the flow of its own tutorial: broker in, function that makes a CSV line, file out."""
    with tempfile.TemporaryDirectory(prefix="lineproof-red-") as name:
        folder = Path(name)
        (folder / "flows.json").write_text(json.dumps(node_red_flow(port, client_id, folder / "out.csv")))
        (folder / "settings.js").write_text("module.exports = {uiPort: 0, uiHost: '127.0.0.1', httpAdminRoot: false};")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with (folder / "log").open("w") as log:
            child = subprocess.Popen(
                ["node", red, "--userDir", name, "--settings", str(folder / "settings.js"), "flows.json"],
                stdout=log,
                stderr=log,
            )
        out = folder / "out.csv"
        began_s, lines, until_s = 0.0, 0, time.monotonic() + LIMIT_S
        while lines < count and time.monotonic() < until_s and child.poll() is None:
            time.sleep(0.01)
            if out.exists():
                began_s = began_s or time.monotonic()
                lines = out.read_bytes().count(b"\n")
        wall_s = time.monotonic() - began_s
        child.terminate()
        child.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if lines < count:
            sys.exit(f"Node-RED wrote {lines} of {count} lines; its log:\n{(folder / 'log').read_text()[-2000:]}")
    return Drain(count, wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def node_red_flow(port: int, client_id: str, out: Path) -> list[dict[str, Any]]:
    """Nodes of the flow."""
    line = "const v = msg.payload; msg.payload = msg.topic + ',' + v.ts + ',' + v.value; return msg;"
    return [
        {"id": "tab", "type": "tab", "label": "ingest"},
        {
            "id": "broker", "type": "mqtt-broker", "broker": HOST, "port": str(port), "clientid": client_id,
            "autoConnect": True, "usetls": False, "protocolVersion": "5", "keepalive": "60", "cleansession": False,
            "sessionExpiry": "3600", "userProps": "", "autoUnsubscribe": False,
        },
        {
            "id": "in", "type": "mqtt in", "z": "tab", "topic": FILTER, "qos": "1", "datatype": "json",
            "broker": "broker", "nl": False, "rap": True, "rh": 0, "inputs": 0, "x": 1, "y": 1, "wires": [["csv"]],
        },
        {
            "id": "csv", "type": "function", "z": "tab", "func": line, "outputs": 1, "libs": [], "x": 2, "y": 1,
            "wires": [["file"]],
        },
        {
            "id": "file", "type": "file", "z": "tab", "filename": str(out), "filenameType": "str",
            "appendNewline": True, "createDir": False, "overwriteFile": "false", "encoding": "none", "x": 3, "y": 1,
            "wires": [[]],
        },
    ]  # fmt: skip


def contest(port: int, count: int, runs: int, red: str | None) -> dict[str, list[Drain]]:
    """Every contestant `runs` times, in an order that changes with each repetition."""
    runners: dict[str, Callable[[str], Drain]] = {
        "c": lambda client_id: run_c(port, client_id, count),
        "agent": lambda client_id: run_ours("agent", port, client_id, count),
        "plain": lambda client_id: run_ours("plain", port, client_id, count),
    }
    if red is not None:
        runners["nodered"] = lambda client_id: run_node_red(red, port, client_id, count)
    drains: dict[str, list[Drain]] = {name: [] for name in runners}
    order = list(runners)
    for repetition in range(runs):
        for name in order[repetition % len(order) :] + order[: repetition % len(order)]:
            client_id = f"bench-{name}-{repetition}"
            subprocess.run(c_client(port, client_id, "-E"), stdout=subprocess.DEVNULL, check=True)  # makes the session
            publish(port, count)
            drains[name].append(runners[name](client_id))
            left = subprocess.run(c_client(port, client_id, "-C", "1", "-W", "1"), capture_output=True, check=False)
            if name != "nodered" and left.returncode != NOTHING_LEFT:
                sys.exit(f"{name} left messages unacknowledged: {left.stdout!r}")
            subprocess.run(c_client(port, client_id, "-E", "-x", "0"), stdout=subprocess.DEVNULL, check=True)
    return drains


def ratios(ours: list[Drain], theirs: list[Drain], of: Callable[[Drain], float]) -> list[float]:
    """Ratio within each repetition."""
    return [of(mine) / of(peer) for mine, peer in zip(ours, theirs, strict=True)]


def spread(values: list[float], digits: int) -> str:
    """Median with the least and the greatest value."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def main() -> int:
    """Print the table; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--node-red", metavar="RED_JS", help="Node-RED's red.js; npm install node-red")
    parser.add_argument("--as", dest="role", nargs=4, metavar=("NAME", "PORT", "CLIENT", "COUNT"))
    options = parser.parse_args()
    if options.role:
        name, port, client_id, count = options.role
        with tempfile.TemporaryDirectory(prefix="lineproof-ingest-") as folder:
            drained = OURS[name](int(port), client_id, int(count), Path(folder))
        sys.stdout.write(json.dumps(asdict(drained)) + "\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="lineproof-ingest-") as folder, broker(Path(folder)) as port:
        drains = contest(port, options.messages, options.runs, options.node_red)
    of_c = ratios(drains["agent"], drains["c"], lambda drain: drain.per_second)
    of_plain = ratios(drains["agent"], drains["plain"], lambda drain: drain.per_second)
    cpu_of_plain = ratios(drains["agent"], drains["plain"], lambda drain: drain.cpu_us)
    limits = {
        "agent / c, messages a second": (of_c, f"at least {LEAST_OF_C}"),
        "agent / plain, messages a second": (of_plain, f"at least {LEAST_OF_PLAIN}"),
        "agent / plain, CPU a message": (cpu_of_plain, f"at most {MOST_CPU_OF_PLAIN}"),
    }
    if "nodered" in drains:
        of_red = ratios(drains["agent"], drains["nodered"], lambda drain: drain.per_second)
        limits["agent / nodered, messages a second"] = (of_red, "")
    if options.json:
        table = {name: [asdict(drain) for drain in found] for name, found in drains.items()}
        print(json.dumps({"drains": table, "ratios": {name: found for name, (found, _) in limits.items()}}, indent=1))
    else:
        print(f"{options.messages:,} messages, {options.runs} interleaved repetitions: median (least to greatest)")
        for name, found in drains.items():
            rate = spread([drain.per_second for drain in found], 0)
            print(f"{name:8} {rate:>34} messages/s {spread([drain.cpu_us for drain in found], 1):>26} us CPU a message")
        for name, (found, limit) in limits.items():
            print(f"{name:36} {spread(found, 2):>26}  {limit}")
    held = (
        statistics.median(of_c) >= LEAST_OF_C
        and statistics.median(of_plain) >= LEAST_OF_PLAIN
        and statistics.median(cpu_of_plain) <= MOST_CPU_OF_PLAIN
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
