"""The tracker's store as the commands open it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.errors import StoreError, StoreUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.adapters.sqlite_ledger import SqliteLedger
    from roi_tracker.adapters.sqlite_store import SqliteStore

StoreOption = Annotated[Path, typer.Option("--store", help="the tracker's own store; `import` makes it")]
DEFAULT_STORE = Path("lineproof-data/roi.sqlite")


def _there(path: Path, *, create: bool) -> None:
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        there = path.exists()
    except OSError as error:
        raise StoreUnusableError(
            f"the store's folder cannot be made or read: {error.strerror}",
            field="--store",
            value=path,
            hint="name a file in a folder that exists and may be written",
        ) from error
    if not create and not there:
        raise StoreError("no such store", field="--store", value=path, hint="import facts first: roi-tracker import")


@contextmanager
def open_store(path: Path, *, create: bool = False) -> Iterator[SqliteStore]:
    """Open the store; only an import makes one, so that a typing error is no empty report.

    Raises:
        StoreError: there is none.
        StoreUnusableError: it cannot be made or opened.
    """
    from roi_tracker.adapters.sqlite_store import SqliteStore

    _there(path, create=create)
    store = SqliteStore(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_ledger(path: Path, *, create: bool = False) -> Iterator[SqliteLedger]:
    """Open the ledger in the store's file; only what writes entries may make one.

    Raises:
        StoreError: there is none.
        StoreUnusableError: it cannot be made or opened.
    """
    from roi_tracker.adapters.sqlite_ledger import SqliteLedger

    _there(path, create=create)
    ledger = SqliteLedger(path)
    try:
        yield ledger
    finally:
        ledger.close()
