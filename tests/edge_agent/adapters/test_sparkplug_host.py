"""The host application against real brokers: its state, its last will, its requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.mqtt_connection import Backoff
from edge_agent.adapters.sparkplug_host import SparkplugHost
from edge_agent.adapters.sparkplug_payload import parse
from edge_agent.adapters.system_clock import SystemClock
from tests.brokers import Broker, MosquittoBroker, PlantPeer, broker, mosquitto, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.ports import Delivery

__all__ = ["broker", "mosquitto"]  # fixtures

pytestmark = pytest.mark.broker

STATE = "spBv1.0/STATE/lineproof"
ASKED: list[str] = []
QUICK = Backoff(base_s=0.05, cap_s=0.2, jitter=lambda: 1.0)


@pytest.fixture
def host(broker: Broker) -> Iterator[SparkplugHost]:
    nodes = [("plant", "cell-1")]
    ASKED.clear()
    made = SparkplugHost(
        broker.settings(), "agent-host", "lineproof", nodes, SystemClock(), ASKED.append, backoff=QUICK
    )
    yield made
    made.stop()


@pytest.fixture
def node(broker: Broker) -> Iterator[PlantPeer]:
    """An edge node's side; it may read all of Sparkplug, as the agent's account may."""
    peer = PlantPeer(broker.settings())
    peer.subscribe("spBv1.0/#")
    yield peer
    peer.close()


def states(node: PlantPeer) -> list[dict[str, object]]:
    return [json.loads(payload) for payload in node.payloads(STATE)]


def ignore(_delivery: Delivery) -> None:
    pass


def test_it_says_that_it_is_there_and_asks_for_births(host: SparkplugHost, node: PlantPeer) -> None:
    host.start(ignore)
    wait_for(lambda: node.payloads("spBv1.0/plant/NCMD/cell-1"), "the node is asked for its birth")
    (metric,) = parse(node.payloads("spBv1.0/plant/NCMD/cell-1")[0], 1_000).metrics
    assert (metric.name, metric.datatype, metric.raw) == ("Node Control/Rebirth", 11, True)
    wait_for(lambda: states(node), "the state is published")
    assert states(node)[0]["online"] is True
    assert host.health().alive

    host.ask_rebirth("plant", "cell-2")
    wait_for(lambda: node.payloads("spBv1.0/plant/NCMD/cell-2"), "another node is asked")
    assert ASKED == ["plant/cell-1", "plant/cell-2"]

    since = states(node)[0]["timestamp"]
    host.stop()
    wait_for(lambda: states(node)[-1]["online"] is False, "it says that it goes")
    assert states(node)[-1]["timestamp"] == since


def test_the_state_is_retained_and_a_false_word_about_it_is_put_right(
    host: SparkplugHost, node: PlantPeer, broker: Broker
) -> None:
    host.start(ignore)
    wait_for(lambda: states(node), "the state is published")
    node.publish(STATE, b'{"online": false, "timestamp": 1}', retain=True).wait_for_publish(10)
    wait_for(lambda: [state["online"] for state in states(node)][-2:] == [False, True], "it is put right")
    late = PlantPeer(broker.settings())
    late.subscribe(STATE)
    wait_for(lambda: states(late), "a late comer hears the retained state")
    assert states(late)[0]["online"] is True
    late.close()


def test_its_last_will_speaks_when_it_dies_and_the_next_connection_has_its_own_time(
    mosquitto: MosquittoBroker,
) -> None:
    node = PlantPeer(mosquitto.settings())
    node.subscribe(STATE)
    settings = mosquitto.settings()
    host = SparkplugHost(settings, "agent-host", "lineproof", [], SystemClock(), ASKED.append, backoff=QUICK)
    host.start(ignore)
    wait_for(lambda: states(node), "the state is published")
    thief = PlantPeer(settings, client_id="agent-host")  # takes the connection over, which ends it without a goodbye
    wait_for(lambda: any(state["online"] is False for state in states(node)), "the last will speaks")
    thief.close()
    wait_for(lambda: states(node)[-1]["online"] is True and len(states(node)) >= 3, "it comes back")
    wait_for(lambda: host.health().alive, "it is connected")
    first, will = states(node)[0], next(state for state in states(node) if state["online"] is False)
    assert will["timestamp"] == first["timestamp"]
    assert states(node)[-1]["timestamp"] != first["timestamp"]
    host.stop()
    node.close()
