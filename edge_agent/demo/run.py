"""The whole product on one machine in a minute: broker, simulated line, models taught on the spot, agent, page, report.

Every part runs as a child process by its own public command, exactly as a plant would run it; this file only starts
them in order, watches them and ends them. It imports neither the model makers nor the tracker.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_agent.demo.business_case import write_demo_case
from edge_agent.demo.children import Children
from edge_agent.demo.folder import DemoFolder
from edge_agent.demo.ports import free_port
from edge_agent.demo.report import ReportHeadline, TrackerFiles, measure_year
from edge_agent.demo.settings import DemoPlaces, demo_settings
from edge_agent.demo.stages import Stages
from edge_agent.errors import ConfigError, UnreachableError
from edge_agent.events import Alarm, Disposition, Inspection
from edge_agent.virtual_plant import plant_topics
from edge_agent.virtual_plant.good_phase import MACHINES, Pace, record_good_pictures, record_good_readings
from edge_agent.virtual_plant.status_page_client import StatusPage

if TYPE_CHECKING:
    from types import FrameType

GOOD_PICTURES, PICTURE_SIDE_PX = 200, 224
# Five cycles of the good phase, so that its breaks and set-ups are among the held-out rows too.
GOOD_ROWS, WINDOW_ROWS = 1_200, 16
PACE = Pace(sample_period_s=0.5, speed=60.0)
UNITS = dict(plant_topics.SIGNAL_TOPICS.values())
PORTAL_PORT_OFFSET = 10
TEACH_S, READY_S, VERDICT_S, REPORT_S = 300.0, 60.0, 60.0, 180.0
# Fixed, so that every demo shows the same line.
PLANT_SEED = 1
POLL_S = 0.1
HONEST = (
    "The year is simulated, a 30 % lower defect rate is planted in it, and it was over before its baseline was frozen: "
    "so only the wide interval that holds on any day counts. With no control line beside it the grade is C. "
    "In a plant, freeze before go-live: roi-tracker baseline freeze."
)
# Ctrl-C, a polite kill, a closed terminal: all end the demo and its children.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NEEDED = {"iotcore": "demo", "onnx": "train", "statsmodels": "roi"}


class DemoSummary(msgspec.Struct, frozen=True):
    """What a demo came to.

    Attributes:
        page, portal: addresses of status page and report, answered until the demo ended.
        first_verdict_s: seconds from the start of the demo to the first live verdict in the agent's feed.
        stages_s: seconds each stage took.
        verdicts: inspections by verdict.
        alarms: alarms raised.
        reviews: dispositions given by the simulated reviewer.
        report: the tracker's headline over the simulated year, None when the demo ended before it.
        data_dir: where everything is kept until the next demo.
    """

    page: str
    portal: str
    first_verdict_s: float
    stages_s: dict[str, float]
    verdicts: dict[str, int]
    alarms: int
    reviews: int
    report: ReportHeadline | None
    data_dir: str


def run_demo(seconds: int | None, port: int, data_dir: Path, *, as_json: bool = False) -> DemoSummary:
    """Run the demo; ends after `seconds` (but never before its first verdict and its report), else with Ctrl-C.

    Args:
        seconds: time from the start, None to run until interrupted.
        port: wanted port of the status page; the next free one is taken when it is in use.
        data_dir: made afresh; refused when it holds what the demo has not made.
        as_json: print the summary as one JSON document on stdout; people read stderr either way.

    Raises:
        ConfigError: something needed is not installed, or the folder is not the demo's.
        ChildDiedError: a part of the demo ended by itself; the message carries its last log lines.
        UnreachableError: a part did not answer in time.
    """
    _need_extras()
    previous = {number: signal.signal(number, _interrupt) for number in ENDINGS}
    stages = Stages()
    try:
        with DemoFolder(data_dir) as folder:
            demo = _Demo(folder, port, stages)
            try:
                demo.start()
                demo.watch(seconds)
            finally:
                # A second Ctrl-C must not leave processes behind; ending them takes ten seconds at most.
                for number in ENDINGS:
                    signal.signal(number, signal.SIG_IGN)
                demo.children.stop_all()
            summary = demo.summary()
    finally:
        stages.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
        sys.stdout.flush()
    _tell(summary, stages)
    return summary


class _Demo:
    """One run: what is started, where it is, and what the feed has told."""

    def __init__(self, folder: Path, port: int, stages: Stages) -> None:
        self._folder, self._stages = folder, stages
        for name in ("logs", "images", "models", "truth"):
            (folder / name).mkdir()
        self.children = Children(folder / "logs")
        self._status_port = free_port(port)
        self._portal_port = free_port(self._status_port + PORTAL_PORT_OFFSET)
        for what, wanted, got in (
            ("status page", port, self._status_port),
            ("report", self._status_port + PORTAL_PORT_OFFSET, self._portal_port),
        ):
            if got != wanted:
                stages.say(f"port {wanted} is in use; the {what} takes {got}")
        self._page = StatusPage(self.page_url)
        self._truth = folder / "truth" / "parts.jsonl"
        case = folder / "case.yaml"
        write_demo_case(_package_folder("roi_tracker") / "examples" / "small_press_line.yaml", case)
        self._tracker = TrackerFiles(case, folder / "tracker.sqlite", folder)
        self._broker_port = 0
        self._seq = 0
        self._verdicts: Counter[str] = Counter()
        self._alarms = self._reviews = 0
        self._first_verdict_s = 0.0
        self._headline: ReportHeadline | None = None

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self._status_port}"

    @property
    def portal_url(self) -> str:
        return f"http://127.0.0.1:{self._portal_port}"

    def start(self) -> None:
        """Everything up to the running line and the served report."""
        with self._stages.stage("starting the broker"):
            self._start_broker()
        with self._stages.stage("recording the line's good phase"):
            since = datetime.now(UTC) - timedelta(seconds=GOOD_ROWS * PACE.sample_period_s)
            record_good_pictures(self._folder / "good", plant_topics.PRODUCT, GOOD_PICTURES, PLANT_SEED)
            record_good_readings(self._folder / "recorded", PACE, since, GOOD_ROWS, PLANT_SEED)
        with self._stages.stage("teaching one image model and two machine models"):
            self._teach()
        with self._stages.stage("starting the agent"):
            self._start_agent()
        with self._stages.stage("waiting for the first live verdict"):
            self._start_plant()
            self._await_first_verdict()
        self._stages.say(f"status page: {self.page_url}  (first live verdict after {self._first_verdict_s:.0f} s)")
        with self._stages.stage("simulating a year and measuring it"):
            self._headline = measure_year(self.children, self._tracker)
        with self._stages.stage("starting the report"):
            self._start_portal()
        self._stages.say(f"report over a simulated year: {self.portal_url}")

    def watch(self, seconds: int | None) -> None:
        """Follow the feed until the time is over or somebody interrupts."""
        self._stages.done("Ctrl-C ends the demo." if seconds is None else f"The demo ends by itself after {seconds} s.")
        try:
            while seconds is None or self._stages.elapsed_s < seconds:
                self.children.check()
                self._read_feed()
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            self._stages.say("ending")
        self._read_feed()

    def summary(self) -> DemoSummary:
        """What it came to."""
        return DemoSummary(
            page=self.page_url,
            portal=self.portal_url,
            first_verdict_s=round(self._first_verdict_s, 2),
            stages_s=self._stages.took_s,
            verdicts=dict(self._verdicts),
            alarms=self._alarms,
            reviews=self._reviews,
            report=self._headline,
            data_dir=str(self._folder),
        )

    def _start_broker(self) -> None:
        command = _python("edge_agent.adapters.embedded_broker", "--data-dir", self._folder / "broker")
        broker = self.children.start("broker", command, answers=True)
        self._broker_port = int(json.loads(self.children.first_line(broker))["port"])

    def _teach(self) -> None:
        models = self._folder / "models"
        teach = ("models", "teach")
        jobs = [
            self.children.start(
                "teach-images",
                _python(
                    *(*teach, "images", "--good", self._folder / "good", "--out", models / "camera"),
                    *("--size", PICTURE_SIDE_PX, "--name", "camera", "--product", plant_topics.PRODUCT),
                ),
            )
        ]
        # One core teaches the images; the other the machines, one after the other.
        for machine in MACHINES:
            readings = self._folder / "recorded" / f"{machine}.csv"
            job = self.children.start(
                f"teach-{machine}",
                _python(
                    *(*teach, "health", "--readings", readings, "--out", models / machine),
                    *("--window", WINDOW_ROWS, "--name", machine),
                    *(part for name, unit in UNITS[machine].items() for part in ("--unit", f"{name}={unit}")),
                ),
            )
            self.children.finish(job, TEACH_S, beside=jobs)
        self.children.finish(jobs[0], TEACH_S)

    def _start_agent(self) -> None:
        places = DemoPlaces(
            data_dir=self._folder / "agent",
            images=self._folder / "images",
            image_model=self._folder / "models" / "camera",
            health_models={machine: self._folder / "models" / machine for machine in MACHINES},
            broker_port=self._broker_port,
            status_port=self._status_port,
        )
        config = self._folder / "lineproof.toml"
        config.write_text(demo_settings(places), "utf-8")
        self.children.start("agent", _python("edge_agent", "run", "--config", config))
        self._await_answer(f"{self.page_url}/readyz", READY_S)

    def _start_plant(self) -> None:
        images = ("--images", self._folder / "images", "--truth", self._truth)
        pace = ("--speed", PACE.speed, "--sample-period", PACE.sample_period_s)
        command = ("edge_agent.virtual_plant.live_line", "--broker-port", self._broker_port, *images, *pace)
        # Another seed than the good phase: the same line on another day.
        self.children.start("line", _python(*command, "--seed", PLANT_SEED + 1))
        reviewer = ("edge_agent.virtual_plant.reviewer", "--url", self.page_url, "--truth", self._truth)
        self.children.start("reviewer", _python(*reviewer, "--seed", PLANT_SEED, "--leaves", "30"))

    def _await_first_verdict(self) -> None:
        until = time.monotonic() + VERDICT_S
        while not self._verdicts:
            self.children.check()
            self._read_feed()
            if time.monotonic() > until:
                raise UnreachableError(
                    f"no verdict within {VERDICT_S:.0f} s", hint=f"look into {self._folder / 'logs' / 'agent.log'}"
                )
            time.sleep(POLL_S)

    def _start_portal(self) -> None:
        tracker = ("--store", self._tracker.store, "--case", self._tracker.case)
        self.children.start("portal", _python("roi_tracker", "serve", "--port", self._portal_port, *tracker))
        self._await_answer(f"{self.portal_url}/", READY_S)

    def _await_answer(self, url: str, within_s: float) -> None:
        until = time.monotonic() + within_s
        while True:
            self.children.check()
            try:
                with urllib.request.urlopen(url, timeout=REPORT_S):  # noqa: S310 - our own page on 127.0.0.1
                    return
            except OSError as error:
                if time.monotonic() > until:
                    raise UnreachableError(f"{url} does not answer: {error}", hint="look into the logs") from error
            time.sleep(POLL_S)

    def _read_feed(self) -> None:
        more = True
        while more:
            before = self._seq
            for recorded in self._page.events_after(self._seq):
                body = recorded.event.body
                if isinstance(body, Inspection):
                    if not self._verdicts:
                        self._first_verdict_s = self._stages.elapsed_s
                    self._verdicts[body.verdict] += 1
                elif isinstance(body, Alarm):
                    self._alarms += body.state == "raised"
                elif isinstance(body, Disposition):
                    self._reviews += 1
                self._seq = recorded.seq
            more = self._seq > before


def _python(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _package_folder(package: str) -> Path:
    spec = find_spec(package)  # finds a top-level package without importing it
    if spec is None or spec.origin is None:
        raise ConfigError(f"the package {package} is not installed", hint="install lineproof again")
    return Path(spec.origin).parent


def _need_extras() -> None:
    missing = [extra for module, extra in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(
            "the demo teaches and measures, and that needs extras that are not installed",
            field="extras",
            value=missing,
            hint='pip install "lineproof[demo,roi,train]"',
        )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(summary: DemoSummary, stages: Stages) -> None:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(summary.verdicts.items()))
    stages.say(f"first live verdict after {summary.first_verdict_s:.1f} s")
    stages.say(f"verdicts: {verdicts}; alarms raised: {summary.alarms}; reviews: {summary.reviews}")
    if summary.report is not None:
        report = summary.report
        realized, projected = Decimal(report.realized_benefit), Decimal(report.projected_benefit)
        stages.say(
            f"report over a simulated year: at least {realized:,.0f} {report.currency} realized (lower end of the 90 % "
            f"interval) of {projected:,.0f} projected"
        )
        stages.say(f"proven: {', '.join(report.proven) or 'nothing'}")
        missing = ", ".join(f"{line} ({reason.replace('_', ' ')})" for line, reason in report.not_proven.items())
        stages.say(f"not proven, counted as nothing: {missing or 'nothing'}")
        stages.say(HONEST)
    stages.say(f"everything is kept in {summary.data_dir} until the next demo: report.html, case.yaml, lineproof.toml")
