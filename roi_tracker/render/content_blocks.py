"""A report laid out once for page and PDF, in one language: sections of facts, tables and charts."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from roi_tracker.money import Language
from roi_tracker.render.content_charts import Chart

Tone = Literal["", "lead", "good", "warn", "bad"]


class Fact(msgspec.Struct, frozen=True):
    """A figure with its label, and what qualifies it.

    Attributes:
        how: id of the row that says how it is computed; empty for none.
    """

    label: str
    value: str
    note: str = ""
    tone: Tone = ""
    how: str = ""


class Column(msgspec.Struct, frozen=True):
    """Head of a column; figures stand to the right.

    Attributes:
        how: id of the row that says how its figures are computed; empty for none.
    """

    label: str
    figures: bool = True
    how: str = ""


class Table(msgspec.Struct, frozen=True):
    """Rows of finished texts; the first cell of a row names it.

    Attributes:
        details: a sentence below each row, across all columns; empty for none.
        caption: above the table.
        folded: on a page the table opens below its caption.
        anchors: an id for each row; empty for none.
        tones: of the last cell of each row; empty for none.
        links: where the name of each row leads on a page, empty for nowhere; paper shows the name alone.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    strong_last: bool = False
    details: tuple[str, ...] = ()
    caption: str = ""
    folded: bool = False
    anchors: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    tones: tuple[Tone, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """One part under one heading; parts that are empty are not shown.

    Attributes:
        front: belongs to page 1, which on paper is one page and on a wide screen one screen; such parts come first.
    """

    id: str
    title: str
    texts: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    front: bool = False


class Content(msgspec.Struct, frozen=True):
    """The whole document.

    Attributes:
        as_of: date of the document; the only date in a PDF, so that the same case gives the same bytes.
        banner: above everything, in words that nobody can miss; empty for none.
    """

    language: Language
    kicker: str
    title: str
    subtitle: str
    as_of: date
    sections: tuple[Section, ...]
    footer: str
    banner: str = ""


class Link(msgspec.Struct, frozen=True):
    """A link of a page's head.

    Attributes:
        here: the page one is on.
        lang: language of the page it leads to, where that is another one.
    """

    href: str
    label: str
    here: bool = False
    lang: str = ""
    download: bool = False


class Surround(msgspec.Struct, frozen=True):
    """What stands around a page in a service; a file has none of it.

    Attributes:
        nonce: of the content security policy.
        nav, downloads: links of the head, with the names of both groups.
        how_at: address of the page that says how figures are computed; empty where it is on the same page.
    """

    nonce: str = ""
    nav: tuple[Link, ...] = ()
    nav_name: str = ""
    downloads: tuple[Link, ...] = ()
    downloads_name: str = ""
    how_at: str = ""
    how_name: str = ""
