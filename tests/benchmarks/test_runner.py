"""The runner of all benchmarks: one table, a dated summary, exit 1 only after all have run."""

from __future__ import annotations

import ast
import json
import textwrap
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
from benchmarks.__main__ import BENCHMARKS, ROOT, Benchmark, main
from benchmarks.carries import BEGIN, END, PAGES, RESULTS, Language, page, sentences
from benchmarks.results import Outcome, read, write
from benchmarks.summary import Machine, Ran, Summary, as_markdown, as_text, newest, read_summary, rows, write_summary

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = Machine("Fast 9000", 4, 16.0, "Linux 6, Python 3.11", {"numpy": "2.4.0"}, 0.1)

FAKE = """
    import argparse, sys
    from benchmarks import results
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    results.add_option(parser)
    given = parser.parse_args()
    samples = [0.5] * given.runs
    results.write(given.outcomes, [results.Outcome("fake.ratio", "ours to theirs", samples, {limit}, "more")])
    {end}
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of benchmarks that children can import."""
    folder = tmp_path / "fake_benchmarks"
    folder.mkdir()
    for name, limit, end in (
        ("good", 0.4, ""),
        ("missed", 0.9, "sys.exit(1)"),
        ("broken", 0.4, "sys.exit('it broke')"),
        ("lacking", 0.4, "given.outcomes.unlink(); sys.stderr.write('needs a broker\\n'); sys.exit(3)"),
    ):
        (folder / f"{name}.py").write_text(textwrap.dedent(FAKE.format(limit=limit, end=end)))
    (folder / "empty.py").write_text('import sys; open(sys.argv[-1], \'w\').write(\'[{"name": "x", "samples": []}]\')')
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    return tmp_path


def fake(name: str) -> Benchmark:
    return Benchmark(f"fake_benchmarks.{name}", "Is it fast?", quick=("--runs", "1"))


def test_all_run_and_the_missed_one_decides_at_the_end(fakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = [fake("missed"), fake("good"), fake("lacking")]
    assert main(["--out", str(fakes / "out"), "--json"], order) == 1
    printed = json.loads(capsys.readouterr().out)
    summary = read_summary(newest(fakes / "out"))
    assert [ran.state for ran in summary.ran] == ["missed", "kept", "not run"]
    assert [ran["name"] for ran in printed["ran"]] == [each.name for each in order]
    assert summary.ran[2].problem == "needs a broker"
    assert summary.ran[1].outcomes[0].samples == (0.5, 0.5, 0.5)
    text = (fakes / "out" / f"{summary.date}.md").read_text()
    assert "MISSED" in text
    assert "needs a broker" in text


def test_what_cannot_run_fails_nothing_and_quick_is_quick(fakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--out", str(fakes / "out")], [fake("good"), fake("lacking")]) == 0
    summary = read_summary(newest(fakes / "out"))
    assert summary.quick
    assert summary.ran[0].outcomes[0].samples == (0.5,)
    assert "fake.ratio" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"), [("broken", "exit 1: it broke"), ("empty", "cannot be read"), ("absent", "No module")]
)
def test_a_failure_is_told_and_counts(fakes: Path, name: str, said: str) -> None:
    assert main(["--out", str(fakes / "out")], [fake(name), fake("good")]) == 1
    failed, kept = read_summary(newest(fakes / "out")).ran
    assert (failed.state, kept.state) == ("failed", "kept")
    assert said in failed.problem


def test_a_part_of_the_benchmarks_writes_no_summary(fakes: Path) -> None:
    good = fake("good")
    assert main(["--only", good.name, "--out", str(fakes / "out")], [good, fake("missed")]) == 0
    assert not (fakes / "out").exists()


def test_the_table_by_hand() -> None:
    ran = [
        Ran("a", "Fast?", 1.0, [Outcome("a.r", "ours", [1.0, 3.0, 2.0], 2.5, "less")]),
        Ran("b", "Big?", 1.0, [Outcome("b.r", "bytes", [4.0], unit="bytes")]),
        Ran("c", "Odd?", 1.0, problem="exit 2: no"),
    ]
    summary = Summary("2026-01-02", quick=False, machine=MACHINE, ran=ran)
    assert rows(summary) == [
        ("a.r", "2", "1 to 3", "at most 2.5", "kept", "ours"),
        ("b.r", "4 bytes", "4 to 4", "", "", "bytes"),
        ("c", "", "", "", "FAILED", "exit 2: no"),
    ]
    assert not summary.good
    assert "Fast 9000, 4 cores" in as_text(summary)
    assert as_markdown(summary).startswith("# Benchmarks of 2026-01-02\n")
    assert [each.state for each in ran] == ["kept", "told", "failed"]


def test_outcomes_and_summaries_come_back_as_they_were(tmp_path: Path) -> None:
    outcome = Outcome("a.r", "ours", (1.0, 2.0), 2.5, "more", "us")
    write(tmp_path / "o.json", [outcome])
    assert read(tmp_path / "o.json") == [outcome]
    assert outcome.held is False
    summary = Summary("2026-01-02", quick=True, machine=MACHINE, ran=(Ran("a", "Fast?", 1.0, (outcome,)),))
    write_summary(summary, tmp_path)
    assert read_summary(tmp_path / "2026-01-02.json") == summary


def test_every_benchmark_is_run_by_the_runner() -> None:
    """A file with a `main` of its own is a benchmark; the runner itself and the makers of pages are not."""
    others = {"benchmarks.__main__", "benchmarks.carries"}
    files = {f"benchmarks.{path.stem}": path for path in (ROOT / "benchmarks").glob("*.py")}
    with_main = {
        name
        for name, path in files.items()
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in ast.parse(path.read_text()).body)
    }
    assert with_main - others == {each.module for each in BENCHMARKS} - {"benchmarks.laboratory"}


# ---- what a machine carries ---------------------------------------------------------------------------------------


def carried(*outcomes: Outcome) -> Summary:
    return Summary("2026-01-02", quick=False, machine=MACHINE, ran=(Ran("a", "Fast?", 1.0, outcomes),))


def test_the_arithmetic_by_hand() -> None:
    text = sentences(
        carried(
            Outcome("ingest.messages", "", [40_000.0, 60_000.0, 50_000.0]),
            Outcome("ingest.cpu", "", [8.0]),
            Outcome("decision_latency.frame", "", [20.0]),
            Outcome("readings_store.bytes", "", [4.0]),
            Outcome("readings_store.rollup_bytes", "", [0.5]),
        ),
        "en",
    )
    assert "50,000 x 0.5 = 25,000 a second: 25,000 sensors at 1 Hz, or 2,500 at 10 Hz, or 250 at 100 Hz" in text
    assert "10,000 x 8 us = 8 % of a core" in text
    assert "0.5 x 1,000 / 20 = 25 a second; 4 cores carry 100 cameras at 1 picture" in text
    assert "31,536,000 x (4 + 0.5) bytes = 142 MB a year; 1,000 of them 142 GB" in text
    # 50 x 8 us + 2 x 20 ms = 40.4 ms; 4 x 0.5 x 1,000 / 40.4 = 49.5
    assert "takes at most 40.4 ms of a core a second" in text
    assert "4 cores, half of their time, carry 4 x 0.5 x 1,000 / 40.4 = 49 such lines" in text
    assert "Not measured" not in text


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_was_not_measured_is_said(language: Language) -> None:
    text = sentences(carried(Outcome("ingest.cpu", "", [8.0])), language)
    missing = {"en": "bytes a reading", "ko": "측정값당 바이트"}[language]
    assert missing in text.splitlines()[-1]
    assert "31,536,000" not in text


def test_a_page_keeps_what_people_wrote() -> None:
    assert page(f"head {BEGIN} old {END} tail", "new") == f"head {BEGIN}\n\nnew\n\n{END} tail"
    with pytest.raises(ValueError, match="needs"):
        page("no marks", "new")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_pages_say_what_the_newest_summary_says(language: Language) -> None:
    text = PAGES[language].read_text(encoding="utf-8")
    made = sentences(read_summary(newest(RESULTS)), language)
    assert page(text, made) == text, "write the pages anew: python -m benchmarks.carries"
