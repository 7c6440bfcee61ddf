"""The command `edge-agent`: run, check, reload, doctor, replay, export, demo."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from edge_agent import logs
from edge_agent.adapters import toml_config
from edge_agent.errors import AgentError, ConfigError, UnreachableError

if TYPE_CHECKING:
    from edge_agent.settings.config import Settings

DONE, NO, USAGE, UNREACHABLE = 0, 1, 2, 3

app = typer.Typer(
    name="edge-agent",
    help="Runs inspection and machine-health models beside the line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
err = Console(stderr=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The agent's settings (see deploy/lineproof.toml).", dir_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, logs on stderr.")]


@app.command(epilog="Example: edge-agent run --config /etc/lineproof/lineproof.toml")
def run(config: ConfigOption = Path("lineproof.toml"), *, as_json: JsonOption = False) -> None:
    """Run the agent until it is asked to end (SIGTERM, Ctrl-C)."""
    from edge_agent import app as composition  # noqa: PLC0415 - the other commands need no model runtime
    from edge_agent import garbage  # noqa: PLC0415 - only here a process streams

    garbage.look_seldom()
    settings = _load(config)
    logs.configure(settings.agent.log_level)

    def ready(url: str) -> None:
        if as_json:
            _print_json({"page": url, "agent": settings.agent.name})
        else:
            err.print(f"ready: {url}", markup=False, style="bold green")

    try:
        raise typer.Exit(composition.run(settings, ready, lambda: toml_config.load(config)))
    except AgentError as error:
        _fail(error)


@app.command(epilog="Example: edge-agent check --config lineproof.toml")
def check(config: ConfigOption = Path("lineproof.toml"), *, as_json: JsonOption = False) -> None:
    """Validate the settings and nothing else: key, value, reason, fix."""
    problems = toml_config.problems(config)
    if as_json:
        _print_json({"config": str(config), "problems": [dataclasses.asdict(problem) for problem in problems]})
    elif problems:
        for problem in problems:
            place = f"{config}:{problem.line}" if problem.line else str(config)
            err.print(f"{place}: {problem.key} = {problem.value!r}", markup=False, highlight=False, style="bold red")
            err.print(f"    {problem.reason}. Fix: {problem.fix}", markup=False, highlight=False)
    else:
        err.print(f"{config} is in order", markup=False, style="green")
    raise typer.Exit(NO if problems else DONE)


@app.command(epilog="Example: edge-agent reload --config /etc/lineproof/lineproof.toml")
def reload(
    config: ConfigOption = Path("lineproof.toml"),
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder of the agent, where the file cannot say it.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Wait this long for the agent's answer, seconds.")] = 180.0,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have the running agent read its settings anew: exit 0 all in force, 1 refused, restart, unusable model."""
    from edge_agent.adapters.agent_process import ask_reload  # noqa: PLC0415 - as above

    try:
        told = ask_reload(data_dir or toml_config.data_dir_of(config), timeout)
    except AgentError as error:
        _fail(error)
    if as_json:
        _print_json(msgspec.to_builtins(told))
    elif told.refused:
        err.print(f"refused; the settings before it hold: {told.refused}", markup=False, style="red")
    else:
        for sentence in told.changed or (() if told.unusable else ("nothing changed",)):
            err.print(sentence, markup=False, highlight=False)
        if told.waiting:
            err.print(f"only after a restart: {', '.join(told.waiting)}", markup=False, style="yellow")
    for sentence in told.unusable:
        err.print(sentence, markup=False, highlight=False, style="bold red")
    raise typer.Exit(NO if told.refused or told.waiting or told.unusable else DONE)


@app.command(epilog="Example: edge-agent doctor --config lineproof.toml")
def doctor(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings to look at too.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Look at processor, runtime, store, clock, disk, broker and folders, and say what to do."""
    from edge_agent.commands import doctor as surgery  # noqa: PLC0415 - the other commands need no model runtime

    findings = surgery.examine(_load(config) if config is not None else None)
    if as_json:
        _print_json({"findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
        for finding in findings:
            todo = f" -> {finding.todo}" if finding.todo else ""
            text = f"{finding.state:4} {finding.subject}: {finding.found}{todo}"
            err.print(text, markup=False, highlight=False, style=styles[finding.state])
    raise typer.Exit(DONE if surgery.sound(findings) else NO)


@app.command(epilog="Example: edge-agent export ./out --config lineproof.toml")
def export(
    out: Annotated[Path, typer.Argument(help="Folder to make; must not exist.")],
    config: ConfigOption = Path("lineproof.toml"),
    *,
    as_json: JsonOption = False,
) -> None:
    """Write all events (JSON lines) and readings (CSV) with a data dictionary; works beside a running agent."""
    from edge_agent.adapters.sqlite_reader import SqliteReader  # noqa: PLC0415 - as above
    from edge_agent.commands.exporting import export_all  # noqa: PLC0415 - as above

    settings = _load(config)
    database = Path(settings.agent.data_dir) / "lineproof.sqlite"
    if not database.exists():
        _fail(ConfigError("there is no store yet", field="agent.data_dir", value=str(database), hint="run the agent"))
    try:
        written = export_all(SqliteReader.open(database), out)
    except AgentError as error:
        _fail(error)
    if as_json:
        _print_json(dataclasses.asdict(written))
    else:
        err.print(f"{written.events} events and {written.readings} readings in {out}", markup=False)


@app.command(epilog="Example: edge-agent replay --config lineproof.toml --readings run1.csv --rate 100")
def replay(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    config: ConfigOption = Path("lineproof.toml"),
    readings: Annotated[list[Path] | None, typer.Option(help="CSV: a time column and one column a sensor.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of images for the station's watched folder.")] = None,
    station: Annotated[str | None, typer.Option(help="Station that gets the images; needed if several.")] = None,
    rate: Annotated[str, typer.Option(help="Rows (or images) a second, `max`, or `real`.")] = "real",
    restamp: Annotated[str, typer.Option(help="`keep` the recorded times, or bring them to `now`.")] = "now",
    time_zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    asset: Annotated[str | None, typer.Option(help="Asset that sent the readings; needed if several fit.")] = None,
    shuffle: Annotated[int | None, typer.Option(help="Seed that shuffles the images.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Publish recorded data as a plant would: rows over MQTT, images into the watched folder."""
    from edge_agent.commands.replaying import ReplayPlan, replay as publish  # noqa: I001, PLC0415 - as above

    settings = _load(config)
    plan = ReplayPlan.parse(
        settings,
        readings or [],
        images,
        station=station,
        asset=asset,
        rate=rate,
        restamp=restamp,
        time_zone=time_zone,
        shuffle=shuffle,
    )
    with _progress() as progress:
        task = progress.add_task("replaying", total=None)
        summary = publish(plan, lambda done, total: progress.update(task, completed=done, total=total))
    if as_json:
        _print_json(dataclasses.asdict(summary))
    else:
        err.print(str(summary), markup=False)
    if summary.refused:
        err.print(
            f"the broker refused {summary.refused} messages: give [broker] an account that may write there",
            markup=False,
            style="red",
        )
        raise typer.Exit(NO)


@app.command(epilog="Example: edge-agent demo --seconds 120 --json")
def demo(
    seconds: Annotated[int | None, typer.Option(min=1, help="End by itself after so many seconds.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the status page.")] = 8080,
    data_dir: Annotated[Path, typer.Option(help="Folder for everything the demo makes.")] = Path("demo-data"),
    *,
    as_json: JsonOption = False,
) -> None:
    """Start a broker, a simulated line, the agent and the report on this machine; nothing leaves 127.0.0.1."""
    from edge_agent.demo.run import run_demo  # noqa: PLC0415 - as above

    try:
        run_demo(seconds, port, data_dir, as_json=as_json)
    except AgentError as error:
        _fail(error)


def main() -> None:
    """Entry point of `edge-agent`."""
    try:
        app()
    except AgentError as error:
        _fail(error)


def _load(config: Path) -> Settings:
    try:
        return toml_config.load(config)
    except ConfigError as error:
        _fail(error)


def _fail(error: AgentError) -> NoReturn:
    err.print(f"error: {error}", markup=False, highlight=False, style="red")
    sys.exit(UNREACHABLE if isinstance(error, UnreachableError) else USAGE)


def _print_json(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


if __name__ == "__main__":
    main()
