from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform as warp_points
from scipy.ndimage import map_coordinates

from rsedu.errors import InputError
from rsedu.scenes.grid import Grid, ground_size_m, hectares, resample

UTM = CRS.from_epsg(32721)
NORTH_UP = Affine(10, 0, 600_000, 0, -10, 9_000_000)


def grid(rows: int = 12, cols: int = 9, gsd_m: float = 10, west: float = 600_000) -> Grid:
    transform = Affine(gsd_m, 0, west, 0, -gsd_m, 9_000_000)
    return Grid(transform=transform, crs=UTM, shape=(rows, cols))


def shares(old: int, old_m: float, new: int, new_m: float) -> np.ndarray:
    """By loop: the part of each new pixel that each old one covers, along one axis."""
    table = np.zeros((new, old))
    for i in range(new):
        for j in range(old):
            overlap = min((i + 1) * new_m, (j + 1) * old_m) - max(i * new_m, j * old_m)
            table[i, j] = max(0.0, overlap) / new_m
    return table


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"transform": Affine(10, 0, 0, 0, 10, 0)}, "north-up"),
        ({"transform": Affine(-10, 0, 0, 0, -10, 0)}, "north-up"),
        ({"transform": Affine(10, 0, 0, 0, -20, 0)}, "square"),
        ({"transform": Affine(10, 0, 0, 0, -10.0011, 0)}, "square"),
        ({"transform": NORTH_UP @ Affine.rotation(5)}, "rotated"),
        ({"crs": CRS.from_epsg(4326)}, "degrees"),
        ({"crs": CRS.from_epsg(2263)}, "counts in US survey foot: choose one in metres"),
        ({"crs": CRS.from_epsg(3857)}, "stretch with latitude"),
        ({"crs": CRS.from_epsg(3395)}, "stretch with latitude"),
        ({"crs": CRS.from_string("ESRI:102100")}, "stretch with latitude"),
        ({"crs": CRS.from_epsg(3994)}, "stretch with latitude"),
        ({"shape": (0, 3)}, "empty"),
    ],
)
def test_other_grids_are_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        Grid(**{"transform": NORTH_UP, "crs": UTM, "shape": (3, 3), **changes})


@pytest.mark.parametrize("code", [32720, 32631, 3035, 2154, 2180, 31370, 27700])
def test_projections_with_true_metres_pass(code: int) -> None:
    assert Grid(transform=NORTH_UP, crs=CRS.from_epsg(code), shape=(3, 3)).gsd_m > 0


def test_pixels_are_the_same_and_square_to_a_ten_thousandth() -> None:
    here = grid()
    assert Grid(transform=Affine(10, 0, 0, 0, -10.0009, 0), crs=UTM, shape=(3, 3)).gsd_m == 10
    assert here.matches(grid(west=600_000.0009)) and not here.matches(grid(west=600_000.0011))
    assert not here.matches(grid(rows=13))
    assert not here.matches(Grid(transform=here.transform, crs=None, shape=here.shape))


def test_bounds_are_west_south_east_north() -> None:
    assert grid(12, 9).bounds == (600_000, 8_999_880, 600_090, 9_000_000)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 39), st.integers(0, 39), st.data())
def test_slices_of_the_bounds_of_slices_are_the_slices(
    rows: int, cols: int, top: int, left: int, data: st.DataObject
) -> None:
    top, left = min(top, rows - 1), min(left, cols - 1)
    bottom, right = data.draw(st.integers(top + 1, rows)), data.draw(st.integers(left + 1, cols))
    bounds = (
        600_000 + 10 * left,
        9_000_000 - 10 * bottom,
        600_000 + 10 * right,
        9_000_000 - 10 * top,
    )
    assert grid(rows, cols).slices(bounds) == (slice(top, bottom), slice(left, right))


@pytest.mark.parametrize(
    ("bounds", "rows", "cols"),
    [
        ((599_000, 8_999_954, 600_034, 8_999_986), slice(1, 5), slice(0, 3)),
        ((600_004.9, 8_999_900, 600_035, 9_000_000), slice(0, 10), slice(0, 4)),
        ((600_005.1, 8_999_900, 600_034.9, 9_000_000), slice(0, 10), slice(1, 3)),
    ],
)
def test_edges_go_to_the_nearest_pixel_and_are_cut(
    bounds: tuple[float, ...], rows: slice, cols: slice
) -> None:
    assert grid().slices(bounds) == (rows, cols)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: grid().slices((600_050, 8_999_900, 600_010, 8_999_950)), "empty"),
        (lambda: grid().slices((700_000, 8_999_900, 700_100, 8_999_950)), "covers no pixel"),
        (lambda: grid().at_gsd(0), "above 0"),
        (lambda: grid().at_gsd(-1), "above 0"),
        (lambda: grid().at_gsd(float("nan")), "above 0"),
        (lambda: grid().at_gsd(1000), "does not fit"),
        (lambda: grid(cols=20).at_gsd(120.1), "does not fit"),
    ],
)
def test_windows_and_pixels_that_do_not_fit(call: Callable[[], object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        call()


@pytest.mark.parametrize(
    ("gsd_m", "shape"), [(20, (6, 4)), (25, (4, 3)), (5, (24, 18)), (3, (40, 30)), (90, (1, 1))]
)
def test_other_pixels_start_at_the_same_corner(gsd_m: float, shape: tuple[int, int]) -> None:
    other = grid().at_gsd(gsd_m)
    assert other.shape == shape
    assert other.bounds[0] == 600_000 and other.bounds[3] == 9_000_000
    assert other.gsd_m == pytest.approx(gsd_m)


@pytest.mark.parametrize("gsd_m", [20, 25, 17, 30, 41, 10.49])  # 10.49 m: 1.1004 in area
def test_larger_pixels_are_area_means(gsd_m: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.random((2, 37, 23), dtype=np.float32)
    source = grid(37, 23)
    target = source.at_gsd(gsd_m)
    moved, valid = resample(
        values, np.ones((37, 23), bool), transform=source.transform, crs=UTM, target=target
    )
    by_row = shares(37, 10, target.shape[0], gsd_m)
    by_col = shares(23, 10, target.shape[1], gsd_m)
    expected = np.einsum("ir,brc,jc->bij", by_row, values.astype(float), by_col)
    assert valid.all()
    np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_means_are_over_what_was_observed_and_half_of_it_is_enough() -> None:
    values = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    valid = np.ones((4, 4), bool)
    valid[0, 0] = False  # 3 of 4 left
    valid[0, 2:] = False  # 2 of 4 left
    valid[2:, 0] = valid[2, 1] = False  # 1 of 4 left
    source = grid(4, 4)
    moved, kept = resample(
        values, valid, transform=source.transform, crs=UTM, target=source.at_gsd(20)
    )
    assert kept.tolist() == [[True, True], [False, True]]
    assert moved[0, 0, 0] == pytest.approx((1 + 4 + 5) / 3)
    assert moved[0, 0, 1] == pytest.approx((6 + 7) / 2)
    assert np.isnan(moved[0, 1, 0])


@pytest.mark.parametrize(("observed_px", "is_valid"), [(4_990, False), (5_000, True)])
def test_half_of_a_pixel_s_area_has_to_be_observed(observed_px: int, is_valid: bool) -> None:
    source = grid(100, 100)
    valid = np.zeros(10_000, bool)
    valid[np.random.default_rng(0).permutation(10_000)[:observed_px]] = True
    _, kept = resample(
        np.ones((1, 100, 100), np.float32),
        valid.reshape(100, 100),
        transform=source.transform,
        crs=UTM,
        target=source.at_gsd(1000),
    )
    assert kept.item() == is_valid


def test_pixels_larger_by_less_than_a_tenth_in_area_are_interpolated() -> None:
    source, target = grid(20, 20), grid(20, 20).at_gsd(10.48)  # 1.0983 in area
    values = np.random.default_rng(0).random((1, 20, 20), dtype=np.float32)
    moved, _ = resample(
        values, np.ones((20, 20), bool), transform=source.transform, crs=UTM, target=target
    )
    at = (np.arange(target.shape[0]) + 0.5) * 1.048 - 0.5
    between = map_coordinates(values[0], np.meshgrid(at, at, indexing="ij"), order=1)
    np.testing.assert_allclose(moved[0], between, atol=1e-5)


def test_what_lies_outside_was_not_observed() -> None:
    source, values = grid(4, 4), np.ones((1, 4, 4), np.float32)
    shifted = Grid(transform=source.transform @ Affine.translation(2.4, 0), crs=UTM, shape=(4, 4))
    _, kept = resample(
        values, np.ones((4, 4), bool), transform=source.transform, crs=UTM, target=shifted
    )
    # New pixel 1 lies 60 % inside, new pixel 2 wholly outside.
    assert kept.tolist() == [[True, True, False, False]] * 4


def test_smaller_pixels_are_bilinear_so_a_plane_stays_a_plane() -> None:
    source = grid(8, 6, gsd_m=20)
    target = source.at_gsd(5)
    y, x = np.mgrid[0:8, 0:6] * 20.0 + 10
    plane = (0.3 * x - 0.2 * y).astype(np.float32)[None]
    moved, kept = resample(
        plane, np.ones((8, 6), bool), transform=source.transform, crs=UTM, target=target
    )
    fine_y, fine_x = np.mgrid[0:32, 0:24] * 5.0 + 2.5
    inside = (slice(2, -2), slice(2, -2))  # beyond the outer centres nothing can be interpolated
    assert kept.all()
    np.testing.assert_allclose(moved[0][inside], (0.3 * fine_x - 0.2 * fine_y)[inside], atol=1e-4)


@pytest.mark.parametrize("degrees", [False, True])
def test_another_crs_lands_at_the_right_place(degrees: bool) -> None:
    """A surface that is a formula of the place: the formula says what every pixel must hold."""
    target = grid(20, 16)
    other = CRS.from_epsg(4326 if degrees else 32720)
    xs, ys = warp_points(UTM, other, [600_080.0], [8_999_900.0])
    step = 9e-5 if degrees else 10
    transform = Affine(step, 0, xs[0] - 40 * step, 0, -step, ys[0] + 40 * step)
    cols, rows = np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5)
    x, y = transform @ (cols, rows)
    east, north = (np.reshape(v, x.shape) for v in warp_points(other, UTM, x.ravel(), y.ravel()))
    surface = (0.01 * (east - 600_000) + 0.02 * (north - 9_000_000)).astype(np.float32)[None]
    moved, kept = resample(
        surface, np.ones((80, 80), bool), transform=transform, crs=other, target=target
    )
    want_x, want_y = target.transform @ np.meshgrid(np.arange(16) + 0.5, np.arange(20) + 0.5)
    expected = 0.01 * (want_x - 600_000) + 0.02 * (want_y - 9_000_000)
    assert kept.all()
    np.testing.assert_allclose(moved[0], expected, atol=0.005)  # a twentieth of a pixel


def test_a_place_and_no_place_do_not_mix() -> None:
    with pytest.raises(InputError, match="no"):
        resample(
            np.ones((1, 2, 2), np.float32),
            np.ones((2, 2), bool),
            transform=NORTH_UP,
            crs=None,
            target=grid(),
        )


def test_hectares_are_counted_in_pixels() -> None:
    assert hectares(np.ones((10, 10), bool), 10) == 1
    assert hectares(np.eye(5, dtype=bool), 20.0) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("code", "at", "step", "metres"),
    [
        (32633, (5e5, 5e6), 10, 10.0),
        (32633, (2e5, 5e6), 10, 10.0),
        (2263, (1e6, 2e5), 10, 10 * 1200 / 3937),  # US survey feet
        (3857, (2.8e6, 0), 10, 10.0),
        (3857, (2.8e6, 8.4e6), 10, 10 * 0.5010),  # near 60 degrees north
        (4326, (25, 0), 1e-4, 11.1),
    ],
)
def test_the_size_of_a_pixel_on_the_ground(
    code: int, at: tuple[float, float], step: float, metres: float
) -> None:
    transform = Affine(step, 0, at[0], 0, -step, at[1])
    assert ground_size_m(transform, CRS.from_epsg(code)) == pytest.approx(metres, rel=0.005)


def test_a_pixel_of_degrees_far_from_the_equator_has_no_one_size() -> None:
    for lat, fits in ((17, True), (19, False)):  # cos 17.5 = 0.954, cos 18.5 = 0.948
        transform = Affine(1e-4, 0, 25, 0, -1e-4, lat)
        if fits:
            ground_size_m(transform, CRS.from_epsg(4326))
        else:
            with pytest.raises(InputError, match=r"10\.5 m wide and 11\.1 m high"):
                ground_size_m(transform, CRS.from_epsg(4326))
