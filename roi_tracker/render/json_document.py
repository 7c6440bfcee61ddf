"""The report as one JSON document: every figure with its evidence; amounts are exact decimal strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from roi_tracker.report.model import Report


def render_json(report: Report) -> str:
    """One indented document with sorted keys, so that two reports can be compared line by line."""
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2).decode()
