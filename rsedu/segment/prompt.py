"""Prompt and prediction: clicks, a box or an earlier mask in, three masks and their scores out."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from affine import Affine
from jaxtyping import Bool, Float32

from rsedu.errors import InputError
from rsedu.scenes.grid import Grid, Number

Point = tuple[float, float]  # (col, row)

Frame = Literal["pixels", "map"]
Box = tuple[Number, Number, Number, Number]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt:
    """Clicks and a box for one object. Frozen: every method returns a new prompt.

    Attributes:
        points: one pair per click: (col, row) in the frame "pixels", whole numbers being the
            centres of pixels; (x, y) in metres of the scene's CRS in the frame "map".
        labels: one per click: 1 (or True) on the object, 0 (or False) beside it. Left out: all 1.
        box: in "pixels" (left, top, right, bottom) in edges of pixels, so that the whole image is
            (0, 0, cols, rows); in "map" (west, south, east, north) in metres. None: no box.
        mask: logits of an earlier answer, one of `Prediction.logits`, square; None: none. They show
            the tile or closer look of their own prompt, so they fit only a prompt with the same
            box or, without a box, the same first click on the object.
        frame: "pixels" or "map".

    Raises:
        InputError: a part is missing, not of its form, not finite or empty.
    """

    points: tuple[tuple[Number, Number], ...] = ()
    labels: tuple[int, ...] = ()
    box: Box | None = None
    mask: np.ndarray | None = None
    frame: Frame = "pixels"

    def __post_init__(self) -> None:
        points = _pairs(self.points)
        labels = _zeros_and_ones(self.labels) or (1,) * len(points)
        box = None if self.box is None else _edges(self.box)
        mask = None if self.mask is None else np.array(self.mask, dtype=np.float32)
        if mask is not None:
            mask.setflags(write=False)
        for name, value in (("points", points), ("labels", labels), ("box", box), ("mask", mask)):
            object.__setattr__(self, name, value)
        _check(self)

    def __eq__(self, other: object) -> bool:
        """Whether all parts are equal, the mask number by number."""
        return isinstance(other, Prompt) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        mask = None if self.mask is None else (self.mask.shape, self.mask.tobytes())
        return self.points, self.labels, self.box, mask, self.frame

    def click(self, across: Number, along: Number, *, positive: bool = True) -> "Prompt":
        """Return the prompt with one click more, (col, row) or (x, y) as its frame says."""
        points = (*self.points, (across, along))
        return replace(self, points=points, labels=(*self.labels, int(positive)))

    def in_pixels(self, transform: Affine | None) -> "Prompt":
        """Return the prompt in the frame "pixels" of a grid.

        `transform` maps (col, row) of pixel corners to (x, y) in metres; only the frame "map" needs
        it, where its absence is an InputError.
        """
        if self.frame == "pixels":
            return self
        if transform is None:
            raise InputError(
                "The prompt is in map coordinates and the image has no place: embed a Scene, or "
                "give the prompt in pixels."
            )
        corners = [~transform @ point for point in self.points]
        points = tuple((float(col) - 0.5, float(row) - 0.5) for col, row in corners)
        box = None
        if self.box is not None:
            west, south, east, north = self.box
            box = (*(~transform @ (west, north)), *(~transform @ (east, south)))
        return replace(self, points=points, box=box, frame="pixels")


def _pairs(points: Any) -> tuple[tuple[float, float], ...]:
    try:
        return tuple((float(across), float(along)) for across, along in points)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"points are {points!r}; wanted ((col, row), ...): one pair of numbers for each click."
        ) from error


def _zeros_and_ones(labels: Any) -> tuple[int, ...]:
    if any(label not in (0, 1) for label in labels):
        raise InputError(
            f"The labels are {tuple(labels)}; wanted 1 on the object and 0 beside it, no other."
        )
    return tuple(int(label) for label in labels)


def _edges(box: Any) -> Box:
    try:
        first, second, third, fourth = (float(edge) for edge in box)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The box is {box!r}; wanted four numbers: (left, top, right, bottom) in pixels, or "
            "(west, south, east, north) on the map."
        ) from error
    return first, second, third, fourth


def _check(prompt: Prompt) -> None:
    if not prompt.points and prompt.box is None:
        raise InputError("A prompt needs a click or a box; a mask alone only refines one.")
    if len(prompt.labels) != len(prompt.points):
        raise InputError(
            f"{len(prompt.points)} points came with the labels {prompt.labels}; wanted one per "
            "point: 1 on the object, 0 beside it."
        )
    if prompt.frame not in ("pixels", "map"):
        raise InputError(f"frame is {prompt.frame!r}; wanted 'pixels' or 'map'.")
    numbers = [*np.ravel(prompt.points), *(prompt.box or ())]
    if not np.isfinite(numbers).all():
        raise InputError(f"A prompt's coordinates must be finite; got {prompt.points, prompt.box}.")
    if prompt.box is not None:
        first, second, third, fourth = prompt.box
        if not (first < third and second < fourth):
            raise InputError(
                f"The box {prompt.box} is empty; wanted (left, top, right, bottom) in pixels, or "
                "(west, south, east, north) on the map."
            )
    if prompt.mask is not None and (prompt.mask.ndim != 2 or len(set(prompt.mask.shape)) != 1):
        raise InputError(
            f"mask has shape {prompt.mask.shape}; wanted square logits of an earlier answer."
        )


def box_of(mask: Bool[np.ndarray, "rows cols"]) -> tuple[float, float, float, float]:
    """Tight box around a mask: (left, top, right, bottom) in edges of pixels."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise InputError("The mask is empty, so there is no box around it.")
    return float(cols[0]), float(rows[0]), float(cols[-1] + 1), float(rows[-1] + 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Three masks for one prompt; for a click, often a part, an object, and what it belongs to.

    SAM's single mask comes alone, in the same form.

    Attributes:
        masks: (3, rows, cols) on the image's pixels.
        scores: (3,), the IoU with the truth that the model predicts, about 0 to 1.
        logits: (3, side, side) of the tile that the prompt is in, a quarter of the model's pixels
            along each side; one of them, as `Prompt.mask`, refines the answer. A logit above 0 is
            object.
        grid: place of the pixels; None for an image without one.
    """

    masks: Bool[np.ndarray, "masks rows cols"]
    scores: Float32[np.ndarray, "masks"]
    logits: Float32[np.ndarray, "masks side side"]
    grid: Grid | None = None

    @property
    def best(self) -> int:
        """Index of the mask with the highest predicted IoU."""
        return int(self.scores.argmax())

    @property
    def mask(self) -> Bool[np.ndarray, "rows cols"]:
        """The best mask."""
        return np.asarray(self.masks[self.best])


@runtime_checkable
class Promptable(Protocol):
    """An image that was looked at once and can be prompted often, such as an `Embedded`."""

    def predict(self, prompt: Prompt, /) -> Any:
        """Answer one prompt with a `Prediction`, or what has its `masks`, `scores` and `best`."""
