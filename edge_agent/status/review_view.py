"""What the review page says: one part to judge, what was judged before, and what waits (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import Disposition, Inspection, RecordedEvent, VerdictName
from edge_agent.inspection.inspections import agreement
from edge_agent.status.snapshot import Inspected
from edge_agent.status.views import Picture, picture

if TYPE_CHECKING:
    from datetime import datetime

    from edge_agent.events import Judgement
    from edge_agent.status.words import Words


class Choice(msgspec.Struct, frozen=True):
    """One button: the judgement, its word, what it means for the verdict (empty where it claims nothing), its key."""

    judgement: str
    word: str
    effect: str
    key: str


class BlindPart(msgspec.Struct, frozen=True):
    """A part as a blind reviewer sees it: nothing here comes from the verdict, score or model.

    Its time is left out too: with it the part could be found on the line page, which shows verdicts.
    """

    key: str
    part: str
    product: str
    station: str
    preview: str | None
    original: str | None
    missing: str
    overlay: None = None


class ReviewView(msgspec.Struct, frozen=True):
    """The review page.

    Attributes:
        part: the part to judge, None when none waits.
        chosen: the part was asked for by its key and is not the queue's next.
        judged: the judgement that holds, in words, empty when there is none.
        next_key: key of the part that follows in the queue, empty when there is none.
        blind: the verdict and all that could tell of it is left out.
        withheld: the part asked for waits for a blind look in the queue, and is not shown by its key.
        seen: judgements of the part at the moment.
        undo_key: key of the part that this visitor judged last and may still judge again, empty when there is none.
    """

    line: str
    part: Picture | BlindPart | None
    chosen: bool
    choices: tuple[Choice, ...]
    judged: str
    waiting: str
    next_key: str
    upcoming: tuple[Picture, ...]
    blind: bool = False
    withheld: bool = False
    seen: int = 0
    undo_key: str = ""


def inspected_of(recorded: RecordedEvent) -> Inspected | None:
    """The inspection in an event, None for any other kind."""
    body = recorded.event.body
    if not isinstance(body, Inspection):
        return None
    return Inspected(recorded.event.key, recorded.event.occurred_at, recorded.event.origin, body)


class ReviewCase(msgspec.Struct, frozen=True):
    """What the page is made of: the part in hand with its dispositions (oldest first), and the queue."""

    part: Inspected | None
    chosen: bool
    dispositions: Sequence[RecordedEvent]
    queue: Sequence[Inspected]
    waiting: int
    blind: bool = False
    withheld: bool = False
    undo_key: str = ""


def review_view(line: str, case: ReviewCase, words: Words, now: datetime) -> ReviewView:
    """Build the review page of a line."""
    rest = [entry for entry in case.queue if case.part is None or entry.key != case.part.key]
    if case.blind or case.withheld:
        return ReviewView(
            line=line,
            part=_blind_part(case.part, words) if case.part is not None and not case.withheld else None,
            chosen=case.chosen,
            choices=_choices("REVIEW", words),
            judged="",
            waiting=words("review.open", count=words.count(case.waiting)),
            next_key="",
            upcoming=(),
            blind=True,
            withheld=case.withheld,
            seen=len(case.dispositions),
            undo_key=case.undo_key,
        )
    return ReviewView(
        line=line,
        part=picture(case.part, words, now) if case.part is not None else None,
        chosen=case.chosen,
        choices=_choices(case.part.body.verdict, words) if case.part is not None else (),
        judged=_judged(case.dispositions, words, now),
        waiting=words("review.open", count=words.count(case.waiting)),
        next_key=rest[0].key if rest else "",
        upcoming=tuple(picture(entry, words, now) for entry in rest),
        seen=len(case.dispositions),
        undo_key=case.undo_key,
    )


def _blind_part(inspected: Inspected, words: Words) -> BlindPart:
    body = inspected.body
    root = f"/evidence/{body.image}" if body.image is not None else None
    return BlindPart(
        key=inspected.key,
        part=body.part_id,
        product=body.product,
        station=body.station,
        preview=f"{root}/preview" if root is not None else None,
        original=root,
        missing="" if root is not None else words("empty.not_kept"),
    )


def _choices(verdict: VerdictName, words: Words) -> tuple[Choice, ...]:
    keys: tuple[tuple[Judgement, str], ...] = (("good", "1"), ("defect", "2"))
    effects = {True: words("action.confirms"), False: words("action.overrules"), None: ""}
    return tuple(
        Choice(judgement, words(f"action.{judgement}"), effects[agreement(verdict, judgement)], key)
        for judgement, key in keys
    )


def _judged(dispositions: Sequence[RecordedEvent], words: Words, now: datetime) -> str:
    if not dispositions:
        return ""
    newest = dispositions[-1].event
    if not isinstance(newest.body, Disposition):
        return ""
    return words(
        "review.judged",
        judgement=words(f"action.{newest.body.judgement}"),
        reviewer=newest.body.reviewer,
        time=words.when(newest.occurred_at, now),
    )
