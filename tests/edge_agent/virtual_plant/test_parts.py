"""Rendered parts: reproducible, different from part to part, with defects that are really there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.virtual_plant.parts import DEFECT_KINDS, Defect, PartCamera, draw_defect

if TYPE_CHECKING:
    from edge_agent.virtual_plant.part_defects import DefectKind
    from edge_agent.virtual_plant.part_geometry import Product


def _differing(kind: DefectKind, severity: float, seed: int) -> int:
    """Pixels that a defect changes, against the same part without it: two cameras in the same state."""
    good, bad = PartCamera("bracket-a", seed), PartCamera("bracket-a", seed)
    good_surface, good_mask = _canvas(good, None)
    bad_surface, bad_mask = _canvas(bad, Defect(kind, severity))
    changed = (np.abs(good_surface - bad_surface) > 10) | (np.abs(good_mask - bad_mask) > 0.1)
    return int(np.count_nonzero(changed & ((good_mask > 0) | (bad_mask > 0))))


def _canvas(camera: PartCamera, defect: Defect | None) -> tuple[np.ndarray, np.ndarray]:
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    expose = camera._expose

    def spy(surface: np.ndarray, mask: np.ndarray) -> np.ndarray:
        kept.append((surface.copy(), mask.copy()))
        return expose(surface, mask)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(camera, "_expose", spy)
        camera.take(defect)
    return kept[0]


@pytest.mark.parametrize("product", ["bracket-a", "bracket-b"])
def test_pictures_are_reproducible_and_differ_from_part_to_part(product: Product) -> None:
    first, second = PartCamera(product, 11), PartCamera(product, 11)
    one, other = first.take().pixels, first.take().pixels
    assert one.shape == (240, 320, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, second.take().pixels)
    assert np.mean(np.abs(one.astype(int) - other.astype(int))) > 1.5


@pytest.mark.parametrize("kind", DEFECT_KINDS)
def test_every_defect_changes_the_part_and_more_so_when_severe(kind: DefectKind) -> None:
    mild = [_differing(kind, 0.25, seed) for seed in range(4)]
    gross = [_differing(kind, 1.0, seed) for seed in range(4)]
    assert min(mild) >= 12
    assert np.median(gross) > np.median(mild)
    assert max(gross) < 0.05 * 480 * 640  # a defect is local


def test_light_drifts_slowly() -> None:
    camera = PartCamera("bracket-b", 3)
    means = np.array([camera.take().pixels.mean() for _ in range(80)])
    assert np.std(means) > 0.5
    # Independent parts would differ by sqrt(2) standard deviations from one to the next.
    assert np.std(np.diff(means)) < 0.8 * np.std(means)


def test_drawn_defects_cover_all_kinds_and_stay_in_range() -> None:
    rng = np.random.default_rng(0)
    defects = [draw_defect(rng) for _ in range(400)]
    assert {defect.kind for defect in defects} == set(DEFECT_KINDS)
    assert all(0.25 <= defect.severity <= 1.0 for defect in defects)
