"""When a stage gate is due, as people write it."""

from __future__ import annotations

import yaml

from roi_tracker.case.evaluation import StageGate


def test_a_bare_day_is_the_same_word_as_a_quoted_one() -> None:
    """YAML makes a day of it, and no writer of a case knows why quotes should matter."""
    text = "{{name: {{ko: 관문, en: Gate}}, when: {when}, condition: {{ko: 절감, en: Saved}}}}"
    bare, quoted = (
        StageGate.model_validate(yaml.safe_load(text.format(when=w))) for w in ("2025-12-31", "'2025-12-31'")
    )
    assert bare == quoted
    assert bare.when == "2025-12-31"
