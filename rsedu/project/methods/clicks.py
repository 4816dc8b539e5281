"""Track C: a person boxes lost clearings, SAM outlines them, and trees learn from the outlines.

Labour goes into few and good labels: edges of outlines are drawn again (`refine_boundary`), and
pixels on which trees that were taught by *other* windows disagree are not taught.

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
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from rsedu.errors import InputError
from rsedu.evaluation.masks import iou
from rsedu.project.methods.baselines import grown, predict_lost, unfitted
from rsedu.project.methods.features import Pixels, dated, first_and_last_clear
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

_BANDS = ("B04", "B08", "B11", "B12")
_EDGES_PX = (2, 2, 1)  # to each side of an outline, pass by pass
_ROUND_PX = 3  # width of what counts as around, beyond the edge
_FEWEST_PX = 8  # whose mean means something
_RIDGE = 1e-5  # added to variances of reflectance, so that equal pixels can be divided by

Mask = Bool[np.ndarray, "rows cols"]
Change = Float32[np.ndarray, "bands rows cols"]


@runtime_checkable
class Embeds(Protocol):
    """What embeds an image and answers boxes there: a `Segmenter`, or what stands in for one."""

    def embed(self, image: UInt8[np.ndarray, "rows cols 3"]) -> Any:
        """Return something with ``predict(prompt) -> Prediction``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One window that was looked over.

    Attributes:
        lost: within outlines that fit.
        known: pixels that count as labelled: all but those of outlines that were thrown away.
        seconds: labour, assumed.
    """

    stack: Stack
    lost: Mask
    known: Mask
    seconds: float


def shown(stack: Stack) -> UInt8[np.ndarray, "rows cols 3"]:
    """The last clear acquisition as a composite of B12, B08 and B04; black where there is none."""
    last = first_and_last_clear(stack).after
    return np.stack([stretch(last[S2_BANDS.index(name)]) for name in _SHOWN], axis=-1)


def outline(segmenter: Embeds, stack: Stack, true: Mask) -> View:
    """Box each lost clearing of a window; of three outlines keep the best, if it fits."""
    embedded = segmenter.embed(shown(stack))
    lost, known = np.zeros_like(true), np.ones_like(true)
    clearings = components(true, least_px=_LEAST_PX)
    for clearing in clearings:
        masks = embedded.predict(Prompt(box=box_of(clearing))).masks
        mask = max(masks, key=lambda mask: iou(mask, clearing))
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


def change_of(stack: Stack) -> Change:
    """Reflectance of the last clear acquisition less that of the first; NaN where none is clear."""
    pair, bands = first_and_last_clear(stack), [S2_BANDS.index(name) for name in _BANDS]
    return np.asarray(pair.after[bands] - pair.before[bands])


def refine_boundary(outlines: Mask, change: Change) -> Mask:
    """Decide the pixels at the edge of each outline anew, by the change of reflectance there.

    Outlines that touch along an edge are one. They become at most 5 pixels wider or narrower; those
    too small to tell stay as they are.
    """
    known = np.isfinite(change).all(axis=0)
    for edge_px in _EDGES_PX:
        numbers, count = ndimage.label(outlines)
        drawn, far = outlines.copy(), ~ndimage.binary_dilation(outlines, iterations=edge_px)
        for number in range(1, count + 1):
            one = numbers == number
            inside: np.ndarray = ndimage.binary_erosion(one, iterations=edge_px)
            core = inside if inside.any() else one
            edge = ndimage.binary_dilation(one, iterations=edge_px) & ~core
            reach = ndimage.binary_dilation(one, iterations=edge_px + _ROUND_PX)
            border = _border(change, core & known, reach & far & known)
            if border is not None:
                way, middle = border
                drawn[edge & known] = way @ change[:, edge & known] > middle
        outlines = drawn
    return outlines


def _border(change: Change, core: Mask, around: Mask) -> tuple[np.ndarray, float] | None:
    """Where change within ends and change around begins: Fisher's discriminant.

    The direction is the difference of both means, weighted by the inverse of the covariance that
    they share (Fisher 1936); the border along it, above which is within, is half-way. None where
    too few pixels tell.
    """
    if min(core.sum(), around.sum()) < _FEWEST_PX:
        return None
    inside, outside = change[:, core], change[:, around]
    middles = [side.mean(axis=1, keepdims=True) for side in (inside, outside)]
    spread = np.cov(np.concatenate([inside - middles[0], outside - middles[1]], axis=1))
    way = np.linalg.solve(spread + _RIDGE * np.eye(len(change)), middles[0] - middles[1])[:, 0]
    return way, float(way @ (middles[0] + middles[1])[:, 0]) / 2


def drop_contradicted_labels(
    features: Sequence[Float32[np.ndarray, "_ features"]],
    lost: Sequence[Bool[np.ndarray, "_"]],
) -> Bool[np.ndarray, "pixels"]:
    """Whether trees that were taught by other windows give each pixel the label that it has.

    Arguments are one array a window, the answer is for all windows, one after the other. It is yes
    for all where fewer than 8 windows show a loss: too few are left to judge the others by.
    """
    labels = np.concatenate(lost)
    if sum(bool(labels.any()) for labels in lost) < _JUDGES:
        return np.ones_like(labels)
    window = np.repeat(np.arange(len(lost)), [len(labels) for labels in lost])
    pixels, folds = np.concatenate(features), StratifiedGroupKFold(_FOLDS)
    predicted = cross_val_predict(unfitted(), pixels, labels, groups=window, cv=folds)
    return np.asarray(predicted == labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clicked:
    """Trees on pixels, taught by the outlines of some windows of the place itself.

    Attributes:
        minutes: labour that went into it, assumed.
        boxes: how many were drawn.
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

        The window that would exceed them is left away.

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
            lost.append(refine_boundary(view.lost, change_of(view.stack))[view.known])
        if not any(labels.any() for labels in lost):
            raise InputError(
                f"No loss was outlined in {minutes:g} minutes: give more, or another place."
            )
        agreed = drop_contradicted_labels(features, lost)
        trees = grown(np.concatenate(features)[agreed], np.concatenate(lost)[agreed])
        return cls(trees=trees, minutes=seconds / 60, boxes=boxes)

    def map(self, stack: Stack) -> Float32[np.ndarray, "rows cols"]:
        """Map a window."""
        return dated(stack, predict_lost(self.trees, Pixels()(stack)))
