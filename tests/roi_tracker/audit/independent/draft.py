"""A plan being spoilt: what it prints, and which of its lines hold an error already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tests.roi_tracker.audit.independent.plan import Plan
    from tests.roi_tracker.audit.independent.printing import Printed, Tree

D = Decimal
SMALLEST_SHARE = D("0.02")
SMALLEST_STEPS = 3
"""An error differs from the right print by 2 % and by three units of the last printed digit, or it is no error."""


@dataclass(frozen=True)
class Planted:
    """One error: its kind, and the addresses printed wrong by it; `carried` ones follow from it by addition."""

    kind: str
    addresses: frozenset[str]
    carried: frozenset[str] = frozenset()
    changed_little: frozenset[str] = frozenset()


@dataclass
class Draft:
    """A plan being spoilt.

    Attributes:
        numbers: what is printed on each line of `lines`.
        touched: indices of lines that hold an error already.
    """

    plan: Plan
    lines: list[Printed]
    rng: random.Random
    numbers: list[list[Decimal]] = field(default_factory=list)
    extra: dict[str, Tree] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.numbers = [list(one.numbers) for one in self.lines]

    def free(self, *parts: str) -> list[int]:
        """Untouched lines whose address has one of these endings before its year."""
        return [
            index
            for index, one in enumerate(self.lines)
            if index not in self.touched and (not parts or one.base.split("[", maxsplit=1)[0].endswith(parts))
        ]

    def put(self, kind: str, index: int, values: Mapping[int, Decimal]) -> Planted | None:
        """Print other exact values at positions of a line; None when that makes no visible difference."""
        one = self.lines[index]
        wrong: set[str] = set()
        for position, value in values.items():
            number = one.rounded(value)
            if not matters(one, one.numbers[position], number):
                continue
            self.numbers[index][position] = number
            wrong.add(one.addresses[position])
        if not wrong:
            return None
        self.touched.add(index)
        return Planted(kind, frozenset(wrong))


def matters(one: Printed, right: Decimal, wrong: Decimal) -> bool:
    """Whether two prints differ by more than rounding could explain."""
    gap = abs(wrong - right)
    return gap >= SMALLEST_STEPS * D(1).scaleb(one.exponent) and gap >= SMALLEST_SHARE * abs(right)


Maker = Callable[[Draft], Planted | None]
