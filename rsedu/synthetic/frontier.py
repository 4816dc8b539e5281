"""The synthetic forest frontier: a made-up place, seen by a simulated Sentinel-2 and Sentinel-1.

SYNTHETIC: no such place exists, and nothing measured here is a fact about the Amazon. One seed is
one place, a continuous world in metres (`landscape`). A pixel of any size is the area average of
cells of 2.5 m, so the same place at 10 m is the mean of its render at 2.5 m. What a cell reflects
or scatters comes from its class (`land_cover`), times texture, light and clouds (`clouds`).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from affine import Affine
from jaxtyping import Float32, Int16, UInt8
from rasterio.crs import CRS
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from rsedu.errors import InputError
from rsedu.io.raster_file import write_cog
from rsedu.scenes.bands import S1_BANDS, S2_BANDS, to_power
from rsedu.scenes.scene import Scene, Unit
from rsedu.synthetic import clouds
from rsedu.synthetic.ground import Field, Ground, area_average, mixed
from rsedu.synthetic.land_cover import COVERS
from rsedu.synthetic.random_fields import COARSE_M, FINE_M, speckle

# A corner in UTM zone 20 south, so that maps have plausible coordinates. The place is made up.
WEST_M, NORTH_M = 400_000.0, 8_900_000.0
UTM = CRS.from_epsg(32720)
LOOKS_AT_10_M = 4.4  # of Sentinel-1 IW GRDH; here neighbouring pixels are independent, there not

_SPECTRA = np.array([cover.reflectance for cover in COVERS], dtype=np.float32)
_POWER = to_power(np.array([(c.vv_db, c.vh_db) for c in COVERS], dtype=np.float32))

Window = tuple[slice, slice]  # (rows, cols) in pixels of the render, from the north-west corner


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """A patch of forest that was cut.

    Attributes:
        label: number in `Truth.clearings`, from 1; the same at every date and pixel size.
        polygon: outline in map coordinates, metres.
        hectares: its area.
        year: decimal year of the cut.
        cover: class at the date of the truth, an index into `rsedu.synthetic.land_cover.CLASSES`.
    """

    label: int
    polygon: BaseGeometry
    hectares: float
    year: float
    cover: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What is on the ground, at one date and ground sample distance.

    Attributes:
        classes: (rows, cols) uint8, the class with the largest share of the pixel, an index into
            `rsedu.synthetic.land_cover.CLASSES`.
        fractions: (classes, rows, cols) float32, share of each class; they add up to 1.
        clearings: (rows, cols) int16, label of the clearing at the pixel's centre, 0 for none.
        years: (rows, cols) float32, decimal year of its cut, NaN where none was cut by the date.
        outlines: all clearings of the place that were cut by the date.
    """

    classes: UInt8[np.ndarray, "rows cols"]
    fractions: Float32[np.ndarray, "classes rows cols"]
    clearings: Int16[np.ndarray, "rows cols"]
    years: Float32[np.ndarray, "rows cols"]
    outlines: tuple[Clearing, ...]


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """One synthetic place.

    Attributes:
        seed: of the place, 0 or more; texture, clouds and speckle follow from it and the date.
        size_m: side of the square world in metres, a multiple of 20.

    Raises:
        InputError: the seed is negative, or the size is no positive multiple of 20 m.
    """

    seed: int
    size_m: float = 10_240.0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; a frontier's seed is 0 or more.")
        if not (math.isfinite(self.size_m) and self.size_m > 0 and self.size_m % COARSE_M == 0):
            raise InputError(
                f"size_m is {self.size_m:g}; a frontier's side is a positive multiple of 20 m."
            )

    def optical(
        self,
        *,
        date: float,
        gsd_m: float = 10.0,
        window: Window | None = None,
        cloud_cover: float = 0.0,
    ) -> Scene:
        """What Sentinel-2 would see: 12 bands of surface reflectance in the order of `S2_BANDS`.

        Args:
            date: decimal year, for example 2023.5.
            gsd_m: ground sample distance in metres, 2.5 to 60 and beyond; multiples of 2.5 are
                several times faster than others.
            window: slices of rows and columns at this ground sample distance; all if None.
            cloud_cover: share of the place under cloud, 0 to 1; clouds cast shadows.

        Raises:
            InputError: the pixels are too small or too large, the window is empty or has steps,
                the date is not finite, or the cloud cover is no share.
        """
        _check_weather(date, cloud_cover)

        def see(level_m: float, rows: slice, cols: slice) -> np.ndarray:
            amounts = self._ground.brightness(date, level_m, rows, cols)
            bands = mixed(amounts, _SPECTRA)
            bands *= clouds.light(self.seed, level_m, rows, cols)
            return clouds.under_clouds(bands, self._place, date, cloud_cover, level_m, rows, cols)

        pixels = self._averaged(see, gsd_m, window)
        return self._scene(pixels, S2_BANDS, "reflectance", gsd_m, window)

    def radar(
        self,
        *,
        date: float,
        gsd_m: float = 10.0,
        window: Window | None = None,
        looks: float | None = LOOKS_AT_10_M,
    ) -> Scene:
        """What Sentinel-1 would hear: VV and VH sigma0 in dB; clouds make no difference.

        Args:
            date: decimal year.
            gsd_m: ground sample distance in metres.
            window: slices of rows and columns at this ground sample distance; all if None.
            looks: equivalent number of looks of a pixel of 10 m; a pixel of g metres has
                looks * (g / 10)^2. None: no speckle.

        Raises:
            InputError: as for `optical`, or `looks` is not above 0.
        """
        _check_weather(date)
        if looks is not None and not 0 < looks < math.inf:
            raise InputError(f"looks is {looks:g}; wanted a number above 0, or None: no speckle.")

        def hear(level_m: float, rows: slice, cols: slice) -> np.ndarray:
            return mixed(self._ground.shares(date, level_m, rows, cols), _POWER)

        power = self._averaged(hear, gsd_m, window)
        if looks is not None:
            rows, cols = self._whole(gsd_m, window)
            moment = (self.seed, clouds.stamp(date), round(gsd_m * 1000))
            for number, band in enumerate(power):
                band *= speckle((*moment, number), looks * (gsd_m / 10) ** 2, rows, cols)
        return self._scene(power, S1_BANDS, "sigma0", gsd_m, window).to_db()

    def clouds(
        self, *, date: float, cloud_cover: float, gsd_m: float = 10.0, window: Window | None = None
    ) -> Float32[np.ndarray, "rows cols"]:
        """How much of each pixel's ground the clouds of `optical` hide, 0 to 1; truth for masks.

        The arguments and the errors are those of `optical`.
        """
        _check_weather(date, cloud_cover)

        def hide(level_m: float, rows: slice, cols: slice) -> np.ndarray:
            return clouds.opacity(self._place, date, cloud_cover, level_m, rows, cols)[None]

        return np.asarray(self._averaged(hide, gsd_m, window)[0])

    def truth(self, *, date: float, gsd_m: float = 10.0, window: Window | None = None) -> Truth:
        """What is on the ground: classes, shares, clearings and the years of their cut.

        Args:
            date: decimal year; what is cut later is still forest.
            gsd_m: a multiple of 2.5 m.
            window: slices of rows and columns at this ground sample distance; all if None.

        Raises:
            InputError: as for `optical`, or gsd_m is no multiple of 2.5 m.
        """
        _check_weather(date)
        if gsd_m % FINE_M:
            raise InputError(f"gsd_m is {gsd_m:g}; truth is counted in cells of 2.5 m: a multiple.")

        def share(level_m: float, rows: slice, cols: slice) -> np.ndarray:
            return self._ground.shares(date, level_m, rows, cols)

        fractions = self._averaged(share, gsd_m, window)
        outlines = self.clearings(date=date)
        labels = self._ground.labels(gsd_m, *self._whole(gsd_m, window))
        years = np.full(len(self._ground.features) + 1, np.nan, dtype=np.float32)
        years[[clearing.label for clearing in outlines]] = [clearing.year for clearing in outlines]
        return Truth(
            classes=fractions.argmax(axis=0).astype(np.uint8),
            fractions=fractions,
            clearings=np.where(np.isfinite(years[labels]), labels, np.int16(0)),
            years=years[labels],
            outlines=outlines,
        )

    def clearings(self, *, date: float) -> tuple[Clearing, ...]:
        """Outlines of all clearings that were cut by a decimal year, in map coordinates."""
        return tuple(
            Clearing(
                label=number,
                polygon=affinity.translate(feature.shape, WEST_M, NORTH_M - self.size_m),
                hectares=feature.shape.area / 10_000,
                year=feature.year,
                cover=feature.cover(date),
            )
            for number, feature in enumerate(self._ground.features, 1)
            if self._ground.is_cut[number] and feature.year <= date
        )

    def write(
        self, folder: Path, *, date: float, gsd_m: float = 10.0, cloud_cover: float = 0.0
    ) -> list[Path]:
        """Write optical.tif, radar.tif and classes.tif as cloud-optimised GeoTIFFs.

        Args:
            folder: made if it is not there.
            date: decimal year.
            gsd_m: ground sample distance, a multiple of 2.5 m.
            cloud_cover: share of optical.tif under cloud, 0 to 1.

        Returns:
            The three paths. Each file says in its tags that it is synthetic.
        """
        truth = self.truth(date=date, gsd_m=gsd_m)
        optical = self.optical(date=date, gsd_m=gsd_m, cloud_cover=cloud_cover)
        radar = self.radar(date=date, gsd_m=gsd_m)
        tags = {"SOURCE": "synthetic", "SEED": str(self.seed), "DATE": f"{date:g}"}
        files = {
            "optical.tif": (optical.array, optical.bands),
            "radar.tif": (radar.array, radar.bands),
            "classes.tif": (truth.classes[None], ("class",)),
        }
        folder.mkdir(parents=True, exist_ok=True)
        return [
            write_cog(
                folder / name, array, names=names, transform=optical.transform, crs=UTM, tags=tags
            )
            for name, (array, names) in files.items()
        ]

    @cached_property
    def _ground(self) -> Ground:
        return Ground(seed=self.seed, size_m=self.size_m)

    @property
    def _place(self) -> tuple[int, float]:
        return self.seed, self.size_m

    def _whole(self, gsd_m: float, window: Window | None) -> Window:
        """The window with its ends filled in; checked."""
        if not FINE_M <= gsd_m <= self.size_m:
            raise InputError(f"gsd_m is {gsd_m:g}; wanted 2.5 m to the side of the place.")
        count = int(self.size_m / gsd_m + 1e-6)
        rows, cols = window or (slice(None), slice(None))
        (top, bottom, down), (left, right, over) = rows.indices(count), cols.indices(count)
        if bottom <= top or right <= left or (down, over) != (1, 1):
            raise InputError(
                f"The window {rows}, {cols} is empty or has steps in a place of {count} x {count} "
                "px: give slices of rows and columns that lie within it."
            )
        return slice(top, bottom), slice(left, right)

    def _averaged(self, field: Field, gsd_m: float, window: Window | None) -> np.ndarray:
        return area_average(field, gsd_m, *self._whole(gsd_m, window))

    def _scene(
        self,
        pixels: np.ndarray,
        bands: tuple[str, ...],
        unit: Unit,
        gsd_m: float,
        window: Window | None,
    ) -> Scene:
        rows, cols = self._whole(gsd_m, window)
        west, north = WEST_M + cols.start * gsd_m, NORTH_M - rows.start * gsd_m
        return Scene(
            array=pixels,
            bands=bands,
            units=(unit,) * len(bands),
            transform=Affine(gsd_m, 0, west, 0, -gsd_m, north),
            crs=UTM,
        )


def _check_weather(date: float, cloud_cover: float = 0.0) -> None:
    if not math.isfinite(date):
        raise InputError(f"date is {date}; wanted a decimal year such as 2023.5.")
    if not 0 <= cloud_cover <= 1:
        raise InputError(f"cloud_cover is {cloud_cover}; it is a share from 0 to 1.")
