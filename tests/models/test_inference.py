from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import onnx
import pytest

from models.errors import ContractError, FolderRefusedError, ManifestError
from models.golden import GoldenSet, decode_golden, encode_golden
from models.image_graph import BACKBONE_FILE, backbone_bytes, feature_graph, fold_normalisation
from models.inference import CPU, HealthModel, ImageModel, open_graph, open_preferred
from models.manifest import GOLDEN_NAME, MODEL_NAME, FileEntry, digest_of, encode_manifest
from models.model_folder import ModelFolder, read_model
from models.preprocessing import ImagePreprocessing, normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def _rewritten(folder: Path, **changes: bytes) -> Path:
    """The folder with files exchanged and a manifest that vouches for them."""
    model = read_model(folder)
    for path, content in changes.items():
        (folder / path).write_bytes(content)
    files = tuple(
        FileEntry(entry.path, digest_of((folder / entry.path).read_bytes()), (folder / entry.path).stat().st_size)
        for entry in model.manifest.files
    )
    (folder / "manifest.toml").write_bytes(encode_manifest(msgspec.structs.replace(model.manifest, files=files)))
    return folder


def test_the_backbone_is_the_one_its_readme_describes() -> None:
    from importlib import resources

    readme = resources.files("models.backbones").joinpath("README.md").read_text(encoding="utf-8")
    assert digest_of(backbone_bytes()) in readme
    assert resources.files("models.backbones").joinpath(BACKBONE_FILE).is_file()
    assert resources.files("models.backbones").joinpath("LICENSE-Apache-2.0.txt").is_file()


def test_the_cpu_is_taken_when_what_is_wanted_more_is_not_there(image_model: Path) -> None:
    model = ImageModel(read_model(image_model), ("TensorrtExecutionProvider", CPU))
    assert model.opened.provider == CPU
    assert model.opened.passed_over == ("TensorrtExecutionProvider: not installed",)


def test_without_a_usable_provider_the_model_is_refused(image_model: Path) -> None:
    with pytest.raises(ContractError, match="no execution provider") as caught:
        ImageModel(read_model(image_model), ("CUDAExecutionProvider",))
    assert CPU in caught.value.hint


def test_a_provider_that_fails_the_check_is_passed_over(image_model: Path) -> None:
    tried: list[str] = []

    def refuse_first(session: object) -> None:
        tried.append(str(session))
        if len(tried) == 1:
            raise ContractError("differs")

    opened = open_preferred(read_model(image_model).graph, (CPU, CPU), refuse_first)
    assert (opened.provider, opened.passed_over) == (CPU, (f"{CPU}: differs",))


def test_bytes_that_are_no_graph_are_refused_by_the_runtime() -> None:
    with pytest.raises(ContractError, match="runtime refuses"):
        open_graph(b"not a graph", CPU)


def test_a_graph_that_answers_differently_fails_its_golden_set(image_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(image_model, tmp_path / "m")
    graph = onnx.load_from_string((folder / MODEL_NAME).read_bytes())
    # as an exporter that forgot a step: the smoothing kernel is two percent too large
    at = next(i for i in graph.graph.initializer if list(i.dims) == [1, 1, 7, 7])
    at.raw_data = (np.frombuffer(at.raw_data, np.float32) * np.float32(1.02)).tobytes()
    _rewritten(folder, **{MODEL_NAME: graph.SerializeToString()})
    with pytest.raises(ContractError, match="golden set differently"):
        ImageModel(read_model(folder))


def test_a_golden_set_that_is_empty_or_unreadable_is_refused(image_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(image_model, tmp_path / "m")
    for content, message in [(encode_golden(GoldenSet(tolerance=0.01)), "empty"), (b"{}", "expected.json")]:
        _rewritten(folder, **{GOLDEN_NAME: content})
        with pytest.raises(FolderRefusedError, match=message):
            ImageModel(read_model(folder))


def test_a_golden_image_outside_the_folder_is_refused(image_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(image_model, tmp_path / "m")
    golden = decode_golden(read_model(folder).contents)
    moved = msgspec.structs.replace(golden.images[0], file="../../secret.png")
    _rewritten(folder, **{GOLDEN_NAME: encode_golden(msgspec.structs.replace(golden, images=(moved,)))})
    with pytest.raises(ContractError, match="not in the folder"):
        ImageModel(read_model(folder))


def test_each_kind_of_model_is_opened_as_what_it_is(image_model: Path, health_model: Path) -> None:
    with pytest.raises(ManifestError, match="no image model"):
        ImageModel(read_model(health_model))
    with pytest.raises(ManifestError, match="no health model"):
        HealthModel(read_model(image_model))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_an_image_of_another_shape_or_type_is_refused(image_model: Path, pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ContractError, match="must be uint8"):
        ImageModel(read_model(image_model)).score(pixels)


@pytest.mark.parametrize("window", [np.zeros((19, 3), np.float32), np.zeros((20, 3), np.float64)])
def test_a_window_of_another_shape_or_type_is_refused(health_model: Path, window: NDArray[np.float32]) -> None:
    with pytest.raises(ContractError, match="must be float32"):
        HealthModel(read_model(health_model)).assess(window)


def test_a_view_that_is_not_contiguous_scores_the_same(
    image_model: Path, make_part: Callable[..., NDArray[np.uint8]]
) -> None:
    model = ImageModel(read_model(image_model))
    part = make_part(3)
    assert model.score(np.asfortranarray(part))[0] == model.score(part)[0]


@pytest.mark.parametrize("exposure", ["image", "none"])
def test_preprocessing_in_the_graph_is_the_numpy_reference(exposure: str) -> None:
    # at the taught size the resize changes nothing, so the first convolution of the graph must give what the backbone's
    # own gives of `normalise`, whether the normalisation is nodes before it or folded into it
    preprocessing = msgspec.convert({"size": 64, "exposure": exposure}, ImagePreprocessing)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    def first_convolution(graph: onnx.ModelProto, feed: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        first = next(node for node in graph.graph.node if node.op_type == "Conv").output[0]
        graph.graph.output.append(onnx.helper.make_tensor_value_info(first, onnx.TensorProto.FLOAT, [1, 32, 32, 32]))
        return open_graph(graph.SerializeToString(), CPU).run([first], feed)[0]

    got = first_convolution(onnx.load_from_string(feature_graph(preprocessing)), {"image": pixels[None]})
    want = normalise(pixels.transpose(2, 0, 1)[None].astype(np.float32), preprocessing)
    reference = first_convolution(onnx.load_from_string(backbone_bytes()), {"pixels": want})
    assert float(np.ptp(reference)) > 1
    np.testing.assert_allclose(got, reference, atol=1e-4)


def test_a_folded_graph_has_no_arithmetic_on_pixels() -> None:
    graph = onnx.load_from_string(feature_graph(ImagePreprocessing(size=64, exposure="none"))).graph
    before = [node.op_type for node in graph.node]
    assert before[: before.index("Conv")] == ["Resize", "Pad", "Transpose", "Cast"]


def test_a_backbone_that_begins_otherwise_is_not_folded() -> None:
    backbone = onnx.load_from_string(backbone_bytes())
    fold_normalisation(backbone)
    with pytest.raises(ContractError, match="begins otherwise"):
        fold_normalisation(backbone)


def test_a_model_folder_is_plain_data(image_model: Path) -> None:
    model = read_model(image_model)
    assert msgspec.json.decode(msgspec.json.encode(model.manifest), type=type(model.manifest)) == model.manifest
    assert isinstance(model, ModelFolder)
