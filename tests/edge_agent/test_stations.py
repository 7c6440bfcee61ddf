"""Several stations and lines in one agent: products change in the order of the parts, one station fails alone."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge_agent.virtual_plant.parts import PartCamera
from edge_agent.virtual_plant.picture_folder import put_picture
from tests.brokers import PlantPeer, start_broker
from tests.edge_agent.test_app import RunningAgent, model, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["model"]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

EVERYTHING_FAILS, NOTHING_FAILS = 1e-6, 1e6
SETTINGS = """
[agent]
name = "stations-test"
data_dir = "data"
[broker]
port = {broker}
{account}
[[mqtt.products]]
filter = "plant/press-1/product"
line = "press-1"
names = {{ 7 = "bracket-b" }}
[[mqtt.products]]
filter = "plant/line-2/product"
line = "line-2"
format = "text"
[[mqtt.images]]
pattern = "plant/press-1/camera/{product}{{part}}"
station = "one"
[[stations]]
name = "one"
line = "press-1"
product = "bracket-a"
model = "{model}"
threshold = {nothing}
review_from = {nothing}
unknown_product = "no_verdict"
[[stations.recipes]]
product = "bracket-a"
threshold = {nothing}
review_from = {nothing}
costs = {{ escape = 50000, overkill = 1200 }}
[[stations.recipes]]
product = "bracket-b"
threshold = {everything}
[[stations]]
name = "two"
line = "line-2"
product = "bracket-a"
model = "{model}"
threshold = {nothing}
[stations.folder]
path = "two"
poll_ms = 30
settle_ms = 30
[[stations.recipes]]
product = "bracket-b"
threshold = {everything}
[[stations]]
name = "three"
line = "line-2"
model = "no-such-model"
[stations.folder]
path = "three"
poll_ms = 30
settle_ms = 30
[status]
port = 0
"""


def picture(seed: int) -> bytes:
    """A good part, encoded."""
    pixels = PartCamera("bracket-a", seed=seed).take().pixels
    return bytes(cv2.imencode(".png", np.asarray(pixels)[:, :, ::-1])[1].tobytes())


class Plant:
    """A broker with a plant beside it, and the folder of an agent that is not started yet."""

    def __init__(self, name: str, folder: Path, model: Path, product: str = "") -> None:
        self.folder = folder
        self.broker = start_broker(name, folder)
        for station in ("two", "three"):
            (folder / station).mkdir()
        ours = self.broker.settings()
        account = ""
        if ours.username is not None and ours.password is not None:
            account = f'username = "{ours.username}"\npassword = "{ours.password.get_secret_value()}"'
        filled = SETTINGS.format(
            broker=self.broker.port,
            account=account,
            model=model,
            nothing=NOTHING_FAILS,
            everything=EVERYTHING_FAILS,
            product=product,
        )
        (folder / "lineproof.toml").write_text(filled)
        self.peer = PlantPeer(self.broker.plant_settings())
        self._agents: list[RunningAgent] = []

    def agent(self) -> RunningAgent:
        self._agents.append(RunningAgent(self.folder))
        return self._agents[-1]

    def close(self) -> None:
        for agent in self._agents:
            if agent.process.poll() is None:
                agent.stop()
        self.peer.close()
        self.broker.close()


@pytest.fixture
def plant_of(tmp_path: Path, model: Path) -> Iterator[Callable[..., Plant]]:
    """Makes the plant of a test; all agents of it are ended."""
    made: list[Plant] = []

    def make(name: str, product: str = "") -> Plant:
        made.append(Plant(name, tmp_path, model, product))
        return made[-1]

    yield make
    for plant in made:
        plant.close()


@contextmanager
def load(folder: Path) -> Iterator[None]:
    """Keep another station busy meanwhile."""
    ending = threading.Event()

    def put() -> None:
        number = 0
        while not ending.is_set():
            put_picture(folder, f"load-{number}", PartCamera("bracket-a", seed=number).take().pixels)
            number += 1
            ending.wait(0.05)

    thread = threading.Thread(target=put)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def by_part(agent: RunningAgent, station: str) -> dict[str, dict[str, Any]]:
    bodies = [event["body"] for event in agent.events("inspection")]
    return {body["part_id"]: body for body in bodies if body["station"] == station}


def has_judged(agent: RunningAgent, parts: int) -> bool:
    return len(by_part(agent, "one")) >= parts


EXPECTED = {"bracket-a": "PASS", "bracket-b": "FAIL", "cover": "NO_VERDICT"}


def test_the_part_after_a_change_is_judged_by_the_new_recipe(plant_of: Callable[..., Plant]) -> None:
    """On Mosquitto, which keeps the order of a session's topics; the embedded broker keeps that of each topic alone."""
    plant = plant_of("mosquitto")
    agent, peer, content = plant.agent(), plant.peer, picture(5)
    said = {"bracket-a": '"bracket-a"', "bracket-b": "7", "cover": '{"product": "cover", "seq": %d}'}
    wanted: dict[str, tuple[str, str]] = {}
    sent = []
    with load(plant.folder / "two"):
        for change, product in enumerate(["bracket-b", "cover", "bracket-a"] * 4):
            payload = said[product] % change if "%" in said[product] else said[product]
            sent.append(peer.publish("plant/press-1/product", payload.encode()))
            for place in range(3):
                part = f"p-{change}-{place}"
                wanted[part] = (product, EXPECTED[product])
                sent.append(peer.publish(f"plant/press-1/camera/{part}", content))
        for info in sent:
            info.wait_for_publish(20)
        until(lambda: set(wanted) <= set(by_part(agent, "one")), "a verdict for every part")
    assert {part: (body["product"], body["verdict"]) for part, body in by_part(agent, "one").items()} == wanted
    thresholds = {body["product"]: body["threshold"] for body in by_part(agent, "one").values()}
    assert (thresholds["bracket-a"], thresholds["bracket-b"]) == (NOTHING_FAILS, EVERYTHING_FAILS)
    changes = [event["body"]["product"] for event in agent.events("product_change")]
    assert changes == ["bracket-b", "cover", "bracket-a"] * 4

    # what the store says holds after a restart
    assert agent.stop() == 0
    again = plant.agent()
    peer.publish("plant/press-1/camera/after", content).wait_for_publish(20)
    until(lambda: "after" in by_part(again, "one"), "the part after the restart")
    assert by_part(again, "one")["after"]["product"] == "bracket-a"


def test_a_kill_between_parts_and_changes_mixes_no_products(plant_of: Callable[..., Plant]) -> None:
    """A change is durable only after the parts before it: both come again after a kill, in their order."""
    plant = plant_of("mosquitto")
    agent, peer, content = plant.agent(), plant.peer, picture(5)
    wanted: dict[str, tuple[str, str]] = {}
    for change, product in enumerate(["bracket-b", "bracket-a"] * 15):
        peer.publish("plant/press-1/product", json.dumps({"product": product, "seq": change}).encode())
        for place in range(3):
            part = f"p-{change}-{place}"
            wanted[part] = (product, EXPECTED[product])
            peer.publish(f"plant/press-1/camera/{part}", content)
    for judged in (10, 35, 60):
        running = agent
        until(partial(has_judged, running, judged), f"{judged} verdicts")
        running.process.kill()
        running.stop()
        agent = plant.agent()
    until(lambda: set(wanted) <= set(by_part(agent, "one")), "a verdict for every part")
    assert {part: (body["product"], body["verdict"]) for part, body in by_part(agent, "one").items()} == wanted


def test_a_part_that_names_its_product_needs_no_order(plant_of: Callable[..., Plant]) -> None:
    plant = plant_of("iotcore", "{product}/")
    agent, content = plant.agent(), picture(5)
    wanted = {
        f"p-{number}": (product, EXPECTED[product])
        for number, product in enumerate(["bracket-a", "bracket-b", "cover"] * 4)
    }
    for part, (product, _) in wanted.items():
        plant.peer.publish(f"plant/press-1/camera/{product}/{part}", content)
    until(lambda: set(wanted) <= set(by_part(agent, "one")), "a verdict for every part")
    assert {part: (body["product"], body["verdict"]) for part, body in by_part(agent, "one").items()} == wanted


def test_a_station_without_its_model_leaves_the_others_running(plant_of: Callable[..., Plant]) -> None:
    plant = plant_of("iotcore")
    folder, peer, agent = plant.folder, plant.peer, plant.agent()
    for name in ("two", "three"):
        put_picture(folder / name, f"{name}-1", PartCamera("bracket-a", seed=3).take().pixels)
    until(lambda: by_part(agent, "two") and by_part(agent, "three"), "both stations answer")
    assert by_part(agent, "two")["two-1"]["verdict"] == "PASS"
    broken = by_part(agent, "three")["three-1"]
    assert (broken["verdict"], broken["reason"]) == ("NO_VERDICT", "model_unusable")
    assert broken.get("threshold") is None
    states = {s["name"]: s for s in agent.page.get("/api/state").json()["system"]["stations"]}
    assert {name: state["problem"] for name, state in states.items()} == {
        "one": "",
        "two": "",
        "three": "model_unusable",
    }
    recipes = {recipe["product"]: recipe for recipe in states["one"]["recipes"]}
    assert (recipes["bracket-a"]["escape"], recipes["bracket-a"]["currency"]) == (50_000.0, "KRW")
    assert recipes["bracket-b"]["threshold"] == EVERYTHING_FAILS
    assert 'lineproof_station_ready{line="line-2",station="three"} 0.0' in agent.page.get("/metrics").text

    # a folder's parts change with the facts that were heard before they came
    peer.publish("plant/line-2/product", b"bracket-b").wait_for_publish(20)
    until(lambda: agent.events("product_change"), "the change")
    put_picture(folder / "two", "two-2", PartCamera("bracket-a", seed=4).take().pixels)
    until(lambda: "two-2" in by_part(agent, "two"), "the next part")
    assert (by_part(agent, "two")["two-2"]["product"], by_part(agent, "two")["two-2"]["verdict"]) == (
        "bracket-b",
        "FAIL",
    )


LIVE = """
[[mqtt.products]]
filter = "plant/line-3/product"
line = "line-3"
format = "text"
[[stations]]
name = "live"
line = "line-3"
product = "bracket-a"
model = "{model}"
threshold = 1e6
review_from = 1e6
mode = "live"
on_late = "stop"
unknown_product = "no_verdict"
[stations.folder]
path = "live"
[[stations.recipes]]
product = "bracket-b"
model = "no-such-model"
"""


def test_a_live_line_stops_while_it_makes_what_nothing_can_judge(plant_of: Callable[..., Plant], model: Path) -> None:
    plant = plant_of("iotcore")
    (plant.folder / "live").mkdir()
    with (plant.folder / "lineproof.toml").open("a") as file:
        file.write(LIVE.format(model=model))
    agent = plant.agent()

    def told() -> tuple[str, str]:
        interlocks = agent.page.get("/api/state").json()["system"]["interlocks"]
        return next((each["state"], each["reason"]) for each in interlocks if each["line"] == "line-3")

    def make(product: str, expected: tuple[str, str]) -> None:
        plant.peer.publish("plant/line-3/product", product.encode()).wait_for_publish(20)
        until(lambda: told() == expected, f"{expected} while {product} is made")

    # the station's own product needs no recipe
    put_picture(plant.folder / "live", "own", PartCamera("bracket-a", seed=3).take().pixels)
    until(lambda: "own" in by_part(agent, "live"), "the part")
    assert by_part(agent, "live")["own"]["verdict"] == "PASS"
    assert told() == ("run", "")
    make("bracket-b", ("stop", "model_unusable"))
    assert 'lineproof_station_ready{line="line-3",station="live"} 0.0' in agent.page.get("/metrics").text
    make("cover", ("stop", "unknown_product"))
    make("bracket-a", ("run", ""))

    # a part whose picture is empty is a part all the same
    plant.peer.publish("plant/press-1/camera/void", b"").wait_for_publish(20)
    until(lambda: "void" in by_part(agent, "one"), "the part without a picture")
    void = by_part(agent, "one")["void"]
    assert (void["verdict"], void["reason"]) == ("NO_VERDICT", "image_empty")
