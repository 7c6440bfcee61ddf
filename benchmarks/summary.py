"""What a run of all benchmarks found, as a table, a dated page and a JSON document, beside what machine it was."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.results import Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["kept", "missed", "told", "not run", "failed"]

PACKAGES = ("lineproof", "numpy", "onnxruntime", "opencv-python-headless", "paho-mqtt", "msgspec", "apsw", "scipy")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured; no name and no path, so that the page can be published.

    Attributes:
        cpu, cores: processor, and how many of its cores we may use.
        memory_gib: of the machine.
        system: kernel and Python.
        packages: versions of what does the work.
        load: load average of the minute before the first benchmark; far from 0, the machine was busy.
    """

    cpu: str
    cores: int
    memory_gib: float
    system: str
    packages: dict[str, str]
    load: float


@dataclass(frozen=True, slots=True)
class Ran:
    """One benchmark's run.

    Attributes:
        name: of the benchmark.
        question: what it asks.
        seconds: how long it took.
        outcomes: what it measured.
        problem: why it has no outcomes, or failed besides; empty when all is well.
        needed: True when it could not run for want of something, which is no failure.
    """

    name: str
    question: str
    seconds: float
    outcomes: Sequence[Outcome] = ()
    problem: str = ""
    needed: bool = False

    @property
    def state(self) -> State:
        """In one word."""
        if self.needed:
            return "not run"
        if self.problem:
            return "failed"
        judged = [outcome.held for outcome in self.outcomes if outcome.held is not None]
        if not judged:
            return "told"
        return "kept" if all(judged) else "missed"


@dataclass(frozen=True, slots=True)
class Summary:
    """All benchmarks of one day.

    Attributes:
        date: ISO 8601, of its end.
        quick: True when samples were few and sizes small: a look at the direction.
    """

    date: str
    quick: bool
    machine: Machine
    ran: Sequence[Ran]

    @property
    def good(self) -> bool:
        """True when nothing was missed and nothing failed."""
        return not any(each.state in {"missed", "failed"} for each in self.ran)

    def find(self, name: str) -> Outcome | None:
        """An outcome by its name."""
        return next((each for ran in self.ran for each in ran.outcomes if each.name == name), None)


def this_machine() -> Machine:
    """The machine that this process runs on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu_model(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages / 2**30, 1),
        system=f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}",
        packages={name: found for name in PACKAGES if (found := _version(name))},
        load=round(os.getloadavg()[0], 1),
    )


def _cpu_model(text: str) -> str:
    r"""The model's name out of /proc/cpuinfo, where the kernel gives one; arm64 gives none.

    >>> _cpu_model("processor : 0\nmodel name : Fast 9000\n"), _cpu_model("processor : 0\n")
    ('Fast 9000', 'unknown')
    """
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


# ---- how it looks -------------------------------------------------------------------------------------------------

COLUMNS = ("outcome", "median", "spread", "asked", "", "what")


def rows(summary: Summary) -> list[tuple[str, ...]]:
    """The table's rows: one an outcome, or one that says why there is none."""
    found: list[tuple[str, ...]] = []
    for ran in summary.ran:
        for outcome in ran.outcomes:
            word = {True: "kept", False: "MISSED", None: ""}[outcome.held]
            unit = f" {outcome.unit}" if outcome.unit else ""
            spread = f"{number(min(outcome.samples))} to {number(max(outcome.samples))}"
            found.append((outcome.name, number(outcome.median) + unit, spread, outcome.asked, word, outcome.sentence))
        if ran.problem or not ran.outcomes:
            word = "FAILED" if ran.state == "failed" else ran.state
            found.append((ran.name, "", "", "", word, ran.problem or ran.question))
    return found


def number(value: float) -> str:
    """A figure with about three digits that matter.

    >>> number(54321.0), number(3.14159), number(0.0271), number(123.4)
    ('54,321', '3.14', '0.0271', '123')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_text(summary: Summary) -> str:
    """The table for a terminal."""
    table = [COLUMNS, *rows(summary)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in table
    ]
    return "\n".join([*lines, _where(summary)]) + "\n"


def as_markdown(summary: Summary) -> str:
    """The dated page."""
    kind = "A quick run: few samples, small sizes." if summary.quick else "A full run."
    lines = [
        f"# Benchmarks of {summary.date}",
        "",
        (
            f"{kind} Each ratio is taken within one repetition, against a peer or a limit in the same run; its median"
            " decides."
        ),
        "",
        _where(summary),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *(
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
            for row in rows(summary)
        ),
    ]
    return "\n".join(lines) + "\n"


def _where(summary: Summary) -> str:
    machine = summary.machine
    versions = ", ".join(f"{name} {found}" for name, found in machine.packages.items())
    return (
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_gib:g} GiB, {machine.system}, load {machine.load:g}"
        f" before; {versions}."
    )


# ---- on disk ------------------------------------------------------------------------------------------------------


def write_summary(summary: Summary, folder: Path) -> Path:
    """Write the dated page and the document beside it; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{summary.date}.json").write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")
    page = folder / f"{summary.date}.md"
    page.write_text(as_markdown(summary), encoding="utf-8")
    return page


def read_summary(path: Path) -> Summary:
    """Read a document that `write_summary` wrote."""
    given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    ran = [Ran(**{**each, "outcomes": tuple(map(outcome_of, each["outcomes"]))}) for each in given["ran"]]
    return Summary(given["date"], given["quick"], Machine(**given["machine"]), tuple(ran))


def newest(folder: Path) -> Path:
    """The newest document of a folder.

    Raises:
        FileNotFoundError: there is none.
    """
    found = sorted(folder.glob("????-??-??.json"))
    if not found:
        message = f"no summary in {folder}: run `make bench`"
        raise FileNotFoundError(message)
    return found[-1]
