"""Track C: a person boxes lost clearings, SAM outlines them, and trees learn from the outlines.

An outline is off by a pixel here and there, and trees learn that as well. So its edge is drawn
again by what each pixel shows (`refine_boundary`), and pixels on which trees that were taught
by *other* windows disagree are not taught: labour goes into fewer and better labels.

The person is simulated: the boxes come from the truth, which is what somebody who looks at the
scenes would know. Seconds are an ASSUMPTION, not a measurement: ten to look over a window, ten for
a box. The year of a loss isn't asked; the radar dates it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import (
    StratifiedGroupKFold,
    cross_val_predict,
)

from rsedu.errors import InputError
from rsedu.evaluation.masks import iou
from rsedu.project.methods.features import Pixels, dated, first_and_last_clear
from rsedu.project.methods.pixel_classifier import grown, predict_lost, unfitted
from rsedu.project.methods.refine_boundary import change_of, redrawn
from rsedu.project.task import MARGIN_PX, Stack, Task
from rsedu.project.windows import Part, parts
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.colours import stretch
from rsedu.segment import sam
from rsedu.segment.prompt import Prompt, box_of
from rsedu.segment.regions import components

LOOK_S, BOX_S = 10.0, 10.0  # assumed
VIEW_PX = 128  # side of what is looked over at once
_SHOWN = ("B12", "B08", "B04")
_LEAST_PX = 16  # smaller losses are not boxed
_KEPT = 0.5  # IoU below which a person throws an outline away
_JUDGES, _FOLDS = 8, 4  # windows with a loss that are needed; parts that they are dealt into


@runtime_checkable
class Embeds(Protocol):
    """What embeds an image and answers boxes there: a `Segmenter`, or what stands in for one."""

    def embed(self, image: UInt8[np.ndarray, "rows cols 3"]) -> Any:
        """Return something with ``predict(prompt) -> Answer``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One window that was looked over.

    Attributes:
        stack: what was seen there.
        lost: outlines that were kept.
        known: pixels that count as labelled: all but those of outlines that were thrown away.
        seconds: of labour, assumed.
    """

    stack: Stack
    lost: Bool[np.ndarray, "rows cols"]
    known: Bool[np.ndarray, "rows cols"]
    seconds: float


def shown(stack: Stack) -> UInt8[np.ndarray, "rows cols 3"]:
    """The last clear look as colours, (rows, cols, 3) uint8; black where there is none."""
    last = first_and_last_clear(stack).after
    return np.stack([stretch(last[S2_BANDS.index(name)]) for name in _SHOWN], axis=-1)


def outline(segmenter: Embeds, stack: Stack, true: Bool[np.ndarray, "rows cols"]) -> View:
    """Box each lost clearing of a window; of three outlines keep the best, if it fits.

    Args:
        segmenter: of `rsedu.segment.sam.load`.
        stack: of the window.
        true: what was lost there, as the person sees it.
    """
    embedded = segmenter.embed(shown(stack))
    lost, known = np.zeros_like(true), np.ones_like(true)
    clearings = components(true, least_px=_LEAST_PX)
    for clearing in clearings:
        masks = embedded.predict(Prompt(box=box_of(clearing))).masks
        mask = max(masks, key=lambda each: iou(each, clearing))
        if iou(mask, clearing) >= _KEPT:
            lost |= mask
        else:
            known &= ~ndimage.binary_dilation(mask | clearing)
    seconds = LOOK_S + BOX_S * len(clearings)
    return View(stack=stack, lost=lost, known=known | lost, seconds=seconds)


def views(task: Task, segmenter: Embeds) -> Iterator[View]:
    """Look over windows of a place in random order, by the place's seed, until nobody asks more."""
    cut = list(parts(task.shape, window_px=VIEW_PX, margin_px=MARGIN_PX))
    for number in np.random.default_rng((810, task.place.seed)).permutation(len(cut)):
        part: Part = cut[number]
        true = np.isfinite(task.place.truth(window=part.core))
        yield outline(segmenter, task.read(part.read).cut(part.inside), true)


def drop_contradicted_labels(
    features: Sequence[Float32[np.ndarray, "_ features"]],
    lost: Sequence[Bool[np.ndarray, "_"]],
) -> Bool[np.ndarray, "pixels"]:
    """Whether trees that were taught by other windows give each pixel the label that it has.

    Args:
        features: of the pixels of each window.
        lost: their labels.

    Returns:
        For the pixels of all windows, one after the other; all of them where fewer than 8 windows
        show a loss, since too few of those are left to judge the others by.
    """
    labels = np.concatenate(lost)
    if sum(bool(each.any()) for each in lost) < _JUDGES:
        return np.ones_like(labels)
    window = np.repeat(np.arange(len(lost)), [len(each) for each in lost])
    told = cross_val_predict(
        unfitted(),
        np.concatenate(features),
        labels,
        groups=window,
        cv=StratifiedGroupKFold(_FOLDS),
    )
    return np.asarray(told == labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clicked:
    """Trees on pixels, taught by the outlines of some windows of the place itself.

    Attributes:
        trees: of scikit-learn, fitted; their classes are not lost and lost.
        minutes: of labour that went into it, assumed.
        boxes: that were drawn.
    """

    trees: HistGradientBoostingClassifier
    minutes: float
    boxes: int

    @property
    def name(self) -> str:
        """How much labour."""
        return f"clicked {self.minutes:.1f} minutes"

    @classmethod
    def fit(cls, task: Task, *, minutes: float = 20.0) -> "Clicked":
        """Label windows until the minutes are over, and learn from them.

        Args:
            task: whose place is looked at.
            minutes: of labour, at most; the window that would exceed them is left away.

        Raises:
            InputError: nothing was outlined in that time.
        """
        seconds, boxes, features, lost = 0.0, 0, [], []
        for view in views(task, sam.load("tiny", device="cpu")):
            if seconds + view.seconds > 60 * minutes:
                break
            seconds += view.seconds
            boxes += round((view.seconds - LOOK_S) / BOX_S)
            features.append(Pixels()(view.stack)[:, view.known].T)
            lost.append(redrawn(view.lost, change_of(view.stack))[view.known])
        if not any(each.any() for each in lost):
            raise InputError(
                f"No loss was outlined in {minutes:g} minutes: give more, or another place."
            )
        agreed = drop_contradicted_labels(features, lost)
        trees = grown(np.concatenate(features)[agreed], np.concatenate(lost)[agreed])
        return cls(trees=trees, minutes=seconds / 60, boxes=boxes)

    def map(self, stack: Stack) -> Float32[np.ndarray, "rows cols"]:
        """Map a window."""
        return dated(stack, predict_lost(self.trees, Pixels()(stack)))
