from __future__ import annotations

import re
from pathlib import Path

from edge_agent.metrics import METRICS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
ROW = re.compile(
    r"^\| `(?P<name>lineproof_\w+)` \| (?P<kind>\w+) \| (?P<labels>[^|]+) \| (?P<meaning>[^|]+) \|$", re.MULTILINE
)


def test_the_reference_lists_every_metric_as_it_is_and_no_other() -> None:
    documented = [
        (row["name"], row["kind"], tuple(re.findall(r"`(\w+)`", row["labels"])), row["meaning"].strip())
        for row in ROW.finditer(REFERENCE.read_text(encoding="utf-8"))
    ]

    assert documented == [(spec.name, spec.kind, spec.labels, spec.meaning) for spec in METRICS]


def test_the_rules_name_only_metrics_that_exist() -> None:
    rules = REFERENCE.read_text(encoding="utf-8").split("```")[1]

    assert set(re.findall(r"lineproof_\w+", rules)) <= {spec.name for spec in METRICS}
