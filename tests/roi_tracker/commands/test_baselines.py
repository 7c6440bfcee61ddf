"""Freezing, signing adjustments and checking a pilot as people do it, on a store of half a year before and after."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import roi_tracker
from roi_tracker.__main__ import app
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, as_before
from roi_tracker.business_case import parse_case
from roi_tracker.commands.case_file import load_case
from roi_tracker.errors import StoreError, TrackerError
from roi_tracker.observations.facts import AuditFact, Fact, ModeFact, ProductionFact
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.piloting import Piloting
from roi_tracker.programme import Programme
from roi_tracker.proof.proving import Realized, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.observations.rows import Observations

EXAMPLE = Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
PILOT = """
pilot:
  weeks: 8
  start_when: [baseline_frozen, effect_detectable, audits_sufficient, unit_values_locked, feed_complete]
  max_overkill_ratio: 0.01
  max_escape_ratio: 0.01
  max_bypass_ratio: 0.1
"""
_UTC_HOUR = {"day": -3, "evening": 5, "night": 13}
"""Hour of the UTC day at which Seoul's shifts begin."""


def facts(observations: Observations) -> Iterator[Fact]:
    yield ModeFact(
        key="m0", line="press-1", at=datetime(2024, 12, 31, tzinfo=UTC), origin="simulated", station="c", mode="off"
    )
    yield ModeFact(
        key="m1", line="press-1", at=datetime(2025, 7, 14, 21, tzinfo=UTC), origin="simulated", station="c", mode="live"
    )
    for number, row in enumerate(observations.products):
        midnight = datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC)
        at = midnight + timedelta(hours=_UTC_HOUR[row.shift])
        yield ProductionFact(
            key=f"p{number}",
            line=row.line,
            at=at,
            origin=row.origin,
            end=at + timedelta(hours=8),
            product=row.product,
            shift=row.shift,
            produced=row.produced or 0,
            inspected=row.inspected,
            rejected=row.rejected,
            planned_busy_s=28_800.0,
        )
        for audit in row.audits:
            yield AuditFact(
                key=f"a{number}{audit.stratum}",
                line=row.line,
                at=at + timedelta(hours=7),
                origin=row.origin,
                product=row.product,
                shift=row.shift,
                inspector=audit.inspector,
                stratum=audit.stratum,
                audited=audit.audited,
                defects_found=audit.defects_found,
            )


def only_defects(text: str) -> str:
    """The example's first benefit line alone, read on the pilot's last day."""
    head, rest = text.split("  - id: less-downtime")
    tail = "costs_actual:" + rest.split("costs_actual:")[1]
    return head + "    measurement: {closing_dates: [2025-09-08]}\n\n" + tail + PILOT


@pytest.fixture(scope="module")
def case_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("case") / "case.yaml"
    path.write_text(only_defects(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, simulate: Any, truth: Any) -> Path:
    path = tmp_path_factory.mktemp("store") / "roi.sqlite"
    store = SqliteStore(path)
    store.add_facts(facts(simulate(truth(defect_factor=0.7, seed=5)).observations), source="year")
    store.close()
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copy(filled, tmp_path / "roi.sqlite"))


def run(case: Path, store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--case", str(case), "--store", str(store)])


def done(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    return result.stdout


def refused(result: Result) -> TrackerError:
    assert isinstance(result.exception, TrackerError), result.output
    return result.exception


def plan(case_file: Path) -> BusinessCase:
    return parse_case(case_file.read_text(encoding="utf-8"), "yaml")


def test_freezing_once_and_again(case_file: Path, store: Path) -> None:
    dry = json.loads(done(run(case_file, store, "baseline", "freeze", "--dry-run", "--json")))
    assert [one["benefit_id"] for one in dry] == ["fewer-defects"]
    assert done(run(case_file, store, "baseline", "show"), code=1) == ""
    frozen = json.loads(done(run(case_file, store, "baseline", "freeze", "--json")))
    assert [one["sha256"] for one in frozen] == [dry[0]["sha256"]]
    assert json.loads(done(run(case_file, store, "baseline", "freeze", "--json"))) == []
    assert "0 would be frozen" in done(run(case_file, store, "baseline", "freeze", "--dry-run"))
    shown = done(run(case_file, store, "baseline", "show"))
    assert dry[0]["sha256"] in shown
    assert "dropped: line, season" in shown


def test_freezing_and_the_ledger_speak_korean_too(case_file: Path, store: Path) -> None:
    assert "동결 예정" in done(run(case_file, store, "baseline", "freeze", "--dry-run", "--lang", "ko"))
    frozen = done(run(case_file, store, "baseline", "freeze", "--lang", "ko"))
    assert "동결됨" in frozen
    assert "제외: 라인, 계절" in frozen
    assert "새로 동결 1개, 모두 1개" in frozen
    assert "2025-01-01~2025-06-30" in done(run(case_file, store, "baseline", "show", "--lang", "ko"))
    registered = run(case_file, store, "ledger", "register", "--author", "controller", "--lang", "ko")
    assert "작성 controller" in registered.stdout
    assert "늦음: fewer-defects의 마감일 2025-09-08" in registered.stdout
    for command, said in (("show", "defect당"), ("verify", "사슬이 이어져 있습니다")):
        shown = CliRunner().invoke(app, ["ledger", command, "--store", str(store), "--lang", "ko"])
        assert said in shown.stdout, shown.stdout
    assert "손실 0건" in done(run(case_file, store, "ledger", "losses", "--lang", "ko"))


def test_a_baseline_frozen_by_an_older_version_still_holds(case_file: Path, store: Path) -> None:
    """Its hash is of whole rows; it is no other baseline, so nothing new is frozen and nothing has changed."""
    plan, opened = load_case(case_file), SqliteStore(store)
    programme = Programme(plan, opened)
    (fitted,) = (one for one in programme.fit() if isinstance(one, FittedBaseline))
    scope = scope_of(plan.benefits[0], ShiftCalendar(plan.plant))
    older = as_before(fitted, programme.observations(), scope, plan.periods.baseline)
    assert older.sha256 != fitted.sha256
    opened.freeze(
        FrozenBaseline(older, older.sha256, datetime(2025, 7, 2, tzinfo=UTC)), datetime(2025, 7, 2, tzinfo=UTC)
    )
    assert programme.unfrozen() == ()
    (proof,) = programme.measure()
    assert isinstance(proof, Realized)
    assert proof.basis.baseline_sha256 == older.sha256
    (standing,) = Piloting(plan, programme.observations(), programme.baselines()).report(date(2025, 7, 1)).lines
    assert standing.frozen_sha256 == standing.current_sha256 == older.sha256
    opened.close()


def test_after_go_live_another_baseline_needs_a_reason(case_file: Path, store: Path, tmp_path: Path) -> None:
    opened = SqliteStore(store)
    first = plan(case_file)
    Programme(first, opened).freeze(datetime(2025, 7, 2, tzinfo=UTC))
    line = first.benefits[0]
    covered = line.measurement.model_copy(update={"bottleneck": True})
    other = first.model_copy(update={"benefits": (line.model_copy(update={"measurement": covered}),)})
    early = Programme(other, opened).freeze(datetime(2025, 7, 14, 14, 59, tzinfo=UTC))  # 23:59 in Seoul
    assert [one.reason for one in early] == [""]
    with pytest.raises(StoreError, match="after go-live the baseline of fewer-defects is frozen already"):
        Programme(first.model_copy(update={"benefits": (_dearer(line),)}), opened).freeze(
            datetime(2025, 7, 14, 15, tzinfo=UTC)
        )
    assert len(Programme(first, opened).baselines()) == 2
    opened.close()
    text = case_file.read_text(encoding="utf-8").replace("amount: 1500", "amount: 1600")
    changed = tmp_path / "dearer.yaml"
    changed.write_text(text, encoding="utf-8")
    assert "freeze anew with --replace" in str(refused(run(changed, store, "baseline", "freeze")))
    done(run(changed, store, "baseline", "freeze", "--replace", "the cost sheet had a misprint"))
    assert "replaced another after go-live: the cost sheet had a misprint" in done(
        run(changed, store, "baseline", "show")
    )


def _dearer(line: Any) -> Any:
    value = line.unit_value.model_copy(update={"amount": 2 * line.unit_value.amount})
    return line.model_copy(update={"stated_unit_value": value})


ADJUST = (
    "baseline",
    "adjust",
    "--benefit",
    "fewer-defects",
    "--event",
    "die 4 replaced",
    "--from",
    "2025-08-01",
    "--to",
    "2025-08-31",
    "--reason",
    "the new die scraps less",
    "--evidence",
    "trial.pdf",
    "--author",
    "engineer",
    "--approver",
    "controller",
    "--json",
)


def test_a_signed_adjustment_stands_on_its_own_line(case_file: Path, store: Path) -> None:
    done(run(case_file, store, "baseline", "freeze"))
    before = json.loads(done(run(case_file, store, "baseline", "show", "--json")))
    tried = json.loads(done(run(case_file, store, *ADJUST, "--factor", "0.9", "--dry-run")))
    assert not tried["signed"]
    assert tried["adjusted"][0]["lines"][0]["units"] < 0
    signed = json.loads(done(run(case_file, store, *ADJUST, "--factor", "0.9")))
    moved = json.loads(done(run(case_file, store, *ADJUST, "--quantity", "-12.5")))
    (found,) = moved["adjusted"]
    assert [line["adjustment"]["entry_sha256"] for line in found["lines"]] == [
        signed["entry"]["sha256"],
        moved["entry"]["sha256"],
    ]
    units = [line["units"] for line in found["lines"]]
    assert units[1] == -12.5
    assert found["expected_after"] == pytest.approx(found["expected_before"] + sum(units))
    assert json.loads(done(run(case_file, store, "baseline", "show", "--json"))) == before
    assert moved["entry"]["previous"] == signed["entry"]["sha256"]
    assert "the same adjustment is signed already" in str(refused(run(case_file, store, *ADJUST, "--factor", "0.9")))


def test_what_is_no_adjustment_is_refused_with_its_fix(case_file: Path, store: Path) -> None:
    assert "its baseline is not frozen" in str(refused(run(case_file, store, *ADJUST, "--factor", "0.9")))
    done(run(case_file, store, "baseline", "freeze"))

    def why(*extra: str) -> str:
        return str(refused(run(case_file, store, *ADJUST, *extra)))

    assert "it changes nothing" in why()
    assert "'much' is no number" in why("--factor", "much")
    assert "no such benefit line" in why("--factor", "0.9", "--benefit", "typo")
    assert "an adjustment without an event" in why("--factor", "0.9", "--event", " ")
    assert "it ends before go-live" in why("--factor", "0.9", "--from", "2025-06-01", "--to", "2025-06-30")
    assert "somebody else than its author" in why("--factor", "0.9", "--approver", "Engineer")
    assert "a quantity or a factor, not both" in why("--factor", "0.9", "--quantity", "1")
    assert json.loads(done(CliRunner().invoke(app, ["ledger", "show", "--json", "--store", str(store)]), code=1)) == []


def test_power_and_pilot(case_file: Path, store: Path) -> None:
    power = json.loads(done(run(case_file, store, "baseline", "power", "--json")))
    assert power[0]["pilot"]["weeks"] == 8
    assert power[0]["pilot"]["closing"] < power[0]["pilot"]["projected"]
    done(run(case_file, store, "baseline", "power", "--weeks", "2", "--audits-per-week", "2"), code=1)
    waiting = done(run(case_file, store, "pilot", "check", "--as-of", "2025-07-15", "--lang", "en"), code=1)
    assert waiting.startswith("DO NOT START YET")
    assert "not frozen: fewer-defects; changed since: none; disqualified: none" in waiting
    done(run(case_file, store, "baseline", "freeze"))
    assert done(run(case_file, store, "pilot", "check", "--as-of", "2025-07-15", "--lang", "ko")).startswith("시작: ")
    planned = json.loads(done(run(case_file, store, "pilot", "plan", "--as-of", "2025-07-15", "--json")))
    assert (planned["answer"], planned["first"], planned["last"]) == ("start", "2025-07-15", "2025-09-08")
    going = json.loads(done(run(case_file, store, "pilot", "check", "--as-of", "2025-08-20", "--json")))
    assert (going["answer"], going["phase"]) == ("continue", "running")
    assert {one["criterion"]: one["state"] for one in going["stop"]}["max_bypass_ratio"] == "met"


def test_a_broken_limit_stops(case_file: Path, store: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict.yaml"
    text = case_file.read_text(encoding="utf-8").replace("max_overkill_ratio: 0.01", "max_overkill_ratio: 0.001")
    strict.write_text(text, encoding="utf-8")
    told = done(run(strict, store, "pilot", "check", "--as-of", "2025-08-20", "--lang", "en"), code=1)
    assert told.startswith("STOP")


def test_fit_says_what_fails_and_how_to_mend_it(case_file: Path, tmp_path: Path, filled: Path) -> None:
    early = tmp_path / "early.yaml"
    text = case_file.read_text(encoding="utf-8").replace(
        "baseline: {first: 2025-01-01, last: 2025-06-30}", "baseline: {first: 2024-12-01, last: 2025-06-30}"
    )
    early.write_text(text, encoding="utf-8")
    told = done(run(early, filled, "baseline", "fit", "--lang", "en"), code=1)
    assert "✕ fail Valid days: only 85 % of working days are valid (needed 90 %). Import the missing days" in told
    assert "dropped, because the baseline cannot tell it apart: line, season" in told
    assert "실격" in done(run(early, filled, "baseline", "fit", "--lang", "ko"), code=1)
