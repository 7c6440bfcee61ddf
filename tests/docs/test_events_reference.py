from __future__ import annotations

import importlib.util
from pathlib import Path

HERE = Path(__file__).resolve().parent


def test_the_event_reference_says_what_the_contract_says() -> None:
    spec = importlib.util.spec_from_file_location("render_events", HERE / "render_events.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = module.render()
    assert module.REFERENCE.read_text(encoding="utf-8") == expected, "run: python tests/docs/render_events.py"
