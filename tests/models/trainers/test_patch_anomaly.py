from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.datasets import ImageBytes, encode_png
from models.errors import DatasetError, FolderRefusedError, TeachingError
from models.inference import ImageModel
from models.manifest import digest_of
from models.model_folder import read_model
from models.preprocessing import ImagePreprocessing
from models.trainers.patch_anomaly import ImageTeaching, teach_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Part = Callable[..., NDArray[np.uint8]]

SMALL = ImageTeaching(name="ring", preprocessing=ImagePreprocessing(size=64))


def test_a_defect_fails_and_a_new_good_part_passes(image_model: Path, make_part: Part) -> None:
    model = ImageModel(read_model(image_model))
    good = [model.score(make_part(seed))[0] for seed in range(100, 112)]
    bad = [model.score(make_part(seed, defect=True)) for seed in range(100, 106)]
    assert min(value for value, _ in bad) > model.limits.threshold > np.median(good)
    # the scratch lies across the middle, in the second and third of four rows of the map
    assert {int(np.unravel_index(anomaly_map.argmax(), anomaly_map.shape)[0]) for _, anomaly_map in bad} <= {1, 2}


def test_the_score_is_the_maximum_of_the_map_and_any_size_goes(image_model: Path, make_part: Part) -> None:
    model = ImageModel(read_model(image_model))
    for width, height in [(96, 80), (40, 200), (1, 1), (333, 77)]:
        value, anomaly_map = model.score(make_part(5, width=width, height=height))
        assert anomaly_map.shape == (4, 4)
        assert value == anomaly_map.max()


def test_light_does_not_count_where_exposure_is_normalised(image_model: Path, make_part: Part) -> None:
    model = ImageModel(read_model(image_model))
    part = make_part(7)
    darker = (part * 0.7).astype(np.uint8)
    assert model.score(darker)[0] == pytest.approx(model.score(part)[0], rel=0.15)


def test_the_manifest_tells_where_the_threshold_and_the_model_come_from(
    image_model: Path, good_parts: list[ImageBytes]
) -> None:
    manifest = read_model(image_model).manifest
    assert manifest.decision is not None
    # 24 images support no less than 1 / 25
    assert (manifest.decision.origin, manifest.decision.n_held_out) == ("held_out_good_quantile", 24)
    assert manifest.decision.expected_overkill == pytest.approx(1 / 25)
    assert manifest.lineage.n_samples == 24
    digests = sorted(digest_of(part.content) for part in good_parts)
    assert manifest.lineage.data_digest == digest_of("\n".join(digests).encode())
    settings = {setting.name: setting.value for setting in manifest.lineage.settings}
    assert settings["image size"] == "64 px"
    assert settings["duplicates left out"] == "0"


def test_the_same_images_teach_the_same_bytes(image_model: Path, good_parts: list[ImageBytes], tmp_path: Path) -> None:
    again = teach_images(good_parts, SMALL, tmp_path / "again")
    assert again.contents == read_model(image_model).contents


def test_the_same_picture_counts_once(good_parts: list[ImageBytes], tmp_path: Path) -> None:
    model = teach_images([*good_parts[:12], good_parts[0]], SMALL, tmp_path / "m")
    assert model.manifest.lineage.n_samples == 12


def test_defective_parts_measure_and_change_nothing(
    image_model: Path, good_parts: list[ImageBytes], make_part: Part, tmp_path: Path
) -> None:
    bad = [ImageBytes(f"bad{seed}.png", encode_png(make_part(seed, defect=True))) for seed in range(6)]
    model = teach_images(good_parts, SMALL, tmp_path / "m", bad=bad)
    before = read_model(image_model)
    assert model.graph == before.graph
    assert model.manifest.decision == before.manifest.decision
    assert model.manifest.evaluation is not None
    assert (model.manifest.evaluation.n_good, model.manifest.evaluation.n_bad) == (24, 6)
    assert model.manifest.evaluation.image_auroc == 1.0


def test_too_few_and_undecodable_images_are_refused(good_parts: list[ImageBytes], tmp_path: Path) -> None:
    with pytest.raises(TeachingError, match="too few different good images"):
        teach_images([*good_parts[:9], good_parts[0]], SMALL, tmp_path / "m")
    with pytest.raises(DatasetError, match="not an image"):
        teach_images([*good_parts, ImageBytes("torn.png", b"\x89PNG")], SMALL, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 60, 100, 2048])
def test_sizes_that_do_not_fit_the_network(size: int) -> None:
    with pytest.raises(TeachingError, match="image size"):
        ImagePreprocessing(size=size)


def test_a_model_is_not_overwritten_unasked_and_another_folder_never(
    image_model: Path, good_parts: list[ImageBytes], tmp_path: Path
) -> None:
    copy = shutil.copytree(image_model, tmp_path / "ring")
    with pytest.raises(FolderRefusedError, match="exists already"):
        teach_images(good_parts, SMALL, copy)
    other = ImageTeaching(name="ring", version=2, preprocessing=ImagePreprocessing(size=64))
    teach_images(good_parts, other, copy, overwrite=True)
    assert read_model(copy).manifest.version == 2
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "precious.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(FolderRefusedError, match="no model, so it is not replaced"):
        teach_images(good_parts, SMALL, tmp_path / "documents", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["documents", "ring"]


def test_progress_is_told_stage_by_stage(good_parts: list[ImageBytes], tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    teach_images(good_parts[:10], SMALL, tmp_path / "m", progress=lambda *step: told.append(step))
    assert [step for step in told if step[1] == step[2]] == [
        ("good images", 10, 10),
        ("threshold", 5, 5),
        ("model", 1, 1),
    ]
