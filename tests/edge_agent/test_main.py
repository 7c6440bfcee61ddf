"""The commands as people and scripts call them."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge_agent.__main__ import app
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.events import Energy, Event
from edge_agent.ports import Batch
from tests.brokers import start_broker

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[agent]
name = "a"
data_dir = "data"
[broker]
port = {port}
[[mqtt.facts]]
filter = "plant/energy"
line = "press-1"
kind = "energy"
"""


def call(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lineproof.toml"
    path.write_text(GOOD.format(port=1))
    return path


def test_check_says_that_all_is_in_order(config: Path) -> None:
    assert call("check", "--config", config)[0] == 0
    status, out, _ = call("check", "--config", config, "--json")
    assert (status, json.loads(out)["problems"]) == (0, [])


def test_check_names_line_key_value_reason_and_fix(config: Path) -> None:
    config.write_text(config.read_text().replace('name = "a"', 'nmae = "a"'))
    status, out, err = call("check", "--config", config)
    assert (status, out) == (1, "")
    assert f"{config.name}:3" in err.replace("\n", "")
    assert "agent.nmae" in err
    status, out, _ = call("check", "--config", config, "--json")
    problems: list[dict[str, Any]] = json.loads(out)["problems"]
    assert status == 1
    assert set(problems[0]) == {"key", "value", "reason", "fix", "line"}
    assert any("name" in problem["fix"] for problem in problems)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    status, _, err = call("run", "--config", tmp_path / "none.toml")
    assert status == 2
    assert "none.toml" in err.replace("\n", "")
    assert "Traceback" not in err


def test_an_error_shows_its_field_and_value(config: Path) -> None:
    status, _, err = call("export", config.parent / "out", "--config", config)
    assert status == 2
    assert "[agent.data_dir = " in err


def test_doctor_finds_a_broker_that_is_not_there_and_says_what_to_do(config: Path) -> None:
    status, out, _ = call("doctor", "--config", config, "--json")
    findings = {finding["subject"]: finding for finding in json.loads(out)["findings"]}
    assert status == 1
    assert findings["broker"]["state"] == "fail"
    assert "broker.host" in findings["broker"]["todo"]
    assert {findings[subject]["state"] for subject in ("machine", "onnxruntime", "sqlite", "clock")} == {"ok"}


def broker_finding(config: Path) -> tuple[int, str, str]:
    status, out, _ = call("doctor", "--config", config, "--json")
    (finding,) = [finding for finding in json.loads(out)["findings"] if finding["subject"] == "broker"]
    return status, finding["state"], finding["found"]


def test_doctor_is_content_when_the_broker_lets_us_in(config: Path, tmp_path: Path) -> None:
    broker = start_broker("iotcore", tmp_path)
    config.write_text(GOOD.format(port=broker.port))
    status, state, found = broker_finding(config)
    broker.close()
    assert (status, state) == (0, "ok"), found


def test_doctor_sees_a_port_that_is_no_broker(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config.write_text(GOOD.format(port=listener.getsockname()[1]))
        status, state, found = broker_finding(config)
    assert (status, state) == (1, "fail")
    assert "does not answer" in found


def test_doctor_sees_a_wrong_password(config: Path, tmp_path: Path) -> None:
    broker = start_broker("mosquitto", tmp_path)
    account = f'port = {broker.port}\nusername = "lineproof-agent"\npassword = "wrong"'
    config.write_text(GOOD.format(port=1).replace("port = 1", account))
    status, state, found = broker_finding(config)
    broker.close()
    assert (status, state) == (1, "fail")
    assert "refuses us" in found


def test_export_writes_what_the_store_holds(config: Path) -> None:
    store = SqliteStore.open(config.parent / "data" / "lineproof.sqlite")
    now = datetime(2026, 1, 5, tzinfo=UTC)
    store.commit(Batch(at=SystemClock().now(), events=[Event("e", "press-1", now, Energy("power", now, 1.0))]))
    store.close()
    status, out, _ = call("export", config.parent / "out", "--config", config, "--json")
    assert (status, json.loads(out)) == (0, {"events": 1, "readings": 0, "channels": 0})
    assert (config.parent / "out" / "events.jsonl").read_text().count("\n") == 1
