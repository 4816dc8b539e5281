"""Scene: an array that knows its bands, its units, its place and which of its pixels are real."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from affine import Affine
from jaxtyping import Bool, Float32
from rasterio.crs import CRS

from rsedu.errors import InputError
from rsedu.scenes.bands import to_db, to_power
from rsedu.scenes.grid import Grid, Number, resample

#: reflectance: share of sunlight sent back, about [0, 1], bright snow above 1. sigma0: radar
#: backscatter, linear power. sigma0_db: the same as 10 log10. dn: digital numbers as stored.
#: index: a ratio without unit.
Unit = Literal["reflectance", "sigma0", "sigma0_db", "dn", "index"]
UNITS: tuple[Unit, ...] = ("reflectance", "sigma0", "sigma0_db", "dn", "index")


def _mask_from_values() -> np.ndarray:
    return np.zeros((0, 0), dtype=np.bool_)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """Pixels with a place. Frozen: every method returns a new scene.

    Attributes:
        array: (bands, rows, cols) float32, read-only; NaN exactly where a pixel is not valid.
        bands: one name per band, no two the same.
        transform: maps (col, row) of pixel corners to (x, y) in metres; north-up, square pixels.
        crs: projected, in metres; None where the place is unknown and only distances are known.
        valid: (rows, cols) bool; left out, a pixel is valid where all bands are finite.
        units: one of UNITS per band.

    Raises:
        InputError: shapes, names, units or grid do not fit together; the message says which.

    Examples:
        >>> scene = Scene(
        ...     array=np.full((2, 40, 60), 0.3),
        ...     bands=("B04", "B08"),
        ...     units=("reflectance", "reflectance"),
        ...     transform=Affine(10, 0, 600_000, 0, -10, 9_000_000),
        ...     crs=CRS.from_epsg(32721),
        ... )
        >>> scene
        Scene(2 bands: B04 B08; 40 x 60 px at 10 m; reflectance; EPSG:32721; 100% valid)
        >>> scene.select("B08").crop(cols=slice(0, 30)).bounds
        (600000.0, 8999600.0, 600300.0, 9000000.0)
        >>> scene.resample(gsd_m=20).shape
        (20, 30)
    """

    # Arrays of any float type and masks of any shape may come; __post_init__ converts them, and
    # explains what is wrong, for every caller. A checked annotation would only do so in tests.
    array: np.ndarray
    bands: tuple[str, ...]
    transform: Affine
    crs: CRS | None
    units: tuple[Unit, ...]
    valid: np.ndarray = field(default_factory=_mask_from_values)

    def __post_init__(self) -> None:
        array = np.asarray(self.array, dtype=np.float32)
        bands, units = tuple(self.bands), tuple(self.units)
        _check_bands(array, bands, units)
        Grid(transform=self.transform, crs=self.crs, shape=(array.shape[1], array.shape[2]))
        valid = _checked_valid(np.asarray(self.valid, dtype=np.bool_), array)
        for name, value in (
            ("array", _frozen(array, valid)),
            ("valid", _read_only(valid)),
            ("bands", bands),
            ("units", units),
        ):
            object.__setattr__(self, name, value)

    @property
    def grid(self) -> Grid:
        """Transform, CRS and shape together."""
        return Grid(transform=self.transform, crs=self.crs, shape=self.shape)

    @property
    def gsd_m(self) -> float:
        """Ground sample distance: side of a pixel, metres."""
        return float(self.transform.a)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return int(self.array.shape[1]), int(self.array.shape[2])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) of the outer pixel edges, metres."""
        return self.grid.bounds

    @property
    def is_masked(self) -> bool:
        """Whether any pixel is not valid."""
        return not bool(self.valid.all())

    def __repr__(self) -> str:
        rows, cols = self.shape
        names = self.bands if len(self.bands) < 5 else (self.bands[0], "...", self.bands[-1])
        place = self.crs.to_string() if self.crs else "place unknown"
        return (
            f"Scene({len(self.bands)} bands: {' '.join(names)}; {rows} x {cols} px at "
            f"{self.gsd_m:g} m; {' '.join(dict.fromkeys(self.units))}; {place}; "
            f"{self.valid.mean():.0%} valid)"
        )

    def _index(self, name: str) -> int:
        if name not in self.bands:
            raise InputError(f"No band {name!r} here; this scene has {', '.join(self.bands)}.")
        return self.bands.index(name)

    def band(self, name: str) -> Float32[np.ndarray, "rows cols"]:
        """Return one band as a read-only array, NaN where not valid."""
        plane: np.ndarray = self.array[self._index(name)]
        return plane

    def select(self, *names: str) -> "Scene":
        """Return the named bands, in the order named."""
        at = [self._index(name) for name in names]
        units = tuple(self.units[i] for i in at)
        return replace(self, array=self.array[at], bands=names, units=units)

    def crop(self, *, rows: slice = slice(None), cols: slice = slice(None)) -> "Scene":
        """Return the pixels of two slices, counted from the north-west, as numpy counts them.

        Raises:
            InputError: a step other than 1, or no pixel left.
        """
        if {rows.step, cols.step} - {None, 1}:
            raise InputError("crop takes slices of step 1; to get larger pixels use resample.")
        top, bottom, _ = rows.indices(self.shape[0])
        left, right, _ = cols.indices(self.shape[1])
        if bottom <= top or right <= left:
            raise InputError(
                f"The window rows {top}:{bottom}, cols {left}:{right} is empty in a scene of "
                f"{self.shape[0]} x {self.shape[1]} px: widen it."
            )
        return replace(
            self,
            array=self.array[:, top:bottom, left:right],
            valid=self.valid[top:bottom, left:right],
            transform=self.transform @ Affine.translation(left, top),
        )

    def window(self, bounds: Sequence[Number]) -> "Scene":
        """Return the pixels within (west, south, east, north), metres in the scene's CRS.

        Edges go to the nearest pixel edge, and the part outside the scene is left away.

        Raises:
            InputError: the window is empty or lies outside.
        """
        rows, cols = self.grid.slices(bounds)
        return self.crop(rows=rows, cols=cols)

    def resample(self, *, gsd_m: Number) -> "Scene":
        """Return the same place with pixels of another size; the north-west corner stays.

        Larger pixels are area means, smaller ones bilinear, as in `resample_to`. Only whole new
        pixels are kept, so up to one of them is lost at the east and south edges.

        Args:
            gsd_m: side of the new pixels, metres.
        """
        return self._moved(self.grid.at_gsd(gsd_m))

    def resample_to(self, other: "Scene") -> "Scene":
        """Return this scene's bands on the pixels of another scene, across CRS where needed.

        Larger pixels are area means, smaller ones bilinear. A new pixel is valid where at least
        half of its area was. Bands in dB are averaged as power, because energy adds up and its
        logarithm does not: for one look of speckle the mean of dB lies
        10/ln(10) x 0.5772 = 2.51 dB below the dB of the mean (0.5772 is Euler's constant).
        """
        return self._moved(other.grid)

    def _moved(self, target: Grid) -> "Scene":
        if target.matches(self.grid):
            return self
        linear = self.to_linear()
        array, valid = resample(
            linear.array, self.valid, transform=self.transform, crs=self.crs, target=target
        )
        moved = replace(
            linear, array=array, valid=valid, transform=target.transform, crs=target.crs
        )
        in_db = [unit == "sigma0_db" for unit in self.units]
        return moved._in_db(in_db)

    def stack(self, *others: "Scene") -> "Scene":
        """Return one scene with the bands of all; valid where every one is.

        Raises:
            InputError: another grid, or a band name that is there already.
        """
        for other in others:
            if not self.grid.matches(other.grid):
                raise InputError(
                    f"Cannot stack {other} on {self}: the grids differ. "
                    "Bring one onto the other with resample_to first."
                )
        scenes = (self, *others)
        return replace(
            self,
            array=np.concatenate([scene.array for scene in scenes]),
            bands=tuple(name for scene in scenes for name in scene.bands),
            units=tuple(unit for scene in scenes for unit in scene.units),
            valid=np.logical_and.reduce([scene.valid for scene in scenes]),
        )

    def with_valid(self, valid: Bool[np.ndarray, "rows cols"]) -> "Scene":
        """Return the scene with pixels taken out: valid where it was and where `valid` is True."""
        if valid.shape != self.shape:
            raise InputError(
                f"A mask of {valid.shape} was given for a scene of {self.shape} (rows, cols)."
            )
        return replace(self, valid=self.valid & valid)

    def to_db(self) -> "Scene":
        """Return the scene with each linear radar band as 10 log10(sigma0); others unchanged.

        Pixels with zero or negative power have no logarithm and become not valid.
        """
        return self._in_db([unit == "sigma0" for unit in self.units])

    def to_linear(self) -> "Scene":
        """Return the scene with each radar band in dB as power, 10^(dB / 10); others unchanged."""
        in_db = [unit == "sigma0_db" for unit in self.units]
        if not any(in_db):
            return self
        array = self.array.copy()
        array[in_db] = to_power(array[in_db])
        units = tuple("sigma0" if flag else unit for flag, unit in self._flagged(in_db))
        return replace(self, array=array, units=units)

    def _in_db(self, chosen: list[bool]) -> "Scene":
        if not any(chosen):
            return self
        array = self.array.copy()
        positive = np.where(array[chosen] > 0, array[chosen], np.float32(np.nan))
        array[chosen] = to_db(positive)
        units = tuple("sigma0_db" if flag else unit for flag, unit in self._flagged(chosen))
        valid = self.valid & np.isfinite(positive).all(axis=0)
        return replace(self, array=array, units=units, valid=valid)

    def _flagged(self, flags: list[bool]) -> list[tuple[bool, Unit]]:
        return list(zip(flags, self.units, strict=True))


def _check_bands(array: np.ndarray, bands: tuple[str, ...], units: tuple[str, ...]) -> None:
    if array.ndim != 3:
        raise InputError(f"array has shape {array.shape}; a scene needs (bands, rows, cols).")
    if len(bands) != len(array) or len(units) != len(array):
        raise InputError(
            f"array has {len(array)} bands, but {len(bands)} names and {len(units)} units were "
            "given: one of each per band, in the array's order."
        )
    if len(array) == 0:
        raise InputError("A scene needs at least one band.")
    twice = sorted({name for name in bands if bands.count(name) > 1})
    if twice:
        raise InputError(f"Band names must differ; twice: {', '.join(twice)}. Select first.")
    unknown = sorted(set(units) - set(UNITS))
    if unknown:
        raise InputError(f"Unknown unit {', '.join(unknown)}; use one of {', '.join(UNITS)}.")


def _checked_valid(given: np.ndarray, array: np.ndarray) -> np.ndarray:
    finite = np.asarray(np.isfinite(array).all(axis=0))
    valid = given if given.size else finite
    if valid.shape != finite.shape:
        raise InputError(
            f"valid has shape {valid.shape}, the array has {finite.shape} (rows, cols)."
        )
    broken = int((valid & ~finite).sum())
    if broken:
        raise InputError(
            f"{broken} pixels are marked valid but hold NaN or infinity: leave `valid` out, and "
            "pixels count as valid where all bands are finite."
        )
    return valid


def _frozen(array: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Read-only values with NaN at every pixel that is not valid."""
    holds_values = ~np.isnan(array) & ~valid
    return _read_only(np.where(valid, array, np.float32(np.nan)) if holds_values.any() else array)


def _read_only(array: np.ndarray) -> np.ndarray:
    """The array itself if nobody can write to it, else a copy of which that is true."""
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array
