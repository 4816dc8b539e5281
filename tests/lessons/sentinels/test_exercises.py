"""Lesson 01's answers on numbers worked out by hand."""

import numpy as np
import pytest
from affine import Affine

from rsedu.course import check, registry
from rsedu.lessons.sentinels.exercises import hectares, ndvi, pixel_of, reflectance

# A corner in UTM zone 20 S, pixels of 10 m.
GRID = Affine(10.0, 0, 500_000.0, 0, -10.0, 9_000_000.0)


@pytest.mark.parametrize(
    ("dn", "baseline", "value"),
    [(1234, 2.05, 0.1234), (1234, 4.0, 0.0234), (1000, 5.09, 0.0), (900, 5.09, -0.01)],
)
def test_reflectance_by_hand(dn: int, baseline: float, value: float) -> None:
    found = reflectance(np.array([[dn, 0]], dtype=np.uint16), baseline)
    assert found[0, 0] == pytest.approx(value, abs=1e-6)
    assert np.isnan(found[0, 1])


def test_ndvi_by_hand() -> None:
    red, nir = np.array([[0.1, 0.2, 0.3]]), np.array([[0.3, 0.2, 0.1]])
    np.testing.assert_allclose(ndvi(red, nir), [[0.5, 0.0, -0.5]])


@pytest.mark.parametrize(
    ("x", "y", "row", "col"),
    [(500_000, 9_000_000, 0, 0), (500_009.9, 8_999_990.1, 0, 0), (500_035, 8_999_985, 1, 3)],
)
def test_pixels_by_hand(x: float, y: float, row: int, col: int) -> None:
    assert pixel_of(x, y, GRID) == (row, col)


def test_hectares_by_hand() -> None:
    assert hectares(np.ones((10, 10), dtype=bool), 10.0) == pytest.approx(1.0)
    assert hectares(np.eye(5, dtype=bool), 20.0) == pytest.approx(0.2)


def test_a_wrapped_number_is_told_in_the_learners_words() -> None:
    verdict = check.evaluate(
        "reflectance",
        lambda dn, baseline: np.where(
            dn == 0, np.nan, (dn - np.uint16(1000 if baseline >= 4 else 0)) / np.float32(10_000)
        ),
    )
    assert verdict.diagnosis == "unsigned wrap"


def test_the_lesson_has_six_exercises() -> None:
    assert [exercise.id for exercise in registry.exercises("01")] == [
        "reflectance",
        "ndvi",
        "equivalent_looks",
        "multilook",
        "pixel_of",
        "hectares",
    ]
