"""What the schema refuses, in words for those who write cases and not for those who write schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS = {
    "too_short": "this list needs at least {min_length}, it has {actual_length}",
    "too_long": "this list may have at most {max_length}, it has more",
    "string_too_short": "this text is empty",
    "string_too_long": "this text is longer than {max_length} characters",
    "string_type": "a number, a list or a section stands where text belongs; quotes make a number text",
    "string_pattern_mismatch": "this is no id: small letters, digits, _ . and -, beginning with a letter or digit",
    "decimal_parsing": "this is no number",
    "decimal_type": "this is no number",
    "int_parsing": "this is no whole number",
    "int_type": "this is no whole number",
    "int_from_float": "this is no whole number",
    "finite_number": "this is no finite number",
    "decimal_max_digits": "this number has more than {max_digits} digits",
    "bool_parsing": "this is neither true nor false",
    "bool_type": "this is neither true nor false",
    "greater_than": "this must be above {gt}",
    "greater_than_equal": "this must be at least {ge}",
    "less_than": "this must be below {lt}",
    "less_than_equal": "this must be at most {le}",
    "literal_error": "this must be {expected}",
    "enum": "this must be {expected}",
    "date_type": "this is no day",
    "date_parsing": "this is no day: {error}",
    "date_from_datetime_parsing": "this is no day: {error}",
    "date_from_datetime_inexact": "this is a day with a time; only the day belongs here",
    "datetime_type": "this is no moment",
    "datetime_parsing": "this is no moment: {error}",
    "time_parsing": "this is no time of day: {error}",
    "tuple_type": "a list belongs here: - one entry a line, or [a, b]",
    "list_type": "a list belongs here: - one entry a line, or [a, b]",
    "dict_type": "a section with keys belongs here",
    "model_type": "a section with keys belongs here",
    "model_attributes_type": "a section with keys belongs here",
}
"""By the schema's kind of fault; the places are its own limits."""


def in_words(fault: ErrorDetails) -> str:
    """What is wrong with a value; our own messages as they are."""
    words = _WORDS.get(fault["type"])
    if words is None:
        return fault["msg"].removeprefix("Value error, ")
    return words.format_map({"min_length": 1, "actual_length": 0} | fault.get("ctx", {}))
