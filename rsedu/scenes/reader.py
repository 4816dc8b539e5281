"""Raster reader: any file -> Scene, whole, a window of it, or laid onto another scene's pixels.

One order for all: stored numbers of whole pixels; what was not observed is taken out; then scale
and offset that the file declares; then, if other pixels are wanted, means and interpolation by
`grid.resample`, with decibels as power. Maps of classes have a reader of their own.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from jaxtyping import Bool, Float32, Shaped
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import Resampling, reproject, transform as warp_points
from rasterio.windows import Window, intersect

from rsedu.errors import InputError
from rsedu.io import raster_file
from rsedu.io.raster_file import Opener, open_raster
from rsedu.scenes.bands import S1, S2, S2_NODATA_DN, to_power
from rsedu.scenes.grid import Grid, Number, resample
from rsedu.scenes.scene import Scene, Unit

_STRIP_PX = 2**23  # stored pixels that are held at a time on their way to larger ones
_MARGIN_PX = 2  # read around what is wanted, for the interpolation
_STEPS = 100  # whole numbers that span fewer would be changed by an overview's rounding
_MANY = 3  # bands of floats that are all 0 where nothing was observed; one or two may well be
_SAME = 1e-3  # sizes of pixels that differ by less are one, in parts of a pixel
_EDGE_POINTS = 21  # along each side of a place whose outline is carried to another CRS


class BandNameWarning(UserWarning):
    """The names that were given to bands are not those that the file gives them."""


@dataclass(frozen=True, kw_only=True)
class BandReader:
    """Bands of an open raster, and what their numbers are: the way to pixels, beneath `Scene`.

    Attributes:
        source: the open raster.
        numbers: of its bands, from 1.
        names: one for each.
        unit: after the file's scale and offset.
        nodata: stored value of pixels without data, beside what the file says.
        use_tags: whether scale and offset that the file declares are applied.
    """

    source: DatasetReader
    numbers: Sequence[int]
    names: Sequence[str]
    unit: Unit
    nodata: Number | None = None
    use_tags: bool = True

    def read(
        self, window: Window, source: DatasetReader | None = None
    ) -> tuple[Float32[np.ndarray, "bands rows cols"], Bool[np.ndarray, "rows cols"]]:
        """Read whole pixels: values in the unit, NaN where not observed, and where all bands are.

        Args:
            window: of whole pixels.
            source: an overview of the raster, in its place.
        """
        source = source or self.source
        stored, observed = raster_file.read_stored(source, self.numbers, window, nodata=self.nodata)
        if self.unit == "sigma0":
            observed &= stored != 0  # beside the swath; an echo of exactly nothing is none
        elif set(self.names) <= set(S2) and (stored.dtype.kind in "iu" or len(stored) >= _MANY):
            np.logical_and(observed, (stored != S2_NODATA_DN).any(axis=0), out=observed)
        tags = raster_file.scale_tags(source, self.numbers) if self.use_tags else None
        values = raster_file.as_float32(source.name, stored, observed, tags)
        return values, np.asarray(observed.all(axis=0))


def _pixels(
    source: DatasetReader, bands: Sequence[str] | None, unit: Unit, nodata: Number | None
) -> BandReader:
    numbers = raster_file.data_bands(source)
    names = _names(source, numbers, bands)
    return BandReader(source=source, numbers=numbers, names=names, unit=unit, nodata=nodata)


def _names(
    source: DatasetReader, numbers: Sequence[int], bands: Sequence[str] | None
) -> tuple[str, ...]:
    """Names of all bands: the caller's, else the file's own, else numbers."""
    own = [source.descriptions[number - 1] for number in numbers]
    if bands is None:
        return tuple(name or f"band{i}" for i, name in zip(numbers, own, strict=True))
    if len(bands) != len(numbers):
        raise InputError(
            f"{source.name} has {len(numbers)} bands, but {len(bands)} names were given "
            f"({', '.join(bands)}): name each band, in the file's order."
        )
    # The caller's names win, since tools describe bands in words of their own.
    known = {*S2, *S1}
    pairs = [(ours, theirs) for ours, theirs in zip(bands, own, strict=True) if theirs in known]
    wrong = [f"{ours} is {theirs}" for ours, theirs in pairs if ours != theirs]
    if wrong:
        warnings.warn(
            f"{source.name} calls its bands otherwise: {'; '.join(wrong)}. The names given are "
            "used; if the file is right, name its bands in its order, then select().",
            BandNameWarning,
            stacklevel=4,
        )
    return tuple(bands)


def grid_of(source: DatasetReader) -> Grid:
    """Grid of an open raster.

    Raises:
        InputError: it has no place, or control points only, or one that no `Grid` can have.
    """
    if source.transform == Affine.identity():
        why = "has no georeference: give it one"
        if source.gcps[0]:
            why = (
                "tells its place by ground control points only, as Sentinel-1 GRD comes: "
                "terrain-correct it (RTC), or warp it by gdalwarp"
            )
        raise InputError(f"{source.name} {why}, then read it.")
    return Grid(transform=source.transform, crs=source.crs, shape=source.shape)


def read_window(
    path: str | Path,
    *,
    bounds: Sequence[Number] | None = None,
    rows: slice = slice(None),
    cols: slice = slice(None),
    gsd_m: Number | None = None,
    bands: Sequence[str] | None = None,
    unit: Unit = "dn",
    nodata: Number | None = None,
) -> Scene:
    """Read a raster, or the part of it that is asked for, as a Scene.

    Only the blocks that the window touches are read. Scale and offset tags are applied. With
    `gsd_m`, as reading all and `Scene.resample`.

    Args:
        path: a local file or any address GDAL reads.
        bounds: (west, south, east, north), metres in the raster's CRS; edges go to the nearest
            pixel edge and are cut to the raster.
        rows: counted from the north, where bounds are not given.
        cols: counted from the west, where bounds are not given.
        gsd_m: side of the pixels wanted, metres, not below the file's; means over whole pixels,
            of dB as power. What does not fill a new pixel at the east and south is left away.
        bands: names in the file's order; left out, the file's own descriptions.
        unit: what the numbers are, after scale and offset; one for all bands.
        nodata: stored value of pixels without data, beside what the file says. NaN never is data,
            nor power of exactly 0, nor Sentinel-2 numbers that are 0 in every band.

    Returns:
        The scene; NaN and not valid where any band has no data.

    Raises:
        MissingDataError, BrokenDataError: as `raster_file.open_raster`.
        InputError: empty window, names too many or in another order, a grid no Scene can have,
            complex numbers, whole numbers too large for float32, or classes at other pixels.
    """
    with open_raster(path) as source:
        grid = grid_of(source)
        if bounds is not None:
            rows, cols = grid.slices(bounds)
        part = _part(grid, rows, cols)
        pixels = _pixels(source, bands, unit, nodata)
        if gsd_m is None or abs(gsd_m - grid.gsd_m) <= _SAME * grid.gsd_m:
            array, valid = pixels.read(_window(grid, part))
            return _scene(pixels, array, valid, part)
        if gsd_m < grid.gsd_m:
            raise InputError(
                f"{path} has pixels of {grid.gsd_m:g} m; {gsd_m:g} m would invent detail. "
                "Read it as it is, then resample() if pixels must be that small."
            )
        coarse = _from_overview(pixels, part, gsd_m)
        return coarse or _onto(pixels, part.at_gsd(gsd_m), within=_window(grid, part))


def _part(grid: Grid, rows: slice, cols: slice) -> Grid:
    """The pixels of two slices as a grid of their own."""
    if {rows.step, cols.step} - {None, 1}:
        raise InputError("Slices of step 1 are read; for larger pixels give gsd_m.")
    top, bottom, _ = rows.indices(grid.shape[0])
    left, right, _ = cols.indices(grid.shape[1])
    shape = (max(bottom - top, 0), max(right - left, 0))
    transform = grid.transform @ Affine.translation(left, top)
    return Grid(transform=transform, crs=grid.crs, shape=shape)


def _window(grid: Grid, part: Grid) -> Window:
    """Whole pixels of `grid` that `part`, cut from it, has."""
    left, top = ~grid.transform @ part.transform @ (0, 0)
    return Window(round(left), round(top), part.shape[1], part.shape[0])


def _scene(pixels: BandReader, array: np.ndarray, valid: np.ndarray, grid: Grid) -> Scene:
    if not valid.all():
        array[:, ~valid] = np.nan
    array.setflags(write=False)  # and so a scene needs no copy of it
    return Scene(
        array=array,
        bands=tuple(pixels.names),
        transform=grid.transform,
        crs=grid.crs,
        valid=valid,
        units=(pixels.unit,) * len(pixels.names),
    )


def read_onto(
    path: str | Path,
    like: Scene,
    *,
    bands: Sequence[str] | None = None,
    unit: Unit = "dn",
    nodata: Number | None = None,
    opener: Opener | None = None,
    use_tags: bool = True,
) -> Scene:
    """Read a raster in any CRS, degrees included, onto the pixels of a scene.

    Reads only what lies under the scene. Resampling as `Scene.resample_to`: area means to larger
    pixels, bilinear to smaller ones, dB as power.

    Args:
        path: a local file or any address GDAL reads.
        like: the scene whose pixels are wanted; must have a CRS.
        bands: names in the file's order; left out, the file's own descriptions.
        unit: what the numbers are, after scale and offset; one for all bands.
        nodata: as for `read_window`.
        opener: as for `raster_file.open_raster`.
        use_tags: whether scale and offset that the file declares are applied.

    Raises:
        InputError: no CRS on one side, or nothing in common.
        InputError, MissingDataError, BrokenDataError: as `read_window`.
    """
    with open_raster(path, opener=opener) as source:
        _check_crs(source, path, like)
        reader = replace(_pixels(source, bands, unit, nodata), use_tags=use_tags)
        return _onto(reader, like.grid)


def _check_crs(source: DatasetReader, path: str | Path, like: Scene) -> None:
    """Refuse a raster, or a scene, of which nothing says where it lies."""
    if source.crs is None or like.crs is None:
        if source.gcps[0]:
            grid_of(source)  # says what to do about control points
        raise InputError(f"{path} and {like} both need a CRS to be laid onto each other.")


def _onto(pixels: BandReader, target: Grid, *, within: Window | None = None) -> Scene:
    """Pixels of a raster on another grid, strip by strip, so that memory stays the target's."""
    source, in_db = pixels.source, pixels.unit == "sigma0_db"
    if any(raster_file.is_classes(source, number) for number in pixels.numbers):
        raise InputError(
            f"{source.name} is a map of classes, and the mean of two classes is a third: use "
            "read_classes."
        )
    array = np.full((len(pixels.names), *target.shape), np.nan, dtype=np.float32)
    valid = np.zeros(target.shape, dtype=np.bool_)
    for rows, strip in _strips(source, target):
        window = _under(source, strip)
        if window is None or (within is not None and not intersect(window, within)):
            continue
        window = window if within is None else window.intersection(within)
        values, observed = pixels.read(window)
        array[:, rows], valid[rows] = resample(
            to_power(values) if in_db else values,
            observed,
            transform=source.transform @ Affine.translation(window.col_off, window.row_off),
            crs=source.crs,
            target=strip,
        )
    if in_db:
        return _scene(replace(pixels, unit="sigma0"), array, valid, target).to_db()
    return _scene(pixels, array, valid, target)


def _strips(source: DatasetReader, target: Grid) -> Iterator[tuple[slice, Grid]]:
    """Runs of the target's rows under which a bounded number of stored pixels lies."""
    (rows, cols), whole = target.shape, _all_under(source, target)
    step = -(-rows // int(np.ceil(whole.width * whole.height / _STRIP_PX)))
    for top in range(0, rows, step):
        part = slice(top, min(top + step, rows))
        transform = target.transform @ Affine.translation(0, top)
        yield part, Grid(transform=transform, crs=target.crs, shape=(part.stop - top, cols))


def _all_under(source: DatasetReader, target: Grid) -> Window:
    window = _under(source, target)
    if window is None:
        raise InputError(
            f"{source.name} has no pixel under bounds {target.bounds} of {target.crs}: they lie in "
            "different places."
        )
    return window


def _under(source: DatasetReader, target: Grid) -> Window | None:
    """Whole source pixels under a grid, and some more on each side; None where there is none."""
    rows, cols = target.shape
    along = np.linspace(0, 1, _EDGE_POINTS)
    edge = [(cols * t, y) for t in along for y in (0, rows / 2, rows)]
    edge += [(x, rows * t) for t in along for x in (0, cols / 2, cols)]
    xs, ys = zip(*(target.transform @ point for point in edge), strict=True)
    if source.crs != target.crs:
        xs, ys = warp_points(target.crs, source.crs, xs, ys)
    points = [~source.transform @ (x, y) for x, y in zip(xs, ys, strict=True)]
    finite = np.array([point for point in points if np.isfinite(point).all()])
    across, down = finite.reshape(-1, 2).T
    if not across.size:
        return None
    if source.crs is not None and source.crs.is_geographic and np.ptp(xs) > 180:
        across = np.array([0, source.width])  # the place lies across 180 degrees: take both sides
    left, right = max(int(across.min()) - _MARGIN_PX, 0), int(across.max()) + _MARGIN_PX + 1
    top, bottom = max(int(down.min()) - _MARGIN_PX, 0), int(down.max()) + _MARGIN_PX + 1
    right, bottom = min(right, source.width), min(bottom, source.height)
    if right <= left or bottom <= top:
        return None
    return Window(left, top, right - left, bottom - top)


def _from_overview(pixels: BandReader, part: Grid, gsd_m: Number) -> Scene | None:
    """Larger pixels from means that the file holds; None where they might not be the same means."""
    source, first = pixels.source, pixels.numbers[0]
    # Not where some stored values stand for no data, which a mean has taken in.
    unfit = pixels.unit in ("sigma0", "sigma0_db") or set(pixels.names) <= set(S2)
    unfit |= pixels.nodata is not None or raster_file.is_classes(source, first)
    level = None if unfit else raster_file.averaged_overview(source, first, gsd_m / part.gsd_m)
    if level is None:
        return None
    with rasterio.open(source.name, overview_level=level) as coarse:
        grid = grid_of(coarse)
        under = _part(grid, *grid.slices(part.bounds))
        if np.abs(np.subtract(under.bounds, part.bounds)).max() > _SAME * part.gsd_m:
            return None
        values, valid = pixels.read(_window(grid, under), coarse)
    # Whole numbers are rounded there, which changes those that span few, as a mask's do.
    if not valid.all() or (source.dtypes[first - 1][:1] in "iu" and np.ptp(values) < _STEPS):
        return None
    return _scene(pixels, values, valid, under).resample(gsd_m=gsd_m)


def read_classes(
    path: str | Path, like: Scene | None = None, *, nodata: Number | None = None
) -> tuple[Shaped[np.ndarray, "rows cols"], Bool[np.ndarray, "rows cols"]]:
    """Read a map of classes, or of other whole numbers that must not be averaged.

    Args:
        path: a raster of one band.
        like: the scene onto whose pixels the classes are laid, each new pixel that of the nearest
            old one; None: the file's own pixels.
        nodata: value of pixels without data, beside what the file says.

    Returns:
        The classes in the file's own type, and where they were observed.

    Raises:
        InputError: more than one band, or no CRS on one side.
        MissingDataError, BrokenDataError: as `read_window`.
    """
    with open_raster(path) as source:
        numbers = raster_file.data_bands(source)
        if len(numbers) != 1:
            raise InputError(f"{path} has {len(numbers)} bands; a map of classes has one.")
        if like is None:
            stored, observed = raster_file.read_stored(source, numbers, nodata=nodata)
            return stored[0], observed[0]
        _check_crs(source, path, like)
        window = _all_under(source, like.grid)
        (stored,), (observed,) = raster_file.read_stored(source, numbers, window, nodata=nodata)
        place = source.transform @ Affine.translation(window.col_off, window.row_off), source.crs
        classes = _nearest(stored, *place, like.grid)
        return classes, _nearest(observed.astype(np.uint8), *place, like.grid) > 0


def _nearest(
    values: Shaped[np.ndarray, "rows cols"], transform: Affine, crs: CRS, target: Grid
) -> Shaped[np.ndarray, "newrows newcols"]:
    moved = np.zeros(target.shape, dtype=values.dtype)
    reproject(
        values,
        moved,
        src_transform=transform,
        src_crs=crs,
        dst_transform=target.transform,
        dst_crs=target.crs,
        resampling=Resampling.nearest,
        tolerance=0,
    )
    return moved
