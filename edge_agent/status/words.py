"""The page's words, numbers and times, in Korean and English."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, cast, get_args
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_agent.settings.capture import StopReasonSettings

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_BYTES_STEP = 1024
_SECONDS_PER_MINUTE, _SECONDS_PER_HOUR, _SECONDS_PER_DAY = 60, 3_600, 86_400
_JUST_NOW_S = 2


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All words of a language by `section.key`."""
    text = files("edge_agent.status").joinpath("locale", f"{language}.toml").read_text(encoding="utf-8")
    sections = cast("dict[str, dict[str, str]]", tomllib.loads(text))
    return {f"{section}.{key}": word for section, words in sections.items() for key, word in words.items()}


class Words:
    """Words of one language with times of one plant.

    >>> words = Words("en", "Asia/Seoul")
    >>> words("field.threshold", value="0.8")
    'limit 0.8'
    >>> words.reason("flux_inverted")
    'flux_inverted (no explanation in this language)'
    """

    def __init__(self, language: Language, time_zone: str) -> None:
        self.language = language
        self.zone = ZoneInfo(time_zone)
        self._words = catalogue(language)

    def __call__(self, key: str, /, **values: str) -> str:
        """The word for a key, with `values` filled in; a missing key shows itself."""
        word = self._words.get(key)
        return f"[{key}]" if word is None else word.format_map(values)

    def reason(self, code: str, *, subject: str = "", detail: str = "") -> str:
        """A reason code as a sentence; a code this version does not know is shown as it is, and says so."""
        key = f"reason.{code}"
        if key not in self._words:
            return self("reason.unknown_code", code=code)
        return self(key, subject=subject, detail=detail).strip()

    def clock(self, moment: datetime) -> str:
        """Time of day on the plant's wall: `14:03:09`."""
        return f"{moment.astimezone(self.zone):%H:%M:%S}"

    def hour(self, moment: datetime) -> str:
        """Time of day to the minute: `14:03`."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def when(self, moment: datetime, now: datetime) -> str:
        """Time of day, with the date in front when it is not today's at the plant."""
        local = moment.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return self.clock(moment)
        return f"{local:%Y-%m-%d %H:%M}"

    def full(self, moment: datetime) -> str:
        """Date and time at the plant: `2026-01-06 14:03:09`."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"

    def field(self, moment: datetime) -> str:
        """Date and time at the plant as a browser's field of time takes them: `2026-01-06T14:03:09`."""
        return f"{moment.astimezone(self.zone):%Y-%m-%dT%H:%M:%S}"

    def lasted(self, seconds: float) -> str:
        """How long to the second: `1:02:03`."""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}"

    def age(self, seconds: float) -> str:
        """How long ago: `12 s ago`; the page's script says the same from the same words."""
        return self("age.now") if seconds < _JUST_NOW_S else self._span("age", seconds)

    def duration(self, seconds: float) -> str:
        """How long: `5 s`, `12 min`."""
        return self._span("duration", seconds)

    def _span(self, table: str, seconds: float) -> str:
        for key, unit_s, limit_s in (
            ("seconds", 1, _SECONDS_PER_MINUTE),
            ("minutes", _SECONDS_PER_MINUTE, _SECONDS_PER_HOUR),
            ("hours", _SECONDS_PER_HOUR, _SECONDS_PER_DAY),
        ):
            if seconds < limit_s:
                return self(f"{table}.{key}", n=str(int(seconds // unit_s)))
        return self(f"{table}.days", n=str(int(seconds // _SECONDS_PER_DAY)))

    @staticmethod
    def count(number: int) -> str:
        """A whole number with separators: `12,345`."""
        return f"{number:,}"

    @staticmethod
    def measure(value: float) -> str:
        """A measured value with as many digits as a person can use: `0.842`, `81.3`, `1,240`."""
        if value == 0:
            return "0"
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"  # noqa: PLR2004 - four digits and more

    @staticmethod
    def size(number: int) -> str:
        """A size in bytes, in binary units: `1.5 MiB`."""
        amount = float(number)
        for unit in ("B", "KiB", "MiB", "GiB"):
            if amount < _BYTES_STEP:
                return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
            amount /= _BYTES_STEP
        return f"{amount:.1f} TiB"


def reason_word(code: str, reasons: Sequence[StopReasonSettings], words: Words) -> str:
    """A reason in the visitor's language; one that is not configured as it came, none as such."""
    for reason in reasons:
        if reason.code == code:
            return reason.ko if words.language == "ko" else reason.en
    return code or words("stops.no_reason")
