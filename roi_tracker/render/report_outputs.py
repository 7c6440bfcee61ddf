"""A report in any of its formats; the same report gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.report.drilldown import Drill
    from roi_tracker.report.model import Report

ReportFormat = Literal["html", "pdf", "xlsx", "csv", "json"]


def render_report(report: Report, output: ReportFormat, language: Language, drill: Drill) -> bytes:
    """The report as a file's bytes.

    Args:
        report: what to say.
        output: format.
        language: of its words; JSON and CSV have names in both.
        drill: observations behind the lines, for the workbook.

    Raises:
        CaseError: a text does not fit the format; the message says which.
    """
    if output == "json":
        from roi_tracker.render.json_document import render_json  # noqa: PLC0415 - one format, one library

        return render_json(report).encode()
    if output == "csv":
        from roi_tracker.render.report_table import render_report_csv  # noqa: PLC0415 - one format, one library

        return render_report_csv(report).encode()
    if output == "xlsx":
        from roi_tracker.render.report_workbook import render_report_workbook  # noqa: PLC0415 - one format, one library

        return render_report_workbook(report, language, drill)
    from roi_tracker.render.report_content import report_content  # noqa: PLC0415 - one format, one library

    content = report_content(report, language)
    if output == "pdf":
        from roi_tracker.render.content_pdf import render_content_pdf  # noqa: PLC0415 - one format, one library

        return render_content_pdf(content)
    from roi_tracker.render.content_page import render_content_page  # noqa: PLC0415 - one format, one library

    return render_content_page(content).encode()
