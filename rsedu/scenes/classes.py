"""Maps of classes -> whole numbers, which are never averaged; laid on by the nearest pixel."""

from pathlib import Path

import numpy as np
from affine import Affine
from jaxtyping import Bool, Shaped
from rasterio.crs import CRS
from rasterio.warp import Resampling, reproject

from rsedu.errors import InputError
from rsedu.io.raster_file import data_bands, open_raster, read_stored
from rsedu.scenes.grid import Grid, Number
from rsedu.scenes.reader import check_crs
from rsedu.scenes.scene import Scene


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
        numbers = data_bands(source)
        if len(numbers) != 1:
            raise InputError(f"{path} has {len(numbers)} bands; a map of classes has one.")
        stored, observed = read_stored(source, numbers, nodata=nodata)
        if like is None:
            return stored[0], observed[0]
        check_crs(source, path, like)
        classes = _nearest(stored[0], source.transform, source.crs, like.grid)
        return classes, _nearest(
            observed[0].astype(np.uint8), source.transform, source.crs, like.grid
        ) > 0


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
