"""Random fields of the synthetic frontier, by seed and place: noise of any smoothness, and speckle.

A field is defined for the whole plane and read off in windows, so a window of a render equals the
crop of a larger one. All randomness is numpy's PCG64, whose integers are the same on every machine;
the floats made of them agree to rounding.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

FINE_M = 2.5  # side of a cell of the ground: all renders average these
COARSE_M = 20.0  # side of a cell of light and cloud
_TILE = 1024
_CHUNK = 64


@lru_cache(maxsize=16)
def _noise_tile(seed: int, scales: tuple[tuple[float, float], ...]) -> np.ndarray:
    """A periodic (1024, 1024) field of mean 0 and deviation 1: white noise, smoothed and summed."""
    rng = np.random.default_rng(seed)
    field = np.zeros((_TILE, _TILE), dtype=np.float32)
    for sigma, weight in scales:
        layer = rng.standard_normal((_TILE, _TILE), dtype=np.float32)
        layer = gaussian_filter(layer, sigma, mode="wrap") if sigma else layer
        field += np.float32(weight) * (layer - layer.mean()) / layer.std()
    field -= field.mean()
    field /= field.std()
    field.setflags(write=False)
    return field


def tiled(
    seed: int, scales: tuple[tuple[float, float], ...], rows: slice, cols: slice, shift: int
) -> Float32[np.ndarray, "rows cols"]:
    """Cells (rows, cols) of a periodic noise field.

    Args:
        seed: which field.
        scales: (smoothness in cells, weight) of each layer.
        rows: cells from the north, step 1.
        cols: cells from the west, step 1.
        shift: moves the field, so that places with one texture differ.
    """
    tile = _noise_tile(seed, scales)
    row_at = (np.arange(rows.start, rows.stop) + shift) % _TILE
    col_at = (np.arange(cols.start, cols.stop) + 7 * shift) % _TILE
    return np.asarray(tile[np.ix_(row_at, col_at)])


def coarse_noise(
    seed: int,
    scales: tuple[tuple[float, float], ...],
    level_m: float,
    rows: slice,
    cols: slice,
    *,
    shift: int,
    moved: tuple[int, int] = (0, 0),
) -> Float32[np.ndarray, "rows cols"]:
    """A noise field with cells of 20 m, read off at pixels of 20 m or less.

    Args:
        seed: which field.
        scales: (smoothness in cells, weight) of each layer.
        level_m: side of a pixel, 2.5, 5, 10 or 20 m.
        rows: pixels from the north, step 1.
        cols: pixels from the west, step 1.
        shift: moves the field, so that places with one texture differ.
        moved: how far the field is moved, in cells to the south and to the east.
    """
    factor = round(COARSE_M / level_m)
    row_at = np.arange(rows.start, rows.stop) // factor - moved[0]
    col_at = np.arange(cols.start, cols.stop) // factor - moved[1]
    top, left = int(row_at[0]), int(col_at[0])
    around = slice(top, int(row_at[-1]) + 1), slice(left, int(col_at[-1]) + 1)
    field = tiled(seed, scales, *around, shift=shift)
    return np.asarray(field[np.ix_(row_at - top, col_at - left)])


def speckle(
    key: tuple[int, ...], looks: float, rows: slice, cols: slice
) -> Float32[np.ndarray, "rows cols"]:
    """Multiplicative speckle: Gamma noise of mean 1 and variance 1 / looks, pixel by pixel.

    Drawn in chunks of 64 x 64 pixels, each with a generator of its own, so that any window can be
    drawn alone.

    Args:
        key: numbers that name the acquisition and the polarisation.
        looks: equivalent number of looks of one pixel, > 0.
        rows: pixels from the north, step 1.
        cols: pixels from the west, step 1.
    """
    first_row, first_col = rows.start // _CHUNK, cols.start // _CHUNK
    last_row, last_col = -(-rows.stop // _CHUNK), -(-cols.stop // _CHUNK)
    shape = ((last_row - first_row) * _CHUNK, (last_col - first_col) * _CHUNK)
    field = np.empty(shape, dtype=np.float32)
    for row in range(first_row, last_row):
        for col in range(first_col, last_col):
            draw = np.random.default_rng((*key, row, col)).standard_gamma(
                looks, size=(_CHUNK, _CHUNK), dtype=np.float32
            )
            top, left = (row - first_row) * _CHUNK, (col - first_col) * _CHUNK
            field[top : top + _CHUNK, left : left + _CHUNK] = draw / np.float32(looks)
    top, left = rows.start - first_row * _CHUNK, cols.start - first_col * _CHUNK
    height, width = rows.stop - rows.start, cols.stop - cols.start
    return np.asarray(field[top : top + height, left : left + width])
