"""What counts as one object on the synthetic frontier: connected pixels of a kind."""

import numpy as np
from jaxtyping import Bool, UInt8

from rsedu.segment.regions import components
from rsedu.synthetic.land_cover import CLEARING, CROP, PASTURE, REGROWTH, ROAD, SETTLEMENT, WATER

PLOTS = (WATER, SETTLEMENT, CLEARING, PASTURE, CROP, REGROWTH)
OPEN = (ROAD, SETTLEMENT, CLEARING, PASTURE, CROP)
MOST = 255  # objects of one map, the largest ones


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

    0 where there is none; forest and roads are none, nor is what has fewer pixels than `least_px`.
    """
    parts = [part for kind in PLOTS for part in components(classes == kind, least_px=least_px)]
    return numbered(tuple(parts), classes.shape)


def openings(
    classes: UInt8[np.ndarray, "rows cols"], *, least_px: int = 16
) -> UInt8[np.ndarray, "rows cols"]:
    """Number the connected pixels of open land: whatever is neither trees nor water."""
    parts = components(np.isin(classes, OPEN), least_px=least_px)
    return numbered(parts, classes.shape)
