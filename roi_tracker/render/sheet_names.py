"""Names of a workbook's sheets."""

from __future__ import annotations

_FORBIDDEN = str.maketrans("[]:*?/\\'", "(). .--.")
_LONGEST_NAME = 31


def sheet_name(title: str, used: set[str]) -> str:
    """A name that no other sheet has and that spreadsheets take.

    >>> sheet_name("A/B: c", {"a-b. c"})
    'A-B. c 2'
    """
    plain = title.translate(_FORBIDDEN).strip() or "-"
    name, number = plain[:_LONGEST_NAME].strip(), 2
    while name.casefold() in used:
        name = f"{plain[: _LONGEST_NAME - 3].strip()} {number}"
        number += 1
    used.add(name.casefold())
    return name
