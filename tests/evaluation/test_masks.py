import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsedu.errors import InputError
from rsedu.evaluation import masks


def _disc(radius: float, *, col: float = 100.3, row: float = 99.6, size: int = 200) -> np.ndarray:
    rows, cols = np.mgrid[:size, :size]
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def _random_pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((9, 14)) < 0.4, rng.random((9, 14)) < 0.6


@given(seed=st.integers(0, 500))
def test_rates_are_those_counted_pixel_by_pixel(seed: int) -> None:
    predicted, truth = _random_pair(seed)
    tally = {(p, t): 0 for p in (False, True) for t in (False, True)}
    for p, t in zip(predicted.ravel().tolist(), truth.ravel().tolist(), strict=True):
        tally[p, t] += 1
    tp, fp, fn, tn = tally[True, True], tally[True, False], tally[False, True], tally[False, False]
    assert masks.iou(predicted, truth) == pytest.approx(tp / (tp + fp + fn))
    assert masks.dice(predicted, truth) == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert masks.true_positive_rate(predicted, truth) == pytest.approx(tp / (tp + fn))
    assert masks.false_positive_rate(predicted, truth) == pytest.approx(fp / (fp + tn))


def test_concentric_discs_have_the_iou_of_their_areas() -> None:
    assert masks.iou(_disc(40), _disc(50)) == pytest.approx((40 / 50) ** 2, rel=0.01)
    assert masks.dice(_disc(40), _disc(50)) == pytest.approx(2 * 1600 / 4100, rel=0.01)


def test_nothing_against_nothing_is_not_a_number() -> None:
    empty = np.zeros((3, 3), dtype=bool)
    assert math.isnan(masks.iou(empty, empty)) and math.isnan(masks.dice(empty, empty))
    assert math.isnan(masks.true_positive_rate(~empty, empty))
    assert math.isnan(masks.false_positive_rate(~empty, ~empty))


@pytest.mark.parametrize("radius", [5, 20, 60])
def test_the_perimeter_of_a_disc(radius: int) -> None:
    assert masks.perimeter_px(_disc(radius)) == pytest.approx(2 * math.pi * radius, rel=0.01)


def test_the_perimeter_of_a_square_is_met_to_six_per_cent() -> None:
    square = np.zeros((80, 80), dtype=bool)
    square[20:60, 30:70] = True
    # Crofton in four directions gives pi / 8 (1 + sqrt 2) of a straight length, but for corners.
    assert masks.perimeter_px(square) == pytest.approx(160 * math.pi / 8 * (1 + 2**0.5), rel=0.02)


@pytest.mark.parametrize(("radius", "gsd_m"), [(52, 10.0), (45, 10.0), (50.5, 2.5), (30, 20.0)])
def test_the_bias_of_a_disc_is_the_difference_of_radii(radius: float, gsd_m: float) -> None:
    bias = masks.boundary_bias(_disc(radius), _disc(50), gsd_m=gsd_m)
    assert bias.boundary_m == pytest.approx((radius - 50) * gsd_m, abs=0.08 * gsd_m)
    assert bias.area_percent == pytest.approx(100 * ((radius / 50) ** 2 - 1), abs=0.5)


def test_a_shifted_mask_has_no_bias() -> None:
    bias = masks.boundary_bias(_disc(30, col=90), _disc(30, col=110), gsd_m=10)
    assert bias.boundary_m == pytest.approx(0, abs=0.2)


def test_an_empty_mask_is_too_small_by_the_radius() -> None:
    bias = masks.boundary_bias(_disc(30) & False, _disc(30), gsd_m=10)
    assert bias.boundary_m == pytest.approx(-300, rel=0.02)
    assert bias.area_percent == pytest.approx(-100)


def test_the_outline_is_what_touches_the_outside() -> None:
    mask = np.zeros((7, 8), dtype=bool)
    mask[1:5, 0:6] = True
    expected = mask.copy()
    expected[2:4, 0:5] = False  # the western side is the image's edge
    np.testing.assert_array_equal(masks.outline(mask), expected)


@pytest.mark.parametrize(("tolerance_m", "expected"), [(20.0, 0.0), (40.0, 1.0)])
def test_discs_three_pixels_apart_agree_within_thirty_metres(
    tolerance_m: float, expected: float
) -> None:
    score = masks.boundary_f(_disc(40), _disc(43), gsd_m=10, tolerance_m=tolerance_m)
    assert score == pytest.approx(expected, abs=0.02)


def test_precision_and_recall_are_those_of_a_brute_force() -> None:
    predicted, truth = _disc(8, size=40, col=18, row=20), _disc(10, size=40, col=21, row=19)
    ours, theirs = (np.argwhere(masks.outline(mask)) for mask in (predicted, truth))
    far = np.hypot(*(ours[:, None] - theirs[None]).transpose(2, 0, 1)) * 10
    precision, recall = (far.min(axis=1) <= 25).mean(), (far.min(axis=0) <= 25).mean()
    assert 0 < precision < 1 and 0 < recall < 1 and precision != recall
    found = masks.boundary_f(predicted, truth, gsd_m=10, tolerance_m=25)
    assert found == pytest.approx(2 * precision * recall / (precision + recall))


def test_an_outline_against_none() -> None:
    empty = np.zeros((200, 200), dtype=bool)
    assert masks.boundary_f(empty, _disc(20), gsd_m=10, tolerance_m=10) == 0.0
    assert math.isnan(masks.boundary_f(empty, empty, gsd_m=10, tolerance_m=10))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_masks_that_are_no_bools_are_refused(dtype: type) -> None:
    mask = _disc(5, size=20, col=10, row=10)
    name = np.dtype(dtype).name
    with pytest.raises(InputError, match=f"The mask is {name}; wanted bool: write `mask > 0`"):
        masks._counts(255 * mask.astype(dtype), mask)
    with pytest.raises(InputError, match=f"The truth is {name}"):
        masks._counts(mask, mask.astype(dtype))


def test_a_truth_that_fills_the_image_has_no_bias() -> None:
    mask = _disc(5, size=20, col=10, row=10)
    with pytest.raises(InputError, match="fills the image"):
        masks.boundary_bias(mask, np.ones_like(mask), gsd_m=10)


def test_errors_say_what_does_not_fit() -> None:
    mask = _disc(5, size=20, col=10, row=10)
    with pytest.raises(InputError, match="same pixels"):
        masks.iou(mask, mask[:10])
    with pytest.raises(InputError, match="above 0"):
        masks.boundary_bias(mask, mask, gsd_m=0)
    with pytest.raises(InputError, match="needs an outline"):
        masks.boundary_bias(mask, mask & False, gsd_m=10)
    with pytest.raises(InputError, match="positive"):
        masks.boundary_f(mask, mask, gsd_m=10, tolerance_m=-1)
