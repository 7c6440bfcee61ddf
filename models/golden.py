"""The golden set: a few inputs kept with a model and what it must answer to them, on every machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from models.errors import ContractError, FolderRefusedError
from models.manifest import GOLDEN_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Another processor or execution provider may round differently; a wrong step in the graph moves far more than this.
TOLERANCE = 0.01


class ImageGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One image of the folder and its expected score, with mean and maximum of its map."""

    file: str
    score: float
    map_mean: float
    map_max: float


class HealthGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One window, rows of channel values, and the expected outputs."""

    window: tuple[tuple[float, ...], ...]
    statistic: float
    health: float
    contributions: tuple[float, ...]


class GoldenSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All golden inputs of one model; `tolerance` is relative."""

    tolerance: float
    images: tuple[ImageGolden, ...] = ()
    windows: tuple[HealthGolden, ...] = ()


def encode_golden(golden: GoldenSet) -> bytes:
    """As JSON bytes."""
    return msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n"


def decode_golden(contents: dict[str, bytes]) -> GoldenSet:
    """Read the golden set of a verified folder.

    Raises:
        FolderRefusedError: it is not one, or holds nothing.
    """
    try:
        golden = msgspec.json.decode(contents[GOLDEN_NAME], type=GoldenSet)
    except msgspec.MsgspecError as error:
        raise FolderRefusedError(f"{GOLDEN_NAME}: {error}", hint="teach or import the model again") from error
    if not golden.images and not golden.windows:
        raise FolderRefusedError("the golden set is empty", field=GOLDEN_NAME, hint="teach or import the model again")
    return golden


def check_images(
    golden: GoldenSet,
    pixels_of: Callable[[str], NDArray[np.uint8]],
    score: Callable[[NDArray[np.uint8]], tuple[float, NDArray[np.float32]]],
) -> None:
    """Score the golden images and compare.

    Raises:
        ContractError: an answer differs.
    """
    for expected in golden.images:
        value, anomaly_map = score(pixels_of(expected.file))
        got = (value, float(anomaly_map.mean()), float(anomaly_map.max()))
        want = (expected.score, expected.map_mean, expected.map_max)
        _compare(expected.file, got, want, golden.tolerance)


def check_windows(
    golden: GoldenSet, assess: Callable[[NDArray[np.float32]], tuple[float, float, tuple[float, ...]]]
) -> None:
    """Assess the golden windows and compare.

    Raises:
        ContractError: an answer differs.
    """
    for index, expected in enumerate(golden.windows):
        statistic, health, contributions = assess(np.array(expected.window, dtype=np.float32))
        # health and shares are compared against their full scale, since they may be near zero
        got = (statistic, 1 + health / 100, *(1 + share for share in contributions))
        want = (expected.statistic, 1 + expected.health / 100, *(1 + share for share in expected.contributions))
        _compare(f"window {index + 1}", got, want, golden.tolerance)


def _compare(name: str, got: tuple[float, ...], want: tuple[float, ...], tolerance: float) -> None:
    if len(got) != len(want) or not all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-6) for a, b in zip(got, want, strict=False)
    ):
        raise ContractError(
            f"the model answers {name} of its golden set differently here than where it was made",
            field="golden",
            value=f"{got[0]:.6g} instead of {want[0]:.6g}",
            hint="use another execution provider or runtime version, or teach the model on this machine",
        )
