"""Which part the review page shows to whom, and how much of it: the rules of the blind audit at the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.events import Disposition
from edge_agent.status.dispositions import Visitor, can_be_undone, look_at
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.review_desk import mixed
from edge_agent.status.review_view import ReviewCase, inspected_of

if TYPE_CHECKING:
    from edge_agent.status.context import StatusContext
    from edge_agent.status.review_desk import ReviewDesk

QUEUE_SHOWN = 12
_LAST_JUDGED = 20


def review_case(context: StatusContext, desk: ReviewDesk, line: str, reviewer: str, wanted: str | None) -> ReviewCase:
    """What a visitor gets to see: the queue's next part, or one asked for by its key.

    A part that waits for a blind look is shown by the queue alone: whoever asks for it by its key may have seen its
    verdict on the line page. Only what the visitor judged blind within the last minute may be taken up again.

    Raises:
        RequestProblemError: no inspection has the key that is wanted.
    """
    reader, now = context.reader, context.clock.now().utc
    visitor = Visitor(reviewer, now, context.asked.audited_lines)
    with desk.current():
        reviews = reader.open_reviews(line=line, limit=QUEUE_SHOWN)
        audits = desk.waiting(line, reviewer, now)
        order = mixed([recorded.event.key for recorded in reviews], [entry.key for entry in audits[:QUEUE_SHOWN]])
        key = wanted if wanted is not None else next(iter(order), None)
        recorded = reader.event(key) if key is not None else None
        part = inspected_of(recorded) if recorded is not None else None
        if wanted is not None and part is None:
            hint = "Open /review for the parts that wait."
            raise RequestProblemError(404, "no_such_inspection", "No inspection has this key.", hint)
        before = reader.dispositions_of(part.key) if part is not None else []
        blind = part is not None and recorded is not None and look_at(desk, recorded, before, visitor).blind
        spoils = part is not None and desk.repeat(part.key) is not None
    found = [inspected for known in reviews if (inspected := inspected_of(known)) is not None]
    withheld = wanted is not None and (blind or spoils) and not can_be_undone(before, visitor)
    undo = _undo_key(context, line, visitor)
    return ReviewCase(
        part=part,
        chosen=wanted is not None,
        dispositions=before,
        queue=() if audits or line in visitor.audited_lines else found,
        waiting=max(context.board.snapshot(line).open_reviews, len(reviews)) + len(audits),
        blind=blind,
        withheld=withheld,
        undo_key="" if undo == key else undo,
    )


def _undo_key(context: StatusContext, line: str, visitor: Visitor) -> str:
    """The part that the visitor judged blind last, while that can be changed."""
    if not visitor.reviewer:
        return ""
    for recorded in context.reader.latest_events("disposition", line=line, limit=_LAST_JUDGED):
        body = recorded.event.body
        if isinstance(body, Disposition) and body.reviewer == visitor.reviewer:
            return body.inspection_key if can_be_undone([recorded], visitor) else ""
    return ""
