"""Stretch, bias and next click of lesson 06 beside the kit's own."""

import numpy as np
import pytest

from rsedu.evaluation import masks
from rsedu.lessons.prompting.exercises import percentile_stretch
from rsedu.lessons.prompting.outlines import boundary_bias, next_click
from rsedu.scenes.colours import stretch
from rsedu.segment import simulated_user


def test_the_stretch_is_that_of_the_kit() -> None:
    band = np.random.default_rng(0).gamma(3, 0.03, (40, 30)).astype(np.float32)
    assert np.abs(percentile_stretch(band).astype(int) - stretch(band)).max() <= 1


def _disc(at: tuple[float, float], radius: float) -> np.ndarray:
    row, col = np.indices((60, 60))
    return np.asarray(np.hypot(row - at[0], col - at[1]) < radius)


def test_the_bias_is_that_of_the_kit() -> None:
    predicted, truth = _disc((30, 28), 17), _disc((29, 30), 12)
    outline = (masks.perimeter_px(predicted) + masks.perimeter_px(truth)) / 2
    found = boundary_bias(predicted, truth, outline, 10.0)
    assert found == pytest.approx(masks.boundary_bias(predicted, truth, gsd_m=10).boundary_m)
    assert found == pytest.approx(50, abs=2)  # a radius of 17 pixels of 10 m for one of 12


def test_the_next_click_is_that_of_the_kit() -> None:
    draw = np.random.default_rng(3)
    for _ in range(20):
        first, second = (_disc(tuple(draw.uniform(15, 45, 2)), 11.3) for _ in range(2))
        click = simulated_user.next_click(first, second)
        assert click is not None
        assert next_click(first, second) == (*click[0], click[1])
