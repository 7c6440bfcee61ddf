"""The pages of capture in a real browser: by touch, in both languages, with and without script, and when it fails."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Literal

import pytest

from edge_agent.errors import StoreBusyError
from edge_agent.events import AlarmOutcome, AuditCount, Disposition, StopRevision
from tests.browser.test_status_page import CONTRAST, OFFICE, PANEL, SMALL_TARGETS, Visitor, shown
from tests.edge_agent.status.rig import LINE, NOON, Rig, TestClock, audited, part_image, part_map, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
ARGUMENTS = ["--disable-gpu", "--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    made = Visitor(browser)
    yield made
    made.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    made.stop(0, 20, "jam")
    made.stop(22, 10, "feeder stuck")
    made.alarm("wear", ago_s=3_000)
    for name, verdict in (("A-1", "PASS"), ("A-2", "REVIEW"), ("A-3", "FAIL")):
        key = made.inspect(name, verdict, image=part_image(), anomaly_map=part_map())  # type: ignore[arg-type] # the three
        if verdict != "REVIEW":
            made.draw(key, "PASS" if verdict == "PASS" else "FAIL")
    yield made
    made.close()


def recorded(rig: Rig, kind: str) -> list[Any]:
    return [found.event.body for found in rig.writer.store.latest_events(kind, line=LINE, limit=99)]


def test_a_stop_is_split_by_touch_and_both_parts_appear(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/stops", has_touch=True)
    page.locator("summary").nth(1).tap()
    form = page.locator("form", has_text="Split at a time").nth(1)
    form.locator("[name=split_at]").fill("2026-01-05T09:05:00")
    form.locator("[name=reason_after]").select_option("changeover")
    form.locator("[name=reviewer]").fill("김 철수")
    form.locator("button").tap()

    shown(page, ".entry", "Changeover")
    page.wait_for_function("() => document.querySelectorAll('.entry').length === 3")
    (body,) = recorded(rig, "stop_revision")
    assert isinstance(body, StopRevision)
    assert [(stop.reason, stop.planned) for stop in body.stops] == [("jam", False), ("changeover", True)]
    assert page.locator("#merge [name=reviewer]").input_value() == "김 철수"
    assert visitor.complaints == []


def test_neighbours_are_picked_and_merged(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/stops")
    for box in page.locator(".pick input").all():
        box.check()
    page.fill("#merge [name=reviewer]", "Lee")
    page.click("#merge button")

    page.wait_for_function("() => document.querySelectorAll('.entry').length === 1")
    shown(page, ".entry", "0:32:00")


def test_a_refusal_is_read_on_the_page_and_what_was_typed_stays(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/stops")
    page.locator(".pick input").first.check()
    page.fill("#merge [name=note]", "one only")
    page.fill("#merge [name=reviewer]", "Lee")
    page.click("#merge button")

    shown(page, "#merge .outcome.failed", "A merge takes at least two stops.")
    assert page.input_value("#merge [name=note]") == "one only"
    assert recorded(rig, "stop_revision") == []


def test_an_alarm_gets_its_outcome_and_a_try_that_failed_is_stored_once(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/alarms")
    page.locator("summary", has_text="State what was found").click()
    form = page.locator("form", has_text="What was found").first
    form.locator("[name=outcome]").select_option("confirmed")
    form.locator("[name=acted]").check()
    form.locator("[name=action]").fill("greased")
    form.locator("[name=reviewer]").fill("Lee")
    rig.writer.failure = StoreBusyError("not durable within 5 s", hint="try again")
    form.locator("button").click()
    shown(page, ".outcome.failed", "not durable within 5 s")
    rig.writer.failure = None
    form.locator("button").click()

    shown(page, "main", "Alarms with an outcome")
    (body,) = recorded(rig, "alarm_outcome")
    assert isinstance(body, AlarmOutcome)
    assert (body.outcome, body.acted, body.action) == ("confirmed", True, "greased")


def test_without_script_a_missed_failure_and_an_audit_are_noted(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/alarms?lang=ko", java_script_enabled=False)
    page.locator("summary", has_text="놓친 고장 추가").click()
    form = page.locator("form", has_text="고장 난 시각")
    form.locator("[name=failed_at]").fill("2026-01-05T18:30:00")
    form.locator("[name=reviewer]").fill("김 철수")
    form.locator("button").click()
    shown(page, ".entry", "2026-01-05 18:30:00")
    page.goto(f"{rig.url}/audit")
    page.fill("[name=product]", "bracket-a")
    page.fill("[name=day]", "2026-01-04")
    page.fill("[name=audited]", "50")
    page.fill("[name=defects_found]", "2")
    page.locator("button.act").click()

    shown(page, ".entry", "bracket-a")
    assert recorded(rig, "alarm_outcome")[0].outcome == "missed"
    assert recorded(rig, "audit_count") == [AuditCount("bracket-a", "06:00", "previous", "PASS", 50, 2, "김 철수")]


def test_a_queue_is_judged_blind_by_key_and_the_last_can_be_undone(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/review")
    seen = []
    for number in range(3):
        key = page.input_value("[name=inspection_key]")
        seen.append(key)
        assert page.locator(".verdict, .heat, #overlay").count() == 0
        if number == 0:
            page.fill("[name=reviewer]", "Lee")
            page.locator(".choice-good").click()
        else:
            page.locator("main").click(position={"x": 5, "y": 5})
            page.keyboard.press("1")
        page.wait_for_function("before => !document.querySelector(`[value='${before}']`)", arg=key)
    assert sorted(seen) == [f"{LINE}/vision-1/A-{n}" for n in (1, 2, 3)]
    shown(page, "main", "No part waits for you")

    page.click("text=Change my last judgement")
    assert page.input_value("[name=inspection_key]") == seen[-1]
    assert page.locator(".verdict, .heat, #overlay").count() == 0
    page.click(".choice-defect")

    wait_for(lambda: len(recorded(rig, "disposition")) == 4, "the changed judgement is stored")
    last = recorded(rig, "disposition")[0]
    assert isinstance(last, Disposition)
    assert (last.inspection_key, last.judgement, last.blind) == (seen[-1], "defect", True)
    assert visitor.complaints == []


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("size", "scheme"), [(PANEL, "light"), (PANEL, "dark"), (OFFICE, "dark")])
def test_everything_can_be_read_and_touched(
    rig: Rig, visitor: Visitor, size: tuple[int, int], scheme: Literal["light", "dark"], language: str
) -> None:
    for path in ("/review", "/stops", "/alarms", "/audit"):
        page = visitor.open(f"{rig.url}{path}?lang={language}", size, scheme)
        for details in page.locator("main summary").all():
            details.click()
        contrast = page.evaluate(CONTRAST)
        assert contrast["seen"] > 12
        assert contrast["poor"] == []
        assert page.evaluate(SMALL_TARGETS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        unlabelled = "[...document.querySelectorAll('input:not([type=hidden]),select')].filter(e => !e.labels.length)"
        assert page.evaluate(f"{unlabelled}.length") == 0
