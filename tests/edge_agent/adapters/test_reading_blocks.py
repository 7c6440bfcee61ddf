from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.reading_blocks import Series, block_start, decode, encode, merge
from edge_agent.errors import StoreError
from edge_agent.instant import to_us

SKAB = Path(__file__).parents[4] / "shared" / "data" / "skab"
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.integers(-(10**7), 10**7).map(lambda number: number / 1_000)
INT64 = st.integers(-(2**63), 2**63 - 1)


def series(times: list[int], values: list[float], quality: list[int] | None = None) -> Series:
    flags = quality if quality is not None else [0] * len(times)
    return Series(np.array(times, np.int64), np.array(values, np.float64), np.array(flags, np.uint8))


def bits(one: Series) -> tuple[list[int], list[int], list[int]]:
    return one.times.tolist(), one.values.view(np.int64).tolist(), one.quality.tolist()


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    times = sorted(draw(st.sets(INT64, max_size=40)))
    values = draw(st.lists(draw(st.sampled_from([FLOATS, DECIMALS])), min_size=len(times), max_size=len(times)))
    quality = draw(st.lists(st.integers(0, 2), min_size=len(times), max_size=len(times)))
    return series(times, values, quality)


@given(any_series())
@example(series([], []))
@example(series([-(2**63), 2**63 - 1], [0.0, -0.0]))
@example(series([0, 1, 2], [1.7976931348623157e308, 5e-324, -1.7976931348623157e308]))
@example(series([0, 1], [0.1 + 0.2, 0.3], [2, 2]))
def test_a_block_comes_back_bit_for_bit(one: Series) -> None:
    assert bits(decode(encode(one))) == bits(one)


def test_float_noise_is_lossless_too() -> None:
    rng = np.random.default_rng(7)
    times = np.cumsum(rng.integers(1, 90_000, 4_000))
    one = Series(times, rng.normal(20, 3, 4_000), np.zeros(4_000, np.uint8))
    assert bits(decode(encode(one))) == bits(one)


def test_a_constant_at_a_fixed_rate_costs_next_to_nothing() -> None:
    one = series([n * 40_000 for n in range(15_000)], [21.5] * 15_000)
    assert len(encode(one)) < 200


@given(any_series(), any_series())
def test_merging_keeps_order_and_prefers_what_was_kept(kept: Series, added: Series) -> None:
    merged = merge(kept, added)
    expected = dict(zip(added.times.tolist(), added.values.tolist(), strict=True))
    expected |= dict(zip(kept.times.tolist(), kept.values.tolist(), strict=True))
    assert merged.times.tolist() == sorted(expected)
    assert merged.values.tolist() == [expected[time] for time in sorted(expected)]


def test_blocks_start_every_600_seconds_also_before_1970() -> None:
    assert block_start(600_000_000) == 600_000_000
    assert block_start(599_999_999) == 0
    assert block_start(-1) == -600_000_000


@pytest.mark.parametrize("place", [0, 2, 3, 20, -3])
def test_a_damaged_block_is_refused(place: int) -> None:
    block = bytearray(encode(series(list(range(100)), [n / 7 for n in range(100)])))
    block[place] ^= 0x55
    with pytest.raises(StoreError, match="block of readings"):
        decode(bytes(block))


@pytest.mark.parametrize("length", [0, 11, 12, 30, -1])
def test_a_cut_block_is_refused(length: int) -> None:
    block = encode(series(list(range(100)), [n / 7 for n in range(100)]))
    with pytest.raises(StoreError, match="block of readings"):
        decode(block[:length])


@pytest.mark.data
@pytest.mark.skipif(not SKAB.is_dir(), reason="SKAB data is not beside the checkout")
def test_real_pump_signals_take_at_most_three_bytes_a_reading() -> None:
    from datetime import datetime

    stored = count = 0
    with (SKAB / "valve1" / "0.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    times = [to_us(datetime.fromisoformat(row["datetime"] + "+00:00")) for row in rows]
    for name in list(rows[0])[1:9]:
        whole = merge(reading_blocks.empty(), series(times, [float(row[name]) for row in rows]))
        starts = whole.times // reading_blocks.BLOCK_US
        for start in np.unique(starts):
            chosen = starts == start
            block = encode(Series(whole.times[chosen], whole.values[chosen], whole.quality[chosen]))
            assert decode(block).values.tolist() == whole.values[chosen].tolist()
            stored, count = stored + len(block), count + int(chosen.sum())
    assert count == 8 * 1_147
    assert stored / count < 3.0
