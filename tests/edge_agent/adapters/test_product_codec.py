"""Product changes: what a payload may be, which stations change, and what is no change."""

from __future__ import annotations

import pytest

from edge_agent.adapters.product_codec import ProductCodec
from edge_agent.errors import PoisonMessageError
from edge_agent.events import ProductChange
from edge_agent.inspection.products import ProductLog
from edge_agent.instant import Instant
from edge_agent.settings.mqtt import MqttSourceSettings
from edge_agent.settings.products import ProductTopic

STATIONS = {"one": "line-1", "two": "line-1", "far": "line-2"}
SETTINGS = MqttSourceSettings(
    products=(
        ProductTopic(filter="line-1/product", line="line-1", names={"7": "bracket-b"}),
        ProductTopic(filter="line-1/two", line="line-1", stations=("two",), format="text"),
    )
)


def codec(log: ProductLog | None = None, *, in_order: bool = False) -> ProductCodec:
    return ProductCodec(SETTINGS, STATIONS, log or ProductLog(), in_order=in_order)


def told(payload: bytes, topic: str = "line-1/product", made: ProductCodec | None = None, mono_ns: int = 1) -> object:
    decoded = (made or codec()).decode(topic, payload, Instant(5_000_000, mono_ns, "boot"), retained=False)
    bodies = [fact.body for fact in decoded.facts]
    return [(body.station, body.product) for body in bodies if isinstance(body, ProductChange)]


@pytest.mark.parametrize(
    ("payload", "product"),
    [(b'"bracket-a"', "bracket-a"), (b"7", "bracket-b"), (b'{"product": "x", "seq": 4}', "x")],
)
def test_every_station_of_the_line_changes(payload: bytes, product: str) -> None:
    assert told(payload) == [("one", product), ("two", product)]


def test_a_topic_may_be_of_some_stations_and_plain_text() -> None:
    assert told(b"bracket-c", "line-1/two") == [("two", "bracket-c")]


def test_the_same_product_again_is_no_fact_and_a_numbered_repetition_keeps_its_key() -> None:
    made = codec(ProductLog())
    assert told(b'"a"', made=made) == [("one", "a"), ("two", "a")]
    assert told(b'"a"', made=made, mono_ns=2) == []
    numbered = b'{"product": "b", "seq": 4, "source": "plc"}'
    received = Instant(5_000_000, 3, "boot")
    first = made.decode("line-1/product", numbered, received, retained=False)
    again = made.decode("line-1/product", numbered, Instant(6_000_000, 9, "boot"), retained=False)
    assert [fact.key for fact in first.facts] == [fact.key for fact in again.facts]
    assert first.facts[0].key == "line-1/plc/0/4/product_change/one"
    assert first.mark is not None
    assert first.mark.number == 4


def test_facts_of_an_ordered_connection_wait_behind_its_stations() -> None:
    decoded = codec(in_order=True).decode("line-1/product", b"7", Instant(1, 1, "boot"), retained=True)
    assert decoded.behind == ("one", "two")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"true", "wrong_type"),
        (b"[1]", "wrong_type"),
        (b'""', "wrong_value"),
        (b'{"part": "x"}', "missing_field"),
        (b'{"product": "x", "line": "line-9"}', "foreign_line"),
        (b'{"product": "x", "seq": -1}', "wrong_value"),
    ],
)
def test_what_names_no_product_is_poison(payload: bytes, reason: str) -> None:
    with pytest.raises(PoisonMessageError) as caught:
        told(payload)
    assert caught.value.reason == reason
