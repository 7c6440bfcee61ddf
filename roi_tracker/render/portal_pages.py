"""Pages of the portal: parts of the report, and the way down to observations and single events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

import msgspec

from roi_tracker.observations.facts import InspectedPart
from roi_tracker.render.content_blocks import Column, Content, Link, Section, Surround, Table
from roi_tracker.render.fact_text import fact_fields, gist_text, kind_text, value_text
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_wording import ReportWording, report_words
from roi_tracker.report.drilldown import in_month

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roi_tracker.money import Language
    from roi_tracker.observations.facts import Fact
    from roi_tracker.report.drilldown import DrillRow
    from roi_tracker.report.model import Report

Page = Literal["report", "lines", "not_proven", "ledger", "gates", "board", "how"]
PAGES: dict[Page, str] = {
    "report": "/",
    "lines": "/lines",
    "not_proven": "/not-proven",
    "ledger": "/ledger",
    "gates": "/gates",
    "board": "/board",
    "how": "/how",
}
_SECTIONS: dict[Page, tuple[str, ...]] = {
    "lines": ("lines", "classes"),
    "not_proven": ("not-proven", "pilot"),
    "ledger": ("costs", "claims", "inputs"),
    "gates": ("gates", "forecast", "plan"),
    "board": ("board", "scores"),
    "how": ("how",),
}
ROWS_A_PAGE = 100
_FORMATS = ("html", "pdf", "xlsx", "csv", "json")
_MOST_FACTS = 500


class ObservationsQuery(msgspec.Struct, frozen=True):
    """Which observations are shown; pages count from 1, the newest first."""

    benefit_id: str
    month: str | None
    page: int


def surround(language: Language, page: Page, path: str, query: Mapping[str, str], nonce: str) -> Surround:
    """Links around a page: the other language of the same address, the pages, the downloads."""
    t = report_words(language)
    other: Language = "en" if language == "ko" else "ko"
    switched = f"{quote(path)}?{urlencode({**query, 'lang': other})}"
    files = tuple(Link(f"/report.{one}?lang={language}", one.upper(), download=True) for one in _FORMATS)
    return Surround(
        nonce=nonce,
        nav=tuple(Link(f"{PAGES[one]}?lang={language}", t(f"page.{one}"), here=one == page) for one in PAGES),
        nav_name=t("page.nav"),
        downloads=(Link(switched, "English" if other == "en" else "한국어", lang=other), *files),
        downloads_name=t("page.downloads"),
        how_at="" if page in {"report", "how"} else f"{PAGES['how']}?lang={language}",
        how_name=t("doc.how"),
    )


def page_content(report: Report, language: Language, page: Page) -> Content:
    """A page of the portal: the whole report, or some of its sections."""
    whole = report_content(report, language, portal=True)
    wanted = _SECTIONS.get(page)
    return whole if wanted is None else _only(whole, wanted, report_words(language)(f"page.{page}"))


def line_content(report: Report, language: Language, benefit_id: str) -> Content:
    """One benefit line."""
    w = ReportWording(report, language)
    whole = report_content(report, language, portal=True)
    return _only(whole, (f"line-{benefit_id}",), w.line(benefit_id))


def _only(whole: Content, wanted: Sequence[str], title: str) -> Content:
    by_id = {section.id: section for section in whole.sections}
    sections = tuple(by_id[name] for name in wanted if name in by_id)
    return msgspec.structs.replace(
        whole, kicker=f"{whole.kicker} \N{MIDDLE DOT} {whole.title}", title=title, sections=sections
    )


def _document(w: ReportWording, title: str, subtitle: str, section: Section) -> Content:
    t, report = w.t, w.report
    return Content(
        language=w.language,
        kicker=f"{t('doc.title')} \N{MIDDLE DOT} {w.name(report.name)}",
        title=title,
        subtitle=subtitle,
        as_of=report.generated_on,
        sections=(section,),
        footer=t("doc.footer", version=report.inputs.software),
        banner=f"{t('banner.both')} {t('banner.text')}" if report.origin == "simulated" else "",
    )


_COLUMNS: dict[str, Callable[[DrillRow], object]] = {
    "produced": lambda row: row.produced,
    "inspected": lambda row: row.inspected,
    "rejected": lambda row: row.rejected,
    "escapes": lambda row: row.escapes,
    "audited": lambda row: row.audited,
    "audit_defects": lambda row: row.audit_defects,
    "busy_h": lambda row: row.busy_h,
    "stops": lambda row: row.stops,
    "stop_h": lambda row: row.stop_h,
    "planned_stop_h": lambda row: row.planned_stop_h,
    "energy": lambda row: row.energy_kwh,
    "labour": lambda row: row.labour_h,
    "alarms": lambda row: row.alarms,
    "kpis": lambda row: row.indicator,
    "coverage": lambda row: row.coverage,
}


def observations_content(
    report: Report, language: Language, rows: Sequence[DrillRow], query: ObservationsQuery
) -> Content:
    """Observations behind a line, newest first, some on a page; each leads to its events."""
    w = ReportWording(report, language)
    t, name = w.t, w.line(query.benefit_id)
    chosen = in_month(rows, query.month)[::-1]
    pages = max(1, -(-len(chosen) // ROWS_A_PAGE))
    page = min(query.page, pages)
    shown = chosen[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    base = f"/lines/{quote(query.benefit_id)}/observations"
    subtitle = t("drill.subtitle", count=f"{len(chosen):,}", page=page, pages=pages)
    tables = [_way(w, base, query, page, pages, sorted({f"{row.day:%Y-%m}" for row in rows}))]
    if shown:
        columns = {key: read for key, read in _COLUMNS.items() if any(read(row) is not None for row in shown)}
        heads = ("day", "shift", "production_line", "product", "period", "inspector")
        cells = tuple(
            (
                row.day.isoformat(),
                row.shift,
                row.line,
                row.product,
                t(f"drill_period.{row.period}"),
                t(f"inspector.{row.inspector or 'none'}"),
                *(_shown(w, read(row)) for read in columns.values()),
                t(f"origin.{row.origin}"),
            )
            for row in shown
        )
        labels = (
            *(Column(t(f"drill.{one}"), figures=False) for one in heads),
            *(Column(t(f"drill.{one}")) for one in columns),
        )
        links = tuple(f"{base}/{quote(row.key)}?lang={language}" for row in shown)
        tables.append(Table((*labels, Column(t("drill.origin"), figures=False)), cells, links=links))
    texts = () if shown else (t("drill.none"),)
    section = Section(
        "observations", t("drill.title", line=name), texts=texts, tables=tuple(tables), notes=(_as_of(w),)
    )
    return _document(w, t("drill.title", line=name), subtitle, section)


def _way(w: ReportWording, base: str, query: ObservationsQuery, page: int, pages: int, months: Sequence[str]) -> Table:
    """Where one can go from here: newer, older, one month, all."""
    t = w.t

    def to(month: str | None, number: int) -> str:
        wanted = {"lang": w.language, **({"month": month} if month else {}), "page": str(number)}
        return f"{base}?{urlencode(wanted)}"

    rows: list[tuple[str, str]] = []
    if page > 1:
        rows.append((t("drill.previous"), to(query.month, page - 1)))
    if page < pages:
        rows.append((t("drill.next"), to(query.month, page + 1)))
    if query.month:
        rows.append((t("drill.all"), to(None, 1)))
    rows += [(month, to(month, 1)) for month in reversed(months) if month != query.month]
    rows.append((t("page.back"), f"{PAGES['lines']}?lang={w.language}"))
    return Table(
        (Column(t("drill.month"), figures=False),),
        tuple((label,) for label, _ in rows),
        links=tuple(link for _, link in rows),
        caption=f"{t('drill.month')}: {query.month or t('drill.all')} \N{MIDDLE DOT} {page} / {pages}",
        folded=True,
    )


def _shown(w: ReportWording, value: object) -> str:
    if value is None:
        return w.t("figure.none")
    if isinstance(value, tuple):
        return " / ".join(_shown(w, one) for one in value)
    return f"{value:,}" if isinstance(value, int) else w.quantity(value) if isinstance(value, float) else str(value)


def shift_content(report: Report, language: Language, row: DrillRow, facts: Sequence[Fact]) -> Content:
    """Events behind one observation."""
    w = ReportWording(report, language)
    t = w.t
    rows = tuple(
        (fact.key, f"{fact.at:%Y-%m-%d %H:%M:%S}", kind_text(fact, t), gist_text(fact, t))
        for fact in facts[:_MOST_FACTS]
    )
    columns = tuple(Column(t(f"drill.{name}"), figures=False) for name in ("key", "at", "kind", "content"))
    links = tuple(f"/facts/{quote(fact.key)}?lang={language}" for fact in facts[:_MOST_FACTS])
    title = t("drill.facts", line=row.line, day=row.day, shift=row.shift)
    section = Section(
        "facts",
        t("drill.events"),
        texts=() if facts else (t("drill.no_facts"),),
        tables=(Table(columns, rows, links=links),) if rows else (),
        notes=(_as_of(w),),
    )
    return _document(w, title, f"{row.key} \N{MIDDLE DOT} {len(facts):,}", section)


def _as_of(w: ReportWording) -> str:
    """Which moment a drill-down shows."""
    return w.t("drill.as_of", mark=f"{w.report.inputs.fact_watermark:,}", day=w.report.generated_on)


def fact_content(report: Report, language: Language, fact: Fact, agent: str) -> Content:
    """One event with all it says, and its image at the agent where one is known."""
    w = ReportWording(report, language)
    t = w.t
    rows, links = [], []
    for name, value in fact_fields(fact).items():
        rows.append((t(f"fact_field.{name}"), value_text(name, value, t)))
        speaks_of = name in {"inspection_key", "alarm_key", "repeat_of"} and value
        links.append(f"/facts/{quote(str(value))}?lang={language}" if speaks_of else "")
    image = getattr(fact, "image", "")
    texts: tuple[str, ...] = ()
    if image and agent.startswith(("http://", "https://")):
        rows.append((t("drill.image"), image))
        links.append(f"{agent.rstrip('/')}/evidence/{quote(image)}")
    elif isinstance(fact, InspectedPart):
        texts = (t("drill.no_image"),)
    columns = (Column(t("drill.field"), figures=False), Column(t("drill.content"), figures=False))
    table = Table(columns, tuple(rows), links=tuple(links))
    section = Section("fact", kind_text(fact, t), texts=texts, tables=(table,), notes=(_as_of(w),))
    return _document(w, t("drill.fact", event=fact.key), f"{fact.at:%Y-%m-%d %H:%M:%S} UTC", section)
