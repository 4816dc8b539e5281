"""Lesson 03's answers put together are the kit's encoding, and its waves repeat as they say."""

import numpy as np
import pytest
import torch

from rsedu import blocks
from rsedu.lessons.gsd_encodings.exercises import grid_code, gsd_phases
from rsedu.lessons.gsd_encodings.phases import wavelengths_m


def test_the_three_together_are_the_kits_encoding() -> None:
    gsds_m, rows, cols, dim = np.array([3.0, 10.0, 25.0]), 4, 5, 24
    codes = []
    for side in (cols, rows):
        phases = gsd_phases(gsds_m, side, dim // 2, 10.0)
        codes.append(np.concatenate([np.sin(phases), np.cos(phases)], axis=2))
    mine = np.stack([grid_code(x, y) for x, y in zip(*codes, strict=True)])
    theirs = blocks.gsd_sincos_2d(dim, (rows, cols), torch.from_numpy(gsds_m), 10.0)
    np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-6)


@pytest.mark.parametrize("gsd_m", [2.0, 10.0])
def test_after_one_wavelength_of_ground_the_kits_code_repeats(gsd_m: float) -> None:
    """Patches that lie a wavelength apart carry the same sine, whatever their GSD."""
    dim, patch_px, reference_m = 16, 4, 5.0
    for k, length_m in enumerate(wavelengths_m(dim, patch_px, reference_m)[:2]):
        patches = length_m / (patch_px * gsd_m)  # per wave
        phase = torch.tensor([0.3, 0.3 + patches]) * gsd_m / reference_m
        code = blocks.sincos_1d(dim // 2, phase.double())[:, k]
        assert float(code[0]) == pytest.approx(float(code[1]), abs=1e-5)
