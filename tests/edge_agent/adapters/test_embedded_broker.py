"""The embedded broker: on this machine only, free ports, gone with its parent."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.embedded_broker import EmbeddedBroker
from edge_agent.errors import ConfigError, UnreachableError
from edge_agent.settings.config import BrokerSettings
from tests.brokers import PlantPeer, start_broker, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.broker


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_carries_a_mebibyte_and_frees_its_port(tmp_path: Path) -> None:
    broker = start_broker("iotcore", tmp_path)
    peer = PlantPeer(BrokerSettings(port=broker.port))
    peer.subscribe("images")
    payload = bytes(1_000_000)
    peer.publish_all("images", [payload])
    wait_for(lambda: peer.payloads("images") == [payload], "a megabyte comes back")
    peer.close()
    broker.close()
    broker.close()
    wait_for(lambda: not listens(broker.port), "the port is free")


def test_it_stays_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="stays on this machine"):
        EmbeddedBroker.start(host="0.0.0.0", data_dir=tmp_path)  # noqa: S104 - refused


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UnreachableError, match="choose another port"):
            EmbeddedBroker.start(taken.getsockname()[1], data_dir=tmp_path)


def test_without_its_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iotcore", None)
    with pytest.raises(ConfigError, match=r'pip install "lineproof\[demo\]"'):
        EmbeddedBroker.start(data_dir=tmp_path)


@pytest.mark.parametrize("end", ["signal", "input", "kill"])
def test_as_a_command_it_is_ready_when_it_says_so_and_leaves_nothing(tmp_path: Path, end: str) -> None:
    command = [sys.executable, "-m", "edge_agent.adapters.embedded_broker", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        assert listens(port)
        if end == "signal":
            process.send_signal(signal.SIGTERM)
        elif end == "input":
            process.stdin.close()
        else:
            process.kill()
        assert process.wait(10) == (-signal.SIGKILL if end == "kill" else 0)
    wait_for(lambda: not listens(port), "the port is free")
