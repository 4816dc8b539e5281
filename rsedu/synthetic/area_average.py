"""Area averages: what a pixel of any size sees of fields that are exact on small square cells."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from rsedu.synthetic.random_fields import COARSE_M, FINE_M

#: (cell side in m, rows, cols) -> (bands, rows, cols), with rows and columns counted in such cells.
Field = Callable[[float, slice, slice], np.ndarray]

_STRIP = 64  # rows rendered at a time, so that a large place needs little memory


def area_average(
    field: Field, gsd_m: float, rows: slice, cols: slice
) -> Float32[np.ndarray, "bands rows cols"]:
    """Average a field over pixels.

    Args:
        field: exact on cells of 2.5, 5, 10 or 20 m.
        gsd_m: side of a pixel, 2.5 m or more.
        rows: pixels from the north, step 1.
        cols: pixels from the west, step 1.
    """
    tops = range(rows.start, rows.stop, _STRIP)
    strips = [slice(top, min(top + _STRIP, rows.stop)) for top in tops]
    fitting = [side for side in (COARSE_M, 10.0, 5.0, FINE_M) if gsd_m % side == 0]
    if fitting:
        means = [_of_whole_cells(field, fitting[0], gsd_m, strip, cols) for strip in strips]
    else:
        means = [_of_shared_cells(field, gsd_m, strip, cols) for strip in strips]
    return np.concatenate(means, axis=1)


def _of_whole_cells(
    field: Field, side_m: float, gsd_m: float, rows: slice, cols: slice
) -> np.ndarray:
    factor = round(gsd_m / side_m)
    values = field(side_m, times(rows, factor), times(cols, factor))
    return block_mean(values, factor)


def _of_shared_cells(field: Field, gsd_m: float, rows: slice, cols: slice) -> np.ndarray:
    """Pixels that are no whole number of cells: each cell counts by the share that is covered."""
    row_weights, row_cells = _weights(rows, gsd_m)
    col_weights, col_cells = _weights(cols, gsd_m)
    values = field(FINE_M, row_cells, col_cells)
    means = np.einsum("ir,brc,jc->bij", row_weights, values, col_weights, optimize=True)
    shared: np.ndarray = means.astype(np.float32)
    return shared


def _weights(pixels: slice, gsd_m: float) -> tuple[np.ndarray, slice]:
    """How much of each pixel (rows) each cell of 2.5 m (columns) covers, and which cells."""
    edges = np.arange(pixels.start, pixels.stop + 1) * gsd_m / FINE_M
    cells = slice(int(np.floor(edges[0])), int(np.ceil(edges[-1] - 1e-9)))
    low = np.arange(cells.start, cells.stop)[None, :]
    covered = np.minimum(edges[1:, None], low + 1) - np.maximum(edges[:-1, None], low)
    weights = np.clip(covered, 0, None) * FINE_M / gsd_m
    return weights.astype(np.float32), cells


def times(pixels: slice, factor: int) -> slice:
    """The cells that make up a run of pixels, ``factor`` to a pixel."""
    return slice(pixels.start * factor, pixels.stop * factor)


def block_mean(
    values: Float32[np.ndarray, "*bands rows cols"], factor: int
) -> Float32[np.ndarray, "*bands newrows newcols"]:
    """Average blocks of factor x factor cells; both sides are multiples of it."""
    *bands, rows, cols = values.shape
    blocks = values.reshape(*bands, rows // factor, factor, cols // factor, factor)
    means: np.ndarray = blocks.mean(axis=(-3, -1), dtype=np.float32)
    return means


def sums_by_class(
    kinds: np.ndarray, factor: int, count: int, weights: np.ndarray | None = None
) -> Float32[np.ndarray, "classes rows cols"]:
    """Average each class's weight over blocks of factor x factor cells, 0 where it is absent.

    Args:
        kinds: (rows, cols) class of each cell, 0 to count - 1.
        factor: cells along a side of a block.
        count: of classes.
        weights: (rows, cols) of each cell; None: 1, which gives the shares of the classes.
    """
    rows, cols = (size // factor for size in kinds.shape)
    row_of = np.arange(kinds.shape[0], dtype=np.int32) // factor * cols
    col_of = np.arange(kinds.shape[1], dtype=np.int32) // factor
    block = (row_of[:, None] + col_of) * np.int32(count) + kinds
    flat = None if weights is None else weights.ravel()
    sums = np.bincount(block.ravel(), flat, minlength=rows * cols * count)
    shares = sums.reshape(rows, cols, count).astype(np.float32) / np.float32(factor**2)
    return np.ascontiguousarray(np.moveaxis(shares, -1, 0))
