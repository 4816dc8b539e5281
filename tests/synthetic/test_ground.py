import numpy as np
import pytest
import shapely

from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.ground import (
    Ground,
    area_average,
    block_mean,
    mixed,
    sums_by_class,
    times,
)
from rsedu.synthetic.land_cover import (
    CLASSES,
    CLEARING,
    COVERS,
    FOREST,
    PASTURE,
    REGROWTH,
    ROAD,
    SETTLEMENT,
    WATER,
)

SIDE_M = 1280.0
ALL = slice(0, 512)


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground(seed=4, size_m=SIDE_M)


def test_a_cell_has_the_last_feature_that_holds_its_centre(ground: Ground) -> None:
    cells = ground.cells(ALL, ALL)
    random = np.random.default_rng(0)
    for row, col in random.integers(0, 512, size=(300, 2)):
        centre = shapely.Point((col + 0.5) * 2.5, SIDE_M - (row + 0.5) * 2.5)
        over = [n for n, each in enumerate(ground.features, 1) if each.shape.covers(centre)]
        near = any(each.shape.boundary.distance(centre) < 1e-3 for each in ground.features)
        assert near or cells[row, col] == (over[-1] if over else 0)


def test_a_window_of_cells_is_the_crop(ground: Ground) -> None:
    whole = ground.cells(ALL, ALL)
    assert whole.dtype == np.int16
    assert len(np.unique(whole)) > 10
    part = ground.cells(slice(100, 217), slice(30, 301))
    np.testing.assert_array_equal(part, whole[100:217, 30:301])


def test_rows_count_from_the_north(ground: Ground) -> None:
    """A feature in the north of the place, where y is large, has small row numbers."""
    number, feature = max(
        enumerate(ground.features, 1),
        key=lambda each: each[1].shape.centroid.y * (each[1].shape.area > 900),
    )
    rows, cols = np.nonzero(ground.cells(ALL, ALL) == number)
    centre = feature.shape.intersection(shapely.box(0, 0, SIDE_M, SIDE_M)).centroid
    assert SIDE_M - (rows.mean() + 0.5) * 2.5 == pytest.approx(centre.y, abs=10)
    assert (cols.mean() + 0.5) * 2.5 == pytest.approx(centre.x, abs=10)


def test_shares_count_cells(ground: Ground) -> None:
    rows, cols = slice(10, 20), slice(5, 25)
    shares = ground.shares(2015.0, 20.0, rows, cols)
    kinds = ground.covers(2015.0)[ground.cells(slice(80, 160), slice(40, 200))]
    for kind in range(len(CLASSES)):
        for row, col in ((0, 0), (3, 17), (9, 4)):
            block = kinds[8 * row : 8 * row + 8, 8 * col : 8 * col + 8]
            assert shares[kind, row, col] == pytest.approx((block == kind).mean(), abs=1e-6)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)


def test_what_appears_later_is_forest_until_then(ground: Ground) -> None:
    early, late = ground.covers(1990.0), ground.covers(2026.0)
    assert len(early) == len(ground.features) + 1
    assert set(early[ground.is_cut]) == {FOREST}
    assert FOREST not in set(late[ground.is_cut])
    assert {WATER} == set(early) & {WATER}
    assert list(early).count(ROAD) == 1
    assert list(late).count(ROAD) > 1


def test_brightness_is_about_the_share_and_its_own(ground: Ground) -> None:
    shares = ground.shares(2020.0, 20.0, slice(0, 64), slice(0, 64))
    bright = ground.brightness(2020.0, 20.0, slice(0, 64), slice(0, 64))
    assert bright.sum() / shares.sum() == pytest.approx(1, abs=0.02)
    pure = shares[FOREST] == 1
    assert 0.02 < bright[FOREST][pure].std() < 0.2
    assert (bright[shares == 0] == 0).all()


def test_a_plot_that_is_not_cut_yet_is_as_bright_as_forest(ground: Ground) -> None:
    """Else one could see which plots will be cut."""
    cut = ground.is_cut[ground.cells(ALL, ALL)]
    bright = ground.brightness(1990.0, 2.5, ALL, ALL)[FOREST]
    never = bright[~cut & (bright > 0)]
    assert bright[cut].mean() == pytest.approx(never.mean(), rel=0.01)
    assert bright[cut].std() == pytest.approx(never.std(), rel=0.05)


def test_each_class_has_its_own_texture(ground: Ground) -> None:
    """Relative deviation of brightness from cell to cell, in one feature, as in the table."""
    numbers, covers = ground.cells(ALL, ALL), ground.covers(2020.0)
    bright = ground.brightness(2020.0, 2.5, ALL, ALL).sum(axis=0)
    found = {}
    for number, size in enumerate(np.bincount(numbers.ravel(), minlength=len(covers))):
        if size > 4000:
            inside = bright[numbers == number]
            found.setdefault(int(covers[number]), []).append(inside.std() / inside.mean())
    assert {FOREST, WATER, SETTLEMENT, PASTURE, REGROWTH} <= set(found)
    for kind, ratios in found.items():
        assert np.mean(ratios) == pytest.approx(COVERS[kind].texture, rel=0.1)


def test_forests_of_two_places_are_not_one_forest(ground: Ground) -> None:
    other = Ground(seed=5, size_m=SIDE_M)
    both = (ground.cells(ALL, ALL) == 0) & (other.cells(ALL, ALL) == 0)
    first, second = (
        each.brightness(1990.0, 2.5, ALL, ALL)[FOREST][both] for each in (ground, other)
    )
    assert both.mean() > 0.1
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


@pytest.mark.parametrize("gsd_m", [2.5, 5.0, 20.0])
def test_labels_are_read_at_the_centre(ground: Ground, gsd_m: float) -> None:
    factor = round(gsd_m / 2.5)
    rows, cols = slice(2, 20), slice(1, 25)
    labels = ground.labels(gsd_m, rows, cols)
    cells = ground.cells(ALL, ALL)
    for row, col in ((2, 1), (10, 20), (19, 24)):
        number = cells[row * factor + factor // 2, col * factor + factor // 2]
        assert labels[row - 2, col - 1] == (number if ground.is_cut[number] else 0)
    assert ground.is_cut[np.unique(labels)[1:]].all()
    cut = [f.then[0][1] == CLEARING for f in ground.features]
    assert list(ground.is_cut) == [False, *cut]


def test_a_forest_without_anything_has_no_numbers() -> None:
    ground = Ground(seed=4, size_m=SIDE_M)
    far = ground.cells(slice(-500, -480), slice(0, 30))
    assert far.shape == (20, 30)
    assert not far.any()


def test_a_frontier_stands_on_its_ground() -> None:
    truth = Frontier(seed=4, size_m=SIDE_M).truth(date=2018.0, gsd_m=10)
    shares = Ground(seed=4, size_m=SIDE_M).shares(2018.0, 10.0, slice(0, 128), slice(0, 128))
    np.testing.assert_allclose(truth.fractions, shares, atol=1e-6)


def plane(rows: slice, cols: slice) -> np.ndarray:
    """Two bands of any cell of 2.5 m, without bounds."""
    y, x = np.mgrid[rows, cols].astype(np.float64)
    return np.stack([np.sin(0.3 * x) + 0.01 * y, np.cos(0.2 * y * x / 50)]).astype(np.float32)


def field(side_m: float, rows: slice, cols: slice) -> np.ndarray:
    factor = round(side_m / 2.5)
    return block_mean(plane(times(rows, factor), times(cols, factor)), factor)


def brute_force(gsd_m: float, row: int, col: int) -> np.ndarray:
    """Mean of 1000 x 1000 points of one pixel, far finer than the cells."""
    at = (np.arange(1000) + 0.5) / 1000 * gsd_m
    y = np.floor((row * gsd_m + at) / 2.5).astype(int)
    x = np.floor((col * gsd_m + at) / 2.5).astype(int)
    cells = plane(slice(0, int(y.max()) + 1), slice(0, int(x.max()) + 1)).astype(float)
    by_row = np.bincount(y, minlength=cells.shape[1]) / len(at)
    by_col = np.bincount(x, minlength=cells.shape[2]) / len(at)
    return np.einsum("i,bij,j->b", by_row, cells, by_col)


@pytest.mark.parametrize("gsd_m", [2.5, 5.0, 7.5, 10.0, 20.0, 60.0, 3.0, 7.0, 11.3])
def test_a_pixel_is_the_mean_of_its_ground(gsd_m: float) -> None:
    rows, cols = slice(2, 9), slice(1, 5)
    got = area_average(field, gsd_m, rows, cols)
    assert got.shape == (2, 7, 4)
    assert got.dtype == np.float32
    for row, col in ((2, 1), (5, 4), (8, 2)):
        expected = brute_force(gsd_m, row, col)
        np.testing.assert_allclose(got[:, row - 2, col - 1], expected, atol=2e-3)


@pytest.mark.parametrize("gsd_m", [2.5, 10.0, 3.0, 7.5, 11.3])
def test_strips_and_parts_meet_without_a_seam(gsd_m: float) -> None:
    whole = area_average(field, gsd_m, slice(0, 150), slice(0, 9))
    for rows, cols in (np.s_[60:140, 0:9], np.s_[3:4, 2:8], np.s_[1:150, 5:6]):
        part = area_average(field, gsd_m, rows, cols)
        np.testing.assert_array_equal(part, whole[:, rows, cols])


def test_what_is_mixed_is_the_sum_over_classes() -> None:
    shares = np.float32([[[0.25, 0.0]], [[0.0, 0.0]], [[0.75, 1.0]]])
    got = mixed(shares, np.float32([[1, 20, 3], [9, 9, 9], [2, 10, 5]]))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, [[[1.75, 2.0]], [[12.5, 10.0]], [[4.5, 5.0]]])


def test_block_mean_takes_each_block_of_each_band() -> None:
    values = np.arange(2 * 4 * 6, dtype=np.float32).reshape(2, 4, 6)
    got = block_mean(values, 2)
    for band, row, col in np.ndindex(got.shape):
        block = values[band, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        assert got[band, row, col] == block.mean()


@pytest.mark.parametrize("weighted", [False, True])
def test_sums_by_class_is_the_loop(weighted: bool) -> None:
    random = np.random.default_rng(0)
    kinds = random.integers(0, 4, size=(6, 9))
    weights = random.uniform(0.5, 2, size=kinds.shape) if weighted else None
    got = sums_by_class(kinds, 3, 5, weights)
    assert got.shape == (5, 2, 3)
    counted = np.ones(kinds.shape) if weights is None else weights
    for kind, row, col in np.ndindex(got.shape):
        block = np.s_[3 * row : 3 * row + 3, 3 * col : 3 * col + 3]
        expected = (counted[block] * (kinds[block] == kind)).sum() / 9
        assert got[kind, row, col] == pytest.approx(expected, abs=1e-6)


def test_a_run_of_pixels_in_cells() -> None:
    assert times(slice(3, 7), 4) == slice(12, 28)
