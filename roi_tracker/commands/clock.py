"""The time at which an entry is written: never behind what the store already knows to have happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from roi_tracker.errors import StoreError

if TYPE_CHECKING:
    from roi_tracker.adapters.sqlite_ledger import SqliteLedger
    from roi_tracker.adapters.sqlite_store import SqliteStore

_AHEAD = timedelta(days=1)
"""How far a fact may lie ahead: counts and rosters are of a whole day, and a machine's clock is its own."""


def writing_time(store: SqliteStore, ledger: SqliteLedger | None = None) -> datetime:
    """Now, aware UTC.

    What is frozen or registered before go-live is trusted more than what comes later, so a clock set back is refused.

    Args:
        store: facts, imports and baselines.
        ledger: None where no entry is written.

    Raises:
        StoreError: the clock is behind an entry, an import, a frozen baseline or, by more than a day, a fact.
    """
    now = datetime.now(UTC)
    moments, written = store.moments(), store.last_written()
    known = {
        "the newest fact": None if moments is None else moments[1] - _AHEAD,
        "the last import or freeze": written,
        "the last entry of the ledger": None if ledger is None else ledger.last_at(),
    }
    for what, at in known.items():
        if at is not None and now < at:
            raise StoreError(
                f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, which is before {what} ({at:%Y-%m-%d %H:%M:%S})",
                field="clock",
                value=now.isoformat(),
                hint="set this machine's clock right; nothing was written",
            )
    return now
