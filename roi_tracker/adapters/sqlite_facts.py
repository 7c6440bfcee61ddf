"""The facts of the tracker's SQLite file: added once, never changed; a correction stands beside what it replaced."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.adapters.sqlite_seals import SealTable
from roi_tracker.errors import FactsChangedError
from roi_tracker.observations.facts import Fact, FactChange, MachineWatched, StopFact
from roi_tracker.ports import Imported, Signs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import apsw

    from roi_tracker.ports import OnChange

_CHUNK = 5_000
_TOLD = 20
"""Changes told in one refusal."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INSERT = (
    "INSERT INTO fact (key, kind, line, at_us, end_us, ref, import, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (key) WHERE superseded IS NULL DO NOTHING"
)
_HELD_THEN = "number <= :up_to AND (superseded IS NULL OR superseded > :up_to)"
_BETWEEN = """
    WITH chosen AS (
        SELECT number FROM fact WHERE at_us >= :low AND at_us < :high
        UNION
        SELECT number FROM fact WHERE end_us - at_us > 86400000000 AND at_us < :low AND end_us > :low
        UNION
        SELECT number FROM fact WHERE kind IN ('mode', 'stop_revision')
        UNION
        SELECT said.number FROM fact AS about JOIN fact AS said ON said.ref = about.key
        WHERE about.at_us >= :low AND about.at_us < :high AND about.kind IN ('inspected', 'alarm')
    )
    SELECT fact.body FROM chosen CROSS JOIN fact USING (number)
    WHERE number <= :up_to AND (fact.superseded IS NULL OR fact.superseded > :up_to) ORDER BY number
    """
_FAILURES = f"""
    SELECT body FROM fact WHERE at_us >= :low AND {_HELD_THEN} AND (
        kind IN ('alarm', 'alarm_outcome')
        OR kind = 'inspected' AND instr(body, CAST('"verdict":"FAIL"' AS BLOB)) > 0
    ) ORDER BY number
    """  # noqa: S608 - fixed text
_SIGNS = """
    INSERT INTO sign
        SELECT line, us / 86400000000, min(us), max(us)
        FROM (SELECT line, at_us AS us FROM fact WHERE {which} AND kind IN ('watched', 'stop')
              UNION ALL SELECT line, end_us FROM fact WHERE {which} AND kind = 'stop')
        GROUP BY 1, 2
    ON CONFLICT (line, day) DO UPDATE
        SET first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)
    """
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Fact).decode
_Row = tuple[str, str, str, int, int, "str | None", int, bytes]


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(us: int) -> datetime:
    return _EPOCH + _MICROSECOND * us


def _row(fact: Fact, number: int) -> _Row:
    at = _us(fact.at)
    end: datetime | None = getattr(fact, "end", None)
    ref = getattr(fact, "inspection_key", None) or getattr(fact, "alarm_key", None) or None
    kind = str(type(fact).__struct_config__.tag)
    return (fact.key, kind, fact.line, at, at if end is None else _us(end), ref, number, _encode(fact))


class FactTable:
    """Reads and writes facts on an open connection. The caller turns `apsw.Error` into its own."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._seals = SealTable(connection)

    def _integer(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def add(self, facts: Iterable[Fact], source: str, ignored: int, on_change: OnChange) -> Imported:
        """Add facts within the caller's transaction.

        Raises:
            FactsChangedError: known facts have other content; the caller must roll back.
        """
        begun = self.watermark()
        batch = self._import(source)
        changes: list[FactChange] = []
        added = replaced = wrong = seen = 0
        remaining = iter(facts)
        while chunk := list(islice(remaining, _CHUNK)):
            before = self._connection.total_changes()
            self._connection.executemany(_INSERT, [_row(fact, batch) for fact in chunk])
            new = self._connection.total_changes() - before
            added += new
            if new < len(chunk) and on_change != "keep":
                for change in self._changes(chunk, seen, begun):
                    if on_change == "replace" and not change.same_import:
                        self._replace(change, batch)
                        replaced += 1
                    else:
                        wrong += 1
                        changes.extend([change] if len(changes) < _TOLD else ())
            seen += len(chunk)
        if wrong:
            raise FactsChangedError(changes, wrong)
        self._connection.execute(_SIGNS.format(which="number > :begun"), {"begun": begun})
        if added or replaced:
            self._seals.seal_facts(begun)
            self._connection.execute(
                "UPDATE import SET added = added + ?, replaced = replaced + ? WHERE number = ?",
                (added, replaced, batch),
            )
        else:
            self._connection.execute("DELETE FROM import WHERE number = ? AND added = 0", (batch,))
        return Imported(added=added, duplicates=seen - added - replaced, ignored=ignored, replaced=replaced)

    def _import(self, source: str) -> int:
        """Number of this import; pages of a feed that follow one another are one."""
        last = self._connection.execute("SELECT number, source FROM import ORDER BY number DESC LIMIT 1").fetchone()
        if last is not None and last[1] == source and "://" in source:
            return int(last[0])
        self._connection.execute("INSERT INTO import (source) VALUES (?)", (source,))
        return int(self._connection.last_insert_rowid())

    def _changes(self, chunk: Sequence[Fact], first: int, begun: int) -> Iterator[FactChange]:
        """Facts of a chunk whose stored content differs from what was given."""
        for position, fact in enumerate(chunk, start=first):
            row = self._connection.execute(
                "SELECT number, body FROM fact WHERE key = ? AND superseded IS NULL", (fact.key,)
            ).fetchone()
            if row is not None and row[1] != _encode(fact):
                stored = _decode(row[1])
                if stored != fact:
                    yield FactChange(position, fact, stored, same_import=row[0] > begun)

    def _replace(self, change: FactChange, batch: int) -> None:
        number = self.watermark() + 1
        self._connection.execute(
            "UPDATE fact SET superseded = ? WHERE key = ? AND superseded IS NULL", (number, change.given.key)
        )
        self._connection.execute(_INSERT, _row(change.given, batch))
        if isinstance(change.stored, StopFact | MachineWatched):
            line = change.stored.line
            self._connection.execute("DELETE FROM sign WHERE line = ?", (line,))
            self._connection.execute(_SIGNS.format(which="line = :line AND superseded IS NULL"), {"line": line})

    def held(self, up_to: int | None) -> Iterator[Fact]:
        """Facts that hold now, or held at a watermark."""
        if up_to is None:
            cursor = self._connection.execute("SELECT body FROM fact WHERE superseded IS NULL ORDER BY number")
        else:
            query = f"SELECT body FROM fact WHERE {_HELD_THEN} ORDER BY number"  # noqa: S608 - fixed text
            cursor = self._connection.execute(query, {"up_to": up_to})
        for (body,) in cursor:
            yield _decode(body)

    def count(self) -> int:
        """How many facts hold."""
        return self._integer("SELECT count(*) FROM fact INDEXED BY fact_key WHERE superseded IS NULL")

    def watermark(self) -> int:
        """Number of the last fact, 0 without any."""
        return self._integer("SELECT max(number) FROM fact")

    def changed_since(self, watermark: int) -> list[Fact]:
        """Facts that came after a watermark, and those replaced since."""
        rows = self._connection.execute(
            "SELECT body FROM fact WHERE number > :mark"
            " UNION ALL SELECT body FROM fact WHERE superseded > :mark AND number <= :mark",
            {"mark": watermark},
        )
        return [_decode(body) for (body,) in rows]

    def between(self, start: datetime, end: datetime, up_to: int | None) -> Iterator[Fact]:
        """Facts that touch [start, end), and what belongs to them."""
        places = {"low": _us(start), "high": _us(end), "up_to": self.watermark() if up_to is None else up_to}
        for (body,) in self._connection.execute(_BETWEEN, places):
            yield _decode(body)

    def failures_and_alarms(self, start: datetime, up_to: int | None) -> Iterator[Fact]:
        """Failed parts, alarms and outcomes from a moment on."""
        places = {"low": _us(start), "up_to": self.watermark() if up_to is None else up_to}
        for (body,) in self._connection.execute(_FAILURES, places):
            yield _decode(body)

    def by_key(self, keys: Iterable[str]) -> list[Fact]:
        """Facts that hold, by key."""
        found = []
        for key in keys:
            row = self._connection.execute(
                "SELECT body FROM fact WHERE key = ? AND superseded IS NULL", (key,)
            ).fetchone()
            if row is not None:
                found.append(_decode(row[0]))
        return found

    def of_kind(self, kind: str) -> list[Fact]:
        """All facts of a rare kind, replaced ones included."""
        rows = self._connection.execute(
            "SELECT body FROM fact WHERE kind = ? AND kind IN ('mode', 'stop_revision') ORDER BY number", (kind,)
        )
        return [_decode(body) for (body,) in rows]

    def signs(self) -> Signs:
        """First and last sign of every UTC day, by line; no silence can lie between the two."""
        moments: dict[str, set[int]] = defaultdict(set)
        for line, first, last in self._connection.execute("SELECT line, first_us, last_us FROM sign"):
            moments[line] |= {first, last}
        return Signs({line: tuple(map(_moment, sorted(found))) for line, found in moments.items()})

    def moments(self) -> tuple[datetime, datetime] | None:
        """Begin of the earliest fact and end of the latest: of those begun last, or of those longer than a day."""
        if not self.watermark():
            return None
        first, last = self._integer("SELECT min(at_us) FROM fact"), self._integer("SELECT max(at_us) FROM fact")
        ended = self._integer(f"SELECT max(end_us) FROM fact WHERE at_us >= {last - 86_400_000_000}")  # noqa: S608 - a number
        longest = self._integer("SELECT max(end_us) FROM fact INDEXED BY fact_long WHERE end_us - at_us > 86400000000")
        return _moment(first), _moment(max(ended, longest))
