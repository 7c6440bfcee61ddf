"""Which configured entry an MQTT topic belongs to: filter matching by MQTT 5 section 4.7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar

from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

Entry = TypeVar("Entry")

MULTI = "#"
SINGLE = "+"
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")
REMEMBERED_TOPICS = 10_000  # plants have hundreds; a publisher that invents topics must not fill the memory


def problem_of(topic_filter: str) -> str | None:
    """What is wrong with a topic filter, None when it is well formed.

    >>> problem_of("plant/+/temp") is None
    True
    >>> problem_of("plant/#/temp")
    '# must be the last level'
    >>> problem_of("plant/press#")
    '# must stand alone in its level'
    """
    if not topic_filter:
        return "it is empty"
    if "\0" in topic_filter:
        return "it holds a NUL character"
    levels = topic_filter.split("/")
    for position, level in enumerate(levels):
        for wildcard in (MULTI, SINGLE):
            if wildcard in level and level != wildcard:
                return f"{wildcard} must stand alone in its level"
        if level == MULTI and position != len(levels) - 1:
            return "# must be the last level"
    return None


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic falls under a filter.

    `+` stands for exactly one level, `#` for the level before it and all that follow; neither reaches topics that
    start with `$` from the first level.

    >>> matches("press/+/temp", "press/1/temp"), matches("press/#", "press"), matches("#", "$SYS/uptime")
    (True, True, False)
    """
    if topic.startswith("$") and topic_filter[:1] in {MULTI, SINGLE}:
        return False
    wanted = topic_filter.split("/")
    given = topic.split("/")
    for position, level in enumerate(wanted):
        if level == MULTI:
            return True
        if position >= len(given) or level not in {SINGLE, given[position]}:
            return False
    return len(wanted) == len(given)


class TopicPattern:
    """A topic with named levels: `{name}` stands for one level and says what it is; `+` and `#` as in a filter.

    Raises:
        ConfigError: a name is given twice, or braces do not stand alone in their level.

    >>> pattern = TopicPattern("acme/{site}/{line}/{asset}")
    >>> pattern.filter, pattern.parts("acme/ulsan/press-1/ram")
    ('acme/+/+/+', {'site': 'ulsan', 'line': 'press-1', 'asset': 'ram'})
    """

    def __init__(self, pattern: str) -> None:
        levels = pattern.split("/")
        self._at: dict[str, int] = {}
        for position, level in enumerate(levels):
            named = _NAMED.fullmatch(level)
            if named is None:
                if "{" in level or "}" in level:
                    raise _malformed(pattern, f"{level!r} is no named level; write {{name}} between two /")
                continue
            if named.group(1) in self._at:
                raise _malformed(pattern, f"{level} stands in it twice")
            self._at[named.group(1)] = position
            levels[position] = SINGLE
        self.filter = "/".join(levels)

    def parts(self, topic: str) -> dict[str, str]:
        """The named levels of a topic that falls under `filter`."""
        levels = topic.split("/")
        return {name: levels[position] for name, position in self._at.items()}


def _malformed(pattern: str, problem: str) -> ConfigError:
    return ConfigError("a topic pattern is malformed", field="pattern", value=pattern, hint=f"correct it: {problem}")


class TopicMap(Generic[Entry]):
    """Finds the entry of a topic; where several filters match, the most exact one counts, then the first given.

    More exact is the filter whose first differing level is plain where the other has `+`, or `+` where it has `#`.

    >>> entries = TopicMap([("press/#", "rest"), ("press/+/temp", "temperature"), ("press/1/temp", "first")])
    >>> entries.find("press/1/temp"), entries.find("press/2/temp"), entries.find("press/2/vib"), entries.find("oven")
    ('first', 'temperature', 'rest', None)
    """

    def __init__(self, entries: Iterable[tuple[str, Entry]]) -> None:
        self._entries = sorted(entries, key=lambda item: _exactness(item[0]))
        self._found: dict[str, Entry | None] = {}

    def find(self, topic: str) -> Entry | None:
        """The entry of a topic, None for a topic that nobody configured."""
        try:
            return self._found[topic]
        except KeyError:
            pass
        entry = next((entry for topic_filter, entry in self._entries if matches(topic_filter, topic)), None)
        if len(self._found) >= REMEMBERED_TOPICS:
            self._found.clear()
        self._found[topic] = entry
        return entry


def _exactness(topic_filter: str) -> tuple[int, ...]:
    """Sort key, most exact first: 0 a plain level, 1 `+`, 2 the end of the filter, 3 `#`."""
    rank = {SINGLE: 1, MULTI: 3}
    return (*(rank.get(level, 0) for level in topic_filter.split("/")), 2)
