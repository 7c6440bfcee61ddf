"""Pictures that carry their own moment, so that a test knows how old a judged picture is, whatever the agent says."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 240
_BLOCK_W, _BLOCK_H = 40, 60
_BITS = 16
_DARK, _BRIGHT = 32, 224


def picture(number: int) -> NDArray[np.uint8]:
    """A picture with 16 bits of a number as blocks of light and dark, over a gradient."""
    pixels = np.repeat(np.linspace(60, 190, WIDTH, dtype=np.uint8)[None, :], HEIGHT, axis=0)
    for bit in range(_BITS):
        row, column = divmod(bit, 8)
        level = _BRIGHT if number >> bit & 1 else _DARK
        pixels[row * _BLOCK_H : (row + 1) * _BLOCK_H, column * _BLOCK_W : (column + 1) * _BLOCK_W] = level
    return np.repeat(pixels[:, :, None], 3, axis=2)


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The number in a picture."""
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, 8)
        block = pixels[
            row * _BLOCK_H + 15 : (row + 1) * _BLOCK_H - 15, column * _BLOCK_W + 10 : (column + 1) * _BLOCK_W - 10
        ]
        number |= int(block.mean() > (_DARK + _BRIGHT) / 2) << bit
    return number


def number_at(mono_ns: int, rate_hz: float) -> int:
    """The number of the picture that a camera takes at a moment."""
    return int(mono_ns * rate_hz / 1e9) & 0xFFFF


def age_s(encoded: bytes, mono_ns: int, rate_hz: float) -> float:
    """How old a picture is at a moment, seconds, from the picture itself; negative when it is of the future."""
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    behind = (number_at(mono_ns, rate_hz) - number_of(pixels.astype(np.uint8, copy=False))) & 0xFFFF
    return (behind if behind < 0x8000 else behind - 0x10000) / rate_hz


def jpeg(number: int) -> bytes:
    """A numbered picture as baseline JPEG, 4:2:0, with the standard Huffman tables."""
    done, data = cv2.imencode(".jpg", picture(number), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    return data.tobytes()


def rtp_payloads(encoded: bytes, most: int = 1_200) -> list[bytes]:
    """A JPEG as RTP payloads (RFC 2435, type 1, tables in band)."""
    tables, at = b"", 2
    while True:
        marker, length = encoded[at + 1], struct.unpack_from(">H", encoded, at + 2)[0]
        segment = encoded[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDB:
            while segment:
                tables += segment[1:65]
                segment = segment[65:]
        if marker == 0xDA:
            break
    scan = encoded[at : encoded.rindex(b"\xff\xd9")]
    payloads, offset = [], 0
    while offset < len(scan):
        head = struct.pack(">I", offset) + bytes([1, 255, WIDTH // 8, HEIGHT // 8])
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        piece = scan[offset : offset + most]
        payloads.append(head + piece)
        offset += len(piece)
    return payloads
