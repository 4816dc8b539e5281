"""Raster files by GDAL: open, read stored numbers with their masks, write cloud-optimised GeoTIFFs.

The one place that reads pixels of rasters, for scenes, training tiles, data sets and change maps.
What a number means (unit, scale of a sensor) is not known here; what the file itself declares is:
its masks, and its scale and offset tags.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from affine import Affine
from jaxtyping import Bool, Shaped
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.files import write_atomically

#: (path, mode) -> an open file of bytes.
Opener = Callable[..., Any]

_EXACT = 2**24  # whole numbers up to here are the same in float32
_LARGEST = float(np.finfo(np.float32).max)
_NEAR = 1e-6  # relative; a nodata value that was written with a few digits too few is still meant


def _is_remote(path: str) -> bool:
    return "://" in path or path.startswith("/vsi")


@contextmanager
def open_raster(path: str | Path, *, opener: Opener | None = None) -> Iterator[DatasetReader]:
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
    far = rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR") if _is_remote(name) else None
    try:
        with warnings.catch_warnings():
            # That a raster has no place is told by the error of whoever needs one.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with far or nullcontext(), rasterio.open(name, opener=opener) as source:
                yield source
    except RasterioError as error:
        raise BrokenDataError(
            f"{name} cannot be read as a raster, or is cut off: get the file again ({error})."
        ) from error


def data_bands(source: DatasetReader) -> list[int]:
    """Numbers, from 1, of the bands that hold data: all but an alpha band, which is a mask.

    Raises:
        InputError: complex numbers, of which a scene would lose a half.
    """
    numbers = [
        number
        for number, meaning in enumerate(source.colorinterp, 1)
        if meaning != ColorInterp.alpha
    ]
    for number in numbers:
        if source.dtypes[number - 1].startswith("complex"):
            raise InputError(
                f"{source.name} holds complex numbers (single-look complex radar?), and a scene "
                "real ones: detect and calibrate it first, |z|^2 is power."
            )
    return numbers


def is_classes(source: DatasetReader, number: int) -> bool:
    """Whether a band is a map of classes, as its colour table tells."""
    return bool(source.colorinterp[number - 1] == ColorInterp.palette)


def read_stored(
    source: DatasetReader,
    numbers: Sequence[int],
    window: Window | None = None,
    *,
    nodata: float | int | None = None,
) -> tuple[Shaped[np.ndarray, "bands rows cols"], Bool[np.ndarray, "bands rows cols"]]:
    """Read stored numbers, and where each band was observed.

    Masks are GDAL's, band by band: nodata values, an alpha band, a mask inside or beside the file;
    then the caller's nodata; then whatever is not finite.

    Args:
        source: an open raster.
        numbers: of the bands, from 1.
        window: whole pixels; None: all.
        nodata: stored value of pixels without data, beside what the file says.

    Raises:
        BrokenDataError: the file is cut off or broken inside.
    """
    try:
        values = source.read(list(numbers), window=window)
        observed = np.ones(values.shape, dtype=np.bool_)
        flags = source.mask_flag_enums
        for plane, number in zip(observed, numbers, strict=True):
            if MaskFlags.all_valid not in flags[number - 1]:
                np.greater(source.read_masks(number, window=window), 0, out=plane)
    except (RasterioError, ValueError) as error:
        raise BrokenDataError(
            f"{source.name} is cut off or broken inside: get the file again ({error})."
        ) from error
    if values.dtype.kind == "f":
        observed &= np.isfinite(values)
    if nodata is not None and not math.isnan(nodata):
        observed &= ~_equals(values, nodata)
    return values, observed


def _equals(values: np.ndarray, nodata: float | int) -> np.ndarray:
    if values.dtype.kind != "f":
        return np.asarray(values == nodata)
    return np.asarray(np.abs(values - values.dtype.type(nodata)) <= _NEAR * abs(nodata))


def scale_tags(source: DatasetReader, numbers: Sequence[int]) -> list[tuple[float, float]] | None:
    """Scale and offset that the file declares for each band; None where it declares none."""
    scales, offsets = source.scales, source.offsets
    tags = [(float(scales[number - 1]), float(offsets[number - 1])) for number in numbers]
    return None if all(tag == (1.0, 0.0) for tag in tags) else tags


def as_float32(
    name: str,
    values: Shaped[np.ndarray, "bands rows cols"],
    observed: Bool[np.ndarray, "bands rows cols"],
    tags: Sequence[tuple[float, float]] | None = None,
) -> np.ndarray:
    """Convert stored numbers to float32 by value = scale * stored + offset; NaN if not observed.

    Args:
        name: of the file, for the message.
        values: as stored.
        observed: from `read_stored`.
        tags: scale and offset of each band; None: the numbers are what they are.

    Raises:
        InputError: whole numbers that float32 would change, such as days written 20230615.
    """
    if tags is None:
        _check_exact(name, values, observed)
        floats = values.astype(np.float32)
    else:
        floats = np.empty(values.shape, dtype=np.float32)
        for plane, stored, (scale, offset) in zip(floats, values, tags, strict=True):
            plane[...] = stored * scale + offset
    np.copyto(floats, np.float32(np.nan), where=~observed)
    return floats


def _check_exact(name: str, values: np.ndarray, observed: np.ndarray) -> None:
    if values.dtype.itemsize < 4 or values.dtype == np.float32:
        return
    large = values[observed & (np.abs(values.astype(np.float64)) > _EXACT)]
    if (beyond := large[np.abs(large.astype(np.float64)) > _LARGEST]).size:
        raise InputError(
            f"{name} holds values such as {beyond[0]:.6g}, which float32 cannot hold: if that "
            f"stands for no data, pass nodata={beyond[0]:.6g}."
        )
    whole = large[large == np.rint(large)]
    changed = whole[whole.astype(np.float32).astype(whole.dtype) != whole]
    if changed.size:
        raise InputError(
            f"{name} holds whole numbers such as {changed[0]:.0f}, which float32 would change "
            "(days, or labels?): read them with read_classes, or convert them to small numbers."
        )


def averaged_overview(source: DatasetReader, number: int, factor: float) -> int | None:
    """The coarsest overview that may stand for the pixels themselves, or None.

    Only overviews that the file says are averages, of a band of which every pixel is valid: else
    half-observed pixels would be decided by another rule.

    Args:
        source: an open raster.
        number: of the band.
        factor: pixels that go into a side of one wanted pixel.

    Returns:
        Its level, as `rasterio.open(overview_level=)` counts them.
    """
    if MaskFlags.all_valid not in source.mask_flag_enums[number - 1]:
        return None
    levels = [
        level
        for level, decimation in enumerate(source.overviews(number))
        if decimation <= factor and math.isclose(factor % decimation, 0, abs_tol=1e-6)
    ]
    for level in reversed(levels):
        try:
            with rasterio.open(source.name, overview_level=level) as overview:
                if overview.tags(number).get("RESAMPLING", "").upper().startswith("AVERAGE"):
                    return level
        except RasterioError:
            continue
    return None


def write_cog(
    path: Path,
    array: np.ndarray,
    *,
    names: Sequence[str],
    transform: Affine,
    crs: CRS | None,
    tags: Mapping[str, str] | None = None,
    overviews: Literal["nearest", "average"] | None = None,
    nodata: float | int | None = None,
) -> Path:
    """Write a cloud-optimised GeoTIFF: tiles of 256 px, overviews, deflate; whole or not at all.

    Args:
        path: of the file; an older one is replaced.
        array: (bands, rows, cols) of any type that GeoTIFF holds; bool becomes 0 and 1.
        names: of the bands.
        transform: pixel (col, row) to map (x, y).
        crs: of the map, or None where the place is unknown.
        tags: facts about the pixels, for example where they are from.
        overviews: "nearest" keeps to values of the array, as classes need, since the mean of two is
            a third; "average" takes means. None: means of floats, nearest of whole numbers.
        nodata: value that is declared as no data. None: NaN for floats, none for whole numbers.

    Returns:
        The path.

    Raises:
        InputError: the array is not (bands, rows, cols), the names are too many or too few, or
            GeoTIFF cannot hold the type.
    """
    if array.ndim != 3 or len(array) != len(names):
        raise InputError(
            f"An array of shape {array.shape} with {len(names)} band names; wanted "
            "(bands, rows, cols) and one name for each band."
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind not in "iuf" or array.dtype == np.float16:
        raise InputError(
            f"An array of {array.dtype} cannot be written as a GeoTIFF: convert it to float32, or "
            "to whole numbers."
        )
    bands, rows, cols = array.shape
    means = array.dtype.kind == "f"
    profile = {
        "driver": "COG",
        "count": bands,
        "height": rows,
        "width": cols,
        "dtype": array.dtype.name,
        "crs": crs,
        "transform": transform,
        "nodata": math.nan if nodata is None and means else nodata,
        "blocksize": 256,
        "compress": "deflate",
        "overview_resampling": overviews or ("average" if means else "nearest"),
    }

    def write(temporary: Path) -> None:
        with rasterio.open(temporary, "w", **profile) as file:
            file.write(array)
            file.descriptions = tuple(names)
            file.update_tags(**(tags or {}))

    write_atomically(path, write)
    return path
