"""Every kind of event, each of its fields and every code has words in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from roi_tracker.observations import facts as f
from roi_tracker.observations.rows import Inspector, Stratum
from roi_tracker.render.fact_text import gist_text, kind_text, value_text
from roi_tracker.render.report_wording import report_words

KINDS = get_args(f.Fact)
AT = datetime(2025, 10, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_kinds_fields_and_codes_have_words(kind: type[f.Fact]) -> None:
    for language in ("ko", "en"):
        keys = report_words("ko" if language == "ko" else "en").keys
        assert f"fact_kind.{kind.__struct_config__.tag}" in keys
        assert {f"fact_field.{one.name}" for one in msgspec.structs.fields(kind)} <= keys
        for name, hint in get_type_hints(kind).items():
            if get_origin(hint) is Literal and hint is not Stratum and name != "origin":
                assert {f"fact_value.{code}" for code in get_args(hint)} <= keys
    assert {f"fact_value.{code}" for code in (*get_args(Inspector), *get_args(Stratum))} <= report_words("ko").keys


def test_an_event_in_words() -> None:
    stop = f.StopFact(
        key="s", line="press-1", at=AT, end=AT, origin="simulated", asset="press", planned=False, reason="jam"
    )
    revised = f.StopRevisionFact(key="r", line="press-1", at=AT, origin="simulated", replaces=("a", "b"), stops=(stop,))
    judged = f.JudgedPart(
        key="j", line="press-1", at=AT, origin="simulated", inspection_key="p", defective=True, stratum="audit_fail"
    )
    en, ko = report_words("en"), report_words("ko")
    assert gist_text(judged, en) == ("inspection: p, defective: yes, stratum: audit of rejected parts, blind: no")
    assert gist_text(judged, ko) == "검사 키: p, 불량: 예, 층: 불합격품 재검사, 눈가림: 아니요"
    assert kind_text(revised, ko) == "정지 수정"
    assert "replaces: a; b" in gist_text(revised, en)
    assert "reason: jam" in gist_text(revised, en)
    assert (value_text("kwh", 1234.5, en), value_text("kwh", None, en)) == ("1,234.5", en("figure.none"))
