"""The durable store in one SQLite file: every commit is synced to disk before it returns.

One thread writes, through one connection; any thread reads (`SqliteReader`). A lock file keeps a second agent out,
because what the writer remembers between commits holds only while nobody else writes.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import msgspec

from edge_agent.adapters.sqlite_day_writer import DayWriter
from edge_agent.adapters.sqlite_days import days_folder, list_days
from edge_agent.adapters.sqlite_old_blocks import DAYS_SCHEMA, carry_over
from edge_agent.adapters.sqlite_reader import SqliteReader
from edge_agent.adapters.sqlite_readings import ReadingTables
from edge_agent.adapters.sqlite_schema import open_writer, store_errors
from edge_agent.adapters.store_lock import folder_errors, sync_folder, take_lock
from edge_agent.errors import StoreError, ValueRefusedError
from edge_agent.events import Disposition, Event, Gap, Inspection, Purge, RecordedEvent, decode_event, encode
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us, to_us
from edge_agent.payloads import sequences
from edge_agent.ports import Committed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    import apsw

    from edge_agent.instant import Instant
    from edge_agent.ports import Batch, OutboxMessage, Quarantined
    from edge_agent.ports.keeping import DayOfReadings, RemovedDay

SETTLED_KEPT = 100_000  # keys of settled messages without a subject, remembered so that none is queued again

_ledger_decoder = msgspec.json.Decoder(sequences.SequenceLedger)


def _body(event: Event) -> str:
    """What is written of an event, after a look that it can be read again: a NaN, say, would come back as null.

    Raises:
        ValueRefusedError: it could not, and would stand in the way of every reader of the feed.
    """
    encoded = encode(event)
    try:
        decode_event(encoded)
    except msgspec.ValidationError as error:
        raise ValueRefusedError(
            f"event {event.key!r} could not be read again: {error}", hint="numbers are finite: mend what made it"
        ) from error
    return encoded.decode()


class SqliteStore(SqliteReader):
    """ports.Store over one SQLite file."""

    def __init__(self, path: Path, *, staging_s: int) -> None:
        super().__init__(path)
        self._staging_us = staging_s * MICROSECONDS_PER_SECOND
        self._writer_thread: threading.Thread | None = None
        self._lock = take_lock(path)
        try:
            self._connection, self._day_writer = self._open_files(path)
        except BaseException:
            os.close(self._lock)
            raise
        self._readings = ReadingTables(self._connection, self._day_writer)

    @staticmethod
    def _open_files(path: Path) -> tuple[apsw.Connection, DayWriter]:
        days: list[DayWriter] = []

        def adopt(connection: apsw.Connection, version: int) -> None:
            if version == DAYS_SCHEMA:
                days.append(DayWriter(days_folder(path)))
                carry_over(connection, days[0])

        connection = open_writer(path, adopt=adopt)
        try:
            return connection, days[0] if days else DayWriter(days_folder(path))
        except BaseException:
            connection.close()
            raise

    @classmethod
    def open(cls, path: Path, *, staging_s: int = 60) -> Self:
        """Open or make a store; reads the whole file once to see that it is sound.

        Args:
            path: the file; its folder is made when absent.
            staging_s: age in seconds from which `compact` takes readings.

        Raises:
            StoreBusyError: another agent has it open.
            StoreError: damaged, of a newer version, or not a store; the file is left as it is.
        """
        with folder_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(path.parent.parent)  # SQLite syncs the file's own folder, not the entry of a new one
        return cls(path, staging_s=staging_s)

    def close(self) -> None:
        """Close after the writer's last commit; any thread, once the writer has stopped."""
        if self._lock < 0:
            return
        super().close()
        with store_errors(self._path, "closing it"):
            self._connection.close()
            self._day_writer.close()
        os.close(self._lock)
        self._lock = -1

    def commit(self, batch: Batch) -> Committed:
        """Write a batch in one durable transaction: when this returns, a power cut does not lose it.

        Gap events carry no line: a publisher may serve several.

        Raises:
            StoreBusyError: not now; offer the same batch again.
            StoreError: never like this (disk full, damaged, a value no store can hold); nothing was written.
        """
        with self._transaction("committing a batch"):
            gaps = self._enter_marks(batch)
            offered = [*batch.events, *gaps]
            events = self._insert_events(offered, batch.at)
            outbox = self._queue(batch.outbox, {recorded.event.key for recorded in events})
            self._settle(batch.settled)
            quarantined = self._quarantine(batch.quarantined, batch.at)
            readings = self._readings.insert(batch.readings) if batch.readings else 0
            self._count(events=len(events), readings=readings, quarantined=quarantined)
        return Committed(
            events=events,
            outbox=outbox,
            duplicate_events=len(offered) - len(events),
            duplicate_readings=len(batch.readings) - readings,
        )

    def compact(self, now: Instant) -> int:
        """Move staged readings of whole minutes older than the staging time into compressed blocks and minute
        roll-ups, a bounded amount a call; returns readings moved, 0 when there is nothing to do. Writer thread only.

        Raises:
            StoreBusyError, StoreError: as for `commit`; nothing was moved.
        """
        self._assert_writer()
        with store_errors(self._path, "looking for readings to compact"):
            if not self._readings.has_work(now.utc_us - self._staging_us):
                return 0  # without a write lock: an idle agent stays out of a backup's way
            try:
                moved = self._readings.compact()
            except BaseException:
                self._readings.rolled_back()
                raise
        with self._transaction("compacting readings"):
            self._readings.clear_compacted()
        return moved

    # ---- days, any thread -------------------------------------------------------------------------------------

    def kept_days(self) -> list[DayOfReadings]:
        """The days of readings that are kept, oldest first."""
        return list_days(days_folder(self._path))

    def remove_day(self, day: int) -> RemovedDay | None:
        """Forget a day of readings, durably; None where it is not kept."""
        return self._day_writer.remove(day)

    def unfinished_days(self) -> list[RemovedDay]:
        """Forgotten days whose room was not given back."""
        return self._day_writer.unfinished()

    def finish_day(self, removed: RemovedDay) -> None:
        """Give a forgotten day's room back."""
        self._day_writer.finish(removed)

    # ---- the transaction --------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[None]:
        self._assert_writer()
        with store_errors(self._path, doing):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._readings.rolled_back()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, ValueError | OverflowError):  # naive time, lone surrogate, more than 64 bits
                    raise ValueRefusedError(
                        f"a value of the batch cannot be stored: {error}",
                        hint="times carry a zone, texts are valid Unicode, numbers fit 64 bits: mend the source",
                    ) from error
                raise

    def _assert_writer(self) -> None:
        current = threading.current_thread()
        if self._lock < 0:
            raise StoreError(f"store {self._path.name} is closed", hint="open it again")
        if self._writer_thread is not current:
            if self._writer_thread is not None and self._writer_thread.is_alive():
                message = (
                    f"store written from thread {current.name!r}, but {self._writer_thread.name!r} is its writer;"
                    " hand facts to the writer thread (ports.Recorder)"
                )
                raise RuntimeError(message)
            self._writer_thread = current

    def _new(self, table: str, keys: Iterable[str]) -> dict[str, None]:
        """Those keys a table does not have yet, each once, in order."""
        wanted = dict.fromkeys(keys)
        if not wanted:
            return wanted
        query = f"SELECT key FROM {table} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own table names
        for (key,) in self._connection.execute(query, (msgspec.json.encode(list(wanted)).decode(),)):
            del wanted[cast("str", key)]
        return wanted

    # ---- what a batch holds -----------------------------------------------------------------------------------

    def _insert_events(self, offered: Sequence[Event], at: Instant) -> list[RecordedEvent]:
        new = self._new("event", (event.key for event in offered))
        if not new:
            return []
        by_key = {event.key: event for event in reversed(offered)}  # the first of equal keys
        last = self._connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'").get
        recorded_at = from_us(at.utc_us)
        recorded = [
            RecordedEvent(seq, recorded_at, at.boot_id, at.mono_ns, by_key[key])
            for seq, key in enumerate(new, cast("int", last) + 1)
        ]
        self._connection.executemany(
            "INSERT INTO event (seq, key, kind, line, occurred_us, recorded_us, mono_ns, boot_id, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    item.seq,
                    item.event.key,
                    item.event.kind,
                    item.event.line,
                    to_us(item.event.occurred_at),
                    at.utc_us,
                    at.mono_ns,
                    at.boot_id,
                    _body(item.event),
                )
                for item in recorded
            ],
        )
        self._note_reviews(recorded)
        self._note_images(recorded)
        return recorded

    def _note_reviews(self, recorded: list[RecordedEvent]) -> None:
        """Keep the side tables of reviews; a disposition may come before its inspection."""
        judged = [(r.event.body.inspection_key, r.seq) for r in recorded if isinstance(r.event.body, Disposition)]
        reviews = [
            (r.event.key, r.event.line, r.seq)
            for r in recorded
            if isinstance(r.event.body, Inspection) and r.event.body.verdict == "REVIEW"
        ]
        self._connection.executemany("INSERT INTO disposition (inspection_key, seq) VALUES (?, ?)", judged)
        self._connection.executemany(
            "INSERT INTO open_review (inspection_key, line, seq) SELECT ?1, ?2, ?3"
            " WHERE NOT EXISTS (SELECT 1 FROM disposition WHERE inspection_key = ?1)",
            reviews,
        )
        self._connection.executemany("DELETE FROM open_review WHERE inspection_key = ?", [(key,) for key, _ in judged])

    def _note_images(self, recorded: list[RecordedEvent]) -> None:
        """Keep the side table of images that inspections refer to; one that was purged is referred to no more."""
        for item in recorded:
            body = item.event.body
            if isinstance(body, Inspection):
                kept = {digest for digest in (body.image, body.anomaly_map) if digest is not None}
                at_us = to_us(item.event.occurred_at)
                rows = [(digest, item.seq, body.verdict, at_us) for digest in kept]
                self._connection.executemany(
                    "INSERT INTO evidence (digest, seq, verdict, at_us) VALUES (?, ?, ?, ?)", rows
                )
            elif isinstance(body, Purge):
                gone = msgspec.json.encode(body.digests).decode()
                self._connection.execute(
                    "DELETE FROM evidence WHERE digest IN (SELECT value FROM json_each(?)) AND seq <= ?",
                    (gone, body.until_seq),
                )

    def _enter_marks(self, batch: Batch) -> list[Event]:
        """Enter publishers' numbers; returns a `Gap` event for each hole that they opened."""
        numbers: dict[tuple[str, str], list[int]] = {}
        for mark in batch.marks:
            numbers.setdefault((mark.source, mark.epoch), []).append(mark.number)
        gaps = []
        for (source, epoch), arrived in numbers.items():
            row = self._connection.execute(
                "SELECT ledger FROM sequence WHERE source = ? AND epoch = ?", (source, epoch)
            ).fetchone()
            known = sequences.SequenceLedger() if row is None else _ledger_decoder.decode(cast("str", row[0]))
            receipt = sequences.receive(known, arrived)
            if receipt.ledger == known:
                continue
            self._connection.execute(
                "INSERT INTO sequence (source, epoch, ledger, missing) VALUES (?, ?, ?, ?) ON CONFLICT (source, epoch)"
                " DO UPDATE SET ledger = excluded.ledger, missing = excluded.missing",
                (source, epoch, msgspec.json.encode(receipt.ledger).decode(), receipt.ledger.missing),
            )
            gaps += [
                Event(
                    key=f"gap/{source}/{epoch}/{hole.first}-{hole.last}",
                    line="",
                    occurred_at=batch.at.utc,
                    body=Gap(source=source, epoch=epoch, first=hole.first, last=hole.last),
                )
                for hole in receipt.opened
            ]
        return gaps

    def _queue(self, offered: Sequence[OutboxMessage], new_events: set[str]) -> list[OutboxMessage]:
        allowed = [message for message in offered if not message.subject_key or message.subject_key in new_events]
        new = self._new("outbox", self._new("outbox_settled", (message.key for message in allowed)))
        by_key = {message.key: message for message in reversed(allowed)}
        queued = [by_key[key] for key in new]
        self._connection.executemany(
            "INSERT INTO outbox (key, subject_key, topic, payload, created_us, line, retain, deadline_ms, on_late)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    m.key,
                    m.subject_key,
                    m.topic,
                    m.payload,
                    m.created_us,
                    m.line,
                    int(m.retain),
                    m.deadline_ms,
                    m.on_late,
                )
                for m in queued
            ],
        )
        return queued

    def _settle(self, keys: Sequence[str]) -> None:
        """Take settled messages out. Only one without a subject leaves its key: a subject is new only once."""
        if not keys:
            return
        bindings = [(key,) for key in keys]
        self._connection.executemany(
            "INSERT INTO outbox_settled (key) SELECT key FROM outbox WHERE key = ? AND subject_key = ''", bindings
        )
        self._connection.executemany("DELETE FROM outbox WHERE key = ?", bindings)
        self._connection.execute(
            "DELETE FROM outbox_settled WHERE id <= (SELECT max(id) FROM outbox_settled) - ?", (SETTLED_KEPT,)
        )

    def _quarantine(self, offered: Sequence[Quarantined], at: Instant) -> int:
        new = self._new("quarantine", (item.key for item in offered))
        by_key = {item.key: item for item in reversed(offered)}
        self._connection.executemany(
            "INSERT INTO quarantine (key, source, topic, reason, detail, payload, recorded_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (item.key, item.source, item.topic, item.reason, item.detail, item.payload, at.utc_us)
                for item in (by_key[key] for key in new)
            ],
        )
        return len(new)

    def _count(self, **added: int) -> None:
        self._connection.executemany(
            "UPDATE tally SET count = count + ? WHERE name = ?",
            [(count, name) for name, count in added.items() if count],
        )
