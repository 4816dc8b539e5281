"""The groups' task: six dates with radar at each, clouds over four of them, and a few labels."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.project.place import Place
from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic.frontier import Window

DATES = (2020.5, 2021.5, 2022.5, 2023.5, 2024.5, 2025.5)
CLOUDS = (0.0, 0.6, 0.6, 0.6, 0.6, 0.0)  # share of the place under cloud at each date
LABELS = 40

_BRIGHT, _CLOUD = 0.07, 0.2  # reflectance in violet: of roofs or thin cloud, of cloud only
_EDGE_M = 80.0  # thin edges of clouds, which the threshold misses
_SHADOW_M = (360.0, -280.0)  # to the south and to the east; from the sun's place and a usual height
MARGIN_PX = 64  # further than any shadow from its cloud at 10 m


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Stack: what both satellites measured of a window at all dates.

    Attributes:
        dates: decimal years, ascending.
        optical: 12 bands in the order of `S2_BANDS`, surface reflectance; clouds are in it.
        radar: VV and VH, sigma0 in dB.
        clear: where neither clouds nor their shadows were found.
        gsd_m: side of a pixel, metres.
    """

    dates: tuple[float, ...]
    optical: Float32[np.ndarray, "dates 12 rows cols"]
    radar: Float32[np.ndarray, "dates 2 rows cols"]
    clear: Bool[np.ndarray, "dates rows cols"]
    gsd_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        rows, cols = self.clear.shape[1:]
        return int(rows), int(cols)

    def cut(self, window: Window) -> "Stack":
        """The part of it within slices of rows and columns, with memory of its own."""
        planes: dict[str, Any] = {
            name: getattr(self, name)[(..., *window)].copy()
            for name in ("optical", "radar", "clear")
        }
        return replace(self, **planes)

    @cached_property
    def between(self) -> Float32[np.ndarray, "periods"]:
        """Middle of the time between each date and the next, decimal years."""
        dates = np.array(self.dates, dtype=np.float32)
        return np.asarray((dates[:-1] + dates[1:]) / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What somebody looked up, pixel by pixel: decimal year of the loss, NaN for none."""

    rows: Int64[np.ndarray, "labels"]
    cols: Int64[np.ndarray, "labels"]
    years: Float32[np.ndarray, "labels"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One place to map.

    Attributes:
        place: where, and between which dates.
        dates: when both satellites pass, decimal years.
        clouds: share of the place under cloud, for each date.
        label_count: pixels that were looked up, half of them lost.
    """

    place: Place
    dates: tuple[float, ...] = DATES
    clouds: tuple[float, ...] = CLOUDS
    label_count: int = LABELS

    def __post_init__(self) -> None:
        rising = all(one < other for one, other in zip(self.dates, self.dates[1:], strict=False))
        ends = (self.dates[0], self.dates[-1]) if self.dates else (0.0, 0.0)
        if not rising or ends != (self.place.since, self.place.until):
            raise InputError(
                f"The dates are {self.dates}; wanted rising ones from {self.place.since:g} to "
                f"{self.place.until:g}, the period of the place."
            )
        if self.label_count < 1:
            raise InputError(f"label_count is {self.label_count}; wanted 1 or more.")
        if len(self.clouds) != len(self.dates):
            raise InputError(
                f"{len(self.clouds)} cloud covers for {len(self.dates)} dates: give one of each."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the whole place."""
        return self.place.grid.shape

    def read(self, window: Window | None = None) -> Stack:
        """Render a window, or all of a place, at every date; over 500 x 500 px take a gigabyte."""
        frontier, gsd_m = self.place.frontier, self.place.gsd_m
        pixels: Any = {"gsd_m": gsd_m, "window": window}
        optical = np.stack(
            [
                frontier.optical(date=date, cloud_cover=cover, **pixels).array
                for date, cover in zip(self.dates, self.clouds, strict=True)
            ]
        )
        return Stack(
            dates=self.dates,
            optical=optical,
            radar=np.stack([frontier.radar(date=date, **pixels).array for date in self.dates]),
            clear=clear_mask(optical, gsd_m),
            gsd_m=gsd_m,
        )

    def labels(self) -> Labels:
        """Draw the pixels that were looked up: half of them lost, half not, by the place's seed."""
        years = self.place.truth()
        rng = np.random.default_rng((808, self.place.seed))
        lost = np.isfinite(years).ravel()
        half = self.label_count // 2
        drawn = [
            rng.choice(np.flatnonzero(kind), size=min(count, int(kind.sum())), replace=False)
            for kind, count in ((lost, half), (~lost, self.label_count - half))
        ]
        rows, cols = np.divmod(np.concatenate(drawn), years.shape[1])
        return Labels(rows=rows, cols=cols, years=years[rows, cols])


def clear_mask(
    optical: Float32[np.ndarray, "dates 12 rows cols"], gsd_m: float
) -> Bool[np.ndarray, "dates rows cols"]:
    """Find where neither clouds nor their shadows are.

    Clouds are bright in violet (B01), and so are roofs; but roofs stay. What lies within 80 m of a
    cloud is taken out too, as are the places where it casts its shadow.
    """
    violet = optical[:, S2_BANDS.index("B01")]
    stays = violet.min(axis=0) > _BRIGHT
    cloud = ((violet > _BRIGHT) & ~stays) | (violet > _CLOUD)
    cloud = ndimage.binary_opening(cloud, np.ones((1, 3, 3)))
    reach = 2 * round(_EDGE_M / gsd_m) + 1
    cloud = ndimage.maximum_filter(cloud, size=(1, reach, reach))
    south, east = (round(way / gsd_m) for way in _SHADOW_M)
    shadow = ndimage.shift(cloud, (0, south, east), order=0, cval=False)
    return np.asarray(~(cloud | shadow))
