"""What a four-weekly review shows for a hypothesis: how the indicator moved, and what was measured, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roi_tracker.realization.board import BoardEntry, MeasuredLine, ReviewPage, ReviewRow
    from roi_tracker.render.catalogue import Catalogue

_WHOLE_FROM = 100


def review_texts(page: ReviewPage, row: ReviewRow, entry: BoardEntry, t: Catalogue) -> Iterator[str]:
    """First the indicator's movement with direction and size, which proves nothing; then each benefit line that
    measures it, over all measured days, with its interval and whether it is proven.
    """
    yield movement_text(page, row, entry, t)
    if not row.evidence.measured:
        yield t("review.no_line")
    for one in row.evidence.measured:
        yield _line(one, t)


def movement_text(page: ReviewPage, row: ReviewRow, entry: BoardEntry, t: Catalogue) -> str:
    """From where to where, by how much, and whether that is the good direction."""
    found = row.evidence
    if found.value is None or found.previous is None:
        return t("review.not_comparable")
    moved = found.value - found.previous
    share = "" if not found.previous else t("review.share", share=f"{abs(100 * moved / found.previous):.1f}")
    way = "same" if not moved else "higher" if moved > 0 else "lower"
    return t(
        f"review.{found.movement}",
        previous=_figure(found.previous),
        value=_figure(found.value),
        unit=entry.unit,
        change=t(f"review.{way}", share=share),
        than=t("review.than_baseline" if page.number == 1 else "review.than_before"),
    )


def _line(one: MeasuredLine, t: Catalogue) -> str:
    name = one.name_ko if t.language == "ko" else one.name_en
    if one.avoided is None or one.low is None or one.high is None:
        return t("review.no_figure", line=name)
    shown: Callable[[float], str] = _quantity
    kind = (
        ("harm" if one.avoided < 0 else "proven") if one.proven else "zero" if one.low <= 0 <= one.high else "refused"
    )
    return t(f"review.{kind}", line=name, avoided=shown(one.avoided), low=shown(one.low), high=shown(one.high))


def _quantity(value: float) -> str:
    text = f"{abs(value):,.{0 if abs(value) >= _WHOLE_FROM else 1}f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and text.strip("0.,") else text


def _figure(value: float) -> str:
    text = f"{abs(value):,.0f}" if abs(value) >= _WHOLE_FROM else f"{abs(value):,.4g}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text
