"""The tracker's use cases over a case and a store: observe, fit and freeze baselines, measure. `reporting` reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.adjusting import adjusted_counterfactuals
from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, Unfitted, as_before, fit_baseline
from roi_tracker.case.plant import Period
from roi_tracker.errors import StoreError
from roi_tracker.ledger.books import Books, books_of
from roi_tracker.ledger.chain import verified
from roi_tracker.ledger.harm import Harm, defect_rates, harm
from roi_tracker.ledger.losses import JointLoss, joint_losses
from roi_tracker.observations.seals import StoreAlteredError, StoreFault
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observing import altered_days, derivation_name, observe, observe_as_of
from roi_tracker.proof.proving import SUPPORTED, Proof, prove, reporting_so_far, scope_of
from roi_tracker.realization.activity import Activity
from roi_tracker.realization.board import Board, board
from roi_tracker.realization.realized import Realization, Surroundings, realize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from roi_tracker.baseline.adjustments import AdjustedCounterfactual
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.observations.rows import Observations
    from roi_tracker.ports import LedgerStore, TrackerStore


class Programme:
    """One case measured on one store; without a ledger, the case's own costs and unit values hold."""

    def __init__(self, case: BusinessCase, store: TrackerStore, ledger: LedgerStore | None = None) -> None:
        self._case = case
        self._store = store
        self._ledger = ledger
        self._calendar = ShiftCalendar(case.plant)

    def observations(self, watermark: int | None = None) -> Observations:
        """Observations of all facts so far, or as they were at a watermark of the store. Only the days that new facts
        touch are derived again.
        """
        if watermark is not None and watermark != self._store.fact_watermark():
            return observe_as_of(self._store, self._calendar, watermark)
        return observe(self._store, self._calendar, derivation_name(self._case.plant))

    def hold_derived(self) -> None:
        """Derive every day anew and hold those kept against it; before a report is saved, chance is not enough.

        Raises:
            StoreAlteredError: days differ.
        """
        wrong = altered_days(self._store, derivation_name(self._case.plant))
        if wrong:
            raise StoreAlteredError([StoreFault("day_altered", day=day) for day in wrong], "its derived days")

    def fit(self) -> tuple[FittedBaseline | Unfitted, ...]:
        """Fit a baseline for every benefit line whose measure has a method."""
        observations = self.observations()
        return tuple(
            fit_baseline(self._case, line, observations, scope_of(line, self._calendar))
            for line in self._case.benefits
            if line.measurable and line.measure in SUPPORTED
        )

    def unfrozen(self) -> tuple[FittedBaseline, ...]:
        """Baselines that freezing would add: those not frozen yet under the same hash."""
        known = {baseline.sha256 for baseline in self.baselines()}
        wanted = [one for one in self.fit() if isinstance(one, FittedBaseline) and one.sha256 not in known]
        return tuple(one for one in wanted if not known or self._as_before(one).sha256 not in known)

    def _as_before(self, fitted: FittedBaseline) -> FittedBaseline:
        line = next(line for line in self._case.benefits if line.id == fitted.benefit_id)
        return as_before(fitted, self.observations(), scope_of(line, self._calendar), self._case.periods.baseline)

    def freeze(self, at: datetime, reason: str = "") -> tuple[FrozenBaseline, ...]:
        """Freeze every fitted baseline that is not frozen yet under the same hash; returns the new ones.

        A baseline with failed rules is frozen as well: it records that nothing can be proven on it.

        Args:
            at: now, aware UTC.
            reason: why a baseline takes the place of another one after go-live.

        Raises:
            StoreError: after go-live another one is frozen already, and no reason is given; nothing was frozen.
        """
        wanted, frozen = self.unfrozen(), {baseline.fitted.benefit_id for baseline in self.baselines()}
        late = self._calendar.local_day(at) >= self._case.go_live
        replaced = [one.benefit_id for one in wanted if one.benefit_id in frozen] if late else []
        if replaced and not reason.strip():
            raise StoreError(
                f"after go-live the baseline of {', '.join(replaced)} is frozen already, and another one would result",
                field="baseline",
                value=", ".join(replaced),
                hint="record what changed with `baseline adjust`; or freeze anew with --replace and the reason",
            )
        new = tuple(
            FrozenBaseline(one, one.sha256, at, reason.strip() if one.benefit_id in replaced else "") for one in wanted
        )
        for one in new:
            self._store.freeze(one, at)
        return new

    def baselines(self) -> Sequence[FrozenBaseline]:
        """All frozen baselines of the case, oldest first."""
        return self._store.baselines(self._case.id)

    def measure(self) -> tuple[Proof, ...]:
        """Realized or not proven, for every benefit line; the newest frozen baseline holds."""
        observations = self.observations()
        newest = {baseline.fitted.benefit_id: baseline for baseline in self.baselines()}
        return tuple(
            prove(self._case, line, observations, self._calendar, newest.get(line.id)) for line in self._case.benefits
        )

    def adjusted(self) -> tuple[AdjustedCounterfactual, ...]:
        """Benefit lines with signed adjustments: the expectation before, what each adds, and after."""
        newest = {baseline.fitted.benefit_id: baseline for baseline in self.baselines()}
        signed = self.books().adjustments
        if not signed:
            return ()
        return adjusted_counterfactuals(self._case, self.observations(), self._calendar, newest, signed)

    def realization(self, on: date | None = None) -> Realization:
        """Realized beside projected, with the ledger, the system's own harm, bridge, forecast and gates.

        Args:
            on: day of asking; before any reporting data no later cost counts.
        """
        observations = self.observations()
        reporting = reporting_so_far(self._case, observations)
        books, done = self.books(), Harm((), ())
        if reporting is not None and self._case.start_date <= reporting.last:
            since = Period(first=self._case.start_date, last=reporting.last)
            done = harm(self._case, books, observations, since, defect_rates(self.baselines()))
        around = Surroundings(books, done, self.activity(), self.adjusted(), on)
        return realize(self._case, self.measure(), reporting, self._calendar.expected, around)

    def activity(self) -> Activity:
        """What was made and how, day by day."""
        return Activity(self.observations(), self._case.go_live)

    def books(self) -> Books:
        """What the ledger says of this case.

        Raises:
            StoreError: the ledger's chain does not hold.
        """
        return Books() if self._ledger is None else books_of(verified(self._ledger), self._case.id)

    def board(self) -> Board:
        """The weekly KPI board.

        Raises:
            StoreError: the ledger's chain does not hold: a store altered there is not to be trusted elsewhere.
        """
        if self._ledger is not None:
            verified(self._ledger)
        return board(self._case, self.activity(), self.measure())

    def joint_losses(self) -> tuple[JointLoss, ...]:
        """Losses that several events of the store tell of."""
        return joint_losses(self._store.facts())
