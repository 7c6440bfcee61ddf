"""CSV lines: one sample a line, and the reason of everything that is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.csv_codec import CsvCodec
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.strict_csv import CSV_REASONS
from edge_agent.payloads.values import REASONS
from edge_agent.readings import Channel, Reading, SequenceMark
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings

NOW_S = 1_735_689_600  # 2025-01-01T00:00:00Z
NOW = Instant(NOW_S * 1_000_000, 0, "boot")
TEMP, CURRENT = Channel("l", "ram", "temp", "Cel"), Channel("l", "ram", "current", "A")
CODEC = CsvCodec(
    MqttSourceSettings(
        readings=(
            ChannelTopic(
                filter="c", line="l", asset="ram", channels={"temp": "Cel", "current": "A"},
                format="csv", columns=("ts", "seq", "temp", "remark", "current"),
            ),
            ChannelTopic(
                filter="semi", line="l", asset="ram", channel="temp", unit="Cel",
                format="csv", columns=("value",), delimiter=";",
            ),
            ChannelTopic(
                filter="tab", line="l", asset="ram", channel="temp", unit="Cel",
                format="csv", columns=("ts", "value"), delimiter="tab",
            ),
        ),
        max_payload_bytes=10_000,
    )
)  # fmt: skip


def reason(topic: str, payload: bytes) -> str:
    try:
        CODEC.decode(topic, payload, NOW, retained=False)
    except PoisonMessageError as error:
        return error.reason
    return "read"


def test_a_line_is_a_sample() -> None:
    decoded = CODEC.decode("c", f'{NOW_S},7,21.5,"a, remark",3\r\n'.encode(), NOW, retained=False)
    assert decoded.readings == [Reading(TEMP, NOW.utc_us, 21.5), Reading(CURRENT, NOW.utc_us, 3.0)]
    assert decoded.mark == SequenceMark("c", "0", 7)


def test_lines_are_a_batch_with_or_without_a_header_and_empty_fields_are_no_readings() -> None:
    text = "\ufeffts,seq,temp,remark,current\n2024-12-31T23:59:58Z,,1e1,,\n2024-12-31T23:59:59Z,,,,-.5\n"
    decoded = CODEC.decode("c", text.encode(), NOW, retained=False)
    assert decoded.readings == [
        Reading(TEMP, (NOW_S - 2) * 1_000_000, 10.0),
        Reading(CURRENT, (NOW_S - 1) * 1_000_000, -0.5),
    ]


def test_other_separators() -> None:
    assert CODEC.decode("semi", b"21.5", NOW, retained=False).readings == [Reading(TEMP, NOW.utc_us, 21.5)]
    tabbed = CODEC.decode("tab", f"{NOW_S - 1}\t4".encode(), NOW, retained=False)
    assert tabbed.readings == [Reading(TEMP, (NOW_S - 1) * 1_000_000, 4.0)]


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("semi", b"", "empty"),
        ("semi", b"\n\n", "empty"),
        ("semi", b"value\n", "empty"),
        ("semi", b"3,14", "decimal_comma"),
        ("semi", b"NaN", "not_finite"),
        ("semi", b"-inf", "not_finite"),
        ("semi", b"1e999", "number_out_of_range"),
        ("semi", b"9" * 400, "number_out_of_range"),
        ("semi", b"true", "wrong_type"),
        ("semi", b"0x10", "wrong_type"),
        ("semi", b"1_000", "wrong_type"),
        ("semi", "२".encode(), "wrong_type"),
        ("semi", b"1;2", "wrong_columns"),
        ("semi", b"1\n2\n", "missing_ts"),
        ("semi", b'"1', "not_csv"),
        ("semi", b"1\0", "nul"),
        ("semi", b"\xff", "bad_utf8"),
        ("semi", b"\x1f\x8b123", "compressed"),
        ("semi", b"1" * 10_001, "too_large"),
        ("c", b"2024-12-31 23:59:59,1,1,,1", "no_time_zone"),
        ("c", b"yesterday,1,1,,1", "bad_timestamp"),
        ("c", f"{NOW_S},1.5,1,,1".encode(), "wrong_type"),
        ("x", b"1", "unmapped_topic"),
    ],
)
def test_poison_has_its_reason(topic: str, payload: bytes, expected: str) -> None:
    assert reason(topic, payload) == expected


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_through_unchanged(numbers: list[float]) -> None:
    text = "".join(f"{NOW_S - 1 - index}\t{number!r}\n" for index, number in enumerate(numbers))
    assert [each.value for each in CODEC.decode("tab", text.encode(), NOW, retained=False).readings] == numbers


@given(
    st.sampled_from(["c", "semi", "tab"]), st.binary(max_size=60) | st.text('1,;.\n"\te-', max_size=60).map(str.encode)
)
def test_any_bytes_decode_or_are_poison(topic: str, payload: bytes) -> None:
    assert reason(topic, payload) in {"read"} | REASONS.keys() | CSV_REASONS.keys()
