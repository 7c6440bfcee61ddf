"""Commands on the ledger: register, add, show, verify, losses, pin."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.adding import AuthorOption, kind_of, ledger_add, say_entries
from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BusinessCase

ledger_app = typer.Typer(
    no_args_is_help=True, help="The ledger: append-only, chained by hash. Costs, unit values, claims, decisions."
)


@ledger_app.command("register")
def ledger_register(
    case: CaseOption,
    author: AuthorOption,
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Register the case's text, its locked unit values and its closing dates. Doing it again adds what changed.

    Exit 1 when a closing date has passed before anybody registered it, or go-live has and no baseline frozen by then
    names it: only the anytime-valid interval holds on it.

    Example: roi-tracker ledger register --case case.yaml --store roi.sqlite --author controller
    """
    from roi_tracker.commands.clock import writing_time
    from roi_tracker.ledger.registering import registration
    from roi_tracker.render.store_text import registered_lines, store_catalogue

    plan = load_case(case)
    text = plan.model_dump_json() if case.suffix.lower() == ".xlsx" else case.read_text(encoding="utf-8")
    with open_ledger(store, create=True) as ledger, open_store(store) as opened:
        now = writing_time(opened, ledger)
        found = registration(plan, text, ledger.entries(), now, author, _frozen(plan, store))
        written = ledger.append(found.drafts) if found.drafts else ()
    if json:
        told = {"too_late": found.too_late, "not_frozen": found.not_frozen, "changed": found.changed}
        print_json({"written": written, **told})
    else:
        language = language_of(lang, plan)
        say_entries(written, language)
        for line in registered_lines(found, language):
            say(line)
        if not written:
            say(store_catalogue(language)("entry.nothing"))
    if found.too_late or found.not_frozen:
        raise typer.Exit(NO)


ledger_app.command("add")(ledger_add)


def _frozen(plan: BusinessCase, store: Path) -> dict[str, FrozenBaseline]:
    with open_store(store) as opened:
        return {one.fitted.benefit_id: one for one in opened.baselines(plan.id)}


@ledger_app.command("import")
def ledger_import(  # noqa: PLR0913 - options of one command
    files: Annotated[list[Path], typer.Argument(help="CSV or XLSX with costs")],
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    map_file: Annotated[Path | None, typer.Option("--map", help="TOML mapping of the file's columns")] = None,
    *,
    preview: Annotated[bool, typer.Option("--preview", help="show how files are read; book nothing")] = False,
    lang: LangOption = None,
    json: JsonOption = False,
) -> None:
    """Book costs from the plant's files, all or none of a file; a reference booked before is not booked again.

    Example: roi-tracker ledger import costs.xlsx --case case.yaml --store roi.sqlite --preview
    """
    from roi_tracker.commands.importing import import_events

    import_events(
        files,
        None,
        None,
        store,
        case=case,
        map_file=map_file,
        kind="costs",
        preview=preview,
        replace=False,
        lang=lang,
        json=json,
    )


@ledger_app.command("show")
def ledger_show(
    store: StoreOption = DEFAULT_STORE,
    kind: Annotated[str | None, typer.Option(help="only entries of this kind, e.g. cost")] = None,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Show the ledger, oldest first. Exit 1 when it is empty.

    Example: roi-tracker ledger show --store roi.sqlite --kind cost
    """
    with open_ledger(store) as ledger:
        found = [entry for entry in ledger.entries() if kind is None or kind_of(entry) == kind]
    if json:
        print_json(found)
    else:
        say_entries(found, language_of(lang))
    if not found:
        raise typer.Exit(NO)


@ledger_app.command("verify")
def ledger_verify(
    store: StoreOption = DEFAULT_STORE,
    head: Annotated[
        list[str] | None,
        typer.Option(help="a ledger hash that a report or `ledger show` printed, 12 letters or more; may be repeated"),
    ] = None,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Check the whole chain: altered, moved or missing entries are named. Exit 1 when it does not hold.

    Example: roi-tracker ledger verify --store roi.sqlite --head 3f9a...
    """
    from roi_tracker.ledger.chain import verify

    with open_ledger(store) as ledger:
        entries, newest = ledger.entries(), ledger.head()
    faults = verify(entries, newest, head or ())
    if json:
        print_json({"entries": len(entries), "head": newest, "faults": faults})
    else:
        from roi_tracker.render.store_text import chain_lines

        for line in chain_lines(len(entries), newest.sha256, faults, language_of(lang)):
            say(line)
    if faults:
        raise typer.Exit(NO)


@ledger_app.command("claims")
def ledger_claims(
    case: CaseOption, store: StoreOption = DEFAULT_STORE, lang: LangOption = None, *, json: JsonOption = False
) -> None:
    """Every claim, held against its events again: whether they show it, and whether an agent keeps them.

    Exit 1 while a claim's events do not show it, or are not kept.

    Example: roi-tracker ledger claims --case case.yaml --store roi.sqlite --lang en
    """
    from roi_tracker.commands.entry_checks import ground_of
    from roi_tracker.ledger.admission import claim_states
    from roi_tracker.ledger.books import books_of
    from roi_tracker.ledger.chain import verified
    from roi_tracker.render.store_text import claim_sentence

    plan = load_case(case)
    with open_store(store) as opened, open_ledger(store) as ledger:
        entries = verified(ledger)
        claims = books_of(entries, plan.id).claims
        found = claim_states(entries, ground_of(plan, opened, entries, claims, datetime.now(UTC)))
    if json:
        print_json(found)
    else:
        for one in found:
            days = f"{one.claim.benefit_id} {one.claim.first} to {one.claim.last}"
            say(f"{one.number} {days}: {one.claim.statement}: {claim_sentence(one, language_of(lang, plan))}")
    if any(one.why is not None or one.kept < len(dict.fromkeys(one.claim.evidence)) for one in found):
        raise typer.Exit(NO)


@ledger_app.command("losses")
def ledger_losses(
    case: CaseOption, store: StoreOption = DEFAULT_STORE, lang: LangOption = None, *, json: JsonOption = False
) -> None:
    """Losses that several events tell of (two cameras, a camera and an alarm): each is credited once.

    Example: roi-tracker ledger losses --case case.yaml --store roi.sqlite
    """
    from roi_tracker.programme import Programme
    from roi_tracker.render.store_text import loss_lines

    plan = load_case(case)
    with open_store(store) as opened:
        found = Programme(plan, opened).joint_losses()
    if json:
        print_json(found)
        return
    for line in loss_lines(found, language_of(lang, plan)):
        say(line)


@ledger_app.command("pin")
def ledger_pin(  # noqa: PLR0913 - options of one command
    case: CaseOption,
    feed: Annotated[str, typer.Option(help="address of an agent, e.g. http://127.0.0.1:8080")],
    author: AuthorOption,
    token: Annotated[str | None, typer.Option(envvar="ROI_TRACKER_TOKEN", help="machine token of the agent")] = None,
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Ask an agent to keep the events and images that claims and adjustments cite. Exit 1 while some are not kept.

    Example: roi-tracker ledger pin --case case.yaml --feed http://127.0.0.1:8080 --author controller
    """
    from roi_tracker.adapters.http_feed import HttpFeed
    from roi_tracker.ledger.books import books_of
    from roi_tracker.ledger.pinning import pin_evidence

    plan = load_case(case)
    with open_ledger(store) as ledger:
        written = pin_evidence(ledger, HttpFeed(feed, token), plan.id, datetime.now(UTC), author)
        left = books_of(ledger.entries(), plan.id).unpinned
    if json:
        print_json({"written": written, "not_kept": left})
    else:
        from roi_tracker.render.store_text import store_catalogue

        t = store_catalogue(language_of(lang, plan))
        say_entries(written, t.language)
        for citation in left:
            say(t("entry.not_kept", events=len(citation.evidence), claim=citation.claim))
    if left:
        raise typer.Exit(NO)
