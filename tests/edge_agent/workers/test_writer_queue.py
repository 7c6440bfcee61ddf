"""What waits for the writer."""

from __future__ import annotations

import threading

from edge_agent.workers.writer_queue import WriterQueue

PATIENCE_S = 10.0


def test_items_come_out_in_order_and_a_put_is_never_split() -> None:
    waiting = WriterQueue[int](3, lambda _: 1)
    assert waiting.put([1, 2], 0)
    assert waiting.put([3, 4, 5], 0)  # two of three were there: it may overshoot once
    assert not waiting.put([6], 0)
    assert len(waiting) == 5
    assert waiting.take(4, 100, 0) == [1, 2, 3, 4]
    assert waiting.put([6], 0)
    assert waiting.take(9, 100, 0) == [5, 6]
    assert waiting.take(9, 100, 0) == []


def test_a_take_ends_once_its_weight_is_reached() -> None:
    waiting = WriterQueue[str](10, len)
    waiting.put(["aaaa", "b", "c"], 0)
    assert waiting.take(10, 4, 0) == ["aaaa"]
    waiting.put(["dddd"], 0)
    assert waiting.take(10, 3, 0) == ["b", "c", "dddd"]


def test_an_item_that_stands_for_several_counts_for_them() -> None:
    waiting = WriterQueue[str](4, lambda _: 1, len)
    assert waiting.put(["aaa", "b"], 0)
    assert len(waiting) == 4
    assert not waiting.put(["c"], 0)
    assert waiting.take(2, 100, 0) == ["aaa"]
    assert waiting.put(["c"], 0)
    assert waiting.take(2, 100, 0) == ["b", "c"]
    assert len(waiting) == 0


def test_a_waiting_put_goes_on_when_there_is_room_and_a_waiting_take_when_there_is_something() -> None:
    waiting = WriterQueue[int](1, lambda _: 1)
    waiting.put([1], 0)
    done: list[bool] = []
    putting = threading.Thread(target=lambda: done.append(waiting.put([2], PATIENCE_S)))
    putting.start()
    assert waiting.take(1, 9, PATIENCE_S) == [1]
    putting.join(PATIENCE_S)
    assert done == [True]
    assert waiting.take(1, 9, PATIENCE_S) == [2]

    taken: list[list[int]] = []
    taking = threading.Thread(target=lambda: taken.append(waiting.take(1, 9, PATIENCE_S)))
    taking.start()
    waiting.put([3], PATIENCE_S)
    taking.join(PATIENCE_S)
    assert taken == [[3]]


def test_two_waiting_puts_both_go_on_after_one_take() -> None:
    waiting = WriterQueue[int](2, lambda _: 1)
    waiting.put([1, 2], 0)
    putting = [threading.Thread(target=waiting.put, args=([number], PATIENCE_S)) for number in (3, 4)]
    for thread in putting:
        thread.start()
    assert waiting.take(2, 9, 0) == [1, 2]
    for thread in putting:
        thread.join(PATIENCE_S)
    assert sorted(waiting.take(2, 9, 0)) == [3, 4]
