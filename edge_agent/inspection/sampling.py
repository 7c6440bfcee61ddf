"""Which PASS and FAIL parts a person looks at, blind: the rate that a wanted interval needs, and the draw itself.

A draw depends on nothing but the inspection's key and a secret seed: a redelivery, a restart, or another machine with
the same seed draws the same parts, and nobody without the seed knows beforehand which. Each part is drawn by itself
with the probability of its stratum (Poisson sampling), so the probability is known whatever the shift produces.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from edge_agent.human_events import AuditedVerdict

Z_90 = 1.6448536269514722
"""Standard normal quantile of a two-sided 90 % interval."""
SEED_BYTES = 32
_WORD_BYTES = 8
_DOUBLE_BITS = 53
_SPARE_BITS = 8 * _WORD_BYTES - _DOUBLE_BITS
_DOUBLE_STEPS = float(1 << _DOUBLE_BITS)


class AuditAim(msgspec.Struct, frozen=True):
    """What an audit shall reach and may cost; fields as in `AuditSettings`."""

    ppv_half_width: float
    for_half_width: float
    parts_per_shift: int
    fail_ratio: float
    expected_ppv: float
    expected_for: float
    shifts: int
    reviews_per_shift: int
    repeat_ratio: float


class AuditRates(msgspec.Struct, frozen=True):
    """Chances with which parts are drawn, and what comes of them.

    Attributes:
        pass_rate, fail_rate: chance that a PASS or FAIL part is drawn, more than 0 and at most 1.
        repeat_rate: chance that a judged part is shown again.
        for_half_width, ppv_half_width: half-widths of the 90 % intervals that these rates give over the aim's shifts.
        capped: fewer parts are drawn than the wanted widths need, because people cannot look at more.
    """

    pass_rate: float
    fail_rate: float
    repeat_rate: float
    for_half_width: float
    ppv_half_width: float
    capped: bool

    def of(self, verdict: AuditedVerdict) -> float:
        """The chance of one stratum."""
        return self.pass_rate if verdict == "PASS" else self.fail_rate


def wilson_half_width(share: float, sample: float) -> float:
    """Half-width of the 90 % Wilson score interval of a share found in a sample (Wilson 1927).

    >>> round(wilson_half_width(0.5, 270), 4)
    0.0498
    """
    if sample <= 0:
        return 0.5  # nothing was seen: any share may be true
    z2 = Z_90 * Z_90
    return Z_90 / (1 + z2 / sample) * math.sqrt(share * (1 - share) / sample + z2 / (4 * sample * sample))


def needed_sample(share: float, half_width: float, population: float) -> float:
    """Parts to draw so that the interval of a share is as narrow as wanted, from a finite population (Cochran 1977,
    section 4.4): n0 of an endless population shrinks to n0 N / (N + n0 - 1).

    >>> round(needed_sample(0.5, 0.05, 1e9))
    268
    >>> round(needed_sample(0.5, 0.05, 400))
    161
    """
    low, high = 1e-6, 1.0
    while wilson_half_width(share, high) > half_width:
        low, high = high, high * 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if wilson_half_width(share, middle) > half_width else (low, middle)
    return min(population, high * population / (population + high - 1))


def reached_half_width(share: float, sample: float, population: float) -> float:
    """Half-width that a sample of a finite population gives: the inverse of `needed_sample`; 0 when all are seen.

    >>> round(reached_half_width(0.5, needed_sample(0.5, 0.05, 400), 400), 6)
    0.05
    """
    if sample >= population:
        return 0.0
    return wilson_half_width(share, sample * (population - 1) / (population - sample))


def audit_rates(aim: AuditAim) -> AuditRates:
    """The rates that an aim needs, scaled down together where people cannot look at that many.

    >>> aim = AuditAim(0.05, 0.01, 2000, 0.03, 0.8, 0.005, 60, 40, 0.1)
    >>> rates = audit_rates(aim)
    >>> round(rates.pass_rate, 5), round(rates.fail_rate, 5), rates.capped
    (0.00184, 0.0456, False)
    """
    parts = float(aim.parts_per_shift * aim.shifts)
    passed, failed = max(1.0, parts * (1 - aim.fail_ratio)), max(1.0, parts * aim.fail_ratio)
    wanted_pass = needed_sample(aim.expected_for, aim.for_half_width, passed)
    wanted_fail = needed_sample(aim.expected_ppv, aim.ppv_half_width, failed)
    looks = (wanted_pass + wanted_fail) * (1 + aim.repeat_ratio)
    scale = min(1.0, aim.reviews_per_shift * aim.shifts / looks)
    drawn_pass, drawn_fail = wanted_pass * scale, wanted_fail * scale
    return AuditRates(
        pass_rate=drawn_pass / passed,
        fail_rate=drawn_fail / failed,
        repeat_rate=aim.repeat_ratio,
        for_half_width=reached_half_width(aim.expected_for, drawn_pass, passed),
        ppv_half_width=reached_half_width(aim.expected_ppv, drawn_fail, failed),
        capped=scale < 1.0,
    )


def merge_order(first: str, second: str) -> float:
    """A number in [0, 1) that two keys make together; it orders what is shown and decides nothing that is secret.

    >>> merge_order("a", "b") == merge_order("a", "b") != merge_order("b", "a")
    True
    """
    digest = hashlib.sha256(f"{first}\0{second}".encode("utf-8", "surrogatepass")).digest()
    return _unit(digest)


class Draw(msgspec.Struct, frozen=True):
    """A part that was drawn: with which chance, and its place in the random order of reviewing, 0 to 1."""

    probability: float
    rank: float


class AuditLottery:
    """Draws parts. Three independent random numbers of each key decide: drawn or not, its rank, shown again or not.

    Args:
        seed: secret, `SEED_BYTES` long; whoever has it knows every draw.

    >>> lottery = AuditLottery(bytes(32))
    >>> lottery.draw("press-1/cam/42", 1.0) == AuditLottery(bytes(32)).draw("press-1/cam/42", 1.0)
    True
    >>> sum(lottery.draw(f"part {n}", 0.1) is not None for n in range(10_000))
    976
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            message = f"a seed has {SEED_BYTES} bytes, not {len(seed)}"
            raise ValueError(message)
        self._seed = seed

    @property
    def seed_id(self) -> str:
        """Names the seed without giving it away."""
        return hashlib.sha256(b"lineproof audit seed\0" + self._seed).hexdigest()[:16]

    def draw(self, inspection_key: str, probability: float) -> Draw | None:
        """The draw of one inspection, None when it is not drawn."""
        if self._number("draw", inspection_key) >= probability:
            return None
        return Draw(probability, self._number("rank", inspection_key))

    def repeats(self, inspection_key: str, rate: float) -> bool:
        """Whether a judged part is shown again."""
        return self._number("repeat", inspection_key) < rate

    def _number(self, purpose: str, key: str) -> float:
        """A uniform number in [0, 1) of a key."""
        return _unit(hmac.digest(self._seed, f"{purpose}\0{key}".encode("utf-8", "surrogatepass"), "sha256"))


def _unit(digest: bytes) -> float:
    """A number in [0, 1) from a digest: as many of its bits as a double holds."""
    return (int.from_bytes(digest[:_WORD_BYTES]) >> _SPARE_BITS) / _DOUBLE_STEPS
