"""The configuration file: read, checked and explained; relative paths are relative to the file."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from edge_agent.errors import ConfigError
from edge_agent.payloads.topic_map import TopicPattern, problem_of
from edge_agent.settings.config import Settings
from edge_agent.settings.problems import Problem, dotted, explain, strange_values
from edge_agent.settings.products import is_product_unsaid
from edge_agent.settings.toml_lines import KeyPath, key_lines, nearest_line

if TYPE_CHECKING:
    from collections.abc import Iterator

RESERVED = ("ts", "seq", "epoch", "source")  # fields of every message
_WORLD = 0o007
_GROUP = 0o070
_DATA_DIR = re.compile(r"""^\s*data_dir\s*=\s*["'](.+?)["']""", re.MULTILINE)
_PARSER_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


class ConfigFileError(ConfigError):
    """A configuration file cannot be used; `problems` has every reason."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        many = f"{len(problems)} problems in {path}" if len(problems) > 1 else f"a problem in {path}"
        super().__init__("\n".join([many, *(problem.text(path.name) for problem in problems)]))
        self.problems = tuple(problems)


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        ConfigFileError: it cannot be used; lists every problem with file, line, key, value, reason and fix.
    """
    settings, found, _ = _examine(path)
    if settings is None or found:
        raise ConfigFileError(path, found)
    return settings


def data_dir_of(path: Path) -> Path:
    """The agent's data folder as a file names it, whatever else is wrong with the file.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or names no data folder.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", hint="name an existing file, or give --data-dir") from error
    try:
        named = next((agent.get("data_dir") for agent in _tables(tomllib.loads(text).get("agent"))), None)
    except tomllib.TOMLDecodeError as error:
        found = _DATA_DIR.search(text)  # a file that is no TOML now was one when the agent began
        if found is None:
            raise ConfigFileError(path, [_of_parser(str(error), text)]) from error
        named = found.group(1)
    if not isinstance(named, str) or not named:
        raise ConfigError(f"{path} names no agent.data_dir", hint="write it, or give --data-dir")
    return Path(os.path.abspath(path.absolute().parent / named))  # noqa: PTH100 - Path.resolve would follow links


def problems(path: Path) -> list[Problem]:
    """Everything that is wrong with a file, what it names on this machine included; empty when all is well."""
    settings, found, lines = _examine(path)
    if settings is not None:
        found += [_located(problem, key, lines) for key, problem in _of_machine(settings)]
    return found


def read_secret(path: Path) -> str:
    """Read a secret from a file of its own; the line feed at its end is not part of it.

    A file of another owner may be readable by a group, for that is how it reaches us (`root:lineproof`, systemd
    credentials); our own file may not.

    Raises:
        ConfigError: unreadable, empty, or open to others, with the command that closes it.
    """
    try:
        status = path.stat()
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"the secret in {path} cannot be read: {reason}", hint="make the file, readable by the agent only"
        ) from error
    ours = status.st_uid == os.geteuid()
    if status.st_mode & (_WORLD | _GROUP if ours else _WORLD):
        who = "every user" if status.st_mode & _WORLD else "its group"
        command = f"chmod {'600' if ours else '640'} {path}"
        raise ConfigError(f"the secret in {path} is open to {who} (mode {status.st_mode & 0o777:o})", hint=command)
    if not text:
        raise ConfigError(f"the secret file {path} is empty", hint="write the secret into it, on one line")
    return text


def _examine(path: Path) -> tuple[Settings | None, list[Problem], dict[KeyPath, int]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        return None, [Problem("", "", reason, "name an existing file; deploy/lineproof.toml is a sample")], {}
    except UnicodeDecodeError as error:
        return None, [Problem("", "", f"is not UTF-8 text at byte {error.start}", "save it as UTF-8")], {}
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_of_parser(str(error), text)], {}
    lines = key_lines(text)
    strange = [
        Problem(dotted(key), value, "is no value of a setting", fix, nearest_line(lines, key))
        for key, value, fix in strange_values(data)
    ]
    if strange:
        return None, strange, lines
    _make_absolute(data, path.absolute().parent)
    found = [_located(problem, key, lines) for key, problem in _of_values(data)]
    settings: Settings | None = None
    try:
        # through JSON, because pydantic's strict mode takes JSON's lists for tuples and nothing else for anything else
        settings = Settings.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        found += explain(error, data, lines)
    return settings, sorted(found, key=lambda problem: problem.line or 0), lines


def _of_parser(message: str, text: str) -> Problem:
    match = _PARSER_LINE.search(message)
    line = int(match.group(1)) if match is not None and match.group(1) else text.count("\n") + 1
    stood = text.splitlines()[line - 1].strip() if line <= len(text.splitlines()) else ""
    reason = f"is not TOML: {_PARSER_LINE.sub('', message)}"
    fix = f"correct the line that reads {stood!r}" if stood else "complete the file"
    return Problem("", "", reason, f"{fix}; text stands in quotes, lists in [ ]", line)


def _located(problem: Problem, key: KeyPath, lines: dict[KeyPath, int]) -> Problem:
    return Problem(problem.key, problem.value, problem.reason, problem.fix, nearest_line(lines, key))


def _make_absolute(data: dict[str, Any], base: Path) -> None:
    """Make the paths that the file states absolute, in place; a model without a `/` is a name and stays one."""
    for table, name in _path_settings(data):
        value = table.get(name)
        if isinstance(value, str) and value and (name != "model" or "/" in value or value.startswith(".")):
            table[name] = os.path.abspath(base / value)  # noqa: PTH100 - Path.resolve would follow links


def _tables(value: object) -> list[dict[str, Any]]:
    """A table or the tables of a list; nothing for what is neither."""
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]


def _path_settings(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for agent in _tables(data.get("agent")):
        yield agent, "data_dir"
    for broker in _tables(data.get("broker")):
        yield broker, "password_file"
        for tls in _tables(broker.get("tls")):
            yield from ((tls, name) for name in ("ca_file", "cert_file", "key_file"))
    for station in _tables(data.get("stations")):
        yield station, "model"
        yield from ((recipe, "model") for recipe in _tables(station.get("recipes")))
        for camera in _tables(station.get("camera")):
            yield camera, "password_file"
        for folder in _tables(station.get("folder")):
            yield from ((folder, name) for name in ("path", "done_path"))
    for asset in _tables(data.get("assets")):
        yield asset, "model"


def _of_values(data: dict[str, Any]) -> Iterator[tuple[KeyPath, Problem]]:
    """What only this machine's files can tell: the time zone, and secrets open to others."""
    for agent in _tables(data.get("agent")):
        zone = agent.get("time_zone")
        if isinstance(zone, str) and not _is_time_zone(zone):
            problem = Problem(
                "agent.time_zone", json.dumps(zone), "is not a time zone", 'write an IANA name such as "Asia/Seoul"'
            )
            yield ("agent", "time_zone"), problem
    for broker in _tables(data.get("broker")):
        yield from _of_secret(("broker", "password_file"), broker)
    for number, station in enumerate(_tables(data.get("stations"))):
        for camera in _tables(station.get("camera")):
            yield from _of_secret(("stations", number, "camera", "password_file"), camera)
    for mqtt in _tables(data.get("mqtt")):
        for kind, check in (
            ("readings", _of_topic),
            ("facts", _of_topic),
            ("unified", _of_pattern),
            ("images", _of_pattern),
            ("products", _of_topic),
        ):
            for number, topic in enumerate(_tables(mqtt.get(kind))):
                yield from check(("mqtt", kind, number), topic)


def _of_secret(key: KeyPath, table: dict[str, Any]) -> Iterator[tuple[KeyPath, Problem]]:
    file = table.get("password_file")
    if isinstance(file, str):
        try:
            read_secret(Path(file))
        except ConfigError as error:
            yield key, Problem(dotted(key), file, str(error.args[0]), error.hint)


def _of_topic(key: KeyPath, topic: dict[str, Any]) -> Iterator[tuple[KeyPath, Problem]]:
    """What the codec would refuse at the start."""
    written = topic.get("filter")
    problem = problem_of(written) if isinstance(written, str) else None
    if problem is not None:
        at = (*key, "filter")
        yield at, Problem(dotted(at), json.dumps(written), "is no MQTT topic filter", f"correct it: {problem}")
    for channels in _tables(topic.get("channels")):
        for name in RESERVED:
            if name in channels:
                at = (*key, "channels", name)
                reason = "has a meaning of its own in a message and cannot be a channel"
                yield at, Problem(dotted(at), "", reason, "rename it")


def _of_pattern(key: KeyPath, topic: dict[str, Any]) -> Iterator[tuple[KeyPath, Problem]]:
    written = topic.get("pattern")
    if not isinstance(written, str):
        return
    try:
        problem = problem_of(TopicPattern(written).filter)
    except ConfigError as error:
        problem = error.hint.removeprefix("correct it: ")
    if problem is not None:
        at = (*key, "pattern")
        yield at, Problem(dotted(at), json.dumps(written), "is no MQTT topic pattern", f"correct it: {problem}")


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _of_machine(settings: Settings) -> Iterator[tuple[KeyPath, Problem]]:
    """What the file names and this machine does not have, or has at the wrong place."""
    key: KeyPath
    tls = settings.broker.tls
    for name, file in (tls.model_dump() if tls is not None else {}).items():
        if file is not None and not os.access(file, os.R_OK):
            problem = Problem(f"broker.tls.{name}", file, "cannot be read", "put the PEM file there, readable by us")
            yield ("broker", "tls", name), problem
    for number, station in enumerate(settings.stations):
        yield from _of_model(("stations", number, "model"), station.model, settings, "images --good DIR")
        for place, recipe in enumerate(station.recipes):
            if recipe.model is not None:
                key = ("stations", number, "recipes", place, "model")
                yield from _of_model(key, recipe.model, settings, "images --good DIR")
        if is_product_unsaid(station, settings):
            key = ("stations", number, "unknown_product")
            reason = "gives every part NO_VERDICT: no recipe fits a station without a product, and nothing says one"
            fix = "write product, or [[mqtt.products]], or a level {product} in the pictures' topic"
            yield key, Problem(dotted(key), "no_verdict", reason, fix)
        if station.folder is None:
            continue
        path, done = Path(station.folder.path), station.folder.done_path
        # a folder that is not there is a share not mounted yet: the agent waits for it, and `doctor` tells
        if done is not None and path.is_dir() and path.stat().st_dev != _existing(Path(done)).stat().st_dev:
            fix = "name a folder on the file system of the watched one"
            key = ("stations", number, "folder", "done_path")
            yield key, Problem(dotted(key), done, "is on another file system, where files cannot be moved at once", fix)
    for number, asset in enumerate(settings.assets):
        yield from _of_model(("assets", number, "model"), asset.model, settings, "health --readings FILE")


def _of_model(key: KeyPath, model: str, settings: Settings, lesson: str) -> Iterator[tuple[KeyPath, Problem]]:
    folder = Path(model) if "/" in model else Path(settings.agent.data_dir) / "models" / model
    if not folder.is_dir():
        fix = f"teach one: edge-model teach {lesson} --out {model if '/' in model else folder}"
        yield key, Problem(dotted(key), model, f"names no model: there is no folder {folder}", fix)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))
