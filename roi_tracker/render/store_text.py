"""What `verify` found, as sentences of one language for a terminal."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from roi_tracker.render.catalogue import Catalogue, flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roi_tracker.ledger.admission import ClaimState, Refusal
    from roi_tracker.ledger.chain import ChainFault
    from roi_tracker.money import Language
    from roi_tracker.observations.seals import StoreFault


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
