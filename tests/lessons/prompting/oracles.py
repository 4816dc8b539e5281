"""Oracles of lesson 06: the kit's own masks and clicks, a stretch by hand."""

import math

import numpy as np
from numpy.typing import NDArray

from rsedu.evaluation import masks
from rsedu.segment import simulated_user
from rsedu.segment.prompt import box_of

Mask = NDArray[np.bool_]


def _stretch(band: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Sort, interpolate the two percentiles, and go through the pixels."""
    known = sorted(float(value) for value in band.ravel() if not math.isnan(value))

    def percentile(share: float) -> float:
        at = share * (len(known) - 1)
        below = math.floor(at)
        return known[below] + (at - below) * (known[below + 1] - known[below])

    low, high = percentile(0.02), percentile(0.98)
    out = np.zeros(band.shape, dtype=np.uint8)
    for at, value in np.ndenumerate(band):
        if not math.isnan(value):
            out[at] = min(255, max(0, math.floor(255 * (value - low) / (high - low) + 0.5)))
    return out


def _click(predicted: Mask, truth: Mask) -> tuple[int, int, int]:
    click = simulated_user.next_click(predicted, truth)
    assert click is not None
    (col, row), label = click
    return int(col), int(row), label


ORACLES = {
    "percentile_stretch": _stretch,
    "box_of_mask": lambda mask: tuple(map(int, box_of(mask))),
    "iou": masks.iou,
    "boundary_bias": lambda predicted, truth, outline_px, gsd_m: float(
        np.subtract(predicted, truth, dtype=float).sum() / outline_px * gsd_m
    ),
    "next_click": _click,
}
