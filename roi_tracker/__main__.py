"""`roi-tracker`: appraise a plan, import facts, freeze baselines, measure, report, serve."""

from __future__ import annotations

import os

import typer

from roi_tracker.commands.appraising import appraise, audit, template
from roi_tracker.commands.baselines import baseline_app
from roi_tracker.commands.boards import board
from roi_tracker.commands.console import run
from roi_tracker.commands.importing import import_events
from roi_tracker.commands.ledgers import ledger_app
from roi_tracker.commands.measuring import measure
from roi_tracker.commands.pilots import pilot_app
from roi_tracker.commands.reports import report
from roi_tracker.commands.serving import serve
from roi_tracker.commands.verifying import verify

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.command()(appraise)
app.command()(audit)
app.command()(template)
app.command("import")(import_events)
app.add_typer(baseline_app, name="baseline")
app.add_typer(pilot_app, name="pilot")
app.add_typer(ledger_app, name="ledger")
app.command()(measure)
app.command()(board)
app.command()(report)
app.command()(verify)
app.command()(serve)


def main() -> None:
    """Entry point."""
    # The matrices are small, threads would only wait for one another; commands import numpy later.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run(app)


if __name__ == "__main__":
    main()
