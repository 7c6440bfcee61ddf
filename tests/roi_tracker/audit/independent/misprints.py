"""Errors of the pen: a factor, a digit, a sign, another year's figure, a second figure for the same thing."""

from __future__ import annotations

from decimal import Decimal

from tests.roi_tracker.audit.independent.draft import Draft, Maker, Planted, matters
from tests.roi_tracker.audit.independent.printing import is_money

D = Decimal


def scaled(kind: str, factors: tuple[Decimal, ...]) -> Maker:
    def make(draft: Draft) -> Planted | None:
        chosen = [index for index in draft.free() if not draft.lines[index].base.endswith(("_years", "_months"))]
        if kind not in {"unit_slip", "invented"}:
            chosen = [index for index in chosen if is_money(draft.lines[index].base)]
        if not chosen:
            return None
        index, factor = draft.rng.choice(chosen), draft.rng.choice(factors)
        values = draft.lines[index].values
        whole = draft.rng.random() < 0.5
        positions = range(len(values)) if whole else [draft.rng.randrange(len(values))]
        return draft.put(kind, index, {position: values[position] * factor for position in positions})

    return make


def digits(kind: str) -> Maker:
    def make(draft: Draft) -> Planted | None:
        chosen = draft.free()
        draft.rng.shuffle(chosen)
        for index in chosen[:12]:
            one = draft.lines[index]
            at = draft.rng.randrange(len(one.addresses))
            negative, row_, exponent = one.numbers[at].as_tuple()
            row = list(row_)
            place = draft.rng.randrange(len(row))
            if kind == "mistyped_digit":
                row[place] = draft.rng.choice([d for d in range(10) if d != row[place] and (d or place)])
            elif place + 1 < len(row):
                row[place], row[place + 1] = row[place + 1], row[place]
            wrong = D((negative, tuple(row), int(exponent)))
            if row[0] and matters(one, one.numbers[at], wrong):
                return draft.put(kind, index, {at: wrong * one.factor})
        return None

    return make


def sign(draft: Draft) -> Planted | None:
    chosen = [index for index in draft.free() if is_money(draft.lines[index].base)]
    if not chosen:
        return None
    index = draft.rng.choice(chosen)
    at = draft.rng.randrange(len(draft.lines[index].addresses))
    return draft.put("sign", index, {at: -draft.lines[index].values[at]})


def wrong_way(draft: Draft) -> Planted | None:
    chosen = draft.free()
    draft.rng.shuffle(chosen)
    for index in chosen:
        one = draft.lines[index]
        at = draft.rng.randrange(len(one.addresses))
        exact = one.values[at] / one.factor
        rest = exact.scaleb(-one.exponent) % 1
        step = D(1).scaleb(one.exponent)
        if D("0.1") < abs(rest) < D("0.4") or D("0.6") < abs(rest) < D("0.9"):
            up = one.numbers[at] < exact
            draft.numbers[index][at] = one.numbers[at] + (step if up else -step)
            draft.touched.add(index)
            return Planted("rounded_the_wrong_way", frozenset({one.addresses[at]}))
    return None


def other_year(draft: Draft) -> Planted | None:
    chosen = [index for index in draft.free() if len(draft.lines[index].addresses) > 1]
    if not chosen:
        return None
    index = draft.rng.choice(chosen)
    values = draft.lines[index].values
    at = draft.rng.randrange(1, len(values))
    return draft.put("other_year", index, {at: values[at - 1]})


def swapped(draft: Draft) -> Planted | None:
    chosen = [index for index in draft.free() if len(draft.lines[index].addresses) > 1]
    if not chosen:
        return None
    index = draft.rng.choice(chosen)
    values = draft.lines[index].values
    one, other = draft.rng.sample(range(len(values)), 2)
    return draft.put("years_swapped", index, {one: values[other], other: values[one]})


def said_otherwise(draft: Draft) -> Planted | None:
    chosen = [index for index in draft.free() if len(draft.lines[index].addresses) == 1]
    if not chosen:
        return None
    one = draft.lines[draft.rng.choice(chosen)]
    value = one.values[0] * D(repr(draft.rng.choice((0.83, 0.91, 1.08, 1.17))))
    if not matters(one, one.numbers[0], one.rounded(value)):
        return None
    draft.touched.add(draft.lines.index(one))
    draft.lines.append(one)
    draft.numbers.append([one.rounded(value)])
    draft.touched.add(len(draft.lines) - 1)
    return Planted("said_otherwise", frozenset(one.addresses))


def base_year(draft: Draft) -> Planted | None:
    if "stated" in draft.extra:
        return None
    year = draft.plan.start.year - draft.rng.choice((1, 2))
    draft.extra["stated"] = [{"id": "conventions.base_year", "value": year, "unit": "year"}]
    return Planted("base_year", frozenset({"conventions.base_year"}))


def declared_unused(draft: Draft) -> Planted | None:
    if "assumptions" in draft.extra:
        return None
    name = draft.rng.choice(("warranty.share", "market.growth", "visitors", "idle.hours"))
    draft.extra["assumptions"] = {
        name: {
            "value": draft.rng.randint(2, 90),
            "unit": draft.rng.choice(("%", "h/month")),
            "source": "x",
            "owner": "y",
        }
    }
    return Planted("declared_unused", frozenset({name}))
