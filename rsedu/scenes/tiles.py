"""Scene -> tensor and its ground sample distance: the only border from numpy to torch."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from rsedu.errors import InputError
from rsedu.scenes.grid import Number
from rsedu.scenes.scene import Scene


def to_tensor(
    scene: Scene, *, fill: Number | None = None
) -> tuple[Float32[Tensor, "bands rows cols"], float]:
    """Return the pixels as a tensor, and the side of a pixel.

    Args:
        scene: any scene.
        fill: value for pixels that are not valid, in the bands' unit. Left out, such pixels are an
            error, since one NaN turns every weight of a network into NaN. The mask is scene.valid.

    Returns:
        ((bands, rows, cols) float32 on the CPU, metres per pixel). The tensor owns its memory.

    Raises:
        InputError: not every pixel is valid, and no fill was given.
    """
    if scene.is_masked and fill is None:
        raise InputError(
            f"{scene} has {int((~scene.valid).sum())} pixels that are not valid: crop them away, "
            "or pass fill=0.0, say, and keep scene.valid to leave them out of the loss."
        )
    array = scene.array if fill is None else np.where(scene.valid, scene.array, np.float32(fill))
    return torch.from_numpy(np.array(array, dtype=np.float32)), scene.gsd_m


def _starts(size: int, tile: int, step: int) -> list[int]:
    """First pixels of tiles that cover `size`; the last one is pushed back to end at the edge."""
    regular = list(range(0, size - tile + 1, step))
    return regular if regular[-1] + tile == size else [*regular, size - tile]


def tile(
    scene: Scene, *, size_px: int, overlap_px: int = 0
) -> Iterator[tuple[slice, slice, Scene]]:
    """Cut a scene into square tiles that cover all of it.

    Tiles at the east and south edge are pushed back inside, so they may overlap more than asked.

    Args:
        scene: any scene of at least size_px rows and columns.
        size_px: side of a tile, pixels.
        overlap_px: shared by neighbours, pixels; at least 0 and below size_px.

    Yields:
        (rows, cols, tile) from the north-west, row by row.

    Raises:
        InputError: the scene is smaller than a tile, or the overlap is not below its side.
    """
    if not 0 <= overlap_px < size_px:
        raise InputError(f"overlap_px is {overlap_px}; it must be in [0, {size_px - 1}].")
    if min(scene.shape) < size_px:
        raise InputError(
            f"A scene of {scene.shape[0]} x {scene.shape[1]} px holds no tile of {size_px} px: "
            "choose smaller tiles."
        )
    height, width = scene.shape
    for top in _starts(height, size_px, size_px - overlap_px):
        for left in _starts(width, size_px, size_px - overlap_px):
            rows, cols = slice(top, top + size_px), slice(left, left + size_px)
            yield rows, cols, scene.crop(rows=rows, cols=cols)


def merge(
    tiles: list[tuple[slice, slice, Float32[Tensor, "bands size size"]]], shape: tuple[int, int]
) -> Float32[Tensor, "bands rows cols"]:
    """Put tiles back together: the mean where they overlap, NaN where there is none.

    Args:
        tiles: (rows, cols, values) as `tile` cuts them; all with the same number of bands.
        shape: (rows, cols) of the whole.

    Raises:
        InputError: no tiles.
    """
    if not tiles:
        raise InputError("There are no tiles to merge.")
    first = tiles[0][2]
    total = first.new_zeros((len(first), *shape), dtype=torch.float64)
    count = first.new_zeros(shape, dtype=torch.float64)
    for rows, cols, values in tiles:
        total[:, rows, cols] += values
        count[rows, cols] += 1
    return (total / count).float()
