"""What an appraisal rests on, as sections: inputs, costs, alternatives, accounts, scores."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.appraisal.model import Model
from roi_tracker.case.assumptions import numbers
from roi_tracker.case.unit_words import bare_text, figure_text, unit_text
from roi_tracker.money import UNIT_FACTORS
from roi_tracker.render.content_blocks import Column, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.case.assumptions import Assumption
    from roi_tracker.documents import AppraisalDocument
    from roi_tracker.formulas import Values
    from roi_tracker.render.appraisal_wording import AppraisalWording

_MANY = 8


def context_sections(w: AppraisalWording, document: AppraisalDocument) -> tuple[Section, ...]:
    """Everything below the results."""
    model = Model(w.case)
    return (
        _benefits(w, model),
        _costs(w, model),
        _alternatives(w, document),
        _accounts(w, document),
        _benchmarks(w),
        _qualitative(w),
        _conventions(w, document),
        _assumptions(w),
        _data_sources(w),
        _open(w, document),
    )


def _texts(*labels: str) -> tuple[Column, ...]:
    return tuple(Column(label, figures=False) for label in labels)


def _conventions(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, own = w.t, document.conventions
    basis = t(f"conv.{own.discount_basis}") if own.discount_basis in {"real", "nominal"} else t("conv.basis_none")
    rows = (
        (t("conv.capital"), t(f"conv.{own.capital}")),
        (t("conv.operations"), t(f"conv.ops_{own.operations}")),
        (t("conv.prices"), t(f"conv.price_{own.prices}")),
        (t("conv.tax"), t(f"conv.{w.case.conventions.headline}")),
        (t("conv.counted"), ", ".join(t(f"class.{one}") for one in own.counted)),
        (t("conv.discount"), f"{w.percent(own.discount_rate)} ({basis})"),
    )
    return Section("conventions", t("conv.title"), tables=(Table(_texts(t("conv.title"), ""), rows),))


def _by_year(model: Model, values: Values) -> list[float]:
    case, unit = model.case, UNIT_FACTORS[model.case.display_unit]
    per_year = case.periods_per_year
    flat = list(values.reshape(-1))
    yearly = [sum(flat[year * per_year : (year + 1) * per_year], Decimal(0)) for year in range(case.horizon_years)]
    return [float(value / unit) for value in yearly]


def _yearly_table(w: AppraisalWording, head: tuple[str, str], rows: Sequence[tuple[str, str, list[float]]]) -> Table:
    """Lines down, years across; of many years the first, every fifth and the last are shown beside the total."""
    t, years = w.t, w.case.years
    kept = _kept(len(years))
    columns = (
        *_texts(f"{head[0]} · {w.unit}", head[1]),
        *(Column(str(years[index])) for index in kept),
        Column(t("benefit.total")),
    )
    body = [
        (name, tag, *(w.plain(values[index]) for index in kept), w.plain(sum(values))) for name, tag, values in rows
    ]
    return Table(columns, tuple(body))


def _kept(count: int) -> Sequence[int]:
    return range(count) if count <= _MANY else sorted({0, *range(4, count, 5), count - 1})


def _left_out(w: AppraisalWording) -> tuple[str, ...]:
    """Which years a yearly table shows, where it does not show all of them."""
    years = w.case.years
    kept = [str(years[index]) for index in _kept(len(years))]
    if len(kept) == len(years):
        return ()
    return (w.t("benefit.left_out", shown=", ".join(kept), count=len(years) - len(kept)),)


def _benefits(w: AppraisalWording, model: Model) -> Section:
    t, amounts = w.t, model.exact()
    rows = [
        (
            w.name(line.name),
            f"{t(f'class.{line.benefit_class}')} · {t(f'axis.{line.axis}')}",
            _by_year(model, amounts.benefits[line.id]),
        )
        for line in w.case.benefits
    ]
    table = _yearly_table(w, (t("benefit.line"), t("benefit.class")), rows)
    return Section("benefits", t("benefit.title"), tables=(table,), notes=(t("benefit.note"), *_left_out(w)))


def _costs(w: AppraisalWording, model: Model) -> Section:
    t, amounts, unit = w.t, model.exact(), UNIT_FACTORS[w.case.display_unit]
    names = {line.id: (w.name(line.name), t(f"category.{line.category}")) for line in w.case.capex}
    names["contingency"] = (t("cost.contingency"), "")
    capital = {name: float(money[0] / unit) for name, money in amounts.capex.items()}
    rows = [(*names[name], w.plain(money)) for name, money in capital.items()]
    rows.append((t("cost.total"), "", w.plain(sum(capital.values()))))
    heads = (*_texts(f"{t('cost.capex')} · {w.unit}", t("cost.category")), Column(t("cost.amount")))
    tables = [Table(heads, tuple(rows), strong_last=True)]
    if w.case.opex_per_year:
        running = [
            (w.name(line.name), t(f"category.{line.category}"), _by_year(model, amounts.opex[line.id]))
            for line in w.case.opex_per_year
        ]
        tables.append(_yearly_table(w, (t("cost.opex"), t("cost.category")), running))
    return Section("costs", t("cost.title"), tables=tuple(tables), notes=_left_out(w) if w.case.opex_per_year else ())


def _assumptions(w: AppraisalWording) -> Section:
    t = w.t
    stated: list[tuple[str, Assumption]] = [("discount_rate", w.case.discount_rate), *w.case.assumptions.items()]
    stated += [(f"capex.{one.id}", one.planned) for one in w.case.capex if one.planned is not None]
    stated += [(f"opex.{one.id}", one.planned) for one in w.case.opex_per_year if one.planned is not None]
    if w.case.achievement is not None:
        stated.append(("achievement", w.case.achievement))
    rows = tuple(
        (
            w.variable(name),
            _values(w, one.value, one.unit),
            t("figure.none")
            if one.low is None or one.high is None
            else f"{_values(w, one.low, one.unit)} \N{EN DASH} {_values(w, one.high, one.unit)}",
            unit_text(one.unit, w.language),
            one.source,
            one.owner,
        )
        for name, one in stated
    )
    heads = (
        Column(t("assume.id"), figures=False),
        Column(t("assume.value")),
        Column(t("assume.range")),
        *_texts(t("assume.unit"), t("assume.source"), t("assume.owner")),
    )
    return Section("assumptions", t("assume.title"), tables=(Table(heads, rows),))


def _values(w: AppraisalWording, value: Decimal | tuple[Decimal, ...], unit: str) -> str:
    texts = [bare_text(one, unit, w.language) for one in numbers(value)]
    if len(texts) > _MANY:
        return f"{texts[0]} \N{HORIZONTAL ELLIPSIS} {texts[-1]}"
    return ", ".join(texts)


def _alternatives(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, rows = w.t, []
    for one in document.alternatives:
        risk = t("figure.none") if one.risk is None else t(f"score.{one.risk}")
        if one.npv is None or one.irr is None:
            rows.append((w.variable(one.id), t("alt.none"), "", "", "", risk))
            continue
        extra = t("figure.none")
        if one.incremental_irr is not None and one.against is not None:
            extra = t("alt.against", irr=w.irr(one.incremental_irr), name=w.variable(one.against))
        rows.append(
            (
                w.variable(one.id),
                w.plain(one.npv),
                w.irr(one.irr),
                w.years(one.payback_years, one.payback_reason or "never"),
                extra,
                risk,
            )
        )
    heads = (
        Column(f"{t('alt.name')} · {w.unit}", figures=False),
        *(Column(label) for label in ("NPV", "IRR", t("head.payback"), t("alt.extra"))),
        Column(t("alt.risk"), figures=False),
    )
    return Section("alternatives", t("alt.title"), tables=(Table(heads, tuple(rows)),) if rows else ())


def _accounts(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, found = w.t, document.statements
    kept = _kept(len(found.years))
    heads = (
        Column(f"{t('account.line')} · {w.unit}", figures=False),
        *(Column(str(found.years[index])) for index in kept),
    )
    rows = tuple(
        (t(f"account.{name}"), *(w.plain(values[index]) for index in kept)) for name, values in found.effects.items()
    )
    return Section("accounts", t("account.title"), tables=(Table(heads, rows),), notes=_left_out(w))


def _benchmarks(w: AppraisalWording) -> Section:
    t = w.t
    rows = tuple(
        (
            w.name(one.name),
            *(t("figure.none") if value is None else figure_text(value, one.unit, w.language) for value in figures),
            one.source + ("" if one.published is None else f", {one.published}"),
        )
        for one in w.case.benchmarks
        for figures in [(one.company, one.industry, one.leader)]
    )
    heads = (
        Column(t("bench.name"), figures=False),
        *(Column(t(f"bench.{key}")) for key in ("company", "industry", "leader")),
        Column(t("bench.source"), figures=False),
    )
    return Section("benchmarks", t("bench.title"), tables=(Table(heads, rows),) if rows else ())


def _qualitative(w: AppraisalWording) -> Section:
    t, own = w.t, w.case.qualitative
    views = {"technical": own.technical, "strategic": own.strategic, "organisational": own.organisational}
    scores = tuple(
        (t(f"quality.{name}"), t(f"score.{one.score}"), w.name(one.reason), one.by)
        for name, one in views.items()
        if one is not None
    )
    risks = tuple((w.name(one.risk), w.name(one.response), one.owner) for one in own.risks)
    tables = []
    if scores:
        heads = _texts(*(t(f"quality.{key}") for key in ("kind", "score", "reason", "by")))
        tables.append(Table(heads, scores))
    if risks:
        tables.append(Table(_texts(t("quality.risk"), t("quality.response"), t("assume.owner")), risks))
    return Section(
        "qualitative", t("quality.title"), tables=tuple(tables), notes=(t("quality.note"),) if tables else ()
    )


def _data_sources(w: AppraisalWording) -> Section:
    t, none = w.t, w.t("figure.none")
    rows = tuple(
        (
            w.name(one.what),
            one.where,
            one.owner,
            none if one.quality is None else t(f"score.{one.quality}"),
            one.gaps or none,
        )
        for one in w.case.data_sources
    )
    heads = _texts(*(t(f"data.{key}") for key in ("what", "where", "owner", "quality", "gaps")))
    return Section("data", t("data.title"), tables=(Table(heads, rows),) if rows else ())


def _open(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, left, notes = w.t, document.not_stated, []
    if left.cost_categories:
        notes.append(t("open.cost_categories", names=", ".join(t(f"category.{one}") for one in left.cost_categories)))
    if left.unused_assumptions:
        notes.append(t("open.unused", names=", ".join(w.variable(one) for one in left.unused_assumptions)))
    if left.contingency:
        notes.append(t("open.contingency"))
    if left.discount_basis:
        notes.append(t("open.basis"))
    return Section("open", t("open.title"), notes=tuple(notes))
