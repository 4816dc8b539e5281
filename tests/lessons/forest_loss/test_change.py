"""The scores of lesson 08 beside the kit's own."""

import numpy as np
import pytest

from rsedu.lessons.forest_loss.change import change_scores
from rsedu.project.score import score


def test_the_scores_are_those_of_the_kit() -> None:
    draw = np.random.default_rng(2)
    years = draw.uniform(2021, 2025, (2, 40, 50)).astype(np.float32)
    years[draw.random(years.shape) > 0.3] = np.nan
    found = score(years[0], years[1], gsd_m=10.0, sample=100)
    assert change_scores(*years) == pytest.approx((found.f1, found.date_error_years))
