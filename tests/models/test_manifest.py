from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from models.errors import ManifestError
from models.manifest import MANIFEST_NAME, decode_manifest, digest_of, encode_manifest
from models.toml_text import write_toml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def document(image_model: Path) -> dict[str, Any]:
    return tomllib.loads((image_model / MANIFEST_NAME).read_text(encoding="utf-8"))


def _decode(document: dict[str, Any]) -> object:
    return decode_manifest(write_toml(document).encode())


def test_a_manifest_reads_back_to_the_same_bytes(image_model: Path, health_model: Path) -> None:
    for folder in (image_model, health_model):
        content = (folder / MANIFEST_NAME).read_bytes()
        assert encode_manifest(decode_manifest(content)) == content


def test_digest_is_sha256_of_the_bytes() -> None:
    assert digest_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("task", ["classify", "detect", "segment", "remaining_life"])
def test_tasks_named_but_not_runnable_are_refused(document: dict[str, Any], task: str) -> None:
    document["task"] = task
    with pytest.raises(ManifestError, match="cannot run models of this task") as caught:
        _decode(document)
    assert caught.value.value == task
    assert "anomaly" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "another schema"),
        ({"unknown": 1}, "unknown"),
        ({"version": 0}, "version"),
        ({"name": "../evil"}, "name"),
        ({"task": "guess"}, "task"),
        ({"decision": None}, "needs its decision limits"),
        ({"licence": None}, "licence"),
    ],
)
def test_what_is_missing_unknown_or_out_of_range_is_named(
    document: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        _decode({**document, **change})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_limits_must_be_finite(document: dict[str, Any], value: float) -> None:
    document["decision"]["threshold"] = value
    with pytest.raises(ManifestError, match="not finite"):
        _decode(document)


def test_review_band_must_lie_below_the_threshold(document: dict[str, Any]) -> None:
    document["decision"]["review_from"] = document["decision"]["threshold"] + 1
    with pytest.raises(ManifestError, match="below the threshold"):
        _decode(document)


@pytest.mark.parametrize(
    "path", ["../up", "/etc/passwd", "a/../b", "a//b", ".hidden", "SIGNATURE", "manifest.toml", "a/b/c/d"]
)
def test_paths_that_leave_the_folder_are_refused(document: dict[str, Any], path: str) -> None:
    document["files"][0]["path"] = path
    with pytest.raises(ManifestError, match="path is not allowed"):
        _decode(document)


def test_a_file_listed_twice_or_a_required_one_missing(document: dict[str, Any]) -> None:
    files = document["files"]
    document["files"] = [*files, files[0]]
    with pytest.raises(ManifestError, match="listed twice"):
        _decode(document)
    document["files"] = [entry for entry in files if entry["path"] != "model.onnx"]
    with pytest.raises(ManifestError, match="required file"):
        _decode(document)


def test_health_contract_is_checked(health_model: Path) -> None:
    document = tomllib.loads((health_model / MANIFEST_NAME).read_text(encoding="utf-8"))
    twice = document["health"]["channels"][0]
    changes: list[tuple[dict[str, Any], str]] = [
        ({"channels": [twice, twice]}, "unique"),
        ({"channels": []}, "unique"),
        ({"period_s": 0.0}, "period"),
        ({"window_rows": 1}, "two rows"),
    ]
    for change, message in changes:
        with pytest.raises(ManifestError, match=message):
            _decode({**document, "health": {**document["health"], **change}})


def test_bytes_that_are_not_toml() -> None:
    with pytest.raises(ManifestError, match="not TOML"):
        decode_manifest(b"\xff = [")
