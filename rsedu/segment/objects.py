"""What counts as one object on the synthetic frontier: connected pixels of a kind."""

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage  # type: ignore[import-untyped]

from rsedu.scenes.cover import (
    CLEARING,
    CROP,
    PASTURE,
    REGROWTH,
    ROAD,
    SETTLEMENT,
    WATER,
)

PLOTS = (WATER, SETTLEMENT, CLEARING, PASTURE, CROP, REGROWTH)
OPEN = (ROAD, SETTLEMENT, CLEARING, PASTURE, CROP)
MOST = 255  # objects of one map, the largest ones


def components(
    mask: Bool[np.ndarray, "rows cols"], *, least_px: int = 1
) -> tuple[Bool[np.ndarray, "rows cols"], ...]:
    """Split a mask into parts whose pixels touch along an edge, the largest first.

    Args:
        mask: pixels that belong to any.
        least_px: parts of fewer pixels are left out.
    """
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    return tuple(labels == number + 1 for number in order if sizes[number] >= least_px)


def filled(mask: Bool[np.ndarray, "rows cols"], *, below_px: int) -> Bool[np.ndarray, "rows cols"]:
    """Return a mask without its small holes: parts outside it that touch along an edge.

    Args:
        mask: pixels that belong to any.
        below_px: holes of as many pixels or more stay.
    """
    labels, count = ndimage.label(~mask)
    small = np.bincount(labels.ravel(), minlength=count + 1) < below_px
    small[0] = False  # the mask itself
    whole: np.ndarray = mask | small[labels]
    return whole


def largest(mask: Bool[np.ndarray, "rows cols"]) -> Bool[np.ndarray, "rows cols"]:
    """The largest part whose pixels touch along an edge; of equals the first in reading order.

    Empty where the mask is.
    """
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    part: np.ndarray = labels == 1 + int(sizes.argmax()) if count else np.zeros_like(mask)
    return part


def numbered(
    parts: tuple[Bool[np.ndarray, "rows cols"], ...], shape: tuple[int, int]
) -> UInt8[np.ndarray, "rows cols"]:
    """Draw disjoint masks into one map: 1 for the largest, 0 where there is none; 255 at most."""
    drawn = np.zeros(shape, dtype=np.uint8)
    ordered = sorted(parts, key=lambda part: -int(part.sum()))
    for number, part in enumerate(ordered[:MOST], 1):
        drawn[part] = number
    return drawn


def plots(
    classes: UInt8[np.ndarray, "rows cols"], *, least_px: int = 16
) -> UInt8[np.ndarray, "rows cols"]:
    """Number the connected pixels of one class: waters, settlements, clearings, fields, regrowth.

    Args:
        classes: indices into `rsedu.scenes.cover.CLASSES`, at the pixel size of the image.
        least_px: smaller ones are left out.

    Returns:
        0 where there is none; forest and roads are none.
    """
    parts = [part for kind in PLOTS for part in components(classes == kind, least_px=least_px)]
    return numbered(tuple(parts), classes.shape)


def openings(
    classes: UInt8[np.ndarray, "rows cols"], *, least_px: int = 16
) -> UInt8[np.ndarray, "rows cols"]:
    """Number the connected pixels of open land: whatever is neither trees nor water.

    Args:
        classes: indices into `rsedu.scenes.cover.CLASSES`.
        least_px: smaller ones are left out.
    """
    parts = components(np.isin(classes, OPEN), least_px=least_px)
    return numbered(parts, classes.shape)
