"""Exports of an agent's events as files: JSON lines, plain, gzip or zstd."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import zstandard

from roi_tracker.errors import IntakeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO


def read_export(path: Path) -> Iterator[bytes]:
    """Lines of an export, unpacked as they are read.

    Raises:
        IntakeError: the file is missing, cannot be read or is damaged.
    """
    try:
        with path.open("rb") as packed:
            yield from _unpacked(path, packed)
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise IntakeError(
            f"{path.name} cannot be read: {error}", hint="check path and rights, or export again"
        ) from error


def _unpacked(path: Path, packed: IO[bytes]) -> Iterator[bytes]:
    match path.suffix:
        case ".gz":
            with gzip.open(packed) as plain:
                yield from plain
        case ".zst":
            with zstandard.ZstdDecompressor().stream_reader(packed) as plain:
                yield from _lines(plain)
        case _:
            yield from packed


def _lines(stream: zstandard.ZstdDecompressionReader) -> Iterator[bytes]:
    """Split a decompressed stream into lines (the reader itself has none)."""
    rest = b""
    while chunk := stream.read(1 << 20):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
