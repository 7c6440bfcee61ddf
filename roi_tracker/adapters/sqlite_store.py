"""The tracker's own store in one SQLite file: facts, derived observations, frozen baselines.

WAL with synchronous=FULL: what an import reports as stored survives a power cut. Frozen baselines are append-only by
trigger, not by good manners.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import apsw
import msgspec

from roi_tracker.adapters.sqlite_facts import FactTable
from roi_tracker.adapters.sqlite_schema import open_connection
from roi_tracker.baseline.frozen import FrozenBaseline
from roi_tracker.errors import StoreError
from roi_tracker.observations.facts import StopRevisionFact
from roi_tracker.observations.packing import pack_day, unpack_days
from roi_tracker.observations.rows import Finding, LineShift, Observation, Observations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from roi_tracker.observations.facts import Fact
    from roi_tracker.ports import Imported, OnChange, Signs

_encode = msgspec.json.Encoder().encode
_baseline_decoder = msgspec.json.Decoder(FrozenBaseline)


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
        return self._facts.held(up_to)

    def fact_count(self) -> int:
        """How many facts hold."""
        return self._facts.count()

    def fact_watermark(self) -> int:
        """Number of the last fact."""
        return self._facts.watermark()

    def changed_since(self, watermark: int) -> Sequence[Fact]:
        """Facts that came after a watermark, and those replaced since."""
        return self._facts.changed_since(watermark)

    def facts_between(self, start: datetime, end: datetime) -> Iterator[Fact]:
        """Facts that touch [start, end), and what belongs to them."""
        return self._facts.between(start, end)

    def facts_by_key(self, keys: Iterable[str]) -> Sequence[Fact]:
        """Facts that hold, by their keys."""
        return self._facts.by_key(keys)

    def revisions(self) -> Sequence[StopRevisionFact]:
        """All revisions of stops, replaced ones included."""
        return [fact for fact in self._facts.of_kind("stop_revision") if isinstance(fact, StopRevisionFact)]

    def signs(self) -> Signs:
        """Signs of life of all lines."""
        return self._facts.signs()

    def moments(self) -> tuple[datetime, datetime] | None:
        """Begin of the earliest fact and end of the latest, None without facts."""
        return self._facts.moments()

    def reached(self, source: str) -> int:
        """The last feed position taken from a source, 0 when none."""
        row = self._connection.execute("SELECT reached FROM source WHERE name = ?", (source,)).fetchone()
        return int(row[0]) if row else 0

    def derived(self, derivation: str) -> int | None:
        """Watermark of the observations kept under a derivation name, None for other names."""
        kept = self._connection.execute("SELECT watermark FROM derivation WHERE name = ?", (derivation,)).fetchone()
        return None if kept is None else int(kept[0])

    def observations(self, derivation: str) -> Observations | None:
        """Observations kept under a derivation name, or None."""
        if self.derived(derivation) is None:
            return None
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
                self._connection.execute(
                    "INSERT INTO derivation (name, watermark) VALUES (?, ?)", (derivation, watermark)
                )
                self._connection.executemany(
                    "DELETE FROM derived_day WHERE day = ?", ((day.toordinal(),) for day in days)
                )
                self._connection.executemany(
                    "INSERT INTO derived_day (day, body) VALUES (?, ?)",
                    ((day.toordinal(), pack_day(day, of_day(day))) for day in filled),
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
