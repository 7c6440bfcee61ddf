"""Runs a verified model with ONNX Runtime: provider chosen by trial and checked, warm, golden set passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from models.datasets import ImageBytes, decode
from models.errors import ContractError, ManifestError
from models.golden import check_images, check_windows, decode_golden

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.manifest import DecisionLimits, HealthContract
    from models.model_folder import ModelFolder

CPU = "CPUExecutionProvider"
_QUIET = 3


RUNTIME_ERRORS = (
    runtime.EPFail,
    runtime.EngineError,
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NoModel,
    runtime.NoSuchFile,
    runtime.NotImplemented,
    runtime.RuntimeException,
    RuntimeError,
    ValueError,
)


class Session(Protocol):
    """What is used of an ONNX Runtime session, which has no types of its own."""

    def run(self, outputs: list[str], feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Compute the named outputs."""
        ...

    def get_providers(self) -> list[str]:
        """The execution providers in use, most wanted first."""
        ...


class OpenedGraph(msgspec.Struct, frozen=True):
    """A session and how it came about.

    Attributes:
        session: the ONNX Runtime session.
        provider: the provider really in use, as the session reports it.
        passed_over: why each more wanted provider is not in use.
    """

    session: Session
    provider: str
    passed_over: tuple[str, ...]


def open_graph(graph: bytes, provider: str, *, threads: int = 1) -> Session:
    """Open a session on one provider, CPU behind it for nodes it lacks: all optimisations, spinning off.

    Raises:
        ContractError: the runtime refuses the graph, or falls back to another provider.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _QUIET
    wanted = [provider] if provider == CPU else [provider, CPU]
    try:
        session: Session = ort.InferenceSession(graph, options, providers=wanted)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the runtime refuses the model: {error}", field="provider", value=provider) from error
    active = session.get_providers()[0]
    if active != provider:
        raise ContractError(f"the runtime fell back to {active}", field="provider", value=provider)
    return session


def open_preferred(graph: bytes, providers: Sequence[str], accept: Callable[[Session], None]) -> OpenedGraph:
    """Open a session on the first provider that is there, takes the graph, and passes `accept`.

    Raises:
        ContractError: none does; says why for each.
    """
    passed_over: list[str] = []
    available = ort.get_available_providers()
    for provider in providers:
        if provider not in available:
            passed_over.append(f"{provider}: not installed")
            continue
        try:
            session = open_graph(graph, provider)
            accept(session)
        except ContractError as error:
            passed_over.append(f"{provider}: {error}")
            continue
        return OpenedGraph(session=session, provider=session.get_providers()[0], passed_over=tuple(passed_over))
    raise ContractError(
        f"no execution provider runs this model ({'; '.join(passed_over)})",
        field="providers",
        value=list(providers),
        hint=f"add {CPU} to the list, or teach the model again",
    )


class ImageModel:
    """An anomaly model, warm and checked. One instance is used by one thread at a time.

    Raises:
        ContractError: no provider runs it as its golden set says.
        ManifestError: it is no anomaly model.
    """

    def __init__(self, folder: ModelFolder, providers: Sequence[str] = (CPU,)) -> None:
        if folder.manifest.decision is None or folder.manifest.task != "anomaly":
            raise ManifestError("this is no image model", field="task", value=folder.manifest.task)
        self.folder = folder
        self.limits: DecisionLimits = folder.manifest.decision
        golden = decode_golden(folder.contents)
        pixels = {item.file: golden_pixels(folder, item.file) for item in golden.images}

        def accept(session: Session) -> None:
            # the golden run also warms the session up: kernels chosen, memory reserved
            check_images(golden, pixels.__getitem__, lambda image: score_image(session, image))

        self.opened = open_preferred(folder.graph, providers, accept)

    def score(self, pixels: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
        """Score and map (h, w) of one image, uint8 (height, width, 3) RGB; higher is more abnormal.

        Raises:
            ContractError: the image or the answer is not what the contract says.
        """
        return score_image(self.opened.session, pixels)


class HealthModel:
    """A machine-health model, warm and checked. One instance is used by one thread at a time.

    Raises:
        ContractError: no provider runs it as its golden set says.
        ManifestError: it is no health model.
    """

    def __init__(self, folder: ModelFolder, providers: Sequence[str] = (CPU,)) -> None:
        if folder.manifest.health is None or folder.manifest.task != "health":
            raise ManifestError("this is no health model", field="task", value=folder.manifest.task)
        self.folder = folder
        self.contract: HealthContract = folder.manifest.health
        self._shape = (self.contract.window_rows, len(self.contract.channels))
        golden = decode_golden(folder.contents)

        def accept(session: Session) -> None:
            check_windows(golden, lambda window: assess_window(session, window, self._shape))

        self.opened = open_preferred(folder.graph, providers, accept)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in column order."""
        return tuple(channel.name for channel in self.contract.channels)

    def assess(self, window: NDArray[np.float32]) -> tuple[float, float, tuple[float, ...]]:
        """Statistic, health and contributions of one window, float32 (rows, channels), oldest first.

        Raises:
            ContractError: the window or the answer is not what the contract says.
        """
        return assess_window(self.opened.session, window, self._shape)


def golden_pixels(folder: ModelFolder, file: str) -> NDArray[np.uint8]:
    """Pixels of one of a folder's golden images.

    Raises:
        ContractError: it is not in the folder.
    """
    if file not in folder.contents:
        raise ContractError("a golden image is not in the folder", field="golden", value=file)
    return decode(ImageBytes(file, folder.contents[file]))


def score_image(session: Session, pixels: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
    """Score and map (h, w) of one image, uint8 (height, width, 3) RGB, by a session of an image model.

    Raises:
        ContractError: the image or the answer is not what the contract says.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:  # noqa: PLR2004
        raise ContractError(
            "an image must be uint8 (height, width, 3)", field="image", value=(str(pixels.dtype), pixels.shape)
        )
    score, anomaly_map = _run(session, ["score", "anomaly_map"], {"image": np.ascontiguousarray(pixels)[None]})
    if score.shape != (1,) or anomaly_map.ndim != 3 or anomaly_map.shape[0] != 1:  # noqa: PLR2004 - (1, h, w)
        raise ContractError(
            "the model's outputs have other shapes", field="score", value=(score.shape, anomaly_map.shape)
        )
    return float(score[0]), anomaly_map[0]


def assess_window(
    session: Session,
    window: NDArray[np.float32],
    shape: tuple[int, int],
) -> tuple[float, float, tuple[float, ...]]:
    """Statistic, health and contributions of one window, float32 of `shape` (rows, channels), oldest row first.

    Raises:
        ContractError: the window or the answer is not what the contract says.
    """
    if window.dtype != np.float32 or window.shape != shape:
        raise ContractError(
            f"a window must be float32 {shape}", field="window", value=(str(window.dtype), window.shape)
        )
    names = ["statistic", "health", "contributions"]
    statistic, health, contributions = _run(session, names, {"window": np.ascontiguousarray(window)[None]})
    if statistic.shape != (1,) or health.shape != (1,) or contributions.shape != (1, shape[1]):
        raise ContractError("the model's outputs have other shapes", field="statistic", value=statistic.shape)
    return float(statistic[0]), float(health[0]), tuple(float(share) for share in contributions[0])


def _run(session: Session, outputs: list[str], feed: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    try:
        results = session.run(outputs, feed)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model cannot be run: {error}", field="outputs", value=outputs) from error
    wrong = [name for name, result in zip(outputs, results, strict=True) if result.dtype != np.float32]
    if wrong:
        raise ContractError("an output is not float32", field="outputs", value=wrong)
    return results
