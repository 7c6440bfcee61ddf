from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from edge_agent.composition.asking import SEED_FILE, asked, station_audits
from edge_agent.settings.config import Settings

if TYPE_CHECKING:
    from pathlib import Path


def settings(data: Path, audit: dict[str, Any] | None, **more: Any) -> Settings:
    stations = [
        {"name": "a", "line": "press-1", "model": "m", "folder": {"path": "a"}, "audit": audit},
        {"name": "b", "line": "press-2", "model": "m", "folder": {"path": "b"}},
    ]
    reading = {"filter": "t", "line": "press-1", "asset": "press", "channel": "x"}
    return Settings.model_validate(
        {
            "agent": {"name": "x", "data_dir": str(data)},
            "stations": stations,
            "mqtt": {"readings": [reading]},
            "alarms": [{"name": "n", "line": "press-1", "asset": "press", "signal": "x", "above": 1, "action": "look"}],
            "downtime": [{"line": "press-1", "asset": "feeder"}],
            **more,
        }
    )


def test_without_an_audit_no_seed_is_made(tmp_path: Path) -> None:
    given = settings(tmp_path, None)

    assert station_audits(given, tmp_path) == {}
    assert asked(given, {}).audited_lines == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_a_station_with_an_audit_draws_at_the_rates_of_its_aim(tmp_path: Path) -> None:
    given = settings(tmp_path, {"parts_per_shift": 2_000})

    audits = station_audits(given, tmp_path)
    again = station_audits(given, tmp_path)

    assert list(audits) == ["a"]
    assert round(audits["a"].rates.pass_rate, 5) == 0.00184  # 214 of 116,400 expected PASS parts
    assert round(audits["a"].rates.fail_rate, 5) == 0.0456  # 164 of 3,600 expected FAIL parts
    assert audits["a"].rates.capped is False
    assert (tmp_path / SEED_FILE).stat().st_size == 32
    assert again["a"].lottery.seed_id == audits["a"].lottery.seed_id


def test_a_cap_that_is_too_low_is_told(tmp_path: Path) -> None:
    audits = station_audits(settings(tmp_path, {"parts_per_shift": 2_000, "reviews_per_shift": 1}), tmp_path)

    rates = audits["a"].rates
    assert rates.capped
    # 60 looks over 60 shifts, a tenth of them repeats: 54.5 first looks, shared as 214 to 164
    drawn = rates.pass_rate * 116_400 + rates.fail_rate * 3_600
    assert drawn == pytest.approx(60 / 1.1)


def test_the_pages_know_machines_reasons_and_audited_lines(tmp_path: Path) -> None:
    reasons = [{"code": "die", "ko": "금형", "en": "Die", "planned": True}]
    given = settings(tmp_path, {"parts_per_shift": 10}, stop_reasons=reasons)

    found = asked(given, station_audits(given, tmp_path))

    assert found.audited_lines == {"press-1"}
    assert found.assets == {"press-1": ("press", "feeder"), "press-2": ()}
    assert found.stopping == {"press-1": "feeder"}
    assert [reason.code for reason in found.reasons] == ["die"]
    assert len(asked(settings(tmp_path, None), {}).reasons) == 11


@pytest.mark.parametrize(
    "audit",
    [
        {},
        {"parts_per_shift": 0},
        {"parts_per_shift": 10, "ppv_half_width": 5},
        {"parts_per_shift": 10, "fail_ratio": 3},
        {"parts_per_shift": 10, "repeat_ratio": 0.6},
        {"parts_per_shift": 10, "seed": "x"},
    ],
)
def test_an_aim_that_cannot_be_is_refused(tmp_path: Path, audit: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path, audit)


def test_a_reason_is_listed_once(tmp_path: Path) -> None:
    reason = {"code": "die", "ko": "금형", "en": "Die", "planned": True}
    with pytest.raises(ValidationError, match="'die' is given twice"):
        settings(tmp_path, None, stop_reasons=[reason, reason])
