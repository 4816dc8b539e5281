"""The answers of lesson 06 beside the kit's own functions."""

import numpy as np
import pytest

from rsedu.evaluation import masks
from rsedu.lessons.prompting.exercises import box_of_mask, iou, percentile_stretch
from rsedu.scenes.colours import stretch
from rsedu.segment.prompt import box_of


def test_the_stretch_is_that_of_the_kit() -> None:
    band = np.random.default_rng(0).gamma(3, 0.03, (40, 30)).astype(np.float32)
    assert np.abs(percentile_stretch(band).astype(int) - stretch(band)).max() <= 1


def test_four_per_cent_of_the_pixels_are_clipped() -> None:
    grey = percentile_stretch(np.arange(10_000.0).reshape(100, 100))
    assert (grey == 0).mean() == pytest.approx(0.02, abs=0.002)
    assert (grey == 255).mean() == pytest.approx(0.02, abs=0.002)


def test_box_and_iou_are_those_of_the_kit() -> None:
    draw = np.random.default_rng(2)
    for _ in range(20):
        first, second = draw.random((2, 9, 14)) > 0.8
        assert box_of_mask(first) == box_of(first)
        assert iou(first, second) == pytest.approx(masks.iou(first, second))
