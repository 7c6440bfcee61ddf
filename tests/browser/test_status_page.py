"""The status page in a real browser: live, in both languages, judged by touch and key, honest when the link drops."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any, Literal

import pytest

from edge_agent.events import Disposition
from tests.edge_agent.status.rig import LINE, Rig, fill_sample, part_image, part_map, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

ARGUMENTS = ["--disable-gpu", "--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
PANEL, OFFICE = (1024, 600), (1440, 900)

CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const numbers = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = []; let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    if (!text || !e.checkVisibility({ visibilityProperty: true })) continue;
    if (e.closest(".photo, script, noscript, .unseen")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const [a, b] = [light(numbers(style.color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05); seen += 1;
    if (ratio < (large ? 3 : 4.5)) poor.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return { seen, poor };
}"""

SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
  .filter((e) => e.checkVisibility() && !e.classList.contains("skip"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 48 || box.height < 48)
  .map(([e, box]) => `${e.textContent.trim() || e.name}: ${box.width} x ${box.height}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    fill_sample(made)
    yield made
    made.close()


class Visitor:
    """Opens pages and keeps what the browser complained about and where it went."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []
        self.addresses: list[str] = []

    def open(
        self, url: str, size: tuple[int, int] = PANEL, scheme: Literal["light", "dark"] = "light", **options: Any
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.addresses.append(request.url))
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    made = Visitor(browser)
    yield made
    made.close()


def shown(page: Page, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).first.wait_for()


def test_a_verdict_appears_by_itself_and_nothing_foreign_is_asked(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    shown(page, "[data-region=picture]", "A-1067")

    rig.inspect("B-1", "FAIL", image=part_image((300, 200)), anomaly_map=part_map((300, 200)))

    shown(page, "[data-region=picture]", "B-1")
    shown(page, ".tile-rejected", "4")
    assert page.locator(".photo .heat").evaluate("image => image.complete && image.naturalWidth") == 640
    assert visitor.complaints == []
    assert {re.sub(r"(?<=\d)/.*", "", address) for address in visitor.addresses} == {rig.url}


def test_the_overlay_is_switched_and_stays_switched(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    heat = page.locator(".photo .heat")
    assert heat.is_visible()

    page.click("#overlay")
    assert not heat.is_visible()
    page.reload()

    assert page.get_attribute("#overlay", "aria-pressed") == "false"
    assert not heat.is_visible()


def test_ages_tick_without_the_server(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    age = page.locator("[data-region=picture] time")
    first = age.inner_text()

    page.wait_for_function(
        "before => document.querySelector('[data-region=picture] time').textContent !== before", arg=first
    )

    assert re.fullmatch(r"\d+ s ago", age.inner_text())


def test_a_lost_link_is_said_and_greyed_and_a_new_one_clears_it(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    shown(page, "[data-region=picture]", "A-1067")
    assert not page.is_visible("#lost")

    rig.stop_server()
    page.wait_for_selector("#lost", state="visible")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
    rig.inspect("B-2", "PASS")
    assert page.locator("[data-region=picture]", has_text="B-2").count() == 0

    rig.start_server()
    page.wait_for_selector("#lost", state="hidden")
    shown(page, "[data-region=picture]", "B-2")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "none"


def judgements(rig: Rig, key: str) -> list[tuple[str, bool | None, str]]:
    bodies = [recorded.event.body for recorded in rig.writer.store.dispositions_of(key)]
    return [(body.judgement, body.agrees, body.reviewer) for body in bodies if isinstance(body, Disposition)]


def test_reviews_are_judged_by_touch_and_by_key_and_the_name_is_asked_once(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/review", has_touch=True)
    first, second = f"{LINE}/vision-1/A-1062", f"{LINE}/vision-1/A-1063"
    assert page.input_value("[name=inspection_key]") == first

    page.fill("[name=reviewer]", "김 철수")
    page.locator(".choice-defect").tap()
    page.wait_for_selector(f"[name=inspection_key][value='{second}']", state="attached")

    assert judgements(rig, first) == [("defect", None, "김 철수")]
    assert not page.is_visible("[name=reviewer]")
    page.keyboard.press("1")
    page.wait_for_selector("[name=inspection_key][value$='A-1066']", state="attached")
    assert judgements(rig, second) == [("good", None, "김 철수")]
    page.keyboard.press("1")
    shown(page, "main", "No part waits for you")
    assert visitor.complaints == []


def test_a_verdict_is_overruled_from_the_line_page(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    page.click("text=Judge this part")
    shown(page, ".choice-good", "overrules the verdict")

    page.fill("[name=reviewer]", "Lee")
    page.click(".choice-good")
    page.wait_for_selector(f"[name=inspection_key][value='{LINE}/vision-1/A-1062']", state="attached")

    assert judgements(rig, f"{LINE}/vision-1/A-1067") == [("good", False, "Lee")]
    page.click("text=Line now")
    shown(page, ".tile-false_rejects", "1")


def test_keys_typed_into_a_field_judge_nothing(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/review")
    page.fill("[name=reviewer]", "Lee")

    page.locator("[name=note]").press_sequentially("12")

    assert page.input_value("[name=note]") == "12"
    assert page.inner_text("#outcome") == ""


def test_a_judgement_that_is_not_stored_says_so_and_can_be_sent_again(rig: Rig, visitor: Visitor) -> None:
    from edge_agent.errors import StoreBusyError

    page = visitor.open(f"{rig.url}/review")
    page.fill("[name=reviewer]", "Lee")
    rig.writer.failure = StoreBusyError("not durable within 5 s", hint="try again")
    page.click(".choice-good")
    shown(page, "#outcome.failed", "not durable within 5 s")

    rig.writer.failure = None
    page.click(".choice-good")
    key = f"{LINE}/vision-1/A-1062"

    wait_for(lambda: judgements(rig, key) == [("good", None, "Lee")], "the judgement is stored")


def test_without_script_a_judgement_works_too(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(f"{rig.url}/review", java_script_enabled=False)
    page.fill("[name=reviewer]", "Lee")
    page.click(".choice-good")
    page.wait_for_load_state()

    assert judgements(rig, f"{LINE}/vision-1/A-1062") == [("good", None, "Lee")]


def test_the_language_is_switched_by_touch_and_kept(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    page.click("text=한국어")
    shown(page, "[data-region=band]", "주의")

    rig.inspect("B-3", "REVIEW")
    shown(page, "[data-region=picture]", "확인 필요")
    page.goto(f"{rig.url}/review")

    assert page.get_attribute("html", "lang") == "ko"
    page.click("text=English")
    shown(page, ".choice-good", "Good")


LOOKS = [(PANEL, "light"), (PANEL, "dark"), (OFFICE, "light"), (OFFICE, "dark")]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_everything_can_be_read_and_touched(
    rig: Rig, visitor: Visitor, size: tuple[int, int], scheme: Literal["light", "dark"], language: str
) -> None:
    for path in ("/", "/review"):
        page = visitor.open(f"{rig.url}{path}?lang={language}", size, scheme)
        contrast = page.evaluate(CONTRAST)
        assert contrast["seen"] > 15
        assert contrast["poor"] == []
        assert page.evaluate(SMALL_TARGETS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_old_picture_can_still_be_read(rig: Rig, visitor: Visitor, scheme: Literal["light", "dark"]) -> None:
    page = visitor.open(rig.url, PANEL, scheme)
    rig.stop_server()
    page.wait_for_selector("#lost", state="visible")

    assert page.evaluate(CONTRAST)["poor"] == []


def each_state(rig: Rig) -> list[tuple[str, Callable[[], object]]]:
    from msgspec.structs import replace

    from edge_agent.events import MachineState
    from edge_agent.system_state import Interlock

    def stop() -> None:
        rig.system = replace(rig.system, interlocks=(Interlock(LINE, "stop", "reject_undelivered"),))

    def stalled() -> None:
        rig.system = replace(rig.system, interlocks=(Interlock(LINE, "run"),), problem="agent_stalled")

    def jam() -> None:
        rig.system = replace(rig.system, problem="")
        rig.writer.commit([rig.event("jam", MachineState("press", "unplanned_stop", "jam"))])

    return [("degraded", lambda: None), ("stopped", stop), ("no_verdict", stalled), ("stopped", jam)]


def test_the_big_state_follows_the_line(rig: Rig, visitor: Visitor) -> None:
    page = visitor.open(rig.url)
    for state, cause in each_state(rig):
        cause()
        page.wait_for_selector(f".band.state-{state}")
        assert page.evaluate(CONTRAST)["poor"] == []
