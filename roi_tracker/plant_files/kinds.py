"""What plant files may hold: kinds of rows, their fields, and the headers by which a field is known."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counts", "audits", "challenges", "escapes", "stops", "energy", "labour", "kpis", "covariates", "costs"]
FieldType = Literal["text", "count", "number", "amount", "moment", "day", "flag", "hours", "energy", "verdict"]


class Field(msgspec.Struct, frozen=True):
    """One field of a kind.

    Attributes:
        headers: what the column may be called, Korean and English, compared without case, spaces and signs.
        unit: unit assumed where neither mapping nor header says one.
    """

    name: str
    type: FieldType
    headers: tuple[str, ...]
    required: bool = False
    unit: str = ""


class KindSpec(msgspec.Struct, frozen=True):
    """The fields of a kind.

    Attributes:
        telling: fields of which at least one header must be there before a file is taken for this kind.
    """

    kind: Kind
    fields: tuple[Field, ...]
    telling: tuple[str, ...]


_LINE = Field(
    "line", "text", ("line", "라인", "생산라인", "라인명", "설비라인", "production line", "linie"), required=True
)
_TIME = (
    Field(
        "start",
        "moment",
        ("start", "begin", "from", "시작", "시작시각", "시작시간", "시작일시", "발생시각", "발생일시"),
    ),
    Field("end", "moment", ("end", "to", "until", "종료", "종료시각", "종료시간", "종료일시", "해제시각", "복구시각")),
    Field("day", "day", ("date", "day", "일자", "날짜", "작업일", "작업일자", "생산일", "생산일자", "기준일", "datum")),
    Field("shift", "text", ("shift", "교대", "근무조", "조", "작업조", "schicht")),
)
_PRODUCT = Field(
    "product", "text", ("product", "item", "part number", "제품", "품목", "품번", "품명", "제품명", "모델")
)


def _spec(kind: Kind, telling: tuple[str, ...], *fields: Field) -> KindSpec:
    line = msgspec.structs.replace(_LINE, required=kind not in {"costs", "covariates"})
    return KindSpec(kind, (line, *_TIME, *fields), telling)


SPECS: tuple[KindSpec, ...] = (
    _spec(
        "audits",
        ("audited",),
        _PRODUCT,
        Field("inspector", "text", ("inspector", "judged by", "검사주체", "검사방식")),
        Field("stratum", "verdict", ("stratum", "verdict", "판정", "표본판정"), required=True),
        Field("audited", "count", ("audited", "sampled", "sample size", "재검사수", "표본수", "감사수"), required=True),
        Field("found", "count", ("found", "defects found", "발견불량", "발견불량수", "실제불량"), required=True),
    ),
    _spec(
        "challenges",
        ("caught",),
        _PRODUCT,
        Field("inspector", "text", ("inspector", "judged by", "검사주체", "검사방식")),
        Field("defective", "count", ("defective", "defective shown", "투입불량", "불량시편"), required=True),
        Field("caught", "count", ("caught", "검출", "검출수", "검출불량"), required=True),
        Field("good", "count", ("good", "good shown", "투입양품", "양품시편"), required=True),
        Field("rejected", "count", ("rejected", "false rejects", "과검", "과검수"), required=True),
    ),
    _spec(
        "escapes",
        ("escapes",),
        _PRODUCT,
        Field(
            "escapes",
            "count",
            ("escapes", "escaped", "claims", "유출", "유출수", "유출불량", "클레임", "클레임수"),
            required=True,
        ),
    ),
    _spec(
        "counts",
        ("produced",),
        _PRODUCT,
        Field(
            "produced",
            "count",
            ("produced", "output", "quantity", "생산수", "생산수량", "생산량", "투입수"),
            required=True,
        ),
        Field("inspected", "count", ("inspected", "검사수", "검사수량", "검사량")),
        Field(
            "rejected", "count", ("rejected", "failed", "defects", "ng", "불량수", "불량수량", "불합격수", "부적합수")
        ),
        Field("scrap", "count", ("scrap", "폐기", "폐기수", "폐기수량")),
        Field("rework", "count", ("rework", "재작업", "재작업수", "수리수량")),
        Field(
            "planned_busy",
            "hours",
            ("planned busy time", "planned busy", "planned time", "계획가동시간", "부하시간"),
            unit="h",
        ),
    ),
    _spec(
        "energy",
        ("energy",),
        Field("carrier", "text", ("carrier", "energy carrier", "에너지원")),
        Field(
            "energy",
            "energy",
            ("energy", "kwh", "consumption", "전력량", "사용량", "에너지", "에너지사용량"),
            required=True,
            unit="kwh",
        ),
    ),
    _spec(
        "labour",
        ("hours",),
        Field("role", "text", ("role", "job", "직무", "역할", "직종"), required=True),
        Field("person", "text", ("person", "employee", "사번", "작업자", "사원번호")),
        Field(
            "hours",
            "hours",
            ("hours", "hours worked", "man hours", "근무시간", "작업시간", "공수", "투입시간"),
            required=True,
            unit="h",
        ),
    ),
    _spec(
        "kpis",
        ("numerator",),
        _PRODUCT,
        Field("name", "text", ("name", "kpi", "indicator", "지표", "지표명"), required=True),
        Field("numerator", "number", ("numerator", "분자"), required=True),
        Field("denominator", "number", ("denominator", "분모")),
    ),
    _spec(
        "costs",
        ("amount",),
        Field("name", "text", ("name", "description", "item", "내역", "항목", "적요", "비용명"), required=True),
        Field("amount", "amount", ("amount", "cost", "금액", "비용", "지출액"), required=True, unit="원"),
        Field("cost_kind", "text", ("kind", "type", "구분", "비용구분"), required=True),
        Field(
            "reference", "text", ("reference", "invoice", "source", "전표", "전표번호", "증빙", "출처"), required=True
        ),
    ),
    _spec(
        "covariates",
        ("value",),
        Field("name", "text", ("name", "covariate", "condition", "조건", "변수", "항목"), required=True),
        Field("value", "number", ("value", "degree days", "값", "도일", "난방도일", "냉방도일"), required=True),
    ),
    _spec(
        "stops",
        ("reason", "duration", "asset", "planned"),
        Field("asset", "text", ("asset", "machine", "equipment", "설비", "설비명", "기계")),
        Field("duration", "hours", ("duration", "downtime", "stop time", "정지시간", "비가동시간"), unit="min"),
        Field("planned", "flag", ("planned", "계획", "계획여부", "계획정지")),
        Field("reason", "text", ("reason", "cause", "stop reason", "사유", "정지사유", "원인", "비가동사유")),
    ),
)
"""In the order in which a file is tried; the first kind whose telling and required fields are there is taken."""

HOURS = {
    "s": 1 / 3600,
    "sec": 1 / 3600,
    "초": 1 / 3600,
    "min": 1 / 60,
    "분": 1 / 60,
    "h": 1.0,
    "hour": 1.0,
    "시간": 1.0,
}
KILOWATT_HOURS = {"wh": 0.001, "kwh": 1.0, "mwh": 1000.0, "mj": 1 / 3.6, "gj": 1000 / 3.6, "kcal": 4.184 / 3600}
MONEY = {"원": 1, "krw": 1, "천원": 1_000, "만원": 10_000, "백만원": 1_000_000, "억원": 100_000_000}
"""Factors to hours, to kWh and to won by unit."""


def spec_of(kind: Kind) -> KindSpec:
    """The fields of a kind."""
    return next(spec for spec in SPECS if spec.kind == kind)


def plain(header: str) -> str:
    """A header without unit, case, spaces and signs.

    >>> plain("계획 가동시간 (분)"), plain("Planned_Busy [h]")
    ('계획가동시간', 'plannedbusy')
    """
    name = header.partition("(")[0].partition("[")[0]
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def unit_of(header: str) -> str:
    """The unit in a header's brackets, empty for none.

    >>> unit_of("정지시간(분)"), unit_of("Energy [MWh]"), unit_of("Produced")
    ('분', 'mwh', '')
    """
    for opening, closing in (("(", ")"), ("[", "]")):
        _, found, rest = header.partition(opening)
        if found:
            return rest.partition(closing)[0].strip().casefold()
    return ""
