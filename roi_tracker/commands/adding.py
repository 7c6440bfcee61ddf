"""The command that appends entries to the ledger, and how entries are shown at the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, errors, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store
from roi_tracker.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.adapters.http_feed import HttpFeed
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.ledger.entries import Body, Entry
    from roi_tracker.money import Language

AuthorOption = Annotated[str, typer.Option("--author", help="who writes the entry")]
FeedOption = Annotated[
    str | None, typer.Option("--feed", help="agent that is to keep the events cited, e.g. http://127.0.0.1:8080")
]
TokenOption = Annotated[str | None, typer.Option(envvar="ROI_TRACKER_TOKEN", help="machine token of the agent")]


def ledger_add(  # noqa: PLR0913 - options of one command
    entries: Annotated[Path, typer.Argument(help="TOML or JSON with a list `entry`")],
    case: CaseOption,
    author: AuthorOption,
    store: StoreOption = DEFAULT_STORE,
    feed: FeedOption = None,
    *,
    token: TokenOption = None,
    lang: LangOption = None,
    json: JsonOption = False,
) -> None:
    """Append entries from a file, all or none: costs, claims, signed adjustments, gate decisions, unit values.

    A claim's events must be in the store, of the claim's days and lines, and in no other claim. With --feed the agent
    is asked at once to keep them; exit 1 while some are not kept, 3 when it does not answer: the entries stay written.

    Example: roi-tracker ledger add invoice.toml --case case.yaml --store roi.sqlite --author controller
    """
    from roi_tracker.adapters.entry_file import read_entries

    plan = load_case(case)
    language, agent = language_of(lang, plan), _agent(feed, token)
    written = _append(read_entries(entries), plan, author, (store, entries.name), language)
    if json:
        print_json(written)
    else:
        say_entries(written, language)
    _pin(plan, store, agent, author, language)


def _append(
    bodies: Sequence[Body], plan: BusinessCase, author: str, where: tuple[Path, str], language: Language
) -> Sequence[Entry]:
    from roi_tracker.commands.clock import writing_time
    from roi_tracker.commands.entry_checks import check_entries, ground_of
    from roi_tracker.ledger.books import admit
    from roi_tracker.ledger.entries import Draft

    store, source = where
    with open_ledger(store, create=True) as ledger, open_store(store) as opened:
        now = writing_time(opened, ledger)
        drafts = [Draft(plan.id, now, author, body) for body in bodies]
        entries = ledger.entries()
        ground = ground_of(plan, opened, entries, bodies, now)
        check_entries(bodies, ground, language, source)
        admit(entries, drafts, ground.joint)
        return ledger.append(drafts)


def _agent(feed: str | None, token: str | None) -> HttpFeed | None:
    if feed is None:
        return None
    from roi_tracker.adapters.http_feed import HttpFeed

    return HttpFeed(feed, token)


def _pin(plan: BusinessCase, store: Path, agent: HttpFeed | None, author: str, language: Language) -> None:
    """Ask the agent to keep what is cited, and tell what nobody keeps.

    Raises:
        UnreachableError: the agent does not answer; what was written stays, and is told as not pinned.
    """
    from roi_tracker.ledger.books import books_of
    from roi_tracker.ledger.pinning import pin_evidence
    from roi_tracker.render.store_text import store_catalogue

    t = store_catalogue(language)
    with open_ledger(store) as ledger:
        if agent is not None:
            try:
                pin_evidence(ledger, agent, plan.id, datetime.now(UTC), author)
            except UnreachableError as error:
                _warn(t("claim.written_not_pinned", why=error.args[0]))
                raise
        left = books_of(ledger.entries(), plan.id).unpinned
    for citation in left:
        _warn(t("claim.unpinned", claim=citation.claim, events=len(citation.evidence)))
    if left and agent is not None:
        raise typer.Exit(NO)


def _warn(text: str) -> None:
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def kind_of(entry: Entry) -> str:
    """The kind of an entry, as its file names it."""
    return str(entry.body.__struct_config__.tag)


def say_entries(entries: Sequence[Entry], language: Language) -> None:
    """One line an entry."""
    from roi_tracker.render.store_text import entry_line

    for entry in entries:
        say(entry_line(entry, language))
