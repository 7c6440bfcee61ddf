"""Which execution providers of this machine run a model, and whether they answer as the machine that made it did."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
import onnxruntime as ort

from models.errors import ContractError
from models.golden import decode_golden, image_difference, window_difference
from models.inference import CPU, assess_window, golden_pixels, open_graph, score_image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.golden import GoldenSet
    from models.inference import Session
    from models.model_folder import ModelFolder

_ELSEWHERE = frozenset({"AzureExecutionProvider"})
"""Listed by every runtime, and not on this machine: it would send pictures away."""
_TIMED_RUNS = 10


class ProviderRow(msgspec.Struct, frozen=True):
    """One provider and one model.

    Attributes:
        provider: as ONNX Runtime names it.
        state: `ok`: runs it and answers its golden set; `differs`: answers otherwise, so it is not used; `refused`:
            does not take it, or hands all of it to the CPU; `not_installed`.
        detail: why not, in words.
        difference: greatest relative difference from the golden answers, None where an answer is missing or no number.
        answer_ms: median time of one answer to the first golden input, one thread.
    """

    provider: str
    state: Literal["ok", "differs", "refused", "not_installed"]
    detail: str = ""
    difference: float | None = None
    answer_ms: float | None = None


def provider_matrix(model: ModelFolder, wanted: Sequence[str] = ()) -> tuple[ProviderRow, ...]:
    """Try a model on every provider that is installed or wanted, the CPU first."""
    available = [name for name in ort.get_available_providers() if name not in _ELSEWHERE]
    names = dict.fromkeys([CPU, *wanted, *available])
    golden = decode_golden(model.contents)
    differences, answer = _ways(model, golden)
    return tuple(
        _tried(model, name, golden.tolerance, differences, answer)
        if name in available
        else ProviderRow(name, "not_installed", "this ONNX Runtime does not have it")
        for name in names
    )


def _tried(
    model: ModelFolder,
    provider: str,
    tolerance: float,
    differences: Callable[[Session], float],
    answer: Callable[[Session], object],
) -> ProviderRow:
    try:
        session = open_graph(model.graph, provider)
        difference = differences(session)
        if not difference <= tolerance:
            if not math.isfinite(difference):
                return ProviderRow(provider, "differs", "a golden answer is no number")
            detail = f"its golden answers differ by {difference:.2%}, allowed {tolerance:.2%}"
            return ProviderRow(provider, "differs", detail, difference)
        seconds = []
        for _ in range(_TIMED_RUNS):
            began_s = time.perf_counter()
            answer(session)
            seconds.append(time.perf_counter() - began_s)
    except ContractError as error:
        return ProviderRow(provider, "refused", str(error))
    return ProviderRow(provider, "ok", "", difference, 1e3 * statistics.median(seconds))


def _ways(model: ModelFolder, golden: GoldenSet) -> tuple[Callable[[Session], float], Callable[[Session], object]]:
    """How a session of this model is compared with its golden set, and how it is timed."""
    if model.manifest.health is not None:
        window = np.array(golden.windows[0].window, dtype=np.float32)
        shape = (model.manifest.health.window_rows, len(model.manifest.health.channels))
        return (
            lambda session: window_difference(golden, lambda given: assess_window(session, given, shape)),
            lambda session: assess_window(session, window, shape),
        )
    pixels = {item.file: golden_pixels(model, item.file) for item in golden.images}
    first = pixels[golden.images[0].file]
    return (
        lambda session: image_difference(golden, pixels.__getitem__, lambda given: score_image(session, given)),
        lambda session: score_image(session, first),
    )
