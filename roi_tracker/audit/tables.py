"""The audit as text: one row for findings of one series that share a cause, errors where they begin first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from roi_tracker.audit.explanations import money_text
from roi_tracker.case.stated import split_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from roi_tracker.audit.findings import Audit, Finding

_HEADINGS = {
    "recomputable_error": {"ko": "재계산 오류", "en": "Recomputable errors"},
    "contradiction": {"ko": "모순", "en": "Contradictions"},
    "declared_unused": {"ko": "선언되었으나 쓰이지 않음", "en": "Declared and unused"},
    "cannot_check": {"ko": "확인할 수 없음", "en": "Cannot be checked"},
}
_COLUMNS = {
    "ko": ("항목", "기재", "재계산", "원인", "NPV 영향", "설명"),
    "en": ("figure", "stated", "recomputed", "cause", "NPV effect", "explanation"),
}


def print_audit(found: Audit, console: Console, language: Literal["ko", "en"]) -> None:
    """Findings by kind: tables on a terminal, blocks of lines in a pipe or a file, where a table would be cut.

    Texts of the case are printed as text, never as markup.
    """
    for kind, heading in _HEADINGS.items():
        findings = [one for one in (*found.findings, *found.cannot_check) if one.kind == kind]
        if not findings:
            continue
        title = f"{heading[language]} ({len(findings)})"
        rows = [_row(group, language) for group in _groups(sorted(findings, key=lambda one: bool(one.follows_from)))]
        if console.is_terminal:
            table = Table(*_COLUMNS[language], title=title, show_lines=True)
            for row in rows:
                table.add_row(*(Text(cell) for cell in row))
            console.print(table)
        else:
            console.print(Text(f"{title}\n"), soft_wrap=True)
            for row in rows:
                console.print(Text(_block(row, language)), soft_wrap=True)
    console.print(
        Text(f"consistent: {len(found.consistent)}" if language == "en" else f"일치: {len(found.consistent)}건")
    )


def _block(row: Sequence[str], language: Literal["ko", "en"]) -> str:
    """One row as lines: the figure, each of its fields by name, its explanation."""
    figure, *fields, sentence = row
    names = _COLUMNS[language][1:-1]
    named = [f"{name}: {field}" for name, field in zip(names, fields, strict=True) if field]
    return "\n".join((figure, f"  {'; '.join(named)}", f"  {sentence}", ""))


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    group: list[Finding] = []
    for one in findings:
        if group and _key(group[0]) != _key(one):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _key(one: Finding) -> tuple[str, str, str | None]:
    name, index = split_address(one.id)
    return (name, one.cause, one.where) if index is not None else (one.id, one.cause, f"{one.where}{one.stated}")


def _row(group: Sequence[Finding], language: Literal["ko", "en"]) -> tuple[str, ...]:
    first, last = group[0], group[-1]
    name, start = split_address(first.id)
    _, end = split_address(last.id)
    shown = first.id if len(group) == 1 else f"{name}[{start}..{end}]"
    effects = [one.npv_effect for one in group if one.npv_effect is not None]
    return (
        shown,
        ", ".join(money_text(one.stated) for one in group),
        ", ".join(money_text(one.recomputed) for one in group),
        first.cause,
        f"{sum(effects):+,.1f}" if effects else "",
        first.explanation.ko if language == "ko" else first.explanation.en,
    )
