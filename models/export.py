"""Writes a taught model as a folder: graph, golden set, card, manifest; complete and verified, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models.durable import sync_folder, write_file
from models.errors import ContractError, FolderRefusedError
from models.manifest import (
    CARD_NAME,
    GOLDEN_NAME,
    MANIFEST_NAME,
    MODEL_NAME,
    FileEntry,
    Manifest,
    digest_of,
    encode_manifest,
)
from models.model_card import model_card
from models.model_folder import ModelFolder, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Single against double precision and another order of summation; a wrong or missing step is far outside.
PARITY_TOLERANCE = 2e-3


def check_parity(what: str, got: NDArray, want: NDArray) -> None:  # type: ignore[type-arg]  # float32 or float64 alike
    """Refuse a graph whose answers differ from the trainer's own arithmetic.

    Raises:
        ContractError: the largest difference exceeds 0.2 % of the largest value.
    """
    scale = max(float(abs(want).max()), 1e-6)
    difference = float(abs(got - want).max()) / scale
    if not difference <= PARITY_TOLERANCE:
        raise ContractError(
            f"the exported graph and the trainer disagree on {what}",
            field="parity",
            value=f"{difference:.2e}",
            hint="report this: the runtime computes the graph differently than expected",
        )


def write_model(
    out: Path, draft: Manifest, graph: bytes, golden: Mapping[str, bytes], *, overwrite: bool = False
) -> ModelFolder:
    """Write the folder beside its place, verify it, and move it there in one step.

    Args:
        out: the model folder to make; its parent is made when absent.
        draft: the manifest without its file list.
        graph: `model.onnx`.
        golden: golden files by path, `golden/expected.json` among them.
        overwrite: replace a model folder that is there already.

    Raises:
        FolderRefusedError: `out` exists and may not be replaced, or is no model folder.
    """
    if GOLDEN_NAME not in golden:
        raise FolderRefusedError("a model needs a golden set", field="golden", value=sorted(golden))
    if out.exists() and not overwrite:
        raise FolderRefusedError(
            "the folder exists already", field="out", value=str(out), hint="choose another name, or overwrite it"
        )
    if out.exists() and not (out / MANIFEST_NAME).is_file():
        raise FolderRefusedError(
            "the folder exists and is no model, so it is not replaced",
            field="out",
            value=str(out),
            hint="choose another name",
        )
    contents = {MODEL_NAME: graph, CARD_NAME: model_card(draft).encode(), **golden}
    files = tuple(
        FileEntry(path=path, sha256=digest_of(content), size=len(content)) for path, content in sorted(contents.items())
    )
    contents[MANIFEST_NAME] = encode_manifest(msgspec.structs.replace(draft, files=files))
    out.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        making.chmod(0o755)
        for path, content in contents.items():
            write_file(making / path, content)
        made = read_model(making)
        if out.exists():
            replaced = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
            out.rename(replaced / out.name)
            making.rename(out)
            shutil.rmtree(replaced)
        else:
            making.rename(out)
        sync_folder(out.parent)
    finally:
        if making.exists():
            shutil.rmtree(making)
    return made
