"""What an audit finds; the outer shape of `roi-tracker audit --json` apart from the corrected appraisal."""

from __future__ import annotations

from typing import Literal

import msgspec

FindingKind = Literal["recomputable_error", "contradiction", "declared_unused", "cannot_check"]
Severity = Literal["high", "medium", "low"]


class Explanation(msgspec.Struct, frozen=True):
    """The same sentence in both languages."""

    ko: str
    en: str


class Cause(msgspec.Struct, frozen=True):
    """Why a figure most likely differs.

    Attributes:
        code: `unit_slip_x10`, `unstated_multiplier_x5`, `double_count`, ...; `unexplained` when no hypothesis fits.
        family: the code without its factor, the key of its explanation.
        detail: what the explanation names beside the figure: a factor, another address, a convention.
    """

    code: str
    family: str
    detail: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One finding. Figures are as the plan prints them: display unit for money, the statement's own unit else.

    Attributes:
        id: address of the figure.
        ratio: stated / recomputed, None where one of them is missing or the recomputed is zero.
        follows_from: addresses of printed figures that carry the error here; empty where it begins.
        npv_effect: what believing the statement adds to the realistic NPV, display unit; None where it adds nothing.
        also: other hypotheses that fit as well.
    """

    id: str
    kind: FindingKind
    stated: float | None
    recomputed: float | None
    ratio: float | None
    unit: str
    cause: str
    detail: str
    severity: Severity
    npv_effect: float | None
    where: str | None
    label: str | None
    follows_from: tuple[str, ...]
    also: tuple[str, ...]
    explanation: Explanation


class Consistent(msgspec.Struct, frozen=True):
    """A printed figure that follows from the inputs, rounding tolerated."""

    id: str
    stated: float
    recomputed: float
    unit: str
    where: str | None


class Beside(msgspec.Struct, frozen=True):
    """A headline figure as printed and as its inputs give it; corrected None: it does not exist, `reason` says why."""

    id: str
    stated: float
    corrected: float | None
    unit: str
    reason: str


class Audit(msgspec.Struct, frozen=True):
    """Everything an audit has to say about the figures of a case."""

    case: str
    findings: tuple[Finding, ...]
    consistent: tuple[Consistent, ...]
    cannot_check: tuple[Finding, ...]
    beside: tuple[Beside, ...]

    def of_kind(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Findings of one kind, in order."""
        return tuple(one for one in (*self.findings, *self.cannot_check) if one.kind == kind)
