"""How a plant file would be read, as tables on a terminal."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from rich import box
from rich.table import Table

from roi_tracker.render.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from roi_tracker.money import Language
    from roi_tracker.observations.facts import Fact
    from roi_tracker.plant_files.importing import Preview
    from roi_tracker.plant_files.translating import CostRow
    from roi_tracker.render.catalogue import Catalogue

_NOT_OF_THE_FILE = frozenset({"key", "origin", "type"})
_SECONDS_PER_HOUR = 3600


def preview_tables(shown: Preview, language: Language) -> Iterator[RenderableType]:
    """A heading, the columns, the first rows in the plant's own time, and the rows that cannot be used."""
    t = catalogue(language)
    yield t(
        "preview.head",
        source=shown.source,
        kind=t(f"file_kind.{shown.kind}"),
        rows=f"{shown.rows:,}",
        wrong=f"{shown.wrong:,}",
        skipped=len(shown.skipped),
    )
    columns = _table(t("preview.columns"), [t("preview.header"), t("preview.field"), t("preview.unit")])
    for column in shown.columns:
        columns.add_row(column.header, t(f"file_field.{column.field}"), column.unit)
    yield columns
    if shown.unused:
        yield t("preview.unused", names=", ".join(shown.unused))
    yield t(
        "preview.settings",
        decimal=shown.decimal,
        encoding=t("preview.encoding", encoding=shown.encoding) if shown.encoding else "",
        zone=shown.time_zone or t("preview.no_zone"),
    )
    if shown.first:
        yield _first(shown.first, shown.time_zone, t)
    if shown.errors:
        yield _errors(shown, t)
        if shown.wrong > len(shown.errors):
            yield t("preview.more", count=shown.wrong - len(shown.errors))


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD)
    for head in heads:
        table.add_column(head)
    return table


def _first(facts: Sequence[Fact | CostRow], zone: str | None, t: Catalogue) -> Table:
    rows = [msgspec.structs.asdict(fact) for fact in facts]
    names = [
        name
        for name in rows[0]
        if name not in _NOT_OF_THE_FILE and any(row.get(name) not in {None, ""} for row in rows)
    ]
    table = _table(t("preview.first"), [t(f"file_field.{_start(name, names)}") for name in names])
    for row in rows:
        table.add_row(*(_cell(name, row.get(name), zone, t) for name in names))
    return table


def _start(name: str, names: Sequence[str]) -> str:
    """A fact's time is its start where it has an end."""
    return "start" if name == "at" and "end" in names else name


def _cell(name: str, value: object, zone: str | None, t: Catalogue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return t("preview.yes" if value else "preview.no")
        case datetime():
            local = value if zone is None else value.astimezone(ZoneInfo(zone))
            return f"{local:%Y-%m-%d %H:%M}{' UTC' if zone is None else ''}"
        case date():
            return value.isoformat()
        case int() | float():
            number = value / _SECONDS_PER_HOUR if name.endswith("_s") else value
            return f"{number:,.12g}"
        case _:
            return str(value)


def _errors(shown: Preview, t: Catalogue) -> Table:
    table = _table(t("preview.errors"), [t(f"preview.{name}") for name in ("row", "column", "what", "fix")])
    for row in shown.errors:
        korean = t.language == "ko" and row.message_ko
        what, fix = (row.message_ko, row.fix_ko) if korean else (row.message, row.fix)
        table.add_row(str(row.line), row.column, what.removeprefix(f"{row.column}: "), fix)
    return table
