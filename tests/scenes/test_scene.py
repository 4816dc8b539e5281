from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform as warp_points

from rsedu.errors import InputError
from rsedu.scenes.scene import Scene, _check_bands

MakeScene = Callable[..., Scene]


def radar(power: np.ndarray, *, gsd_m: float = 10) -> Scene:
    return Scene(
        array=power,
        bands=("VV",),
        transform=Affine(gsd_m, 0, 0, 0, -gsd_m, 0),
        crs=None,
        units=("sigma0",),
    )


def test_nothing_can_be_written(make_scene: MakeScene) -> None:
    given_array = np.ones((2, 12, 9), np.float32)
    scene = make_scene(array=given_array)
    given_array[:] = 7
    assert (scene.array == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        scene.array[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        scene.band("B02")[0] = 0
    with pytest.raises(FrozenInstanceError):
        scene.bands = ("B03", "B02")  # type: ignore[misc]


REFUSED = [
    (lambda make: make(array=np.ones((3, 4))), r"\(bands, rows, cols\)"),
    (lambda make: make(array=np.ones((3, 4, 4))), "3 bands, but 2 names"),
    (lambda make: make(array=np.ones((0, 4, 4)), bands=()), "at least one band"),
    (lambda make: make(bands=("B02", "B02")), "twice: B02"),
    (lambda make: make(valid=np.ones((9, 12), bool)), "valid has shape"),
    (
        lambda make: make(array=np.full((2, 3, 3), np.nan), valid=np.ones((3, 3), bool)),
        "9 pixels are marked valid but hold NaN",
    ),
    (lambda make: make(array=np.ones((2, 0, 3))), "empty"),
    (lambda make: make(crs=CRS.from_epsg(4326)), "degrees"),
    (lambda make: make(transform=Affine(10, 0, 0, 0, 10, 0)), "north-up"),
    # Through Scene, the type checker of the tests would speak first.
    (lambda _: _check_bands(np.ones((1, 2, 2)), ("B02",), ("metres",)), "Unknown unit metres"),
    (lambda make: make().with_valid(np.ones((4, 3), bool)), "mask"),
    (lambda make: make().select("B8A"), "this scene has B02, B03"),
    (lambda make: make().crop(rows=slice(5, 5)), "empty"),
    (lambda make: make().crop(cols=slice(None, None, 2)), "resample"),
    (lambda make: make().stack(make(bands=("VV",), gsd_m=20, shape=(6, 4))), "resample_to first"),
    (
        lambda make: make().stack(make(bands=("VV",), crs=CRS.from_epsg(32720))),
        "resample_to first",
    ),
    (lambda make: make().stack(make()), "twice"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_refused(make_scene: MakeScene, call: Callable[[MakeScene], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(make_scene)


def test_valid_and_nan_say_the_same(make_scene: MakeScene) -> None:
    array = np.ones((2, 3, 4), np.float32)
    array[1, 0, 0] = np.nan
    scene = make_scene(array=array)
    assert scene.is_masked and not scene.valid[0, 0] and scene.valid.sum() == 11
    assert np.isnan(scene.array[:, 0, 0]).all()
    mask = np.ones((3, 4), bool)
    mask[2, 1] = False
    fewer = scene.with_valid(mask)
    assert np.isnan(fewer.array[:, 2, 1]).all() and fewer.valid.sum() == 10


def test_it_says_what_it_is(make_scene: MakeScene) -> None:
    assert repr(make_scene()) == (
        "Scene(2 bands: B02 B03; 12 x 9 px at 10 m; reflectance; EPSG:32721; 100% valid)"
    )
    assert "place unknown" in repr(make_scene(crs=None))


def test_select_keeps_band_and_unit_together(make_scene: MakeScene) -> None:
    scene = make_scene(units=("dn", "index"))
    turned = scene.select("B03", "B02")
    assert turned.bands == ("B03", "B02") and turned.units == ("index", "dn")
    np.testing.assert_array_equal(turned.array[0], scene.array[1])


@given(st.integers(0, 11), st.integers(1, 12), st.integers(0, 8), st.integers(1, 9))
def test_window_of_a_crops_bounds_is_the_crop(top: int, high: int, left: int, wide: int) -> None:
    scene = radar(np.arange(108.0).reshape(1, 12, 9))
    crop = scene.crop(rows=slice(top, top + high), cols=slice(left, left + wide))
    again = scene.window(crop.bounds)
    np.testing.assert_array_equal(
        crop.array[0], scene.array[0][top : top + high, left : left + wide]
    )
    np.testing.assert_array_equal(again.array, crop.array)
    assert again.grid == crop.grid
    assert crop.bounds[0] == 10 * left and crop.bounds[3] == -10 * top


def test_larger_pixels_are_block_means(make_scene: MakeScene) -> None:
    scene = make_scene(shape=(13, 9))
    coarse = scene.resample(gsd_m=30)
    blocks = scene.array[:, :12].reshape(2, 4, 3, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(coarse.array, blocks, atol=1e-6)
    assert coarse.gsd_m == 30 and coarse.units == scene.units and coarse.crs == scene.crs


def test_the_same_pixels_come_back_untouched(make_scene: MakeScene) -> None:
    scene = make_scene()
    assert scene.resample_to(make_scene(seed=3)) is scene
    assert scene.resample(gsd_m=10) is scene


def test_db_is_averaged_as_power() -> None:
    """One look of speckle: the mean of dB lies 10/ln(10) * 0.5772 = 2.507 dB too low."""
    power = np.random.default_rng(0).exponential(0.05, (1, 400, 400))
    scene = radar(power)
    mean = scene.to_db().resample(gsd_m=4000)
    assert mean.units == ("sigma0_db",)
    assert mean.array.item() == pytest.approx(10 * np.log10(power.mean()), abs=1e-3)
    naive = scene.to_db().array.mean()
    assert mean.array.item() - naive == pytest.approx(10 / np.log(10) * 0.577216, abs=0.03)


def test_db_and_back() -> None:
    scene = radar(np.array([[[1.0, 0.1], [100.0, 0.0]]]))
    decibel = scene.to_db()
    np.testing.assert_allclose(decibel.array[0][decibel.valid], [0, -10, 20], atol=1e-5)
    assert not decibel.valid[1, 1], "no power has no logarithm"
    np.testing.assert_allclose(
        decibel.to_linear().array[0][decibel.valid], [1, 0.1, 100], rtol=1e-5
    )
    assert decibel.to_db() is decibel and scene.to_linear() is scene


def test_db_leaves_reflectance_alone(make_scene: MakeScene) -> None:
    scene = make_scene(units=("reflectance", "sigma0"))
    np.testing.assert_array_equal(scene.to_db().band("B02"), scene.band("B02"))
    assert scene.to_db().units == ("reflectance", "sigma0_db")


def test_stack_joins_bands_and_masks(make_scene: MakeScene) -> None:
    mask = np.ones((12, 9), bool)
    mask[3, 4] = False
    first = make_scene()
    second = make_scene(bands=("VV",), units=("sigma0",), seed=1).with_valid(mask)
    both = first.stack(second)
    assert both.bands == ("B02", "B03", "VV")
    assert both.units == ("reflectance", "reflectance", "sigma0")
    np.testing.assert_array_equal(both.valid, mask)
    assert np.isnan(both.band("B02")[3, 4])


def test_resample_to_another_zone_and_back_keeps_a_smooth_surface(make_scene: MakeScene) -> None:
    rows, cols = np.mgrid[0:40, 0:40]
    smooth = (0.5 + 0.01 * rows - 0.005 * cols).astype(np.float32)[None]
    scene = make_scene(array=smooth, bands=("B02",))
    x, y = 600_200, 8_999_800
    (there_x,), (there_y,) = warp_points(scene.crs, CRS.from_epsg(32720), [x], [y])
    target = make_scene(
        shape=(30, 30),
        bands=("B02",),
        crs=CRS.from_epsg(32720),
        transform=Affine(10, 0, there_x - 150, 0, -10, there_y + 150),
    )
    back = scene.resample_to(target).resample_to(scene)
    seen = back.valid
    assert 500 < seen.sum() < 1000
    np.testing.assert_allclose(back.array[0][seen], smooth[0][seen], atol=0.006)
