"""Boosted trees that learnt on other places what a loss looks like, from any description of pixels.

The groups' place gives 40 labels. Synthetic worlds give as many as one wants, with outlines: these
methods learn on places of `TRAIN_WORLDS`, under three kinds of weather, and map a place whose
labels they never saw.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from rsedu.errors import InputError
from rsedu.project.methods.baselines import PixelForest, periods, pixel_table
from rsedu.project.methods.features import Describe, Planes, dated
from rsedu.project.place import Place
from rsedu.project.task import CLOUDS, MARGIN_PX, Stack, Task
from rsedu.synthetic.frontier import Window
from rsedu.synthetic.tiles import TRAIN_WORLDS

#: Where the methods learn; nothing is ever judged on these.
TRAIN_PLACES = TRAIN_WORLDS[:18]
#: Share of the place under cloud at each date, one place after the other.
CLOUD_SCHEDULES = (CLOUDS, (0.0, 0.8, 0.8, 0.8, 0.8, 0.0), (0.8,) * len(CLOUDS))

_SIDE_M = 20_000.0
_WINDOWS = 3  # of each place
_CORE_PX, _ROUND_PX = 128, 32  # of a window: what is learnt, and what is seen all round it
_SHARE = 0.6  # of the pixels of a window
_TREES = 150


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A window of a place, and what happened there.

    Attributes:
        stack: what was seen, with a margin of 32 pixels.
        years: decimal year of the loss, NaN for none; on the same pixels.
    """

    stack: Stack
    years: Float32[np.ndarray, "rows cols"]

    @property
    def core(self) -> Window:
        """The pixels to learn from."""
        inside = slice(_ROUND_PX, -_ROUND_PX)
        return inside, inside


def _samples_of(seed: int, weather: tuple[float, ...]) -> Iterator[Sample]:
    task = Task(place=Place(seed=seed, size_m=_SIDE_M), clouds=weather)
    rng = np.random.default_rng((809, seed))
    most = task.shape[0] - _CORE_PX - MARGIN_PX
    for top, left in rng.integers(MARGIN_PX, most, size=(_WINDOWS, 2)).tolist():
        wide, near = (
            (
                slice(top - reach, top + _CORE_PX + reach),
                slice(left - reach, left + _CORE_PX + reach),
            )
            for reach in (MARGIN_PX, _ROUND_PX)
        )
        inside = slice(MARGIN_PX - _ROUND_PX, _ROUND_PX - MARGIN_PX)
        stack = task.read(wide).cut((inside, inside))
        yield Sample(stack=stack, years=task.place.truth(window=near))


def labelled_windows(places: Sequence[int] = TRAIN_PLACES) -> tuple[Sample, ...]:
    """Windows to learn from, three of each place, the weather changing from place to place.

    Args:
        places: seeds, of `TRAIN_WORLDS` unless somebody wants to be fooled.

    Raises:
        InputError: there is no place.
    """
    if not places:
        raise InputError("There is no place to learn on: give seeds, such as TRAIN_WORLDS[:18].")
    return _school(tuple(places))


def named(places: Sequence[int]) -> str:
    """Which places, in words, so that a method's name tells where it learnt."""
    if len(places) > 2 and list(places) == list(range(places[0], places[-1] + 1)):
        return f"places {places[0]} to {places[-1]}"
    return f"places {', '.join(map(str, places))}"


@lru_cache(maxsize=1)
def _school(places: tuple[int, ...]) -> tuple[Sample, ...]:
    return tuple(
        sample
        for number, seed in enumerate(places)
        for sample in _samples_of(seed, CLOUD_SCHEDULES[number % len(CLOUD_SCHEDULES)])
    )


def _lesson(
    samples: Sequence[Sample], describe: Describe, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (pixels, features) and years of a random share of the samples' pixels."""
    rng = np.random.default_rng(0)
    features, years = [], []
    for sample in samples:
        planes = describe(sample.stack)[(slice(None), *sample.core)]
        drawn = rng.random(planes[0].shape) < share
        features.append(planes[:, drawn].T)
        years.append(sample.years[sample.core][drawn])
    return np.concatenate(features), np.concatenate(years)


def unfitted() -> HistGradientBoostingClassifier:
    """The boosted trees that all tracks grow."""
    return HistGradientBoostingClassifier(max_iter=_TREES, early_stopping=False, random_state=0)


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
    found: np.ndarray = chance.reshape(planes.shape[1:]) > 0.5
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelClassifier:
    """Boosted trees on a description of pixels; the radar dates what they find.

    Attributes:
        describe: such as `Pixels()`.
        trees: of scikit-learn, fitted; their classes are not lost and lost.
        taught: on what, in words.
    """

    describe: Describe
    trees: HistGradientBoostingClassifier
    taught: str

    @property
    def name(self) -> str:
        """Description and school."""
        return f"{self.describe.name}; trees of {self.taught}"

    @classmethod
    def fit(cls, describe: Describe, *, places: Sequence[int] = TRAIN_PLACES) -> "PixelClassifier":
        """Learn on whole windows of other places; about a minute, most of it to render them.

        Args:
            describe: gives the numbers of each pixel.
            places: seeds to learn on.
        """
        features, years = _lesson(labelled_windows(places), describe, _SHARE)
        return cls(
            describe=describe,
            trees=grown(features, np.isfinite(years)),
            taught=named(places),
        )

    def map(self, stack: Stack) -> Float32[np.ndarray, "rows cols"]:
        """Map a window."""
        return dated(stack, predict_lost(self.trees, self.describe(stack)))


def taught_forest(*, places: Sequence[int] = TRAIN_PLACES) -> PixelForest:
    """Teach the baseline's forest where `PixelClassifier` learns: how much of it is the labels?"""
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1, min_samples_leaf=2)
    features, years = _lesson(labelled_windows(places), _PixelTable(), _SHARE / 6)
    dates = labelled_windows(places)[0].stack.dates
    return PixelForest(
        forest=forest.fit(features, periods(years, dates)),
        taught=named(places),
    )


class _PixelTable:
    """The baseline's table as planes."""

    name = "pixel table"

    def __call__(self, stack: Stack) -> np.ndarray:
        table = pixel_table(stack)
        planes: np.ndarray = table.T.reshape(-1, *stack.shape)
        return planes
