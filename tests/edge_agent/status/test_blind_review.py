from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from edge_agent.events import Disposition, VerdictName
from tests.edge_agent.status.rig import LINE, NOON, Rig, TestClock, audited, error, judge, part_image, part_map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TELLING = re.compile(r"overlay|verdict-|1\.74|0\.21|0\.93|limit 1|bracket-a@3|confirms|overrules")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    yield made
    made.close()


@pytest.fixture
def repeating(tmp_path: Path) -> Iterator[Rig]:
    """Every part that was judged blind is shown again."""
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited(repeat_rate=1.0))
    yield made
    made.close()


def bodies(rig: Rig, key: str) -> list[Disposition]:
    found = [recorded.event.body for recorded in rig.writer.store.dispositions_of(key)]
    return [body for body in found if isinstance(body, Disposition)]


def part(rig: Rig, name: str, verdict: VerdictName, rank: float = 0.5) -> str:
    """A part that waits for a blind look: doubtful, or drawn."""
    key = rig.inspect(name, verdict, image=part_image(), anomaly_map=part_map())
    if verdict in {"PASS", "FAIL"}:
        rig.draw(key, "PASS" if verdict == "PASS" else "FAIL", rank)
    return key


def review(rig: Rig, reviewer: str = "", **query: str) -> str:
    cookies = {"lineproof_reviewer": reviewer} if reviewer else {}
    with httpx.Client(base_url=rig.url, trust_env=False, cookies=cookies) as client:
        html = client.get("/review", params={"lang": "en", **query}).text
    return html[html.index("<main") : html.index("</main>")]


def shown(html: str) -> str | None:
    found = re.search(r'name="inspection_key" value="([^"]+)"', html)
    return found.group(1) if found is not None else None


def test_parts_of_all_verdicts_look_the_same_and_tell_nothing(tmp_path: Path) -> None:
    pages = set()
    verdicts: tuple[VerdictName, ...] = ("PASS", "FAIL", "REVIEW")
    for verdict in verdicts:
        rig = Rig(tmp_path / verdict, clock=TestClock(NOON), asked=audited())
        key = part(rig, "A-1", verdict)
        html = review(rig)
        assert shown(html) == key
        assert TELLING.search(html) is None
        pages.add(html)
        rig.close()

    assert len(pages) == 1


def test_a_blind_judgement_is_recorded_as_such_and_told_of_nothing(rig: Rig, client: httpx.Client) -> None:
    key = part(rig, "A-1", "FAIL")

    answer = judge(client, key, judgement="good", id="one", seen="0")

    assert answer.status_code == 201
    assert (answer.json()["agrees"], answer.json()["stratum"]) == (None, None)
    (body,) = bodies(rig, key)
    assert (body.blind, body.stratum, body.agrees, body.repeat_of) == (True, "audit_fail", False, "")
    assert shown(review(rig, "Kim")) is None


def test_a_part_that_somebody_chose_is_not_blind(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "FAIL", image=part_image(), anomaly_map=part_map())

    html = review(rig, inspection=key)
    judge(client, key)

    assert "verdict-FAIL" in html
    assert bodies(rig, key)[0].blind is False


def test_a_drawn_part_is_not_shown_by_its_key(rig: Rig) -> None:
    key = part(rig, "A-1", "PASS")

    html = review(rig, inspection=key)

    assert shown(html) is None
    assert "waits in the queue for a blind look" in html
    assert TELLING.search(html) is None


def test_drawn_parts_come_in_random_order_mixed_with_doubtful_ones(rig: Rig, client: httpx.Client) -> None:
    ranks = {"A-1": 0.9, "A-2": 0.1, "A-3": 0.5}
    keys = {part(rig, name, "PASS", rank): rank for name, rank in ranks.items()}
    doubtful = [part(rig, name, "REVIEW") for name in ("R-1", "R-2", "R-3")]
    seen = []
    while (key := shown(review(rig, "Kim"))) is not None:
        seen.append(key)
        judge(client, key)

    assert [keys[key] for key in seen if key in keys] == [0.1, 0.5, 0.9]
    assert [key for key in seen if key not in keys] == doubtful
    assert all(body.blind for key in seen for body in bodies(rig, key))


def test_a_judgement_can_be_undone_blind_for_a_minute_and_not_after(rig: Rig, client: httpx.Client) -> None:
    key = part(rig, "A-1", "FAIL")
    judge(client, key, judgement="good", id="one")

    html = review(rig, "Kim")
    assert "Change my last judgement" in html
    again = review(rig, "Kim", inspection=key)
    assert shown(again) == key
    assert TELLING.search(again) is None
    assert "verdict-FAIL" in review(rig, "Lee", inspection=key)
    rig.clock.advance(timedelta(seconds=59))
    judge(client, key, judgement="defect", id="two", seen="1")
    rig.clock.advance(timedelta(seconds=61))
    assert "Change my last judgement" not in review(rig, "Kim")
    assert "verdict-FAIL" in review(rig, "Kim", inspection=key)
    judge(client, key, judgement="good", id="three")

    assert [(body.judgement, body.blind) for body in bodies(rig, key)] == [
        ("good", True),
        ("defect", True),
        ("good", False),
    ]


def test_a_retry_after_the_minute_is_still_the_same_judgement(rig: Rig, client: httpx.Client) -> None:
    key = part(rig, "A-1", "FAIL")
    judge(client, key, id="one")
    judge(client, part(rig, "A-2", "FAIL"))
    rig.clock.advance(timedelta(minutes=5))

    assert judge(client, key, id="one").status_code == 200
    assert judge(client, f"{LINE}/vision-1/A-2").status_code == 200
    assert error(judge(client, key, id="one", judgement="defect"))["code"] == "id_reused"
    assert len(bodies(rig, key)) == 1


def test_a_judged_part_is_shown_again_to_somebody_else(repeating: Rig) -> None:
    rig = repeating
    key = part(rig, "A-1", "PASS")
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        judge(client, key, judgement="good", id="one")
        assert shown(review(rig, "Kim")) is None
        html = review(rig, "Lee")
        assert shown(html) == key
        assert TELLING.search(html) is None
        assert "Kim" not in html
        assert shown(review(rig, "Kim", inspection=key)) == key  # within the minute: undo
        judge(client, key, judgement="defect", reviewer="Lee", seen="1")

    first, second = bodies(rig, key)
    assert (first.repeat_of, first.blind) == ("", True)
    assert (second.repeat_of, second.blind, second.reviewer) == (f"disposition/{key}/one", True, "Lee")
    assert shown(review(rig, "Park")) is None
    assert rig.board.snapshot(LINE).counts.escapes == 0  # the repeat replaces nothing


def test_a_repeat_comes_to_the_same_reviewer_only_after_a_day(repeating: Rig) -> None:
    rig = repeating
    key = part(rig, "A-1", "PASS")
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        judge(client, key, id="one")
        rig.clock.advance(timedelta(hours=23))
        assert shown(review(rig, "Kim")) is None
        assert "waits in the queue" in review(rig, "Kim", inspection=key)  # its verdict would spoil the repeat
        rig.clock.advance(timedelta(hours=1))
        assert shown(review(rig, "Kim")) == key
        judge(client, key, judgement="defect")

    assert bodies(rig, key)[1].repeat_of == f"disposition/{key}/one"


def test_an_undone_judgement_is_not_the_one_that_is_repeated(repeating: Rig) -> None:
    key = part(repeating, "A-1", "PASS")
    with httpx.Client(base_url=repeating.url, trust_env=False) as client:
        judge(client, key, id="one")
        judge(client, key, id="two", judgement="defect")
        judge(client, key, id="three", reviewer="Lee")

    assert [body.repeat_of for body in bodies(repeating, key)] == ["", "", f"disposition/{key}/two"]


def test_a_part_that_nobody_looked_at_leaves_the_queue(rig: Rig) -> None:
    part(rig, "A-1", "PASS")
    rig.clock.advance(timedelta(days=13))
    assert shown(review(rig)) is not None
    rig.clock.advance(timedelta(days=1, seconds=1))
    assert shown(review(rig)) is None


def test_of_two_who_judge_at_once_one_is_told(rig: Rig) -> None:
    def act(asked: tuple[str, threading.Barrier, str, str]) -> tuple[str, int]:
        key, ready, who, judgement = asked
        with httpx.Client(base_url=rig.url, trust_env=False) as client:
            ready.wait()
            return who, judge(client, key, reviewer=who, judgement=judgement, seen="0").status_code

    for number in range(10):
        key = part(rig, f"A-{number}", "FAIL")
        ready = threading.Barrier(2)
        with ThreadPoolExecutor(2) as both:
            answers = dict(both.map(act, ((key, ready, "Kim", "good"), (key, ready, "Lee", "defect"))))
        assert sorted(answers.values()) == [201, 409]
        (body,) = bodies(rig, key)
        assert answers[body.reviewer] == 201


def test_a_desk_made_from_the_store_knows_what_waits(repeating: Rig) -> None:
    rig = repeating
    keys = [part(rig, f"A-{number}", "PASS", number / 10) for number in range(3)]
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        judge(client, keys[0], id="one")
    before = shown(review(rig, "Lee")), shown(review(rig, "Kim"))

    rig.stop_server()
    rig.start_server()

    assert (shown(review(rig, "Lee")), shown(review(rig, "Kim"))) == before
    assert before[1] == keys[1]


def test_without_an_audit_doubtful_parts_are_shown_with_all_that_is_known(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    key = part(rig, "A-1", "REVIEW")
    html = review(rig)
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        judge(client, key)
    rig.close()

    assert "verdict-REVIEW" in html
