"""Addresses of figures, `benefits.defects.saving[2025]`, as people read them: Fewer defects: benefit 2025."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from roi_tracker.audit.explanations import with_particles
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from roi_tracker.render.appraisal_wording import AppraisalWording

_ADDRESS = re.compile(r"(?<![\w./])[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+(?:\[[^\]]{1,40}\])?")
_CODE = re.compile(r"(?<=\()[a-z0-9_]+(?=\))")
_SCENARIO = re.compile("(?:conservative|realistic|optimistic|worst)(?= 시나리오)")
_GROUPS = ("direct", "indirect", "counted", "all")
_HEADS = frozenset(
    {"scenarios", "benefits", "capex", "opex", "sensitivity", "break_even", "alternatives", "statements", "ratios",
     "cash_flow", "conventions", "benchmarks", "investment"}
)  # fmt: skip


def address_text(w: AppraisalWording, address: str) -> str:
    """An address in words; where a part of it is not known, the address itself."""
    name, index = split_address(address)
    found = _named(w, name)
    if found is None:
        return address
    shown = found[0].upper() + found[1:]
    return shown if index is None else f"{shown} {_word(w, f'address.{index}') or index}"


def with_names(w: AppraisalWording, text: str) -> str:
    """A sentence with the addresses and codes in it put into words."""
    named = _ADDRESS.sub(lambda found: _quoted(w, found.group()), text)
    named = _SCENARIO.sub(lambda found: w.t(f"scenario.{found.group()}"), named)
    worded = _CODE.sub(lambda found: _word(w, f"way.{found.group()}") or found.group(), named)
    return with_particles(worded) if w.language == "ko" else worded


def _quoted(w: AppraisalWording, address: str) -> str:
    shown = address_text(w, address)
    return shown if shown == address else f"\N{LEFT SINGLE QUOTATION MARK}{shown}\N{RIGHT SINGLE QUOTATION MARK}"


def _word(w: AppraisalWording, key: str) -> str | None:
    return w.t(key) if key in w.t.keys else None


def _named(w: AppraisalWording, name: str) -> str | None:
    head, _, rest = name.partition(".")
    if head not in _HEADS:
        shown = w.variable(name)
        return None if shown == name else shown
    known = _word(w, f"address.{name}")
    if known is not None:
        return known
    match head:
        case "scenarios" | "alternatives" | "benchmarks":
            return _figure_of(w, head, *rest.rpartition(".")[::2])
        case "benefits" | "capex" | "opex":
            return _line(w, head, rest)
        case "sensitivity" | "break_even":
            return _varied(w, head, rest)
        case _:
            last = _word(w, f"account.{rest}") or _word(w, f"address.{rest}")
            return None if last is None else f"{w.t(f'address.{head}')}: {last}"


def _figure_of(w: AppraisalWording, head: str, which: str, figure: str) -> str | None:
    last = _word(w, f"address.{figure}")
    if last is None:
        return None
    if head == "scenarios":
        scenario = _word(w, f"scenario.{which}")
        return None if scenario is None else w.t("address.scenario", name=scenario, figure=last)
    if head == "benchmarks":
        names = {one.id: w.name(one.name) for one in w.case.benchmarks}
        return None if which not in names else f"{w.t('address.benchmarks')} {names[which]}: {last}"
    return f"{w.t('address.alternatives')} {w.variable(which)}: {last}"


def _line(w: AppraisalWording, head: str, rest: str) -> str | None:
    line, _, figure = rest.partition(".")
    group = _word(w, f"address.{head}_{line}") if line in _GROUPS else None
    shown = group or w.variable(f"{head}.{line}")
    if shown == f"{head}.{line}":
        return None
    if not figure:
        return shown if group else f"{w.t(f'address.{head}')}: {shown}"
    kinds = [_word(w, f"address.{part}") for part in figure.split(".")]
    if None in kinds:
        return None
    return f"{shown}: {' '.join(kind for kind in kinds if kind)}"


def _varied(w: AppraisalWording, head: str, rest: str) -> str | None:
    title = w.t("sense.title" if head == "sensitivity" else "even.title")
    variable, _, step = rest.rpartition(".")
    change = _word(w, f"address.{step}") if variable else None
    if change is not None:
        return f"{title}: {w.variable(variable)}, {change}"
    return f"{title}: {w.variable(rest)}"
