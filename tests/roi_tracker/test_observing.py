"""Deriving only what new facts touch gives what deriving everything gives, for any history in any order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.business_case import Plant
from roi_tracker.observations import facts as f
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.rows import Observations
from roi_tracker.observations.seals import StoreAlteredError
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observing import _refreshed, altered_days, derivation_name, observe, observe_as_of

if TYPE_CHECKING:
    from collections.abc import Callable

ZONES = ("Asia/Seoul", "Europe/Berlin", "America/New_York")
START = datetime(2025, 3, 20, tzinfo=UTC)


class Plantlife:
    """Facts of every kind at random, with references that may come before what they speak of, or never."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.keys = [f"k{number}" for number in range(rng.randint(3, 40))]

    def history(self) -> list[f.Fact]:
        return [self.fact(key) for key in self.keys]

    def fact(self, key: str) -> f.Fact:
        rng = self.rng
        at = START + timedelta(minutes=15 * rng.randint(0, 40 * 96))
        base: dict[str, Any] = {"key": key, "line": rng.choice("ab"), "at": at, "origin": "measured"}
        end = at + timedelta(hours=rng.choice([1, 8, 30, 24 * 12]))
        makers: list[Callable[[dict[str, Any], datetime], f.Fact]] = [
            self.counted, self.counted, self.inspected, self.inspected, self.said, self.said, self.stopped,
            self.stopped, self.revised, self.alarmed, self.measured, self.measured, self.seen,
        ]  # fmt: skip
        return rng.choice(makers)(base, end)

    def counted(self, base: dict[str, Any], end: datetime) -> f.Fact:
        made, shift = self.rng.randint(0, 9), self.rng.choice(["", "day", "night"])
        if self.rng.random() < 0.3:
            return f.AuditFact(
                **base, product="p", shift=shift, inspector="ai", stratum="PASS", audited=made, defects_found=1
            )
        if self.rng.random() < 0.1:
            return f.ChallengeFact(**base, product="p", inspector="ai", defective=9, caught=8, good=5, rejected=1)
        if self.rng.random() < 0.1:
            return f.EscapeFact(**base, product="q", count=made)
        return f.ProductionFact(
            **base, end=end, product=self.rng.choice("pq"), shift=shift, produced=made, inspected=made, rejected=1,
            planned_busy_s=3600.0 * made,
        )  # fmt: skip

    def inspected(self, base: dict[str, Any], _end: datetime) -> f.Fact:
        verdict: Any = self.rng.choice(["PASS", "FAIL", "REVIEW", "NO_VERDICT"])
        mode: Any = self.rng.choice(["off", "shadow", "live", "live"])
        return f.InspectedPart(**base, product="p", verdict=verdict, mode=mode)

    def said(self, base: dict[str, Any], _end: datetime) -> f.Fact:
        about, blind = self.rng.choice(self.keys), self.rng.random() < 0.5
        stratum: Any = self.rng.choice(["review", "audit_pass", "audit_fail"])
        outcome: Any = self.rng.choice(["confirmed", "not_found", "missed"])
        said: list[f.Fact] = [
                f.JudgedPart(**base, inspection_key=about, defective=not blind, stratum=stratum, blind=blind),
                f.JudgedPart(
                    **base, inspection_key=about, defective=blind, stratum=stratum, blind=True,
                    repeat_of=self.rng.choice(self.keys),
                ),
                f.LateRejectFact(**base, inspection_key=about),
                f.AlarmOutcomeFact(
                    **base, asset="m", alarm_key="" if outcome == "missed" else about, outcome=outcome, acted=blind,
                    avoided_stop_h=2.0, withdrawn=self.rng.random() < 0.2,
                ),
            ]  # fmt: skip
        return self.rng.choice(said)

    def stopped(self, base: dict[str, Any], end: datetime) -> f.StopFact:
        reason = self.rng.choice(["", "lineproof_reject"])
        return f.StopFact(**base, asset="m", end=end, planned=self.rng.random() < 0.3, reason=reason)

    def revised(self, base: dict[str, Any], end: datetime) -> f.Fact:
        stops = [self.stopped(base | {"key": f"{base['key']}.{n}"}, end) for n in range(self.rng.randint(0, 2))]
        known = [*self.keys, *(f"{key}.0" for key in self.keys)]
        return f.StopRevisionFact(**base, replaces=tuple(self.rng.sample(known, 3)), stops=tuple(stops))

    def alarmed(self, base: dict[str, Any], _end: datetime) -> f.Fact:
        return f.AlarmFact(**base, asset="m", alarm="bearing")

    def measured(self, base: dict[str, Any], end: datetime) -> f.Fact:
        plant = base | {"line": self.rng.choice("a*")}
        found: list[f.Fact] = [
            f.EnergyFact(**base, end=end, carrier="electricity", kwh=2.0),
            f.LabourFact(**base, end=end, role="inspector", hours=8.0),
            f.CovariateFact(**plant, end=end, name="degree_days", value=3.0),
            f.KpiFact(**base, end=end, name="yield", numerator=3.0, denominator=4.0, product="p"),
            f.KpiFact(**base, end=end, name="claims", numerator=3.0, denominator=4.0),
        ]
        return self.rng.choice(found)

    def seen(self, base: dict[str, Any], _end: datetime) -> f.Fact:
        mode: Any = self.rng.choice(["shadow", "live", "off"])
        if self.rng.random() < 0.5:
            return f.MachineWatched(**base, asset="m")
        return f.ModeFact(**base, station=self.rng.choice("st"), mode=mode)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_deriving_by_day_is_deriving_everything(seed: int) -> None:
    rng = Random(seed)
    history = Plantlife(rng).history()
    calendar = ShiftCalendar(Plant(time_zone=rng.choice(ZONES)))
    cuts = sorted(rng.choices(range(len(history) + 1), k=rng.randint(1, 4)))
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "s.sqlite")
        then = []
        for first, last in pairwise([0, *cuts, len(history)]):
            store.add_facts(history[first:last], source="feed")
            assert _refreshed(store, calendar, "n", rng) == derive(store.facts(), calendar)
            then.append((store.fact_watermark(), derive(history[:last], calendar)))
        for fact in rng.sample(history, 2):
            moved = msgspec.structs.replace(fact, at=fact.at - timedelta(days=5))
            done = store.add_facts([moved], source="fix", on_change="replace")
            assert (done.added, done.replaced) == (0, 1)
            assert _refreshed(store, calendar, "n", rng) == derive(store.facts(), calendar)
        for watermark, expected in then:
            assert derive(store.facts(watermark), calendar) == expected
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "s.sqlite")


def production(day: int, made: int, key: str = "") -> f.ProductionFact:
    at = datetime(2025, 3, 1, 21, tzinfo=UTC) + timedelta(days=day)
    return f.ProductionFact(
        key=key or f"p{day}", line="l", at=at, origin="imported", end=at + timedelta(hours=8), product="p", shift="day",
        produced=made,
    )  # fmt: skip


def test_a_report_can_be_made_again_as_it_was(store: SqliteStore) -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
    store.add_facts([production(day, 100) for day in range(3)], source="first.csv")
    then = store.fact_watermark()
    old = observe(store, calendar, "n")
    store.add_facts([production(1, 130), production(3, 90)], source="second.csv", on_change="replace")
    assert [row.produced for row in observe(store, calendar, "n").products] == [100, 130, 100, 90]
    assert observe_as_of(store, calendar, then) == old
    store.close()


def test_only_touched_days_are_written_again(store: SqliteStore) -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
    store.add_facts([production(day, 100) for day in range(60)], source="f")
    observe(store, calendar, "n")
    store._connection.execute("CREATE TABLE touched (day INTEGER)")
    store._connection.execute(
        "CREATE TRIGGER watch AFTER INSERT ON derived_day BEGIN INSERT INTO touched VALUES (new.day); END"
    )
    store.add_facts([production(60, 100)], source="f")
    assert len(observe(store, calendar, "n").products) == 61
    first = datetime(2025, 3, 2, tzinfo=UTC).toordinal()
    assert [day - first for (day,) in store._connection.execute("SELECT day FROM touched")] == [59, 60]
    store.close()


def forge(store: SqliteStore, name: str, forged: Observations, watermark: int) -> None:
    """What whoever may write the file can do: every digest of the cache fits what stands there."""
    store.forget_observations()
    store.keep_observations(name, watermark, forged, {row.day for row in forged.line_shifts})


def test_a_forged_derived_day_is_found_by_deriving_it_anew(store: SqliteStore) -> None:
    plant = Plant(time_zone="Asia/Seoul")
    calendar, name = ShiftCalendar(plant), derivation_name(plant)
    store.add_facts([production(day, 100) for day in range(20)], source="f")
    true = _refreshed(store, calendar, name, None)
    assert altered_days(store, name) == ()
    fourth = true.products[3]
    more = msgspec.structs.replace(fourth, produced=900)
    products = tuple(more if row is fourth else row for row in true.products)
    forge(store, name, msgspec.structs.replace(true, products=products), store.fact_watermark())
    assert altered_days(store, name) == (fourth.day,)
    # a row that stands there twice, a day that is not there, and a watermark that hides newer facts
    forge(store, name, msgspec.structs.replace(true, products=(*true.products, fourth)), store.fact_watermark())
    assert altered_days(store, name) == (fourth.day,)
    products = tuple(row for row in true.products if row is not fourth)
    lines = tuple(row for row in true.line_shifts if row.day != fourth.day)
    forge(store, name, Observations(products, lines, ()), store.fact_watermark())
    assert altered_days(store, name) == (fourth.day,)
    store.add_facts([production(20, 100)], source="f")
    forge(store, name, true, store.fact_watermark())
    assert [day - fourth.day for day in altered_days(store, name)] == [timedelta(days=17)]
    store.close()


def test_every_use_derives_some_days_anew(store: SqliteStore) -> None:
    plant = Plant(time_zone="Asia/Seoul")
    calendar, name = ShiftCalendar(plant), derivation_name(plant)
    store.add_facts([production(day, 100) for day in range(40)], source="f")
    true = _refreshed(store, calendar, name, None)
    half = tuple(
        msgspec.structs.replace(row, produced=900) if place >= 20 else row for place, row in enumerate(true.products)
    )
    forge(store, name, msgspec.structs.replace(true, products=half), store.fact_watermark())
    for seed in range(20):  # eight days of which every second one is forged: one use in 256 misses it
        with pytest.raises(StoreAlteredError, match="day_altered"):
            observe(store, calendar, name, Random(seed))
    store.close()
