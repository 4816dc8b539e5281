"""Positions, grids and pixel sizes by hand, and put together beside the kit's own blocks."""

import math

import numpy as np
import pytest
import torch

from rsedu import blocks
from rsedu.course import check, registry
from rsedu.lessons.gsd_encodings.exercises import grid_code, gsd_phases, sincos_1d


def test_sines_by_hand() -> None:
    found = sincos_1d(np.array([0.0, math.pi / 2]), 4)
    slow = math.pi / 2 / 100
    by_hand = [[0, 0, 1, 1], [1, math.sin(slow), 0, math.cos(slow)]]
    np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_a_grid_by_hand() -> None:
    found = grid_code(np.array([[1.0], [2.0], [3.0]]), np.array([[7.0], [8.0]]))
    assert found.tolist() == [[1, 7], [2, 7], [3, 7], [1, 8], [2, 8], [3, 8]]


def test_phases_by_hand() -> None:
    found = gsd_phases(np.array([10.0, 20.0]), 3, 4, 10.0)
    np.testing.assert_allclose(found[0], [[0, 0], [1, 0.01], [2, 0.02]])
    np.testing.assert_allclose(found[1], 2 * found[0])


def test_at_the_reference_the_gsd_does_nothing() -> None:
    phases = gsd_phases(np.array([2.5]), 6, 20, 2.5)[0]
    code = np.concatenate([np.sin(phases), np.cos(phases)], axis=1)
    np.testing.assert_allclose(code, sincos_1d(np.arange(6.0), 20))


def test_the_three_together_are_the_kits_encoding() -> None:
    gsds_m, rows, cols, dim = np.array([3.0, 10.0, 25.0]), 4, 5, 24
    codes = []
    for side in (cols, rows):
        phases = gsd_phases(gsds_m, side, dim // 2, 10.0)
        codes.append(np.concatenate([np.sin(phases), np.cos(phases)], axis=2))
    mine = np.stack([grid_code(x, y) for x, y in zip(*codes, strict=True)])
    theirs = blocks.gsd_sincos_2d(dim, (rows, cols), torch.from_numpy(gsds_m), 10.0)
    np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_multiplying_the_frequency_index_is_told_apart(scale: float) -> None:
    def answer(gsds_m: np.ndarray, length: int, dim: int, reference_m: float) -> np.ndarray:
        k = np.arange(dim // 2)
        omega = 10_000.0 ** (-(gsds_m / reference_m)[:, None] * k / (dim // 2))
        return np.arange(length)[None, :, None] * omega[:, None, :]

    assert check.evaluate("gsd_phases", answer).diagnosis == "frequency index"
    correct = gsd_phases(np.array([scale]), 3, 8, 1.0)
    assert not np.allclose(answer(np.array([scale]), 3, 8, 1.0), correct)


def test_the_lesson_has_six_exercises() -> None:
    assert [exercise.id for exercise in registry.exercises("03")] == [
        "sincos_1d",
        "grid_code",
        "gsd_phases",
        "wavelengths_m",
        "interleaved_order",
        "gsds_to_pass",
    ]
