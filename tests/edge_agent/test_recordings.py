from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.errors import AgentError
from edge_agent.instant import to_us
from edge_agent.recordings import (
    Pace,
    Row,
    Track,
    layout_of,
    messages,
    parse_pace,
    publishable,
    rows_of,
    topic_for,
    unique_names,
)
from edge_agent.settings.mqtt import ChannelTopic

HEADER = "datetime;Current;Volume Flow RateRMS;anomaly;changepoint"
TOPIC = ChannelTopic(
    filter="skab/+/signals",
    line="lab",
    asset="pump",
    channels={"Current": "A", "Volume Flow RateRMS": "L/min", "anomaly": "1"},
)
T0 = to_us(datetime(2020, 3, 9, 10, 14, 33, tzinfo=UTC))
SECOND = 1_000_000


def rows(text: str, header: str = HEADER, zone: str = "UTC") -> list[Row]:
    return list(rows_of(layout_of("run.csv", header, ZoneInfo(zone)), text.splitlines()))


def test_a_skab_row() -> None:
    assert rows("2020-03-09 10:14:33;1.3302;32.0;0.0;0.0") == [
        Row(T0, {"Current": 1.3302, "Volume Flow RateRMS": 32.0, "anomaly": 0.0, "changepoint": 0.0})
    ]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2020-03-09 19:14:33", "Asia/Seoul"),
        ("2020-03-09T10:14:33Z", "Asia/Seoul"),
        ("2020-03-09T19:14:33+09:00", "UTC"),
        ("20200309101433", "UTC"),
        ("1583748873", "Asia/Seoul"),
        ("1583748873000", "Asia/Seoul"),
        ("1583748873000000", "Asia/Seoul"),
        ("1583748873000000000", "Asia/Seoul"),
    ],
)
def test_every_way_to_write_a_time(text: str, zone: str) -> None:
    assert [row.t_us for row in rows(f"{text};1;;;", zone=zone)] == [T0]


def test_a_compact_date_is_a_date() -> None:
    assert [row.t_us for row in rows("20200309;1;;;")] == [to_us(datetime(2020, 3, 9, tzinfo=UTC))]


def test_decimal_commas_empty_fields_and_what_is_no_number() -> None:
    assert rows("2020-03-09 10:14:33;1,5;;nan;bad\n\n2020-03-09 10:14:34;-2e3;inf;0;0") == [
        Row(T0, {"Current": 1.5}, unusable=2),
        Row(T0 + SECOND, {"Current": -2000.0, "anomaly": 0.0, "changepoint": 0.0}, unusable=1),
    ]


@pytest.mark.parametrize("header", ["time,a,b", "a\ttime\tb", "a|b|timestamp", "측정일시;a;b"])
def test_delimiter_and_time_column_are_found(header: str) -> None:
    layout = layout_of("run.csv", header, ZoneInfo("UTC"))
    assert len(layout.columns) == 3
    assert layout.columns[layout.time_column] in {"time", "timestamp", "측정일시"}


@pytest.mark.parametrize(
    ("header", "text", "message"),
    [
        ("time;a;a", "", "run.csv:1: column 'a' stands twice"),
        ("time", "", "run.csv:1: a time column and a column a sensor are needed"),
        ("", "", "run.csv:1: a time column"),
        (HEADER, "2020-03-09 10:14:33;1;2", "run.csv:2: 3 fields, the header has 5"),
        (HEADER, "\nyesterday;1;2;0;0", "run.csv:3: the time cannot be read"),
    ],
)
def test_what_makes_no_sense_is_told_with_file_and_line(header: str, text: str, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        rows(text, header)


def test_the_topic_that_takes_most_columns_is_chosen() -> None:
    other = ChannelTopic(filter="x", line="lab", asset="other", channels={"Current": "A"})
    scalar = ChannelTopic(filter="y", line="lab", asset="other", channel="Current")
    columns = HEADER.split(";")
    assert topic_for([scalar, other, TOPIC], columns) is TOPIC
    assert topic_for([scalar, other, TOPIC], columns, asset="other") is other
    with pytest.raises(AgentError, match="takes a column"):
        topic_for([other, TOPIC], ["time", "anomaly"])
    with pytest.raises(AgentError, match="takes a column"):
        topic_for([], columns)


def test_messages_bear_time_number_and_source_and_never_a_label() -> None:
    track = Track("run", TOPIC, iter(rows("2020-03-09 10:14:33;1.5;32.0;1.0;1.0\n2020-03-09 10:14:34;1.6;;1.0;1.0")))
    first, second = messages([track], begin_us=None)
    assert first.topic == "skab/replay/signals"
    assert json.loads(first.payload) == {
        "ts": "2020-03-09T10:14:33+00:00",
        "seq": 0,
        "epoch": "run 2020-03-09T10:14:33+00:00",
        "source": "run",
        "Current": 1.5,
        "Volume Flow RateRMS": 32.0,
    }
    assert json.loads(second.payload) == {
        "ts": "2020-03-09T10:14:34+00:00",
        "seq": 1,
        "epoch": "run 2020-03-09T10:14:33+00:00",
        "source": "run",
        "Current": 1.6,
    }
    assert [first.elapsed_us, second.elapsed_us] == [0, SECOND]


def test_restamped_rows_keep_their_distances_and_a_long_silence_becomes_a_minute() -> None:
    times = [T0, T0 + SECOND, T0 + 3 * SECOND, T0 + 86_400 * SECOND]
    track = Track("run", TOPIC, iter([Row(t_us, {"Current": 1.0}) for t_us in times]))
    sent = list(messages([track], begin_us=500 * SECOND))
    assert [message.stamp_us // SECOND for message in sent] == [500, 501, 503, 563]
    assert [message.elapsed_us // SECOND for message in sent] == [0, 1, 3, 63]


def test_recordings_play_together_and_number_themselves() -> None:
    one = Track("one", TOPIC, iter([Row(T0, {"Current": 1.0}), Row(T0 + 2 * SECOND, {"Current": 3.0})]))
    two = Track("two", TOPIC, iter([Row(T0 + SECOND, {"Current": 2.0})]))
    sent = [json.loads(message.payload) for message in messages([one, two], begin_us=None)]
    assert [(body["Current"], body["source"], body["seq"]) for body in sent] == [
        (1.0, "one", 0),
        (2.0, "two", 0),
        (3.0, "one", 1),
    ]


def test_a_row_without_a_mapped_value_sends_nothing_and_takes_no_number() -> None:
    track = Track("run", TOPIC, iter([Row(T0, {"anomaly": 1.0}, 2), Row(T0 + SECOND, {"Current": 1.0})]))
    silent, loud = messages([track], begin_us=None)
    assert (silent.topic, silent.payload, silent.unusable) == ("", b"", 2)
    assert json.loads(loud.payload)["seq"] == 0


def test_paces() -> None:
    assert parse_pace("real") == Pace("real")
    assert parse_pace("max") == Pace("max")
    assert parse_pace("50") == Pace("rate", 50.0)
    for text in ("0", "-1", "fast", "nan", ""):
        with pytest.raises(AgentError, match="not a rate"):
            parse_pace(text)


def test_wildcards_become_levels() -> None:
    assert publishable("plant/press-1/signals") == "plant/press-1/signals"


@given(st.lists(st.from_regex(r"([ab]/){0,2}[ab](-2)?\.(png|jpg)", fullmatch=True), unique=True, max_size=12))
def test_names_are_unique_and_keep_their_suffix(paths: list[str]) -> None:
    names = unique_names(paths)
    assert set(names) == set(paths)
    assert len(set(names.values())) == len(paths)
    assert all("/" not in name and name.endswith(path[-4:]) for path, name in names.items())
