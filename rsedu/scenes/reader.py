"""Any raster file -> Scene: whole, a window of it, or laid onto another scene's pixels."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.scenes.decibels import to_power
from rsedu.scenes.grid import Grid, Number, resample
from rsedu.scenes.scene import Scene, Unit

#: (path, mode) -> an open file of bytes.
Opener = Callable[..., Any]

#: The folder of a product, or band name -> path.
Files = str | Path | Mapping[str, str | Path]


def _is_remote(path: str) -> bool:
    return "://" in path or path.startswith("/vsi")


@contextmanager
def opened(path: str | Path, *, opener: Opener | None = None) -> Iterator[DatasetReader]:
    """Open a raster; a missing file and a broken one each have their own error.

    Args:
        path: a local file, or any address GDAL reads, such as "https://..." or "/vsimem/...".
        opener: (path, mode) -> file of bytes, for what GDAL shall not fetch itself.

    Raises:
        MissingDataError: no such local file.
        BrokenDataError: there, but unreadable or cut off.
    """
    name = str(path)
    if not _is_remote(name) and not Path(name).is_file():
        raise MissingDataError(f"There is no file {name}: check the path.")
    # Far away, listing the folder for side-car files costs more than the pixels.
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"} if _is_remote(name) else {}
    try:
        with rasterio.Env(**options), rasterio.open(name, opener=opener) as source:
            yield source
    except RasterioError as error:
        raise BrokenDataError(
            f"{name} cannot be read as a raster, or is cut off: get the file again ({error})."
        ) from error


def _names(source: DatasetReader, bands: Sequence[str] | None) -> tuple[str, ...]:
    """Names of all bands: as asked for, checked against what the file says itself."""
    own = source.descriptions
    if bands is None:
        return tuple(name or f"band{i}" for i, name in enumerate(own, start=1))
    if len(bands) != source.count:
        raise InputError(
            f"{source.name} has {source.count} bands, but {len(bands)} names were given "
            f"({', '.join(bands)}): name each band, in the file's order."
        )
    told = [(ours, theirs) for ours, theirs in zip(bands, own, strict=True) if theirs]
    wrong = [f"{ours} is {theirs}" for ours, theirs in told if ours != theirs]
    if wrong:
        raise InputError(
            f"The bands of {source.name} are in another order than named: {'; '.join(wrong)}, "
            "says the file. Name them in its order, then select()."
        )
    return tuple(bands)


def _values(
    source: DatasetReader, window: Window, shape: tuple[int, int], nodata: Number | None
) -> tuple[np.ndarray, np.ndarray]:
    """Values as float32 and the mask of pixels that hold data in every band."""
    array = source.read(
        window=window, out_shape=(source.count, *shape), resampling=Resampling.average
    )
    empty = source.nodata if nodata is None else nodata
    hole = ~np.isfinite(array)
    if empty is not None:
        hole |= array == empty
    return array.astype(np.float32), ~hole.any(axis=0)


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

    Only the blocks that the window touches are read, and with `gsd_m` the nearest finer overview
    instead of the full image: of a cloud-optimised GeoTIFF far away, little travels.

    Args:
        path: a local file or any address GDAL reads.
        bounds: (west, south, east, north), metres in the raster's CRS; edges go to the nearest
            pixel edge and are cut to the raster.
        rows: counted from the north, where bounds are not given.
        cols: counted from the west, where bounds are not given.
        gsd_m: side of the pixels wanted, metres, not below the file's; means over whole pixels
            that hold data. What does not fill a whole new pixel at the east and south is left away.
        bands: names in the file's order; left out, the file's own descriptions.
        unit: what the numbers are; one for all bands.
        nodata: value of pixels without data; left out, what the file says. NaN never is data.

    Returns:
        The scene; NaN and not valid where any band has no data.

    Raises:
        MissingDataError: no such file.
        BrokenDataError: unreadable or cut off.
        InputError: empty window, bands in another order than named, a grid no Scene can have.
    """
    with opened(path) as source:
        grid = Grid(transform=source.transform, crs=source.crs, shape=source.shape)
        if bounds is not None:
            rows, cols = grid.slices(bounds)
        part = _part(grid, rows, cols)
        out = part if gsd_m is None else part.at_gsd(gsd_m)
        if out.gsd_m < grid.gsd_m * 0.999:
            raise InputError(
                f"{path} has pixels of {grid.gsd_m:g} m; {gsd_m:g} m would invent detail. "
                "Read it as it is, then resample() if pixels must be that small."
            )
        window = _window(grid, out)
        names = _names(source, bands)
        array, valid = _values(source, window, out.shape, nodata)
    return Scene(
        array=np.where(valid, array, np.float32(np.nan)),
        bands=names,
        transform=out.transform,
        crs=out.crs,
        valid=valid,
        units=(unit,) * len(names),
    )


def _part(grid: Grid, rows: slice, cols: slice) -> Grid:
    """The pixels of two slices as a grid of their own."""
    top, bottom, _ = rows.indices(grid.shape[0])
    left, right, _ = cols.indices(grid.shape[1])
    shape = (max(bottom - top, 0), max(right - left, 0))
    transform = grid.transform @ Affine.translation(left, top)
    return Grid(transform=transform, crs=grid.crs, shape=shape)


def _window(grid: Grid, out: Grid) -> Window:
    """Pixels of `grid` that `out` covers."""
    west, south, east, north = out.bounds
    left, top = ~grid.transform @ (west, north)
    right, bottom = ~grid.transform @ (east, south)
    return Window(left, top, right - left, bottom - top)


def read_onto(
    path: str | Path,
    like: Scene,
    *,
    bands: Sequence[str] | None = None,
    unit: Unit = "dn",
    nodata: Number | None = None,
    opener: Opener | None = None,
) -> Scene:
    """Read a raster in any CRS, degrees included, onto the pixels of a scene.

    Reads only what lies under the scene. Resampling as `Scene.resample_to`: area means to larger
    pixels, bilinear to smaller ones, dB as power.

    Args:
        path: a local file or any address GDAL reads.
        like: the scene whose pixels are wanted; must have a CRS.
        bands: names in the file's order; left out, the file's own descriptions.
        unit: what the numbers are; one for all bands.
        nodata: value of pixels without data; left out, what the file says.
        opener: as for `opened`.

    Raises:
        InputError: no CRS on one side, or nothing in common.
        MissingDataError: no such file.
        BrokenDataError: unreadable or cut off.
    """
    with opened(path, opener=opener) as source:
        if source.crs is None or like.crs is None:
            raise InputError(f"{path} and {like} both need a CRS to be laid onto each other.")
        window = _under(source, like)
        names = _names(source, bands)
        shape = (int(window.height), int(window.width))
        array, valid = _values(source, window, shape, nodata)
        # Not window_transform: it multiplies in a way that affine is about to drop, and warns.
        transform = source.transform @ Affine.translation(window.col_off, window.row_off)
        crs = source.crs
    in_db = unit == "sigma0_db"
    values = to_power(array) if in_db else array
    moved, kept = resample(values, valid, transform=transform, crs=crs, target=like.grid)
    units: tuple[Unit, ...] = (("sigma0" if in_db else unit),) * len(names)
    scene = Scene(
        array=moved,
        bands=names,
        transform=like.transform,
        crs=like.crs,
        valid=kept,
        units=units,
    )
    return scene.to_db() if in_db else scene


def _under(source: DatasetReader, like: Scene) -> Window:
    """Whole source pixels under the scene, and two more on each side for the interpolation."""
    west, south, east, north = transform_bounds(like.crs, source.crs, *like.bounds)
    corners = [~source.transform @ (x, y) for x in (west, east) for y in (south, north)]
    cols, rows = zip(*corners, strict=True)
    left, right = max(int(min(cols)) - 2, 0), min(int(max(cols)) + 3, source.width)
    top, bottom = max(int(min(rows)) - 2, 0), min(int(max(rows)) + 3, source.height)
    if right <= left or bottom <= top:
        raise InputError(f"{source.name} has no pixel under {like}: they lie in different places.")
    return Window(left, top, right - left, bottom - top)


def band_files(source: Files, pattern: re.Pattern[str], bands: Sequence[str]) -> dict[str, str]:
    """Find the files of a product's bands, in the order of the bands.

    Args:
        source: the product's folder, or band name -> path.
        pattern: found in the name of a band's file; its last group is the band's name.
        bands: names wanted.

    Raises:
        MissingDataError: no such folder, or no file of a band.
        InputError: two files of one band.
    """
    if isinstance(source, Mapping):
        files = {name: str(path) for name, path in source.items()}
    else:
        files = _by_band(Path(source), pattern)
    missing = [name for name in bands if name not in files]
    if missing:
        where = "the files given" if isinstance(source, Mapping) else str(source)
        raise MissingDataError(
            f"{', '.join(missing)} not found in {where}, which has "
            f"{', '.join(files) or 'no band'}: files end on _{missing[0]}.tif. "
            "Fetch what is missing, or ask for other bands."
        )
    return {name: files[name] for name in bands}


def _by_band(folder: Path, pattern: re.Pattern[str]) -> dict[str, str]:
    if not folder.is_dir():
        raise MissingDataError(f"There is no folder {folder}: check the path.")
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        match = pattern.search(path.name)
        if match is None or match.lastindex is None:
            continue
        name = match[match.lastindex].upper()
        if name in files:
            raise InputError(
                f"{folder} holds two files of {name}, {Path(files[name]).name} and {path.name}: "
                "give the folder of one product."
            )
        files[name] = str(path)
    return files
