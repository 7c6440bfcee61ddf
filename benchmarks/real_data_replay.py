"""What does the running agent make of real data that it takes in as a plant's: images by folder, sensors by broker?

Teaches models on the anomaly-free part of three public data sets with `edge-model`, starts a broker and `edge-agent
run`, feeds the rest in with `edge-agent replay`, and judges only what comes out at `GET /api/events`.

    python -m benchmarks.real_data_replay [--data DIR] [--json] [--keep DIR] [--only images|readings]

Images: AUROC of the scores in the verdict events, joined to the labels by part, beside the plain reference of each set
(elpv_mono 0.96; magnetic_tile, split by tile, 0.84). Sensors: SKAB valve1, two models, thresholds from anomaly-free
rows only: `elsewhere` is taught on the anomaly-free recording of another day, `own` on rows 0 to 400 of each run
(before its first anomaly), and judged on the rows after them. An event is found only when an alarm is raised inside
it; an alarm raised outside every event is false; nothing is point-adjusted.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import results
from benchmarks.running_agent import ROOT, Children, Feed, command
from edge_agent.adapters.replay_source import images_below
from edge_agent.events import Alarm, Health, Inspection
from models.evaluation import bootstrap_auroc

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE = "real"
IMAGE_SETS = {"elpv_mono": 0.96, "magnetic_tile": 0.84}
VARIANTS = ("elsewhere", "own")
TAUGHT_ROWS = 400  # published practice on SKAB; the first anomaly of every run is later
UNITS = {
    "Accelerometer1RMS": "m/s2",
    "Accelerometer2RMS": "m/s2",
    "Current": "A",
    "Pressure": "bar",
    "Temperature": "Cel",
    "Thermocouple": "Cel",
    "Voltage": "V",
    "Volume Flow RateRMS": "L/min",
}
ALARM_DELAY_S = 30.0


@dataclass(frozen=True)
class ImageFigures:
    """One image set through the agent."""

    data_set: str
    images: int
    auroc: float
    low: float
    high: float
    reference: float
    overkill: float
    escape: float
    review: float
    no_verdict: int
    infer_ms_p50: float
    images_per_s: float
    teach_s: float


@dataclass(frozen=True)
class AlarmFigures:
    """SKAB valve1 through the agent with one model.

    `healthy_in_alarm` is the share of healthy time with the alarm on: one alarm that never ends is one false alarm, and
    worthless all the same.
    """

    model: str
    events: int
    found: int
    false_alarms: int
    healthy_in_alarm: float
    healthy_hours: float
    delay_s_median: float | None
    rows: int
    rows_per_s: float
    teach_s: float


def configuration(work: Path, port: int, sets: Sequence[str], variants: Sequence[str]) -> str:
    """The agent's settings, as a factory engineer would write them."""
    channels = ", ".join(f'"{name}" = "{unit}"' for name, unit in UNITS.items())
    parts = [
        f'[agent]\nname = "real-data"\ndata_dir = "{work}/data"\nlanguage = "en"\nlog_level = "warning"\n',
        f"[broker]\nport = {port}\n",
        "[mqtt]\nmax_clock_skew_s = 3155760000\n",  # the recordings are from 2020
        *(
            f'[[mqtt.readings]]\nfilter = "skab/{variant}"\nline = "{LINE}"\nasset = "{variant}"\n'
            f"channels = {{ {channels} }}\n"
            f'[[assets]]\nname = "{variant}"\nline = "{LINE}"\nmodel = "{work}/models/{variant}"\n'
            f"stale_after_s = 10.0\n"
            f'[[alarms]]\nname = "{variant}"\nline = "{LINE}"\nasset = "{variant}"\nsignal = "health.statistic"\n'
            f"above = 1.0\non_delay_s = {ALARM_DELAY_S}\noff_delay_s = {ALARM_DELAY_S}\n"
            f'action = "Look at the valve."\n'
            for variant in variants
        ),
        *(
            f'[[stations]]\nname = "{name}"\nline = "{LINE}"\nmodel = "{work}/models/{name}"\n'
            f'folder = {{ path = "{work}/watched/{name}", poll_ms = 100, settle_ms = 0 }}\n'
            for name in sets
        ),
        "[status]\nport = 0\n",
    ]
    return "\n".join(parts)


def teach(work: Path, data: Path, sets: Sequence[str], variants: Sequence[str]) -> dict[str, float]:
    """Teach every model on anomaly-free data; returns seconds by model."""
    seconds: dict[str, float] = {}
    for name in sets:
        out = str(work / "models" / name)
        good = str(data / name / "train" / "good")
        _, seconds[name] = command("models", "teach", "images", "--good", good, "--out", out)
    for variant in variants:
        out = str(work / "models" / variant)
        if variant == "own":
            given = [argument for path in runs(data) for argument in ("--readings", str(path))]
            given += ["--rows", f"0:{TAUGHT_ROWS}", "--ignore", "anomaly", "--ignore", "changepoint"]
        else:
            given = ["--readings", str(data / "skab" / "anomaly-free" / "anomaly-free.csv")]
        _, seconds[variant] = command("models", "teach", "health", *given, "--out", out)
    return seconds


def runs(data: Path) -> list[Path]:
    """The SKAB runs, in the order of their names' numbers, which is that of their times."""
    return sorted((data / "skab" / "valve1").glob("*.csv"), key=lambda path: int(path.stem))


def judge_images(work: Path, data: Path, name: str, feed: Feed, teach_s: float) -> ImageFigures:
    """Feed one set's test images in and judge the verdicts that come out."""
    test = data / name / "test"
    defective = {Path(given).stem: path.parent.name != "good" for path, given in images_below(test).items()}
    began_s = time.monotonic()
    config = str(work / "lineproof.toml")
    command("edge_agent", "replay", "--config", config, "--images", str(test), "--station", name, "--rate", "max")

    def verdicts() -> dict[str, Inspection]:
        return {body.part_id: body for _, body in feed.bodies(Inspection) if body.station == name}

    feed.wait(lambda: len(verdicts()) >= len(defective), f"verdicts of {name}")
    seconds = time.monotonic() - began_s
    judged = verdicts()
    if judged.keys() != defective.keys():
        sys.exit(f"{name}: verdicts and images do not match")
    good = np.array([b.score for part, b in judged.items() if not defective[part] and b.score is not None])
    bad = np.array([b.score for part, b in judged.items() if defective[part] and b.score is not None])
    area = bootstrap_auroc(good, bad)

    def share(verdict: str, *, of: bool | None) -> float:
        of_these = [body.verdict for part, body in judged.items() if of is None or defective[part] == of]
        return of_these.count(verdict) / len(of_these)  # type: ignore[arg-type] # any text is a question

    return ImageFigures(
        data_set=name,
        images=len(judged),
        auroc=area.value,
        low=area.low,
        high=area.high,
        reference=IMAGE_SETS[name],
        overkill=share("FAIL", of=False),
        escape=share("PASS", of=True),
        review=share("REVIEW", of=None),
        no_verdict=sum(body.verdict == "NO_VERDICT" for body in judged.values()),
        infer_ms_p50=float(np.median([b.latency_ms.infer for b in judged.values() if b.latency_ms is not None])),
        images_per_s=len(judged) / seconds,
        teach_s=teach_s,
    )


@dataclass(frozen=True)
class Truth:
    """What is known of the runs: labelled stretches, the times that are judged, and the healthy seconds in them; how
    many rows there are, and readings with a time of their own.
    """

    events: list[tuple[datetime, datetime]]
    judged_from: list[tuple[datetime, datetime]]
    healthy: list[datetime]
    rows: int
    readings: int
    last: datetime


def truth_of(data: Path, skip_rows: int) -> Truth:
    """Labelled stretches of all runs, and the times that are judged: all but the first `skip_rows` rows of each."""
    events: list[tuple[datetime, datetime]] = []
    judged: list[tuple[datetime, datetime]] = []
    healthy: list[datetime] = []
    rows = 0
    times: set[datetime] = set()
    last = datetime.min.replace(tzinfo=UTC)
    for path in runs(data):
        with path.open(newline="") as lines:
            table = [
                (datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC), float(row["anomaly"]) > 0)
                for row in csv.DictReader(lines, delimiter=";")
            ]
        if any(abnormal for _, abnormal in table[:TAUGHT_ROWS]):
            sys.exit(f"{path.name} has an anomaly within its first {TAUGHT_ROWS} rows")
        start: datetime | None = None
        for at, abnormal in table:
            if abnormal and start is None:
                start = at
            elif not abnormal and start is not None:
                events.append((start, at))
                start = None
        if start is not None:
            events.append((start, table[-1][0]))
        judged.append((table[skip_rows][0], table[-1][0] + timedelta(seconds=1)))
        healthy += [at for at, abnormal in table[skip_rows:] if not abnormal]
        rows += len(table)
        times.update(at for at, _ in table)
        last = max(last, table[-1][0])
    return Truth(events, judged, healthy, rows, len(times) * len(UNITS), last)


def judge_alarms(work: Path, data: Path, variant: str, feed: Feed, teach_s: float) -> AlarmFigures:
    """Feed all valve1 runs in and judge the alarms that come out."""
    truth = truth_of(data, TAUGHT_ROWS if variant == "own" else 0)
    # a configuration with this asset's topic alone, so that the rows go to it
    config = work / f"replay-{variant}.toml"
    stored = feed.metric("lineproof_store_readings")
    began_s = time.monotonic()
    given = [argument for path in runs(data) for argument in ("--readings", str(path))]
    done, _ = command(
        "edge_agent", "replay", "--config", str(config), *given, "--rate", "max", "--restamp", "keep"
    )  # fmt: skip
    if done["acknowledged"] != truth.rows:
        sys.exit(f"{variant}: {done['acknowledged']} of {truth.rows} rows were acknowledged")

    def assessed() -> datetime | None:
        return max((at for at, body in feed.bodies(Health) if body.asset == variant), default=None)

    # health is recorded once a minute, so the last minute's event is the end
    # an alarm is committed with the reading that raises it: once all readings are stored, all alarms are in the feed
    feed.wait(lambda: feed.metric("lineproof_store_readings") >= stored + truth.readings, f"readings of {variant}")
    feed.wait(lambda: (assessed() or truth.events[0][0]) >= truth.last - timedelta(seconds=61), f"health of {variant}")
    feed.read()
    seconds = time.monotonic() - began_s
    changes = [(at, body.state == "raised") for at, body in feed.bodies(Alarm) if body.alarm == variant]
    ends = [*(at for at, _ in changes[1:]), truth.last + timedelta(seconds=1)]
    alarmed = [(at, end) for (at, on), end in zip(changes, ends, strict=False) if on]
    raised = [at for at, _ in alarmed if any(start <= at < end for start, end in truth.judged_from)]
    hits = [[at for at in raised if start <= at < end] for start, end in truth.events]
    delays = [
        (inside[0] - start).total_seconds() for (start, _), inside in zip(truth.events, hits, strict=True) if inside
    ]
    return AlarmFigures(
        model=variant,
        events=len(truth.events),
        found=sum(bool(inside) for inside in hits),
        false_alarms=len(raised) - sum(len(inside) for inside in hits),
        healthy_in_alarm=sum(any(on <= at < off for on, off in alarmed) for at in truth.healthy) / len(truth.healthy),
        healthy_hours=len(truth.healthy) / 3_600,
        delay_s_median=float(np.median(delays)) if delays else None,
        rows=truth.rows,
        rows_per_s=truth.rows / seconds,
        teach_s=teach_s,
    )


def measure(work: Path, data: Path, only: str | None) -> tuple[list[ImageFigures], list[AlarmFigures]]:
    """Teach, start broker and agent, feed everything in, judge what comes out."""
    sets = () if only == "readings" else tuple(IMAGE_SETS)
    variants = () if only == "images" else VARIANTS
    (work / "logs").mkdir(parents=True, exist_ok=True)
    tell(f"teaching {', '.join([*sets, *variants])} ...")
    seconds = teach(work, data, sets, variants)
    children = Children(work / "logs")
    try:
        ready = children.start(
            "broker", "edge_agent.adapters.embedded_broker", "--port", "0", "--data-dir", str(work / "broker")
        )
        config = work / "lineproof.toml"
        config.write_text(configuration(work, ready["port"], sets, variants))
        for variant in variants:
            (work / f"replay-{variant}.toml").write_text(configuration(work, ready["port"], (), (variant,)))
        page = children.start("agent", "edge_agent", "run", "--config", str(config), "--json")["page"]
        feed = Feed(page)
        images: list[ImageFigures] = []
        alarms: list[AlarmFigures] = []
        for name in sets:
            tell(f"replaying {name} ...")
            images.append(judge_images(work, data, name, feed, seconds[name]))
        for variant in variants:
            tell(f"replaying SKAB valve1 to the model {variant!r} ...")
            alarms.append(judge_alarms(work, data, variant, feed, seconds[variant]))
    finally:
        children.stop()
    return images, alarms


def tell(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def table(images: list[ImageFigures], alarms: list[AlarmFigures]) -> None:
    """The figures, for people."""
    if images:
        print(f"{'images':14} {'n':>4} {'AUROC [95 %]':>22} {'ref.':>5} {'overkill':>8} {'escape':>7} {'review':>7} "
              f"{'none':>4} {'infer ms':>8} {'img/s':>6} {'teach s':>7}")  # fmt: skip
    for f in images:
        print(f"{f.data_set:14} {f.images:4} {f.auroc:8.3f} [{f.low:.3f}, {f.high:.3f}] {f.reference:5.2f} "
              f"{f.overkill:8.1%} {f.escape:7.1%} {f.review:7.1%} {f.no_verdict:4} {f.infer_ms_p50:8.1f} "
              f"{f.images_per_s:6.1f} {f.teach_s:7.1f}")  # fmt: skip
    if alarms:
        heads = ("SKAB valve1", "events", "found", "false", "in alarm", "healthy h", "delay s", "rows/s", "teach s")
        print(f"{heads[0]:14}", *(f"{head:>9}" for head in heads[1:]))
    for a in alarms:
        delay = "-" if a.delay_s_median is None else f"{a.delay_s_median:.0f}"
        cells = (
            str(a.events),
            str(a.found),
            str(a.false_alarms),
            f"{a.healthy_in_alarm:.1%}",
            f"{a.healthy_hours:.2f}",
        )
        print(f"{a.model:14}", *(f"{cell:>9}" for cell in (*cells, delay, f"{a.rows_per_s:.0f}", f"{a.teach_s:.1f}")))


def outcomes(images: list[ImageFigures], alarms: list[AlarmFigures]) -> list[results.Outcome]:
    """What was measured, for the summary."""
    return [
        *(
            results.Outcome(
                f"real_data_replay.auroc[{f.data_set}]",
                f"AUROC of the running agent's verdicts on {f.data_set}, to its plain reference's {f.reference:g}",
                [f.auroc / f.reference],
                better="more",
            )
            for f in images
        ),
        *(
            results.Outcome(
                f"real_data_replay.found[{a.model}]",
                f"share of {a.events} labelled events of SKAB valve1 found, with {a.false_alarms} false alarms",
                [a.found / a.events],
                better="more",
            )
            for a in alarms
        ),
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the data sets")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    parser.add_argument("--only", choices=["images", "readings"])
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    results.add_option(parser)
    given = parser.parse_args()
    needed = [given.data / name for name in (*IMAGE_SETS, "skab")]
    missing = [str(folder) for folder in needed if not folder.is_dir()]
    if missing:
        sys.stderr.write(f"these data sets are not there: {', '.join(Path(name).name for name in missing)}\n")
        sys.exit(results.CANNOT_RUN)
    with tempfile.TemporaryDirectory(prefix="lineproof-replay-") as folder:
        work = given.keep.absolute() if given.keep is not None else Path(folder)
        images, alarms = measure(work, given.data.absolute(), given.only)
    results.write(given.outcomes, outcomes(images, alarms))
    if given.json:
        print(json.dumps({"images": [asdict(f) for f in images], "readings": [asdict(f) for f in alarms]}))
    else:
        table(images, alarms)


if __name__ == "__main__":
    main()
