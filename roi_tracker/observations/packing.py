"""One day's observations as bytes, by column: names and dates are written once, and read back as shared objects."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from roi_tracker.observations import rows
from roi_tracker.observations.rows import AuditSample, Finding, LineShift, Observation, Observations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHARED = frozenset({"line", "shift", "product", "origin", "inspector"})


def _column_types(row: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    hints = get_type_hints(row, vars(rows))
    names = [name for name in row.__struct_fields__ if name not in {"day", "audits"}]
    return [(name, list[hints[name]]) for name in names]  # type: ignore[valid-type]  # made from the row's own fields


_ProductColumns: Any = msgspec.defstruct("_ProductColumns", _column_types(Observation), array_like=True)
_LineColumns: Any = msgspec.defstruct("_LineColumns", _column_types(LineShift), array_like=True)


class _Audits(msgspec.Struct, array_like=True):
    """Audit samples of a day: row and fields side by side."""

    row: list[int]
    inspector: list[rows.Inspector]
    stratum: list[rows.Stratum]
    audited: list[int]
    defects_found: list[int]


class _Day(msgspec.Struct, array_like=True):
    day: int
    products: _ProductColumns
    audits: _Audits
    lines: _LineColumns
    findings: list[Finding]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Day)
_PRODUCT_FIELDS = _ProductColumns.__struct_fields__
_LINE_FIELDS = _LineColumns.__struct_fields__


def pack_day(day: date, observations: Observations) -> bytes:
    """The rows and findings of one day; every row and finding must be of this day."""
    products, lines = observations.products, observations.line_shifts
    samples = [(number, audit) for number, row in enumerate(products) for audit in row.audits]
    return _encode(
        _Day(
            day.toordinal(),
            _ProductColumns(*([getattr(row, name) for row in products] for name in _PRODUCT_FIELDS)),
            _Audits(
                [number for number, _ in samples],
                [audit.inspector for _, audit in samples],
                [audit.stratum for _, audit in samples],
                [audit.audited for _, audit in samples],
                [audit.defects_found for _, audit in samples],
            ),
            _LineColumns(*([getattr(row, name) for row in lines] for name in _LINE_FIELDS)),
            list(observations.findings),
        )
    )


def unpack_days(packed: Iterable[bytes]) -> Observations:
    """Observations of days packed one by one, in the order given."""
    known: dict[Any, Any] = {}
    products: list[Observation] = []
    lines: list[LineShift] = []
    findings: list[Finding] = []
    for body in packed:
        content = _decoder.decode(body)
        day = date.fromordinal(content.day)
        audits = _audits(content.audits, len(content.products.line))
        columns = _columns(content.products, _PRODUCT_FIELDS, day, known)
        columns.insert(Observation.__struct_fields__.index("audits"), audits)
        products.extend(map(Observation, *columns))
        lines.extend(map(LineShift, *_columns(content.lines, _LINE_FIELDS, day, known)))
        findings.extend(content.findings)
    return Observations(tuple(products), tuple(lines), tuple(findings))


def _columns(content: Any, fields: Sequence[str], day: date, known: dict[Any, Any]) -> list[list[Any]]:  # noqa: ANN401 - made by defstruct
    """Columns in the order of the row's fields, `day` second; equal names become one object."""
    found = []
    for name in fields:
        values = getattr(content, name)
        found.append([known.setdefault(value, value) for value in values] if name in _SHARED else values)
    return [found[0], [day] * len(found[0]), *found[1:]]


def _audits(content: _Audits, count: int) -> list[tuple[AuditSample, ...]]:
    by_row: list[tuple[AuditSample, ...]] = [()] * count
    samples = map(AuditSample, content.inspector, content.stratum, content.audited, content.defects_found)
    for row, sample in zip(content.row, samples, strict=True):
        by_row[row] += (sample,)
    return by_row
