from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.payloads.sequences import NumberRange, SequenceLedger, receive

NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=80)


def enter(numbers: list[int], batch: int = 1, max_ranges: int = 256) -> tuple[SequenceLedger, list[NumberRange]]:
    ledger = SequenceLedger()
    opened: list[NumberRange] = []
    for start in range(0, len(numbers), batch):
        receipt = receive(ledger, numbers[start : start + batch], max_ranges=max_ranges)
        ledger = receipt.ledger
        opened += receipt.opened
    return ledger, opened


def members(ranges: tuple[NumberRange, ...] | list[NumberRange]) -> set[int]:
    return {number for item in ranges for number in range(item.first, item.last + 1)}


def test_the_first_number_starts_the_range() -> None:
    receipt = receive(SequenceLedger(), [1_000])
    assert receipt.ledger == SequenceLedger((NumberRange(1_000, 1_000),))
    assert (receipt.opened, receipt.ledger.missing) == ((), 0)


def test_a_swap_within_one_commit_is_no_hole_and_between_commits_is_one() -> None:
    assert enter([1, 3, 2], batch=3) == (SequenceLedger((NumberRange(1, 3),)), [])
    assert enter([1, 3, 2]) == (SequenceLedger((NumberRange(1, 3),)), [NumberRange(2, 2)])


def test_filling_part_of_a_hole_splits_it_and_opens_nothing() -> None:
    ledger, opened = enter([1, 10, 5])
    assert ledger.holes() == (NumberRange(2, 4), NumberRange(6, 9))
    assert ledger.missing == 7
    assert opened == [NumberRange(2, 9)]


def test_a_number_before_the_first_opens_the_hole_between() -> None:
    ledger, opened = enter([10, 7])
    assert opened == [NumberRange(8, 9)]
    assert ledger.missing == 2


def test_past_the_cap_the_oldest_holes_are_given_up_and_stay_missing() -> None:
    ledger, opened = enter([0, 2, 5, 9, 14], max_ranges=3)
    assert ledger == SequenceLedger((NumberRange(0, 5), NumberRange(9, 9), NumberRange(14, 14)), written_off=3)
    assert ledger.missing == 3 + 3 + 4
    assert opened == [NumberRange(1, 1), NumberRange(3, 4), NumberRange(6, 8), NumberRange(10, 13)]
    assert receive(ledger, [3], max_ranges=3).ledger == ledger  # too late: taken as a duplicate
    assert receive(ledger, [6, 7, 8], max_ranges=3).ledger.missing == 3 + 4


@given(st.data(), NUMBERS, st.integers(1, 9))
def test_any_order_and_duplicates_give_the_same_ledger(data: st.DataObject, numbers: list[int], batch: int) -> None:
    shuffled = data.draw(st.permutations(numbers + numbers[: len(numbers) // 2]))
    ledger, _ = enter(shuffled, batch)
    assert ledger == enter(sorted(set(numbers)), batch=100)[0]
    assert members(ledger.ranges) == set(numbers)
    assert ledger.missing == max(numbers) - min(numbers) + 1 - len(set(numbers))
    assert members(ledger.holes()) == set(range(min(numbers), max(numbers))) - set(numbers)


@given(NUMBERS, st.integers(1, 9))
def test_each_number_is_reported_missing_at_most_once(numbers: list[int], batch: int) -> None:
    ledger, opened = enter(numbers, batch)
    assert sum(map(len, opened)) == len(members(opened))
    assert members(ledger.holes()) <= members(opened)
    arrived_later = members(opened) - members(ledger.holes())
    assert arrived_later <= set(numbers)


@given(NUMBERS, st.integers(2, 5))
def test_the_cap_bounds_the_ledger_and_never_hides_a_loss(numbers: list[int], max_ranges: int) -> None:
    ledger, _ = enter(numbers, max_ranges=max_ranges)
    exact, _ = enter(numbers)
    assert len(ledger.ranges) <= max_ranges
    assert ledger.missing >= exact.missing


@given(NUMBERS)
def test_a_ledger_survives_json(numbers: list[int]) -> None:
    ledger, _ = enter(numbers)
    assert msgspec.json.decode(msgspec.json.encode(ledger), type=SequenceLedger) == ledger
