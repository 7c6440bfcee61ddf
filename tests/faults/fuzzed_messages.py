"""Messages in all forms for the fuzzing of payloads: good ones, poison by construction, and torn good ones."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import msgspec

from edge_agent.adapters.sparkplug_payload import PAYLOAD

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

BASE_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, the plant's clock in this test
SPREAD_MS = 3_600_000  # good stamps lie this far before it
WAVES = 50  # channels of waveforms: so many that one channel's blocks lie apart


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
