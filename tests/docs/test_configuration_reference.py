"""The commented sample, the reference page and the settings themselves say the same.

`python tests/docs/test_configuration_reference.py` writes the page anew.
"""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import PydanticUndefined

from edge_agent.adapters.toml_config import load
from edge_agent.settings.config import Settings
from edge_agent.settings.problems import section_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "deploy" / "lineproof.toml"
PAGE = ROOT / "docs" / "reference" / "configuration.md"
HEAD = """# Configuration

One TOML file holds every setting of an agent. `edge-agent check --config FILE` says what is wrong in it: line, key,
value, reason and fix, all problems at once. Unknown keys are refused, so a slip of the pen never passes for a default.
A number in the wrong unit (`keepalive_s = 30000`) is told with the value that was meant. Relative paths are relative to
the file.

The sample below is [deploy/lineproof.toml](../../deploy/lineproof.toml); tests load it and hold this page to the code.

## Settings

`[[...]]` may be given several times. What is *needed* is needed where its section is given.
"""


class Setting(NamedTuple):
    """One setting: its section as TOML writes it, its name, and what pydantic knows of it."""

    section: str
    name: str
    field: FieldInfo

    @property
    def default(self) -> Any:
        return None if self.field.default_factory is not None else self.field.default


def walk(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Setting]:
    """Every setting that holds a value, in the order of the models, a section's own values first."""
    fields = sorted(model.model_fields.items(), key=lambda item: section_of(item[1].annotation) is not None)
    for name, field in fields:
        inner = section_of(field.annotation)
        if inner is None:
            yield Setting(prefix, name, field)
        else:
            yield from walk(inner, f"{prefix}.{name}" if prefix else name)


def toml(value: object) -> str:
    """A default as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(toml(entry) for entry in value) + "]"
    return str(value)


def bounds(field: FieldInfo) -> str:
    """The bounds of a setting, or the values it may have."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    found = [
        f"{word} {getattr(rule, name)}"
        for rule in field.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]
    choices = [choice for choice in _choices(field.annotation) if isinstance(choice, str)]
    return ", ".join(found) or ", ".join(f"`{choice}`" for choice in choices)


def _choices(annotation: object) -> Iterator[object]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
        return
    for argument in typing.get_args(annotation):
        yield from _choices(argument)


def is_repeated(path: str) -> bool:
    """Whether a section is a list of tables."""
    model: type[BaseModel] | None = Settings
    field: FieldInfo | None = None
    for name in path.split("."):
        assert model is not None
        field = model.model_fields[name]
        model = section_of(field.annotation)
    return field is not None and typing.get_origin(field.annotation) is tuple


def page() -> str:
    """The reference page."""
    parts = [HEAD]
    section = None
    for setting in walk():
        if setting.section != section:
            section = setting.section
            header = f"[[{section}]]" if is_repeated(section) else f"[{section}]"
            parts.append(f"\n### `{header}`\n\n| setting | default | bounds | what it is |\n|---|---|---|---|\n")
        nothing = "*needed*" if setting.field.is_required() else "none"
        default = nothing if setting.default in {PydanticUndefined, None, ""} else f"`{toml(setting.default)}`"
        parts.append(f"| `{setting.name}` | {default} | {bounds(setting.field)} | {setting.field.description} |\n")
    parts.append(f"\n## Sample\n\n```toml\n{SAMPLE.read_text(encoding='utf-8')}```\n")
    return "".join(parts)


def uncommented(text: str) -> str:
    """The sample with all optional settings, but not those that stand instead of others."""
    return re.sub(r"^#(?=[a-z\[])", "", text, flags=re.MULTILINE)


def test_every_setting_has_a_description() -> None:
    settings = list(walk())
    assert len(settings) > 70
    assert [f"{s.section}.{s.name}" for s in settings if not s.field.description] == []


def test_the_sample_loads_as_it_stands() -> None:
    settings = load(SAMPLE)
    assert [station.name for station in settings.stations] == ["press-1-out"]
    assert settings.lines == ("press-1",)


def test_the_sample_loads_with_every_optional_setting_and_shows_the_defaults(tmp_path: Path) -> None:
    secret = tmp_path / "broker-password"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    path = tmp_path / "lineproof.toml"
    text = uncommented(SAMPLE.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    assert load(path).broker.password_file == str(secret)
    wrong = [
        f"{setting.section}.{setting.name} = {shown!r}, default {setting.default!r}"
        for setting in walk()
        if setting.default not in {PydanticUndefined, None, "", ()} and _is_optional(setting)
        # a section that is given several times shows the default once, and elsewhere what else there is
        if (shown := list(_shown(tomllib.loads(text), setting))) and setting.default not in shown
    ]
    assert wrong == []


def _shown(data: dict[str, Any], setting: Setting) -> Iterator[object]:
    """The values that the sample gives a setting."""
    tables: list[Any] = [data]
    for name in setting.section.split("."):
        inner = [table[name] for table in tables if name in table]
        tables = [entry for value in inner for entry in (value if isinstance(value, list) else [value])]
    for table in tables:
        if setting.name in table:
            value = table[setting.name]
            yield tuple(value) if isinstance(value, list) else value


def _is_optional(setting: Setting) -> bool:
    """Whether the sample shows it commented out: what stands uncommented is an example."""
    return re.search(rf"^#{setting.name} = ", SAMPLE.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_every_setting_stands_in_the_sample_in_its_own_section() -> None:
    given: set[str] = set()
    section = ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        table = re.match(r"#?\[+([a-z_.]+)\]+$", line)
        key = re.match(r"(?:#\|? ?)?([a-z_]+) = ", line)
        if table is not None:
            section = table.group(1)
        elif key is not None:
            given.add(f"{section}.{key.group(1)}")
    known = {f"{setting.section}.{setting.name}" for setting in walk()}
    assert given == known


def test_alternatives_of_the_sample_load_instead_of_what_they_replace(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert re.findall(r"^#\| (\w+)", text, re.MULTILINE) == ["password", "after", "done_path"]
    path = tmp_path / "lineproof.toml"
    path.write_text(re.sub(r"^#\| ", "", text, flags=re.MULTILINE), encoding="utf-8")
    settings = load(path)
    assert settings.broker.password is not None
    assert settings.stations[0].folder is not None
    assert settings.stations[0].folder.done_path == "/srv/images/press-1-done"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"write it anew: python {Path(__file__).relative_to(ROOT)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
