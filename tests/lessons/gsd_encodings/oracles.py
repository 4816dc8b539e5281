"""Oracles of lesson 03: the kit's own blocks, and phases entry by entry."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import gmean

from rsedu import blocks

Array = NDArray[np.float64]


def _phases(gsds_m: Array, length: int, dim: int, reference_m: float) -> Array:
    out = np.empty((len(gsds_m), length, dim // 2))
    for image, p, k in np.ndindex(out.shape):
        out[image, p, k] = gsds_m[image] * p / (reference_m * math.pow(10_000, 2 * k / dim))
    return out


def _wavelengths(dim: int, patch_px: int, reference_m: float) -> Array:
    """A patch at GSD g is g * P metres and (g/G) omega radians: how many metres are 2 pi?"""
    gsd_m = 3.7  # any; it cancels
    radians = [gsd_m / reference_m / math.pow(10_000, 4 * k / dim) for k in range(dim // 4)]
    return np.array([math.tau / (each / (gsd_m * patch_px)) for each in radians])


ORACLES = {
    "sincos_1d": lambda positions, dim: (
        blocks.sincos_1d(dim, torch.from_numpy(positions)).numpy().astype(float)
    ),
    "grid_code": lambda x_codes, y_codes: np.array([[*x, *y] for y in y_codes for x in x_codes]),
    "gsd_phases": _phases,
    "wavelengths_m": _wavelengths,
    "interleaved_order": lambda dim: blocks.interleaved_order(dim).numpy(),
    "gsds_to_pass": lambda gsds_m, trained_m: (
        gsds_m * gmean(trained_m) / gmean([gsds_m.min(), gsds_m.max()])
    ),
}
