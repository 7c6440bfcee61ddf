"""The command that signs a non-routine adjustment."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Typer reads the annotations when it runs
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store
from roi_tracker.errors import CaseError

_DAY = ["%Y-%m-%d"]


def adjust(  # noqa: PLR0913 - an adjustment has that many parts, each an option
    *,
    case: CaseOption,
    benefit: Annotated[str, typer.Option(help="id of the benefit line")],
    event: Annotated[str, typer.Option(help="what happened, in a few words")],
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="first day it concerns")],
    last: Annotated[datetime, typer.Option("--to", formats=_DAY, help="last day it concerns")],
    reason: Annotated[str, typer.Option(help="how the event changed the quantity, physically, and how it was found")],
    evidence: Annotated[list[str], typer.Option(help="event key or document; may be repeated")],
    author: Annotated[str, typer.Option(help="who signs")],
    approver: Annotated[str, typer.Option(help="who approves; somebody else")],
    quantity: Annotated[str | None, typer.Option(help="physical units added to what is expected; may be < 0")] = None,
    factor: Annotated[str | None, typer.Option(help="instead: what the expectation is multiplied by")] = None,
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what it would change; sign nothing")] = False,
    json: JsonOption = False,
) -> None:
    """Sign a non-routine adjustment: it stands on its own line in the ledger, and the frozen baseline stays as it is.

    Example: roi-tracker baseline adjust --case case.yaml --store roi.sqlite --benefit fewer-defects
    --event "die 4 replaced" --from 2025-08-04 --to 2025-12-31 --factor 0.93 --reason "new die scraps 7 % less in the
    supplier's trial run" --evidence trial-2025-08.pdf --author "process engineer" --approver controller
    """
    from roi_tracker.adjusting import adjusted_counterfactuals
    from roi_tracker.commands.clock import writing_time
    from roi_tracker.commands.entry_checks import check_entries
    from roi_tracker.ledger.admission import Ground
    from roi_tracker.ledger.books import Signed, books_of
    from roi_tracker.ledger.chain import seal
    from roi_tracker.ledger.entries import Adjustment, Draft
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.programme import Programme
    from roi_tracker.render.pilot_text import adjusted_lines

    plan = load_case(case)
    language = language_of(lang, plan)
    body = Adjustment(
        benefit_id=benefit,
        first=first.date(),
        last=last.date(),
        quantity=_number(quantity, "quantity", Decimal(0)),
        reason=reason,
        approver=approver,
        evidence=tuple(one.strip() for one in evidence if one.strip()),
        factor=_number(factor, "factor", Decimal(1)),
        event=event.strip(),
    )
    with open_store(store) as opened, open_ledger(store, create=True) as ledger:
        draft = Draft(plan.id, writing_time(opened, ledger), author, body)
        programme = Programme(plan, opened, ledger)
        newest = {baseline.fitted.benefit_id: baseline for baseline in programme.baselines()}
        on = ShiftCalendar(plan.plant).local_day(draft.at)
        check_entries([body], Ground(plan, ShiftCalendar(plan.plant), programme.books(), on, newest, {}), language)
        sealed = seal(draft, ledger.head()) if dry_run else ledger.append([draft])[0]
        signed = [*programme.books().adjustments]
        if dry_run:
            signed = [*books_of(ledger.entries(), plan.id).adjustments, Signed(body, author, "")]
        changed = adjusted_counterfactuals(plan, programme.observations(), ShiftCalendar(plan.plant), newest, signed)
    own = [one for one in changed if one.benefit_id == benefit]
    if json:
        print_json({"signed": not dry_run, "entry": sealed, "adjusted": own})
        return
    for one in own:
        for line in adjusted_lines(one, language):
            say(line)
    if not own:
        say("nothing is measured yet; the adjustment will stand on its own line once it is")
    say("nothing was signed (--dry-run)" if dry_run else f"signed: entry {sealed.number}, {sealed.sha256}")


def _number(text: str | None, field: str, otherwise: Decimal) -> Decimal:
    if text is None:
        return otherwise
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise CaseError(f"{text!r} is no number", field=f"--{field}", value=text, hint="for example 0.93") from error
