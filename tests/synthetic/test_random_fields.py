import hashlib

import numpy as np
import pytest

from rsedu.synthetic.random_fields import coarse_noise, speckle, tiled

# Of numpy's PCG64, and the first speckle of a field and of the chunk to the south of it.
HASH = "751c5ae097ef1f2a"
FIRST = [0.772199, 1.174126, 0.643504]
SECOND = [1.075000, 1.700717, 0.821301]
SCALES = ((0.0, 0.5), (3.0, 1.0))


def window(rows: slice, cols: slice, shift: int = 5, seed: int = 3) -> np.ndarray:
    return tiled(seed, SCALES, rows, cols, shift)


def test_noise_has_mean_0_and_deviation_1() -> None:
    whole = window(slice(0, 1024), slice(0, 1024))
    assert whole.dtype == np.float32
    assert whole.mean(dtype=float) == pytest.approx(0, abs=1e-4)
    assert whole.std(dtype=float) == pytest.approx(1, abs=1e-4)


def test_a_window_is_the_crop_also_across_the_seam() -> None:
    whole = window(slice(0, 2100), slice(0, 2100))
    part = window(slice(1000, 1100), slice(1015, 1040))
    np.testing.assert_array_equal(part, whole[1000:1100, 1015:1040])
    np.testing.assert_array_equal(whole[:1000], whole[1024:2024])  # it repeats


def test_smoother_layers_are_smoother() -> None:
    rough = tiled(3, ((0.0, 1.0),), slice(0, 512), slice(0, 512), 0)
    smooth = tiled(3, ((6.0, 1.0),), slice(0, 512), slice(0, 512), 0)
    neighbours = [
        np.corrcoef(field[1:].ravel(), field[:-1].ravel())[0, 1] for field in (rough, smooth)
    ]
    assert abs(neighbours[0]) < 0.01
    assert neighbours[1] > 0.98


def test_shift_and_seed_make_other_places() -> None:
    first = window(slice(0, 64), slice(0, 64))
    for other in (
        window(slice(0, 64), slice(0, 64), shift=6),
        window(slice(0, 64), slice(0, 64), seed=4),
    ):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.9
    np.testing.assert_array_equal(
        window(slice(1, 65), slice(7, 71)), window(slice(0, 64), slice(0, 64), shift=6)
    )


@pytest.mark.parametrize(("level_m", "factor"), [(2.5, 8), (5.0, 4), (10.0, 2), (20.0, 1)])
def test_a_coarse_field_is_constant_within_its_cells(level_m: float, factor: int) -> None:
    rows, cols = slice(3 * factor, 9 * factor), slice(factor, 6 * factor)
    fine = coarse_noise(3, SCALES, level_m, rows, cols, shift=5)
    expected = np.kron(window(slice(3, 9), slice(1, 6)), np.ones((factor, factor)))
    np.testing.assert_array_equal(fine, expected.astype(np.float32))


def test_a_moved_field_goes_south_and_east() -> None:
    still = coarse_noise(3, SCALES, 20.0, slice(0, 40), slice(0, 40), shift=5)
    moved = coarse_noise(3, SCALES, 20.0, slice(0, 40), slice(0, 40), shift=5, moved=(2, 5))
    np.testing.assert_array_equal(moved[2:, 5:], still[:-2, :-5])


@pytest.mark.parametrize("looks", [0.8, 4.4, 30.0])
def test_speckle_is_a_gamma_of_mean_1(looks: float) -> None:
    field = speckle((1, 2), looks, slice(0, 400), slice(0, 400)).astype(float)
    assert field.mean() == pytest.approx(1, abs=5 / np.sqrt(looks * field.size))
    assert 1 / field.var() == pytest.approx(looks, rel=0.05)
    # Of a Gamma: third standardised moment 2 / sqrt(looks).
    skew = ((field - field.mean()) ** 3).mean() / field.std() ** 3
    assert skew == pytest.approx(2 / np.sqrt(looks), rel=0.15)


def test_speckle_of_neighbours_is_independent() -> None:
    field = speckle((1, 2), 4.4, slice(0, 300), slice(0, 300))
    for one, other in ((field[1:], field[:-1]), (field[:, 64:], field[:, :-64])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02


def test_speckle_of_a_window_is_the_crop() -> None:
    whole = speckle((9,), 4.4, slice(0, 200), slice(0, 260))
    part = speckle((9,), 4.4, slice(60, 131), slice(127, 193))
    np.testing.assert_array_equal(part, whole[60:131, 127:193])
    assert not np.array_equal(part, speckle((8,), 4.4, slice(60, 131), slice(127, 193)))


def test_the_generator_is_the_same_on_every_machine() -> None:
    integers = np.random.default_rng((9, 0, 0)).integers(0, 2**31, size=1000, dtype=np.int64)
    assert hashlib.sha256(integers.tobytes()).hexdigest()[:16] == HASH
    field = speckle((9,), 4.4, slice(0, 67), slice(0, 1))
    np.testing.assert_allclose(field[:3, 0], FIRST, rtol=1e-5)
    np.testing.assert_allclose(field[64:, 0], SECOND, rtol=1e-5)
