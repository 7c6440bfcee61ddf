"""The weekly KPI board as lines of text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.review_text import review_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.money import Language
    from roi_tracker.realization.board import Board, BoardEntry, ReviewPage, ReviewRow
    from roi_tracker.render.catalogue import Catalogue

_WHOLE_FROM = 100


def board_lines(board: Board, language: Language) -> Iterator[str]:
    """The board, its newest review page, and the survey scores apart."""
    t = catalogue(language)
    yield t("board.title", day=board.as_of.isoformat() if board.as_of else t("board.no_data"))
    if not board.entries:
        yield t("board.no_kpis")
    for entry in board.entries:
        yield from _entry(entry, t)
    if board.entries and board.empty_axes:
        yield t("board.empty_axis", axes=", ".join(t(f"axis.{axis}") for axis in board.empty_axes))
    if board.reviews:
        page = board.reviews[-1]
        yield ""
        yield t("board.review", number=page.number, first=page.first, last=page.last)
        units = {entry.id: entry for entry in board.entries}
        for row in page.rows:
            yield from _row(page, row, units[row.kpi_id], t)
    if board.scores:
        yield ""
        yield t("board.scores")
        for score in board.scores:
            reason = score.reason_ko if t.language == "ko" else score.reason_en
            places = {"subject": t(f"survey.{score.subject}"), "score": t(f"score.{score.score}")}
            yield "  " + t("board.score", reason=reason, by=score.by, **places)


def _entry(entry: BoardEntry, t: Catalogue) -> Iterator[str]:
    yield f"[{t(f'axis.{entry.axis}')}] " + t(
        "board.entry",
        name=_either(entry.name_ko, entry.name_en, t),
        actual=_figure(entry.actual, t),
        target=_figure(entry.target, t),
        unit=entry.unit,
        state=t(f"kpi_state.{entry.state}"),
        trend=t(f"trend.{entry.trend}"),
        basis=t(f"kpi_basis.{entry.basis}"),
    )
    action = _either(entry.action_ko, entry.action_en, t) or t("board.no_action")
    week = "" if entry.week is None else t("board.week", day=entry.week) + "; "
    yield "    " + week + t("board.owner", owner=entry.owner, action=action)
    yield "    " + before_text(entry, t, _figure(entry.before.value, t))
    for text in behind_texts(entry, t):
        yield "    " + text


def before_text(entry: BoardEntry, t: Catalogue, value: str) -> str:
    """What a week of the baseline gave, and how that was made."""
    if entry.before.value is None:
        return t("board.no_before")
    return t(f"board.before_{entry.before.basis}", value=value, unit=entry.unit, weeks=entry.before.weeks)


def behind_texts(entry: BoardEntry, t: Catalogue) -> Iterator[str]:
    """Which lines the indicator waits for, or is without."""
    for one in entry.behind:
        kind = "never" if one.last is None else "behind" if one.awaited else "silent"
        yield t(f"board.{kind}", line=one.line, day=one.last)


def _row(page: ReviewPage, row: ReviewRow, entry: BoardEntry, t: Catalogue) -> Iterator[str]:
    hypothesis = _either(row.hypothesis_ko, row.hypothesis_en, t) or t("board.no_hypothesis")
    yield "  " + t("board.hypothesis", name=_either(entry.name_ko, entry.name_en, t), hypothesis=hypothesis)
    for text in review_texts(page, row, entry, t):
        yield "    " + text


def _either(korean: str | None, english: str | None, t: Catalogue) -> str:
    return (korean if t.language == "ko" else english) or ""


def _figure(value: float | None, t: Catalogue) -> str:
    if value is None:
        return t("figure.none")
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:,.4g}"
