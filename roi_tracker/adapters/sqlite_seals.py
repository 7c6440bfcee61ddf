"""Seals of the tracker's SQLite file: written with every import and freeze, and held against the rows they seal."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roi_tracker.observations import seals as s
from roi_tracker.observations.seals import Seal, StoreFault, StoreHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from datetime import date

    import apsw

    from roi_tracker.observations.seals import SealKind, StoreFaultName

SEALED_AT_ONCE = 5_000
MOST_FAULTS = 20
"""Faults told of one store."""
_AHEAD = 4
"""Blocks read while earlier ones are hashed."""
_WORTH_A_THREAD = 65_536
_ROW: dict[SealKind, str] = {
    "facts": "concat_ws(char(31), number, import, at_us, end_us, kind, key, line, ref, body)",
    "baseline": "concat_ws(char(31), number, case_id, benefit_id, sha256, frozen_at, body)",
}
_TABLE: dict[SealKind, str] = {"facts": "fact", "baseline": "frozen_baseline"}
_ALTERED: dict[SealKind, StoreFaultName] = {"facts": "fact_altered", "baseline": "baseline_altered"}
_ROWS = {
    kind: f"SELECT number, CAST({row} AS BLOB) FROM {_TABLE[kind]} WHERE number BETWEEN ? AND ? ORDER BY number"  # noqa: S608 - fixed text
    for kind, row in _ROW.items()
}
_BLOCK = {
    kind: f"SELECT CAST(group_concat({row}, char(30)) AS BLOB) FROM {_TABLE[kind]} NOT INDEXED"  # noqa: S608 - fixed text
    " WHERE number BETWEEN ? AND ?"
    for kind, row in _ROW.items()
}
_SEALS = """
    SELECT seal.number, kind, import, coalesce(source, baseline, ''), first, last, content, marks, sha256
    FROM seal LEFT JOIN (SELECT number AS batch, source FROM import) ON kind = 'facts' AND batch = import
        LEFT JOIN (SELECT number AS frozen, sha256 AS baseline FROM frozen_baseline)
            ON kind = 'baseline' AND frozen = first
    ORDER BY seal.number
    """
_REPLACED_WRONGLY = """
    SELECT number FROM fact AS old INDEXED BY fact_superseded
    WHERE superseded IS NOT NULL AND (
        NOT EXISTS (
            SELECT 1 FROM fact AS new
            WHERE new.number = old.superseded AND new.key = old.key AND new.number > old.number)
        OR EXISTS (
            SELECT 1 FROM fact AS other INDEXED BY fact_superseded
            WHERE other.superseded = old.superseded AND other.number < old.number))
    """
_SIGNS = "SELECT CAST(group_concat(concat_ws(char(31), line, day, first_us, last_us), char(30) ORDER BY line, day)"
_SIGNS += " AS BLOB) FROM sign"
_SIGNS_GIVEN = """
    SELECT line, us / 86400000000 AS day, min(us) AS first_us, max(us) AS last_us
    FROM (SELECT line, at_us AS us FROM fact NOT INDEXED WHERE superseded IS NULL AND kind IN ('watched', 'stop')
          UNION ALL SELECT line, end_us FROM fact NOT INDEXED WHERE superseded IS NULL AND kind = 'stop')
    GROUP BY 1, 2
    """


class SealTable:
    """Reads and writes seals on an open connection. The caller turns `apsw.Error` into its own."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    # ---- writing, within the caller's transaction ----

    def seal_facts(self, after: int) -> None:
        """Seal every fact with a greater number, and what the machines' signs now are."""
        row = self._connection.execute("SELECT max(number) FROM fact").fetchone()
        last = int(row[0] or 0) if row else 0
        for first in range(after + 1, last + 1, SEALED_AT_ONCE):
            end = min(first + SEALED_AT_ONCE - 1, last)
            for batch, low, high in self._batches(first, end):
                self._append("facts", batch, low, high)
        head = self.head()
        self._connection.execute(
            "INSERT INTO seal_head (one, number, sha256, signs) VALUES (1, ?, ?, ?)"
            " ON CONFLICT (one) DO UPDATE SET signs = excluded.signs",
            (head.number, head.sha256, self._signs_digest()),
        )

    def seal_baseline(self, number: int) -> None:
        """Seal a frozen baseline."""
        self._append("baseline", 0, number, number)

    def _batches(self, first: int, last: int) -> Sequence[tuple[int, int, int]]:
        rows = self._connection.execute(
            "SELECT import, min(number), max(number) FROM fact NOT INDEXED WHERE number BETWEEN ? AND ?"
            " GROUP BY import ORDER BY 2",
            (first, last),
        )
        return [(int(batch), int(low), int(high)) for batch, low, high in rows]

    def _append(self, kind: SealKind, batch: int, first: int, last: int) -> None:
        rows = [bytes(text) for _, text in self._connection.execute(_ROWS[kind], (first, last))]
        content, marks = s.content_of(rows)
        head = self.head()
        seal = Seal(head.number + 1, kind, batch, self._source(kind, batch, first), first, last, content, marks)
        sha256 = s.digest_of(seal, head.sha256)
        self._connection.execute(
            "INSERT INTO seal (number, kind, import, first, last, content, marks, sha256)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seal.number, kind, batch, first, last, content, marks, sha256),
        )
        self._connection.execute(
            "INSERT INTO seal_head (one, number, sha256, signs) VALUES (1, ?, ?, ?)"
            " ON CONFLICT (one) DO UPDATE SET number = excluded.number, sha256 = excluded.sha256",
            (seal.number, sha256, b"" if head.number else self._signs_digest()),  # only the first one enters here
        )

    def _source(self, kind: SealKind, batch: int, first: int) -> str:
        query, of = ("SELECT source FROM import WHERE number = ?", batch)
        if kind == "baseline":
            query, of = ("SELECT sha256 FROM frozen_baseline WHERE number = ?", first)
        row = self._connection.execute(query, (of,)).fetchone()
        return str(row[0]) if row else ""

    # ---- reading ----

    def head(self) -> StoreHead:
        """Number and hash of the newest seal, kept apart from the seals."""
        row = self._connection.execute("SELECT number, sha256 FROM seal_head").fetchone()
        return StoreHead(int(row[0]), str(row[1])) if row else StoreHead()

    def head_at(self, watermark: int) -> str:
        """Hash of the seal that a fact of this number ends, or of the newest before it."""
        row = self._connection.execute(
            "SELECT sha256 FROM seal WHERE kind = 'facts' AND last <= ? ORDER BY number DESC LIMIT 1", (watermark,)
        ).fetchone()
        return str(row[0]) if row else s.GENESIS

    def known(self) -> frozenset[str]:
        """Hashes of all seals."""
        return frozenset(str(sha256) for (sha256,) in self._connection.execute("SELECT sha256 FROM seal"))

    def signs_hold(self) -> bool:
        """Whether the signs of life are those of the last import."""
        row = self._connection.execute("SELECT signs FROM seal_head").fetchone()
        return row is None or row[0] == self._signs_digest()

    def signs_follow(self) -> bool:
        """Whether the signs of life are those that the facts give; reads all of them."""
        given = sorted(self._connection.execute(_SIGNS_GIVEN).fetchall())
        return given == sorted(self._connection.execute("SELECT line, day, first_us, last_us FROM sign").fetchall())

    def _signs_digest(self) -> bytes:
        row = self._connection.execute(_SIGNS).fetchone()
        return hashlib.sha256(bytes(row[0] or b"") if row else b"").digest()

    def faults(self) -> list[StoreFault]:
        """Everything at which facts, baselines and seals differ, the first of it; nothing when all of it holds."""
        with self._connection:  # one moment: another process may import meanwhile
            seals = [Seal(*row) for row in self._connection.execute(_SEALS)]
            found = s.chain_faults(seals, self.head())
            found += self._rows_outside(seals)
            found += [
                self._told("replacement_altered", "facts", number, Seal(0, "facts", 0, "", 0, 0, b"", b""))
                for number in self._numbers(_REPLACED_WRONGLY)
            ]
            for seal in self._differing(seals):
                if len(found) >= MOST_FAULTS:
                    break
                found += self._differences(seal)
        return found[:MOST_FAULTS]

    def _numbers(self, query: str, bindings: tuple[int, ...] = ()) -> list[int]:
        limited = f"{query} LIMIT {MOST_FAULTS}"
        return [int(number) for (number,) in self._connection.execute(limited, bindings)]

    def _rows_outside(self, seals: Sequence[Seal]) -> Iterator[StoreFault]:
        """Rows that no seal covers: facts lie together, baselines are sealed one by one."""
        last = max((seal.last for seal in seals if seal.kind == "facts"), default=0)
        nothing = Seal(0, "facts", 0, "", 0, 0, b"", b"")
        for number in self._numbers("SELECT number FROM fact NOT INDEXED WHERE number > ?", (last,)):
            yield self._told("fact_not_imported", "facts", number, nothing)
        for number in self._numbers("SELECT number FROM fact NOT INDEXED WHERE number < 1"):
            yield self._told("fact_not_imported", "facts", number, nothing)
        sealed = {seal.first for seal in seals if seal.kind == "baseline"}
        for (number,) in self._connection.execute("SELECT number FROM frozen_baseline"):
            if number not in sealed:
                yield self._told("baseline_not_frozen", "baseline", number, nothing)

    def _differing(self, seals: Sequence[Seal]) -> Iterator[Seal]:
        """Seals whose rows give another hash; reading and hashing go on side by side."""
        with ThreadPoolExecutor(1, "seals") as hashing:
            waiting: list[tuple[Seal, Future[bytes] | bytes]] = []
            for seal in seals:
                if seal.kind not in _BLOCK:
                    continue  # the chain says that this seal was altered
                row = self._connection.execute(_BLOCK[seal.kind], (seal.first, seal.last)).fetchone()
                block = bytes(row[0] or b"") if row else b""
                large = len(block) > _WORTH_A_THREAD
                waiting.append((seal, hashing.submit(_sha256, block) if large else _sha256(block)))
                if len(waiting) > _AHEAD:
                    yield from _unequal(waiting.pop(0))
            for one in waiting:
                yield from _unequal(one)

    def _differences(self, seal: Seal) -> Iterator[StoreFault]:
        """Which rows of a seal differ, by their marks."""
        rows = self._connection.execute(_ROWS[seal.kind], (seal.first, seal.last))
        now = {int(number): bytes(text) for number, text in rows}
        told = False
        for place, number in enumerate(range(seal.first, seal.last + 1)):
            mark = seal.marks[place * s.MARK_BYTES : (place + 1) * s.MARK_BYTES]
            text = now.get(number)
            if text is None:
                told = True
                missing: StoreFaultName = "fact_missing" if seal.kind == "facts" else "baseline_altered"
                yield StoreFault(missing, seal.batch, seal.source, number)
            elif _sha256(text)[: s.MARK_BYTES] != mark:
                told = True
                yield self._told(_ALTERED[seal.kind], seal.kind, number, seal)
        if not told:
            yield StoreFault("seal_altered", seal.batch, seal.source, detail=f"seal {seal.number}")

    def _told(self, name: StoreFaultName, kind: SealKind, number: int, seal: Seal) -> StoreFault:
        if kind == "baseline":
            row = self._connection.execute(
                "SELECT benefit_id, sha256 FROM frozen_baseline WHERE number = ?", (number,)
            ).fetchone()
            return StoreFault(name, fact=number, key=str(row[0]) if row else "", source=str(row[1]) if row else "")
        row = self._connection.execute(
            "SELECT key, line, at_us, fact.import, coalesce(source, '') FROM fact LEFT JOIN import"
            " ON import.number = fact.import WHERE fact.number = ?",
            (number,),
        ).fetchone()
        if row is None:
            return StoreFault(name, seal.batch, seal.source, number)
        key, line, at_us, batch, source = row
        day = _day_of(int(at_us))
        return StoreFault(name, seal.batch or int(batch), seal.source or str(source), number, str(key), str(line), day)


def _sha256(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()


def _unequal(one: tuple[Seal, Future[bytes] | bytes]) -> Iterator[Seal]:
    seal, found = one
    if (found if isinstance(found, bytes) else found.result()) != seal.content:
        yield seal


def _day_of(at_us: int) -> date | None:
    try:
        return datetime.fromtimestamp(at_us // 1_000_000, UTC).date()
    except (OverflowError, ValueError, OSError):
        return None
