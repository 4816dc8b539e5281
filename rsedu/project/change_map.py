"""Change maps: one band, the year in which a pixel lost its forest, 0 where it did not.

Floats are decimal years: 2021.0 is the first of January. Integers are calendar years: 2021 is some
day of 2021, and stands for the middle of that year's part of the period. No loss is 0, or whatever
the file declares as nodata. NaN that is not declared is refused: it is more often a division by
zero than an answer.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from rsedu.errors import InputError
from rsedu.io.raster_file import open_raster, read_stored, write_cog
from rsedu.project.place import Place
from rsedu.synthetic.frontier import UTM

BAND = "year"
_INT32 = np.iinfo(np.int32)
_SAME = 1e-3  # of a pixel: grids that differ by less are one
_ROUNDING = 1e-3  # of a year: what a float32 may lie beside the decimal year that was meant


def write(path: Path, years: Shaped[np.ndarray, "rows cols"], place: Place) -> Path:
    """Write a change map that says which place it shows, and return its path.

    Args:
        path: GeoTIFF to write; an older one is replaced.
        years: decimal years as floats, NaN or 0 for no loss; or calendar years as integers, 0 for
            no loss.
        place: whose grid the pixels are on.
    """
    if years.shape != place.grid.shape:
        raise InputError(
            f"The years have {years.shape} (rows, cols), the place has {place.grid.shape}: "
            "map all of its pixels."
        )
    if np.issubdtype(years.dtype, np.integer):
        stored = np.clip(years, _INT32.min, _INT32.max).astype(np.int32)  # as is, not wrapped
    else:
        stored = np.nan_to_num(years.astype(np.float32))
    return write_cog(
        path,
        stored[None],
        names=(BAND,),
        transform=place.grid.transform,
        crs=place.grid.crs,
        tags=place.tags(),
        overviews="nearest",  # a mean of a year and of 0, no change, is no year
    )


def tags(path: Path) -> Mapping[str, str]:
    """Tags of a raster file; errors as `rsedu.io.raster_file.open_raster`."""
    with open_raster(path) as source:
        return dict(source.tags())


def read(path: Path, place: Place) -> Float32[np.ndarray, "rows cols"]:
    """Read a change map: decimal year of the loss, NaN where there was none.

    Raises:
        MissingDataError, BrokenDataError: as `rsedu.io.raster_file`.
        InputError: another CRS or grid, no band of years, no loss at all, NaN, or years outside
            the period.
    """
    with open_raster(path) as source:
        _check_grid(source, place)
        band = _year_band(source)
        if source.dtypes[band - 1].startswith("complex"):
            raise InputError(f"{path} holds {source.dtypes[band - 1]}; wanted integers or floats.")
        values, observed = (planes[0] for planes in read_stored(source, [band]))
        # NaN that the file does not declare is an answer, and a wrong one.
        observed |= ~np.isfinite(values) & (source.read_masks(band) > 0)
    if not observed.any():
        raise InputError(
            f"{path} shows no loss, or holds nodata only, so there is nothing to score: write a "
            "year where forest was lost, 0 elsewhere."
        )
    lost = observed & (values != 0)
    if not lost.any():
        raise InputError(f"{path} shows no loss at all, so there is nothing to score.")
    count = int(np.isnan(values[lost]).sum())
    if count:
        raise InputError(
            f"{path} has NaN in {count} pixels and does not declare it as nodata: write 0 where "
            "no forest was lost."
        )
    years = values.astype(np.float64)
    if np.issubdtype(values.dtype, np.integer):
        check_period(path, years[lost], np.floor(place.since), np.ceil(place.until) - 1)
        # The middle of that part of the calendar year which the period covers.
        years = (np.maximum(years, place.since) + np.minimum(years + 1, place.until)) / 2
    else:
        check_period(path, years[lost], place.since, place.until)
    return np.where(lost, years, np.nan).astype(np.float32)


def remark(years: Float32[np.ndarray, "rows cols"]) -> str:
    """Return what to say of a map whose years are moments but look like calendar years, or "".

    Calendar years that were written as integers are never whole in what `read` returns.
    """
    lost = years[np.isfinite(years)]
    if (lost % 1 != 0).any():
        return ""
    return (
        f"Every year of the map is a whole float, so {lost[0]:.1f} was read as the first of "
        "January; if calendar years are meant, write integers."
    )


def _check_grid(source: DatasetReader, place: Place) -> None:
    grid = place.grid
    if source.crs != grid.crs:
        came = source.crs.to_string() if source.crs else "no CRS at all"
        raise InputError(
            f"{source.name} is in {came}, the place in {UTM.to_string()}: write the map on the "
            "pixels of the place's scenes."
        )
    rows, cols = grid.shape
    if source.shape != grid.shape:
        raise InputError(
            f"{source.name} has {source.height} x {source.width} px, the place {rows} x {cols} px "
            f"of {grid.gsd_m:g} m: write the map on the pixels of the place's scenes."
        )
    for corner in ((0, 0), (cols, 0), (0, rows)):
        ours, theirs = np.array(grid.transform @ corner), np.array(source.transform @ corner)
        if np.abs(ours - theirs).max() > _SAME * grid.gsd_m:
            raise InputError(
                f"{source.name} has its corner (col, row) {corner} at {_point(theirs)}, the place "
                f"at {_point(ours)} (x, y in metres): take transform and CRS from a scene of it."
            )


def _point(place: np.ndarray) -> str:
    return f"({place[0]:.10g}, {place[1]:.10g})"


def _year_band(source: DatasetReader) -> int:
    """Number of the band with the years: the one called so, or the only one but for a mask."""
    names = [(name or "").strip().lower() for name in source.descriptions]
    called = [number for number, name in enumerate(names, 1) if name == BAND]
    meanings = enumerate(source.colorinterp, 1)
    for bands in (called, [number for number, use in meanings if use != ColorInterp.alpha]):
        if len(bands) == 1:
            return bands[0]
    raise InputError(
        f"{source.name} has {source.count} bands, of which {len(called)} are called {BAND!r}: "
        "write one band, or give that one the name."
    )


def check_period(
    name: Path | str, years: Shaped[np.ndarray, "lost"], first: float, last: float
) -> None:
    """Refuse years of lost pixels, of what is called `name`, that lie outside a period."""
    outside = int(((years < first - _ROUNDING) | (years > last + _ROUNDING)).sum())
    if outside:
        raise InputError(
            f"{name} has {outside} pixels with years outside the period of {first:.10g} to "
            f"{last:.10g} (they run from {years.min():.10g} to {years.max():.10g}): write the year "
            "itself, and 0 for no loss."
        )
