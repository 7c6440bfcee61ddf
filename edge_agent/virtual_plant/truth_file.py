"""The truth about live parts, kept apart from everything the agent can see: a file of JSON lines for the reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class PartTruth(msgspec.Struct, frozen=True):
    """What a part really is: `kind` and `severity` of its defect, empty and 0 for a good part."""

    part_id: str
    kind: str = ""
    severity: float = 0.0

    @property
    def defective(self) -> bool:
        """Whether a defect was planted."""
        return bool(self.kind)


class TruthWriter:
    """Appends truths; each is on its way to the file before the part's picture appears."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def add(self, truth: PartTruth) -> None:
        """Write one part's truth."""
        self._file.write(msgspec.json.encode(truth) + b"\n")

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class TruthReader:
    """Reads truths as they are appended, complete lines only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._known: dict[str, PartTruth] = {}

    def find(self, part_id: str) -> PartTruth | None:
        """The truth about a part, None while (or when) it is not written."""
        if part_id not in self._known:
            self._read_on()
        return self._known.get(part_id)

    def _read_on(self) -> None:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        for line in complete.splitlines():
            truth = msgspec.json.decode(line, type=PartTruth)
            self._known[truth.part_id] = truth
