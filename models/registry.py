"""Installed models: each version in a folder named by its digest, one pointer a name to the version in force.

    <root>/<name>/<digest>/...      a verified model folder, never changed
    <root>/<name>/ACTIVE            the digest in force

Installing and promoting are single renames: whoever reads sees the state before or after, also after a power cut.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models.durable import replace_file, sync_folder, write_file
from models.errors import FolderRefusedError, RegistryError
from models.manifest import MANIFEST_NAME, NAME_PATTERN, Manifest, decode_manifest
from models.model_folder import ModelFolder, read_model

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIVE_NAME = "ACTIVE"
_NAME = re.compile(NAME_PATTERN)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class InstalledModel(msgspec.Struct, frozen=True):
    """One installed version.

    Attributes:
        active: this version is in force.
        path: its folder.
    """

    name: str
    version: int
    task: str
    digest: str
    active: bool
    path: Path


class Registry:
    """The models of one machine.

    Args:
        root: folder of the registry; made by the first install.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def install(self, source: Path, check: Callable[[ModelFolder], object]) -> InstalledModel:
        """Verify a model folder, copy it, and make it active if its name has no active version yet.

        Installing the same model again changes nothing. What is copied is what was verified.

        Args:
            source: the model folder.
            check: runs the golden set; raises when the model does not answer as it should.

        Raises:
            RegistryError: the version is taken by another model, or is not newer than those installed.
            FolderRefusedError: the folder is not sound.
            ContractError: the golden set failed.
        """
        model = read_model(source)
        manifest = model.manifest
        home = self._home(manifest.name)
        target = home / model.digest
        if not target.exists():
            self._check_version(manifest)
            check(model)
            home.mkdir(parents=True, exist_ok=True)
            sync_folder(self.root)
            making = Path(tempfile.mkdtemp(prefix=".incoming-", dir=home))
            try:
                making.chmod(0o755)
                for path, content in model.contents.items():
                    write_file(making / path, content)
                making.rename(target)
                sync_folder(home)
            finally:
                if making.exists():
                    shutil.rmtree(making)
        if not (home / ACTIVE_NAME).exists():
            replace_file(home / ACTIVE_NAME, f"{model.digest}\n".encode())
        return next(item for item in self.list() if item.digest == model.digest and item.name == manifest.name)

    def list(self) -> list[InstalledModel]:
        """All installed versions, by name and version."""
        found = []
        for home in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            active = _pointer(home)
            for folder in home.iterdir() if home.is_dir() else []:
                if not _DIGEST.fullmatch(folder.name):
                    continue
                manifest = decode_manifest((folder / MANIFEST_NAME).read_bytes())
                found.append(
                    InstalledModel(
                        name=manifest.name,
                        version=manifest.version,
                        task=manifest.task,
                        digest=folder.name,
                        active=folder.name == active,
                        path=folder,
                    )
                )
        return sorted(found, key=lambda item: (item.name, item.version))

    def promote(self, name: str, version: int) -> InstalledModel:
        """Put an installed version in force; agents take it up when they next open the model.

        Raises:
            RegistryError: the version is not installed.
        """
        chosen = next((item for item in self.list() if (item.name, item.version) == (name, version)), None)
        if chosen is None:
            versions = [item.version for item in self.list() if item.name == name]
            raise RegistryError(
                "this version is not installed",
                field="version",
                value=f"{name}@{version}",
                hint=f"installed: {versions}" if versions else "install the model first",
            )
        _read_installed(chosen.path)
        replace_file(self._home(name) / ACTIVE_NAME, f"{chosen.digest}\n".encode())
        return msgspec.structs.replace(chosen, active=True)

    def active(self, name: str) -> Path:
        """The folder of the version in force.

        Raises:
            RegistryError: no such name, or nothing in force.
        """
        home = self._home(name)
        digest = _pointer(home)
        if digest is None:
            raise RegistryError(
                "no model of this name is in force",
                field="model",
                value=name,
                hint=f"edge-model install MODEL --into {self.root}",
            )
        return home / digest

    def read_active(self, name: str) -> ModelFolder:
        """The version in force, read and verified, its digest that of the pointer.

        Raises:
            RegistryError: no such name, or nothing in force.
            FolderRefusedError: the folder is not what was installed.
        """
        folder = self.active(name)
        return _read_installed(folder)

    def _home(self, name: str) -> Path:
        if not _NAME.match(name):
            raise RegistryError("this is no model name", field="model", value=name)
        return self.root / name

    def _check_version(self, manifest: Manifest) -> None:
        installed = [item.version for item in self.list() if item.name == manifest.name]
        if installed and manifest.version <= max(installed):
            raise RegistryError(
                "versions of a name only grow",
                field="version",
                value=manifest.label,
                hint=f"teach it with --version {max(installed) + 1}",
            )


def _read_installed(folder: Path) -> ModelFolder:
    model = read_model(folder)
    if model.digest != folder.name:
        raise FolderRefusedError(
            "an installed model is not the one that was installed",
            field="digest",
            value=model.digest,
            hint="remove the folder and install the model again",
        )
    return model


def _pointer(home: Path) -> str | None:
    try:
        digest = (home / ACTIVE_NAME).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not _DIGEST.fullmatch(digest):
        raise RegistryError("the pointer to the model in force is damaged", field="ACTIVE", value=digest)
    return digest
