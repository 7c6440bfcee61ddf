"""Events as people of one language read them: kinds, fields and codes in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from roi_tracker.observations.facts import Fact
    from roi_tracker.render.catalogue import Catalogue

_CODED = frozenset({"inspector", "verdict", "mode", "stratum", "outcome"})
_ALREADY_SAID = frozenset({"key", "line", "at", "fact", "origin"})


def fact_fields(fact: Fact) -> dict[str, Any]:
    """Fields of an event with plain values."""
    found: dict[str, Any] = msgspec.to_builtins(fact)
    return found


def kind_text(fact: Fact, t: Catalogue) -> str:
    """What kind of event it is."""
    return t(f"fact_kind.{fact.__struct_config__.tag}")


def gist_text(fact: Fact, t: Catalogue) -> str:
    """What an event says beside its time and place; what was not measured is left out."""
    return ", ".join(
        f"{t(f'fact_field.{name}')}: {value_text(name, value, t)}"
        for name, value in fact_fields(fact).items()
        if name not in _ALREADY_SAID and value not in (None, "")
    )


def value_text(name: str, value: Any, t: Catalogue) -> str:  # noqa: ANN401 - any plain value of a field
    """A field's value: codes, yes and no in words, numbers with separators, everything else as it is."""
    if isinstance(value, list | tuple | dict):
        return _nested(value, t)
    if isinstance(value, bool):
        value = "yes" if value else "no"
        return t(f"fact_value.{value}")
    if isinstance(value, int | float):
        return f"{value:,}"
    if value is None:
        return t("figure.none")
    group = {"fact": "fact_kind", "origin": "origin"}.get(name, "fact_value" if name in _CODED else "")
    return t(f"{group}.{value}") if group and f"{group}.{value}" in t.keys else str(value)


def _nested(value: list[Any] | tuple[Any, ...] | dict[str, Any], t: Catalogue) -> str:
    """A list, or an event within an event."""
    if isinstance(value, dict):
        return ", ".join(f"{t(f'fact_field.{name}')}: {value_text(name, one, t)}" for name, one in value.items())
    return "; ".join(_nested(one, t) if isinstance(one, dict) else str(one) for one in value)
