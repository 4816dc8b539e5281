"""Painting without learning, by hand; tiles that stay at their place whatever the pixel size."""

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.lessons.masked_autoencoders import lab
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import FOREST


def _ramp() -> np.ndarray:
    rows, cols = np.mgrid[0:6, 0:7].astype(float)
    return np.stack([2 * rows + cols, 5 - rows])


def _hole(rows: slice, cols: slice) -> np.ndarray:
    hidden = np.zeros((6, 7), dtype=bool)
    hidden[rows, cols] = True
    return hidden


def test_linear_interpolation_paints_a_ramp_exactly() -> None:
    image, hidden = _ramp(), _hole(slice(2, 4), slice(2, 5))
    spoilt = np.where(hidden, 99.0, image)
    np.testing.assert_allclose(lab.inpaint(spoilt, hidden, "linear"), image)


def test_outside_the_visible_the_nearest_pixel_counts() -> None:
    image, hidden = _ramp(), _hole(slice(0, 1), slice(0, 7))
    for method in ("linear", "nearest"):
        np.testing.assert_allclose(lab.inpaint(image, hidden, method)[:, 0], image[:, 1])


def test_the_mean_is_that_of_visible_pixels_band_by_band() -> None:
    image, hidden = _ramp(), _hole(slice(0, 3), slice(0, 7))
    filled = lab.inpaint(image, hidden, "mean")
    np.testing.assert_allclose(filled[:, 0, 0], [2 * 4 + 3, 1])
    np.testing.assert_array_equal(filled[:, 3:], image[:, 3:])


@pytest.mark.parametrize("method", ["mean", "nearest", "linear"])
def test_nothing_hidden_changes_nothing(method: str) -> None:
    hidden = np.zeros((6, 7), dtype=bool)
    np.testing.assert_array_equal(lab.inpaint(_ramp(), hidden, method), _ramp())


@pytest.mark.parametrize(("method", "hidden"), [("cubic", False), ("mean", True)])
def test_what_cannot_be_painted_is_refused(method: str, hidden: bool) -> None:
    with pytest.raises(InputError, match="leave some pixels visible"):
        lab.inpaint(_ramp(), np.full((6, 7), hidden), method)


def test_error_counts_hidden_pixels_only() -> None:
    images, mask = torch.zeros(2, 3, 2, 2), torch.zeros(2, 1, 2, 2)
    mask[0, 0, 0, 0] = mask[1, 0, 1, 1] = 1
    guess = images.clone()
    guess[0, :, 0, 0] = torch.tensor([1.0, 2.0, 3.0])
    guess[1, :, 0, 0] = 100
    assert lab.hidden_error(guess, images, mask) == pytest.approx((1 + 4 + 9) / 3 / 2)


def test_a_batch_is_painted_image_by_image() -> None:
    images = torch.rand(2, 3, 4, 4)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, 0, :2], mask[1, 0, 2:] = 1, 1
    both = lab.inpaint_batch(images, mask, "mean")
    torch.testing.assert_close(both[0, :, 0, 0], images[0, :, 2:].mean(dim=(1, 2)))
    torch.testing.assert_close(both[1, :, 3, 3], images[1, :, :2].mean(dim=(1, 2)))


def test_edges_by_hand() -> None:
    forest = np.zeros((4, 8), dtype=bool)
    forest[1:3, 1:3] = True  # a square of 20 m in the first tile of 40 m
    forest[:, 6:] = True  # half of the second
    expected = np.array([0.08, 0.04]) / 0.04**2
    np.testing.assert_allclose(lab.edge_density(forest, 4), expected)


def test_tiles_are_the_same_places_at_every_pixel_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "SIDE_M", 1280.0)
    fine, coarse = (lab.tiles(7, gsd_m=gsd_m) for gsd_m in (10.0, 20.0))
    assert fine.images.shape == (4, 4, 64, 64) and coarse.images.shape == (4, 4, 32, 32)
    pooled = torch.nn.functional.avg_pool2d(fine.images, 2)
    torch.testing.assert_close(pooled, coarse.images, atol=0.02, rtol=0)
    np.testing.assert_array_equal(fine.edges, coarse.edges)
    place = Frontier(seed=7, size_m=1280.0)
    whole = place.optical(date=lab.date_of(7)).select(*lab.BANDS)
    standard = normalise(whole.array, lab.BANDS)
    np.testing.assert_array_equal(fine.images[1].numpy(), standard[:, :64, 64:])
    np.testing.assert_array_equal(fine.images[2].numpy(), standard[:, 64:, :64])
    forest = place.truth(date=lab.date_of(7)).classes == FOREST
    np.testing.assert_array_equal(fine.edges, lab.edge_density(forest, 64))
    some = lab.tiles(7, every=2)
    torch.testing.assert_close(some.images, fine.images[[0, 2]])
    np.testing.assert_array_equal(some.edges, fine.edges[[0, 2]])


def test_a_scene_is_cut_row_by_row_and_the_rest_is_left_away() -> None:
    place = Frontier(seed=7, size_m=1280.0)
    scene = place.optical(date=2020.0, window=(slice(0, 70), slice(0, 100)))
    pieces = lab.cut(scene, 32, bands=("B08", "B02"))
    whole = normalise(scene.select("B08", "B02").array, ("B08", "B02"))
    assert len(pieces) == 2 * 3
    np.testing.assert_array_equal(pieces[1].numpy(), whole[:, :32, 32:64])
    np.testing.assert_array_equal(pieces[3].numpy(), whole[:, 32:64, :32])


def _line(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(seed).normal(size=(count, 3))
    return features, features @ np.array([2.0, -1.0, 0.5]) + 4


def test_a_straight_line_is_explained_and_noise_is_not() -> None:
    assert lab.explained(_line(0, 200), _line(1, 50)) > 0.999
    features, values = _line(2, 200)
    shuffled = np.random.default_rng(3).permutation(values)
    assert lab.explained((features, shuffled), _line(1, 50)) < 0.1


def test_only_the_drawn_labels_are_seen() -> None:
    features, values = _line(0, 200)
    drawn = np.random.default_rng(5).permutation(200)[:16]
    spoilt = np.where(np.isin(np.arange(200), drawn), values, 1e6)
    same = [lab.explained((features, v), _line(1, 50), labels=16, seed=5) for v in (values, spoilt)]
    assert same[0] == pytest.approx(same[1])
