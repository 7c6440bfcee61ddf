from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard

from roi_tracker.adapters.export_file import read_export
from roi_tracker.errors import IntakeError

if TYPE_CHECKING:
    from pathlib import Path

LINES = [b"x" * size for size in (1, 70_000, 3)]
CONTENT = b"\n".join(LINES) + b"\n"


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_all_packings_give_the_same_lines(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"export.{suffix}"
    packed = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(suffix.rpartition(".")[2], bytes)
    path.write_bytes(packed(CONTENT))
    assert [found.rstrip(b"\n") for found in read_export(path)] == LINES


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"none\.jsonl cannot be read"):
        list(read_export(tmp_path / "none.jsonl"))
    for suffix in ("gz", "zst"):
        damaged = tmp_path / f"bad.{suffix}"
        damaged.write_bytes(b"certainly not packed")
        with pytest.raises(IntakeError, match="cannot be read"):
            list(read_export(damaged))
