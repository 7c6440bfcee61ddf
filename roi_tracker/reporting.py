"""Reports over a case, a store and a ledger: made now, saved with the hashes of their inputs, made again from them."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.baseline.detectability import Detectability
from roi_tracker.errors import CaseError, StoreError
from roi_tracker.ledger.admission import Ground, cited, claim_states
from roi_tracker.ledger.books import Books, books_of, newest_case
from roi_tracker.ledger.chain import GENESIS, text_digest, verified
from roi_tracker.ledger.entries import CaseVersion, Draft, ReportSaved
from roi_tracker.ledger.losses import joint_losses
from roi_tracker.observations.quality import QualityScope, data_quality
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.piloting import Piloting, prospect_of
from roi_tracker.programme import Programme
from roi_tracker.realization.board import Board, board
from roi_tracker.realization.projection import Projection
from roi_tracker.report.case_text import CaseFormat, CaseText
from roi_tracker.report.composition import Circumstances, compose
from roi_tracker.report.drilldown import DrillRow, ShiftFacts, drill_rows, window_of
from roi_tracker.report.model import BaselineInput, Inputs, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.baseline.pilot import PilotReport
    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.ledger.admission import ClaimState
    from roi_tracker.ledger.entries import Entry
    from roi_tracker.ledger.losses import JointLoss
    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.rows import Observations
    from roi_tracker.ports import LedgerStore, TrackerStore
    from roi_tracker.proof.proving import Proof
    from roi_tracker.realization.activity import Activity
    from roi_tracker.realization.realized import Realization

AUTHOR = "roi-tracker report"
_SHORTEST_HASH = 8
_DAYS_AT_ONCE = 7
"""Days whose events are read together: those of a busy week still fit in memory."""


class Moment(msgspec.Struct, frozen=True):
    """A state of store and ledger.

    Attributes:
        fact_watermark: number of the last fact.
        ledger_head: hash of the newest entry.
        baselines: hashes of the baselines in force.
    """

    fact_watermark: int
    ledger_head: str
    baselines: frozenset[str]


class Reporting(Programme):
    """A programme as of one moment; whatever is imported, booked or frozen meanwhile does not enter.

    Observations and proofs are made once and kept.
    """

    def __init__(
        self,
        case: BusinessCase,
        store: TrackerStore,
        ledger: LedgerStore | None = None,
        *,
        text: CaseText | None = None,
        moment: Moment | None = None,
    ) -> None:
        """Fix the moment.

        Args:
            case: the plan.
            store: facts and baselines.
            ledger: None for the case's own costs and unit values alone.
            text: the case's text, for its hash.
            moment: left out, as things stand now.

        Raises:
            StoreError: the ledger's chain does not hold, or no longer has the moment's head.
        """
        super().__init__(case, store, ledger)
        self._text = text
        self._then = moment
        self._watermark = store.fact_watermark() if moment is None else moment.fact_watermark
        self._entries = () if ledger is None else tuple(verified(ledger))
        if moment is not None:
            self._entries = _up_to(self._entries, moment.ledger_head)
        self._seen: Observations | None = None
        self._until: date | None = None
        self._proofs: tuple[Proof, ...] | None = None
        self._active: Activity | None = None
        self._made: dict[date | None, Realization] = {}

    def observations(self, watermark: int | None = None) -> Observations:
        """Observations as of the moment."""
        if watermark is not None and watermark != self._watermark:
            return super().observations(watermark)
        if self._seen is None:
            every = super().observations(self._watermark)
            self._seen = every if self._until is None else every.until(self._until)
        return self._seen

    def look_from(self, on: date) -> None:
        """A report tells of nothing after its own date: neither what was measured nor what was paid."""
        if self._until != on and (self._until is not None or self.observations().until(on) is not self._seen):
            self._seen, self._proofs, self._active, self._made, self._until = None, None, None, {}, on

    def baselines(self) -> Sequence[FrozenBaseline]:
        """Frozen baselines of the moment."""
        known = super().baselines()
        return known if self._then is None else [one for one in known if one.sha256 in self._then.baselines]

    def measure(self) -> tuple[Proof, ...]:
        """Every benefit line's proof, computed once."""
        if self._proofs is None:
            self._proofs = super().measure()
        return self._proofs

    def activity(self) -> Activity:
        """What was made and how, counted once."""
        if self._active is None:
            self._active = super().activity()
        return self._active

    def books(self) -> Books:
        """The ledger of the moment."""
        return books_of(self._entries, self._case.id)

    def realization(self, on: date | None = None) -> Realization:
        """Realized beside projected, computed once for each day of asking."""
        if on not in self._made:
            self._made[on] = super().realization(on)
        return self._made[on]

    def board(self) -> Board:
        """The weekly KPI board."""
        return board(self._case, self.activity(), self.measure())

    def inputs(self) -> Inputs:
        """What a report of this moment is made from."""
        newest = {one.fitted.benefit_id: one.sha256 for one in self.baselines()}
        if self._watermark == self._store.fact_watermark():
            facts = self._store.fact_count()
        else:
            facts = sum(1 for _ in self._store.facts(self._watermark))
        return Inputs(
            case_sha256=self._text.sha256 if self._text else "",
            case_format=self._text.format if self._text else "yaml",
            fact_watermark=self._watermark,
            facts=facts,
            facts_head=self._store.facts_head(self._watermark),
            baselines=tuple(BaselineInput(name, newest[name]) for name in sorted(newest)),
            ledger_head=self._entries[-1].sha256 if self._entries else GENESIS,
            software=version("lineproof"),
        )

    def report(self, on: date) -> Report:
        """The management report.

        Args:
            on: date of the document; nothing in a report takes another clock, and what came later is not in it.
        """
        self.look_from(on)
        case, observations, found = self._case, self.observations(), self.realization(on)
        lines = tuple(sorted({name for line in case.benefits for name in line.lines}))
        scope = QualityScope(lines, case.periods.baseline.first, min(on, found.as_of or on), on, case.go_live)
        projection = Projection(case, ShiftCalendar(case.plant).expected)
        piloting = Piloting(case, observations, self.baselines())
        return compose(
            case,
            found,
            Circumstances(
                generated_on=on,
                observations=observations,
                inputs=self.inputs(),
                quality=data_quality(observations, scope, self._calendar),
                board=self.board(),
                books=self.books(),
                planned_costs=tuple(projection.costs(found.as_of)),
                frozen_at={one.fitted.benefit_id: one.frozen_at for one in self.baselines()},
                prospects=self._prospects(piloting),
                pilot=self._pilot(piloting, on),
                joint=self._joint(found.as_of),
                claim_states=self._claim_states(on),
            ),
        )

    def rows(self, benefit_id: str) -> tuple[DrillRow, ...]:
        """Observations behind a benefit line.

        Raises:
            CaseError: the case has no such line.
        """
        return drill_rows(self._case, self.line(benefit_id), self.observations())

    def line(self, benefit_id: str) -> BenefitLine:
        """A benefit line by its id.

        Raises:
            CaseError: the case has no such line.
        """
        for one in self._case.benefits:
            if one.id == benefit_id:
                return one
        known = ", ".join(one.id for one in self._case.benefits)
        raise CaseError("no such benefit line", field="line", value=benefit_id, hint=f"one of {known}")

    def events(self, rows: Sequence[DrillRow]) -> Iterator[tuple[DrillRow, tuple[Fact, ...]]]:
        """Each observation with the events it was made of as of the moment, some days at a time."""
        done = 0
        while done < len(rows):
            first = rows[done].day
            last = first + timedelta(days=_DAYS_AT_ONCE - 1)
            together = [row for row in rows[done:] if row.day <= last]
            window = window_of(self._calendar, first, last)
            placed = ShiftFacts(self._calendar, self._store.facts_between(*window, self._watermark))
            for row in together:
                yield row, placed.behind(row)
            done += len(together)

    def fact(self, key: str) -> Fact | None:
        """An event by its key; None where the store has none."""
        return next(iter(self._store.facts_by_key([key])), None)

    def _prospects(self, piloting: Piloting) -> tuple[Detectability, ...]:
        """What every line could show in the pilot's weeks."""
        found = piloting.prospects(prospect_of(self._case, None, None))
        return tuple(one for one in found if isinstance(one, Detectability))

    def _joint(self, last: date | None) -> tuple[JointLoss, ...]:
        """Losses since go-live that several events known at the moment tell of."""
        if last is None:
            return ()
        start, end = window_of(self._calendar, self._case.go_live, last)
        known = self._store.failures_and_alarms(start, self._watermark)
        return joint_losses(fact for fact in known if fact.at < end)

    def _claim_states(self, on: date) -> tuple[ClaimState, ...]:
        """Claims of the moment held against their events again."""
        books = self.books()
        facts = {fact.key: fact for fact in self._store.facts_by_key(cited(books.claims))}
        return claim_states(self._entries, Ground(self._case, self._calendar, books, on, {}, facts))

    def _pilot(self, piloting: Piloting, on: date) -> PilotReport | None:
        return None if self._case.pilot is None else piloting.report(on)


def save_report(report: Report, document: bytes, ledger: LedgerStore, at: datetime) -> str:
    """Write into the ledger what makes a report reproducible; returns the report's hash.

    Saving the same report again adds nothing. `register_text` comes before the report is made.

    Args:
        report: as made.
        document: its JSON, hashed.
        ledger: to append to.
        at: now, aware UTC.
    """
    digest = text_digest(document.decode())
    entries = ledger.entries()
    if any(isinstance(one.body, ReportSaved) and one.body.report_sha256 == digest for one in entries):
        return digest
    body = ReportSaved(
        report_sha256=digest, as_of=report.realization.as_of, inputs=_named(report.inputs, report.generated_on)
    )
    ledger.append([Draft(report.case_id, at, AUTHOR, body)])
    return digest


def register_text(case_id: str, text: CaseText, ledger: LedgerStore, at: datetime) -> None:
    """Put the case's text into the ledger where its newest version there is another one."""
    known = newest_case(ledger.entries(), case_id)
    if known is None or known.text_sha256 != text.sha256:
        ledger.append([Draft(case_id, at, AUTHOR, CaseVersion(text=text.text, text_sha256=text.sha256))])


class Saved(msgspec.Struct, frozen=True):
    """A saved report, found again: what to make it from, and what must come out."""

    report_sha256: str
    text: CaseText
    moment: Moment
    generated_on: date
    software: str


def find_saved(entries: Sequence[Entry], digest: str) -> Saved:
    """A saved report by its hash, or by the beginning of it.

    Raises:
        StoreError: none or several begin so, or its case's text is not in the ledger.
    """
    if len(digest) < _SHORTEST_HASH:
        raise StoreError("too short a hash", field="--reproduce", value=digest, hint="give its first 8 letters or more")
    found = {
        one.body.report_sha256: one.body
        for one in entries
        if isinstance(one.body, ReportSaved) and one.body.report_sha256.startswith(digest)
    }
    if len(found) != 1:
        many = "several saved reports begin" if found else "no saved report begins"
        raise StoreError(
            f"{many} with this hash",
            field="--reproduce",
            value=digest,
            hint="see `roi-tracker ledger show --kind report`",
        )
    body = next(iter(found.values()))
    named = dict(body.inputs)
    wanted = named["case"]
    text = next(
        (one.body.text for one in entries if isinstance(one.body, CaseVersion) and one.body.text_sha256 == wanted), None
    )
    if text is None:
        raise StoreError(
            "the text of its case is not in the ledger", field="case", value=wanted, hint="restore the ledger"
        )
    return Saved(
        report_sha256=body.report_sha256,
        text=CaseText(text, msgspec.convert(named["case_format"], CaseFormat)),
        moment=Moment(
            int(named["fact_watermark"]),
            named["ledger_head"],
            frozenset(value for name, value in body.inputs if name.startswith("baseline:")),
        ),
        generated_on=date.fromisoformat(named["generated_on"]),
        software=named["software"],
    )


def reproduce(saved: Saved, store: TrackerStore, ledger: LedgerStore) -> Reporting:
    """The programme as it stood when a report was saved; its `report` of that day is that report."""
    return Reporting(saved.text.case(), store, ledger, text=saved.text, moment=saved.moment)


def check_reproduced(saved: Saved, document: bytes) -> None:
    """Compare a report made again with the one that was saved.

    Raises:
        StoreError: it is another one; says what may have changed.
    """
    if text_digest(document.decode()) == saved.report_sha256:
        return
    now = version("lineproof")
    if now != saved.software:
        hint = f"it was made by version {saved.software}, this is {now}: install that version"
    else:
        hint = "store or program were changed outside their rules: restore a backup, see `roi-tracker ledger verify`"
    raise StoreError(
        "what comes out is not the report that was saved", field="--reproduce", value=saved.report_sha256, hint=hint
    )


def _named(inputs: Inputs, on: date) -> tuple[tuple[str, str], ...]:
    found = {
        "case": inputs.case_sha256,
        "case_format": inputs.case_format,
        "fact_watermark": str(inputs.fact_watermark),
        "facts_head": inputs.facts_head,
        "generated_on": on.isoformat(),
        "ledger_head": inputs.ledger_head,
        "software": inputs.software,
        **{f"baseline:{one.benefit_id}": one.sha256 for one in inputs.baselines},
    }
    return tuple(sorted(found.items()))


def _up_to(entries: Sequence[Entry], head: str) -> tuple[Entry, ...]:
    """The ledger as it was when `head` was its newest entry."""
    if head == GENESIS:
        return ()
    for number, entry in enumerate(entries, 1):
        if entry.sha256 == head:
            return tuple(entries[:number])
    raise StoreError(
        "the ledger's head of that time is not in the chain",
        field="ledger_head",
        value=head,
        hint="the ledger was altered: see `roi-tracker ledger verify`, and restore a backup",
    )
