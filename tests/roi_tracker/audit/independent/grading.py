"""How well the audit does on spoilt and on clean plans: recall, right names and false alarms, by kind of error.

`python -m tests.roi_tracker.audit.independent.grading SEED PLANS CLEAN` prints the tables of docs/report/audit.md.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roi_tracker.audit import audit
from roi_tracker.business_case import parse_case
from tests.roi_tracker.audit.independent.errors import MAKERS, THROUGHOUT, WITHOUT_RULE, accepted
from tests.roi_tracker.audit.independent.spoiling import clean, spoilt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.audit import Finding
    from tests.roi_tracker.audit.independent.draft import Planted
    from tests.roi_tracker.audit.independent.spoiling import Spoilt

ERROR = "recomputable_error"
FOUR_DIGITS = 4
UNUSED = "declared_unused"
INFLATION = "conventions.inflation"
"""Where stated, it is really unused: constant prices with a rate of no stated basis."""
KINDS = (*MAKERS, *(f"{kind}_throughout" for kind in THROUGHOUT))


@dataclass
class Row:
    """Counts of one kind.

    Attributes:
        planted: errors.
        found: of these, with a finding at one of their addresses at least.
        named: of those found, under a right name throughout.
        figures, figures_found: wrong figures, and those with a finding.
        false_alarms: recomputable errors reported at right figures, in plans whose first error is of this kind.
        names: what was found was called this.
        sharp, sharp_named: the same as found and named, where every wrong figure is printed with four digits or more.
    """

    planted: int = 0
    found: int = 0
    named: int = 0
    figures: int = 0
    figures_found: int = 0
    plans: int = 0
    false_alarms: int = 0
    names: Counter[str] = field(default_factory=Counter)
    sharp: int = 0
    sharp_named: int = 0


@dataclass
class Grade:
    """Counts by kind, and of figures that follow from an error (`carried`)."""

    rows: dict[str, Row] = field(default_factory=lambda: {kind: Row() for kind in KINDS})
    carried: Row = field(default_factory=Row)
    carried_monthly: Row = field(default_factory=Row)
    missed: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    misnamed: list[tuple[int, str, str, str]] = field(default_factory=list)
    alarms: list[tuple[int, str, str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    loose: Counter[str] = field(default_factory=Counter)
    crashes: list[tuple[int, str]] = field(default_factory=list)

    def total(self, kinds: Iterable[str]) -> Row:
        together = Row()
        for kind in kinds:
            row = self.rows[kind]
            together.planted += row.planted
            together.found += row.found
            together.named += row.named
            together.sharp += row.sharp
            together.sharp_named += row.sharp_named
            together.figures += row.figures
            together.figures_found += row.figures_found
            together.plans += row.plans
            together.false_alarms += row.false_alarms
        return together


def grade(plans: Iterable[Spoilt]) -> Grade:
    """Audit every plan and count."""
    result = Grade()
    for plan in plans:
        try:
            findings = audit(parse_case(plan.text, plan.syntax)).findings
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            result.crashes.append((plan.seed, repr(error)))
            findings = ()
        _count(result, plan, findings)
    return result


def _count(result: Grade, plan: Spoilt, findings: Iterable[Finding]) -> None:
    by_address: dict[str, list[Finding]] = {}
    for finding in findings:
        by_address.setdefault(finding.id, []).append(finding)
    excused: set[str] = set()
    for one in plan.planted:
        excused |= one.addresses | one.carried | one.changed_little
        _count_planted(result, plan, one, by_address)
        _count_carried(result, plan, one, by_address)
    first = plan.planted[0].kind if plan.planted else None
    if first is not None:
        result.rows[first].plans += 1
    for address, there in by_address.items():
        for finding in there:
            if address in excused or address == INFLATION:
                continue
            if finding.kind in {ERROR, UNUSED}:
                result.alarms.append((plan.seed, address, finding.cause, str(finding.stated)))
                if first is not None:
                    result.rows[first].false_alarms += 1
            else:
                result.others[f"{finding.kind}: {finding.cause}"] += 1


def _count_planted(result: Grade, plan: Spoilt, one: Planted, by_address: dict[str, list[Finding]]) -> None:
    row, right = result.rows[one.kind], accepted(one)
    hit = [address for address in sorted(one.addresses) if by_address.get(address)]
    row.planted += 1
    row.figures += len(one.addresses)
    row.figures_found += len(hit)
    if not hit:
        result.missed.append((plan.seed, one.kind, tuple(sorted(one.addresses))))
        return
    row.found += 1
    wrong = []
    for address in hit:
        names = {_name(finding) for finding in by_address[address]}
        row.names.update(names)
        if not names & right:
            wrong.append((plan.seed, one.kind, address, ",".join(sorted(names))))
    row.named += not wrong
    sharp = all(plan.digits.get(address, 9) >= FOUR_DIGITS for address in one.addresses)
    row.sharp += sharp
    row.sharp_named += sharp and not wrong
    result.misnamed.extend(wrong)


def _count_carried(result: Grade, plan: Spoilt, one: Planted, by_address: dict[str, list[Finding]]) -> None:
    for row in (result.carried, *([result.carried_monthly] if plan.period == "month" else [])):
        row.figures += len(one.carried)
        for address in one.carried:
            names = {_name(finding) for finding in by_address.get(address, ())}
            row.figures_found += bool(names)
            row.named += "carried_forward" in names
            if "unexplained" in names and row is result.carried:
                result.loose[
                    re.sub(
                        r"(benefits|capex|opex|sensitivity)\.(benefits\.|capex\.)?[a-z]+",
                        r"\1.*",
                        address.split("[")[0],
                    )
                ] += 1
            row.names.update(names)


def _name(finding: Finding) -> str:
    """A cause without its factor, `unit_slip_x10`."""
    return re.sub(r"_x[\d._]+$", "", finding.cause)


def table(result: Grade) -> str:
    """The counts as a Markdown table."""
    lines = [
        "| error | planted | found | named right | of four digits | figures found | false alarms / plans |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for kind in KINDS:
        row = result.rows[kind]
        lines.append(_line(f"{kind}{' (no rule)' if kind.removesuffix('_throughout') in WITHOUT_RULE else ''}", row))
    lines.append(_line("all", result.total(KINDS)))
    carried = result.carried
    lines.append("")
    for name, row in (("carried", carried), ("carried, monthly plans", result.carried_monthly)):
        lines.append(f"{name}: {row.figures_found} of {row.figures} found, {row.named} named so; {dict(row.names)}")
    return "\n".join(lines)


def _line(name: str, row: Row) -> str:
    return (
        f"| {name} | {row.planted} | {_share(row.found, row.planted)} | {_share(row.named, row.found)} "
        f"| {_share(row.sharp_named, row.sharp)} "
        f"| {_share(row.figures_found, row.figures)} | {row.false_alarms} / {row.plans} |"
    )


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({100 * part / whole:.0f} %)" if whole else "-"


def main(seed: int, count: int, clean_count: int) -> None:
    """Print both tables and every fault."""
    spoiled = grade(spoilt(seed, count))
    print(table(spoiled))  # noqa: T201 - a command
    for title, rows in (
        ("missed", spoiled.missed),
        ("misnamed", spoiled.misnamed),
        ("alarms", spoiled.alarms),
        ("crashes", spoiled.crashes),
    ):
        print(f"\n{title}: {len(rows)}", *rows, sep="\n")  # noqa: T201 - a command
    print("\ncarried and unexplained", spoiled.loose.most_common(40))  # noqa: T201 - a command
    print("\nother findings elsewhere", spoiled.others)  # noqa: T201 - a command
    untouched = grade(clean(seed + 500_000_000 + number) for number in range(clean_count))
    plans = len({seed for seed, *_ in untouched.alarms})
    print("crashes on clean plans", untouched.crashes)  # noqa: T201 - a command
    print(f"\nclean: {len(untouched.alarms)} alarms in {plans} of {clean_count} plans", untouched.others)  # noqa: T201
    print(*untouched.alarms, sep="\n")  # noqa: T201 - a command


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:4]))
