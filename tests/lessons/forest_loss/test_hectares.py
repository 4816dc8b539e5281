"""The answers of lesson 08 on samples beside many draws."""

import numpy as np
import pytest

from rsedu.lessons.forest_loss.hectares import most_missed_ha, sample_size


def test_a_sample_of_the_size_asked_for_has_the_error_asked_for() -> None:
    shares, strata_ha, half_ha = np.array([0.02, 0.7]), np.array([1500.0, 100.0]), 12.0
    spread = strata_ha * np.sqrt(shares * (1 - shares))
    drawn = (sample_size(shares, strata_ha, half_ha) * spread / spread.sum()).round().astype(int)
    draws = np.random.default_rng(1).binomial(drawn, shares, (20_000, 2)) / drawn @ strata_ha
    assert 1.96 * draws.std() == pytest.approx(half_ha, rel=0.02)


def test_of_the_most_that_was_missed_one_sample_in_twenty_meets_none() -> None:
    share = most_missed_ha(75, 1500.0) / 1500.0
    met = np.random.default_rng(2).binomial(75, share, 40_000)
    assert (met == 0).mean() == pytest.approx(0.05, abs=0.004)
    assert share == pytest.approx(3 / 75, rel=0.03)  # the rule of three
