"""The ground of a synthetic place: its features on cells of 2.5 m, and their area averages.

A pixel's value is the same to the bit in every window, on every processor: each sum here adds its
terms one after the other, in an order that the place sets. `@`, `einsum` and `mean` choose theirs
by shape, layout and processor.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from affine import Affine
from jaxtyping import Float32, Int16, Int32
from rasterio.features import rasterize
from shapely import box
from shapely.strtree import STRtree

from rsedu.synthetic.land_cover import CLASSES, CLEARING, COVERS, FOREST
from rsedu.synthetic.landscape import Feature, features
from rsedu.synthetic.random_fields import COARSE_M, FINE_M, tiled

_TEXTURE = np.array([cover.texture for cover in COVERS], dtype=np.float32)
_CROWNS = ((0.0, 0.5), (1.5, 0.8), (5.0, 0.5))  # (smoothness in cells of 2.5 m, weight)

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
    row_weights, row_at, row_cells = _weights(rows, gsd_m)
    col_weights, col_at, col_cells = _weights(cols, gsd_m)
    values = field(FINE_M, row_cells, col_cells)
    pairs = zip(row_weights, row_at, strict=True)
    tall = _summed(values[:, at] * weight[:, None] for weight, at in pairs)
    return _summed(tall[..., at] * weight for weight, at in zip(col_weights, col_at, strict=True))


def _weights(pixels: slice, gsd_m: float) -> tuple[np.ndarray, np.ndarray, slice]:
    """Which cells of 2.5 m the pixels cover, and where in those each pixel's first, second ... is.

    Returns:
        (most, pixels) float32 share of each pixel that its first, second ... cell covers, 0 beyond
        its last; (most, pixels) their places in the cells; the cells.
    """
    edges = np.arange(pixels.start, pixels.stop + 1) * gsd_m / FINE_M
    cells = slice(int(np.floor(edges[0])), int(np.ceil(edges[-1] - 1e-9)))
    most = int(np.ceil(gsd_m / FINE_M)) + 1
    low = np.floor(edges[:-1]) + np.arange(most)[:, None]
    covered = np.minimum(edges[1:], low + 1) - np.maximum(edges[:-1], low)
    weights = np.where(covered > 1e-9, covered, 0) * FINE_M / gsd_m
    at = np.minimum(low.astype(int), cells.stop - 1) - cells.start
    return weights.astype(np.float32), at, cells


def times(pixels: slice, factor: int) -> slice:
    """The cells that make up a run of pixels, ``factor`` to a pixel."""
    return slice(pixels.start * factor, pixels.stop * factor)


def block_mean(
    values: Float32[np.ndarray, "*bands rows cols"], factor: int
) -> Float32[np.ndarray, "*bands newrows newcols"]:
    """Average blocks of factor x factor cells; both sides are multiples of it."""
    *bands, rows, cols = values.shape
    blocks = values.reshape(*bands, rows // factor, factor, cols)
    tall = _summed(blocks[..., row, :] for row in range(factor))
    wide = tall.reshape(*bands, rows // factor, cols // factor, factor)
    return _summed(wide[..., col] for col in range(factor)) / np.float32(factor**2)


def mixed(
    shares: Float32[np.ndarray, "classes rows cols"],
    each: Float32[np.ndarray, "classes bands"],
) -> Float32[np.ndarray, "bands rows cols"]:
    """What a sensor gets from classes side by side: the sum of share times what each one gives."""
    total = np.zeros((each.shape[1], *shares.shape[1:]), dtype=np.float32)
    part = np.empty_like(total[0])
    for share, gives in zip(shares, each, strict=True):
        if share.any():
            for band, amount in zip(total, gives, strict=True):
                band += np.multiply(share, amount, out=part)
    return total


def _summed(parts: Iterable[np.ndarray]) -> np.ndarray:
    """The sum of arrays of one shape, in their order."""
    parts = iter(parts)
    total = next(parts).copy()
    for part in parts:
        total += part
    return total


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


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What lies where.

    Attributes:
        seed: of the place.
        size_m: side of the square world, metres.
    """

    seed: int
    size_m: float

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """All things of the place; cell numbers count them from 1."""
        return features(self.seed, self.size_m)

    @cached_property
    def is_cut(self) -> np.ndarray:
        """Whether each cell number is a patch of forest that is cut one day; entry 0 is not."""
        return np.array([False, *(feature.then[0][1] == CLEARING for feature in self.features)])

    @cached_property
    def _tree(self) -> STRtree:
        return STRtree([feature.shape for feature in self.features])

    def cells(self, rows: slice, cols: slice) -> Int16[np.ndarray, "rows cols"]:
        """Number of the feature in each cell of 2.5 m; 0 where there is only forest."""
        west, north = cols.start * FINE_M, self.size_m - rows.start * FINE_M
        east, south = cols.stop * FINE_M, self.size_m - rows.stop * FINE_M
        hits = np.sort(self._tree.query(box(west, south, east, north)))
        shape = (rows.stop - rows.start, cols.stop - cols.start)
        if not hits.size:
            return np.zeros(shape, dtype=np.int16)
        numbered = ((self.features[hit].shape, int(hit) + 1) for hit in hits)
        transform = Affine(FINE_M, 0, west, 0, -FINE_M, north)
        drawn = rasterize(numbered, out_shape=shape, transform=transform, dtype="int16")
        return np.asarray(drawn)

    def covers(self, date: float) -> Int32[np.ndarray, "features"]:
        """Class of each cell number at a decimal year; entry 0 is forest."""
        return np.array([FOREST, *(item.cover(date) for item in self.features)], dtype=np.int32)

    def shares(
        self, date: float, level_m: float, rows: slice, cols: slice
    ) -> Float32[np.ndarray, "classes rows cols"]:
        """Share of each class in pixels of ``level_m`` metres, a multiple of 2.5; they sum to 1."""
        factor = round(level_m / FINE_M)
        numbers = self.cells(times(rows, factor), times(cols, factor))
        return sums_by_class(self.covers(date)[numbers], factor, len(CLASSES))

    def brightness(
        self, date: float, level_m: float, rows: slice, cols: slice
    ) -> Float32[np.ndarray, "classes rows cols"]:
        """As `shares`, each cell weighted by its texture and by the plot that it belongs to."""
        factor = round(level_m / FINE_M)
        fine = times(rows, factor), times(cols, factor)
        numbers, covers = self.cells(*fine), self.covers(date)
        own = np.array([1.0, *(item.brightness for item in self.features)], dtype=np.float32)
        own[covers == FOREST] = 1.0  # before it is cut, a plot is as bright as any forest
        kinds = covers[numbers]
        crowns = tiled(11, _CROWNS, *fine, shift=37 * self.seed)
        weights = own[numbers] * (1 + _TEXTURE[kinds] * crowns)
        return sums_by_class(kinds, factor, len(CLASSES), weights)

    def labels(self, gsd_m: float, rows: slice, cols: slice) -> Int16[np.ndarray, "rows cols"]:
        """Number of the patch at the centre of each pixel that is cut one day, else 0."""
        factor = round(gsd_m / FINE_M)
        numbers = self.cells(times(rows, factor), times(cols, factor))
        centre = numbers[factor // 2 :: factor, factor // 2 :: factor]
        return np.where(self.is_cut[centre], centre, np.int16(0))
