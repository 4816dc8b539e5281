"""Likeness by colour, and where to look for it: what lesson 07 measures with."""

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from rsedu.segment.oneshot.reference import top as top  # where the lesson clicks

CELL_PX = 8  # side of a cell of the small model's embedding, in pixels of a tile

Mask = Bool[np.ndarray, "rows cols"]


def around(mask: Mask) -> Mask:
    """A mask and one cell round it: where an example itself makes cells similar."""
    return np.asarray(ndimage.binary_dilation(mask, iterations=CELL_PX))


def colour_likeness(
    image: np.ndarray, mask: Mask, there: np.ndarray
) -> Float32[np.ndarray, "rows cols"]:
    """The same question to the colours alone: minus the distance to the example's mean colour.

    Args:
        image: (rows, cols, 3) uint8, the example's image.
        mask: of the example.
        there: (rows, cols, 3) uint8; cells of 8 x 8 pixels are averaged, as a model's are.
    """
    cells = there.reshape(there.shape[0] // CELL_PX, CELL_PX, -1, CELL_PX, 3).mean(axis=(1, 3))
    distance = np.linalg.norm(cells - image[mask].mean(axis=0), axis=-1)
    fine = np.kron(-distance, np.ones((CELL_PX, CELL_PX)))
    return fine.astype(np.float32)
