"""The command that brings facts in: from export files, or from an agent's feed."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import Annotated

import typer

from roi_tracker.commands.console import JsonOption, errors, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_store
from roi_tracker.errors import IntakeError


def import_events(
    files: Annotated[list[Path] | None, typer.Argument(help="exports: JSON lines, also .gz or .zst")] = None,
    feed: Annotated[str | None, typer.Option(help="address of an agent, e.g. http://127.0.0.1:8080")] = None,
    token: Annotated[str | None, typer.Option(envvar="ROI_TRACKER_TOKEN", help="machine token of the feed")] = None,
    store: StoreOption = DEFAULT_STORE,
    *,
    json: JsonOption = False,
) -> None:
    """Import an agent's events: from export files, or from its feed since the last import. All or nothing a file.

    Example: roi-tracker import events.jsonl.zst --store roi.sqlite
    """
    from roi_tracker.adapters.export_file import read_export
    from roi_tracker.adapters.http_feed import HttpFeed
    from roi_tracker.intake import follow_feed, import_lines
    from roi_tracker.ports import Imported

    if not files and feed is None:
        raise IntakeError("nothing to import", hint="name export files, or --feed URL")
    done: list[Imported] = []
    with open_store(store, create=True) as opened, errors.status("importing") if sys.stderr.isatty() else nullcontext():
        done.extend(import_lines(read_export(path), path.name, opened) for path in files or ())
        if feed is not None:
            done.append(follow_feed(HttpFeed(feed, token), opened))
    total = Imported(sum(d.added for d in done), sum(d.duplicates for d in done), sum(d.ignored for d in done))
    if json:
        print_json(total)
    else:
        say(f"{total.added} facts added, {total.duplicates} already there, {total.ignored} events of no use here")
