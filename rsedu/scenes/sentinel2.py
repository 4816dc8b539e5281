"""Sentinel-2 products -> surface reflectance, with the offset of their processing baseline."""

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsedu.errors import InputError
from rsedu.io.raster_file import data_bands, open_raster, scale_tags
from rsedu.scenes.bands import (
    S2,
    S2_BANDS,
    S2_BRIGHTEST,
    S2_NODATA_DN,
    S2_QUANTIFICATION,
    s2_offset_dn,
)
from rsedu.scenes.grid import Grid, Number
from rsedu.scenes.product_files import Files, band_files
from rsedu.scenes.reader import grid_of, read_window
from rsedu.scenes.scene import Scene, Unit

# "_B8A.tif" of BigEarthNet, "_B02_10m.jp2" of ESA, "_B02_(Raw).tiff" of EO Browser.
_FILE = re.compile(r"(?:^|_)(B\d[\dA])(?:_(\d\d)m)?(?:_\(Raw\))?\.(?:tiff?|jp2)$", re.IGNORECASE)
# In a product's name: ..._N0206_R037_...; in ESA's metadata: <PROCESSING_BASELINE>02.06</...
_BASELINE = re.compile(r"_N(\d\d)(\d\d)_|PROCESSING_BASELINE>(\d\d)\.(\d\d)<")
_USER_PRODUCT = 99.99  # written where somebody processed it anew; says nothing of the offset
_OFFSETS = re.compile(r'<BOA_ADD_OFFSET band_id="(\d+)">\s*(-?\d+)\s*<')
_QUANTIFICATION = re.compile(r"<BOA_QUANTIFICATION_VALUE[^>]*>\s*(\d+)\s*<")
_LEAST_DN = 100.0  # medians of the brightest band are above it in digital numbers


class ReflectanceWarning(UserWarning):
    """Numbers that surface reflectance hardly has, or that are another kind of reflectance."""


@dataclass(frozen=True, kw_only=True)
class _Product:
    """What names and metadata of a product say."""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_level_1c(self) -> bool:
        """By names only: metadata of level 2A names the 1C that it was made from."""
        names = " ".join(self.names)
        return "MSIL1C" in names and "MSIL2A" not in names

    @property
    def quantification(self) -> float:
        values = {float(m[1]) for text in self.texts for m in _QUANTIFICATION.finditer(text)}
        return values.pop() if len(values) == 1 else S2_QUANTIFICATION

    def offset_dn(self, band: str, baseline: str | Number | None) -> float:
        """What to add to a band's digital numbers: metadata first, then the baseline."""
        if baseline is not None:
            return s2_offset_dn(_parsed(baseline))
        offsets = {int(m[1]): float(m[2]) for text in self.texts for m in _OFFSETS.finditer(text)}
        number = list(S2).index(band)
        return offsets[number] if number in offsets else s2_offset_dn(self._baseline())

    def _baseline(self) -> float:
        matches = [match for text in self.texts for match in _BASELINE.finditer(text)]
        found = {float(f"{m[1] or m[3]}.{m[2] or m[4]}") for m in matches} - {_USER_PRODUCT}
        if len(found) != 1:
            what = f"several ({sorted(found)})" if found else "none"
            raise InputError(
                f"The processing baseline decides the offset of digital numbers, and {what} is "
                "told by the names and metadata here (99.99 tells none): pass baseline='02.06', "
                "say. It is the N0206 in the product's name; from 04.00 on (2022) the offset is "
                "-1000, unless somebody took it off already."
            )
        return found.pop()


def _product(source: Files, files: Mapping[str, str]) -> _Product:
    texts = list(files.values())
    names = [Path(path).name for path in texts]
    if not isinstance(source, Mapping):
        folder = Path(source)
        # Of a folder inside a .SAFE product, the metadata lies further up.
        safe = [up for up in (folder, *folder.resolve().parents) if up.suffix == ".SAFE"]
        metadata = [path for place in (folder, *safe) for path in sorted(place.glob("[!.]*"))]
        texts += [str(folder.resolve())]
        names += [folder.resolve().name]
        names += [path.name for path in (*safe, *metadata)]
        texts += [
            path.read_text(encoding="utf-8", errors="replace")
            for path in metadata
            if path.suffix in {".json", ".xml"}
        ]
    return _Product(texts=tuple(texts), names=tuple(names))


def _parsed(baseline: str | Number) -> float:
    match = re.fullmatch(r"N?(\d\d?)\.?(\d\d)?", str(baseline).strip(), re.IGNORECASE)
    number = float(f"{match[1]}.{match[2] or '00'}") if match else math.nan
    if isinstance(baseline, float | int):
        number = float(baseline)
    if not 0 <= number < _USER_PRODUCT:
        raise InputError(
            f"The baseline {baseline!r} is not one: write '04.00', 'N0400' or 4.0 (99.99, of "
            "products that a user processed, does not tell the offset)."
        )
    return number


def _is_native(match: re.Match[str]) -> bool:
    """Whether a file has its band's own pixels: ESA delivers B02 at 10, 20 and 60 m."""
    name, gsd = match[1].upper(), match[2]
    return gsd is None or (name in S2 and float(gsd) == S2[name].native_gsd_m)


@dataclass(frozen=True, kw_only=True)
class _BandFile:
    path: str
    grid: Grid
    is_scaled: bool
    is_float: bool


def _inspect(name: str, path: str) -> _BandFile:
    with open_raster(path) as source:
        grid = grid_of(source)
        numbers = data_bands(source)
        scaled = scale_tags(source, numbers) is not None
        is_float = source.dtypes[numbers[0] - 1].startswith("float")
        if source.dtypes[numbers[0] - 1] == "uint8":
            raise InputError(f"{path} has 8 bits: a picture to look at, and no digital numbers.")
    native_m = S2[name].native_gsd_m
    if abs(grid.gsd_m - native_m) > 1e-3:
        raise InputError(
            f"{Path(path).name} has pixels of {grid.gsd_m:g} m, but {name} comes at {native_m:g} "
            "m: files may be swapped or renamed. If it was resampled on purpose, use read_window."
        )
    return _BandFile(path=path, grid=grid, is_scaled=scaled, is_float=is_float)


def read_sentinel2(
    source: Files,
    *,
    baseline: str | Number | None = None,
    bands: Sequence[str] = S2_BANDS,
    bounds: Sequence[Number] | None = None,
) -> Scene:
    """Read single-band files at 10, 20 and 60 m as one reflectance scene at 10 m.

    Scale and offset are the first of these that says them: the files' own tags; `baseline`;
    BOA_ADD_OFFSET in the product's metadata; the baseline in its name or metadata. By a baseline,
    reflectance = (DN + offset) / 10000, with offset 0 before 04.00 and -1000 from it on. DN 0 is no
    data. Floats below 2 are reflectance already. Bands of 20 and 60 m go to 10 m bilinearly, which
    adds pixels but no detail. Source: ESA, Sentinel-2 Products Specification Document.

    Two bands of the same native pixel that were swapped by renaming cannot be told apart; any other
    swap is found by its pixel size.

    Args:
        source: a folder (names end on _B02.tif or _B02_10m.jp2), or band name -> path.
        baseline: "02.06", "N0206" or 2.06; left out, taken from the product.
        bands: names wanted, in the order wanted.
        bounds: (west, south, east, north) wanted, metres in the product's CRS; left out, all.

    Returns:
        (bands, rows, cols) reflectance, about [0, 1], at 10 m; valid where every band has data.

    Raises:
        InputError: a name that is no band, no baseline, files of different products, a pixel size
            that is not the band's, or as `product_files.band_files`.
        MissingDataError, BrokenDataError: as `read_window`.

    Warns:
        ReflectanceWarning: level 1C (top of atmosphere), or numbers that are no reflectance.
    """
    unknown = [name for name in bands if name not in S2]
    if unknown:
        raise InputError(f"{', '.join(unknown)} is no band of Sentinel-2: {', '.join(S2)}.")
    paths = band_files(source, _FILE, bands, is_native=_is_native)
    files = {name: _inspect(name, path) for name, path in paths.items()}
    _check_same_place({name: file.grid for name, file in files.items()})
    coarse = max((file.grid for file in files.values()), key=lambda grid: grid.gsd_m)
    around = coarse.bounds if bounds is None else _widened(coarse, bounds)
    whole = _stacked(files, around)
    product = _product(source, paths)
    if not _is_reflectance(files, whole):
        for name, plane in zip(files, whole.array, strict=True):
            if not files[name].is_scaled:
                plane += np.float32(product.offset_dn(name, baseline))
                plane /= np.float32(product.quantification)
    scene = whole.frozen()
    _warn(scene, product)
    return scene if bounds is None else scene.window(bounds)


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """Bands on one grid, still to be scaled; one array, since a whole tile of 110 km is 6 GB."""

    array: np.ndarray
    valid: np.ndarray
    grid: Grid
    names: tuple[str, ...]

    def frozen(self) -> Scene:
        self.array[:, ~self.valid] = np.nan
        self.array.setflags(write=False)
        unit: Unit = "reflectance"
        return Scene(
            array=self.array,
            bands=self.names,
            transform=self.grid.transform,
            crs=self.grid.crs,
            valid=self.valid,
            units=(unit,) * len(self.names),
        )


def _stacked(files: Mapping[str, _BandFile], bounds: Sequence[Number]) -> _Stack:
    array: np.ndarray | None = None
    for i, (name, file) in enumerate(files.items()):
        scene = read_window(file.path, bounds=bounds, bands=[name], nodata=S2_NODATA_DN)
        scene = scene.resample(gsd_m=10)
        if array is None:
            array = np.empty((len(files), *scene.shape), dtype=np.float32)
            valid, grid = np.ones(scene.shape, dtype=np.bool_), scene.grid
        array[i] = scene.array[0]
        valid &= scene.valid
    assert array is not None
    return _Stack(array=array, valid=valid, grid=grid, names=tuple(files))


def _is_reflectance(files: Mapping[str, _BandFile], whole: _Stack) -> bool:
    """Whether floats without tags are reflectance already, and not digital numbers."""
    if not all(file.is_float for file in files.values()) or not whole.valid.any():
        return False
    median = max(float(np.median(plane[whole.valid])) for plane in whole.array)
    if S2_BRIGHTEST <= median < _LEAST_DN and not any(file.is_scaled for file in files.values()):
        raise InputError(
            f"Floats with a median of {median:.3g} are neither reflectance, below "
            f"{S2_BRIGHTEST:g}, nor digital numbers, of hundreds: bring them to reflectance "
            "(percent / 100, say) first."
        )
    return median < S2_BRIGHTEST


def _warn(scene: Scene, product: _Product) -> None:
    messages = []
    if product.is_level_1c:
        messages.append(
            "This is level 1C, reflectance at the top of the atmosphere; the kit's models and "
            "statistics are of level 2A, on the ground"
        )
    if scene.valid.any():
        medians = [float(np.median(plane[scene.valid])) for plane in scene.array]
        if float(np.median(medians)) < 0:
            messages.append(
                "Most reflectances are negative: was the offset of -1000 taken off already? Then "
                "pass baseline='02.06', which has none"
            )
        if float(np.median(medians)) > S2_BRIGHTEST:
            messages.append(
                f"Half of the reflectances are above {np.median(medians):.3g}, brighter than snow: "
                "are the numbers scaled otherwise?"
            )
    for message in messages:
        warnings.warn(f"{message}.", ReflectanceWarning, stacklevel=3)


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
