"""Filter matching by MQTT 5 section 4.7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.payloads.topic_map import REMEMBERED_TOPICS, TopicMap, matches, problem_of


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/monitor", False),
        ("+/monitor", "$SYS/monitor", False),
        ("$SYS/#", "$SYS/monitor", True),
        ("a/b", "a/B", False),
        ("a", "a/b", False),
    ],
)
def test_the_examples_of_the_standard(topic_filter: str, topic: str, *, expected: bool) -> None:
    assert matches(topic_filter, topic) is expected


@pytest.mark.parametrize(
    ("topic_filter", "problem"),
    [
        ("", "it is empty"),
        ("a/#/b", "# must be the last level"),
        ("a/b#", "# must stand alone in its level"),
        ("a+/b", "+ must stand alone in its level"),
        ("a\0b", "it holds a NUL character"),
        ("+/a//#", None),
    ],
)
def test_malformed_filters_are_named(topic_filter: str, problem: str | None) -> None:
    assert problem_of(topic_filter) == problem


LEVELS = st.lists(st.text("abc", max_size=2), min_size=1, max_size=4)


@given(LEVELS, st.data())
def test_a_topic_matches_its_own_generalizations(levels: list[str], data: st.DataObject) -> None:
    general = [data.draw(st.sampled_from([level, "+"])) for level in levels]
    cut = data.draw(st.integers(0, len(levels)))
    topic = "/".join(levels)
    assert matches("/".join(general), topic)
    assert matches("/".join([*general[:cut], "#"]), topic)
    assert not matches("/".join([*general, "x"]), topic)


def test_the_most_exact_filter_counts_whatever_the_order() -> None:
    entries = [("#", 1), ("a/#", 2), ("a/+", 3), ("a/b", 4), ("+/b", 5)]
    for given_entries in (entries, entries[::-1]):
        topics = TopicMap(given_entries)
        assert [topics.find(topic) for topic in ("a/b", "a/c", "a/c/d", "x/b", "x")] == [4, 3, 2, 5, 1]


def test_of_equal_filters_the_first_counts() -> None:
    assert TopicMap([("a/+", "first"), ("a/+", "second")]).find("a/b") == "first"


def test_invented_topics_do_not_fill_the_memory() -> None:
    topics = TopicMap([("a/#", "known")])
    for number in range(REMEMBERED_TOPICS + 10):
        assert topics.find(f"b/{number}") is None
    assert len(topics._found) <= REMEMBERED_TOPICS
    assert topics.find("a/1") == "known"
