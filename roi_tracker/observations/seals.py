"""The chain over a store's imports: each seal's hash covers the facts it seals and the seal before it.

An accountant's journal, for facts: whoever changes, adds or removes one later breaks the chain at that place. It does
not protect against somebody who computes every later seal anew; so the head is printed on reports and kept elsewhere.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GENESIS = "0" * 64
MARK_BYTES = 8
"""Of a fact's own hash, kept beside its seal: enough to name the one that differs."""
SEPARATOR = b"\x1e"
SealKind = Literal["facts", "baseline"]
StoreFaultName = Literal[
    "fact_altered",
    "fact_missing",
    "fact_not_imported",
    "replacement_altered",
    "baseline_altered",
    "baseline_not_frozen",
    "seal_altered",
    "seal_out_of_order",
    "seals_cut_off",
    "signs_altered",
    "day_altered",
    "head_unknown",
]


class Seal(msgspec.Struct, frozen=True):
    """What one transaction added, at most some thousand facts; a larger import has several.

    Attributes:
        batch: number of the import, 0 for a baseline.
        source: where the import came from; a baseline's own hash.
        first, last: numbers of the sealed rows.
        content: sha256 over the rows.
        marks: the beginning of each row's own hash, one after the other.
        sha256: over everything above and the seal before; see `digest_of`.
    """

    number: int
    kind: SealKind
    batch: int
    source: str
    first: int
    last: int
    content: bytes
    marks: bytes
    sha256: str = ""


class StoreHead(msgspec.Struct, frozen=True):
    """Where the chain ends: number and hash of the newest seal."""

    number: int = 0
    sha256: str = GENESIS


class StoreFault(msgspec.Struct, frozen=True):
    """Something in the store that is not as this program left it.

    Attributes:
        name: `fact_altered`, `fact_missing`, `fact_not_imported` (it stands in no import), `replacement_altered` (which
            of two facts holds), `baseline_altered`, `baseline_not_frozen`; `seal_altered`, `seal_out_of_order`,
            `seals_cut_off` of the chain itself; `signs_altered`, `day_altered` of what was derived; `head_unknown`.
        batch, source: the import, 0 and empty where it is none.
        fact: number of the fact or baseline, 0 for none.
        line, day: of the fact as it stands now; UTC day, plant's day for a derived one.
    """

    name: StoreFaultName
    batch: int = 0
    source: str = ""
    fact: int = 0
    key: str = ""
    line: str = ""
    day: date | None = None
    detail: str = ""

    def __str__(self) -> str:
        of_import = f"import {self.batch} ({self.source})" if self.batch else self.source
        place = [of_import, f"number {self.fact}" if self.fact else "", self.key, self.line]
        place += [self.day.isoformat() if self.day else "", self.detail]
        return f"{self.name}: {', '.join(part for part in place if part)}"


class StoreAlteredError(StoreError):
    """The store was changed outside this program; nothing may be computed from it.

    Attributes:
        faults: what differs, the first of it.
    """

    def __init__(self, faults: Sequence[StoreFault], where: object) -> None:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        super().__init__(
            f"the store is not as it was imported: {faults[0]}{more}",
            field="store",
            value=where,
            hint="it was altered outside this program: see `roi-tracker verify`, and restore a backup",
        )
        self.faults = tuple(faults)


def content_of(rows: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Hash over rows, and the marks of each.

    >>> content, marks = content_of([b"one", b"two"])
    >>> content == hashlib.sha256(b"one" + SEPARATOR + b"two").digest(), len(marks)
    (True, 16)
    """
    marks = b"".join(hashlib.sha256(row).digest()[:MARK_BYTES] for row in rows)
    return hashlib.sha256(SEPARATOR.join(rows)).digest(), marks


def digest_of(seal: Seal, previous: str) -> str:
    """The hash that a seal's content gives behind the seal before it."""
    content = (seal.number, seal.kind, seal.batch, seal.source, seal.first, seal.last, seal.content, seal.marks)
    return hashlib.sha256(msgspec.json.encode((*content, previous))).hexdigest()


def chain_faults(seals: Iterable[Seal], head: StoreHead) -> list[StoreFault]:
    """At which seals the chain itself does not hold; whether their rows do is asked apart.

    >>> chain_faults([], StoreHead())
    []
    """
    faults: list[StoreFault] = []
    previous, last, count = GENESIS, 0, 0
    for count, seal in enumerate(seals, start=1):
        if digest_of(seal, previous) != seal.sha256:
            faults.append(StoreFault("seal_altered", seal.batch, seal.source, detail=f"seal {seal.number}"))
        expected = seal.first == last + 1 if seal.kind == "facts" else True
        if seal.number != count or not expected:
            faults.append(StoreFault("seal_out_of_order", seal.batch, seal.source, detail=f"seal {seal.number}"))
        last = seal.last if seal.kind == "facts" else last
        previous = seal.sha256
    if count < head.number:
        faults.append(StoreFault("seals_cut_off", detail=f"{head.number - count} seals are missing"))
    elif head != StoreHead(count, previous):
        faults.append(StoreFault("seal_altered", detail="the head kept apart is another one"))
    return faults
