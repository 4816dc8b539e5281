"""Connected regions of a mask: components, holes, and the point furthest inside."""

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.segment.prompt import Point


def components(
    mask: Bool[np.ndarray, "rows cols"], *, least_px: int = 1
) -> tuple[Bool[np.ndarray, "rows cols"], ...]:
    """Parts of `least_px` pixels or more that touch along an edge, the largest first."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    return tuple(labels == number + 1 for number in order if sizes[number] >= least_px)


def filled(mask: Bool[np.ndarray, "rows cols"], *, below_px: int) -> Bool[np.ndarray, "rows cols"]:
    """Return a mask without holes (joined along edges) of fewer pixels than `below_px`."""
    labels, count = ndimage.label(~mask)
    small = np.bincount(labels.ravel(), minlength=count + 1) < below_px
    small[0] = False  # the mask itself
    return np.asarray(mask | small[labels])


def largest(mask: Bool[np.ndarray, "rows cols"]) -> Bool[np.ndarray, "rows cols"]:
    """The largest part of `components`, of equals the first; empty where the mask is."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return np.asarray(labels == 1 + int(sizes.argmax())) if count else np.zeros_like(mask)


def interior_point(mask: Bool[np.ndarray, "rows cols"]) -> Point:
    """The pixel that is furthest from everything outside a mask, as (col, row).

    Distances are Euclidean; the edge of the image counts as outside. Of equals, the first in
    reading order.
    """
    if not mask.any():
        raise InputError("The mask is empty, so nothing lies inside it.")
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), mask.shape)
    return float(col), float(row)
