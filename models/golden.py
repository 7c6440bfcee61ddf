"""The golden set: a few inputs kept with a model and what it must answer to them, on every machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from models.errors import ContractError, FolderRefusedError
from models.manifest import GOLDEN_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    PixelsOf = Callable[[str], NDArray[np.uint8]]
    ScoreImage = Callable[[NDArray[np.uint8]], tuple[float, NDArray[np.float32]]]
    AssessWindow = Callable[[NDArray[np.float32]], tuple[float, float, tuple[float, ...]]]

# Another processor or execution provider may round differently; a wrong step in the graph moves far more than this.
TOLERANCE = 0.01
_SAME = 1e-6


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
    pixels_of: PixelsOf,
    score: ScoreImage,
) -> None:
    """Score the golden images and compare.

    Raises:
        ContractError: an answer differs.
    """
    for name, got, want in _image_answers(golden, pixels_of, score):
        _compare(name, got, want, golden.tolerance)


def check_windows(golden: GoldenSet, assess: AssessWindow) -> None:
    """Assess the golden windows and compare.

    Raises:
        ContractError: an answer differs.
    """
    for name, got, want in _window_answers(golden, assess):
        _compare(name, got, want, golden.tolerance)


def image_difference(golden: GoldenSet, pixels_of: PixelsOf, score: ScoreImage) -> float:
    """Greatest relative difference of the answers to the golden images; infinite where an answer is no number."""
    return max(_difference(got, want) for _, got, want in _image_answers(golden, pixels_of, score))


def window_difference(golden: GoldenSet, assess: AssessWindow) -> float:
    """Greatest relative difference of the answers to the golden windows; infinite where an answer is no number."""
    return max(_difference(got, want) for _, got, want in _window_answers(golden, assess))


def _image_answers(
    golden: GoldenSet, pixels_of: PixelsOf, score: ScoreImage
) -> Iterator[tuple[str, tuple[float, ...], tuple[float, ...]]]:
    for expected in golden.images:
        value, anomaly_map = score(pixels_of(expected.file))
        got = (value, float(anomaly_map.mean()), float(anomaly_map.max()))
        yield expected.file, got, (expected.score, expected.map_mean, expected.map_max)


def _window_answers(
    golden: GoldenSet, assess: AssessWindow
) -> Iterator[tuple[str, tuple[float, ...], tuple[float, ...]]]:
    for index, expected in enumerate(golden.windows):
        statistic, health, contributions = assess(np.array(expected.window, dtype=np.float32))
        # health and shares are compared against their full scale, since they may be near zero
        got = (statistic, 1 + health / 100, *(1 + share for share in contributions))
        want = (expected.statistic, 1 + expected.health / 100, *(1 + share for share in expected.contributions))
        yield f"window {index + 1}", got, want


def _difference(got: tuple[float, ...], want: tuple[float, ...]) -> float:
    """Greatest |got - want| as a share of the larger one.

    >>> _difference((1.0, 99.0), (1.0, 100.0)), _difference((math.nan,), (1.0,)), _difference((1.0,), (1.0, 2.0))
    (0.01, inf, inf)
    """
    if len(got) != len(want) or not all(map(math.isfinite, got)):
        return math.inf
    return max(abs(a - b) / max(abs(a), abs(b)) if abs(a - b) > _SAME else 0.0 for a, b in zip(got, want, strict=True))


def _compare(name: str, got: tuple[float, ...], want: tuple[float, ...], tolerance: float) -> None:
    if len(got) != len(want) or not all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=_SAME) for a, b in zip(got, want, strict=False)
    ):
        raise ContractError(
            f"the model answers {name} of its golden set differently here than where it was made",
            field="golden",
            value=f"{got[0]:.6g} instead of {want[0]:.6g}",
            hint="use another execution provider or runtime version, or teach the model on this machine",
        )
