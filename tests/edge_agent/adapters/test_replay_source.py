from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.adapters.replay_source import RecordedReadings, ReplayPublisher, images_below, put_image
from edge_agent.commands.replaying import ReplayPlan, replay
from edge_agent.errors import AgentError, UnreachableError
from edge_agent.recordings import Pace
from edge_agent.settings.config import (
    AgentSettings,
    BrokerSettings,
    FolderSourceSettings,
    Settings,
    StationSettings,
)
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings

pytest.importorskip("iotcore", reason="needs the embedded broker: pip install 'lineproof[demo]'")

from edge_agent.adapters.embedded_broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

SKAB = Path(__file__).parents[4] / "shared" / "data" / "skab" / "valve1" / "0.csv"
DEADLINE_S = 20.0


class Listener:
    """A subscriber of its own, in place of an agent."""

    def __init__(self, port: int) -> None:
        self.received: list[tuple[str, dict[str, object]]] = []
        ready = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "listener", protocol=mqtt.MQTTv5)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _client, _data, message: self.received.append(
            (message.topic, json.loads(message.payload))
        )
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe("#", qos=1)
        self._client = client
        assert ready.wait(DEADLINE_S)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} messages"
            time.sleep(0.01)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    running = EmbeddedBroker.start(data_dir=tmp_path_factory.mktemp("broker"))
    yield running
    running.stop()


@pytest.fixture
def listener(broker: EmbeddedBroker) -> Iterator[Listener]:
    listening = Listener(broker.port)
    yield listening
    listening.close()


def settings(folder: Path, port: int = 1883, *, max_clock_skew_s: float = 86_400.0) -> Settings:
    return Settings(
        agent=AgentSettings(name="replayed", data_dir=str(folder / "data")),
        broker=BrokerSettings(port=port),
        mqtt=MqttSourceSettings(
            readings=(
                ChannelTopic(
                    filter="skab/+/signals",
                    line="lab",
                    asset="pump",
                    channels={"Current": "A", "Volume Flow RateRMS": "L/min"},
                ),
            ),
            max_clock_skew_s=max_clock_skew_s,
        ),
        stations=(
            StationSettings(
                name="cam", line="lab", model="m", folder=FolderSourceSettings(path=str(folder / "watched"))
            ),
        ),
    )


def recording(folder: Path, rows: int = 3, name: str = "run.csv") -> Path:
    path = folder / name
    lines = [f"2020-03-09 10:14:{33 + row};{row}.5;32.0;0.0" for row in range(rows)]
    path.write_text("\n".join(["datetime;Current;Volume Flow RateRMS;anomaly", *lines, ""]))
    return path


def image_folder(folder: Path) -> Path:
    for name in ("good/a.png", "bad/a.png", "bad/b.JPG", "notes.txt"):
        path = folder / "recorded" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder / "recorded"


@pytest.mark.broker
def test_rows_reach_the_broker_with_their_recorded_times(
    tmp_path: Path, broker: EmbeddedBroker, listener: Listener
) -> None:
    progress: list[tuple[int, int]] = []
    plan = ReplayPlan.parse(
        settings(tmp_path, broker.port, max_clock_skew_s=1e10), [recording(tmp_path)], None, rate="max", restamp="keep"
    )
    summary = replay(plan, lambda done, total: progress.append((done, total)))
    listener.wait_for(3)
    assert listener.received[2] == (
        "skab/replay/signals",
        {
            "ts": "2020-03-09T10:14:35+00:00",
            "seq": 2,
            "epoch": "run 2020-03-09T10:14:33+00:00",
            "source": "run",
            "Current": 2.5,
            "Volume Flow RateRMS": 32.0,
        },
    )
    assert (summary.rows, summary.published, summary.acknowledged, summary.refused) == (3, 3, 3, 0)
    assert summary.columns_left_out == ("anomaly",)
    assert "3 of 3 messages acknowledged" in str(summary)
    assert progress == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.broker
def test_restamped_rows_end_now_at_a_rate_above_the_recorded_one(
    tmp_path: Path, broker: EmbeddedBroker, listener: Listener
) -> None:
    before_s = time.time()
    replay(ReplayPlan(settings(tmp_path, broker.port), (recording(tmp_path),), pace=Pace("rate", 20.0)))
    listener.wait_for(3)
    from datetime import datetime

    stamps = [datetime.fromisoformat(str(body["ts"])).timestamp() for _, body in listener.received]
    # 2 s of recording in 0.1 s: the last row, due 0.1 s after the start, bears the time of its sending
    assert before_s + 0.1 <= stamps[2] + 1e-3 <= time.time() + 1e-3
    assert [round(stamp - stamps[0], 3) for stamp in stamps] == [0.0, 1.0, 2.0]


@pytest.mark.broker
def test_rows_slower_than_recorded_begin_now(tmp_path: Path, broker: EmbeddedBroker, listener: Listener) -> None:
    from datetime import datetime

    path = tmp_path / "fast.csv"
    path.write_text("time;Current\n1600000000.00;1\n1600000000.01;2\n")
    before_s = time.time()
    replay(ReplayPlan(settings(tmp_path, broker.port), (path,), pace=Pace("rate", 20.0)))
    listener.wait_for(2)
    stamps = [datetime.fromisoformat(str(body["ts"])).timestamp() for _, body in listener.received]
    assert before_s - 1e-3 <= stamps[0] <= time.time()
    assert round(stamps[1] - stamps[0], 3) == 0.01


def test_a_rate_that_would_need_stamps_of_the_far_past_says_what_to_set(tmp_path: Path) -> None:
    plan = ReplayPlan(settings(tmp_path, max_clock_skew_s=1.0), (recording(tmp_path),), pace=Pace("max"))
    with pytest.raises(AgentError, match=r"where the rate of this replay puts it.*set max_clock_skew_s = 4 "):
        replay(plan)


def test_recorded_times_of_the_future_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "future.csv"
    path.write_text(f"time;Current\n{time.time() + 1_000:.0f};1\n")
    with pytest.raises(AgentError, match=r"further from now than the agent takes.*set max_future_s = "):
        replay(ReplayPlan.parse(settings(tmp_path), [path], None, restamp="keep"))


@pytest.mark.broker
def test_the_rate_is_kept(tmp_path: Path, broker: EmbeddedBroker) -> None:
    summary = replay(ReplayPlan(settings(tmp_path, broker.port), (recording(tmp_path, 11),), pace=Pace("rate", 50.0)))
    assert summary.seconds >= 0.2  # ten distances of 20 ms


@pytest.mark.broker
def test_many_messages_flow_at_most_speed(tmp_path: Path, broker: EmbeddedBroker, listener: Listener) -> None:
    path = tmp_path / "long.csv"
    rows = [f"{1_600_000_000 + row};{row}" for row in range(2_000)]
    path.write_text("\n".join(["time;Current", *rows]))
    summary = replay(ReplayPlan(settings(tmp_path, broker.port), (path,), pace=Pace("max")))
    assert summary.acknowledged == 2_000
    listener.wait_for(2_000)
    assert [body["seq"] for _, body in listener.received] == list(range(2_000))


@pytest.mark.broker
def test_a_broker_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.adapters.replay_source._SILENCE_S", 1.0)
    running = EmbeddedBroker.start(data_dir=tmp_path / "broker")
    with ReplayPublisher(BrokerSettings(port=running.port), "dying") as publisher:
        publisher.publish("a", b"{}")
        publisher.drain()
        running.stop()
        publisher.publish("a", b"{}")
        with pytest.raises(UnreachableError, match="1 of 2 messages are not acknowledged"):
            publisher.drain()


def test_no_broker_is_told(tmp_path: Path) -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else answers there
        plan = ReplayPlan(settings(tmp_path, held.getsockname()[1]), (recording(tmp_path),))
        with pytest.raises(UnreachableError, match=r"cannot reach 127\.0\.0\.1"):
            replay(plan)


def test_old_times_that_the_agent_would_quarantine_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    plan = ReplayPlan.parse(settings(tmp_path), [recording(tmp_path)], None, restamp="keep")
    with pytest.raises(AgentError, match=r"further from now than the agent takes.*max_clock_skew_s = "):
        replay(plan)


def test_images_go_into_the_watched_folder_under_names_of_their_own(tmp_path: Path) -> None:
    plan = ReplayPlan.parse(settings(tmp_path), [], image_folder(tmp_path), rate="max")
    assert replay(plan).images == 3
    watched = {path.name: path.read_bytes() for path in (tmp_path / "watched").iterdir()}
    assert watched == {"good-a.png": b"good/a.png", "bad-a.png": b"bad/a.png", "b.JPG": b"bad/b.JPG"}
    assert replay(plan).images == 3
    assert len(list((tmp_path / "watched").iterdir())) == 6  # a second replay overwrites nothing


def test_images_are_shuffled_by_seed_and_the_order_is_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.png").touch()
    placed: list[str] = []
    monkeypatch.setattr("edge_agent.commands.replaying.put_image", lambda _source, _folder, name: placed.append(name))
    orders: dict[int | None, list[str]] = {}
    for seed in (None, 1, 2, 1):
        placed.clear()
        replay(ReplayPlan.parse(settings(tmp_path), [], folder, rate="max", shuffle=seed))
        if seed in orders:
            assert placed == orders[seed]
        orders[seed] = list(placed)
    assert orders[None] == sorted(orders[None])
    assert len({tuple(order) for order in orders.values()}) == 3
    assert sorted(orders[1]) == orders[None]


def test_put_image_never_overwrites(tmp_path: Path) -> None:
    source = tmp_path / "s.png"
    source.write_bytes(b"new")
    folder = tmp_path / "in"
    assert [put_image(source, folder, "a.png") for _ in range(3)] == ["a.png", "a-2.png", "a-3.png"]
    assert sorted(path.name for path in folder.iterdir()) == ["a-2.png", "a-3.png", "a.png"]


def test_which_station_gets_the_images(tmp_path: Path) -> None:
    folder = image_folder(tmp_path)
    with pytest.raises(AgentError, match="which station"):
        replay(ReplayPlan.parse(settings(tmp_path), [], folder, station="none", rate="max"))
    with pytest.raises(AgentError, match="no images"):
        images_below(tmp_path / "watched")


@pytest.mark.parametrize(
    ("rate", "restamp", "time_zone", "message"),
    [
        ("fast", "now", "UTC", "not a rate"),
        ("max", "later", "UTC", "not a way to stamp"),
        ("max", "now", "Mars/Olympus", "not a time zone"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, rate: str, restamp: str, time_zone: str, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        ReplayPlan.parse(
            settings(tmp_path), [tmp_path / "a.csv"], None, rate=rate, restamp=restamp, time_zone=time_zone
        )


def test_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="nothing to replay"):
        ReplayPlan.parse(settings(tmp_path), [], None)


def test_a_file_of_a_korean_office_program_is_read(tmp_path: Path) -> None:
    path = tmp_path / "기록.csv"
    path.write_bytes("일시,전류\n2026-01-01 09:00:00,1.5\n".encode("cp949"))
    from zoneinfo import ZoneInfo

    read = RecordedReadings(path, ZoneInfo("Asia/Seoul"))
    assert read.layout.columns == ("일시", "전류")
    assert [row.values for row in read.rows()] == [{"전류": 1.5}]
    assert read.first_us() == 1_767_225_600_000_000


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    with pytest.raises(AgentError, match="No such file"):
        RecordedReadings(tmp_path / "none.csv", ZoneInfo("UTC"))
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01\xff")
    with pytest.raises(AgentError, match="is no text"):
        RecordedReadings(tmp_path / "x.csv", ZoneInfo("UTC"))


@pytest.mark.data
@pytest.mark.skipif(not SKAB.exists(), reason="needs the SKAB recordings beside the checkout: ../shared/data/skab")
def test_a_real_recording_is_read() -> None:
    from zoneinfo import ZoneInfo

    read = RecordedReadings(SKAB, ZoneInfo("UTC"))
    rows = list(read.rows())
    assert len(rows) == read.row_count == 1_147
    assert rows[0].values["Volume Flow RateRMS"] == 32.0
    assert all(len(row.values) == 10 and not row.unusable for row in rows)
