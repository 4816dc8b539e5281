"""Outlines drawn again at their edges, pixel by pixel, by how far each of them changed.

A pixel of which half was cut lies half-way between the change within the clearing and that around
it, since reflectance mixes linearly (an index such as NDVI doesn't). SAM draws a shape; where its
edge runs through a pixel, the pixel itself knows better.
"""

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from rsedu.project.methods.features import first_and_last_clear
from rsedu.project.task import Stack
from rsedu.scenes.bands import S2_BANDS

_BANDS = ("B04", "B08", "B11", "B12")
_EDGES_PX = (2, 2, 1)  # to each side of an outline, pass by pass
_ROUND_PX = 3  # width of what counts as around, beyond the edge
_FEWEST_PX = 8  # whose mean means something
_CALM = 1e-5  # added to variances of reflectance, so that equal pixels can be divided by

Mask = Bool[np.ndarray, "rows cols"]
Change = Float32[np.ndarray, "bands rows cols"]


def change_of(stack: Stack) -> Change:
    """Reflectance of the last clear look less that of the first one; NaN where none is clear."""
    found, bands = first_and_last_clear(stack), [S2_BANDS.index(name) for name in _BANDS]
    return np.asarray(found.after[bands] - found.before[bands])


def redrawn(outlines: Mask, change: Change) -> Mask:
    """Decide the pixels at the edge of each outline anew.

    Args:
        outlines: pixels within any of them; those that touch along an edge are one.
        change: of reflectance, on the same pixels.

    Returns:
        The outlines, at most 5 pixels wider or narrower; those too small to tell stay as they are.
    """
    seen = np.isfinite(change).all(axis=0)
    for edge_px in _EDGES_PX:
        numbers, count = ndimage.label(outlines)
        drawn, far = outlines.copy(), ~ndimage.binary_dilation(outlines, iterations=edge_px)
        for number in range(1, count + 1):
            one = numbers == number
            core = _core(one, edge_px)
            edge = ndimage.binary_dilation(one, iterations=edge_px) & ~core
            reach = ndimage.binary_dilation(one, iterations=edge_px + _ROUND_PX)
            border = _border(change, core & seen, reach & far & seen)
            if border is not None:
                way, middle = border
                drawn[edge & seen] = way @ change[:, edge & seen] > middle
        outlines = drawn
    return outlines


def _core(one: Mask, edge_px: int) -> Mask:
    """What lies deeper within than the edge; all of it where nothing does."""
    core: np.ndarray = ndimage.binary_erosion(one, iterations=edge_px)
    return core if core.any() else one


def _border(change: Change, core: Mask, around: Mask) -> tuple[np.ndarray, float] | None:
    """Where change within ends and change around begins: Fisher's discriminant.

    The direction is the difference of both means, weighted by the inverse of the covariance that
    they share (Fisher 1936); the border is half-way.

    Returns:
        The direction (bands,) and the border along it, above which is within; None where too few
        pixels tell.
    """
    if min(core.sum(), around.sum()) < _FEWEST_PX:
        return None
    inside, outside = change[:, core], change[:, around]
    middles = [side.mean(axis=1, keepdims=True) for side in (inside, outside)]
    spread = np.cov(np.concatenate([inside - middles[0], outside - middles[1]], axis=1))
    way = np.linalg.solve(spread + _CALM * np.eye(len(change)), middles[0] - middles[1])[:, 0]
    return way, float(way @ (middles[0] + middles[1])[:, 0]) / 2
