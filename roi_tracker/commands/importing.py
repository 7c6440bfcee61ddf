"""The command that brings facts in: the plant's own files, export files of an agent, or an agent's feed."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import load_case
from roi_tracker.commands.console import (
    NO,
    JsonOption,
    LangOption,
    errors,
    language_of,
    print_json,
    say,
    speak,
    table_console,
)
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_store
from roi_tracker.plant_files.fault_words import file_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.adapters.http_feed import HttpFeed
    from roi_tracker.adapters.sqlite_store import SqliteStore
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.money import Language
    from roi_tracker.plant_files.importing import Plant, Preview
    from roi_tracker.plant_files.mapping import Mapping
    from roi_tracker.ports import Imported


def import_events(  # noqa: PLR0913 - options of one command
    files: Annotated[
        list[Path] | None, typer.Argument(help="plant files (.csv, .xlsx) or exports: JSON lines, also .gz or .zst")
    ] = None,
    feed: Annotated[str | None, typer.Option(help="address of an agent, e.g. http://127.0.0.1:8080")] = None,
    token: Annotated[str | None, typer.Option(envvar="ROI_TRACKER_TOKEN", help="machine token of the feed")] = None,
    store: StoreOption = DEFAULT_STORE,
    *,
    case: Annotated[Path | None, typer.Option("--case", help="case whose plant has the shifts and time zone")] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="TOML mapping of a plant file's columns")] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="of the rows: counts, audits, challenges, escapes, stops, energy, labour, kpis, costs, covariates"
        ),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="show how files are read; store nothing")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="changed rows replace what is stored")] = False,
    lang: LangOption = None,
    json: JsonOption = False,
) -> None:
    """Import the plant's files, or an agent's events from exports or its feed. All or nothing a file.

    Example: roi-tracker import counts.xlsx --case case.yaml --preview
    """
    from roi_tracker.adapters.plant_file import is_plant_file

    speak(language_of(lang))
    plan = load_case(case) if case is not None else None
    language = language_of(lang, plan)
    speak(language)
    if not files and feed is None:
        raise file_fault("nothing")
    for path in files or ():
        if not path.is_file():  # before a store is made
            raise file_fault("absent", source=path)
    of_plant = [path for path in files or () if is_plant_file(path.name)]
    exports = [path for path in files or () if path not in of_plant]
    mapping, plant = _mapping(map_file, kind), _plant(plan)
    if preview:
        _show([_previewed(path, mapping, plant) for path in of_plant], language, json=json)
        return
    source = _source(feed, token)  # before a store is made: a missing library leaves nothing behind
    with open_store(store, create=True) as opened, errors.status("importing") if sys.stderr.isatty() else nullcontext():
        done = [_plant_file(path, mapping, plant, (opened, store, case), replace=replace) for path in of_plant]
        done += _events(exports, source, opened)
        head = opened.head().sha256
    total = {name: sum(getattr(d, name) for d in done) for name in ("added", "duplicates", "ignored", "replaced")}
    if json:
        print_json(total | {"head": head})
    else:
        replaced = f", {total['replaced']} replaced" if total["replaced"] else ""
        say(
            f"{total['added']} facts added, {total['duplicates']} already there{replaced},"
            f" {total['ignored']} events of no use here; head {head[:16]}"
        )


def _source(feed: str | None, token: str | None) -> HttpFeed | None:
    if feed is None:
        return None
    from roi_tracker.adapters.http_feed import HttpFeed

    return HttpFeed(feed, token)


def _events(exports: Sequence[Path], feed: HttpFeed | None, store: SqliteStore) -> list[Imported]:
    from roi_tracker.adapters.export_file import read_export
    from roi_tracker.intake import follow_feed, import_lines

    done = [import_lines(read_export(path), path.name, store) for path in exports]
    if feed is not None:
        done.append(follow_feed(feed, store))
    return done


def _mapping(path: Path | None, kind: str | None) -> Mapping:
    from roi_tracker.plant_files.kinds import SPECS
    from roi_tracker.plant_files.mapping import Mapping, read_mapping

    try:
        mapping = read_mapping(path.read_text(encoding="utf-8")) if path else Mapping()
    except (OSError, UnicodeDecodeError) as error:
        raise file_fault("mapping", why=error) from error
    if kind is None:
        return mapping
    known = next((spec.kind for spec in SPECS if spec.kind == kind), None)
    if known is None:
        kinds = ", ".join(spec.kind for spec in SPECS)
        raise file_fault("kind_absent", kind=kind, known=kinds)
    return mapping.model_copy(update={"kind": known})


def _now() -> datetime:
    return datetime.now(UTC)


def _plant(plan: BusinessCase | None) -> Plant:
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.plant_files.importing import Plant

    if plan is None:
        return Plant(now=_now)
    return Plant(ShiftCalendar(plan.plant), plan.plant.time_zone, _now)


def _previewed(path: Path, mapping: Mapping, plant: Plant) -> Preview:
    from roi_tracker.adapters.plant_file import open_plant_file
    from roi_tracker.plant_files.importing import preview

    with open_plant_file(path, mapping) as sheet:
        return preview(sheet, mapping, plant)


def _show(previews: Sequence[Preview], language: Language, *, json: bool) -> None:
    """Print previews as tables; exit 1 when a file would be refused."""
    from roi_tracker.render.catalogue import catalogue
    from roi_tracker.render.preview_table import preview_tables

    if json:
        print_json(previews)
    else:
        console = table_console()
        for shown in previews:
            for part in preview_tables(shown, language):
                console.print(part, markup=False, highlight=False)
        say(catalogue(language)("preview.nothing_stored"))
    if any(shown.wrong for shown in previews):
        raise typer.Exit(NO)


def _plant_file(
    path: Path, mapping: Mapping, plant: Plant, where: tuple[SqliteStore, Path, Path | None], *, replace: bool
) -> Imported:
    from roi_tracker.adapters.plant_file import open_plant_file
    from roi_tracker.plant_files.importing import import_sheet, kind_of

    store, file, case = where
    with open_plant_file(path, mapping) as sheet:
        if kind_of(sheet, mapping) != "costs":
            return import_sheet(sheet, mapping, plant, store, replace=replace)
    return _costs(path, mapping, plant, file, case)


def _costs(path: Path, mapping: Mapping, plant: Plant, file: Path, case: Path | None) -> Imported:
    """Book a file's costs in the ledger of the case; a reference that is booked already is booked once."""
    from datetime import UTC, datetime

    from roi_tracker.adapters.plant_file import open_plant_file
    from roi_tracker.commands.store_file import open_ledger
    from roi_tracker.ledger.books import admit
    from roi_tracker.ledger.entries import ActualCost, Draft
    from roi_tracker.plant_files.importing import read_costs
    from roi_tracker.ports import Imported

    if case is None:
        raise file_fault("costs_without_case", source=path.name)
    case_id = load_case(case).id
    with open_plant_file(path, mapping) as sheet:
        costs = read_costs(sheet, mapping, plant)
    bodies = [
        ActualCost(
            day=cost.day,
            amount=cost.amount,
            cost=cost.kind,
            name_ko=cost.name,
            name_en=cost.name,
            reference=cost.reference,
            line=cost.line,
        )
        for cost in costs
    ]
    with open_ledger(file, create=True) as ledger:
        entries = ledger.entries()
        booked = {
            entry.body.reference: entry.body
            for entry in entries
            if entry.case_id == case_id and isinstance(entry.body, ActualCost)
        }
        changed = sorted(body.reference for body in bodies if booked.get(body.reference, body) != body)
        if changed:
            raise file_fault("booked_otherwise", source=path.name, references=", ".join(changed))
        now = datetime.now(UTC)
        new = [Draft(case_id, now, f"import {path.name}", body) for body in bodies if body.reference not in booked]
        if new:
            admit(entries, new, ())
            ledger.append(new)
    return Imported(added=len(new), duplicates=len(bodies) - len(new), ignored=0)
