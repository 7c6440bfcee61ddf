from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.errors import StoreError
from roi_tracker.ledger.chain import GENESIS, Head, digest_of, seal, text_digest, verify
from roi_tracker.ledger.entries import ActualCost, Adjustment, Body, CaseVersion, ClosingDate, Draft, Entry

NOW = datetime(2025, 7, 1, 9, 0, tzinfo=UTC)


def cost(reference: str, amount: str = "100") -> ActualCost:
    return ActualCost(
        day=date(2025, 7, 1),
        amount=Decimal(amount),
        cost="running",
        name_ko="비용",
        name_en="Cost",
        reference=reference,
    )


def chain(*bodies: Body) -> tuple[list[Entry], Head]:
    entries: list[Entry] = []
    head = Head()
    for body in bodies:
        entry = seal(Draft("case", NOW, "controller", body), head)
        head = Head(entry.number, entry.sha256)
        entries.append(entry)
    return entries, head


def adjustment(**changes: object) -> Adjustment:
    body = Adjustment(
        benefit_id="a",
        first=date(2025, 8, 1),
        last=date(2025, 8, 31),
        quantity=Decimal(-40),
        reason="die replaced",
        approver="plant manager",
    )
    return msgspec.structs.replace(body, **changes)


def test_a_whole_chain_holds() -> None:
    entries, head = chain(cost("1"), cost("2"), cost("3"))
    assert verify(entries, head) == ()
    assert verify(entries, head, [entries[1].sha256, GENESIS]) == ()
    assert entries[0].previous == GENESIS
    assert [entry.previous for entry in entries[1:]] == [entry.sha256 for entry in entries[:-1]]


def test_a_head_may_be_given_by_its_beginning() -> None:
    entries, head = chain(cost("1"), cost("2"))
    assert verify(entries, head, [entries[0].sha256[:16], head.sha256[:12].upper(), f" {head.sha256} "]) == ()
    other = ("0" if head.sha256[11] != "0" else "1").join([head.sha256[:11], ""])
    assert [fault.name for fault in verify(entries, head, [other])] == ["head_unknown"]
    assert [fault.name for fault in verify(entries, head, [head.sha256 + "0"])] == ["head_unknown"]
    with pytest.raises(StoreError, match="first 12 letters"):
        verify(entries, head, [head.sha256[:11]])


def test_an_altered_amount_is_found() -> None:
    entries, head = chain(cost("1"), cost("2", "900"), cost("3"))
    entries[1] = msgspec.structs.replace(entries[1], body=cost("2", "90"))
    assert [(fault.name, fault.number) for fault in verify(entries, head)] == [("altered", 2)]


def test_an_altered_entry_that_was_sealed_again_breaks_the_chain_behind_it() -> None:
    entries, head = chain(cost("1"), cost("2", "900"), cost("3"))
    forged = msgspec.structs.replace(entries[1], body=cost("2", "90"))
    entries[1] = msgspec.structs.replace(forged, sha256=digest_of(forged))
    assert [(fault.name, fault.number) for fault in verify(entries, head)] == [("out_of_order", 3)]


def test_a_missing_end_is_found() -> None:
    entries, head = chain(cost("1"), cost("2"), cost("3"))
    assert [(fault.name, fault.number) for fault in verify(entries[:2], head)] == [("truncated", 3)]


def test_a_chain_written_anew_misses_the_head_that_a_report_printed() -> None:
    entries, head = chain(cost("1"), cost("2", "900"))
    again, new_head = chain(cost("1"), cost("2", "90"))
    assert verify(again, new_head) == ()
    assert [fault.name for fault in verify(again, new_head, [head.sha256])] == ["head_unknown"]
    assert [fault.name for fault in verify(entries, new_head)] == ["altered"]


@given(st.permutations(range(4)))
def test_any_other_order_is_found(order: list[int]) -> None:
    entries, head = chain(*(cost(str(number)) for number in range(4)))
    moved = [entries[place] for place in order]
    assert (verify(moved, head) == ()) == (order == sorted(order))


@given(st.integers(0, 3))
def test_any_entry_taken_out_is_found(place: int) -> None:
    entries, head = chain(*(cost(str(number)) for number in range(4)))
    assert verify(entries[:place] + entries[place + 1 :], head)


def credit(**changes: object) -> ActualCost:
    return msgspec.structs.replace(cost("credit", "-5"), **changes)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (credit(approver="plant manager"), "names the cost that it takes back"),
        (credit(reverses="1"), "approved by somebody else"),
        (credit(reverses="1", approver="Controller."), "approved by somebody else"),
        (adjustment(approver="\N{FULLWIDTH LATIN SMALL LETTER C}ontroller"), "approved by somebody else"),
        (adjustment(approver=" . "), "approved by somebody else"),
        (adjustment(approver="C O N T R O L L E R"), "approved by somebody else"),
        (adjustment(approver="c\N{CYRILLIC SMALL LETTER O}ntroller"), "different alphabets"),
        (adjustment(approver="\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}"), "different alphabets"),
    ],
)
def test_one_person_is_not_two(body: Body, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        seal(Draft("case", NOW, "controller", body), Head())


def test_two_people_book_a_credit_note_and_names_may_be_korean() -> None:
    entries, head = chain(cost("1"), credit(reverses="1", approver="plant manager"), adjustment(approver="공장장 김"))
    assert verify(entries, head) == ()


def test_the_hash_survives_writing_and_reading() -> None:
    entries, head = chain(cost("1", "14200000.50"), adjustment(), ClosingDate(benefit_id="a", day=date(2025, 12, 31)))
    stored = msgspec.json.decode(msgspec.json.encode(entries), type=list[Entry])
    assert stored == entries
    assert verify(stored, head) == ()


def test_an_entry_stored_by_an_earlier_version_keeps_its_hash() -> None:
    """A new field needs a default that is left out of the JSON (`msgspec.UNSET`), or every ledger reads as altered."""
    stored = (
        b'{"at":"2025-07-01T09:00:00Z","author":"controller","body":{"amount":"1500","kind":"unit_value","lines":[],'
        b'"owner":"controller","per":"part","source":"invoice","subject":"a","valid_from":"2025-01-01",'
        b'"valid_to":"2025-12-31"},"case_id":"case","number":1,"previous":"%b",'
        b'"sha256":"3f6a98cd4cb8b26929370bf4bdfdb429a1e1ecabecf47d7292ca6f4aca4aa717"}'
    ) % GENESIS.encode()
    entry = msgspec.json.decode(stored, type=Entry)
    assert verify([entry], Head(1, entry.sha256)) == ()


@pytest.mark.parametrize("approver", ["controller", " Controller ", ""])
def test_an_adjustment_needs_a_second_person(approver: str) -> None:
    with pytest.raises(StoreError, match="somebody else"):
        chain(adjustment(approver=approver))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (adjustment(reason=" "), "without a reason"),
        (adjustment(last=date(2025, 7, 1)), "before it starts"),
        (adjustment(factor=Decimal("1.1")), "not both"),
        (adjustment(quantity=Decimal(0), factor=Decimal(-1)), "not negative"),
        (cost("1", "NaN"), "finite"),
        (CaseVersion(text="id: a", text_sha256=text_digest("id: b")), "does not give its hash"),
    ],
)
def test_what_may_not_be_written(body: Body, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        chain(body)


def test_an_entry_needs_an_author_and_a_zone() -> None:
    with pytest.raises(StoreError, match="author"):
        seal(Draft("case", NOW, " ", cost("1")), Head())
    with pytest.raises(StoreError, match="zone"):
        seal(Draft("case", NOW.replace(tzinfo=None), "a", cost("1")), Head())
