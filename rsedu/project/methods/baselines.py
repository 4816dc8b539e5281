"""Three honest baselines: NDVI differencing, radar log-ratio with Otsu, a random forest on pixels.

None of them looks further than 50 m from a pixel, and none has seen another place.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from scipy import ndimage
from skimage.filters import threshold_otsu
from sklearn.ensemble import RandomForestClassifier

from rsedu.project.task import MARGIN_PX, Stack, Task
from rsedu.project.windows import parts
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.decibels import to_db, to_power
from rsedu.scenes.indices import normalised_difference

FOREST_NDVI = 0.75  # below, it was no forest at the first date
NDVI_LOSS = 0.1
_NEAR_PX = 5  # side of the mean that calms speckle
_SAMPLE_PX = 200  # side of a window from which a threshold is taken
_SAMPLES = 9
_TREES = 100

Years = Float32[np.ndarray, "rows cols"]


def first_year(
    changed: np.ndarray, seen: np.ndarray, dates: tuple[float, ...]
) -> Float32[np.ndarray, "rows cols"]:
    """Date a loss: half-way from the last look without it to the first look with it.

    Args:
        changed: (dates, rows, cols) bool, whether the loss shows.
        seen: (dates, rows, cols) bool, whether the pixel was seen at all.
        dates: decimal years.

    Returns:
        Decimal year, NaN where no look shows a loss. Where the first look of all does, it is that
        date's.
    """
    shows = changed & seen
    first = shows.argmax(axis=0)
    at = np.arange(len(dates))[:, None, None]
    before = np.where(seen & ~changed & (at < first), at, -1).max(axis=0)
    years = np.array(dates, dtype=np.float32)
    middle = (years[np.where(before < 0, first, before)] + years[first]) / 2
    return np.where(shows.any(axis=0), middle, np.float32(np.nan)).astype(np.float32)


def ndvi(optical: Float32[np.ndarray, "dates 12 rows cols"]) -> np.ndarray:
    """NDVI of each date, (dates, rows, cols); see `rsedu.scenes.indices`."""
    near, red = optical[:, S2_BANDS.index("B08")], optical[:, S2_BANDS.index("B04")]
    return normalised_difference(near, red)


@dataclass(frozen=True, kw_only=True)
class NdviDifference:
    """Loss is a fall of NDVI below that of the first date, where both dates are clear.

    Attributes:
        fall: of NDVI from which forest counts as lost.
    """

    fall: float = NDVI_LOSS

    @property
    def name(self) -> str:
        """Method and setting."""
        return f"ndvi {self.fall:g}"

    def map(self, stack: Stack) -> Years:
        """Map a window; of the first date, what is not clear counts as no forest."""
        index = ndvi(stack.optical)
        forest = stack.clear[0] & (index[0] > FOREST_NDVI)
        return first_year((index[0] - index > self.fall) & forest, stack.clear, stack.dates)


def _power(radar: np.ndarray) -> np.ndarray:
    """Mean power of both polarisations about each pixel, (dates, 2, rows, cols)."""
    calm: np.ndarray = ndimage.uniform_filter(
        to_power(radar), size=(1, 1, _NEAR_PX, _NEAR_PX), mode="nearest"
    )
    return calm


def log_ratio(stack: Stack) -> Float32[np.ndarray, "periods rows cols"]:
    """Fall of backscatter across each period, dB: the mean before over the mean after.

    Both polarisations, means of 5 x 5 pixels as power, and over all dates before and after.
    """
    calm = to_db(_power(stack.radar)).mean(axis=1)
    count = np.arange(1, len(calm))[:, None, None]
    before = np.cumsum(calm, axis=0)[:-1] / count
    after = np.cumsum(calm[::-1], axis=0)[:-1] / count
    ratio: np.ndarray = before - after[::-1]
    return ratio.astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class RadarLogRatio:
    """Loss is a fall of radar backscatter; Otsu's method says from where on.

    Attributes:
        fall_db: the threshold.
    """

    fall_db: float

    @property
    def name(self) -> str:
        """Method and setting."""
        return f"radar {self.fall_db:.3f}"

    @classmethod
    def fit(cls, task: Task) -> "RadarLogRatio":
        """Take the threshold from nine windows spread over the place."""
        falls = [log_ratio(stack).max(axis=0).ravel() for stack in samples(task)]
        found = threshold_otsu(np.concatenate(falls))  # type: ignore[no-untyped-call]
        return cls(fall_db=float(found))

    def map(self, stack: Stack) -> Years:
        """Map a window: the period of the largest fall, where that is large enough."""
        falls = log_ratio(stack)
        years = stack.between[falls.argmax(axis=0)]
        return np.where(falls.max(axis=0) > self.fall_db, years, np.float32(np.nan))


def samples(task: Task) -> list[Stack]:
    """Nine windows spread over a place."""
    cut = list(parts(task.shape, window_px=_SAMPLE_PX, margin_px=0))
    chosen = np.unique(np.linspace(0, len(cut) - 1, _SAMPLES).round().astype(int))
    return [task.read(cut[number].core) for number in chosen]


def pixel_table(stack: Stack) -> Float32[np.ndarray, "pixels features"]:
    """All that both satellites say of each pixel: NaN for optical values under cloud."""
    hidden = np.where(stack.clear[:, None], stack.optical, np.float32(np.nan))
    planes = np.concatenate([hidden, stack.radar], axis=1)
    return np.moveaxis(planes.reshape(-1, *stack.shape), 0, -1).reshape(-1, planes[:, :, 0, 0].size)


def periods(
    years: Float32[np.ndarray, "labels"], dates: tuple[float, ...]
) -> Int64[np.ndarray, "labels"]:
    """Number of the period between dates that a loss falls into, from 1; 0 for none."""
    number = np.searchsorted(np.array(dates), np.nan_to_num(years, nan=-np.inf), side="left")
    clipped: np.ndarray = np.clip(number, 0, len(dates) - 1).astype(np.int64)
    return clipped


def at_labels(task: Task, describe: Any, *, margin_px: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and periods of the labelled pixels.

    Args:
        task: with its labels.
        describe: gives (pixels, features) of a stack.
        margin_px: seen round each label.
    """
    labels, size = task.labels(), task.shape
    rows = []
    for row, col in zip(labels.rows.tolist(), labels.cols.tolist(), strict=True):
        window = tuple(
            slice(max(at - margin_px, 0), min(at + margin_px + 1, side))
            for at, side in zip((row, col), size, strict=True)
        )
        stack = task.read((window[0], window[1]))
        place = (row - window[0].start) * stack.shape[1] + col - window[1].start
        rows.append(describe(stack)[place])
    return np.stack(rows), periods(labels.years, task.dates)


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelForest:
    """A random forest on single pixels, taught by the labels.

    Attributes:
        forest: of scikit-learn, fitted; its classes are numbers of periods.
        taught: what it was fitted on, in words.
    """

    forest: RandomForestClassifier
    taught: str

    @property
    def name(self) -> str:
        """Method and labels."""
        return f"forest taught by {self.taught}"

    @classmethod
    def fit(cls, task: Task) -> "PixelForest":
        """Learn from a place's own labels."""
        features, classes = at_labels(task, pixel_table, margin_px=MARGIN_PX)
        forest = RandomForestClassifier(_TREES, random_state=0, n_jobs=1, min_samples_leaf=2)
        return cls(forest=forest.fit(features, classes), taught=f"{task.label_count} labels")

    def map(self, stack: Stack) -> Years:
        """Map a window: the commonest period among the trees."""
        found = self.forest.predict(pixel_table(stack)).reshape(stack.shape)
        years = np.concatenate([[np.nan], stack.between]).astype(np.float32)
        mapped: np.ndarray = years[found]
        return mapped
