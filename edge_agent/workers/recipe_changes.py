"""What a reload did to the models of a station, in words for whoever asked for it (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.workers.recipes import UnusableScorer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.ports import ImageScorer
    from edge_agent.workers.recipes import RecipeBook


def model_changes(station: str, before: RecipeBook, now: RecipeBook) -> tuple[str, ...]:
    """One short sentence for each model that another took the place of, or that can be used again, or no longer."""
    old, new = _by_product(before), _by_product(now)
    pairs = [(old[product], scorer) for product, scorer in new.items() if product in old]
    return tuple(dict.fromkeys(_told(station, was, scorer) for was, scorer in pairs if _other(was, scorer)))


def unusable_models(station: str, book: RecipeBook) -> Iterator[str]:
    """One sentence for each model of a station that cannot be used: its parts get NO_VERDICT."""
    for scorer in dict.fromkeys(book.unusable):
        yield f"station {station} cannot use model {scorer.identity.label}: {scorer.detail}"


def _by_product(book: RecipeBook) -> dict[str, ImageScorer]:
    return {"": book.usual.scorer, **{product: eyes.scorer for product, eyes in book.products.items()}}


def _other(was: ImageScorer, scorer: ImageScorer) -> bool:
    return was.identity.digest != scorer.identity.digest  # that of a model that cannot be used is empty


def _told(station: str, was: ImageScorer, scorer: ImageScorer) -> str:
    label = scorer.identity.label
    if isinstance(scorer, UnusableScorer):
        return f"station {station}: model {label} can no longer be used"
    if isinstance(was, UnusableScorer):
        return f"station {station}: model {label} can be used again"
    if was.identity.label != label:
        return f"station {station}: model {label} in the place of {was.identity.label}"
    return f"station {station}: model {label} was replaced (digest {scorer.identity.digest[:12]})"
