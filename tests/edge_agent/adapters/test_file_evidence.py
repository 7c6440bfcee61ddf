from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

# sha256 of b"abc", from FIPS 180-2, appendix B.1
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_bytes_are_kept_once_under_their_digest(tmp_path: Path) -> None:
    evidence = FileEvidence(tmp_path / "evidence")
    assert evidence.put(b"abc") == ABC
    assert evidence.put(b"abc") == ABC
    assert files(tmp_path / "evidence") == [f"ba/{ABC}"]
    assert evidence.get(ABC) == b"abc"
    assert FileEvidence(tmp_path / "evidence").get(ABC) == b"abc"
    assert evidence.get("0" * 64) is None
    assert evidence.get(evidence.put(b"")) == b""


@pytest.mark.parametrize(
    "digest", ["", "../secret", "/etc/passwd", ABC.upper(), ABC + "\n", ABC[:-1], "../" + ABC[3:], "ba/" + ABC[3:]]
)
def test_what_is_not_a_digest_names_nothing(tmp_path: Path, digest: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    evidence = FileEvidence(tmp_path / "evidence")
    evidence.put(b"abc")
    assert evidence.get(digest) is None


def test_a_damaged_file_is_reported_kept_and_healed_by_the_next_put(tmp_path: Path) -> None:
    reported: list[str] = []
    evidence = FileEvidence(tmp_path, damaged=reported.append)
    path = tmp_path / "ba" / evidence.put(b"abc")
    path.write_bytes(b"abd")
    assert evidence.get(ABC) is None
    assert reported == [ABC]
    assert path.read_bytes() == b"abd"
    evidence.put(b"abc")
    assert evidence.get(ABC) == b"abc"
    assert reported == [ABC]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    evidence = FileEvidence(tmp_path / "evidence")
    (tmp_path / "outside").write_bytes(b"abc")
    (tmp_path / "evidence" / "ba" / ABC).symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="reading an image"):
        evidence.get(ABC)


def test_unfinished_files_are_removed_at_the_start(tmp_path: Path) -> None:
    FileEvidence(tmp_path).put(b"abc")
    (tmp_path / "incoming" / "half").write_bytes(b"ab")
    FileEvidence(tmp_path)
    assert files(tmp_path) == [f"ba/{ABC}"]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = FileEvidence(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            evidence.put(b"abc")
    assert files(tmp_path) == []
    assert evidence.get(ABC) is None


def test_the_file_is_synced_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = FileEvidence(tmp_path)
    synced: list[tuple[str, list[str]]] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))[:2], files(tmp_path / "ba")))  # noqa: PTH115, PTH119 - a descriptor's name
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    digest = evidence.put(b"abc")
    assert synced == [("ba", []), ("ba", [digest])]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="opening the folder"):
        FileEvidence(tmp_path / "file")


def test_different_bytes_have_different_places(tmp_path: Path) -> None:
    evidence = FileEvidence(tmp_path)
    contents = [os.urandom(size) for size in range(1, 30)]
    digests = [evidence.put(content) for content in contents]
    assert digests == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [evidence.get(digest) for digest in digests] == contents
