from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.seed_file import read_or_make_seed
from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_seed_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.seed"

    seed = read_or_make_seed(path)

    assert len(seed) == 32
    assert read_or_make_seed(path) == seed
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["audit.seed"]
    assert read_or_make_seed(tmp_path / "other" / "audit.seed") != seed


def test_agents_that_start_at_once_share_one_seed(tmp_path: Path) -> None:
    path, found, ready = tmp_path / "audit.seed", [], threading.Barrier(8)

    def start() -> None:
        ready.wait()
        found.append(read_or_make_seed(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert set(found) == {path.read_bytes()}


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_what_is_no_seed_is_refused_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audit.seed"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="not a seed of 32"):
        read_or_make_seed(path)
    assert path.read_bytes() == content


def test_a_seed_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.seed"
    read_or_make_seed(path)
    path.chmod(0o640)

    with pytest.raises(ConfigError, match="chmod 600"):
        read_or_make_seed(path)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    path = tmp_path / "audit.seed"
    path.mkdir()

    with pytest.raises(ConfigError, match="cannot be kept"):
        read_or_make_seed(path)
