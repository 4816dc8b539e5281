"""Speckle's answers against closed forms."""

import numpy as np
import pytest

from rsedu.lessons.sentinels.speckle import equivalent_looks, multilook


def test_looks_by_hand() -> None:
    # Mean 2, variance 1.
    assert equivalent_looks(np.array([[1.0, 3.0]])) == pytest.approx(4.0)


@pytest.mark.parametrize("looks", [1, 4])
def test_looks_of_a_gamma_field_are_its_shape(looks: int) -> None:
    power = np.random.default_rng(5).gamma(looks, 0.07 / looks, size=(400, 400))
    assert equivalent_looks(power) == pytest.approx(looks, rel=0.03)


def test_blocks_by_hand_and_what_does_not_fit_is_left_out() -> None:
    power = np.arange(15.0).reshape(3, 5)
    np.testing.assert_allclose(multilook(power, 2), [[3.0, 5.0]])


def test_multi_looking_multiplies_the_looks() -> None:
    power = np.random.default_rng(6).gamma(2, 0.5, size=(600, 600))
    assert equivalent_looks(multilook(power, 3)) == pytest.approx(18, rel=0.05)
