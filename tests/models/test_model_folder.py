from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from models import model_folder
from models.errors import FolderRefusedError
from models.manifest import MANIFEST_NAME, digest_of
from models.model_folder import read_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(image_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(image_model, tmp_path / "ring")


def test_a_sound_folder_is_read_whole(image_model: Path) -> None:
    model = read_model(image_model)
    assert model.manifest.label == "ring@1"
    assert model.digest == digest_of((image_model / MANIFEST_NAME).read_bytes())
    assert sorted(model.contents) == [
        "card.md",
        "golden/1.png",
        "golden/2.png",
        "golden/3.png",
        "golden/expected.json",
        "manifest.toml",
        "model.onnx",
    ]
    assert model.graph == (image_model / "model.onnx").read_bytes()


def test_one_changed_bit_is_refused(copy: Path) -> None:
    content = bytearray((copy / "model.onnx").read_bytes())
    content[1000] ^= 1
    (copy / "model.onnx").write_bytes(content)
    with pytest.raises(FolderRefusedError, match="not the one in the manifest") as caught:
        read_model(copy)
    assert caught.value.field == "model.onnx"


@pytest.mark.parametrize("name", ["weights.bin", "golden/4.png", "deep/er/x"])
def test_an_extra_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(b"x")
    with pytest.raises(FolderRefusedError, match="manifest differ"):
        read_model(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "card.md").unlink()
    with pytest.raises(FolderRefusedError, match="manifest differ") as caught:
        read_model(copy)
    assert caught.value.value == ["card.md"]


def test_a_symlink_is_refused_even_to_the_same_bytes(copy: Path, image_model: Path) -> None:
    (copy / "card.md").unlink()
    (copy / "card.md").symlink_to(image_model / "card.md")
    with pytest.raises(FolderRefusedError, match="links are not allowed"):
        read_model(copy)


def test_a_linked_folder_is_refused(image_model: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(image_model)
    with pytest.raises(FolderRefusedError, match="no model folder"):
        read_model(tmp_path / "link")


def test_a_hard_link_is_refused(copy: Path, tmp_path: Path) -> None:
    os.link(copy / "card.md", tmp_path / "second-name")
    with pytest.raises(FolderRefusedError, match="hard link"):
        read_model(copy)


def test_a_pipe_is_refused(copy: Path) -> None:
    os.mkfifo(copy / "pipe")
    with pytest.raises(FolderRefusedError, match="only plain files"):
        read_model(copy)


def test_a_signature_may_be_there_and_proves_nothing(copy: Path) -> None:
    (copy / "SIGNATURE").write_bytes(b"anything")
    assert "SIGNATURE" not in read_model(copy).contents


def test_no_manifest_and_no_folder(copy: Path, tmp_path: Path) -> None:
    (copy / MANIFEST_NAME).unlink()
    with pytest.raises(FolderRefusedError, match="has no manifest"):
        read_model(copy)
    with pytest.raises(FolderRefusedError, match="no model folder"):
        read_model(tmp_path / "nowhere")


def test_sizes_and_counts_are_bounded(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_folder, "MAX_FILE_BYTES", 100)
    with pytest.raises(FolderRefusedError, match="too large"):
        read_model(copy)
    monkeypatch.setattr(model_folder, "MAX_FILES", 3)
    with pytest.raises(FolderRefusedError, match="too many files"):
        read_model(copy)
