import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

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
    pairs = list(zip(predicted.ravel().tolist(), truth.ravel().tolist(), strict=True))
    tp, fp, fn = (pairs.count(pair) for pair in ((True, True), (True, False), (False, True)))
    assert masks.iou(predicted, truth) == pytest.approx(tp / (tp + fp + fn))
    assert masks.dice(predicted, truth) == pytest.approx(2 * tp / (2 * tp + fp + fn))


def test_concentric_discs_have_the_iou_of_their_areas() -> None:
    assert masks.iou(_disc(40), _disc(50)) == pytest.approx((40 / 50) ** 2, rel=0.01)
    assert masks.dice(_disc(40), _disc(50)) == pytest.approx(2 * 1600 / 4100, rel=0.01)


def test_nothing_against_nothing_is_not_a_number() -> None:
    empty = np.zeros((3, 3), dtype=bool)
    assert math.isnan(masks.iou(empty, empty)) and math.isnan(masks.dice(empty, empty))


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


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_numbers_count_as_masks_and_other_numbers_are_refused(dtype: type) -> None:
    mask, truth = _disc(5, size=20, col=10, row=10), _disc(4, size=20, col=10, row=10)
    numbers = mask.astype(dtype) * dtype(255)
    assert masks._counts(numbers, truth) == masks._counts(mask, truth)
    assert masks.perimeter_px(numbers) == masks.perimeter_px(mask)
    with pytest.raises(InputError, match=r"values 0, 3, .*wanted bool"):
        masks.iou(mask.astype(dtype) * dtype(3), truth)


DISC = _disc(5, size=20, col=10, row=10)
REFUSED = [
    (lambda: masks.iou(DISC, DISC[:10]), "same pixels"),
    (lambda: masks.boundary_bias(DISC, DISC, gsd_m=0), "above 0"),
    (lambda: masks.boundary_bias(DISC, DISC & False, gsd_m=10), "needs an outline"),
    (lambda: masks.boundary_bias(DISC, np.ones_like(DISC), gsd_m=10), "fills the image"),
]


@pytest.mark.parametrize(("call", "pattern"), REFUSED)
def test_errors_say_what_does_not_fit(call: Callable[[], object], pattern: str) -> None:
    with pytest.raises(InputError, match=pattern):
        call()
