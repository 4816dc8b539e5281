"""IoU, Dice score and boundary bias of a mask: how good it is, and by how much too large.

Masks are bool, 0 and 1, or 0 and 255, and of one shape; others are an InputError.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from rsedu.errors import InputError
from rsedu.io.masks import as_mask

Mask = Shaped[np.ndarray, "_ _"]  # shapes are compared by hand, to explain what differs


def _counts(predicted: np.ndarray, truth: np.ndarray) -> tuple[int, int, int]:
    """Pixels that are true positive, false positive, false negative."""
    predicted, truth = as_mask(predicted), as_mask(truth)
    if predicted.shape != truth.shape:
        raise InputError(
            f"The mask has {predicted.shape} (rows, cols), the truth {truth.shape}: bring both to "
            "the same pixels."
        )
    both = int((predicted & truth).sum())
    return both, int(predicted.sum()) - both, int(truth.sum()) - both


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def iou(predicted: Mask, truth: Mask) -> float:
    """Intersection over union, ``TP / (TP + FP + FN)``, 0 to 1; NaN where both are empty."""
    both, extra, missed = _counts(predicted, truth)
    return _ratio(both, both + extra + missed)


def dice(predicted: Mask, truth: Mask) -> float:
    """Dice score, ``2 TP / (2 TP + FP + FN)``, 0 to 1; NaN where both are empty."""
    both, extra, missed = _counts(predicted, truth)
    return _ratio(2 * both, 2 * both + extra + missed)


@dataclass(frozen=True, kw_only=True)
class Bias:
    """By how much a mask is too large (above 0) or too small: its outline, and its area."""

    boundary_m: float
    area_percent: float


def boundary_bias(predicted: Mask, truth: Mask, *, gsd_m: float) -> Bias:
    """Measure whether a mask is too large, on the ground.

    ``boundary_m = (predicted area - true area) / (mean length of both outlines)``: for two discs
    exactly the difference of their radii; what is too large here cancels what is too small there.
    Lengths are those of `perimeter_px`. A truth that is empty or fills the image has no outline,
    and is an InputError too.
    """
    both, extra, missed = _counts(predicted, truth)
    if not gsd_m > 0:
        raise InputError(f"gsd_m is {gsd_m:g}; wanted metres above 0.")
    true_px = perimeter_px(truth)
    if not true_px:
        raise InputError("The truth is empty or fills the image; a bias needs an outline.")
    length_m = (true_px + perimeter_px(predicted)) / 2 * gsd_m
    return Bias(
        boundary_m=(extra - missed) * gsd_m**2 / length_m,
        area_percent=100 * (extra - missed) / (both + missed),
    )


def perimeter_px(mask: Mask) -> float:
    """Length of a mask's outline in sides of pixels, by Crofton's formula in four directions.

    It counts how often lines along rows, columns and diagonals cross the outline. A round one is
    met to 1 per cent, straight ones to 6; edges of pixels would make a disc's 27 per cent too
    long. The edge of the image is no outline.
    """
    inside = as_mask(mask).astype(np.int8)
    straight = np.abs(np.diff(inside, axis=0)).sum() + np.abs(np.diff(inside, axis=1)).sum()
    down, up = inside[1:, 1:] - inside[:-1, :-1], inside[1:, :-1] - inside[:-1, 1:]
    slanting = np.abs(down).sum() + np.abs(up).sum()
    # Lines along rows and columns lie 1 apart, diagonal ones 1 / sqrt(2); pi / 8 for 4 directions
    # and each crossing.
    return float(math.pi / 8 * (straight + slanting / math.sqrt(2)))
