"""Kills a running agent again and again under load and counts what was lost or done twice.

Runs by itself too: `python tests/faults/kill_agent.py --kills 200 --broker mosquitto`. What it compares:

- facts: every numbered fact that the broker accepted must be in the store exactly once;
- readings: every (channel, time) exactly once;
- derived effects: the stops and alarms in the store must be exactly those that the same facts and readings give a
  process that was never killed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters.sqlite_reader import SqliteReader
from edge_agent.events import Event, MachineState, RecordedEvent
from edge_agent.instant import from_us
from edge_agent.machines.alarms import AlarmRule, AlarmTracker
from edge_agent.machines.downtime import DowntimeTracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.settings.config import BrokerSettings
    from tests.brokers import Broker

ROOT = Path(__file__).resolve().parents[2]
REAL = ("-m", "edge_agent", "run")
BROKEN = ("tests/faults/ack_first_agent.py",)
LINE, ASSET = "press-1", "press"
START_US = 1_767_600_000_000_000  # 2026-01-05T08:00:00Z; event time runs at its own pace
STEP_US = 100_000
STATE_EVERY = 40
READY_S = 60.0
DRAIN_S = 120.0
QUIET_S = 15.0
RULE = AlarmRule("hot", LINE, ASSET, "temp", 80.0, "above", 5.0, 300_000, 200_000, "Check the cooling water")

SETTINGS = """
[agent]
name = "kill-test"
data_dir = "{data}"

[broker]
port = {port}
{login}
session_expiry_s = 86400

[mqtt]
max_clock_skew_s = 1e9
[[mqtt.readings]]
filter = "plant/press-1/signals"
line = "press-1"
asset = "press"
channels = {{ temp = "Cel", current = "A" }}
[[mqtt.facts]]
filter = "plant/press-1/energy"
line = "press-1"
kind = "energy"
[[mqtt.facts]]
filter = "plant/press-1/state"
line = "press-1"
kind = "machine_state"

[[downtime]]
line = "press-1"
asset = "press"

[[alarms]]
name = "hot"
line = "press-1"
asset = "press"
signal = "temp"
above = 80.0
deadband = 5.0
on_delay_s = 0.3
off_delay_s = 0.2
action = "Check the cooling water"

[store]
commit_ms = 20
staging_s = 5

[status]
port = 0
"""


@dataclass
class Published:
    """What the publisher sent, and what the broker said it has: a number counts when all its messages do."""

    sent: int = 0
    messages: list[tuple[int, mqtt.MQTTMessageInfo]] = field(default_factory=list)

    @property
    def accepted(self) -> set[int]:
        """Numbers whose messages the broker has acknowledged."""
        return {number for number, _ in self.messages} - {n for n, info in self.messages if not info.is_published()}


@dataclass(frozen=True)
class Outcome:
    """What the kills did. Every count but the first three must be zero."""

    kills: int
    facts_accepted: int
    readings_expected: int
    facts_lost: int
    facts_twice: int
    readings_lost: int
    readings_twice: int
    stops_wrong: int
    alarms_wrong: int
    quarantined: int
    slowest_ready_s: float

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing done twice."""
        wrong = (self.facts_lost, self.facts_twice, self.readings_lost, self.readings_twice)
        return not any((*wrong, self.stops_wrong, self.alarms_wrong, self.quarantined))


def temperature(number: int) -> float:
    """A square wave over the alarm limit with ripples that the delays must swallow."""
    high = (number // 25) % 2 == 1
    ripple = number % 7 == 0
    return (70.0 if ripple else 90.0) if high else (82.0 if ripple else 60.0)


def state_of(number: int) -> tuple[str, str]:
    """The machine's state that message `number` reports."""
    phase = (number // STATE_EVERY) % 4
    return (("producing", ""), ("unplanned_stop", "jam"), ("unplanned_stop", "tool"), ("planned_stop", "meal"))[phase]


@dataclass(frozen=True)
class Plan:
    """How often, how fast, and which agent."""

    kills: int
    seed: int = 1
    rate_hz: float = 200.0
    program: tuple[str, ...] = REAL


def account(broker: BrokerSettings) -> tuple[str, str]:
    """User and password, both empty where the broker asks for none."""
    return broker.username or "", broker.password.get_secret_value() if broker.password is not None else ""


class Publisher:
    """Publishes numbered facts and readings at QoS 1 from its own thread, at a steady rate, until stopped."""

    def __init__(self, broker: BrokerSettings, rate_hz: float) -> None:
        self.published = Published()
        self.refused: list[str] = []
        self._rate_hz = rate_hz
        self._stopping = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "kill-test-plant", protocol=mqtt.MQTTv5)
        if broker.username is not None:
            self._client.username_pw_set(*account(broker))
        self._client.max_inflight_messages_set(200)
        self._client.on_publish = self._refuse_refusals
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = 3_600
        self._client.connect(broker.host, broker.port, clean_start=False, properties=properties)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> Published:
        """Stop, wait until the broker has accepted what was sent, and tell."""
        self._stopping.set()
        self._thread.join()
        deadline = time.monotonic() + DRAIN_S
        while len(self.published.accepted) < self.published.sent and time.monotonic() < deadline:
            time.sleep(0.25)
        self._client.disconnect()
        self._client.loop_stop()
        if self.refused:
            message = f"the broker refused {len(self.refused)} messages of the plant, the first: {self.refused[0]}"
            raise RuntimeError(message)
        return self.published

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopping.is_set():
            number = self.published.sent
            self._publish(number)
            self.published.sent = number + 1
            self._stopping.wait(max(0.0, began + self.published.sent / self._rate_hz - time.monotonic()))

    def _publish(self, number: int) -> None:
        stamp = from_us(START_US + number * STEP_US).isoformat()
        common = {"ts": stamp, "epoch": "run", "seq": number, "source": ASSET}
        messages = {
            "plant/press-1/signals": common
            | {"source": "signals", "temp": temperature(number), "current": float(number)},
            "plant/press-1/energy": common | {"carrier": "power", "ended_at": stamp, "kwh": 1.0, "source": "meter"},
        }
        if number % STATE_EVERY == 0:
            state, reason = state_of(number)
            message = common | {"asset": ASSET, "state": state, "reason": reason, "seq": number // STATE_EVERY}
            messages["plant/press-1/state"] = message
        for topic, message in messages.items():
            self.published.messages.append((number, self._client.publish(topic, json.dumps(message), qos=1)))

    def _refuse_refusals(
        self, _client: mqtt.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self.refused.append(f"{mid}: {reason}")


def start_agent(folder: Path, program: tuple[str, ...]) -> subprocess.Popen[str]:
    """Start the agent as a plant does, as its own process."""
    with (folder / "agent.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, *program, "--config", str(folder / "lineproof.toml"), "--json"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
        )


def end_agent(agent: subprocess.Popen[str], number: int) -> None:
    """Send a signal, wait for the end and close the pipe."""
    agent.send_signal(number)
    agent.wait(timeout=60)
    if agent.stdout is not None:
        agent.stdout.close()


def wait_ready(agent: subprocess.Popen[str]) -> float:
    """Seconds until the agent says it is ready."""
    began = time.monotonic()
    timer = threading.Timer(READY_S, agent.kill)
    timer.start()
    line = agent.stdout.readline() if agent.stdout is not None else ""
    timer.cancel()
    if not line:
        message = f"the agent was not ready within {READY_S:g} s (exit status {agent.poll()}); see agent.log"
        raise RuntimeError(message)
    return time.monotonic() - began


def run(folder: Path, broker: Broker, plan: Plan) -> Outcome:
    """Publish, kill at random moments, let the last agent drain, compare."""
    chance = random.Random(plan.seed)
    name, password = account(broker.settings())
    credentials = f'username = "{name}"\npassword = "{password}"' if name else ""
    settings = SETTINGS.format(data=folder / "data", port=broker.port, login=credentials)
    (folder / "lineproof.toml").write_text(settings)
    agent = start_agent(folder, plan.program)  # the session must exist before the plant publishes
    slowest = wait_ready(agent)
    publisher = Publisher(broker.plant_settings(), plan.rate_hz)
    for _ in range(plan.kills):
        # some kills hit the start, most hit the work
        time.sleep(chance.uniform(0.0, 0.8))
        end_agent(agent, signal.SIGKILL)
        agent = start_agent(folder, plan.program)
        if chance.random() < 0.8:  # the others are killed while they start
            slowest = max(slowest, wait_ready(agent))
    published = publisher.stop()
    _drain(folder, published)
    end_agent(agent, signal.SIGTERM)
    return compare(folder, published, plan.kills, slowest)


def _drain(folder: Path, published: Published) -> None:
    """Wait until the store holds every number, or nothing has come for a while."""
    expected = len(published.accepted) * 2  # two channels
    deadline, quiet_since, newest = time.monotonic() + DRAIN_S, time.monotonic(), (-1, -1)
    while time.monotonic() < deadline:
        store = SqliteReader.open(folder / "data" / "lineproof.sqlite")
        have = (store.totals().readings, store.last_seq())
        store.close()
        if have != newest:
            newest, quiet_since = have, time.monotonic()
        quiet_s = time.monotonic() - quiet_since
        if (have[0] >= expected and quiet_s > 1) or quiet_s > QUIET_S:
            return
        time.sleep(0.25)


def compare(folder: Path, published: Published, kills: int, slowest: float) -> Outcome:
    """Hold the store against what an unkilled process would have made of the same messages."""
    store = SqliteReader.open(folder / "data" / "lineproof.sqlite")
    events = list(_events(store))
    numbers = sorted(published.accepted)
    stored = Counter(e.event.key for e in events if e.event.kind == "energy")
    wanted = {f"{LINE}/meter/run/{number}/energy/{START_US + number * STEP_US}" for number in numbers}
    expected_times = {START_US + number * STEP_US for number in numbers}
    lost = twice = 0
    for channel in ("temp", "current"):
        times, _ = store.readings(f"{LINE}/{ASSET}/{channel}", 0, 2**62)
        seen = Counter(int(t) for t in times)
        lost += len(expected_times - set(seen))
        twice += sum(count - 1 for count in seen.values())
    totals = store.totals()
    store.close()
    stops = {e.event.key for e in events if e.event.kind == "downtime"}
    alarms = {e.event.key for e in events if e.event.kind == "alarm"}
    return Outcome(
        kills=kills,
        facts_accepted=len(numbers),
        readings_expected=2 * len(numbers),
        facts_lost=len(wanted - set(stored)),
        facts_twice=sum(count - 1 for count in stored.values()),
        readings_lost=lost,
        readings_twice=twice,
        stops_wrong=len(stops ^ _expected_stops(numbers)),
        alarms_wrong=len(alarms ^ _expected_alarms(numbers)),
        quarantined=totals.quarantined,
        slowest_ready_s=round(slowest, 2),
    )


def _events(store: SqliteReader) -> Iterator[RecordedEvent]:
    seq = 0
    while page := store.events_after(seq, limit=5_000):
        yield from page
        seq = page[-1].seq


def _expected_stops(numbers: list[int]) -> set[str]:
    tracker = DowntimeTracker(LINE, ASSET, minimum_s=0)
    found = set()
    for number in numbers:
        if number % STATE_EVERY == 0:
            state, reason = state_of(number)
            body: Any = MachineState(ASSET, state, reason)  # type: ignore[arg-type]  # the states above are the literals
            ended = tracker.update(Event(str(number), LINE, from_us(START_US + number * STEP_US), body))
            if ended is not None:
                found.add(ended.key)
    return found


def _expected_alarms(numbers: list[int]) -> set[str]:
    tracker = AlarmTracker(RULE)
    found = set()
    for number in numbers:
        change = tracker.update(START_US + number * STEP_US, temperature(number))
        if change is not None:
            found.add(f"alarm/{LINE}/hot/{change.at_us}/{'raised' if change.raised else 'cleared'}")
    return found


def main() -> int:
    """Run by hand, with as many kills as wanted, against a broker of one's choice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--broker", choices=("iotcore", "mosquitto"), default="iotcore")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=200.0, help="numbers a second; each is two messages")
    parser.add_argument("--broken", action="store_true", help="an agent that acknowledges before it commits")
    options = parser.parse_args()
    from tests.brokers import start_broker

    with tempfile.TemporaryDirectory(prefix="lineproof-kill-") as name:
        folder = Path(name)
        (folder / "broker").mkdir()
        broker = start_broker(options.broker, folder / "broker")
        try:
            program = BROKEN if options.broken else REAL
            outcome = run(
                folder,
                broker,
                Plan(kills=options.kills, seed=options.seed, rate_hz=options.rate, program=program),
            )
        finally:
            broker.close()
    sys.stdout.write(json.dumps(asdict(outcome) | {"sound": outcome.sound}, indent=1) + "\n")
    return 0 if outcome.sound else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
