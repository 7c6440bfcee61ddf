from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from models.errors import ContractError, FolderRefusedError, RegistryError
from models.manifest import encode_manifest
from models.model_folder import ModelFolder, read_model
from models.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path


def _accept(_model: ModelFolder) -> None:
    return


def _version(image_model: Path, tmp_path: Path, version: int) -> Path:
    folder = shutil.copytree(image_model, tmp_path / f"v{version}")
    manifest = msgspec.structs.replace(read_model(folder).manifest, version=version)
    (folder / "manifest.toml").write_bytes(encode_manifest(manifest))
    return folder


def test_the_first_version_is_in_force_and_later_ones_wait(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    first = registry.install(image_model, _accept)
    second = registry.install(_version(image_model, tmp_path, 2), _accept)
    assert (first.version, first.active, second.version, second.active) == (1, True, 2, False)
    assert registry.read_active("ring").manifest.version == 1
    registry.promote("ring", 2)
    assert [(item.version, item.active) for item in registry.list()] == [(1, False), (2, True)]
    assert registry.active("ring") == tmp_path / "models" / "ring" / second.digest
    registry.promote("ring", 1)
    assert registry.read_active("ring").digest == first.digest


def test_installing_the_same_model_again_changes_nothing(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.install(image_model, _accept) == registry.install(image_model, _accept)
    assert len(registry.list()) == 1


def test_versions_of_a_name_only_grow(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    registry.install(_version(image_model, tmp_path, 3), _accept)
    with pytest.raises(RegistryError, match="only grow") as caught:
        registry.install(_version(image_model, tmp_path, 2), _accept)
    assert caught.value.hint == "teach it with --version 4"


def test_a_model_that_fails_its_check_leaves_nothing_behind(image_model: Path, tmp_path: Path) -> None:
    def refuse(_model: ModelFolder) -> None:
        raise ContractError("differs")

    with pytest.raises(ContractError):
        Registry(tmp_path / "models").install(image_model, refuse)
    assert not (tmp_path / "models").exists()


def test_an_interrupted_copy_is_not_taken_for_a_model(
    image_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    registry = Registry(tmp_path)
    monkeypatch.setattr("models.registry.write_file", fail)
    with pytest.raises(OSError, match="No space"):
        registry.install(image_model, _accept)
    assert registry.list() == []
    assert list((tmp_path / "ring").iterdir()) == []


def test_what_was_changed_after_the_install_is_refused(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    installed = registry.install(image_model, _accept)
    # changed together with its manifest: sound in itself, and not what was installed
    manifest = msgspec.structs.replace(read_model(installed.path).manifest, product="another")
    (installed.path / "manifest.toml").write_bytes(encode_manifest(manifest))
    with pytest.raises(FolderRefusedError, match="not the one that was installed"):
        registry.read_active("ring")
    with pytest.raises(FolderRefusedError, match="not the one that was installed"):
        registry.promote("ring", 1)


def test_names_and_versions_that_are_not_there(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.list() == []
    with pytest.raises(RegistryError, match="no model of this name"):
        registry.active("ring")
    with pytest.raises(RegistryError, match="no model name"):
        registry.active("../ring")
    registry.install(image_model, _accept)
    with pytest.raises(RegistryError, match="not installed") as caught:
        registry.promote("ring", 9)
    assert caught.value.hint == "installed: [1]"


def test_a_damaged_pointer_is_told(image_model: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.install(image_model, _accept)
    (tmp_path / "ring" / "ACTIVE").write_text("../../elsewhere", encoding="ascii")
    with pytest.raises(RegistryError, match="damaged"):
        registry.active("ring")
