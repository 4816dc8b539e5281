import numpy as np
import pytest
from affine import Affine

from rsedu.errors import InputError
from rsedu.scenes.colours import rgb, stretch
from rsedu.scenes.scene import Scene


def _scene(array: np.ndarray) -> Scene:
    return Scene(
        array=array,
        bands=("B02", "B03", "B04"),
        transform=Affine(10, 0, 0, 0, -10, 0),
        crs=None,
        units=("reflectance",) * 3,
    )


def test_percentiles_become_black_and_white() -> None:
    # 0 to 100 evenly: the 2nd percentile is 2, the 98th is 98.
    band = np.linspace(0, 100, 10_201).reshape(101, 101)
    shown = stretch(band)
    expected = np.round(255 * np.clip((band - 2) / 96, 0, 1))
    np.testing.assert_array_equal(shown, expected.astype(np.uint8))


def test_each_band_has_its_own_percentiles_and_its_own_place() -> None:
    rng = np.random.default_rng(0)
    array = rng.random((3, 20, 30)).astype(np.float32) * np.array([1, 10, 100])[:, None, None]
    shown = rgb(_scene(array))
    for channel, band in enumerate((2, 1, 0)):  # red is B04, the scene's last
        np.testing.assert_array_equal(shown[..., channel], stretch(array[band]))


def test_scale_and_offset_make_no_difference() -> None:
    band = np.random.default_rng(3).random((15, 15))
    np.testing.assert_array_equal(stretch(band), stretch(-7 + 1000 * band))


def test_pixels_that_are_not_valid_neither_count_nor_show() -> None:
    rng = np.random.default_rng(0)
    array = rng.random((3, 20, 20)).astype(np.float32)
    spoilt = array.copy()
    spoilt[:, :5] = np.nan
    shown = rgb(_scene(spoilt))
    assert (shown[:5] == 0).all()
    np.testing.assert_array_equal(shown[5:, :, 2], stretch(array[0, 5:]))


def test_a_few_bright_pixels_on_an_even_ground_are_seen() -> None:
    band = np.zeros((20, 20))
    band[3, 4], band[9, 9] = 4, 1
    shown = stretch(band)
    assert (shown[3, 4], shown[9, 9], shown[0, 0]) == (255, 64, 0)


def test_a_constant_band_is_black() -> None:
    assert (stretch(np.full((4, 4), 3.0)) == 0).all()
    assert (stretch(np.full((4, 4), np.nan)) == 0).all()


def test_percentiles_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="98 and 2"):
        stretch(np.zeros((2, 2)), low=98, high=2)
