"""Reads a model folder once, verifies every byte against its manifest, and hands on only verified bytes.

What is used later is what was verified: the contents stay in memory, so a file swapped after the check changes nothing.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models.errors import FolderRefusedError
from models.manifest import MANIFEST_NAME, MODEL_NAME, SIGNATURE_NAME, Manifest, decode_manifest, digest_of
from models.onnx_wire import uses_external_data

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 1 << 30
MAX_MANIFEST_BYTES = 1 << 20
MAX_FILES = 200


class ModelFolder(msgspec.Struct, frozen=True):
    """A verified model.

    Attributes:
        manifest: what it says.
        digest: sha256 of the manifest's bytes, which fixes every other file.
        contents: bytes of each file by relative path, the manifest included.
    """

    manifest: Manifest
    digest: str
    contents: dict[str, bytes]

    @property
    def graph(self) -> bytes:
        """The ONNX model."""
        return self.contents[MODEL_NAME]


def read_model(folder: Path) -> ModelFolder:
    """Read and verify a model folder.

    Raises:
        FolderRefusedError: a file is missing, extra, altered, linked, too large, or the graph reaches outside itself.
        ManifestError: the manifest itself is not sound.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise FolderRefusedError(
            "no model folder here", field="path", value=str(folder), hint="give a folder with a manifest.toml"
        )
    present = {path.relative_to(folder).as_posix(): path for path in _regular_files(folder)}
    if MANIFEST_NAME not in present:
        raise FolderRefusedError(f"the folder has no {MANIFEST_NAME}", field="path", value=str(folder))
    manifest_bytes = _read(present[MANIFEST_NAME], MAX_MANIFEST_BYTES)
    manifest = decode_manifest(manifest_bytes)
    listed = {entry.path: entry for entry in manifest.files}
    extra = sorted(set(present) - set(listed) - {MANIFEST_NAME, SIGNATURE_NAME})
    missing = sorted(set(listed) - set(present))
    if extra or missing:
        raise FolderRefusedError(
            "the folder and its manifest differ",
            field="missing" if missing else "not in the manifest",
            value=missing or extra,
            hint="copy the whole folder again from where it was made",
        )
    contents = {MANIFEST_NAME: manifest_bytes}
    for path, entry in listed.items():
        content = _read(present[path], MAX_FILE_BYTES)
        if len(content) != entry.size or digest_of(content) != entry.sha256:
            raise FolderRefusedError(
                "a file is not the one in the manifest",
                field=path,
                value=digest_of(content),
                hint="copy the whole folder again from where it was made",
            )
        contents[path] = content
    if uses_external_data(contents[MODEL_NAME]):
        raise FolderRefusedError(
            "the graph keeps weights in other files", field=MODEL_NAME, hint="save the model as one file"
        )
    return ModelFolder(manifest=manifest, digest=digest_of(manifest_bytes), contents=contents)


def _regular_files(folder: Path) -> Iterator[Path]:
    count = 0
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                count += 1
                if count > MAX_FILES:
                    raise FolderRefusedError("the folder holds too many files", field="files", value=count)
                if entry.is_symlink():
                    raise FolderRefusedError("links are not allowed in a model folder", field="path", value=entry.name)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    raise FolderRefusedError(
                        "only plain files may be in a model folder", field="path", value=entry.name
                    )
                if status.st_nlink > 1:
                    raise FolderRefusedError(
                        "a file has a second name elsewhere (hard link), so it could change unseen",
                        field="path",
                        value=entry.name,
                        hint="copy the folder instead of linking it",
                    )
                yield Path(entry.path)


def _read(path: Path, limit: int) -> bytes:
    """Read a plain file without following a link that appeared since the listing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise FolderRefusedError(f"a file cannot be read: {error.strerror}", field="path", value=path.name) from error
    with os.fdopen(handle, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise FolderRefusedError("a file is too large", field=path.name, value=f"over {limit} bytes")
    return content
