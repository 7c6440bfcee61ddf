"""Sentences of the audit in Korean and English, from one catalogue with the same keys and places."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from roi_tracker.audit.findings import Explanation
from roi_tracker.case.unit_words import figure_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_tracker.money import Language

_FIGURES = ("stated", "recomputed")
_ABSENT = {
    "never": {"ko": "회수 불가(유출이 끝까지 회수되지 않음)", "en": "no payback: the outlay is never recovered"},
    "no_outlay": {"ko": "해당 없음(회수할 유출이 없음)", "en": "no payback: there is no outlay to pay back"},
    "": {"ko": "없음", "en": "none"},
}
"""What stands where the inputs give no figure, by the reason."""
_CHOICES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
_CLOSING = ")\N{RIGHT SINGLE QUOTATION MARK}"
_PARTICLE = re.compile(rf"(%p|[^\s{_CLOSING}])([{_CLOSING}]*)(은\(는\)|이\(가\)|을\(를\)|와\(과\)|\(으\)로)")
_FIRST_SYLLABLE, _LAST_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
_DIGIT_FINALS = {"0": 21, "1": _RIEUL, "2": 0, "3": 16, "4": 0, "5": 0, "6": 1, "7": _RIEUL, "8": _RIEUL, "9": 0}
"""Final consonant of each digit read aloud: 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구."""


def explanation(
    family: str,
    *,
    stated: float | None = None,
    recomputed: float | None = None,
    unit: str = "",
    **places: str,
) -> Explanation:
    """The sentence of a family of causes.

    Args:
        family: of causes, or of what cannot be checked.
        stated: figure as printed, in `unit`.
        recomputed: what the inputs give; None where they give none.
        unit: as the case writes it; each language writes its own.
        places: `detail` and `parents`, and the `reason` why the inputs give no figure.

    Raises:
        KeyError: no such family: a programming error that a test must catch.
    """
    entry = catalogue()[family]

    def sentence(language: Language) -> str:
        absent = _ABSENT.get(places.get("reason") or places.get("detail", ""), _ABSENT[""])[language]
        figures = {
            name: absent if value is None else figure_text(value, unit, language)
            for name, value in zip(_FIGURES, (stated, recomputed), strict=True)
        }
        return entry[language].format(**(places | figures))

    return Explanation(ko=with_particles(sentence("ko")), en=sentence("en"))


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every family and its two sentences."""
    text = resources.files("roi_tracker.audit").joinpath("explanations.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def with_particles(text: str) -> str:
    """Korean with each open particle, 은(는), chosen by the sound before it; left open after Latin letters.

    >>> with_particles("28.8억원은(는) 3 %이(가) 0.6년(으)로")
    '28.8억원은 3 %가 0.6년으로'
    """
    return _PARTICLE.sub(_chosen, text)


def _chosen(found: re.Match[str]) -> str:
    before, closing, particle = found.groups()
    ends = _final(before)
    if ends is None:
        return found.group()
    consonant, vowel = _CHOICES[particle]
    closed = ends not in {0, _RIEUL} if particle == "(으)로" else ends != 0
    return before + closing + (consonant if closed else vowel)


def _final(character: str) -> int | None:
    """Final consonant a character is read with, 0 for none; None where the reading is not known."""
    if len(character) == 1 and _FIRST_SYLLABLE <= ord(character) <= _LAST_SYLLABLE:
        return (ord(character) - _FIRST_SYLLABLE) % _FINALS
    return 0 if character in {"%", "%p"} else _DIGIT_FINALS.get(character)


def money_text(value: float | None) -> str:
    """A figure without its unit, as the table on the terminal prints it.

    >>> money_text(1920000.0), money_text(0.105), money_text(31.0), money_text(None)
    ('1,920,000', '0.105', '31', '-')
    """
    if value is None:
        return "-"
    if abs(value) >= 1000:  # noqa: PLR2004 - four digits before the point need no decimals
        return f"{value:,.0f}"
    return f"{value:.4g}"
