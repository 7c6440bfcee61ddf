"""The log of products: order by the monotonic clock, repetitions, and what an earlier boot left."""

from __future__ import annotations

from edge_agent.inspection.products import REMEMBERED_CHANGES, ProductLog
from edge_agent.instant import Instant


def at(mono_ns: int, utc_us: int = 0, boot: str = "now") -> Instant:
    return Instant(utc_us, mono_ns, boot)


def test_a_wall_clock_that_jumps_changes_no_product() -> None:
    log = ProductLog()
    assert log.hear("end", "b", at(10, utc_us=9_000))
    assert log.hear("end", "c", at(20, utc_us=1_000))  # set back in between
    assert [log.at("end", at(mono, utc_us=5_000), "a") for mono in (9, 11, 19, 21)] == ["a", "b", "b", "c"]


def test_messages_of_one_look_at_the_network_keep_their_order() -> None:
    log = ProductLog()
    log.hear("end", "b", at(10, utc_us=102))
    assert [log.at("end", at(10, utc_us=utc), "a") for utc in (101, 102, 103)] == ["a", "b", "b"]


def test_what_says_nothing_new_is_no_change() -> None:
    log = ProductLog()
    assert log.hear("end", "b", at(1), "key-1")
    assert not log.hear("end", "b", at(2))
    assert log.hear("end", "a", at(3), "key-2")
    assert not log.hear("end", "b", at(4), "key-1")  # delivered again
    assert log.newest("end", "") == "a"
    assert log.newest("other", "z") == "z"


def test_an_earlier_boot_counts_by_the_wall_clock() -> None:
    log = ProductLog()
    log.hear("end", "b", at(900, utc_us=1_000, boot="before"))
    assert log.at("end", at(5, utc_us=2_000), "a") == "b"
    assert log.at("end", at(5, utc_us=500), "a") == "a"
    log.hear("end", "c", at(10, utc_us=3_000))
    assert [log.at_time("end", utc, "a") for utc in (999, 1_000, 3_000)] == ["a", "b", "c"]


def test_the_log_is_bounded_and_keeps_the_newest() -> None:
    log = ProductLog()
    for number in range(REMEMBERED_CHANGES + 5):
        log.hear("end", str(number), at(number))
    assert log.newest("end", "") == str(REMEMBERED_CHANGES + 4)
    assert log.at("end", at(2), "gone") == "gone"
