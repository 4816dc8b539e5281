"""Baselines: NDVI differencing, radar log-ratio with Otsu, random forest, boosted trees on pixels.

The first three look no further than 50 m from a pixel, and have seen no other place: it gives 40
labels. Synthetic worlds give as many as one wants, with outlines: a `PixelClassifier` learns there,
on any description of pixels, and maps a place whose labels it never saw.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Int64
from skimage.filters import threshold_otsu
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from rsedu.errors import InputError
from rsedu.project.methods.features import (
    CALM_PX,
    Describe,
    Planes,
    dated,
    mean_db,
    means_before_and_after,
)
from rsedu.project.place import Place
from rsedu.project.task import CLOUDS, MARGIN_PX, Stack, Task
from rsedu.project.windows import parts
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.indices import normalised_difference
from rsedu.synthetic.frontier import Window
from rsedu.synthetic.tiles import TRAIN_WORLDS

FOREST_NDVI = 0.75  # below, it was no forest at the first date
NDVI_LOSS = 0.1
_SAMPLE_PX = 200  # side of a window from which a threshold is taken
_SAMPLES = 9
_TREES = 100

#: Where the methods learn; nothing is ever judged on these.
TRAIN_PLACES = TRAIN_WORLDS[:18]
#: Share of the place under cloud at each date, one place after the other.
CLOUD_SCHEDULES = (CLOUDS, (0.0, 0.8, 0.8, 0.8, 0.8, 0.0), (0.8,) * len(CLOUDS))

_SIDE_M = 20_000.0
_WINDOWS = 3  # of each place
_CORE_PX, _ROUND_PX = 128, 32  # of a window: what is learnt, and what is seen all round it
_SHARE = 0.6  # of the pixels of a window
_ROUNDS = 150  # boosted trees

Years = Float32[np.ndarray, "rows cols"]


def first_year(changed: np.ndarray, clear: np.ndarray, dates: tuple[float, ...]) -> Years:
    """Date a loss: half-way from the last acquisition without it to the first one with it.

    Both arrays are (dates, rows, cols) bool: the loss shows, and the pixel was observed at all. NaN
    where no date shows a loss; where the very first one does, it is its date.
    """
    shows = changed & clear
    first = shows.argmax(axis=0)
    at = np.arange(len(dates))[:, None, None]
    before = np.where(clear & ~changed & (at < first), at, -1).max(axis=0)
    years = np.array(dates, dtype=np.float32)
    middle = (years[np.where(before < 0, first, before)] + years[first]) / 2
    return np.where(shows.any(axis=0), middle, np.float32(np.nan)).astype(np.float32)


def ndvi(optical: Float32[np.ndarray, "dates 12 rows cols"]) -> np.ndarray:
    """NDVI of each date, (dates, rows, cols); see `rsedu.scenes.indices`."""
    near, red = optical[:, S2_BANDS.index("B08")], optical[:, S2_BANDS.index("B04")]
    return normalised_difference(near, red)


@dataclass(frozen=True, kw_only=True)
class NdviDifference:
    """Loss is a fall of NDVI, by `fall` or more, below a first date, where both dates are clear."""

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


def log_ratio(stack: Stack) -> Float32[np.ndarray, "periods rows cols"]:
    """Fall of backscatter across each period, dB: the mean before over the mean after.

    Both polarisations, means of 5 x 5 pixels as power, and over all dates before and after.
    """
    before, after = means_before_and_after(mean_db(stack, CALM_PX))
    return np.asarray(before - after)


@dataclass(frozen=True, kw_only=True)
class RadarLogRatio:
    """Loss is a fall of radar backscatter above `fall_db`; Otsu's method says how much that is."""

    fall_db: float

    @property
    def name(self) -> str:
        """Method and setting."""
        return f"radar {self.fall_db:.3f}"

    @classmethod
    def fit(cls, task: Task) -> "RadarLogRatio":
        """Take the threshold from nine windows spread over the place."""
        cut = list(parts(task.shape, window_px=_SAMPLE_PX, margin_px=0))
        chosen = np.unique(np.linspace(0, len(cut) - 1, _SAMPLES).round().astype(int))
        stacks = [task.read(cut[number].core) for number in chosen]
        falls = [log_ratio(stack).max(axis=0).ravel() for stack in stacks]
        threshold = threshold_otsu(np.concatenate(falls))  # type: ignore[no-untyped-call]
        return cls(fall_db=float(threshold))

    def map(self, stack: Stack) -> Years:
        """Map a window: the period of the largest fall, where that is large enough."""
        return dated(stack, log_ratio(stack).max(axis=0) > self.fall_db)


def measured(stack: Stack) -> Planes:
    """All that both satellites say of each pixel: NaN for optical values under cloud."""
    hidden = np.where(stack.clear[:, None], stack.optical, np.float32(np.nan))
    return np.concatenate([hidden, stack.radar], axis=1).reshape(-1, *stack.shape)


def periods(
    years: Float32[np.ndarray, "labels"], dates: tuple[float, ...]
) -> Int64[np.ndarray, "labels"]:
    """Number of the period between dates that a loss falls into, from 1; 0 for none."""
    number = np.searchsorted(np.array(dates), np.nan_to_num(years, nan=-np.inf), side="left")
    return np.asarray(np.clip(number, 0, len(dates) - 1), dtype=np.int64)


def _at_labels(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """What was measured of the labelled pixels, and their periods."""
    labels = task.labels()
    features = []
    for at in zip(labels.rows.tolist(), labels.cols.tolist(), strict=True):
        # With the margin, or shadows of clouds outside the window would be missed.
        rows, cols = (
            slice(max(middle - MARGIN_PX, 0), min(middle + MARGIN_PX + 1, size))
            for middle, size in zip(at, task.shape, strict=True)
        )
        planes = measured(task.read((rows, cols)))
        features.append(planes[:, at[0] - rows.start, at[1] - cols.start])
    return np.stack(features), periods(labels.years, task.dates)


def _forest() -> RandomForestClassifier:
    return RandomForestClassifier(_TREES, random_state=0, n_jobs=1, min_samples_leaf=2)


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelForest:
    """Random forest on single pixels, whose classes are numbers of periods."""

    forest: RandomForestClassifier
    taught: str

    @property
    def name(self) -> str:
        """Method and labels."""
        return f"forest taught by {self.taught}"

    @classmethod
    def fit(cls, task: Task) -> "PixelForest":
        """Learn from a place's own labels."""
        return cls(forest=_forest().fit(*_at_labels(task)), taught=f"{task.label_count} labels")

    def map(self, stack: Stack) -> Years:
        """Map a window: the commonest period among the trees."""
        planes = measured(stack)
        number = self.forest.predict(planes.reshape(len(planes), -1).T).reshape(stack.shape)
        years = np.concatenate([[np.nan], stack.between]).astype(np.float32)
        return np.asarray(years[number])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A window of a place, with a margin of 32 pixels, and decimal years of what was lost there."""

    stack: Stack
    years: Years

    @property
    def core(self) -> Window:
        """The pixels to learn from."""
        inside = slice(_ROUND_PX, -_ROUND_PX)
        return inside, inside


def _samples_of(seed: int, clouds: tuple[float, ...]) -> Iterator[Sample]:
    task = Task(place=Place(seed=seed, size_m=_SIDE_M), clouds=clouds)
    rng = np.random.default_rng((809, seed))
    most = task.shape[0] - _CORE_PX - MARGIN_PX
    for top, left in rng.integers(MARGIN_PX, most, size=(_WINDOWS, 2)).tolist():
        wide, near = (
            (slice(top - px, top + _CORE_PX + px), slice(left - px, left + _CORE_PX + px))
            for px in (MARGIN_PX, _ROUND_PX)
        )
        inside = slice(MARGIN_PX - _ROUND_PX, _ROUND_PX - MARGIN_PX)
        stack = task.read(wide).cut((inside, inside))
        yield Sample(stack=stack, years=task.place.truth(window=near))


def labelled_windows(places: Sequence[int] = TRAIN_PLACES) -> tuple[Sample, ...]:
    """Windows to learn from, three of each place, the clouds changing from place to place.

    Places are seeds, one or more, of `TRAIN_WORLDS` unless somebody wants to be fooled.
    """
    if not places:
        raise InputError("There is no place to learn on: give seeds, such as TRAIN_WORLDS[:18].")
    return _windows_of(tuple(places))


def named(places: Sequence[int]) -> str:
    """Which places, in words, so that a method's name tells where it learnt."""
    if len(places) > 2 and list(places) == list(range(places[0], places[-1] + 1)):
        return f"places {places[0]} to {places[-1]}"
    return f"places {', '.join(map(str, places))}"


@lru_cache(maxsize=1)
def _windows_of(places: tuple[int, ...]) -> tuple[Sample, ...]:
    return tuple(
        sample
        for number, seed in enumerate(places)
        for sample in _samples_of(seed, CLOUD_SCHEDULES[number % len(CLOUD_SCHEDULES)])
    )


def _lesson(
    places: Sequence[int], describe: Callable[[Stack], Planes], share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (pixels, features) and years of a random share of the windows' pixels."""
    rng = np.random.default_rng(0)
    features, years = [], []
    for sample in labelled_windows(places):
        planes = describe(sample.stack)[(slice(None), *sample.core)]
        drawn = rng.random(planes[0].shape) < share
        features.append(planes[:, drawn].T)
        years.append(sample.years[sample.core][drawn])
    return np.concatenate(features), np.concatenate(years)


def unfitted() -> HistGradientBoostingClassifier:
    """The boosted trees that all tracks grow."""
    return HistGradientBoostingClassifier(max_iter=_ROUNDS, early_stopping=False, random_state=0)


def grown(
    features: Float32[np.ndarray, "pixels features"], lost: Bool[np.ndarray, "pixels"]
) -> HistGradientBoostingClassifier:
    """Fit boosted trees that tell lost pixels from others; NaN may stand among the features."""
    return unfitted().fit(features, lost)


def predict_lost(
    trees: HistGradientBoostingClassifier, planes: Planes
) -> Bool[np.ndarray, "rows cols"]:
    """Ask such trees about the pixels of a window: is loss likelier than none?"""
    chance = trees.predict_proba(planes.reshape(len(planes), -1).T)[:, 1]
    return np.asarray(chance.reshape(planes.shape[1:]) > 0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelClassifier:
    """Boosted trees on a description of pixels such as `Pixels()`; the radar dates their finds."""

    describe: Describe
    trees: HistGradientBoostingClassifier
    taught: str

    @property
    def name(self) -> str:
        """Description and school."""
        return f"{self.describe.name}; trees of {self.taught}"

    @classmethod
    def fit(cls, describe: Describe, *, places: Sequence[int] = TRAIN_PLACES) -> "PixelClassifier":
        """Learn on whole windows of other places; about a minute, most of it to render them."""
        features, years = _lesson(places, describe, _SHARE)
        trees = grown(features, np.isfinite(years))
        return cls(describe=describe, trees=trees, taught=named(places))

    def map(self, stack: Stack) -> Years:
        """Map a window."""
        return dated(stack, predict_lost(self.trees, self.describe(stack)))


def taught_forest(*, places: Sequence[int] = TRAIN_PLACES) -> PixelForest:
    """Teach the baseline's forest where `PixelClassifier` learns: how much of it is the labels?"""
    features, years = _lesson(places, measured, _SHARE / 6)
    dates = labelled_windows(places)[0].stack.dates
    return PixelForest(forest=_forest().fit(features, periods(years, dates)), taught=named(places))
