"""What a figure would be if the figures printed before it were right."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.audit.relations import Relation, relations
from roi_tracker.formulas import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from roi_tracker.audit.statements import Book
    from roi_tracker.formulas import Formula

_MOST_COMBINATIONS = 12
_DEEPEST = 8


class Expected(msgspec.Struct, frozen=True):
    """A figure as its own parents give it.

    Attributes:
        tolerance: how far the parents' rounding lets it move.
        kind: of the relation; `formula` for quantities and lines.
        printed: parents that the plan prints, at any depth; an error in them is an error here.
    """

    value: float
    tolerance: float
    kind: str
    printed: tuple[str, ...]


class Expectations:
    """Expected values of every address, from statements where there are any and from inputs where not."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._known: dict[str, tuple[Expected, ...]] = {}

    def of(self, address: str, depth: int = 0) -> tuple[Expected, ...]:
        """Every value that the plan's own parts give for an address; empty where nothing relates to it."""
        if address not in self._known:
            self._known[address] = ()
            found = [*self._by_formula(address)]
            for relation in relations(self.book, address):
                found.extend(self._by_relation(relation, depth))
            self._known[address] = tuple(found)
        return self._known[address]

    def plan_values(self, address: str, depth: int = 0) -> tuple[Expected, ...]:
        """What the plan takes an address to be: printed, else as expected, else computed."""
        printed = self.book.statements.get(address)
        if printed:
            return tuple(Expected(one.value, one.tolerance, "printed", (address,)) for one in printed)
        derived = self.of(address, depth + 1) if depth < _DEEPEST else ()
        touched = sorted((one for one in derived if one.printed), key=lambda one: len(one.printed))
        if touched:
            return _distinct(touched)[:3]
        value = self.book.value(address)
        return () if value is None else (Expected(value, 0.0, "computed", ()),)

    def _by_relation(self, relation: Relation, depth: int) -> Iterator[Expected]:
        choices = [self.plan_values(parent, depth) for parent in relation.parents]
        if not all(choices):
            return
        for chosen in itertools.islice(itertools.product(*choices), _MOST_COMBINATIONS):
            values = [one.value for one in chosen]
            value = relation.compute(values)
            if value is None:
                continue
            printed = tuple(dict.fromkeys(address for one in chosen for address in one.printed))
            if printed:
                yield Expected(
                    value, _spread(relation, values, [one.tolerance for one in chosen]), relation.kind, printed
                )

    @cached_property
    def _printed_amounts(self) -> dict[str, list[float]]:
        """Assumptions and calculations by year with printed ones put in their place."""
        amounts = {name: list(row) for name, row in self.book.amounts.items()}
        for name in self.book.model.order:
            amounts[name] = list(self._evaluated(self.book.model.calculations[name], amounts, name))
            for year, label in enumerate(self.book.case.years):
                for statement in self.book.statements.get(f"{name}[{label}]", [])[:1]:
                    amounts[name][year] = statement.value
        return amounts

    def _evaluated(self, formula: Formula, amounts: Mapping[str, Sequence[float]], name: str) -> list[float]:
        rows = {key: np.array(amounts[key], dtype=np.float64) for key in formula.names}
        values = np.atleast_1d(evaluate(formula, rows, float, name)).tolist()
        return [float(v) for v in (values * len(self.book.case.years) if len(values) == 1 else values)]

    def _by_formula(self, address: str) -> Iterator[Expected]:
        book = self.book
        located = located_formula(book, address)
        if located is None:
            return
        name, formula, year = located
        label = book.case.years[year]
        printed = tuple(f"{one}[{label}]" for one in formula.names if f"{one}[{label}]" in book.statements)
        computed = book.value(address)
        if not printed or computed is None:
            return
        plain = self._evaluated(formula, book.amounts, name)[year]
        if not plain:
            return
        scale = computed / plain
        amounts = self._printed_amounts

        def value(rows: Mapping[str, Sequence[float]]) -> float:
            return self._evaluated(formula, rows, name)[year] * scale

        base, spread = value(amounts), 0.0
        for one in printed:
            parent = one.split("[", maxsplit=1)[0]
            moved = dict(amounts)
            moved[parent] = [x + book.statements[one][0].tolerance for x in amounts[parent]]
            spread += abs(value(moved) - base)
        yield Expected(base, spread, "formula", printed)


def _distinct(found: Sequence[Expected]) -> tuple[Expected, ...]:
    """Expected values that differ, the most directly printed first."""
    kept: list[Expected] = []
    for one in found:
        if not any(abs(one.value - other.value) <= other.tolerance for other in kept):
            kept.append(one)
    return tuple(kept)


def located_formula(book: Book, address: str) -> tuple[str, Formula, int] | None:
    """Name, formula and year's index of a calculation or a line by year; None for other addresses."""
    if not book.even or not address.endswith("]"):
        return None
    name, _, label = address[:-1].partition("[")
    labels = [str(year) for year in book.case.years]
    if label not in labels:
        return None
    line = name.removesuffix(".saving") if name.startswith("benefits.") else name
    formula = book.model.calculations.get(name) or book.model.lines.get(line)
    return None if formula is None else (name, formula, labels.index(label))


def _spread(relation: Relation, values: Sequence[float], tolerances: Sequence[float]) -> float:
    base, total = relation.compute(values), 0.0
    for place, tolerance in enumerate(tolerances):
        if not tolerance or base is None:
            continue
        moved = [value + (tolerance if other == place else 0.0) for other, value in enumerate(values)]
        after = relation.compute(moved)
        total += 0.0 if after is None else abs(after - base)
    return total
