"""Which recipe judges a product, and which product nothing can judge."""

from __future__ import annotations

from typing import Any, cast

import pytest

from edge_agent.errors import ImageRefusedError
from edge_agent.workers.recipes import RecipeBook, UnusableScorer


class _Eyes:
    def __init__(self, scorer: object = None) -> None:
        self.scorer = scorer


def eyes(*, usable: bool = True) -> Any:
    return cast("Any", _Eyes(None if usable else UnusableScorer("m", "gone")))


def test_the_stations_own_product_is_judged_by_the_stations_own_model() -> None:
    usual, other = eyes(), eyes()
    book = RecipeBook(usual, {"bracket-b": other}, known_only=True, own="bracket-a")
    assert book.of("bracket-a") is usual
    assert book.of("bracket-b") is other
    assert list(book.all()) == [usual, other]
    for unknown in ("cover", ""):
        with pytest.raises(ImageRefusedError, match="no recipe"):
            book.of(unknown)


def test_a_recipe_for_the_stations_own_product_is_its_recipe() -> None:
    usual, own = eyes(), eyes()
    book = RecipeBook(usual, {"bracket-a": own}, known_only=True, own="bracket-a")
    assert book.of("bracket-a") is own
    assert list(book.all()) == [own]


def test_without_a_product_of_its_own_only_recipes_judge() -> None:
    usual, other = eyes(usable=False), eyes()
    book = RecipeBook(usual, {"bracket-b": other}, known_only=True)
    assert list(book.all()) == [other]
    assert not book.unusable


@pytest.mark.parametrize(
    ("known_only", "product", "expected"),
    [
        (True, "bracket-a", ""),
        (True, "bracket-b", "model_unusable"),
        (True, "cover", "unknown_product"),
        (True, "", ""),
        (False, "cover", ""),
        (False, "bracket-b", "model_unusable"),
    ],
)
def test_a_product_that_nothing_can_judge_says_why(known_only: bool, product: str, expected: str) -> None:  # noqa: FBT001 - a table's column
    book = RecipeBook(eyes(), {"bracket-b": eyes(usable=False)}, known_only=known_only, own="bracket-a")
    assert book.fault_of(product) == expected
    assert not book.blind
