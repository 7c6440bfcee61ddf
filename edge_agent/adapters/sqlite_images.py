"""Which inspections refer to which images: ports.ImageIndex, read from the store by the thread that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from edge_agent.adapters.sqlite_schema import open_reader, store_errors
from edge_agent.ports.keeping import ImageUse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import apsw

    from edge_agent.events import VerdictName

_Row = tuple[str, "VerdictName", int, int]


class SqliteImageIndex:
    """The references of the store at `path`, over a connection of its own.

    Raises:
        StoreError: absent, not a store, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_reader(path)

    def close(self) -> None:
        """End; not while another thread uses it."""
        self._connection.close()

    def images(self) -> int:
        """References to images, counted."""
        return cast("int", self._query("SELECT count(*) FROM evidence").get)

    def images_of(self, verdict: VerdictName) -> int:
        """References of a verdict class, counted."""
        return cast("int", self._query("SELECT count(*) FROM evidence WHERE verdict = ?", verdict).get)

    def oldest(self, verdict: VerdictName, after_seq: int, limit: int) -> Sequence[ImageUse]:
        """References of a verdict class in feed order, from the first whose seq is greater.

        The references of one inspection come together: the limit may be passed by them.
        """
        query = (
            "SELECT digest, verdict, seq, at_us FROM evidence WHERE verdict = ?1 AND seq > ?2 AND seq <= coalesce("
            "(SELECT seq FROM evidence WHERE verdict = ?1 AND seq > ?2 ORDER BY seq LIMIT 1 OFFSET ?3),"
            " 9223372036854775807) ORDER BY seq"
        )
        rows = self._query(query, verdict, after_seq, limit - 1).fetchall()
        return [ImageUse(*cast("_Row", row)) for row in rows]

    def uses(self, digests: Sequence[str]) -> Sequence[ImageUse]:
        """Every reference to some images."""
        among = "digest IN (SELECT value FROM json_each(?)) ORDER BY seq"
        query = f"SELECT digest, verdict, seq, at_us FROM evidence WHERE {among}"  # noqa: S608 - a constant
        return [ImageUse(*cast("_Row", row)) for row in self._query(query, _json(digests)).fetchall()]

    def digests_of(self, inspection_keys: Sequence[str]) -> frozenset[str]:
        """The images of some inspections."""
        query = (
            "SELECT json_extract(body, '$.body.image'), json_extract(body, '$.body.anomaly_map') FROM event"
            " WHERE key IN (SELECT value FROM json_each(?))"
        )
        rows = cast("list[tuple[str | None, str | None]]", self._query(query, _json(inspection_keys)).fetchall())
        return frozenset(digest for row in rows for digest in row if digest is not None)

    def unknown(self, digests: Sequence[str]) -> Sequence[str]:
        """Those digests that no inspection refers to."""
        query = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT digest FROM evidence WHERE digest = value)"
        return [cast("str", row[0]) for row in self._query(query, _json(digests)).fetchall()]

    def _query(self, query: str, *bindings: str | int) -> apsw.Cursor:
        with store_errors(self._path, "reading which images are referred to"):
            return self._connection.execute(query, bindings)


def _json(texts: Sequence[str]) -> str:
    return msgspec.json.encode(list(texts)).decode()
