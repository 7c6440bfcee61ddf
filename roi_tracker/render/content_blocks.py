"""A report laid out once for page and PDF, in one language: sections of facts, tables and charts."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from roi_tracker.money import Language
from roi_tracker.render.content_charts import Chart

Tone = Literal["", "lead", "good", "warn", "bad"]


class Fact(msgspec.Struct, frozen=True):
    """A figure with its label, and what qualifies it."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


class Column(msgspec.Struct, frozen=True):
    """Head of a column; figures stand to the right."""

    label: str
    figures: bool = True


class Table(msgspec.Struct, frozen=True):
    """Rows of finished texts; the first cell of a row names it.

    Attributes:
        details: a sentence below each row, across all columns; empty for none.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    strong_last: bool = False
    details: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """One part under one heading; parts that are empty are not shown."""

    id: str
    title: str
    texts: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


class Content(msgspec.Struct, frozen=True):
    """The whole document.

    Attributes:
        as_of: date of the document; the only date in a PDF, so that the same case gives the same bytes.
    """

    language: Language
    kicker: str
    title: str
    subtitle: str
    as_of: date
    sections: tuple[Section, ...]
    footer: str
