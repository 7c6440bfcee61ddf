"""What a pilot can show and how it stands, and what adjustments change, as lines of text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.baseline.frozen import Unfitted
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.rule_text import criterion_sentence, percent, quantity, rule_fix, rule_sentence, term_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roi_tracker.baseline.adjustments import AdjustedCounterfactual
    from roi_tracker.baseline.detectability import Detectability, PowerPoint
    from roi_tracker.baseline.frozen import FittedBaseline
    from roi_tracker.baseline.pilot import CriterionResult, PilotReport
    from roi_tracker.money import Language
    from roi_tracker.render.catalogue import Catalogue

_MARKS = {"met": "ok", "undecided": "warn", "not_measured": "warn", "not_met": "bad"}


def fit_lines(fitted: Sequence[FittedBaseline | Unfitted], language: Language) -> Iterator[str]:
    """Baselines with what was dropped, and every rule that failed with its fix."""
    t = catalogue(language)
    for one in fitted:
        failed = [rule for rule in one.checks if not rule.passed]
        refused = [rule for rule in failed if rule.disqualifies]
        state = t("baseline.disqualified", count=len(refused)) if refused else t("baseline.suffices")
        if isinstance(one, Unfitted):
            yield f"{one.benefit_id}: {t('baseline.not_fitted')}; {state}"
        else:
            yield f"{one.benefit_id}: {t('baseline.fitted', days=one.days, hash=one.sha256[:16])}; {state}"
            if one.model.dropped:
                yield "  " + t("baseline.dropped", names=term_words(one.model.dropped, t))
        for rule in failed:
            mark = t("mark.bad") if rule.disqualifies else t("mark.warn")
            yield f"  {mark} {t(f'rule.{rule.rule}.name')}: {rule_sentence(rule, t)} {rule_fix(rule, t)}"


def power_lines(found: Sequence[Detectability | Unfitted], language: Language) -> Iterator[str]:
    """What so many weeks can show, line by line."""
    t = catalogue(language)
    for one in found:
        if isinstance(one, Unfitted):
            failed = [rule for rule in one.checks if rule.disqualifies and not rule.passed]
            why = " ".join(f"{rule_sentence(rule, t)} {rule_fix(rule, t)}" for rule in failed)
            yield f"{one.benefit_id}: {why or t('baseline.not_fitted')}"
            continue
        yield from _detectable(one, t)


def _detectable(found: Detectability, t: Catalogue) -> Iterator[str]:
    point = found.pilot
    can = "can" if point.shows("closing") else "cannot"
    yield f"{found.benefit_id}: " + t(f"power.{can}", weeks=point.weeks, days=point.days)
    if point.closing is not None and point.anytime is not None:
        places = {name: quantity(getattr(point, name)) for name in ("closing", "anytime", "projected")}
        yield "  " + t(
            "power.effect", share=_share(point.closing, point), planned=_share(point.projected, point), **places
        )
    closing, anytime = (
        t("power.never") if weeks is None else t("power.weeks", weeks=weeks)
        for weeks in (found.weeks_closing, found.weeks_anytime)
    )
    yield "  " + t("power.needed", closing=closing, anytime=anytime)
    for need in found.audits:
        needed = t("power.never") if need.needed_per_week is None else f"{need.needed_per_week:,.0f}"
        yield "  " + t(
            "power.audits",
            stratum=f"{need.product} {need.stratum}",
            planned=f"{need.planned_per_week:,.0f}",
            needed=needed,
            parts=f"{need.per_week:,.0f}",
        )
    curve = "  ".join(f"{one.weeks}: {_share(one.closing, one)}" for one in found.curve if one.closing is not None)
    yield "  " + t("power.curve", points=curve)


def _share(value: float, point: PowerPoint) -> str:
    return percent(value / point.expected) if point.expected else "-"


def pilot_lines(report: PilotReport, language: Language) -> Iterator[str]:
    """Answer first, then every criterion with its evidence."""
    t = catalogue(language)
    yield t(f"pilot_answer.{report.answer}")
    yield t("pilot.title", weeks=report.weeks, first=report.first, last=report.last, as_of=report.as_of) + (
        " " + t(f"pilot_phase.{report.phase}")
    )
    yield t("pilot.start")
    yield from _criteria(report.start, t)
    if report.stop:
        yield t("pilot.stop")
        yield from _criteria(report.stop, t)
    elif report.phase != "before":
        yield t("pilot.no_limits")


def _criteria(results: Sequence[CriterionResult], t: Catalogue) -> Iterator[str]:
    for one in results:
        yield f"  {t(f'mark.{_MARKS[one.state]}')} {t(f'criterion.{one.criterion}.name')}: {criterion_sentence(one, t)}"


def adjusted_lines(found: AdjustedCounterfactual, language: Language) -> Iterator[str]:
    """Before, each adjustment on its own line, and after."""
    t = catalogue(language)
    yield f"{found.benefit_id}: " + t(
        "adjusted.before", expected=quantity(found.expected_before), avoided=quantity(found.avoided_before)
    )
    for line in found.lines:
        one = line.adjustment
        by = f"x {one.factor:f}" if one.factor != 1 else f"{one.quantity:+f}"
        yield "  " + t(
            "adjusted.line",
            units=f"{line.units:+,.4g}",
            event=one.event or one.reason,
            by=by,
            first=one.first,
            last=one.last,
            days=line.days,
            author=one.author,
            approver=one.approver,
            hash=one.entry_sha256[:16] or "-",
        )
    yield "  " + t("adjusted.after", expected=quantity(found.expected_after), avoided=quantity(found.avoided_after))
