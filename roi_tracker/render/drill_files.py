"""Observations behind a benefit line with their events, as CSV and JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.render.report_table import safe_text
from roi_tracker.report.drilldown import DrillRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from roi_tracker.observations.facts import Fact

    WithEvents = Iterable[tuple[DrillRow, tuple[Fact, ...]]]

_FIELDS = tuple(field.name for field in msgspec.structs.fields(DrillRow))


def render_drill_csv(benefit_id: str, found: WithEvents) -> Iterator[bytes]:
    """A row an observation; the keys of its events stand in the last column, apart by spaces."""
    yield b"\xef\xbb\xbf"
    yield _line(["benefit", *_FIELDS, "events", "event_keys"])
    for row, facts in found:
        values = [_cell(getattr(row, name)) for name in _FIELDS]
        yield _line([benefit_id, *values, str(len(facts)), " ".join(safe_text(fact.key) for fact in facts)])


def _line(cells: list[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerow(cells)
    return target.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " / ".join(map(str, value))
    return safe_text(value) if isinstance(value, str) else str(value)


def render_drill_json(benefit_id: str, found: WithEvents) -> Iterator[bytes]:
    """One document: each observation with its events, whole."""
    yield b'{"benefit": ' + msgspec.json.encode(benefit_id) + b', "observations": ['
    for number, (row, facts) in enumerate(found):
        observation = {"key": row.key, **msgspec.to_builtins(row), "events": facts}
        yield (b"\n" if not number else b",\n") + msgspec.json.encode(observation, order="sorted")
    yield b"\n]}\n"
