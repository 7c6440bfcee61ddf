"""The ledger in the tracker's SQLite file: append-only by trigger, chained by hash, its head kept apart."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import apsw
import msgspec

from roi_tracker.adapters.sqlite_schema import open_connection
from roi_tracker.errors import StoreError
from roi_tracker.ledger.chain import Head, seal, verify
from roi_tracker.ledger.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roi_tracker.ledger.entries import Draft

_encode = msgspec.json.Encoder(order="sorted").encode
_decoder = msgspec.json.Decoder(Entry)


class SqliteLedger:
    """`ports.LedgerStore` on the tracker's SQLite file. One instance is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file and bring its schema up to date.

        Raises:
            StoreError: not a store of this program, newer than it, or the file cannot be opened.
        """
        self._path = path
        self._connection = open_connection(path)

    def entries(self) -> Sequence[Entry]:
        """The whole chain, as stored.

        Raises:
            StoreError: an entry can no longer be read.
        """
        found: list[Entry] = []
        for number, body in self._connection.execute("SELECT number, body FROM ledger ORDER BY number"):
            try:
                found.append(_decoder.decode(body))
            except msgspec.MsgspecError as error:
                raise StoreError(
                    f"entry {number} of the ledger cannot be read: {error}",
                    field="ledger",
                    value=self._path,
                    hint="it was altered outside this program, or written by a newer one: restore a backup or update",
                ) from error
        return found

    def head(self) -> Head:
        """Number and hash of the newest entry, kept apart from the entries."""
        row = self._connection.execute("SELECT number, sha256 FROM ledger_head").fetchone()
        return Head(int(row[0]), str(row[1])) if row else Head()

    def last_at(self) -> datetime | None:
        """Time of the newest entry, None for an empty ledger."""
        row = self._connection.execute("SELECT at FROM ledger ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else datetime.fromisoformat(str(row[0]))

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Seal drafts behind the head, all of them or none."""
        try:
            with self._connection:
                self._connection.execute("UPDATE ledger_head SET number = number")  # a write lock before reading
                head = self.head()
                faults = verify(self.entries(), head)
                if faults:
                    raise StoreError(
                        f"the ledger's chain does not hold at entry {faults[0].number} ({faults[0].name})",
                        field="ledger",
                        value=self._path,
                        hint="nothing was written; see `roi-tracker ledger verify` and restore a backup",
                    )
                sealed: list[Entry] = []
                self._not_behind(drafts)
                for draft in drafts:
                    entry = seal(draft, head)
                    head = Head(entry.number, entry.sha256)
                    sealed.append(entry)
                    self._insert(entry)
                self._connection.execute(
                    "INSERT INTO ledger_head (one, number, sha256) VALUES (1, ?, ?)"
                    " ON CONFLICT (one) DO UPDATE SET number = excluded.number, sha256 = excluded.sha256",
                    (head.number, head.sha256),
                )
        except apsw.Error as error:
            raise StoreError(
                f"the ledger could not be written: {error}",
                field="ledger",
                value=self._path,
                hint="nothing was written; check disk and rights",
            ) from error
        return sealed

    def _not_behind(self, drafts: Sequence[Draft]) -> None:
        """An entry is never older than the one before it: a clock set back would let it pass for an early one."""
        last = self.last_at()
        for draft in drafts:
            if last is not None and draft.at.tzinfo is not None and draft.at < last:
                raise StoreError(
                    f"an entry of {draft.at:%Y-%m-%d %H:%M:%S} behind one of {last:%Y-%m-%d %H:%M:%S}",
                    field="at",
                    value=draft.at.isoformat(),
                    hint="set this machine's clock right; nothing was written",
                )

    def _insert(self, entry: Entry) -> None:
        kind = entry.body.__struct_config__.tag
        self._connection.execute(
            "INSERT INTO ledger (number, case_id, kind, at, sha256, body) VALUES (?, ?, ?, ?, ?, ?)",
            (entry.number, entry.case_id, kind, entry.at.isoformat(), entry.sha256, _encode(entry)),
        )

    def close(self) -> None:
        """Release the file."""
        self._connection.close()
