"""How fast are QoS 1 messages made durable, beside a C client that stores nothing and a plain paho loop that stores?

    python -m benchmarks.ingest [--messages N] [--runs N] [--json]

Every contestant finds the same messages (JSON, one stamped reading each) queued in a session of its own at one
Mosquitto, connects, and is done when the last one is acknowledged:

- agent: our source, pipeline and store with their default settings: decode, SQLite commit with synchronous=FULL, then
  acknowledge. What it stored and what the broker still holds is checked after every run.
- plain: paho's own client and loop with `manual_ack`, the same codec, the same store, the same groups.
- c: `mosquitto_sub -q 1`, libmosquitto in C, which acknowledges at once and stores nothing.
- thingsboard: thingsboard-gateway with its SQLite storage; only where `--thingsboard` names its Python.
- nodered: Node-RED writing CSV lines, acknowledging at once; only where `--node-red` names its `red.js`.

Repetitions are interleaved, and ratios are taken within one repetition. CPU is that of the contestant's process alone,
by getrusage, without its start (for `c` and `nodered` with it). Exit 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import results
from benchmarks.ingest_contestants import LIMIT_S, OURS, Drain
from benchmarks.ingest_gateway import run_gateway
from benchmarks.waiting_messages import FILTER, HOST, broker, c_client, publish

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_OF_C = 0.9
LEAST_OF_PLAIN = 1.8
MOST_CPU_OF_PLAIN = 0.3
NOTHING_LEFT = 27
"""How `mosquitto_sub -W` says that it waited in vain."""

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
                [
                    shutil.which("node") or "node",
                    red,
                    "--userDir",
                    name,
                    "--settings",
                    str(folder / "settings.js"),
                    "flows.json",
                ],
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


def contest(port: int, count: int, runs: int, red: str | None, gateway: str | None) -> dict[str, list[Drain]]:
    """Every contestant `runs` times, in an order that changes with each repetition."""
    runners: dict[str, Callable[[str], Drain]] = {
        "c": lambda client_id: run_c(port, client_id, count),
        "agent": lambda client_id: run_ours("agent", port, client_id, count),
        "plain": lambda client_id: run_ours("plain", port, client_id, count),
    }
    if red is not None:
        runners["nodered"] = lambda client_id: run_node_red(red, port, client_id, count)
    if gateway is not None:
        runners["thingsboard"] = lambda client_id: run_gateway(gateway, port, client_id, count)
    drains: dict[str, list[Drain]] = {name: [] for name in runners}
    order = list(runners)
    for repetition in range(runs):
        for name in order[repetition % len(order) :] + order[: repetition % len(order)]:
            client_id = f"bench-{name}-{repetition}"
            subprocess.run(c_client(port, client_id, "-E"), stdout=subprocess.DEVNULL, check=True)  # makes the session
            publish(port, count)
            drains[name].append(runners[name](client_id))
            left = subprocess.run(c_client(port, client_id, "-C", "1", "-W", "1"), capture_output=True, check=False)
            if name in OURS and left.returncode != NOTHING_LEFT:  # the others may end before their last packet is out
                sys.exit(f"{name} left messages unacknowledged: {left.stdout!r}")
            subprocess.run(c_client(port, client_id, "-E", "-x", "0"), stdout=subprocess.DEVNULL, check=True)
    return drains


def ratios(ours: list[Drain], theirs: list[Drain], of: Callable[[Drain], float]) -> list[float]:
    """Ratio within each repetition."""
    return [of(mine) / of(peer) for mine, peer in zip(ours, theirs, strict=True)]


def spread(values: list[float], digits: int) -> str:
    """Median with the least and the greatest value."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def outcomes(drains: dict[str, list[Drain]]) -> list[results.Outcome]:
    """What was measured, for the summary."""

    def speed(name: str) -> list[float]:
        return ratios(drains["agent"], drains[name], lambda drain: drain.per_second)

    agent = drains["agent"]
    found = [
        results.Outcome(
            "ingest.of_c",
            "durable QoS 1 ingest, to a C libmosquitto subscriber that stores nothing",
            speed("c"),
            LEAST_OF_C,
            "more",
        ),
        results.Outcome(
            "ingest.of_plain",
            "durable QoS 1 ingest, to plain paho with manual acknowledgement and the same store",
            speed("plain"),
            LEAST_OF_PLAIN,
            "more",
        ),
        results.Outcome(
            "ingest.cpu_of_plain",
            "CPU a message, to plain paho",
            ratios(agent, drains["plain"], lambda drain: drain.cpu_us),
            MOST_CPU_OF_PLAIN,
        ),
        results.Outcome(
            "ingest.messages", "QoS 1 messages made durable", [each.per_second for each in agent], unit="messages/s"
        ),
        results.Outcome("ingest.cpu", "CPU of the agent a message", [each.cpu_us for each in agent], unit="us"),
    ]
    peers = {"nodered": "Node-RED writing CSV", "thingsboard": "thingsboard-gateway with its SQLite storage"}
    found += [
        results.Outcome(f"ingest.of_{name}", f"durable QoS 1 ingest, to {peer}", speed(name), better="more")
        for name, peer in peers.items()
        if name in drains
    ]
    return found


def main() -> int:
    """Print the table; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--node-red", metavar="RED_JS", help="Node-RED's red.js; npm install node-red")
    parser.add_argument("--thingsboard", metavar="PYTHON", help="Python of an environment with thingsboard-gateway")
    results.add_option(parser)
    parser.add_argument("--as", dest="role", nargs=4, metavar=("NAME", "PORT", "CLIENT", "COUNT"))
    options = parser.parse_args()
    if options.role:
        name, port, client_id, count = options.role
        with tempfile.TemporaryDirectory(prefix="lineproof-ingest-") as folder:
            drained = OURS[name](int(port), client_id, int(count), Path(folder))
        sys.stdout.write(json.dumps(asdict(drained)) + "\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="lineproof-ingest-") as folder, broker(Path(folder)) as port:
        drains = contest(port, options.messages, options.runs, options.node_red, options.thingsboard)
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
    if "thingsboard" in drains:
        of_gateway = ratios(drains["agent"], drains["thingsboard"], lambda drain: drain.per_second)
        limits["agent / thingsboard, messages a second"] = (of_gateway, "")
    if options.json:
        table = {name: [asdict(drain) for drain in found] for name, found in drains.items()}
        print(json.dumps({"drains": table, "ratios": {name: found for name, (found, _) in limits.items()}}, indent=1))
    else:
        print(f"{options.messages:,} messages, {options.runs} interleaved repetitions: median (least to greatest)")
        for name, found in drains.items():
            rate = spread([drain.per_second for drain in found], 0)
            print(f"{name:8} {rate:>34} messages/s {spread([drain.cpu_us for drain in found], 1):>26} us CPU a message")
        for name, (compared, limit) in limits.items():
            print(f"{name:36} {spread(compared, 2):>26}  {limit}")
    results.write(options.outcomes, outcomes(drains))
    held = (
        statistics.median(of_c) >= LEAST_OF_C
        and statistics.median(of_plain) >= LEAST_OF_PLAIN
        and statistics.median(cpu_of_plain) <= MOST_CPU_OF_PLAIN
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
