"""What `verify` found, as sentences of one language for a terminal."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from roi_tracker.render.catalogue import Catalogue, catalogue, flat
from roi_tracker.render.rule_text import term_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline
    from roi_tracker.ledger.admission import ClaimState, Refusal
    from roi_tracker.ledger.chain import ChainFault
    from roi_tracker.ledger.entries import Body, Entry
    from roi_tracker.ledger.losses import JointLoss
    from roi_tracker.ledger.registering import Registration
    from roi_tracker.money import Language
    from roi_tracker.observations.seals import StoreFault


_SHOWN = 16
"""Letters of a hash at a terminal."""


@lru_cache(maxsize=2)
def store_catalogue(language: Language) -> Catalogue:
    """Words on store and claims in a language, read once."""
    text = resources.files("roi_tracker.render").joinpath("locale", f"store.{language}.toml").read_text("utf-8")
    return Catalogue(language, flat(tomllib.loads(text)))


def verified_lines(faults: Sequence[StoreFault], chain: Sequence[ChainFault], language: Language) -> Iterator[str]:
    """Every fault in a sentence with its place; one sentence where nothing differs."""
    t = store_catalogue(language)
    for fault in faults:
        yield f"{t(f'fault.{fault.name}')}: {_place(fault, t)}"
    for broken in chain:
        yield t("verify.entry", number=broken.number, what=t(f"chain.{broken.name}"), detail=broken.detail)
    yield t("verify.broken" if faults or chain else "verify.holds")


def refusal_sentence(why: Refusal, language: Language) -> str:
    """Why an entry may not be written."""
    return store_catalogue(language)(f"refusal.{why.name}", **why.places)


def refusal_hint(why: Refusal, language: Language) -> str:
    """What to do about it."""
    return store_catalogue(language)(f"refusal_fix.{why.name}", **why.places)


def claim_sentence(state: ClaimState, language: Language) -> str:
    """Whether a claim's events show it, and whether anybody keeps them."""
    t = store_catalogue(language)
    cited = len(dict.fromkeys(state.claim.evidence))
    shown = t("claim.checked")
    if state.why is not None:
        shown = t("claim.not_checked", why=f"{refusal_sentence(state.why, language)} ({state.why.value})")
    missing = cited - state.kept
    kept = t("claim.not_kept", missing=missing, cited=cited) if missing else t("claim.kept", cited=cited)
    return f"{shown}; {kept}"


def frozen_sentence(key: Literal["new", "would"], fitted: FittedBaseline, sha256: str, language: Language) -> str:
    """A baseline that was frozen, or would be, with what its data could not identify."""
    t = store_catalogue(language)
    return t(f"frozen.{key}", line=fitted.benefit_id, hash=sha256) + _dropped(fitted, language)


def frozen_line(one: FrozenBaseline, language: Language) -> str:
    """A frozen baseline, and why it took the place of another one."""
    t, fitted, spec = store_catalogue(language), one.fitted, one.fitted.specification
    on = one.frozen_at.date()
    head = t("frozen.shown", line=fitted.benefit_id, first=spec.first, last=spec.last, on=on, hash=one.sha256)
    why = t("frozen.replaced", reason=one.reason) if one.reason else ""
    return f"{head}{_dropped(fitted, language)}{why}"


def _dropped(fitted: FittedBaseline, language: Language) -> str:
    names = term_words(fitted.model.dropped, catalogue(language))
    return store_catalogue(language)("frozen.dropped", names=names) if names else ""


def entry_line(entry: Entry, language: Language) -> str:
    """A ledger entry in one line."""
    t, kind = store_catalogue(language), str(entry.body.__struct_config__.tag)
    at, gist = f"{entry.at:%Y-%m-%d %H:%M}", _gist(entry.body, t)
    return t(
        "entry.head",
        number=entry.number,
        at=at,
        kind=kind,
        author=entry.author,
        gist=gist,
        hash=entry.sha256[:_SHOWN],
    )


def _gist(body: Body, t: Catalogue) -> str:  # noqa: PLR0911 - one branch a kind reads best
    from roi_tracker.ledger import entries as e  # noqa: PLC0415 - only where entries are shown

    match body:
        case e.UnitValueLocked():
            places = {"first": body.valid_from, "last": body.valid_to}
            return t("entry.unit_value", subject=body.subject, amount=f"{body.amount:f}", per=body.per, **places)
        case e.ActualCost():
            name = body.name_ko if t.language == "ko" else body.name_en
            return f"{body.day} {body.amount:f} {body.cost}, {name} ({body.reference})"
        case e.Claim():
            cited, days = len(body.evidence), {"first": body.first, "last": body.last}
            return t("entry.claim", line=body.benefit_id, events=cited, statement=body.statement, **days)
        case e.Adjustment():
            by = f"x {body.factor:f}" if body.factor != 1 else f"{body.quantity:+f}"
            return t("entry.adjustment", line=body.benefit_id, by=by, approver=body.approver, reason=body.reason)
        case e.GateDecision():
            who = body.decided_by
            return t("entry.gate", gate=body.gate, answer=body.answer, decided_by=who, reason=body.reason)
        case e.ClosingDate():
            return f"{body.benefit_id} {body.day}"
        case e.CaseVersion():
            return t("entry.case", characters=f"{len(body.text):,}", hash=body.text_sha256[:_SHOWN])
        case e.EvidencePinned():
            return t("entry.pinned", events=len(body.evidence), claim=body.claim, feed=body.feed)
        case e.ReportSaved():
            return f"{body.as_of} {body.report_sha256[:_SHOWN]}"


def registered_lines(found: Registration, language: Language) -> Iterator[str]:
    """What registering a case wrote, and what came too late."""
    t = store_catalogue(language)
    yield from (t("entry.changed", subject=subject) for subject in found.changed)
    yield from (t("entry.late", day=one.day, line=one.benefit_id) for one in found.too_late)
    yield from (t("entry.not_frozen", day=one.day, line=one.benefit_id) for one in found.not_frozen)


def chain_lines(entries: int, head: str, faults: Sequence[ChainFault], language: Language) -> Iterator[str]:
    """Every fault of the ledger's chain, and whether it holds."""
    t = store_catalogue(language)
    for broken in faults:
        yield t("entry.chain", number=broken.number, what=t(f"chain.{broken.name}"), detail=broken.detail)
    yield t("entry.broken" if faults else "entry.holds", entries=entries, hash=head)


def loss_lines(losses: Sequence[JointLoss], language: Language) -> Iterator[str]:
    """Losses that several events tell of."""
    t = store_catalogue(language)
    for loss in losses:
        counts = {"parts": len(loss.inspections), "alarms": len(loss.alarms)}
        at, cause = f"{loss.first:%Y-%m-%d %H:%M}", t(f"loss.{loss.likely_cause}")
        yield t("loss.told", at=at, line=loss.line, cause=cause, name=loss.name, **counts)
    yield t("loss.count", losses=len(losses))


def _place(fault: StoreFault, t: Catalogue) -> str:
    parts = [
        t("place.import", number=fault.batch, source=fault.source) if fault.batch else fault.source,
        t("place.fact", number=fault.fact) if fault.fact else "",
        fault.key,
        t("place.line", line=fault.line) if fault.line else "",
        t("place.day", day=fault.day) if fault.day else "",
        fault.detail,
    ]
    return ", ".join(part for part in parts if part) or t("place.whole")
