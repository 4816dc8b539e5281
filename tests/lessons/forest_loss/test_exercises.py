"""The answers of lesson 08 beside the kit's own functions."""

import numpy as np
import pytest

from rsedu.lessons.forest_loss.exercises import fall_db, loss_year
from rsedu.project.methods.baselines import first_year


def test_the_fall_of_even_echoes_is_the_difference_of_their_decibels() -> None:
    before, after = np.full((3, 4), -12.0), np.full((5, 4), -15.5)
    assert fall_db(before, after) == pytest.approx(np.full(4, 3.5))


def test_a_mean_of_decibels_is_lower_the_more_speckle_there_is() -> None:
    draw = np.random.default_rng(0)
    speckled = -12 + 10 * np.log10(draw.gamma(1.0, 1.0, (20_000, 1)))
    calm = np.full((1, 1), -12.0)
    assert fall_db(calm, speckled) == pytest.approx(0.0, abs=0.1)
    assert speckled.mean() == pytest.approx(-12 - 2.51, abs=0.1)  # Euler's constant, in dB


def test_the_year_is_that_of_the_baselines() -> None:
    draw = np.random.default_rng(1)
    gone, clear = draw.random((2, 6, 7, 9)) > 0.5
    gone[0], clear[0] = False, True
    dates = np.array([2020.5, 2021.5, 2022.25, 2023.5, 2024.5, 2025.5])
    ours = loss_year(gone.reshape(6, -1), clear.reshape(6, -1), dates)
    theirs = first_year(gone, clear, tuple(dates.tolist()))
    np.testing.assert_allclose(ours, theirs.ravel())
