from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.inspection.sampling import (
    SEED_BYTES,
    Z_90,
    AuditAim,
    AuditLottery,
    audit_rates,
    needed_sample,
    reached_half_width,
    wilson_half_width,
)

AIM = AuditAim(
    ppv_half_width=0.05,
    for_half_width=0.01,
    parts_per_shift=2_000,
    fail_ratio=0.03,
    expected_ppv=0.8,
    expected_for=0.005,
    shifts=60,
    reviews_per_shift=40,
    repeat_ratio=0.1,
)
SHARES = st.floats(0.001, 0.999)


def test_the_wilson_interval_against_a_hand_worked_example() -> None:
    # 5 of 20: centre (0.25 + z2/40) / (1 + z2/20), limits 0.1274 and 0.4322 at 90 %
    n, p, z2 = 20, 0.25, 1.6448536269514722**2
    low = ((p + z2 / (2 * n)) - Z_90 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    high = ((p + z2 / (2 * n)) + Z_90 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)

    assert (round(low, 4), round(high, 4)) == (0.1274, 0.4322)
    assert wilson_half_width(p, n) == pytest.approx((high - low) / 2, rel=1e-12)


@given(SHARES, st.floats(0.005, 0.3), st.integers(10, 10_000_000))
def test_the_sample_that_is_needed_reaches_the_width_and_no_less_does(share: float, width: float, parts: int) -> None:
    sample = needed_sample(share, width, parts)

    assert 0 < sample <= parts
    if sample < parts * (1 - 1e-9):
        assert reached_half_width(share, sample, parts) == pytest.approx(width, rel=1e-6)
        assert reached_half_width(share, sample * 0.99, parts) > width


@given(
    st.builds(
        AuditAim,
        ppv_half_width=st.floats(0.01, 0.3),
        for_half_width=st.floats(0.002, 0.3),
        parts_per_shift=st.integers(1, 50_000),
        fail_ratio=st.floats(0.001, 0.5),
        expected_ppv=SHARES,
        expected_for=SHARES,
        shifts=st.integers(1, 300),
        reviews_per_shift=st.integers(1, 500),
        repeat_ratio=st.floats(0, 0.5),
    )
)
def test_rates_are_chances_and_never_more_work_than_people_can_do(aim: AuditAim) -> None:
    rates = audit_rates(aim)

    assert 0 < rates.pass_rate <= 1 + 1e-12
    assert 0 < rates.fail_rate <= 1 + 1e-12
    a_shift = aim.parts_per_shift * (rates.pass_rate * (1 - aim.fail_ratio) + rates.fail_rate * aim.fail_ratio)
    assert a_shift * (1 + aim.repeat_ratio) <= aim.reviews_per_shift * (1 + 1e-9)
    if not rates.capped:
        assert rates.for_half_width <= aim.for_half_width * (1 + 1e-6)
        assert rates.ppv_half_width <= aim.ppv_half_width * (1 + 1e-6)


def test_the_cap_widens_both_intervals_and_says_so() -> None:
    from msgspec.structs import replace

    free, capped = audit_rates(AIM), audit_rates(replace(AIM, reviews_per_shift=2))

    assert (free.capped, capped.capped) == (False, True)
    assert capped.pass_rate / free.pass_rate == pytest.approx(capped.fail_rate / free.fail_rate)
    assert capped.ppv_half_width > free.ppv_half_width == pytest.approx(0.05)
    assert capped.for_half_width > free.for_half_width == pytest.approx(0.01)


def test_draws_come_at_their_rate_and_independent_of_one_another() -> None:
    lottery = AuditLottery(b"7" * SEED_BYTES)
    keys = [f"press-1/cam/{n}" for n in range(40_000)]
    drawn = [lottery.draw(key, 0.05) for key in keys]
    ranks = [draw.rank for draw in drawn if draw is not None]

    # 40,000 draws at 0.05: standard deviation 43.6; ranks uniform: sd of their mean 0.289 / sqrt(2000)
    assert abs(len(ranks) - 2_000) < 4 * 43.6
    assert abs(statistics.fmean(ranks) - 0.5) < 4 * 0.289 / math.sqrt(2_000)
    repeated = [lottery.repeats(key, 0.5) for key, draw in zip(keys, drawn, strict=True) if draw is not None]
    assert abs(sum(repeated) - len(repeated) / 2) < 4 * math.sqrt(len(repeated)) / 2
    neighbours = [a is not None and b is not None for a, b in itertools.pairwise(drawn)]
    assert abs(sum(neighbours) - 100) < 4 * 10


@given(st.text(max_size=60), st.floats(0, 1), st.floats(0, 1))
def test_a_key_drawn_at_a_rate_is_drawn_at_every_higher_one(key: str, one: float, other: float) -> None:
    lottery = AuditLottery(bytes(SEED_BYTES))
    low, high = sorted((one, other))

    if lottery.draw(key, low) is not None:
        assert lottery.draw(key, high) is not None
    assert lottery.draw(key, 1.0) is not None
    assert lottery.draw(key, 0.0) is None


def test_another_seed_draws_others_and_its_name_does_not_tell_it() -> None:
    one, other = AuditLottery(b"1" * SEED_BYTES), AuditLottery(b"2" * SEED_BYTES)
    keys = [f"k{n}" for n in range(1_000)]

    assert [one.draw(k, 0.5) is None for k in keys] != [other.draw(k, 0.5) is None for k in keys]
    assert one.seed_id != other.seed_id
    assert (b"1" * SEED_BYTES).hex()[:16] != one.seed_id
    with pytest.raises(ValueError, match="32 bytes"):
        AuditLottery(b"short")


def test_the_drawn_sample_is_unbiased_and_as_narrow_as_was_wanted() -> None:
    """Whole audits simulated: true shares within the interval, widths reached, over 150 plants of 60 shifts."""
    rng = np.random.default_rng(20260105)
    rates = audit_rates(AIM)
    parts = AIM.parts_per_shift * AIM.shifts
    failed = round(parts * AIM.fail_ratio)
    estimates: list[float] = []
    widths: list[float] = []
    covered = 0
    for plant in range(150):
        lottery = AuditLottery(rng.bytes(SEED_BYTES))
        defective = rng.random(failed) < AIM.expected_ppv
        drawn = [n for n in range(failed) if lottery.draw(f"plant{plant}/{n}", rates.fail_rate) is not None]
        found = float(np.mean(defective[drawn]))
        width = reached_half_width(found, len(drawn), failed)
        estimates.append(found - float(np.mean(defective)))
        widths.append(width)
        covered += abs(estimates[-1]) <= width
    # estimator's error has sd 0.0305: the mean of 150 lies within 4 * 0.0305 / sqrt(150)
    assert abs(statistics.fmean(estimates)) < 4 * 0.0305 / math.sqrt(150)
    assert statistics.fmean(widths) == pytest.approx(0.05, rel=0.05)
    assert covered / 150 > 0.82  # nominal 0.90, less 3 standard errors of 0.0245
