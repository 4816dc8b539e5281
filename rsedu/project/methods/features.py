"""Change features: each pixel before and after, at the dates that were clear and by radar.

A list of numbers per pixel, whatever was cloudy: where nothing was seen they are NaN. Nothing here
is learnt; `rsedu.project.methods.baselines.PixelClassifier` learns from it.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.project.task import Stack
from rsedu.scenes.bands import S2_BANDS, to_db, to_power

SENSORS = ("optical", "radar", "both")
Planes = Float32[np.ndarray, "features rows cols"]

# Normalised differences do not change with light: greenness, water of leaves, soil.
_PAIRS = (
    *(("B08", "B04"), ("B08", "B12"), ("B08", "B11")),
    *(("B8A", "B05"), ("B11", "B12"), ("B03", "B04")),
)
_BANDS = ("B04", "B08", "B11", "B12")
_SHARP = (1, 2, 9)  # of those and the bands: where outlines are sharpest, seen round a pixel too
_SIDES_PX = (1, 3, 5, 9)  # of means that calm speckle
CALM_PX = 5  # of those, the one that chooses the period


@runtime_checkable
class Describe(Protocol):
    """What turns a stack into numbers per pixel."""

    @property
    def name(self) -> str:
        """What tells it, and its settings, from others."""

    def __call__(self, stack: Stack) -> Planes:
        """Describe each pixel; NaN for what was not seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClearPair:
    """The first and the last clear acquisition of each pixel, reflectance and number of the date.

    Where no date is clear, `observed` is False, reflectance NaN and the numbers are 0.
    """

    before: Float32[np.ndarray, "12 rows cols"]
    after: Float32[np.ndarray, "12 rows cols"]
    first: Int64[np.ndarray, "rows cols"]
    last: Int64[np.ndarray, "rows cols"]
    observed: Bool[np.ndarray, "rows cols"]


def first_and_last_clear(stack: Stack) -> ClearPair:
    """Choose the first and the last clear acquisition, pixel by pixel."""
    observed = np.asarray(stack.clear.any(axis=0))
    first = stack.clear.argmax(axis=0)
    last = np.where(observed, len(stack.dates) - 1 - stack.clear[::-1].argmax(axis=0), 0)
    before, after = (
        np.where(observed, np.take_along_axis(stack.optical, at[None, None], axis=0)[0], np.nan)
        for at in (first, last)
    )
    reflectance = {"before": before.astype(np.float32), "after": after.astype(np.float32)}
    return ClearPair(**reflectance, first=first, last=last, observed=observed)


def spectrum(optical: Float32[np.ndarray, "12 rows cols"]) -> Planes:
    """Six normalised differences and the logarithm of four bands of one acquisition."""
    plane = {name: optical[S2_BANDS.index(name)] for name in S2_BANDS}
    pairs = [
        (plane[one] - plane[other]) / np.maximum(plane[one] + plane[other], np.float32(1e-6))
        for one, other in _PAIRS
    ]
    # In float64, because logarithms of float32 differ from one processor to the next.
    floor = np.float32(1e-4)
    logs = [np.log(np.maximum(plane[name], floor), dtype=np.float64) for name in _BANDS]
    return np.stack([*pairs, *logs]).astype(np.float32)


def around(planes: Planes) -> Float32[np.ndarray, "neighbours rows cols"]:
    """The eight neighbours of each pixel, north-west first; the edge's pixels stand in outside."""
    _, rows, cols = planes.shape
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    moves = [(row, col) for row in range(3) for col in range(3) if (row, col) != (1, 1)]
    return np.concatenate([padded[:, row : row + rows, col : col + cols] for row, col in moves])


def optical_evidence(stack: Stack) -> Planes:
    """First and last clear acquisition, what changed there and next to it, and when they were."""
    pair = first_and_last_clear(stack)
    before, after = spectrum(pair.before), spectrum(pair.after)
    change = after - before
    dates = np.array(stack.dates, dtype=np.float32)
    spans = [dates[pair.first] - dates[0], dates[-1] - dates[pair.last]]
    when = np.where(pair.observed, np.stack(spans), np.float32(np.nan))
    return np.concatenate([before, after, change, around(change[list(_SHARP)]), when])


def mean_db(stack: Stack, side_px: int) -> Float32[np.ndarray, "dates rows cols"]:
    """Both polarisations together, dB: the mean power of side_px x side_px pixels."""
    power = to_power(stack.radar)
    if side_px > 1:
        power = ndimage.uniform_filter(power, size=(1, 1, side_px, side_px), mode="nearest")
    return np.asarray(to_db(power).mean(axis=1))


def means_before_and_after(
    values: Float32[np.ndarray, "dates *rest"],
) -> tuple[Float32[np.ndarray, "periods *rest"], Float32[np.ndarray, "periods *rest"]]:
    """Mean of all dates before each period, and of all after it."""
    count = np.arange(1, len(values), dtype=np.float32).reshape(-1, *(1,) * (values.ndim - 1))
    before = np.cumsum(values, axis=0)[:-1] / count
    after = (np.cumsum(values[::-1], axis=0)[:-1] / count)[::-1]
    return before, after


def radar_period(stack: Stack) -> Int64[np.ndarray, "rows cols"]:
    """The period across which backscatter falls most, from 0; means of 5 x 5 pixels."""
    before, after = means_before_and_after(mean_db(stack, CALM_PX))
    return np.asarray((before - after).argmax(axis=0))


def radar_evidence(stack: Stack) -> Planes:
    """Backscatter before and after the likeliest period, dB, as means of 1, 3, 5 and 9 pixels."""
    period = radar_period(stack)[None]
    planes = []
    for side_px in _SIDES_PX:
        before, after = (
            np.take_along_axis(mean, period, axis=0)
            for mean in means_before_and_after(mean_db(stack, side_px))
        )
        planes += [before, after, before - after]
    return np.concatenate(planes)


def dated(stack: Stack, lost: Bool[np.ndarray, "rows cols"]) -> Float32[np.ndarray, "rows cols"]:
    """Give each lost pixel the middle of the period across which its backscatter fell most.

    Decimal year, NaN where nothing was lost.
    """
    years = stack.between[radar_period(stack)]
    return np.where(lost, years, np.float32(np.nan))


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """What both satellites say of a pixel and its neighbours, radar of up to 40 m around it.

    Attributes:
        sensors: "optical", "radar" or "both".
    """

    sensors: str = "both"

    def __post_init__(self) -> None:
        if self.sensors not in SENSORS:
            raise InputError(f"sensors is {self.sensors!r}; wanted 'optical', 'radar' or 'both'.")

    @property
    def name(self) -> str:
        """Pixels, and of which sensors."""
        return f"pixels of {self.sensors}"

    def __call__(self, stack: Stack) -> Planes:
        """Describe each pixel: 56 numbers of optical dates, 12 of radar."""
        ways = {"optical": (optical_evidence,), "radar": (radar_evidence,)}
        chosen = ways.get(self.sensors, (optical_evidence, radar_evidence))
        return np.concatenate([way(stack) for way in chosen])
