"""A few of the kills that `tests/faults/kill_agent.py --kills 200` does by hand, on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.brokers import broker  # noqa: F401 - the fixture
from tests.faults.kill_agent import BROKEN, Plan, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.brokers import Broker

pytestmark = [pytest.mark.faults, pytest.mark.broker, pytest.mark.timeout(300)]


def test_kills_lose_nothing_and_do_nothing_twice(broker: Broker, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    outcome = run(tmp_path, broker, Plan(kills=8))
    assert outcome.facts_accepted > 100
    assert outcome.sound, outcome


def test_the_same_kills_find_out_an_agent_that_acknowledges_first(
    broker: Broker,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    outcome = run(tmp_path, broker, Plan(kills=8, program=BROKEN))
    assert outcome.facts_accepted > 100
    assert outcome.facts_lost + outcome.readings_lost > 0, "the kill test cannot fail, so that it proves nothing"
