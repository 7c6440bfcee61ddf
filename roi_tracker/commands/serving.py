"""The command that serves the report portal."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import LangOption, language_of
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.reporting import Reporting

_LOOPBACK = ("127.0.0.1", "localhost")
"""Without accounts, files are taken only from this machine."""


def serve(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8090,
    host: Annotated[str, typer.Option(help="address to listen on; the page has no accounts yet")] = "127.0.0.1",
    agent: Annotated[
        str | None, typer.Option(help="address of the agent's status page, for links to images of parts")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Serve the report portal for management in Korean and English, until Ctrl-C: pages, downloads, drill-down.

    A page is in the language that its address or the browser asks for, else in that of --lang or the case, else Korean.

    Example: roi-tracker serve --case case.yaml --store roi.sqlite --port 8090
    """
    import uvicorn

    from roi_tracker.commands.reports import case_text
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.plant_files.importing import Plant
    from roi_tracker.portal import Desk, portal
    from roi_tracker.reporting import Reporting

    plan, text = load_case(case), case_text(case)
    calendar = ShiftCalendar(plan.plant)
    with open_store(store):
        pass

    @contextmanager
    def programme() -> Iterator[Reporting]:
        with open_store(store) as opened, open_ledger(store) as ledger:
            yield Reporting(plan, opened, ledger, text=text)

    desk = Desk(
        programme=programme,
        today=lambda: calendar.local_day(datetime.now(UTC)),
        open_store=(lambda: open_store(store)) if host in _LOOPBACK else None,
        plant=Plant(calendar, plan.plant.time_zone, lambda: datetime.now(UTC)),
        agent=agent or "",
        language="ko" if lang is None and plan.language is None else language_of(lang, plan),
    )
    hosts = _LOOPBACK if host in _LOOPBACK else (host, *_LOOPBACK)
    uvicorn.run(portal(desk, hosts), host=host, port=port, log_level="warning")
