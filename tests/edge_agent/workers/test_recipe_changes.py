"""A reload says what became of each station's models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edge_agent.ports import ModelIdentity
from edge_agent.workers.recipe_changes import model_changes, unusable_models
from edge_agent.workers.recipes import RecipeBook, UnusableScorer


def eyes(label: str, digest: str) -> Any:
    return SimpleNamespace(scorer=SimpleNamespace(identity=ModelIdentity(label, digest)))


BROKEN: Any = SimpleNamespace(scorer=UnusableScorer("m@1", "no such folder"))


def test_the_same_models_are_no_change() -> None:
    book = RecipeBook(eyes("m@1", "a" * 64), {"b": BROKEN})
    assert model_changes("end", book, RecipeBook(eyes("m@1", "a" * 64), {"b": BROKEN})) == ()


def test_every_change_is_told_once_with_its_station() -> None:
    before = RecipeBook(
        eyes("m@1", "a" * 64), {"b": BROKEN, "c": eyes("n@1", "c" * 64), "d": eyes("m@1", "a" * 64), "gone": BROKEN}
    )
    now = RecipeBook(
        eyes("m@1", "b" * 64),
        {"b": eyes("m@1", "b" * 64), "c": eyes("n@2", "d" * 64), "d": eyes("m@1", "b" * 64), "new": BROKEN},
    )
    assert model_changes("end", before, now) == (
        "station end: model m@1 was replaced (digest bbbbbbbbbbbb)",
        "station end: model m@1 can be used again",
        "station end: model n@2 in the place of n@1",
    )
    assert model_changes("end", now, RecipeBook(BROKEN)) == ("station end: model m@1 can no longer be used",)


def test_what_cannot_be_used_is_named_with_its_reason() -> None:
    book = RecipeBook(eyes("m@1", "a" * 64), {"b": BROKEN, "c": BROKEN})
    assert list(unusable_models("end", book)) == ["station end cannot use model m@1: no such folder"]
