"""Settings are reloaded under traffic: good ones, bad ones, and with a kill in between. No fact is ever lost."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.virtual_plant.parts import PartCamera
from edge_agent.virtual_plant.picture_folder import put_picture
from tests.brokers import Broker, PlantPeer, start_broker
from tests.edge_agent.test_app import RunningAgent, model, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["model"]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

BASE = """
[agent]
name = "reload-test"
data_dir = "data"
[broker]
port = {broker}
keepalive_s = {keepalive}
[[mqtt.facts]]
filter = "plant/line-1/counts"
line = "line-1"
kind = "production"
[[stations]]
name = "one"
line = "line-1"
product = "bracket-a"
model = "{model}"
threshold = {threshold}
review_from = {threshold}
[stations.folder]
path = "one"
poll_ms = 30
settle_ms = 30
[status]
port = 0
"""
MORE = """
[[mqtt.facts]]
filter = "plant/line-2/counts"
line = "line-2"
kind = "production"
[[stations]]
name = "two"
line = "line-2"
model = "{model}"
threshold = 1e-6
[stations.folder]
path = "two"
poll_ms = 30
settle_ms = 30
"""


class Traffic:
    """A publisher that numbers its facts and goes on until it is told to stop."""

    def __init__(self, peer: PlantPeer, line: str) -> None:
        self.sent = 0
        self._peer, self._line = peer, line
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            body = {"ts": "2026-11-22T06:00:00Z", "seq": self.sent, "source": self._line, "product": "bracket-a"}
            body |= {"shift": "A", "ended_at": "2026-11-22T06:00:01Z", "produced": 1}
            self._peer.publish(f"plant/{self._line}/counts", json.dumps(body).encode()).wait_for_publish(20)
            self.sent += 1
            self._stopping.wait(0.002)

    def stop(self) -> int:
        self._stopping.set()
        self._thread.join()
        return self.sent


class Site:
    """A folder with settings, a broker and a plant."""

    def __init__(self, folder: Path, broker: Broker, model: Path) -> None:
        self.folder, self.broker, self.model = folder, broker, model
        self.peer = PlantPeer(broker.plant_settings())
        self.agents: list[RunningAgent] = []
        self.publishers: list[Traffic] = []
        for name in ("one", "two"):
            (folder / name).mkdir()
        self.write()

    def agent(self) -> RunningAgent:
        self.agents.append(RunningAgent(self.folder))
        return self.agents[-1]

    def traffic(self, line: str) -> Traffic:
        self.publishers.append(Traffic(self.peer, line))
        return self.publishers[-1]

    def close(self) -> None:
        for publisher in self.publishers:
            publisher.stop()
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.stop()
        self.peer.close()
        self.broker.close()

    def write(self, *, threshold: float = 1e6, keepalive: int = 30, more: bool = False, text: str = "") -> None:
        """Write the settings; the clock bound is wide because facts here bear a fixed time."""
        settings = BASE + (MORE if more else "") + "[mqtt]\nmax_clock_skew_s = 1e12\nmax_future_s = 1e12\n" + text
        filled = settings.format(broker=self.broker.port, keepalive=keepalive, model=self.model, threshold=threshold)
        (self.folder / "lineproof.toml").write_text(filled)

    def reload(self) -> tuple[int, dict[str, Any]]:
        """Exit status and answer of the command."""
        command = [sys.executable, "-m", "edge_agent", "reload", "--config", str(self.folder / "lineproof.toml")]
        ended = subprocess.run([*command, "--json"], check=False, capture_output=True, text=True, timeout=120)
        return ended.returncode, json.loads(ended.stdout) if ended.stdout else {"error": ended.stderr}


@pytest.fixture
def site(tmp_path: Path, model: Path) -> Iterator[Site]:
    broker = start_broker("iotcore", tmp_path)
    made = Site(tmp_path, broker, model)
    yield made
    made.close()


def numbers(agent: RunningAgent, line: str) -> list[int]:
    """Message numbers of the stored production facts of a line, from their keys."""
    after = 0
    found: list[int] = []
    while True:
        text = agent.page.get("/api/events", params={"after": after, "kind": "production", "limit": 1000}).text
        lines = [json.loads(each) for each in text.splitlines()]
        if not lines:
            return found
        after = lines[-1]["seq"]
        found += [int(e["event"]["key"].split("/")[3]) for e in lines if e["event"]["line"] == line]


def verdict(agent: RunningAgent, part: str) -> dict[str, Any]:
    bodies = [event["body"] for event in agent.events("inspection")]
    return next((body for body in bodies if body["part_id"] == part), {})


def take(agent: RunningAgent, site: Site, station: str, part: str) -> dict[str, Any]:
    put_picture(site.folder / station, part, PartCamera("bracket-a", seed=len(part)).take().pixels)
    until(lambda: verdict(agent, part), f"a verdict of {part}")
    return verdict(agent, part)


def test_good_and_bad_reloads_under_traffic(site: Site) -> None:
    agent = site.agent()
    traffic = site.traffic("line-1")
    assert take(agent, site, "one", "before")["verdict"] == "PASS"

    site.write(threshold=1e-6)
    status, told = site.reload()
    assert (status, told["changed"]) == (0, ["station one changed: threshold, review_from"])
    assert take(agent, site, "one", "stricter")["verdict"] == "FAIL"

    site.write(threshold=1e-6, more=True)
    status, told = site.reload()
    assert (status, told["changed"]) == (0, ["station two added", "mqtt changed"])
    more = site.traffic("line-2")
    assert take(agent, site, "two", "on-two")["verdict"] == "FAIL"
    assert list(agent.page.get("/api/state").json()["lines"]) == ["line-1", "line-2"]

    # what cannot be used changes nothing, and everything says why
    for text, reason in (("[[[", "is not TOML"), ('[[stations]]\nname = "x"\n', "stations[3]")):
        site.write(threshold=1e6, more=True, text=text)
        status, told = site.reload()
        assert status == 1
        assert reason in told["refused"]
        assert agent.page.get("/api/state").json()["system"]["reload"]["refused"] == told["refused"]
        assert take(agent, site, "one", f"still-{len(reason)}")["verdict"] == "FAIL"
    metrics = agent.page.get("/metrics").text
    assert 'lineproof_reloads_total{result="refused"} 2.0' in metrics
    assert "lineproof_settings_in_force 0.0" in metrics
    assert "the settings before it hold" in agent.page.get("/", params={"lang": "en"}).text
    assert "reload refused" in (site.folder / "agent.log").read_text()

    # a model that is not there is refused whole, with the threshold beside it
    site.write(threshold=1e6, text=f'[[stations]]\nname = "x"\nline = "l"\nmodel = "{site.folder}/none"\n'
                                    'folder = { path = "x" }\n'.replace("{", "{{").replace("}", "}}"))  # fmt: skip
    status, told = site.reload()
    assert status == 1
    assert "no model folder" in told["refused"]
    assert verdict(agent, "on-two")

    # what needs a restart is told, the rest is taken up
    site.write(threshold=1e6, keepalive=60)
    counted = more.stop()
    until(lambda: len(numbers(agent, "line-2")) == counted, "the second line's facts")
    status, told = site.reload()
    assert (status, told["waiting"]) == (1, ["broker.keepalive_s"])
    assert told["changed"] == ["station two removed", "station one changed: threshold, review_from", "mqtt changed"]
    assert take(agent, site, "one", "lenient")["verdict"] == "PASS"
    assert list(agent.page.get("/api/state").json()["lines"]) == ["line-1"]

    sent = traffic.stop()
    assert sent > 100
    until(lambda: len(numbers(agent, "line-1")) == sent, "every fact")
    assert numbers(agent, "line-1") == list(range(sent))
    store = agent.page.get("/api/state").json()["system"]["store"]
    assert (store["quarantined"], store["missing_messages"]) == (0, 0)


def test_the_answer_names_stations_whose_model_fails_or_recovers(site: Site) -> None:
    broken = site.folder / "broken"
    table = '[[stations]]\nname = "two"\nline = "line-2"\nmodel = "' + str(broken) + '"\nfolder = {{ path = "two" }}\n'
    site.write(text=table)
    agent = site.agent()
    for _ in range(2):  # neither answer may sound as if all were well
        status, told = site.reload()
        assert (status, told["changed"], told["refused"]) == (1, [], "")
        assert [text.startswith(f"station two cannot use model {broken}") for text in told["unusable"]] == [True]
    shutil.copytree(site.model, broken)
    status, told = site.reload()
    assert (status, told["unusable"]) == (0, [])
    assert [text.startswith("station two: ") and text.endswith(" can be used again") for text in told["changed"]] == [
        True
    ]
    assert take(agent, site, "two", "recovered")["reason"] != "model_unusable"

    graph = max(broken.rglob("*.onnx"), key=lambda file: file.stat().st_size)
    content = graph.read_bytes()
    graph.write_bytes(content[:-100])
    status, told = site.reload()
    assert (status, told["changed"]) == (1, [])
    assert "station two cannot use its model" in told["refused"]
    graph.write_bytes(content)
    assert site.reload()[0] == 0


def test_a_kill_around_a_reload_loses_no_fact(site: Site) -> None:
    chance = random.Random(11)
    agent = site.agent()  # before the traffic: what a plant publishes before the broker knows us, it keeps for nobody
    traffic = site.traffic("line-1")
    for round_number in range(4):
        site.write(threshold=float(round_number + 1), more=round_number % 2 == 0)
        agent.process.send_signal(signal.SIGHUP)
        pause = threading.Event()
        pause.wait(chance.uniform(0.0, 1.2))  # any moment of a reload, drawn with a fixed seed
        agent.process.kill()
        agent.process.wait(20)
        agent.page.close()
        assert agent.process.stdout is not None
        agent.process.stdout.close()
        agent.log.close()
        site.write(threshold=7.0)
        agent = site.agent()
    last = agent
    sent = traffic.stop()
    until(lambda: len(numbers(last, "line-1")) >= sent, "every fact after the kills")
    assert sorted(numbers(last, "line-1")) == list(range(sent))
    assert take(last, site, "one", "after-all")["threshold"] == 7.0


def test_without_an_agent_the_command_says_so(site: Site) -> None:
    status, told = site.reload()
    assert status == 3
    assert "no agent runs" in told["error"]
