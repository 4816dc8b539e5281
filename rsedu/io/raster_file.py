"""Arrays with a place -> cloud-optimised GeoTIFFs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS

from rsedu.errors import InputError
from rsedu.io.files import write_atomically


def write_cog(
    path: Path,
    array: np.ndarray,
    *,
    names: Sequence[str],
    transform: Affine,
    crs: CRS | None,
    tags: Mapping[str, str] | None = None,
    overviews: Literal["nearest", "average"] | None = None,
) -> Path:
    """Write a cloud-optimised GeoTIFF: tiles of 256 px, overviews, deflate; whole or not at all.

    Args:
        path: of the file; an older one is replaced.
        array: (bands, rows, cols) of any type that GeoTIFF holds.
        names: of the bands.
        transform: pixel (col, row) to map (x, y).
        crs: of the map, or None where the place is unknown.
        tags: facts about the pixels, for example where they are from.
        overviews: "nearest" keeps to values of the array, as classes need, since the mean of two is
            a third; "average" takes means. None: means of floats, nearest of whole numbers.

    Returns:
        The path.

    Raises:
        InputError: the array is not (bands, rows, cols), or the names are too many or too few.
    """
    if array.ndim != 3 or len(array) != len(names):
        raise InputError(
            f"An array of shape {array.shape} with {len(names)} band names; wanted "
            "(bands, rows, cols) and one name for each band."
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
