"""What will be removed when: for `edge-agent doctor`, from the store and the settings, beside a running agent."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.adapters.file_clock_notes import FileClockNotes
from edge_agent.adapters.sqlite_days import damaged_days, days_folder, list_days
from edge_agent.adapters.sqlite_images import SqliteImageIndex
from edge_agent.errors import StoreError
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us
from edge_agent.retention import PURGE_ORDER, aged, days_past_age, over, retention_rules, too_many

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_agent.events import VerdictName
    from edge_agent.ports.keeping import DayOfReadings
    from edge_agent.retention import RetentionRules
    from edge_agent.settings.retention import RetentionSettings

STORE_FILE = "lineproof.sqlite"
_GB = 1e9
_HOUR_NS = 3_600e9
_DAY_US = 86_400 * MICROSECONDS_PER_SECOND
_LOOKED_AT = 10_000
_CLOCK = "see that the clock is right; if it is, set retention.max_share_ratio = 1 for one run"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is kept of one sort and when the next of it goes; `todo` where somebody has to act."""

    subject: str
    found: str
    todo: str = ""


def forecast(settings: RetentionSettings, data: Path, now_us: int) -> list[Forecast]:
    """What is kept under a data folder, and when it goes.

    Raises:
        StoreError: the store cannot be read.
    """
    store = data / STORE_FILE
    if not store.exists():
        return [Forecast("retention", "nothing is kept yet")]
    rules = retention_rules(settings)
    days = list_days(days_folder(store))
    found = [_room(rules, data), *_hold(data), _readings(rules, days, now_us)]
    found += [
        Forecast("readings", f"{name} was damaged and is set aside", "keep it as evidence, or restore the day's backup")
        for name in damaged_days(days_folder(store))
    ]
    index = SqliteImageIndex(store)
    try:
        total = index.images()
        found += [_images(rules, index, verdict, total, now_us) for verdict in PURGE_ORDER]
    finally:
        index.close()
    return found


def _room(rules: RetentionRules, data: Path) -> Forecast:
    free = shutil.disk_usage(data).free
    told = f"{free / _GB:.1f} GB free; below {rules.min_free_bytes / _GB:g} GB images go, then old readings"
    if free < rules.stop_images_bytes:
        return Forecast("retention", f"{told}; no image is kept now", "free disk space")
    return Forecast("retention", told, "free disk space" if free < rules.min_free_bytes else "")


def _hold(data: Path) -> list[Forecast]:
    try:
        note = FileClockNotes(data).read()
    except StoreError as error:
        return [Forecast("retention", str(error), "mend or remove the file when the clock is right")]
    if note is None or not note.held_ns:
        return []
    told = f"the clock jumped: nothing goes by age for another {note.held_ns / _HOUR_NS:.1f} h of running"
    return [
        Forecast(
            "retention", told, "see that the clock is right; if it is, set retention.clock_settle_h = 0 for one run"
        )
    ]


def _readings(rules: RetentionRules, days: Sequence[DayOfReadings], now_us: int) -> Forecast:
    if not days:
        return Forecast("readings", "none yet")
    size = sum(day.size_bytes for day in days)
    told = f"{len(days)} days from {days[0].name} to {days[-1].name}, {size / _GB:.2f} GB"
    due = days_past_age(days, rules, now_us)
    if due:
        told += f"; {len(due)} of them go at the next pass"
    else:
        goes_us = max(days[0].end_us, days[0].written_us) + rules.readings_us
        told += f"; {days[0].name} goes on {from_us(goes_us):%Y-%m-%d}"
    if over(rules.readings_bytes, size):
        told += f", the oldest earlier: {over(rules.readings_bytes, size) / _GB:.2f} GB are over readings_max_gb"
    if too_many(len(due), len(days), rules.max_share):
        return Forecast("readings", f"{told}: refused, that is more than max_share_ratio allows", _CLOCK)
    return Forecast("readings", told)


def _images(rules: RetentionRules, index: SqliteImageIndex, verdict: VerdictName, total: int, now_us: int) -> Forecast:
    subject, count = f"images {verdict}", index.images_of(verdict)
    if not count:
        return Forecast(subject, "none")
    looked_at = index.oldest(verdict, 0, _LOOKED_AT)
    due = sum(1 for _ in aged(looked_at, rules.images_us[verdict], now_us))
    oldest_us = looked_at[0].at_us
    told = f"{count} kept, the oldest of {from_us(oldest_us):%Y-%m-%d}"
    limit_days = rules.images_us[verdict] / _DAY_US
    if due:
        told += f"; {due}{' or more' if due == len(looked_at) < count else ''} are past {limit_days:g} days and go,"
        told += " those aside that a claim has pinned or an audit waits for"
    else:
        told += f"; it goes on {from_us(oldest_us + rules.images_us[verdict]):%Y-%m-%d}"
    if too_many(due, total, rules.max_share):
        return Forecast(subject, f"{told}: refused where all may go, more than max_share_ratio allows", _CLOCK)
    return Forecast(subject, told)
