"""Fuzzed payloads among good ones, over a real broker, through the real route into a real store.

    python tests/faults/fuzz_payloads.py --good 100000 --fuzzed 100000

Promise tried: every good message is stored with its exact value, and exactly what cannot be understood is quarantined,
once each, under its reason. Good and fuzzed messages come in all forms, mixed in one stream, on topics of their own.
Half of the fuzzed ones are poison by construction; the others are torn good ones, and what each of them should become
is asked of a second set of codecs that sees the same sequence without a broker.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.sparkplug_codec import SparkplugCodec
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.composition.mqtt_sources import message_codec, mqtt_sources
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.ports import LinkHealth
from edge_agent.settings.config import AgentSettings, Settings
from edge_agent.settings.mqtt import (
    ChannelTopic,
    MqttSourceSettings,
    SparkplugDevice,
    SparkplugSettings,
    UnifiedTopics,
)
from tests.brokers import PlantPeer, start_broker, wait_for
from tests.faults.fuzzed_messages import BASE_MS, WAVES, Speaker, poison, torn

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.ports import OutboxMessage
    from tests.brokers import Broker

FORMS = ("json", "json", "json", "json", "msgpack", "msgpack", "csv", "csv", "float32", "sparkplug")
OUTCOME_DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, the seed of the chance, and the pace.

    Attributes:
        chunk: messages published at once.
        lag: messages sent that may wait in the route. With a chunk it stays below `CLOSE_US` of the route: a clock that
            is further behind its stamps was set back.
    """

    good: int = 100_000
    fuzzed: int = 100_000
    seed: int = 1
    chunk: int = 500
    lag: int = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `sound` is the promise.

    Attributes:
        good, fuzzed: messages sent (a good one is one message).
        good_missing, good_wrong: good values that are not stored; stored values on good channels that nobody sent.
        poison: distinct poison messages sent.
        quarantined: rows in quarantine.
        reasons: quarantined messages by reason, redeliveries included.
        reasons_expected: what the second set of codecs says.
        seconds: from the first message to the last acknowledgement.
    """

    good: int
    fuzzed: int
    good_missing: int
    good_wrong: int
    poison: int
    quarantined: int
    reasons: dict[str, int]
    reasons_expected: dict[str, int]
    seconds: float

    @property
    def sound(self) -> bool:
        """Every good one stored, and exactly the poison quarantined."""
        return (
            self.good_missing == self.good_wrong == 0
            and self.poison == self.quarantined > 0
            and self.reasons == self.reasons_expected
        )


class PlantClock:
    """A plant's clock that goes on by a microsecond a message sent.

    The route gives each message a microsecond of its own, several to one look at the clock. A clock that goes on with
    its looks falls behind what was given, is taken for one that was set back, and the same moments are given twice. One
    that goes on with real time is not the same for the second set of codecs, and stamps near a limit fall otherwise.
    """

    def __init__(self) -> None:
        self._sent = 0

    def sending(self, messages: int) -> None:
        """Go on; one thread."""
        self._sent += messages

    def now(self) -> Instant:
        return Instant(BASE_MS * 1_000 + self._sent, time.monotonic_ns(), "fuzz")


class NoSink:
    """Nothing leaves this route."""

    name = "none"

    def start(self, settled: Callable[[str], None]) -> None:
        del settled

    def send(self, message: OutboxMessage) -> None:
        raise AssertionError(message)

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        del topic, payload, expiry_s

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def stop(self) -> None:
        pass


def topics() -> MqttSourceSettings:
    """Topics of every form, twice: `good` and `fuzz`."""
    readings: list[ChannelTopic] = []
    waves: list[UnifiedTopics] = []
    devices: list[SparkplugDevice] = []
    for side in ("good", "fuzz"):
        of = f"{side}-asset"
        readings += [
            ChannelTopic.model_validate(
                {"filter": f"{side}/{form}", "line": "l", "asset": of, "channel": form, "format": form}
            )
            for form in ("json", "msgpack")
        ]
        readings.append(
            ChannelTopic(filter=f"{side}/csv", line="l", asset=of, channel="csv", format="csv", columns=("ts", "value"))
        )
        waves.append(
            UnifiedTopics(
                pattern=f"{side}/float32/{{channel}}",
                lines=("l",),
                assets=(of,),
                channels={f"w{number}": "1" for number in range(WAVES)},
                format="float32",
                rate_hz=1_000.0,
            )
        )
        devices.append(
            SparkplugDevice(group="g", node=side, device="d", line="l", asset=of, channels={"sparkplug": "1"})
        )
    return MqttSourceSettings(
        readings=tuple(readings), unified=tuple(waves), sparkplug=SparkplugSettings(devices=tuple(devices))
    )


class Stream:
    """The whole sequence, with what should become of it."""

    def __init__(self, plan: Plan) -> None:
        chance = random.Random(plan.seed)
        good, fuzz = Speaker("good"), Speaker("fuzz")
        self.messages: list[tuple[str, bytes]] = [*good.births(), *fuzz.births()]
        self.values: dict[str, set[float]] = {"l/good-asset/sparkplug": {-1.0}}
        sides = ["good"] * plan.good + ["fuzz"] * plan.fuzzed
        chance.shuffle(sides)
        for number, side in enumerate(sides):
            form = FORMS[number % len(FORMS)]
            if side == "good":
                topic, payload, channel = good.message(form, number)
                self.values.setdefault(channel, set()).add(float(number))
            elif chance.random() < 0.5:
                topic, payload = f"fuzz/{form}", poison(form, number, chance)
                topic = "fuzz/float32/w0" if form == "float32" else topic
                topic = "spBv1.0/g/DDATA/fuzz/d" if form == "sparkplug" else topic
            else:
                topic, whole, _ = fuzz.message(form, number)
                payload = torn(whole, chance)
            self.messages.append((topic, payload))

    def expectation(self, settings: MqttSourceSettings) -> tuple[int, Counter[str]]:
        """Distinct poison messages, and poison by reason, according to codecs that never saw a broker."""
        plain = message_codec(settings)
        sparkplug = SparkplugCodec(settings, lambda _group, _node: None)
        clock = PlantClock()
        seen: set[tuple[str, bytes]] = set()
        reasons: Counter[str] = Counter()
        for topic, payload in self.messages:
            clock.sending(1)
            codec = sparkplug if topic.startswith("spBv1.0/") else plain
            try:
                refused = codec.decode(topic, payload, clock.now(), retained=False).refused
            except PoisonMessageError as error:
                refused = error
            if refused is not None:
                seen.add((topic, payload))
                reasons[refused.reason] += 1
        return len(seen), reasons


def run(folder: Path, broker: Broker, plan: Plan) -> Outcome:
    """Send everything through the route and look into the store."""
    mqtt = topics()
    agent = AgentSettings(name="fuzz-agent", data_dir=str(folder))
    clock = PlantClock()
    metrics = Metrics()
    sources = mqtt_sources(Settings(agent=agent, broker=broker.settings(), mqtt=mqtt), clock, metrics)
    readers = [source for source in sources if isinstance(source, MqttSource)]
    store = SqliteStore.open(folder / "fuzz.sqlite")
    pipeline = Pipeline(
        Line(
            store=store,
            clock=clock,
            metrics=metrics,
            sink=NoSink(),
            sources=sources,
            workers={},
            monitors={},
            stops={},
            policies={},
            observers=(),
            names=("l",),
            prefix="lineproof",
            pace=Pace(commit_messages=500, commit_s=0.02, queue_messages=4_000),
        )
    )
    stream = Stream(plan)
    pipeline.start()
    pipeline.open()
    wait_for(lambda: all(source.health().alive for source in sources), "all connections stand")
    peer = PlantPeer(broker.settings(), client_id="fuzz-plant")
    began_s = time.monotonic()
    for start in range(0, len(stream.messages), plan.chunk):
        chunk = stream.messages[start : start + plan.chunk]
        clock.sending(len(chunk))
        sent = [peer.publish(topic, payload) for topic, payload in chunk]
        sent[-1].wait_for_publish(OUTCOME_DEADLINE_S)
        wait_for(lambda: start - _done(readers) < plan.lag, "the route keeps up", OUTCOME_DEADLINE_S)  # noqa: B023 - called at once
    wait_for(lambda: _done(readers) >= len(stream.messages), "all is acknowledged", OUTCOME_DEADLINE_S)
    seconds = time.monotonic() - began_s
    peer.close()
    pipeline.stop()
    assert pipeline.fatal is None
    poison_count, expected = stream.expectation(mqtt)
    missing = wrong = 0
    for channel in store.channels():
        if "/good-asset/" in channel.key and channel.key.rpartition("_")[2] != "rms":
            stored = set(store.readings(channel.key, 0, 2**62)[1].tolist())
            wanted = stream.values.pop(channel.key, set())
            missing, wrong = missing + len(wanted - stored), wrong + len(stored - wanted)
    missing += sum(map(len, stream.values.values()))
    reasons: Counter[str] = Counter()
    for reader in readers:
        reasons.update(reader.counts.quarantined)
    outcome = Outcome(
        good=plan.good,
        fuzzed=plan.fuzzed,
        good_missing=missing,
        good_wrong=wrong,
        poison=poison_count,
        quarantined=store.totals().quarantined,
        reasons=dict(sorted(reasons.items())),
        reasons_expected=dict(sorted(expected.items())),
        seconds=seconds,
    )
    store.close()
    return outcome


def _done(readers: list[MqttSource]) -> int:
    return sum(reader.counts.acknowledged for reader in readers)


def main() -> int:
    """Run by hand with as many messages as wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--good", type=int, default=100_000)
    parser.add_argument("--fuzzed", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = start_broker("iotcore", folder)
        try:
            outcome = run(folder, broker, Plan(given.good, given.fuzzed, given.seed))
        finally:
            broker.close()
    print(json.dumps(asdict(outcome) | {"sound": outcome.sound}, indent=2))  # noqa: T201 - its answer
    return 0 if outcome.sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
