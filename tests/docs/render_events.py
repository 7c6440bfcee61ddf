"""Writes docs/reference/events.md from the event contract: `python tests/docs/render_events.py`."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

import msgspec

from edge_agent import events

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md"

HEAD = f"""# Events

The event feed (`GET /api/events?after=SEQ&limit=N&kind=K&line=L`) and an export (`edge-agent export`) hold one JSON
object a line, schema `{events.SCHEMA}`. `seq` orders the feed, strictly increasing; numbers may be skipped. `key` names
the effect: the same effect delivered twice has the same key and is stored once. All times are UTC. Readers must ignore
fields they do not know. This page is made from `edge_agent/events.py` by `tests/docs/render_events.py`; a test holds
the two together.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD, *(_section(envelope.__name__, envelope) for envelope in (events.RecordedEvent, events.Event))]
    parts += [_section(f"`{events.kind_of(body)}`", body) for body in typing.get_args(events.Body)]
    parts.append(_section(events.RevisedStop.__name__, events.RevisedStop))
    return "\n".join(parts)


def _section(title: str, body: type[msgspec.Struct]) -> str:
    doc = inspect.cleandoc(body.__doc__ or "")
    said = doc.split("\n\nAttributes:")[0].replace("\n", " ")
    told = _told(doc)
    rows = [
        f"| `{field.name}` | {_type(field.type)} | {'yes' if field.required else 'no'} | {told.get(field.name, '')} |"
        for field in msgspec.structs.fields(body)
    ]
    table = ["| field | type | required | meaning |", "|---|---|---|---|", *rows]
    return "\n".join([f"## {title}", "", said, "", *table, ""])


def _told(doc: str) -> dict[str, str]:
    """Field name to what the docstring says of it; `a, b: text` tells of both."""
    found: dict[str, str] = {}
    attributes = doc.split("Attributes:\n", 1)[-1] if "Attributes:" in doc else ""
    for entry in re.split(r"\n(?=    \w)", "\n" + attributes):
        names, _, text = entry.strip().partition(":")
        for name in names.split(","):
            found[name.strip()] = " ".join(text.split())
    return found


def _type(kind: object) -> str:
    text = str(kind) if typing.get_origin(kind) is not None or not isinstance(kind, type) else kind.__name__
    if kind == events.Body or "Inspection |" in text or text.startswith("edge_agent.events.Inspection"):
        return "one of the bodies below"
    cleaned = re.sub(r"typing\.|edge_agent\.(human_|storage_)?events\.|datetime\.(?=datetime)", "", text)
    return cleaned.replace("|", "or").replace("NoneType", "null").replace("None", "null")


if __name__ == "__main__":
    REFERENCE.write_text(render(), encoding="utf-8")
