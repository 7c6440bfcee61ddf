"""Words of the report in Korean and English, from TOML catalogues with the same keys."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, get_args

from roi_tracker.errors import TrackerError
from roi_tracker.money import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: tuple[Language, ...] = get_args(Language)


class Catalogue:
    """Messages of one language; a key is dotted, a message may have named places."""

    def __init__(self, language: Language, messages: Mapping[str, str]) -> None:
        self.language = language
        self._messages = messages

    @property
    def keys(self) -> frozenset[str]:
        """Every key there is."""
        return frozenset(self._messages)

    def raw(self, key: str) -> str:
        """The message with its places unfilled."""
        return self._messages[key]

    def __call__(self, key: str, **values: object) -> str:
        """The message with its places filled.

        Raises:
            TrackerError: no such key: a programming error that a test must catch, never a blank on a page.
        """
        message = self._messages.get(key)
        if message is None:
            raise TrackerError("no such message", field=f"locale.{self.language}", value=key, hint="add it to both")
        return message.format(**values)


@lru_cache(maxsize=2)
def catalogue(language: Language) -> Catalogue:
    """The catalogue of a language, read once."""
    text = resources.files("roi_tracker.render").joinpath("locale", f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, flat(tomllib.loads(text)))


def flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """A tree of words as messages with dotted keys."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = str(value)
    return found
