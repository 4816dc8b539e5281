import numpy as np
import pytest

from rsedu.synthetic.area_average import area_average, block_mean, mixed, sums_by_class, times


def ground(rows: slice, cols: slice) -> np.ndarray:
    """Two bands of any cell of 2.5 m, without bounds."""
    y, x = np.mgrid[rows, cols].astype(np.float64)
    return np.stack([np.sin(0.3 * x) + 0.01 * y, np.cos(0.2 * y * x / 50)]).astype(np.float32)


def field(side_m: float, rows: slice, cols: slice) -> np.ndarray:
    factor = round(side_m / 2.5)
    return block_mean(ground(times(rows, factor), times(cols, factor)), factor)


def brute_force(gsd_m: float, row: int, col: int) -> np.ndarray:
    """Mean of 1000 x 1000 points of one pixel, far finer than the cells."""
    at = (np.arange(1000) + 0.5) / 1000 * gsd_m
    y = np.floor((row * gsd_m + at) / 2.5).astype(int)
    x = np.floor((col * gsd_m + at) / 2.5).astype(int)
    cells = ground(slice(0, int(y.max()) + 1), slice(0, int(x.max()) + 1)).astype(float)
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
