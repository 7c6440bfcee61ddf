"""The tracker's own store in one SQLite file: facts, derived observations, frozen baselines.

WAL with synchronous=FULL: what an import reports as stored survives a power cut. Frozen baselines are append-only by
trigger, not by good manners.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from roi_tracker.adapters.sqlite_facts import FactTable
from roi_tracker.adapters.sqlite_schema import open_connection
from roi_tracker.adapters.sqlite_seals import SealTable
from roi_tracker.baseline.frozen import FrozenBaseline
from roi_tracker.errors import StoreError
from roi_tracker.observations.facts import StopRevisionFact
from roi_tracker.observations.packing import pack_day, unpack_days
from roi_tracker.observations.rows import Finding, LineShift, Observation, Observations
from roi_tracker.observations.seals import StoreAlteredError, StoreFault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.seals import StoreHead
    from roi_tracker.ports import Imported, OnChange, Signs

_encode = msgspec.json.Encoder().encode
_baseline_decoder = msgspec.json.Decoder(FrozenBaseline)
_Signature = tuple[tuple[int, int, int, int], ...]
_found_whole: dict[str, _Signature] = {}
"""Files whose seals held in this process, and how they looked then; a portal asks at every request."""


class SqliteStore:
    """`ports.TrackerStore` on SQLite. One instance is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store and bring its schema up to date.

        Raises:
            StoreError: not a store of this program, newer than it, or the file cannot be opened.
        """
        self._path = path
        self._connection = open_connection(path)
        self._facts = FactTable(self._connection)
        self._seals = SealTable(self._connection)
        self._whole_at: int | None = None

    def verify(self, printed: Iterable[str] = ()) -> tuple[StoreFault, ...]:
        """Everything that is not as imported, derived and frozen; read anew whole, nothing where all of it holds."""
        try:
            found = self._seals.faults()
            if not self._seals.signs_follow():
                found.append(StoreFault("signs_altered"))
            found += self._days_altered()
            known = self._seals.known()
        except apsw.Error as error:
            raise self._unreadable(error) from error
        found += [
            StoreFault("head_unknown", detail=f"{sha256} is no seal of this store")
            for sha256 in printed
            if not any(one.startswith(sha256) for one in known)
        ]
        return tuple(found)

    def head(self) -> StoreHead:
        """Number and hash of the newest seal."""
        return self._seals.head()

    def facts_head(self, watermark: int) -> str:
        """Hash of the newest seal over facts up to a watermark; 64 zeros where there are none."""
        return self._seals.head_at(watermark)

    def forget_observations(self) -> None:
        """Throw away what was derived: the next command derives it from the facts."""
        try:
            with self._connection:
                self._connection.execute("DELETE FROM derived_day")
                self._connection.execute("DELETE FROM derivation")
        except apsw.Error as error:
            raise self._failed("observations could not be removed", error) from error

    def _whole(self) -> None:
        """Hold facts and baselines against their seals: once a connection, and again after somebody else wrote.

        Raises:
            StoreAlteredError: the store was changed outside this program.
        """
        try:
            version = int(self._connection.pragma("data_version"))
            if version == self._whole_at:
                return
            place, signature = str(self._path.resolve()), self._signature()
            if _found_whole.get(place) != signature:
                faults = self._seals.faults()
                if not faults and not self._seals.signs_hold():
                    faults = [StoreFault("signs_altered")]
                if faults:
                    raise StoreAlteredError(faults, self._path)
                _found_whole[place] = signature
        except apsw.Error as error:
            raise self._unreadable(error) from error
        self._whole_at = version

    def _signature(self) -> _Signature:
        """How the file and its log look to the operating system; any write changes it."""
        found = []
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            seen = path.stat() if path.exists() else None
            if seen is not None and seen.st_size:
                found.append((seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
        return tuple(found)

    def _days_altered(self) -> list[StoreFault]:
        rows: Iterable[Any] = self._connection.execute("SELECT day, body, sha256 FROM derived_day ORDER BY day")
        wrong = [int(day) for day, body, sha256 in rows if hashlib.sha256(body).digest() != sha256]
        found = [StoreFault("day_altered", day=_day(ordinal)) for ordinal in wrong]
        kept = self._connection.execute("SELECT name, watermark, sha256 FROM derivation").fetchone()
        if kept is not None and not found and kept[2] != self._derivation_digest(str(kept[0]), int(kept[1])):
            found.append(StoreFault("day_altered", detail="a derived day was added, removed or renumbered"))
        return found

    def _derivation_digest(self, name: str, watermark: int) -> bytes:
        days = self._connection.execute("SELECT day, sha256 FROM derived_day ORDER BY day").fetchall()
        return hashlib.sha256(msgspec.json.encode((name, watermark, days))).digest()

    def add_facts(
        self,
        facts: Iterable[Fact],
        *,
        source: str,
        ignored: int = 0,
        reached: int | None = None,
        on_change: OnChange = "keep",
    ) -> Imported:
        """Store facts whose key is new, and the feed position reached, in one transaction."""
        try:
            with self._connection:
                done = self._facts.add(facts, source, ignored, on_change)
                if reached is not None:
                    self._connection.execute(
                        "INSERT INTO source (name, reached) VALUES (?, ?)"
                        " ON CONFLICT (name) DO UPDATE SET reached = excluded.reached",
                        (source, reached),
                    )
        except apsw.Error as error:
            raise self._failed("facts could not be stored", error) from error
        return done

    def facts(self, up_to: int | None = None) -> Iterator[Fact]:
        """All facts in order of arrival that hold, or held at a watermark."""
        self._whole()
        return self._facts.held(up_to)

    def fact_count(self) -> int:
        """How many facts hold."""
        return self._facts.count()

    def fact_watermark(self) -> int:
        """Number of the last fact."""
        return self._facts.watermark()

    def changed_since(self, watermark: int) -> Sequence[Fact]:
        """Facts that came after a watermark, and those replaced since."""
        self._whole()
        return self._facts.changed_since(watermark)

    def facts_between(self, start: datetime, end: datetime, up_to: int | None = None) -> Iterator[Fact]:
        """Facts that touch [start, end), and what belongs to them."""
        self._whole()
        return self._facts.between(start, end, up_to)

    def failures_and_alarms(self, start: datetime, up_to: int | None = None) -> Iterator[Fact]:
        """Failed parts, alarms and outcomes from a moment on."""
        self._whole()
        return self._facts.failures_and_alarms(start, up_to)

    def facts_by_key(self, keys: Iterable[str]) -> Sequence[Fact]:
        """Facts that hold, by their keys."""
        self._whole()
        return self._facts.by_key(keys)

    def revisions(self) -> Sequence[StopRevisionFact]:
        """All revisions of stops, replaced ones included."""
        self._whole()
        return [fact for fact in self._facts.of_kind("stop_revision") if isinstance(fact, StopRevisionFact)]

    def signs(self) -> Signs:
        """Signs of life of all lines."""
        self._whole()
        return self._facts.signs()

    def moments(self) -> tuple[datetime, datetime] | None:
        """Begin of the earliest fact and end of the latest, None without facts."""
        return self._facts.moments()

    def last_written(self) -> datetime | None:
        """When something was imported or frozen last, by the clock of then; None for an empty store."""
        query = "SELECT max(at) FROM (SELECT at FROM import UNION ALL SELECT frozen_at FROM frozen_baseline)"
        row = self._connection.execute(query).fetchone()
        return None if row is None or row[0] is None else datetime.fromisoformat(str(row[0]))

    def reached(self, source: str) -> int:
        """The last feed position taken from a source, 0 when none."""
        row = self._connection.execute("SELECT reached FROM source WHERE name = ?", (source,)).fetchone()
        return int(row[0]) if row else 0

    def derived(self, derivation: str) -> int | None:
        """Watermark of the observations kept under a derivation name, None for other names."""
        kept = self._connection.execute("SELECT watermark FROM derivation WHERE name = ?", (derivation,)).fetchone()
        return None if kept is None else int(kept[0])

    def derivation(self) -> str | None:
        """Name under which observations are kept, None where none are."""
        kept = self._connection.execute("SELECT name FROM derivation").fetchone()
        return None if kept is None else str(kept[0])

    def observations(self, derivation: str) -> Observations | None:
        """Observations kept under a derivation name, or None.

        Raises:
            StoreAlteredError: what was derived, or what it was derived from, was changed outside this program.
        """
        if self.derived(derivation) is None:
            return None
        self._whole()
        faults = self._days_altered()
        if faults:
            raise StoreAlteredError(faults, self._path)
        return unpack_days(body for (body,) in self._connection.execute("SELECT body FROM derived_day ORDER BY day"))

    def keep_observations(self, derivation: str, watermark: int, kept: Observations, days: Collection[date]) -> None:
        """Replace the rows and findings of these days."""
        products: dict[date, list[Observation]] = defaultdict(list)
        lines: dict[date, list[LineShift]] = defaultdict(list)
        findings: dict[date, list[Finding]] = defaultdict(list)
        for row in kept.products:
            products[row.day].append(row)
        for line in kept.line_shifts:
            lines[line.day].append(line)
        for found in kept.findings:
            findings[found.day].append(found)

        def of_day(day: date) -> Observations:
            return Observations(tuple(products[day]), tuple(lines[day]), tuple(findings[day]))

        filled = sorted({*products, *lines, *findings})
        try:
            with self._connection:
                if self.derived(derivation) is None:
                    self._connection.execute("DELETE FROM derived_day")
                self._connection.execute("DELETE FROM derivation")
                self._connection.executemany(
                    "DELETE FROM derived_day WHERE day = ?", ((day.toordinal(),) for day in days)
                )
                packed = ((day.toordinal(), pack_day(day, of_day(day))) for day in filled)
                self._connection.executemany(
                    "INSERT INTO derived_day (day, body, sha256) VALUES (?, ?, ?)",
                    ((day, body, hashlib.sha256(body).digest()) for day, body in packed),
                )
                self._connection.execute(
                    "INSERT INTO derivation (name, watermark, sha256) VALUES (?, ?, ?)",
                    (derivation, watermark, self._derivation_digest(derivation, watermark)),
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
                self._seals.seal_baseline(self._connection.last_insert_rowid())
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
        self._whole()
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

    def _unreadable(self, error: apsw.Error) -> StoreError:
        return StoreError(
            f"the store cannot be read: {error}", field="store", value=self._path, hint="restore a backup of it"
        )

    def _failed(self, what: str, error: apsw.Error) -> StoreError:
        return StoreError(
            f"{what}: {error}", field="store", value=self._path, hint="nothing was written; check disk and rights"
        )


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else None
