from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from edge_agent.retention import retention_rules
from edge_agent.settings.retention import RetentionSettings

DAY_US = 86_400 * 10**6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pass_days": 31.0}, "pass_days is not the shortest"),
        ({"fail_days": 100.0}, "fail_days is not the longest"),
        ({"stop_images_free_gb": 3.0}, "images are purged first"),
        ({"readings_days": 7, "readings_least_days": 8}, "readings_least_days is more"),
        ({"readings_days": 6}, "greater than or equal to 7"),
        ({"max_share_ratio": 50}, "less than or equal to 1"),
        ({"fail_day": 3}, "Extra inputs"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RetentionSettings(**given)


def test_settings_become_rules_in_microseconds_and_bytes() -> None:
    rules = retention_rules(
        RetentionSettings(pass_days=0.5, images_max_gb=1.5, min_free_gb=0.25, stop_images_free_gb=0)
    )
    assert rules.images_us == {
        "PASS": DAY_US // 2,
        "NO_VERDICT": 30 * DAY_US,
        "REVIEW": 180 * DAY_US,
        "FAIL": 730 * DAY_US,
    }
    assert (rules.images_bytes, rules.readings_bytes) == (1_500_000_000, None)
    assert (rules.readings_us, rules.min_free_bytes, rules.stop_images_bytes) == (400 * DAY_US, 250_000_000, 0)
    assert (rules.max_share, rules.settle_ns) == (0.5, 86_400 * 10**9)
