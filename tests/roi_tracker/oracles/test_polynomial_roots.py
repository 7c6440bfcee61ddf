"""All rates of random flows against the eigenvalues of their polynomial: as many, and the same."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from roi_tracker.appraisal import irr
from tests.roi_tracker.oracles.test_numpy_financial import held, real_roots

SERIES = 2_000


def _flows(seed: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randint(-60, 60) for _ in range(rng.randint(2, 12))]


def test_same_rates_as_a_polynomial_root_finder() -> None:
    found: Counter[str] = Counter()
    for seed in range(SERIES):
        flows = _flows(seed)
        own = irr([Decimal(flow) for flow in flows])
        found[own.reason] += 1
        expected = [] if own.reason == "no_sign_change" else real_roots(np.array(flows, dtype=float))
        assert held(own.roots) == pytest.approx(expected, rel=1e-7, abs=1e-9), (seed, flows)
        if own.reason == "no_sign_change":
            assert not any(flow > 0 for flow in flows) or not any(flow < 0 for flow in flows), (seed, flows)
    assert min(found[reason] for reason in ("unique", "no_sign_change", "no_real_root", "several_roots")) > 50, found
