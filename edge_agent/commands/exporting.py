"""`edge-agent export`: everything the store holds, in open formats that explain themselves."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from edge_agent.errors import ConfigError
from edge_agent.events import encode
from edge_agent.instant import from_us

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.ports import StoreReader

_PAGE = 5_000
_FOREVER_US = 2**62

DICTIONARY = """# Data dictionary

All times are UTC.

- `events.jsonl`: one JSON object a line, in the order of their commit, schema `lineproof.event/1`: the lines of the
  event feed (`GET /api/events`). `roi-tracker import events.jsonl` reads this file. The bodies are documented in
  `edge_agent/events.py`.
- `readings/<line>__<asset>__<channel>.csv` (names percent-encoded where a file system needs it): columns
  `time_utc` (ISO 8601, microseconds) and `value` (unit in the header line). Readings of BAD quality are left out.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    events: int
    readings: int
    channels: int


def export_all(reader: StoreReader, out: Path) -> Exported:
    """Write the whole store under a new folder.

    Raises:
        ConfigError: the folder exists already; an export never overwrites.
    """
    if out.exists():
        raise ConfigError("the folder exists already", field="OUT", value=str(out), hint="name a folder to make")
    (out / "readings").mkdir(parents=True)
    (out / "README.md").write_text(DICTIONARY, encoding="utf-8")
    events = 0
    with (out / "events.jsonl").open("wb") as file:
        seq = 0
        while page := reader.events_after(seq, limit=_PAGE):
            for recorded in page:
                file.write(encode(recorded) + b"\n")
            events += len(page)
            seq = page[-1].seq
    readings = 0
    channels = reader.channels()
    for channel in channels:
        name = "__".join(quote(part, safe=" ") for part in (channel.line, channel.asset, channel.name))
        with (out / "readings" / f"{name}.csv").open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["time_utc", f"value [{channel.unit}]"])
            times, values = reader.readings(channel.key, 0, _FOREVER_US)
            for t_us, value in zip(times, values, strict=True):
                writer.writerow([from_us(int(t_us)).isoformat(timespec="microseconds"), repr(float(value))])
            readings += len(times)
    return Exported(events, readings, len(channels))
