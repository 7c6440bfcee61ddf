"""What the TOML parser would choke on or say unclearly: endless keys and numbers, days that do not exist."""

from __future__ import annotations

import re
from datetime import date

from roi_tracker.errors import CaseError

MAX_LEVELS = 30
_LONG_KEY = re.compile(r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){30}""")
_LONG_NUMBER = re.compile(r"(?<![0-9_])[0-9_]{100}|(?<![\w.])[0-9_]++(?:\.[0-9_]++)?[eE][-+]?[0-9]{6}")
_AT = re.compile(r" \(at line (\d+), column \d+\)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def check_toml(text: str) -> None:
    """Refuse keys of endless levels and endless numbers, for which the parser takes memory without bound.

    Raises:
        CaseError: names the line.

    >>> check_toml("a = 1")
    """
    for pattern, problem, hint in (
        (_LONG_KEY, f"a key of {MAX_LEVELS} levels or more", "keys of a case have at most six levels"),
        (_LONG_NUMBER, "a number without end", "write plain decimal digits: 18000, 0.045"),
    ):
        found = pattern.search(text)
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            raise CaseError(f"the case is not valid TOML: line {line}: {problem}", hint=hint)


def toml_fault(message: str, text: str) -> tuple[str, str]:
    r"""The parser's message with its line first, and what to do.

    >>> toml_fault("Cannot overwrite a value (at line 2, column 3)", "a=1\na=2")
    ('line 2: Cannot overwrite a value', 'a key or table stands here twice; remove one of the two')
    """
    hint = "check brackets, quotes and the equals sign"
    found = _AT.search(message)
    if found is None:
        return message, hint
    number, problem = int(found.group(1)), _AT.sub("", message)
    lines = text.splitlines()
    for day in _DAY.findall(lines[number - 1]) if number <= len(lines) else ():
        try:
            date.fromisoformat(day)
        except ValueError as error:
            return f"line {number}: {day} is no date: {error}", "write a day that exists, 2025-04-01"
    if problem.startswith("Cannot"):
        hint = "a key or table stands here twice; remove one of the two"
    return f"line {number}: {problem}", hint
