"""A report as PDF by Typst, with the bundled font; the same content gives the same bytes."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import typst

from roi_tracker.errors import CaseError
from roi_tracker.render.content_charts import PRINT, svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.render.content_blocks import Content, Section, Table

_ROOM = resources.files("roi_tracker.render").joinpath("typst")
_LONG_TEXT = 26
"""Characters from which a column takes what room is left instead of one line."""


def render_content_pdf(content: Content) -> bytes:
    """The document.

    Raises:
        CaseError: a text has a character that the bundled font cannot draw: it would be missing on paper.
    """
    _check_glyphs(content)
    with resources.as_file(_ROOM) as room:
        made = typst.compile(
            room / "content.typ",
            root=room,
            font_paths=[room / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"content": msgspec.json.encode(_laid_out(content)).decode()},
            timestamp=datetime(content.as_of.year, content.as_of.month, content.as_of.day, tzinfo=UTC),
        )
    if not isinstance(made, bytes):  # pragma: no cover - several pages come as a list only for pictures
        raise CaseError("the PDF came out in parts", hint="report this with the case")
    return made


def _laid_out(content: Content) -> dict[str, Any]:
    day = content.as_of
    plain: dict[str, Any] = msgspec.to_builtins(content)
    plain |= {"year": day.year, "month": day.month, "day": day.day}
    for section, made in zip(content.sections, plain["sections"], strict=True):
        made["charts"] = [{"title": chart.title, "svg": svg(chart, PRINT)} for chart in section.charts]
        for table, written in zip(section.tables, made["tables"], strict=True):
            for column, wide in zip(written["columns"], _wide(table), strict=True):
                column["wide"] = wide
    return plain


def _wide(table: Table) -> list[bool]:
    """Which columns share the room that is left: those with long texts, else the last of texts, else the first."""
    longest = [
        max((len(row[index]) for row in table.rows), default=0) >= _LONG_TEXT for index in range(len(table.columns))
    ]
    if any(longest):
        return longest
    only_texts = not any(column.figures for column in table.columns)
    taken = len(table.columns) - 1 if only_texts else 0
    return [index == taken for index in range(len(table.columns))]


@lru_cache(maxsize=1)
def glyphs() -> frozenset[int]:
    """Code points of the bundled font, listed beside it when it was made."""
    text = _ROOM.joinpath("fonts", "coverage.txt").read_text("ascii")
    covered: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        covered.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(covered)


def _check_glyphs(content: Content) -> None:
    for where, text in _texts(content):
        for character in text:
            if ord(character) not in glyphs() and not character.isspace():
                name = unicodedata.name(character, "unnamed")
                raise CaseError(
                    f"the PDF's font has no glyph for {character!r} (U+{ord(character):04X} {name})",
                    field=where,
                    value=text,
                    hint="write it with other characters, or use --format html",
                )


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    for where in ("kicker", "title", "subtitle", "footer", "banner"):
        yield where, getattr(content, where)
    for section in content.sections:
        yield from ((section.id, text) for text in _section_texts(section))


def _section_texts(section: Section) -> Iterator[str]:
    yield from (section.title, *section.texts, *section.notes)
    for fact in section.facts:
        yield from (fact.label, fact.value, fact.note)
    for chart in section.charts:
        yield from (chart.title, chart.unit, *(text for bar in chart.bars for text in (bar.label, bar.shown)))
        yield from (label for _, label in chart.marks)
        yield from (layer.label for layer in chart.layers)
        yield from (text for spark in chart.sparks for text in (spark.label, spark.shown))
    for table in section.tables:
        yield from (column.label for column in table.columns)
        yield table.caption
        yield from table.details
        for row in table.rows:
            yield from row
