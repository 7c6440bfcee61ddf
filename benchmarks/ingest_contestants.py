"""The contestants of `ingest` that run in processes of their own: the agent's parts, and plain paho with its store."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.waiting_messages import HOST, TOPICS, UNDER_WAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_agent.ports import LinkHealth, OutboxMessage
    from edge_agent.settings.mqtt import MqttSourceSettings

LIMIT_S = 300.0


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

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        """Nobody listens."""

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
    from edge_agent.composition.mqtt_sources import message_codec  # noqa: PLC0415
    from edge_agent.garbage import look_seldom  # noqa: PLC0415
    from edge_agent.metrics import Metrics  # noqa: PLC0415
    from edge_agent.payloads.deriving import SignalCodec  # noqa: PLC0415
    from edge_agent.pipeline import Line, Pace, Pipeline  # noqa: PLC0415
    from edge_agent.settings.config import BrokerSettings, StoreSettings  # noqa: PLC0415

    look_seldom()  # as the agent does at its start
    clock, settings, store_settings = SystemClock(), topics(), StoreSettings()
    store = SqliteStore.open(folder / "agent.sqlite", staging_s=store_settings.staging_s)
    messages = message_codec(settings)
    codec = SignalCodec(messages, ())
    link = BrokerSettings(port=port)
    source = MqttSource(link, client_id, messages.filters, codec, clock, settings.max_payload_bytes)
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
        time.sleep(0.01)  # each look takes the interpreter from the threads that are measured
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
    from edge_agent.composition.mqtt_sources import message_codec  # noqa: PLC0415
    from edge_agent.ports import Batch  # noqa: PLC0415
    from edge_agent.settings.config import StoreSettings  # noqa: PLC0415

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


def topics() -> MqttSourceSettings:
    """The same topics for both that decode."""
    from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings  # noqa: PLC0415

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
