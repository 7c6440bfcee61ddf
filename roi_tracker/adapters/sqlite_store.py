"""The tracker's own store in one SQLite file: facts, derived observations, frozen baselines.

WAL with synchronous=FULL: what an import reports as stored survives a power cut. Frozen baselines are append-only by
trigger, not by good manners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import msgspec

from roi_tracker.baseline.frozen import FrozenBaseline
from roi_tracker.errors import StoreError
from roi_tracker.observations.facts import Fact
from roi_tracker.observations.rows import Finding, LineShift, Observation, Observations
from roi_tracker.ports import Imported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

_MIGRATIONS = (
    """
    CREATE TABLE fact (
        number INTEGER PRIMARY KEY,
        key    TEXT NOT NULL UNIQUE,
        line   TEXT NOT NULL,
        at     TEXT NOT NULL,
        origin TEXT NOT NULL,
        source TEXT NOT NULL,
        body   BLOB NOT NULL
    ) STRICT;
    CREATE TABLE source (name TEXT PRIMARY KEY, reached INTEGER NOT NULL) STRICT;
    CREATE TABLE derivation (name TEXT NOT NULL) STRICT;
    CREATE TABLE observation (
        number INTEGER PRIMARY KEY, line TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL, product TEXT NOT NULL,
        produced INTEGER, inspected INTEGER, rejected INTEGER, origin TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE line_shift (
        number INTEGER PRIMARY KEY, line TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL,
        planned_busy_s REAL, unplanned_stop_s REAL, labour_hours REAL, energy_kwh REAL, origin TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE finding (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE frozen_baseline (
        number     INTEGER PRIMARY KEY,
        case_id    TEXT NOT NULL,
        benefit_id TEXT NOT NULL,
        sha256     TEXT NOT NULL UNIQUE,
        frozen_at  TEXT NOT NULL,
        body       BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER frozen_baseline_no_update BEFORE UPDATE ON frozen_baseline
        BEGIN SELECT RAISE(ABORT, 'a frozen baseline cannot be changed'); END;
    CREATE TRIGGER frozen_baseline_no_delete BEFORE DELETE ON frozen_baseline
        BEGIN SELECT RAISE(ABORT, 'a frozen baseline cannot be removed'); END;
    """,
)
_BUSY_TIMEOUT_MS = 5_000

_encode = msgspec.json.Encoder().encode
_fact_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)
_product_decoder = msgspec.json.Decoder(Observation)
_line_decoder = msgspec.json.Decoder(LineShift)
_finding_decoder = msgspec.json.Decoder(Finding)
_baseline_decoder = msgspec.json.Decoder(FrozenBaseline)


class SqliteStore:
    """`ports.TrackerStore` on SQLite. One instance is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store and bring its schema up to date.

        Raises:
            StoreError: not a store of this program, newer than it, or the file cannot be opened.
        """
        self._path = path
        try:
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            self._migrate()
        except apsw.Error as error:
            raise StoreError(
                f"the store cannot be opened: {error}",
                field="store",
                value=path,
                hint="check that the folder exists and may be written, and that the file is a roi-tracker store",
            ) from error

    def _migrate(self) -> None:
        version = self._integer("PRAGMA user_version")
        if version > len(_MIGRATIONS):
            raise StoreError(
                f"the store has schema {version}, this program knows {len(_MIGRATIONS)}",
                field="store",
                value=self._path,
                hint="update lineproof",
            )
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            with self._connection:
                self._connection.execute(script)
                self._connection.execute(f"PRAGMA user_version={number}")

    def add_facts(
        self, facts: Sequence[Fact], *, source: str, ignored: int = 0, reached: int | None = None
    ) -> Imported:
        """Store facts whose key is new, and the feed position reached, in one transaction."""
        try:
            with self._connection:
                before = self._connection.total_changes()
                self._connection.executemany(
                    "INSERT INTO fact (key, line, at, origin, source, body) VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (key) DO NOTHING",
                    ((f.key, f.line, f.at.isoformat(), f.origin, source, _encode(f)) for f in facts),
                )
                added = self._connection.total_changes() - before
                if reached is not None:
                    self._connection.execute(
                        "INSERT INTO source (name, reached) VALUES (?, ?)"
                        " ON CONFLICT (name) DO UPDATE SET reached = excluded.reached",
                        (source, reached),
                    )
        except apsw.Error as error:
            raise self._failed("facts could not be stored", error) from error
        return Imported(added=added, duplicates=len(facts) - added, ignored=ignored)

    def facts(self) -> Iterator[Fact]:
        """All facts in order of arrival."""
        for (body,) in self._connection.execute("SELECT body FROM fact ORDER BY number"):
            yield _fact_decoder.decode(body)

    def fact_count(self) -> int:
        """How many facts are stored."""
        return self._integer("SELECT count(*) FROM fact")

    def _integer(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def reached(self, source: str) -> int:
        """The last feed position taken from a source, 0 when none."""
        row = self._connection.execute("SELECT reached FROM source WHERE name = ?", (source,)).fetchone()
        return int(row[0]) if row else 0

    def observations(self, derivation: str) -> Observations | None:
        """Observations kept under a derivation name, or None."""
        kept = self._connection.execute("SELECT name FROM derivation").fetchone()
        if kept is None or kept[0] != derivation:
            return None
        return Observations(
            tuple(_product_decoder.decode(body) for body in self._bodies("observation")),
            tuple(_line_decoder.decode(body) for body in self._bodies("line_shift")),
            tuple(_finding_decoder.decode(body) for body in self._bodies("finding")),
        )

    def _bodies(self, table: str) -> Iterator[bytes]:
        for (body,) in self._connection.execute(f"SELECT body FROM {table} ORDER BY number"):  # noqa: S608 - fixed names
            yield body

    def keep_observations(self, derivation: str, observations: Observations) -> None:
        """Replace the kept observations."""
        try:
            with self._connection:
                for table in ("derivation", "observation", "line_shift", "finding"):
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
                self._connection.execute("INSERT INTO derivation (name) VALUES (?)", (derivation,))
                self._connection.executemany(
                    "INSERT INTO observation (line, day, shift, product, produced, inspected, rejected, origin, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        (
                            *(o.line, o.day.isoformat(), o.shift, o.product),
                            *(o.produced, o.inspected, o.rejected, o.origin, _encode(o)),
                        )
                        for o in observations.products
                    ),
                )
                self._connection.executemany(
                    "INSERT INTO line_shift"
                    " (line, day, shift, planned_busy_s, unplanned_stop_s, labour_hours, energy_kwh, origin, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        (
                            *(row.line, row.day.isoformat(), row.shift, row.planned_busy_s, row.unplanned_stop_s),
                            *(row.labour_hours, row.energy_kwh, row.origin, _encode(row)),
                        )
                        for row in observations.line_shifts
                    ),
                )
                self._connection.executemany(
                    "INSERT INTO finding (body) VALUES (?)", ((_encode(found),) for found in observations.findings)
                )
        except apsw.Error as error:
            raise self._failed("observations could not be stored", error) from error

    def freeze(self, baseline: FrozenBaseline, at: datetime) -> None:
        """Append a frozen baseline.

        Raises:
            StoreError: the same baseline is already frozen, or its hash does not match its content.
        """
        fitted = baseline.fitted
        if fitted.sha256 != baseline.sha256:
            raise StoreError("the baseline's hash does not match its content", field="sha256", value=baseline.sha256)
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT INTO frozen_baseline (case_id, benefit_id, sha256, frozen_at, body) VALUES (?, ?, ?, ?, ?)",
                    (fitted.case_id, fitted.benefit_id, baseline.sha256, at.isoformat(), _encode(baseline)),
                )
        except apsw.ConstraintError as error:
            raise StoreError(
                f"the baseline of {fitted.benefit_id} is already frozen under this hash",
                field="sha256",
                value=baseline.sha256,
                hint="nothing to do; show it with `roi-tracker baseline show`",
            ) from error
        except apsw.Error as error:
            raise self._failed("the baseline could not be frozen", error) from error

    def baselines(self, case_id: str) -> Sequence[FrozenBaseline]:
        """All frozen baselines of a case, oldest first.

        Raises:
            StoreError: a stored baseline no longer matches its hash.
        """
        rows = self._connection.execute(
            "SELECT body FROM frozen_baseline WHERE case_id = ? ORDER BY number", (case_id,)
        )
        found = [_baseline_decoder.decode(body) for (body,) in rows]
        for baseline in found:
            if baseline.fitted.sha256 != baseline.sha256:
                raise StoreError(
                    f"the frozen baseline of {baseline.fitted.benefit_id} was altered after it was frozen",
                    field="sha256",
                    value=baseline.sha256,
                    hint="restore the store from a backup; a figure on this baseline is worth nothing",
                )
        return found

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _failed(self, what: str, error: apsw.Error) -> StoreError:
        return StoreError(
            f"{what}: {error}", field="store", value=self._path, hint="nothing was written; check disk and rights"
        )
