"""A report as PDF by Typst, with the bundled font; the same content gives the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import typst

from roi_tracker.errors import CaseError
from roi_tracker.render.content_charts import PRINT, svg

if TYPE_CHECKING:
    from roi_tracker.render.content_blocks import Content, Table

_ROOM = resources.files("roi_tracker.render").joinpath("typst")
_LONG_TEXT = 26
"""Characters from which a column takes what room is left instead of one line."""


def render_content_pdf(content: Content) -> bytes:
    """The document; a character that the bundled font cannot draw is written as its code, [U+1F600]."""
    with resources.as_file(_ROOM) as room:
        made = typst.compile(
            room / "content.typ",
            root=room,
            font_paths=[room / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"content": msgspec.json.encode(_drawable(_laid_out(content))).decode()},
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


def drawable(text: str) -> str:
    """A text with every character that the font cannot draw as its code in brackets: nothing is lost on paper.

    >>> drawable("press \N{SNOWMAN} 1")
    'press [U+2603] 1'
    """
    return "".join(one if ord(one) in glyphs() or one.isspace() else f"[U+{ord(one):04X}]" for one in text)


def _drawable(plain: Any) -> Any:  # noqa: ANN401 - any value that JSON has
    """The same for every text of a document: a name or ledger entry may hold any character."""
    if isinstance(plain, str):
        return drawable(plain)
    if isinstance(plain, list):
        return [_drawable(one) for one in plain]
    if isinstance(plain, dict):
        return {name: _drawable(one) for name, one in plain.items()}
    return plain
