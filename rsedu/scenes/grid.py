"""Grids and resampling: where pixels lie, and how their values move to other pixels.

A grid here is always north-up with square pixels in metres: then "10 m" means one thing, rows run
south and columns run east. Everything else is refused, with the way to mend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from affine import Affine
from jaxtyping import Bool, Float32, Shaped
from rasterio.crs import CRS
from rasterio.warp import Resampling, reproject, transform as warp_points

from rsedu.errors import InputError
from rsedu.io.masks import as_mask

Number = float | int  # a float may be a whole number; annotations are checked in the tests

# Pixels count as square, and grids as equal, when they differ by less than this part of a pixel.
_SAME = 1e-4

# A grid whose place is unknown still is a plane in metres. GDAL wants a name for the plane; when
# source and target have the same one it projects nothing, so any metric CRS will do.
_SOME_PLANE = CRS.from_epsg(32631)

# An output pixel is kept where at least this part of its area was observed.
_MIN_OBSERVED = 0.5

# New pixels count as larger from this area on, in old ones: two UTM zones differ by 0.1 %, and that
# is no reason to blur.
_LARGER = 1.1


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A north-up raster of square pixels in metres.

    Attributes:
        transform: maps (col, row) of pixel corners to (x, y) in metres.
        crs: projected, in metres; None for a plane whose place on Earth is unknown.
        shape: (rows, cols), both at least 1.

    Raises:
        InputError: degrees, Mercator (its metres stretch with latitude), rotated, south-up, or
            pixels that are not square.

    Examples:
        >>> grid = Grid(transform=Affine(10, 0, 0, 0, -10, 400), crs=None, shape=(40, 60))
        >>> grid.bounds
        (0.0, 0.0, 600.0, 400.0)
        >>> grid.slices((100, 300, 200, 350))
        (slice(5, 10, None), slice(10, 20, None))
        >>> grid.at_gsd(25).shape
        (16, 24)
    """

    transform: Affine
    crs: CRS | None
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        _check_crs(self.crs)
        _check_transform(self.transform)
        if min(self.shape) < 1:
            raise InputError(
                f"A scene of {self.shape[0]} x {self.shape[1]} pixels is empty: "
                "widen the window, or check that it lies inside the scene."
            )

    @property
    def gsd_m(self) -> float:
        """Side of a pixel, metres."""
        return float(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) of the outer pixel edges, metres."""
        rows, cols = self.shape
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (cols, rows)
        return float(west), float(south), float(east), float(north)

    def matches(self, other: "Grid") -> bool:
        """Return whether both grids have the same CRS, shape and pixels, to 1e-4 of a pixel."""
        if self.crs != other.crs or self.shape != other.shape:
            return False
        pairs = zip(self.bounds, other.bounds, strict=True)
        return all(abs(ours - theirs) < _SAME * self.gsd_m for ours, theirs in pairs)

    def at_gsd(self, gsd_m: Number) -> "Grid":
        """Return the grid with the same north-west corner and pixels of another size.

        Only whole new pixels are kept, so up to one of them is lost at the east and south edges.

        Raises:
            InputError: gsd_m is not above 0, or larger than a side of the grid.
        """
        if not gsd_m > 0:
            raise InputError(f"gsd_m is {gsd_m}; it must be above 0 metres.")
        ratio = self.gsd_m / gsd_m
        rows, cols = (int(np.floor(size * ratio + _SAME)) for size in self.shape)
        if min(rows, cols) < 1:
            raise InputError(
                f"A pixel of {gsd_m:g} m does not fit into this scene "
                f"({self.shape[0]} x {self.shape[1]} px at {self.gsd_m:g} m): choose a smaller one."
            )
        transform = self.transform @ Affine.scale(1 / ratio)
        return Grid(transform=transform, crs=self.crs, shape=(rows, cols))

    def slices(self, bounds: Sequence[Number]) -> tuple[slice, slice]:
        """Return the (rows, cols) whose pixels lie within bounds, edges to the nearest pixel.

        Args:
            bounds: (west, south, east, north), metres in this grid's CRS; cut to the grid.

        Raises:
            InputError: west >= east, south >= north, or nothing in common with the grid.
        """
        west, south, east, north = bounds
        if not (west < east and south < north):
            raise InputError(
                f"The window {tuple(bounds)} is empty: bounds are (west, south, east, north) with "
                "west < east and south < north."
            )
        left, top = ~self.transform @ (west, north)
        right, bottom = ~self.transform @ (east, south)
        rows = _cut(top, bottom, self.shape[0])
        cols = _cut(left, right, self.shape[1])
        if rows.stop <= rows.start or cols.stop <= cols.start:
            raise InputError(
                f"The window {tuple(bounds)} covers no pixel of the scene, whose bounds are "
                f"{self.bounds}: check the CRS of the window, or make it larger."
            )
        return rows, cols


_EARTH_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563  # WGS 84
_SQUARE = 1.05  # sides of a pixel on the ground that differ by more have no one size


def ground_size_m(transform: Affine, crs: CRS | None, *, col: Number = 0, row: Number = 0) -> float:
    """Side of a pixel on the ground in metres, also of degrees and of Mercator.

    Mercator's metres stretch by 1 / cos(latitude), so web tiles of 10 m at 60 degrees north are
    5 m on the ground; a degree is measured on the WGS 84 ellipsoid.

    Args:
        transform: maps (col, row) of pixel corners to (x, y) in the CRS.
        crs: of the raster; None for a plane in metres.
        col: of the pixel that is measured.
        row: of the same.

    Raises:
        InputError: its width and height differ by more than 5 %, as those of degrees do far from
            the equator.
    """
    stretched = crs is not None and (crs.is_geographic or _is_mercator(crs))
    if crs is None or not stretched:
        metres = 1.0 if crs is None else float(crs.linear_units_factor[1])
        return float(np.sqrt(abs(transform.determinant)) * metres)
    points = [transform @ (col + right, row + down) for right, down in ((0, 0), (1, 0), (0, 1))]
    xs, ys = zip(*points, strict=True)
    lons, lats = (np.radians(v) for v in warp_points(crs, CRS.from_epsg(4326), xs, ys))
    squared = _FLATTENING * (2 - _FLATTENING)  # eccentricity
    curved = 1 - squared * np.sin(lats[0]) ** 2
    east_m = np.diff(lons[[0, 1, 0, 2]])[::2] * np.cos(lats[0]) * _EARTH_M / np.sqrt(curved)
    north_m = np.diff(lats[[0, 1, 0, 2]])[::2] * _EARTH_M * (1 - squared) / curved**1.5
    width, height = np.hypot(east_m, north_m)
    if max(width, height) > _SQUARE * min(width, height):
        raise InputError(
            f"Pixels are {width:.3g} m wide and {height:.3g} m high on the ground: reproject to a "
            "metric CRS such as UTM."
        )
    return float(np.sqrt(width * height))


@lru_cache  # asked for each window of a training run
def _is_mercator(crs: CRS) -> bool:
    return crs.to_dict().get("proj") in ("merc", "webmerc")  # UTM is "utm" or "tmerc"


def _cut(low: Number, high: Number, size: int) -> slice:
    start, stop = (int(np.floor(edge + 0.5)) for edge in (low, high))
    return slice(min(max(start, 0), size), min(max(stop, 0), size))


def _check_crs(crs: CRS | None) -> None:
    if crs is None:
        return
    if crs.is_geographic:
        raise InputError(
            f"The CRS {crs.to_string()} is in degrees, and a degree is no fixed number of metres: "
            "project first, for example with read_onto(path, scene)."
        )
    if abs(float(crs.linear_units_factor[1]) - 1) > _SAME:
        raise InputError(
            f"The CRS {crs.to_string()} counts in {crs.linear_units}: choose one in metres."
        )

    if _is_mercator(crs):
        raise InputError(
            f"The CRS {crs.to_string()} is a Mercator one, whose metres stretch with latitude (2.5 "
            "times the true area at 51 degrees north): choose the scene's UTM zone, for example "
            "with read_onto(path, scene)."
        )


def _check_transform(transform: Affine) -> None:
    across, rotation, _, skew, down, _ = tuple(transform)[:6]
    if rotation != 0 or skew != 0:
        raise InputError("The transform is rotated; warp the raster to a north-up grid first.")
    if across <= 0 or down >= 0:
        raise InputError(
            f"The transform steps {across:g} m per column and {down:g} m per row; north-up needs "
            "a positive and a negative step: flip the array, then write Affine(gsd, 0, west, 0, "
            "-gsd, north)."
        )
    if abs(across + down) > _SAME * across:
        raise InputError(
            f"Pixels are {across:g} m wide and {-down:g} m high; a scene needs square ones: "
            "warp to one pixel size first."
        )


def hectares(mask: Shaped[np.ndarray, "rows cols"], gsd_m: Number) -> float:
    """Area of a mask in hectares, counted in pixels.

    Args:
        mask: where a pixel counts; bool, 0 and 1, or 0 and 255.
        gsd_m: side of a pixel, metres.

    Raises:
        InputError: as `rsedu.io.masks.as_mask`.

    Examples:
        >>> hectares(np.ones((10, 20), dtype=bool), gsd_m=10)
        2.0
    """
    return float(as_mask(mask).sum() * (gsd_m**2 / 10_000))


def resample(
    array: Float32[np.ndarray, "bands rows cols"],
    valid: Bool[np.ndarray, "rows cols"],
    *,
    transform: Affine,
    crs: CRS | None,
    target: Grid,
) -> tuple[Float32[np.ndarray, "bands newrows newcols"], Bool[np.ndarray, "newrows newcols"]]:
    """Carry values from any raster to a grid, also across CRS.

    To larger pixels: the mean over the area of each new pixel, with partly covered pixels weighted
    by their share. To smaller ones, or equal to within a tenth in area: bilinear. Never nearest,
    which would keep one pixel and throw its neighbours away (aliasing). Pixels that are not valid
    have no weight.

    Args:
        array: values that may be averaged (reflectance, linear power; not dB, not classes).
        valid: which pixels were observed.
        transform: maps (col, row) of the array's pixel corners to (x, y) in its CRS.
        crs: of the array, degrees allowed; None for a plane in metres.
        target: the grid wanted.

    Returns:
        The values, NaN where not valid, and the new mask: valid where at least half of the area of
        the new pixel was observed.

    Raises:
        InputError: one side has a CRS and the other has none.
    """
    if (crs is None) != (target.crs is None):
        raise InputError(
            "One grid has a CRS and the other has none, so nothing says how they lie to each "
            "other: give both a CRS, or use resample(gsd_m=...)."
        )
    # A ring of unobserved pixels, so that what lies outside counts as unobserved area.
    ring = ((0, 0), (1, 1), (1, 1))
    around = transform @ Affine.translation(-1, -1)
    padded = np.pad(np.where(valid, array, np.float32(np.nan)), ring, constant_values=np.nan)
    weight = np.pad(valid[None].astype(np.float32), ring)
    larger = _old_pixels_per_new(transform, crs, target) > _LARGER
    how = Resampling.average if larger else Resampling.bilinear
    moved = _warp(padded, around, crs, target, how)
    observed = _warp(weight, around, crs, target, Resampling.average)[0]
    still_valid = (np.nan_to_num(observed) >= _MIN_OBSERVED - _SAME) & np.isfinite(moved).all(
        axis=0
    )
    return np.where(still_valid, moved, np.float32(np.nan)), still_valid


def _old_pixels_per_new(transform: Affine, crs: CRS | None, target: Grid) -> float:
    """Area of the target's middle pixel in pixels of the source."""
    rows, cols = target.shape
    corners = [(cols / 2, rows / 2), (cols / 2 + 1, rows / 2), (cols / 2, rows / 2 + 1)]
    xs, ys = zip(*(target.transform @ corner for corner in corners), strict=True)
    if crs != target.crs:
        xs, ys = warp_points(target.crs, crs, xs, ys)
    (col, row), right, below = (~transform @ point for point in zip(xs, ys, strict=True))
    cross = (right[0] - col) * (below[1] - row) - (right[1] - row) * (below[0] - col)
    return abs(float(cross))


def _warp(
    array: Float32[np.ndarray, "bands rows cols"],
    transform: Affine,
    crs: CRS | None,
    target: Grid,
    how: Resampling,
) -> Float32[np.ndarray, "bands newrows newcols"]:
    moved = np.full((len(array), *target.shape), np.nan, dtype=np.float32)
    reproject(
        array,
        moved,
        src_transform=transform,
        src_crs=crs or _SOME_PLANE,
        src_nodata=np.nan,
        dst_transform=target.transform,
        dst_crs=target.crs or _SOME_PLANE,
        dst_nodata=np.nan,
        resampling=how,
        tolerance=0,  # exact positions: the default lets them be wrong by an eighth of a pixel
    )
    return moved
