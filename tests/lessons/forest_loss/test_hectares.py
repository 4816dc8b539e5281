"""The answers of lesson 08 on hectares beside the kit's own estimator."""

import numpy as np
import pytest

from rsedu.evaluation.area import estimate
from rsedu.lessons.forest_loss.hectares import stratified_area


def test_area_and_error_are_those_of_the_kit() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        counts = draw.integers(1, 60, (2, 2))
        strata_ha = draw.uniform(10, 2000, 2)
        theirs = estimate(counts, strata_ha)
        assert stratified_area(counts, strata_ha) == pytest.approx(
            (theirs.area[1], theirs.area_error[1])
        )
