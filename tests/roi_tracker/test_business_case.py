from __future__ import annotations

from pathlib import Path

import pytest

import roi_tracker
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.errors import CaseError

TEXT = (Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("currency: KRW", "currency: won", "currency"),
        ("value: 0.08", "value: 8", "8 % is 0.08"),
        ("value: 0.30, source", "value: 30, source", "30 % is 0.30"),
        ("per: defect", "per: h", "valued per defect"),
        ("Asia/Seoul", "Asia/Busan", "IANA"),
        ("horizon_years: 5", "horizon_years: 5\nsurprise: 1", "surprise"),
        ("owner: controller}", "owner: ''}", "owner"),
        ("first: 2025-07-15", "first: 2025-07-16", "day after the blackout"),
        ("go_live: 2025-07-15", "go_live: 2025-07-20", "first day of reporting"),
        ("id: power", "id: maintenance", "used twice"),
        ("    quantity_per_year: {value: 400,", "    reduction_ratio: {value: 0.4,", "either quantity_per_year"),
    ],
)
def test_mistakes_are_named(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(CaseError) as caught:
        parse_case(TEXT.replace(old, new, 1), "yaml")
    assert message in str(caught.value)


def test_not_yaml() -> None:
    with pytest.raises(CaseError, match="not valid YAML"):
        parse_case("a: [", "yaml")
    with pytest.raises(CaseError, match="not valid TOML"):
        parse_case("a = [", "toml")


def test_ramp_up_holds_its_last_step(case: BusinessCase) -> None:
    labour = case.benefits[2]
    assert [str(labour.ramp(year)) for year in range(3)] == ["0.5", "1.0", "1.0"]
