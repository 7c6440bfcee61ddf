from __future__ import annotations

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.toml_text import write_toml

scalars = st.one_of(
    st.text(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.lists(st.text(), max_size=3)
)
tables = st.dictionaries(st.text(min_size=1), scalars, max_size=4)
documents = st.dictionaries(
    st.text(min_size=1), st.one_of(scalars, tables, st.lists(tables, min_size=1, max_size=3)), max_size=5
)


@given(documents)
@example({"key\n": {}})
def test_what_is_written_reads_back_the_same(document: dict[str, object]) -> None:
    assert tomllib.loads(write_toml(document)) == document


def test_none_is_left_out_and_order_is_kept() -> None:
    assert write_toml({"b": 1, "gone": None, "a": {"x": True}}) == "b = 1\n\n[a]\nx = true\n"


def test_a_type_without_toml_form_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes cannot be written"):
        write_toml({"a": b"x"})
