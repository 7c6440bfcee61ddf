"""Sparkplug B: what a codec makes of births, data, deaths, gaps, redeliveries and nonsense."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.adapters.sparkplug_codec import SPARKPLUG_REASONS, SparkplugCodec
from edge_agent.adapters.sparkplug_payload import PAYLOAD, parse
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.payloads.sparkplug.values import DataType, RawMetric, value_of
from edge_agent.payloads.values import REASONS
from edge_agent.readings import Quality
from edge_agent.settings.mqtt import MqttSourceSettings, SparkplugDevice, SparkplugSettings

if TYPE_CHECKING:
    from edge_agent.ports import Decoded

NOW_MS = 1_767_225_600_000
PRESS = SparkplugDevice(
    group="g", node="n", device="press", line="l", asset="press", channels={"temp": "Cel"}, metrics={"In/A3": "temp"},
    minimum=-50.0, maximum=500.0,
)  # fmt: skip
OVEN = SparkplugDevice(group="g", node="n", device="oven", line="l", asset="oven", channels={"temp": "Cel"})


def payload(seq: int | None, *metrics: dict[str, Any], at_ms: int | None = NOW_MS) -> bytes:
    message = PAYLOAD()
    if seq is not None:
        message.seq = seq
    if at_ms is not None:
        message.timestamp = at_ms
    for metric in metrics:
        message.metrics.add(**metric)
    return bytes(message.SerializeToString())


def double(value: float, *, alias: int = 7, **more: Any) -> dict[str, Any]:
    return {"alias": alias, "datatype": 10, "double_value": value, **more}


def bd_seq(number: int) -> dict[str, Any]:
    return {"name": "bdSeq", "datatype": 4, "long_value": number}


class Host:
    """A codec with a clock in hand and a list of the births it asked for."""

    def __init__(self, cooldown_s: float = 30.0) -> None:
        self.asked: list[tuple[str, str]] = []
        sparkplug = SparkplugSettings(devices=(PRESS, OVEN), rebirth_cooldown_s=cooldown_s)
        self.codec = SparkplugCodec(MqttSourceSettings(sparkplug=sparkplug), lambda *node: self.asked.append(node))
        self.seconds = 0.0

    def hear(self, kind: str, content: bytes, device: str = "", *, retained: bool = False) -> Decoded:
        topic = f"spBv1.0/g/{kind}/n" + (f"/{device}" if device else "")
        received = Instant(NOW_MS * 1_000 + round(self.seconds * 1e6), round(self.seconds * 1e9), "boot")
        return self.codec.decode(topic, content, received, retained=retained)

    def reason(self, kind: str, content: bytes, device: str = "", *, retained: bool = False) -> str:
        with pytest.raises(PoisonMessageError) as refused:
            self.hear(kind, content, device, retained=retained)
        assert refused.value.reason in SPARKPLUG_REASONS.keys() | REASONS.keys()
        return refused.value.reason

    def born(self, *, alias: int = 7) -> Host:
        self.hear("NBIRTH", payload(0, bd_seq(1)))
        self.hear("DBIRTH", payload(1, double(20.0, alias=alias, name="In/A3")), "press")
        return self


def outcome(host: Host, kind: str, content: bytes, device: str) -> str:
    try:
        host.hear(kind, content, device)
    except PoisonMessageError as error:
        return error.reason
    return "read"


OUTCOMES = {"read"} | SPARKPLUG_REASONS.keys() | REASONS.keys()


def values(decoded: Decoded) -> list[tuple[float, int]]:
    return [(reading.value, reading.quality) for reading in decoded.readings]


def test_data_without_a_birth_is_quarantined_and_the_birth_asked_for_once_in_a_cooldown() -> None:
    host = Host(cooldown_s=30.0)
    for second in range(31):
        host.seconds = second
        assert host.reason("DDATA", payload(second, double(1.0)), "press") == "no_birth"
    assert host.asked == [("g", "n"), ("g", "n")]  # at 0 s and at 30 s


def test_a_gap_asks_for_a_rebirth_and_makes_values_uncertain_until_the_next_birth() -> None:
    host = Host().born()
    assert values(host.hear("DDATA", payload(2, double(21.0)), "press")) == [(21.0, Quality.GOOD)]
    after_loss = host.hear("DDATA", payload(6, double(22.0)), "press")  # 3, 4 and 5 are missing
    assert values(after_loss) == [(22.0, Quality.UNCERTAIN)]
    assert after_loss.mark is not None
    assert after_loss.mark.number == 6
    assert host.asked == [("g", "n")]
    assert values(host.hear("DDATA", payload(7, double(23.0)), "press")) == [(23.0, Quality.UNCERTAIN)]
    host.hear("NBIRTH", payload(0, bd_seq(1), at_ms=NOW_MS + 1))
    host.hear("DBIRTH", payload(1, double(24.0, alias=9, name="In/A3")), "press")
    again = host.hear("DDATA", payload(2, double(25.0, alias=9)), "press")
    assert values(again) == [(25.0, Quality.GOOD)]
    assert again.mark is not None
    assert (again.mark.epoch, again.mark.number) == (f"1.{NOW_MS + 1}", 2)
    assert len(host.asked) == 1


def test_numbers_run_on_over_255() -> None:
    host = Host().born()
    for number in range(2, 600):
        decoded = host.hear("DDATA", payload(number % 256, double(float(number))), "press")
        assert decoded.mark is not None
        assert decoded.mark.number == number
    assert not host.asked


def test_a_redelivery_is_decoded_as_the_first_time_even_after_a_new_birth() -> None:
    host = Host().born(alias=7)
    content = payload(2, double(21.0, alias=7))
    first = host.hear("DDATA", content, "press")
    host.hear("DBIRTH", payload(3, double(0.0, alias=7, name="Other")), "press")  # alias 7 means another metric now
    assert host.hear("DDATA", content, "press") == first
    following = host.hear("DDATA", payload(4, double(9.0, alias=7)), "press")
    assert following.readings == []
    assert following.refused is None
    assert not host.asked


def test_a_death_makes_its_machines_silent_and_its_values_unknown() -> None:
    host = Host().born()
    died = host.hear("NDEATH", payload(None, bd_seq(1)))
    assert [(silence.line, silence.asset) for silence in died.silent] == [("l", "press"), ("l", "oven")]
    assert host.reason("DDATA", payload(2, double(1.0)), "press") == "no_birth"
    assert host.asked == [("g", "n")]
    assert host.hear("NDEATH", payload(None, bd_seq(1))).silent == ()  # told already


def test_the_death_of_an_earlier_life_says_nothing_about_this_one() -> None:
    host = Host()
    host.hear("NBIRTH", payload(0, bd_seq(1)))
    host.hear("NBIRTH", payload(0, bd_seq(2), at_ms=NOW_MS + 1))
    host.hear("DBIRTH", payload(1, double(20.0, name="In/A3")), "press")
    assert host.hear("NDEATH", payload(None, bd_seq(1))).silent == ()
    assert values(host.hear("DDATA", payload(2, double(1.0)), "press")) == [(1.0, Quality.GOOD)]


def test_a_device_dies_alone() -> None:
    host = Host().born()
    died = host.hear("DDEATH", payload(2), "press")
    assert [silence.asset for silence in died.silent] == ["press"]
    late = host.hear("DDATA", payload(3, double(1.0)), "press")
    assert late.refused is not None
    assert (late.refused.reason, list(late.readings)) == ("no_birth", [])
    assert late.mark is not None  # it was heard, and is no gap


def test_one_bad_metric_is_refused_and_the_others_stand() -> None:
    host = Host().born()
    decoded = host.hear("DDATA", payload(2, double(1.0, alias=99), double(21.0)), "press")
    assert values(decoded) == [(21.0, Quality.GOOD)]
    assert decoded.refused is not None
    assert decoded.refused.reason == "unknown_metric"
    assert host.asked == [("g", "n")]


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ({"alias": 7, "datatype": 10, "double_value": float("nan")}, "not_finite"),
        ({"alias": 7, "datatype": 12, "string_value": "21"}, "wrong_type"),
        ({"alias": 7, "datatype": 10, "int_value": 21}, "wrong_type"),
        ({"alias": 7, "datatype": 16, "dataset_value": b""}, "unsupported_datatype"),
        ({"alias": 7, "datatype": 19, "template_value": b""}, "unsupported_datatype"),
        ({"alias": 7, "datatype": 99, "int_value": 1}, "unsupported_datatype"),
        ({"alias": 7, "datatype": 13, "long_value": 5}, "wrong_type"),
        ({"alias": 7, "datatype": 5, "int_value": 256}, "wrong_value"),
        ({"alias": 7, "double_value": 1.0, "timestamp": NOW_MS + 3_600_000}, "clock_ahead"),
        ({"alias": 7, "double_value": 1.0, "timestamp": NOW_MS - 2 * 86_400_000}, "clock_skew"),
    ],
)
def test_what_cannot_be_a_reading_has_its_reason(metric: dict[str, Any], reason: str) -> None:
    decoded = Host().born().hear("DDATA", payload(2, metric), "press")
    assert decoded.refused is not None
    assert (decoded.refused.reason, list(decoded.readings)) == (reason, [])


def test_impossible_values_are_kept_and_flagged_and_null_is_no_reading() -> None:
    host = Host().born()
    assert values(host.hear("DDATA", payload(2, double(900.0)), "press")) == [(900.0, Quality.BAD)]
    assert values(host.hear("DDATA", payload(3, {"alias": 7, "is_null": True}), "press")) == []


@pytest.mark.parametrize(
    ("kind", "device", "content", "reason"),
    [
        ("NBIRTH", "", payload(None, bd_seq(1)), "missing_seq"),
        ("NBIRTH", "", payload(256, bd_seq(1)), "missing_seq"),
        ("NBIRTH", "", payload(0, bd_seq(1), at_ms=None), "missing_ts"),
        ("NBIRTH", "", b"\xff\xff", "not_sparkplug"),
        ("NBIRTH", "", bytes.fromhex("12030a01ff"), "bad_utf8"),
        ("NBIRTH", "press", payload(0), "bad_topic"),
        ("DDATA", "", payload(0), "bad_topic"),
        ("NCMD", "", payload(0), "bad_topic"),
    ],
)
def test_poison_has_its_reason(kind: str, device: str, content: bytes, reason: str) -> None:
    assert Host().reason(kind, content, device) == reason


def test_a_retained_message_is_poison() -> None:
    assert Host().reason("NBIRTH", payload(0, bd_seq(1)), retained=True) == "retained_without_ts"


@pytest.mark.parametrize(
    ("datatype", "code", "items"),
    [
        (DataType.INT8ARRAY, "<3b", (-1, 0, 127)),
        (DataType.INT16ARRAY, "<2h", (-300, 300)),
        (DataType.INT32ARRAY, "<1i", (-5,)),
        (DataType.INT64ARRAY, "<1q", (-(2**63),)),
        (DataType.UINT64ARRAY, "<1Q", (2**64 - 1,)),
        (DataType.FLOATARRAY, "<2f", (0.5, -1.25)),
        (DataType.DOUBLEARRAY, "<1d", (0.1,)),
        (DataType.DATETIMEARRAY, "<1q", (NOW_MS,)),
    ],
)
def test_arrays(datatype: DataType, code: str, items: tuple[float, ...]) -> None:
    assert value_of(datatype, _binary(struct.pack(code, *items))) == items


def test_arrays_of_truths_and_texts() -> None:
    # nine truths take two bytes; the first is the highest bit
    truths = value_of(DataType.BOOLEANARRAY, _binary(b"\x09\x00\x00\x00\xa0\x80"))
    assert truths == (True, False, True, False, False, False, False, False, True)
    assert value_of(DataType.STRINGARRAY, _binary("금형\0b\0".encode())) == ("금형", "b")
    for datatype, torn in (
        (DataType.BOOLEANARRAY, b"\x09\x00\x00\x00\xa0"),
        (DataType.STRINGARRAY, b"no end"),
        (DataType.INT32ARRAY, b"\0\0\0"),
    ):
        with pytest.raises(PoisonMessageError) as refused:
            value_of(datatype, _binary(torn))
        assert refused.value.reason == "wrong_value"


def _binary(raw: bytes) -> RawMetric:
    return RawMetric("m", None, None, None, historical=False, null=False, field="bytes_value", raw=raw)


@given(st.sampled_from([(1, 8), (2, 16), (3, 32), (4, 64)]), st.integers(-(2**63), 2**63 - 1), st.data())
def test_signed_integers_in_any_width_of_twos_complement(
    kind: tuple[int, int], number: int, data: st.DataObject
) -> None:
    datatype, bits = kind
    value = (number + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
    width = data.draw(st.sampled_from([width for width in (32, 64) if width >= bits]))
    field = "int_value" if width == 32 else "long_value"
    message = PAYLOAD()
    message.metrics.add(name="m", datatype=datatype, **{field: value % (1 << width)})
    (metric,) = parse(bytes(message.SerializeToString()), 1_000).metrics
    assert value_of(datatype, metric) == value


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-50.0, max_value=500.0), st.integers(0, 255))
def test_a_double_comes_through_unchanged(value: float, seq: int) -> None:
    host = Host()
    host.hear("NBIRTH", payload(seq, bd_seq(1)))
    host.hear("DBIRTH", payload((seq + 1) % 256, double(0.0, name="In/A3")), "press")
    assert values(host.hear("DDATA", payload((seq + 2) % 256, double(value)), "press")) == [(value, Quality.GOOD)]
    assert not host.asked


@settings(max_examples=200)
@given(st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"]), st.binary(max_size=200))
def test_any_bytes_decode_or_are_poison(kind: str, content: bytes) -> None:
    assert outcome(Host().born(), kind, content, "press" if kind[0] == "D" else "") in OUTCOMES


def test_ten_thousand_mutilated_births_and_data() -> None:
    chance = random.Random(5)
    host = Host().born()
    seen: set[str] = set()
    originals = [
        ("NBIRTH", "", payload(0, bd_seq(1))),
        ("DBIRTH", "press", payload(1, double(20.0, name="In/A3"))),
        ("DDATA", "press", payload(2, double(21.0), double(1.0, alias=8))),
        ("NDEATH", "", payload(None, bd_seq(1))),
    ]
    for _ in range(10_000):
        kind, device, content = chance.choice(originals)
        torn = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            torn[chance.randrange(len(torn))] = chance.randrange(256)
        seen.add(outcome(host, kind, bytes(torn[: chance.randint(1, len(torn))]), device))
    assert seen <= OUTCOMES
    assert {"read", "not_sparkplug", "no_birth", "bad_utf8"} <= seen
