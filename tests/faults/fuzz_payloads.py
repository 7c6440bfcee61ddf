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
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.sparkplug_codec import SparkplugCodec
from edge_agent.adapters.sparkplug_payload import PAYLOAD
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_agent.ports import OutboxMessage
    from tests.brokers import Broker

BASE_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, the plant's clock in this test
SPREAD_MS = 3_600_000  # good stamps lie this far before it
WAVES = 50  # channels of waveforms: so many that no two blocks of one come in the same microsecond
CHUNK = 500
LAG = 5_000
FORMS = ("json", "json", "json", "json", "msgpack", "msgpack", "csv", "csv", "float32", "sparkplug")
OUTCOME_DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, and the seed of the chance."""

    good: int = 100_000
    fuzzed: int = 100_000
    seed: int = 1


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


class TickingClock:
    """A plant's clock that goes on by a microsecond a look, so that both sets of codecs see the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks = 0

    def now(self) -> Instant:
        with self._lock:
            self._looks += 1
            return Instant(BASE_MS * 1_000 + self._looks, time.monotonic_ns(), "fuzz")


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


class Speaker:
    """Makes messages of one side; `seq` runs on as an edge node's does."""

    def __init__(self, side: str) -> None:
        self._side = side
        self._seq = -1

    def births(self) -> Iterator[tuple[str, bytes]]:
        node = PAYLOAD(timestamp=BASE_MS - SPREAD_MS, seq=self._next())
        node.metrics.add(name="bdSeq", datatype=4, long_value=1)
        yield f"spBv1.0/g/NBIRTH/{self._side}", bytes(node.SerializeToString())
        device = PAYLOAD(timestamp=BASE_MS - SPREAD_MS, seq=self._next())
        device.metrics.add(name="sparkplug", alias=1, datatype=10, double_value=-1.0)
        yield f"spBv1.0/g/DBIRTH/{self._side}/d", bytes(device.SerializeToString())

    def message(self, form: str, number: int) -> tuple[str, bytes, str]:
        """Topic and payload that carry `number` as a value, and the channel it is stored under."""
        ts = BASE_MS - SPREAD_MS + 1 + number
        topic, channel = f"{self._side}/{form}", f"l/{self._side}-asset/{form}"
        match form:
            case "json":
                return topic, json.dumps({"ts": ts, "value": number}).encode(), channel
            case "msgpack":
                return topic, msgspec.msgpack.encode({"ts": ts, "value": number}), channel
            case "csv":
                return topic, f"{ts},{number}\n".encode(), channel
            case "float32":
                wave = f"w{number % WAVES}"
                block = struct.pack("<4f", *[float(number)] * 4)
                return f"{topic}/{wave}", block, f"l/{self._side}-asset/{wave}_peak"
            case _:
                data = PAYLOAD(timestamp=ts, seq=self._next())
                data.metrics.add(alias=1, double_value=float(number))
                return f"spBv1.0/g/DDATA/{self._side}/d", bytes(data.SerializeToString()), channel

    def _next(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq


def poison(form: str, number: int, chance: random.Random) -> bytes:
    """Bytes that no codec of this form may take, each different from all others."""
    tag = str(number)
    kinds: dict[str, list[bytes]] = {
        "json": [
            f'{{"ts": {BASE_MS}, "value": NaN, "n": {tag}}}'.encode(),
            f'{{"value": 1, "value": {tag}}}'.encode(),
            f"3,{tag}".encode(),
            b'{"value": "' + tag.encode() + b"\xff",
            b"[" * (1_000 + number % 1_000) + tag.encode(),
            f'{{"ts": {BASE_MS}, "value": true, "n": {tag}}}'.encode(),
            f'{{"ts": {BASE_MS + 10_000_000}, "value": {tag}}}'.encode(),
            b"\x1f\x8b" + tag.encode(),
        ],
        "msgpack": [
            msgspec.msgpack.encode({"ts": BASE_MS, "value": 1.0})[:-1] + b"" + struct.pack(">Q", number) + b"\xc1",
            b"\x82\xa5value" + b"\x01" + b"\xa5value" + b"\xce" + struct.pack(">I", number),
            msgspec.msgpack.encode({"ts": BASE_MS, "value": float("nan"), "n": number}),
            b"\x91" * 100 + b"\xce" + struct.pack(">I", number),
        ],
        "csv": [f"{BASE_MS},{tag},1".encode(), f"{BASE_MS},x{tag}".encode(), f'"{tag}'.encode(), f"{tag}\0".encode()],
        "float32": [
            struct.pack("<I", number) + b"\0",
            struct.pack("<If", number, float("nan")),
            struct.pack("<fI", float("inf"), number),
        ],
        "sparkplug": [
            b"\xff\xff" + struct.pack(">I", number),
            bytes(PAYLOAD(timestamp=BASE_MS, uuid=tag).SerializeToString()),  # no seq
            b"\x12\x7f" + struct.pack(">I", number),
        ],
    }
    return chance.choice(kinds[form])


def torn(payload: bytes, chance: random.Random) -> bytes:
    """A good payload with some bytes changed, cut or doubled."""
    data = bytearray(payload)
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    how = chance.random()
    if how < 0.3:
        return bytes(data[: chance.randint(0, len(data))])
    return bytes(data * 2) if how < 0.4 else bytes(data)


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
        clock = TickingClock()
        seen: set[tuple[str, bytes]] = set()
        reasons: Counter[str] = Counter()
        for topic, payload in self.messages:
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
    clock = TickingClock()
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
    for start in range(0, len(stream.messages), CHUNK):
        sent = [peer.publish(topic, payload) for topic, payload in stream.messages[start : start + CHUNK]]
        sent[-1].wait_for_publish(OUTCOME_DEADLINE_S)
        wait_for(lambda: start - _done(readers) < LAG, "the route keeps up", OUTCOME_DEADLINE_S)  # noqa: B023 - called at once
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
