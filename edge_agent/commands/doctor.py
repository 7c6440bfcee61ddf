"""`edge-agent doctor`: looks at the machine and says what is fine and what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import threading
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import apsw
import onnxruntime

from edge_agent.adapters.camera_look import look
from edge_agent.adapters.model_catalog import ModelCatalog
from edge_agent.adapters.mqtt_client import Session, make_client
from edge_agent.adapters.toml_config import read_secret
from edge_agent.commands.forecasting import forecast
from edge_agent.errors import AgentError
from edge_agent.inspection.capture_health import CAMERA_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.settings.config import Settings, StationSettings

_FREE_BYTES = 2 * 1024**3
_FIRST_SOUND_SQLITE = (3, 51, 3)
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
_CONNECT_S = 3.0
_RATE_SLACK_RATIO = 0.15


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `warn` (works, look at it) or `fail` (does not work), and what to do."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    found: str
    todo: str = ""


def examine(settings: Settings | None) -> list[Finding]:
    """Look at processor, runtime, SQLite and clock; with settings also at disk, broker, models and folders."""
    findings = [_processor(), _runtimes(), _sqlite(), _clock()]
    if settings is not None:
        findings += [_disk(Path(settings.agent.data_dir)), _broker(settings), *_providers(settings)]
        findings += _kept(settings)
        findings += [*_models(settings), *_folders(settings), *_cameras(settings)]
    return findings


def _processor() -> Finding:
    found = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    if platform.machine() not in {"x86_64", "aarch64"}:
        return Finding("machine", "warn", found, "Lineproof is tested on x86_64 and aarch64 only")
    return Finding("machine", "ok", found)


def _runtimes() -> Finding:
    installed = []
    for name in _RUNTIMES:
        try:
            installed.append(f"{name} {distribution(name).version}")
        except PackageNotFoundError:
            continue
    if len(installed) > 1:
        todo = "these packages overwrite one another: uninstall all of them, then install the one you want"
        return Finding("onnxruntime", "fail", ", ".join(installed), todo)
    found = f"{', '.join(installed)}; providers {', '.join(onnxruntime.get_available_providers())}"
    return Finding("onnxruntime", "ok", found)


def _sqlite() -> Finding:
    found = f"apsw {apsw.apsw_version()} (SQLite {apsw.sqlite_lib_version()}); Python's own {sqlite3.sqlite_version}"
    parts = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if parts < _FIRST_SOUND_SQLITE:
        return Finding("sqlite", "fail", found, "update apsw: SQLite before 3.51.3 can corrupt its write-ahead log")
    return Finding("sqlite", "ok", found)


def _clock() -> Finding:
    year = time.gmtime().tm_year
    if not 2025 <= year < 2100:  # noqa: PLR2004 - a clock outside these years was never set
        return Finding("clock", "fail", f"the year is {year}", "set the clock, and keep it set with NTP or chrony")
    return Finding("clock", "ok", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def _disk(data: Path) -> Finding:
    existing = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1024**3:.1f} GiB free under {data}"
    if not os.access(existing, os.W_OK):
        return Finding("disk", "fail", f"{existing} is not writable", "give the agent's user write access to data_dir")
    if free < _FREE_BYTES:
        return Finding("disk", "warn", found, "free some space: evidence images and readings need it")
    return Finding("disk", "ok", found)


def _kept(settings: Settings) -> list[Finding]:
    """What is kept, and when which of it goes."""
    try:
        told = forecast(settings.retention, Path(settings.agent.data_dir), time.time_ns() // 1_000)
    except AgentError as error:
        return [Finding("retention", "warn", str(error.args[0]), error.hint)]
    return [Finding(entry.subject, "warn" if entry.todo else "ok", entry.found, entry.todo) for entry in told]


def _broker(settings: Settings) -> Finding:
    """Log in as the agent would, under another client id so that a running agent keeps its session."""
    found = f"{settings.broker.host}:{settings.broker.port}"
    answered = threading.Event()
    refusals: list[str] = []

    def on_connect(_client: object, _userdata: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            refusals.append(str(reason))
        answered.set()

    try:
        client = make_client(settings.broker, Session(f"{settings.agent.name}-doctor", keep=False))
        client.on_connect = on_connect
        client.reconnect()
    except AgentError as error:
        return Finding("broker", "fail", f"{found}: {error.args[0]}", error.hint)
    except OSError as error:
        todo = "start the broker (deploy/mosquitto), or correct broker.host and broker.port"
        return Finding("broker", "fail", f"{found}: {error}", todo)
    client.loop_start()
    heard = answered.wait(_CONNECT_S)
    client.disconnect()
    client.loop_stop()
    if refusals:
        todo = "correct broker.username and its password, or the broker's account"
        return Finding("broker", "fail", f"{found} refuses us: {refusals[0]}", todo)
    if not heard:
        return Finding("broker", "fail", f"{found} does not answer as an MQTT 5 broker", "check broker.port and TLS")
    return Finding("broker", "ok", f"{found} lets us in")


def _providers(settings: Settings) -> list[Finding]:
    available = onnxruntime.get_available_providers()
    return [
        Finding("provider", "ok", name)
        if name in available
        else Finding("provider", "fail", f"{name} is not available here", f"choose from {', '.join(available)}")
        for name in settings.inference.providers
    ]


def _models(settings: Settings) -> list[Finding]:
    """Every model on every provider of this machine: which run it, and whether they answer its golden set."""
    catalog = ModelCatalog(Path(settings.agent.data_dir) / "models", settings.inference.providers)
    named = dict.fromkeys([*_station_models(settings), *(asset.model for asset in settings.assets)])
    return [finding for model in named for finding in _model(catalog, model, settings.inference.providers)]


def _station_models(settings: Settings) -> Iterator[str]:
    for station in settings.stations:
        yield station.model
        yield from (recipe.model for recipe in station.recipes if recipe.model is not None)


def _model(catalog: ModelCatalog, model: str, wanted: Sequence[str]) -> Iterator[Finding]:
    try:
        rows = catalog.try_providers(model)
    except AgentError as error:
        yield Finding(f"model {model}", "fail", str(error.args[0]), error.hint or "teach or install the model")
        return
    usable = any(row.state == "ok" for row in rows if row.provider in wanted)
    for row in rows:
        subject = f"model {model} on {row.provider}"
        if row.state == "ok" and row.difference is not None and row.answer_ms is not None:
            found = f"golden set answered, greatest difference {row.difference:.2%}, {row.answer_ms:.1f} ms an answer"
            yield Finding(subject, "ok", found)
        elif row.provider in wanted:
            todo = "it is passed over; take it out of inference.providers, or install what it needs"
            yield Finding(subject, "warn" if usable else "fail", f"{row.state}: {row.detail}", todo)
        else:
            yield Finding(subject, "ok", f"not used; {row.state}: {row.detail}")


def _folders(settings: Settings) -> list[Finding]:
    findings = []
    for station in settings.stations:
        if station.folder is None:
            continue
        folder, subject = Path(station.folder.path), f"station {station.name}"
        if not folder.is_dir():
            todo = "make the folder, or mount the share it lives on"
            findings.append(Finding(subject, "fail", f"{folder} is not a folder", todo))
        elif not os.access(folder, os.R_OK | os.X_OK):
            findings.append(Finding(subject, "fail", f"{folder} is not readable", "grant read access"))
        else:
            findings.append(Finding(subject, "ok", f"{folder} is readable"))
    return findings


def _cameras(settings: Settings) -> list[Finding]:
    return [_camera(station) for station in settings.stations if station.camera is not None]


def _camera(station: StationSettings) -> Finding:
    """Look through a camera for two seconds; an agent that runs may hold a USB camera."""
    subject, camera = f"camera {station.name}", station.camera
    file = camera.password_file if camera is not None else None
    try:
        seen = look(station, read_secret(Path(file)) if file is not None else "")
    except (AgentError, OSError) as error:
        return Finding(subject, "fail", str(error), "see docs/operate/cameras.md")
    if seen.fault:
        todo = "see docs/operate/cameras.md; a USB camera shows nothing while the agent runs"
        return Finding(subject, "fail", CAMERA_FAULTS[seen.fault], todo)
    found = f"{seen.width} x {seen.height}, {seen.rate_hz:.1f} frames/s"
    wanted_hz = camera.rate_hz if camera is not None else 0.0
    if abs(seen.rate_hz - wanted_hz) > _RATE_SLACK_RATIO * wanted_hz:
        return Finding(subject, "warn", found, f"set rate_hz = {wanted_hz:g} and the camera to the same rate")
    return Finding(subject, "ok", found)


def sound(findings: list[Finding]) -> bool:
    """Whether nothing fails."""
    return not any(finding.state == "fail" for finding in findings)
