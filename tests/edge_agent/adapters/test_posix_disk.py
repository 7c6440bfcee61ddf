from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.posix_disk import PosixDisk
from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 1_000_000


def test_the_ballast_takes_real_room_once_and_gives_it_back(tmp_path: Path) -> None:
    disk = PosixDisk(tmp_path, SIZE)
    assert not disk.ballast()
    disk.take_ballast()
    disk.take_ballast()
    seen = (tmp_path / "ballast").stat()
    assert disk.ballast()
    assert seen.st_size == SIZE
    assert seen.st_blocks * 512 >= SIZE
    assert disk.drop_ballast() == SIZE
    assert disk.drop_ballast() == 0
    assert not disk.ballast()


def test_one_of_another_size_is_made_anew(tmp_path: Path) -> None:
    PosixDisk(tmp_path, SIZE).take_ballast()
    disk = PosixDisk(tmp_path, 2 * SIZE)
    assert not disk.ballast()
    disk.take_ballast()
    assert (tmp_path / "ballast").stat().st_size == 2 * SIZE


def test_where_none_is_wanted_it_is_always_there(tmp_path: Path) -> None:
    disk = PosixDisk(tmp_path, 0)
    disk.take_ballast()
    assert disk.ballast()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(StoreError, match="making the ballast: No space left"):
        PosixDisk(tmp_path, SIZE).take_ballast()
    assert list(tmp_path.iterdir()) == []


def test_free_room_is_what_the_file_system_says(tmp_path: Path) -> None:
    assert PosixDisk(tmp_path, 0).free_bytes() > 0
    with pytest.raises(StoreError, match="room that is left"):
        PosixDisk(tmp_path / "absent", 0).free_bytes()
