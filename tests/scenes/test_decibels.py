import numpy as np
import pytest

from rsedu.scenes.bands import to_db, to_power


@pytest.mark.parametrize("power, decibels", [(1.0, 0.0), (100.0, 20.0), (0.05, -13.0103)])
def test_powers_of_ten_are_tens_of_decibels(power: float, decibels: float) -> None:
    assert to_db(np.float32([power])) == pytest.approx([decibels], rel=1e-6)
    assert to_power(np.float32([decibels])) == pytest.approx([power], rel=1e-6)


def test_both_give_the_float32_next_to_the_true_value() -> None:
    exponents = np.arange(-12, 13)
    powers = (2.0**exponents).astype(np.float32)
    np.testing.assert_array_equal(to_db(powers), _rounded(exponents))
    np.testing.assert_array_equal(to_power(np.float32([10, 30, -20])), np.float32([10, 1e3, 0.01]))


def _rounded(exponents: np.ndarray) -> np.ndarray:
    """10 log10(2^n) is n times a number that is known to twenty digits."""
    return (exponents * 3.0102999566398119521).astype(np.float32)


def test_what_is_not_known_stays_so() -> None:
    assert np.isnan(to_db(np.float32([[np.nan]]))).all()
    assert np.isnan(to_power(np.float32([[np.nan]]))).all()
