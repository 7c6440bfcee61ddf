"""Repeated fields are found however they hide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.strict_json import read_json

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text(':\\"a', max_size=4), st.just([{"a": 1}]), st.just({"a": ":"})
)
MEMBERS = st.lists(st.tuples(st.text(':"\\ab', max_size=2), SCALARS), max_size=5)


@given(members=MEMBERS, ascii_only=st.booleans())
@example(members=[("a", 1), ("a", ":")], ascii_only=True)
@example(members=[("a", "::"), ("a", ":")], ascii_only=True)
@example(members=[("a", "x:y"), ("b", "2026-01-01T00:00:00Z")], ascii_only=True)
def test_an_object_is_refused_exactly_when_it_names_a_field_twice(
    members: list[tuple[str, Any]], *, ascii_only: bool
) -> None:
    fields = ",".join(f"{json.dumps(name, ensure_ascii=ascii_only)}:{json.dumps(value)}" for name, value in members)
    payload = f"{{{fields}}}".encode()
    if len({name for name, _ in members}) == len(members):
        assert read_json(payload, 10_000) == dict(members)
    else:
        with pytest.raises(PoisonMessageError, match="named twice"):
            read_json(payload, 10_000)


@pytest.mark.parametrize(
    "payload", [b'{"a":1,"a":"\\u003a"}', b'{"a":1,"\\u0061":2}', b'[{"a":1,"a":2}]', b'{"b":{"a":1,"a":2}}']
)
def test_a_repetition_behind_escapes_or_in_depth_is_found(payload: bytes) -> None:
    with pytest.raises(PoisonMessageError, match="named twice"):
        read_json(payload, 10_000)
