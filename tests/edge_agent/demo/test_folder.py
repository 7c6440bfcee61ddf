"""The demo deletes nothing that it has not made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_agent.demo.folder import MARKER, DemoFolder
from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_its_own_folder_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    with DemoFolder(path) as folder:
        (folder / "old").mkdir()
        (folder / "old" / "file").touch()
        (folder / "file").touch()
    with DemoFolder(path) as folder:
        assert [entry.name for entry in folder.iterdir()] == [MARKER]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    with DemoFolder(tmp_path) as folder:
        assert folder == tmp_path


def test_a_link_inside_is_removed_and_its_target_left(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    with DemoFolder(tmp_path / "demo") as folder:
        (folder / "link").symlink_to(kept)
    with DemoFolder(tmp_path / "demo") as folder:
        assert not (folder / "link").is_symlink()
    assert (kept / "file").exists()


def test_a_strangers_folder_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("work", "utf-8")
    with pytest.raises(ConfigError, match="holds files that the demo has not made"), DemoFolder(tmp_path):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="not a plain folder"), DemoFolder(tmp_path / "link"):
        pass


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with DemoFolder(tmp_path) as folder:
        (folder / "running").touch()
        with pytest.raises(ConfigError, match="in use by another demo"), DemoFolder(tmp_path):
            pass
        assert (folder / "running").exists()
