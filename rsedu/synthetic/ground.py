"""The ground of a synthetic place: its features drawn onto cells of 2.5 m."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from affine import Affine
from jaxtyping import Float32, Int16, Int32
from rasterio.features import rasterize
from shapely import box
from shapely.strtree import STRtree

from rsedu.synthetic.area_average import sums_by_class, times
from rsedu.synthetic.land_cover import CLASSES, CLEARING, COVERS, FOREST
from rsedu.synthetic.landscape import Feature, features
from rsedu.synthetic.random_fields import FINE_M, tiled

_TEXTURE = np.array([cover.texture for cover in COVERS], dtype=np.float32)
_CROWNS = ((0.0, 0.5), (1.5, 0.8), (5.0, 0.5))  # (smoothness in cells of 2.5 m, weight)


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
        drawn: np.ndarray = rasterize(numbered, out_shape=shape, transform=transform, dtype="int16")
        return drawn

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
