"""Sentinel-2 products on disk -> Scene: reflectance, with the offset of their baseline."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rsedu.errors import InputError
from rsedu.scenes.bands import S2, S2_BANDS, S2_NODATA_DN, S2_QUANTIFICATION, s2_offset_dn
from rsedu.scenes.grid import Grid, Number
from rsedu.scenes.reader import Files, band_files, opened, read_window
from rsedu.scenes.scene import Scene, Unit

# "..._B8A.tif" as BigEarthNet names it, "..._B02_10m.jp2" as ESA does, who deliver B02 at 20 and
# 60 m as well: only native pixels count.
_NATIVE = "|".join(f"({band.name})(?:_{band.native_gsd_m:.0f}m)?" for band in S2.values())
_FILE = re.compile(rf"(?:^|_)(?:{_NATIVE})\.(?:tiff?|jp2)$", re.IGNORECASE)
# In a product's name: ..._N0206_R037_...; in ESA's metadata: <PROCESSING_BASELINE>02.06</...
_BASELINE = re.compile(r"_N(\d\d)(\d\d)_|PROCESSING_BASELINE>(\d\d)\.(\d\d)<")


def _parsed(baseline: str | Number) -> float:
    match = re.fullmatch(r"N?(\d\d?)\.?(\d\d)?", str(baseline).strip(), re.IGNORECASE)
    if isinstance(baseline, float | int):
        return float(baseline)
    if match is None:
        raise InputError(f"The baseline {baseline!r} is not one: write '04.00', 'N0400' or 4.0.")
    return float(f"{match[1]}.{match[2] or '00'}")


def _found_baseline(source: Files, files: Mapping[str, str]) -> float:
    """The processing baseline that names or metadata of the product tell."""
    texts = list(files.values())
    if not isinstance(source, Mapping):
        folder = Path(source)
        # Of a folder inside a .SAFE product, the metadata lies further up.
        safe = [up for up in (folder, *folder.resolve().parents) if up.suffix == ".SAFE"]
        metadata = [path for place in (folder, *safe) for path in sorted(place.glob("*"))]
        texts += [str(folder.resolve())]
        texts += [
            path.read_text(encoding="utf-8", errors="replace")
            for path in metadata
            if path.suffix in {".json", ".xml"}
        ]
    matches = [match for text in texts for match in _BASELINE.finditer(text)]
    baselines = {float(f"{m[1] or m[3]}.{m[2] or m[4]}") for m in matches}
    if len(baselines) != 1:
        what = f"several ({sorted(baselines)})" if baselines else "none"
        raise InputError(
            f"The processing baseline decides the offset of digital numbers, and {what} is told "
            "by the names and metadata here: pass baseline='02.06', say. It is the N0206 in the "
            "product's name; from 04.00 on (2022) the offset is -1000."
        )
    return baselines.pop()


def read_sentinel2(
    source: Files,
    *,
    baseline: str | Number | None = None,
    bands: Sequence[str] = S2_BANDS,
    bounds: Sequence[Number] | None = None,
) -> Scene:
    """Read single-band files at 10, 20 and 60 m as one reflectance scene at 10 m.

    reflectance = (DN + offset) / 10000, with offset 0 before processing baseline 04.00 and -1000
    from it on; DN 0 is no data. Bands of 20 and 60 m go to 10 m bilinearly, which adds pixels but
    no detail. Source: ESA, Sentinel-2 Products Specification Document (BOA_ADD_OFFSET).

    Two bands of the same native pixel that were swapped by renaming cannot be told apart, unless
    the files carry a description; any other swap is found by its pixel size.

    Args:
        source: a folder (names end on _B02.tif or _B02_10m.jp2), or band name -> path.
        baseline: "02.06", "N0206" or 2.06; left out, taken from the product's name or metadata.
        bands: names wanted, in the order wanted.
        bounds: (west, south, east, north) wanted, metres in the product's CRS; left out, all.

    Returns:
        (bands, rows, cols) reflectance, about [0, 1], at 10 m; valid where every band has data.

    Raises:
        MissingDataError, BrokenDataError: as `read_window`, or a band that is not there.
        InputError: unknown baseline; a band whose pixel size or own description is another
            band's; files that differ in CRS or extent; an empty window.
    """
    unknown = [name for name in bands if name not in S2]
    if unknown or not bands:
        raise InputError(f"Sentinel-2 has no band {unknown}; it has {', '.join(S2)}.")
    files = band_files(source, _FILE, bands)
    number = _found_baseline(source, files) if baseline is None else _parsed(baseline)
    grids = {name: _grid_of_band(name, path) for name, path in files.items()}
    _check_same_place(grids)
    coarse = max(grids.values(), key=lambda grid: grid.gsd_m)
    around = coarse.bounds if bounds is None else _widened(coarse, bounds)
    scenes = [
        read_window(path, bounds=around, bands=[name], nodata=S2_NODATA_DN).resample(gsd_m=10)
        for name, path in files.items()
    ]
    whole = scenes[0].stack(*scenes[1:])
    array = (whole.array + np.float32(s2_offset_dn(number))) / np.float32(S2_QUANTIFICATION)
    reflectance: Unit = "reflectance"
    scene = replace(whole, array=array, units=(reflectance,) * len(files))
    return scene if bounds is None else scene.window(bounds)


def _grid_of_band(name: str, path: str) -> Grid:
    with opened(path) as source:
        grid = Grid(transform=source.transform, crs=source.crs, shape=source.shape)
    native_m = S2[name].native_gsd_m
    if abs(grid.gsd_m - native_m) > 1e-3:
        raise InputError(
            f"{Path(path).name} has pixels of {grid.gsd_m:g} m, but {name} comes at {native_m:g} "
            "m: files may be swapped or renamed. If it was resampled on purpose, use read_window."
        )
    return grid


def _check_same_place(grids: Mapping[str, Grid]) -> None:
    first, reference = next(iter(grids.items()))
    for name, grid in grids.items():
        if grid.crs != reference.crs:
            raise InputError(
                f"{name} is in {grid.crs}, {first} in {reference.crs}: these files are not of one "
                "product. To lay one onto the other use read_onto."
            )
        apart = max(abs(a - b) for a, b in zip(grid.bounds, reference.bounds, strict=True))
        if apart > 1e-3:
            raise InputError(
                f"{name} and {first} cover different places, {grid.bounds} and "
                f"{reference.bounds}: take files of one product."
            )


def _widened(coarse: Grid, bounds: Sequence[Number]) -> tuple[Number, Number, Number, Number]:
    """The bounds out to edges of the largest pixels, and one more for the interpolation."""
    rows, cols = coarse.slices(_grown(bounds, 1.5 * coarse.gsd_m))
    west, north = coarse.transform @ (cols.start, rows.start)
    east, south = coarse.transform @ (cols.stop, rows.stop)
    return west, south, east, north


def _grown(bounds: Sequence[Number], by_m: Number) -> tuple[Number, Number, Number, Number]:
    west, south, east, north = bounds
    if not (west < east and south < north):
        raise InputError(
            f"The window {tuple(bounds)} is empty: bounds are (west, south, east, north)."
        )
    return west - by_m, south - by_m, east + by_m, north + by_m
