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
"""Letters from which a column takes what room is left instead of one line."""
_LETTERS_A_LINE = 112
"""Letters of a table's type that fit across A4."""
_UNBREAKABLE = 60
"""Letters of a hash, which keeps its line."""
_GAP = 3
"""Room between two columns, in letters."""
_HANGUL_FROM = 0x1100


def render_content_pdf(content: Content) -> bytes:
    """The document; a character that the bundled font cannot draw is written as its code, [U+1F600]."""
    with resources.as_file(_ROOM) as room:
        made = typst.compile(
            room / "content.typ",
            root=room,
            font_paths=[room / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs=typst_inputs(content),
            timestamp=datetime(content.as_of.year, content.as_of.month, content.as_of.day, tzinfo=UTC),
        )
    if not isinstance(made, bytes):  # pragma: no cover - several pages come as a list only for pictures
        raise CaseError("the PDF came out in parts", hint="report this with the case")
    return made


def typst_inputs(content: Content) -> dict[str, str]:
    """What Typst is given: the content as JSON, with charts drawn and columns laid out."""
    return {"content": msgspec.json.encode(_drawable(_laid_out(content))).decode()}


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


def _wide(table: Table) -> list[float]:
    """Shares of the room that columns take; 0 for one that is as wide as its longest cell.

    Where heads and cells fit beside one another, columns of long texts share the room that is left, by how much they
    hold; else the last of texts or the first takes it. Where they do not fit, heads break and every column shares.
    """
    heads = [column.label for column in table.columns]
    cells = [[row[index] for row in table.rows] for index in range(len(heads))]
    longest = [max(map(_letters, column), default=0) for column in cells]
    if any(not column.figures and width >= _LONG_TEXT for column, width in zip(table.columns, longest, strict=True)):
        plain = [max(width, _letters(head)) for width, head in zip(longest, heads, strict=True) if width < _LONG_TEXT]
        if sum(plain) + len(plain) * _GAP <= _LETTERS_A_LINE / 2:
            held = [sum(map(_letters, column)) / max(len(column), 1) for column in cells]
            hashes = [any(len(word) >= _UNBREAKABLE for text in column for word in text.split()) for column in cells]
            return [
                max(mean, 1.0) ** 0.5 if width >= _LONG_TEXT and not whole else 0.0
                for mean, width, whole in zip(held, longest, hashes, strict=True)
            ]
    elif sum(map(max, longest, map(_letters, heads))) + len(heads) * _GAP <= _LETTERS_A_LINE:
        only_texts = not any(column.figures for column in table.columns)
        taken = len(heads) - 1 if only_texts else 0
        return [float(index == taken) for index in range(len(heads))]
    words = [max(map(_letters, head.split()), default=0) for head in heads]
    return [min(max(pair), _LONG_TEXT) + _GAP for pair in zip(longest, words, strict=True)]


def _letters(text: str) -> int:
    """Width of a text in letters of the Latin alphabet; a Korean one is nearly twice as wide.

    >>> _letters("라인 A")
    6
    """
    return sum(2 if ord(one) >= _HANGUL_FROM else 1 for one in text)


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
