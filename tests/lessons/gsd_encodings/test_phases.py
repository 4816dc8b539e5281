"""Wavelengths, layouts and the GSD to pass, by hand and beside the kit's own blocks."""

import math

import numpy as np
import pytest
import torch

from rsedu import blocks
from rsedu.lessons.gsd_encodings.phases import gsds_to_pass, interleaved_order, wavelengths_m


def test_wavelengths_by_hand() -> None:
    found = wavelengths_m(8, 16, 2.5)
    np.testing.assert_allclose(found, [math.tau * 40, math.tau * 4000])


@pytest.mark.parametrize("gsd_m", [2.0, 10.0])
def test_after_one_wavelength_of_ground_the_kits_code_repeats(gsd_m: float) -> None:
    """Patches that lie a wavelength apart carry the same sine, whatever their GSD."""
    dim, patch_px, reference_m = 16, 4, 5.0
    for k, length_m in enumerate(wavelengths_m(dim, patch_px, reference_m)[:2]):
        patches = length_m / (patch_px * gsd_m)  # per wave
        phase = torch.tensor([0.3, 0.3 + patches]) * gsd_m / reference_m
        code = blocks.sincos_1d(dim // 2, phase.double())[:, k]
        assert float(code[0]) == pytest.approx(float(code[1]), abs=1e-5)


@pytest.mark.parametrize("dim", [4, 12, 96])
def test_the_order_is_that_of_the_kit(dim: int) -> None:
    np.testing.assert_array_equal(interleaved_order(dim), blocks.interleaved_order(dim).numpy())


def test_the_order_by_hand() -> None:
    assert interleaved_order(8).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_gsds_to_pass_by_hand() -> None:
    np.testing.assert_allclose(gsds_to_pass(np.array([10.0, 40.0]), (1.0, 4.0)), [1.0, 4.0])
    np.testing.assert_allclose(gsds_to_pass(np.array([30.0]), (2.0, 8.0)), [4.0])
