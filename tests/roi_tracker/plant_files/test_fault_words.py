from __future__ import annotations

import string
from typing import Any

import pytest
from typer.testing import CliRunner

from roi_tracker.__main__ import app
from roi_tracker.commands.console import error_lines
from roi_tracker.errors import IntakeError, RowError
from roi_tracker.plant_files.fault_words import _OF_CELLS, _OF_FILES, Fault

COUNTS = "라인,생산일자,품목,생산수량,불량수량\n프레스1,2025-03-01,A-1,1200,24\n프레스1,2025-03-02,A-1,-5,1\n"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", sorted(_OF_CELLS | _OF_FILES))
def test_both_languages_say_the_same_things(name: str) -> None:
    fault: Fault = (_OF_CELLS | _OF_FILES)[name]
    assert places(fault.en) == places(fault.ko)
    assert places(fault.fix_en) == places(fault.fix_ko)
    assert all((fault.en, fault.ko, fault.fix_en, fault.fix_ko))
    assert any("가" <= sign <= "힣" for sign in fault.ko)


def test_a_refused_file_names_row_column_fault_and_fix_in_both_languages(desk: Any) -> None:
    with pytest.raises(IntakeError) as refused:
        desk.load(desk.lay("mes.csv", COUNTS))
    assert list(error_lines(refused.value, "en")) == [
        "error: 1 rows of mes.csv cannot be used; nothing was imported Fix: correct the rows named and import again",
        "  mes.csv:3: 생산수량: -5 is negative. Fix: a count or quantity cannot be; correct the source",
    ]
    assert list(error_lines(refused.value, "ko")) == [
        "오류: mes.csv의 1개 행을 쓸 수 없어 아무것도 들여오지 않았습니다. 조치: 아래 행을 고쳐 다시 들여오십시오",
        "  mes.csv 3행: 생산수량: -5 음수입니다. 조치: 개수나 양은 음수일 수 없습니다. 원본을 고치십시오",
    ]


def test_what_is_known_in_english_only_is_told_in_english() -> None:
    error = IntakeError("no such thing", rows=(RowError("a.csv", 2, "odd"),))
    assert list(error_lines(error, "ko")) == ["error: no such thing", "  a.csv:2: odd"]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ("production and inspection counts", "-5 is negative", "a count or quantity cannot be", "2025-03-01 00:00"),
        ),
        ("ko", ("생산·검사 수량", "-5 음수입니다", "개수나 양은 음수일 수 없습니다", "2025-03-01 00:00")),
    ],
)
def test_a_preview_is_a_table_that_people_read(desk: Any, lang: str, words: tuple[str, ...]) -> None:
    path = desk.lay("mes.csv", COUNTS)
    mapping = desk.lay("map.toml", 'time_zone = "Asia/Seoul"\n')
    done = CliRunner().invoke(app, ["import", str(path), "--map", str(mapping), "--preview", "--lang", lang])
    assert done.exit_code == 1
    assert all(word in done.stdout for word in words)
    assert not any(sign in done.stdout for sign in ("Fact(", "datetime", "tzinfo", "None"))


def test_a_file_that_is_not_there_leaves_no_store_behind(desk: Any) -> None:
    store = desk.folder / "new.sqlite"
    done = CliRunner().invoke(app, ["import", str(desk.folder / "none.csv"), "--store", str(store)])
    assert isinstance(done.exception, IntakeError)
    assert not store.exists()
