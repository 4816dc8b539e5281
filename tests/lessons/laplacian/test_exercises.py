"""Lesson 04's answers by hand, and beside the kit's own band split."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from rsedu.course import check, registry
from rsedu.lessons.laplacian.exercises import put_together, shrink, take_apart
from rsedu.models.laplacian import resize_area


def test_a_coarser_pixel_by_hand() -> None:
    image = np.array([[1.0, 3.0, 0.0, 0.0], [5.0, 7.0, 0.0, 8.0]])
    np.testing.assert_array_equal(shrink(image, 2), [[4.0, 2.0]])


def test_a_coarser_pixel_is_that_of_the_kit() -> None:
    image = np.random.default_rng(0).random((12, 18))
    theirs = resize_area(torch.from_numpy(image)[None, None], (4, 6))[0, 0]
    np.testing.assert_allclose(shrink(image, 3), theirs.numpy())


@given(levels=st.integers(0, 3), rows=st.integers(1, 4), cols=st.integers(1, 4))
def test_nothing_is_lost(levels: int, rows: int, cols: int) -> None:
    image = np.random.default_rng(rows).normal(size=(rows * 8, cols * 8))
    parts = take_apart(image, levels)
    assert len(parts) == levels + 1
    np.testing.assert_allclose(put_together(parts), image, atol=1e-12)


def test_an_even_image_has_no_detail() -> None:
    *details, rest = take_apart(np.full((8, 8), 3.0), 2)
    assert all(np.abs(detail).max() < 1e-12 for detail in details)
    np.testing.assert_allclose(rest, 3.0)


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [(lambda image, n: image[::n, ::n], "picked"), (lambda image, n: image[:n], None)],
)
def test_what_was_picked_is_told_so(answer: object, diagnosis: str | None) -> None:
    assert check.evaluate("shrink", answer).diagnosis == diagnosis


def test_the_lesson_has_six_exercises() -> None:
    assert [exercise.id for exercise in registry.exercises("04")] == [
        "shrink",
        "take_apart",
        "put_together",
        "radial_power",
        "band_losses",
        "low_target",
    ]
