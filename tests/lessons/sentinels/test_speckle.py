"""Speckle's answers against closed forms."""

import numpy as np
import pytest

from rsedu.lessons.sentinels.speckle import equivalent_looks, multilook


@pytest.mark.parametrize("looks", [1, 4])
def test_looks_of_a_gamma_field_are_its_shape(looks: int) -> None:
    power = np.random.default_rng(5).gamma(looks, 0.07 / looks, size=(400, 400))
    assert equivalent_looks(power) == pytest.approx(looks, rel=0.03)


def test_multi_looking_multiplies_the_looks() -> None:
    power = np.random.default_rng(6).gamma(2, 0.5, size=(600, 600))
    assert equivalent_looks(multilook(power, 3)) == pytest.approx(18, rel=0.05)
