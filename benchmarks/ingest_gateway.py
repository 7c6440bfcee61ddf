"""thingsboard-gateway as a contestant of `ingest`: its MQTT connector writing to its SQLite storage.

The gateway forwards what it stored to a ThingsBoard server; here a second Mosquitto takes that place, so that it finds
someone to connect to. Its run ends when its own database holds every message. It has a virtual environment of its own:
`python -m venv gateway && gateway/bin/pip install thingsboard-gateway`, then `--thingsboard gateway/bin/python`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.ingest_contestants import LIMIT_S, Drain
from benchmarks.waiting_messages import HOST, broker

TOPICS = "plant/#"  # it escapes the minus sign of a filter, and would subscribe to another topic
_LOOK_S = 0.05
_FEWEST_LOOKS = 10
"""Looks that must see its storage grow, or its speed is that of our looking."""
START = "from thingsboard_gateway.tb_gateway import main; main()"


def run_gateway(python: str, port: int, client_id: str, count: int) -> Drain:
    """Run the gateway until its storage holds all; wall time from the last look that found no row, CPU with start."""
    with tempfile.TemporaryDirectory(prefix="lineproof-gateway-") as name, tempfile.TemporaryDirectory() as platform:
        folder = Path(name)
        for part in ("config", "data", "logs"):
            (folder / part).mkdir()
        with broker(Path(platform)) as platform_port:
            for file, content in configuration(folder, platform_port, port, client_id).items():
                (folder / "config" / file).write_text(json.dumps(content))
            environment = os.environ | {
                "TB_GW_CONFIG_DIR": f"{folder / 'config'}/",
                "TB_GW_LOGS_PATH": str(folder / "logs"),
            }
            with (folder / "log").open("w") as log:
                child = subprocess.Popen([python, "-c", START], cwd=folder, env=environment, stdout=log, stderr=log)
            stored, looks, until_s = 0, 0, time.monotonic() + LIMIT_S
            began_s = time.monotonic()  # the last look that found none
            while stored < count and time.monotonic() < until_s and child.poll() is None:
                time.sleep(_LOOK_S)
                looked_s, stored = time.monotonic(), rows(folder / "data")
                looks += bool(stored)
                began_s = began_s if stored else looked_s
            wall_s = time.monotonic() - began_s
            cpu_s = used_cpu_s(child.pid) if child.poll() is None else 0.0
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if stored < count:
            sys.exit(f"the gateway stored {stored} of {count}; its log:\n{(folder / 'log').read_text()[-2000:]}")
    if looks < _FEWEST_LOOKS:
        sys.exit(f"the gateway wrote its {count} messages at one go: nothing was timed; take more with --messages")
    return Drain(count, wall_s, cpu_s)


def configuration(folder: Path, platform_port: int, port: int, client_id: str) -> dict[str, dict[str, Any]]:
    """The gateway's files; what is not named is its default. No rate limits, no statistics, nothing remote."""
    limits = dict.fromkeys(
        ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits"), "0:0,"
    )
    return {
        "tb_gateway.json": {
            "thingsboard": {
                "host": HOST,
                "port": platform_port,
                "remoteShell": False,
                "remoteConfiguration": False,
                "statistics": {"enable": False},
                "security": {"type": "accessToken", "accessToken": "benchmark"},
                "qos": 1,
                "reportStrategy": {"type": "ON_RECEIVED"},
                "checkingDeviceActivity": {"checkDeviceInactivity": False},
                **limits,
            },
            "storage": {
                "type": "sqlite",
                "data_file_path": str(folder / "data" / "data.db"),
                "messages_ttl_in_days": 7,
                "max_read_records_count": 1_000,
                "writing_batch_size": 1_000,
            },
            "grpc": {"enabled": False},
            "connectors": [{"type": "mqtt", "name": "ingest", "configuration": "mqtt.json"}],
        },
        "mqtt.json": {
            "broker": {
                "host": HOST,
                "port": port,
                "clientId": client_id,
                "version": 5,
                "cleanSession": False,
                "cleanStart": False,
                "sessionExpiryInterval": 3_600,
                "security": {"type": "anonymous"},
            },
            "mapping": [
                {
                    "topicFilter": TOPICS,
                    "subscriptionQos": 1,
                    "converter": {
                        "type": "json",
                        "deviceInfo": {
                            "deviceNameExpressionSource": "constant",
                            "deviceNameExpression": "ram",
                            "deviceProfileExpressionSource": "constant",
                            "deviceProfileExpression": "default",
                        },
                        "sendDataOnlyOnChange": False,
                        "timeout": 60_000,
                        "attributes": [],
                        "timeseries": [{"type": "double", "key": "value", "value": "${value}"}],
                    },
                }
            ],
        },
    }


def rows(folder: Path) -> int:
    """Messages in the gateway's storage."""
    stored = 0
    for file in folder.glob("*.db"):
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                stored += int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
        except sqlite3.OperationalError:
            continue  # its table is not made yet
    return stored


def used_cpu_s(pid: int) -> float:
    """CPU time of a process; fields 14 and 15 of proc(5), counted behind the name."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
