"""A few of the payloads that `tests/faults/fuzz_payloads.py` sends by hand in hundreds of thousands, on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.brokers import start_broker
from tests.faults.fuzz_payloads import Plan, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.faults, pytest.mark.broker, pytest.mark.timeout(300)]


def test_every_good_message_is_stored_and_exactly_the_poison_is_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a tenth of the bound, pace and all: what goes wrong after ten thousand messages goes wrong here after a thousand
    monkeypatch.setattr("edge_agent.adapters.mqtt_source.CLOSE_US", 1_000)
    broker = start_broker("iotcore", tmp_path)
    try:
        outcome = run(tmp_path, broker, Plan(good=2_000, fuzzed=2_000, chunk=100, lag=500))
    finally:
        broker.close()
    assert outcome.sound, outcome
    assert outcome.poison > 1_000
    assert len(outcome.reasons) > 12
