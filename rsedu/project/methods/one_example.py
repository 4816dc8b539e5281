"""Track D: one lost clearing is shown, and its like is looked for across the whole place.

What the example looks like comes from the place: the mean description of its pixels. How unlike a
pixel may be, and still have lost its forest, was learnt on other places, from pairs of an example
and a window. So no threshold is set by hand, and where nothing is alike nothing is found.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier

from rsedu.errors import InputError
from rsedu.project.methods.baselines import (
    TRAIN_PLACES,
    grown,
    labelled_windows,
    named,
    predict_lost,
)
from rsedu.project.methods.features import Pixels, Planes, dated
from rsedu.project.task import MARGIN_PX, Stack, Task

_LEAST_PX = 100  # of an example: a hectare at 10 m
_EXAMPLES = 3  # that each window to learn from is compared with
_SHARE = 0.2  # of the pixels of a window


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One clearing that somebody outlined: a window round it, and its pixels there."""

    stack: Stack
    mask: Bool[np.ndarray, "rows cols"]

    def likeness(self) -> Float32[np.ndarray, "features"]:
        """Mean description of its pixels, without those at its edge where there are others.

        Raises:
            InputError: the mask is empty or has another shape than the window.
        """
        if self.mask.shape != self.stack.shape or not self.mask.any():
            raise InputError(
                f"The example has {int(self.mask.sum())} pixels in {self.mask.shape} (rows, cols) "
                f"of a window of {self.stack.shape}: outline one clearing on the window's pixels."
            )
        return _mean(Pixels()(self.stack), self.mask)

    @property
    def name(self) -> str:
        """What tells this example from others, for the name of a method that is shown it."""
        return _named(self.likeness())


def example_of(task: Task) -> Example:
    """The clearing of the period whose size is the middle one of those above a hectare.

    It is looked up in the place's truth: the one label that the track is given.
    """
    years = task.place.truth()
    cut, count = _clearings(years)
    if not cut.size:
        raise InputError(f"{task.place} has no clearing of {_LEAST_PX} pixels in its period.")
    mask = years == cut[np.argsort(count, kind="stable")[cut.size // 2]]
    rows, cols = (
        slice(max(int(at.min()) - MARGIN_PX, 0), int(at.max()) + 1 + MARGIN_PX)
        for at in np.nonzero(mask)
    )
    return Example(stack=task.read((rows, cols)), mask=mask[rows, cols])


@dataclass(frozen=True, kw_only=True, eq=False)
class OneExample:
    """Finds what is like one example.

    Attributes:
        target: the example's mean description.
        trees: fitted on differences from examples.
    """

    target: Float32[np.ndarray, "features"]
    trees: HistGradientBoostingClassifier
    taught: str

    @property
    def name(self) -> str:
        """Example and places."""
        return f"one example {_named(self.target)}, trees of {self.taught}"

    @classmethod
    def fit(cls, example: Example, *, places: Sequence[int] = TRAIN_PLACES) -> "OneExample":
        """Learn on other places what may differ, then take the one example of this place."""
        trees = _metric(tuple(places))
        return cls(target=example.likeness(), trees=trees, taught=named(places))

    def map(self, stack: Stack) -> Float32[np.ndarray, "rows cols"]:
        """Map a window."""
        planes = Pixels()(stack) - self.target[:, None, None]
        return dated(stack, predict_lost(self.trees, planes))


def _named(likeness: np.ndarray) -> str:
    """A short digest; it may differ between machines, so it is for names and never for print."""
    return hashlib.sha256(likeness.tobytes()).hexdigest()[:8]


def _mean(planes: Planes, mask: np.ndarray) -> Float32[np.ndarray, "features"]:
    core = ndimage.binary_erosion(mask)
    inside = planes[:, core if core.any() else mask].astype(np.float64)
    known = np.isfinite(inside)
    total = np.where(known, inside, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), total, np.nan).astype(np.float32)


def _clearings(years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Year and size of each clearing that is large enough."""
    cut, count = np.unique(years[np.isfinite(years)], return_counts=True)
    return cut[count >= _LEAST_PX], count[count >= _LEAST_PX]


@lru_cache(maxsize=1)
def _metric(places: tuple[int, ...]) -> HistGradientBoostingClassifier:
    """Learn from pixels minus examples of other windows: lost too, or not?"""
    rng = np.random.default_rng(0)
    samples = labelled_windows(places)
    planes = [Pixels()(sample.stack) for sample in samples]
    examples = [
        [_mean(described, sample.years == year) for year in _clearings(sample.years)[0]]
        for sample, described in zip(samples, planes, strict=True)
    ]
    features, lost = [], []
    for number, sample in enumerate(samples):
        others = [*chain(*examples[:number], *examples[number + 1 :])]
        for target in rng.choice(np.stack(others), size=_EXAMPLES, axis=0):
            drawn = rng.random(sample.years[sample.core].shape) < _SHARE
            features.append(planes[number][(slice(None), *sample.core)][:, drawn].T - target)
            lost.append(np.isfinite(sample.years[sample.core][drawn]))
    return grown(np.concatenate(features), np.concatenate(lost))
