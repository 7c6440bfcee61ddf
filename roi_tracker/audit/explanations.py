"""Sentences of the audit in Korean and English, from one catalogue with the same keys and places."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from roi_tracker.audit.findings import Explanation

if TYPE_CHECKING:
    from collections.abc import Mapping


def explanation(family: str, **values: object) -> Explanation:
    """The sentence of a family of causes.

    Raises:
        KeyError: no such family: a programming error that a test must catch.
    """
    entry = catalogue()[family]
    return Explanation(ko=entry["ko"].format(**values), en=entry["en"].format(**values))


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every family and its two sentences."""
    text = resources.files("roi_tracker.audit").joinpath("explanations.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def money_text(value: float | None) -> str:
    """A figure as explanations print it.

    >>> money_text(1920000.0), money_text(0.105), money_text(31.0), money_text(None)
    ('1,920,000', '0.105', '31', '-')
    """
    if value is None:
        return "-"
    if abs(value) >= 1000:  # noqa: PLR2004 - four digits before the point need no decimals
        return f"{value:,.0f}"
    return f"{value:.4g}"
