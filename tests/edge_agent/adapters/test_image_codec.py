"""Image bytes over MQTT become frames of a station."""

from __future__ import annotations

import hashlib

import pytest

from edge_agent.adapters.image_codec import ImageCodec, ImageStation
from edge_agent.errors import ConfigError, PoisonMessageError
from edge_agent.inspection.inspections import Frame
from edge_agent.instant import Instant
from edge_agent.settings.mqtt import ImageTopic

NOW = Instant(1_735_689_600_000_000, 5, "boot")
STATION = ImageStation("press-1", "out", "bracket-a", max_bytes=1_000)
CODEC = ImageCodec(
    [ImageTopic(pattern="cam/out/{part}", station="out"), ImageTopic(pattern="cam/plain", station="out")], [STATION]
)
IMAGE = b"\xff\xd8\xff\xe0 and so on"
DIGEST = hashlib.sha256(IMAGE).hexdigest()[:32]


def test_a_payload_is_a_frame_of_its_part() -> None:
    decoded = CODEC.decode("cam/out/부품-17", IMAGE, NOW, retained=False)
    key = f"press-1/out/부품-17/{DIGEST}"
    assert decoded.frames == (Frame(key, "press-1", "out", "부품-17", "bracket-a", NOW, IMAGE, "부품-17"),)
    assert decoded.refused is None
    assert CODEC.decode("cam/out/부품-17", IMAGE, NOW, retained=False) == decoded


def test_without_a_part_in_the_topic_the_image_names_it() -> None:
    (frame,) = CODEC.decode("cam/plain", IMAGE, NOW, retained=False).frames
    assert (frame.part_id, frame.key) == (DIGEST[:16], f"press-1/out/{DIGEST[:16]}/{DIGEST}")


def test_a_giant_is_cut_and_quarantined_and_still_a_part_without_verdict() -> None:
    decoded = CODEC.decode("cam/out/1", b"x" * 2_000, NOW, retained=False)
    assert len(decoded.frames[0].encoded) == 1_001  # more than the decoder takes, so that it refuses it
    assert decoded.refused is not None
    assert decoded.refused.reason == "image_too_large"


def test_a_part_without_an_image_is_quarantined_and_still_a_part_without_verdict() -> None:
    decoded = CODEC.decode("cam/out/1", b"", NOW, retained=False)
    assert [(frame.part_id, frame.encoded) for frame in decoded.frames] == [("1", b"")]
    assert decoded.refused is not None
    assert decoded.refused.reason == "empty"


@pytest.mark.parametrize(
    ("topic", "payload", "retained", "expected"),
    [
        ("cam/plain", b"", False, "empty"),
        ("cam/plain", IMAGE, True, "retained_without_ts"),
        ("cam/out/", IMAGE, False, "bad_part"),
        ("cam/out/a\x07b", IMAGE, False, "bad_part"),
        ("cam/out/" + "p" * 257, IMAGE, False, "bad_part"),
        ("cam/other", IMAGE, False, "unmapped_topic"),
    ],
)
def test_poison_has_its_reason(topic: str, payload: bytes, retained: bool, expected: str) -> None:  # noqa: FBT001 - a table's column
    with pytest.raises(PoisonMessageError) as refused:
        CODEC.decode(topic, payload, NOW, retained=retained)
    assert refused.value.reason == expected


def test_a_malformed_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="malformed"):
        ImageCodec([ImageTopic(pattern="cam/{part}/{part}", station="out")], [STATION])
